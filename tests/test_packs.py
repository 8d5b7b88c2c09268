"""The rules that come with mapkeeper prove themselves, stay fast, and state their chances truthfully."""

from __future__ import annotations

import importlib
import random
import string
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from mapkeeper.categories import categories
from mapkeeper.rules import Rule, prove, recognizes
from mapkeeper_classifiers import presidio, standard
from mapkeeper_classifiers.checks import CHECKS

RULES = list(standard.rules())
PRESIDIO = list(presidio.rules())
BY_ID = {rule.id: rule for rule in (*RULES, *PRESIDIO)}

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def regexes(rule: Rule) -> list[str]:
    return [*(pattern.regex for pattern in rule.find), *filter(None, [rule.fit])]


@each_rule
def test_a_rule_passes_its_own_examples(rule: Rule) -> None:
    assert prove(rule) == []
    assert len(rule.match) >= 2
    assert len(rule.miss) >= 2


@each_rule
def test_a_rule_is_written_for_rust(rule: Rule) -> None:
    for expression in regexes(rule):
        pl.Series(["x"]).str.contains(expression, strict=True)  # refuses look-around and back-references


@each_rule
def test_an_example_of_one_category_is_no_strong_match_of_another(rule: Rule) -> None:
    """A line may hold an address; but what a rule takes for its value, another must not claim from end to end."""
    for other in RULES:
        if other.category == rule.category or max((p.score for p in other.find), default=0.0) < 0.85:
            continue
        strays = [text for text in rule.match if claimed(rule, text) & set(found(other, text))]
        assert strays == [], other.id


def found(rule: Rule, text: str) -> Iterator[str]:
    """The values that a rule's patterns find by themselves."""
    for pattern in rule.find:
        for match in regex.finditer(pattern.regex, text):
            value = match["value"] if "value" in match.groupdict() else match.group()
            if value and (rule.check is None or rule.check(value)):
                yield value


def claimed(rule: Rule, text: str) -> set[str]:
    """What a rule takes for its value in one of its examples: what it finds, else all of it."""
    return set(found(rule, text)) or {text}


@each_rule
def test_names_are_words_in_lower_case_without_accents(rule: Rule) -> None:
    for name in rule.names:
        plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
        assert name == " ".join(plain.lower().split()), name
        assert regex.fullmatch(r"[a-z0-9]+(?: [a-z0-9]+)*", name), name
    assert len(set(rule.names)) == len(rule.names)


@each_rule
def test_a_rule_without_a_pattern_has_a_name_to_go_by(rule: Rule) -> None:
    assert rule.find or rule.names


@each_rule
def test_what_is_replaced_in_names_has_a_pattern_that_can_be_believed(rule: Rule) -> None:
    if rule.identifying:
        assert max(pattern.score for pattern in rule.find) >= 0.4


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(RULES) + len(PRESIDIO)


def test_every_category_of_a_rule_exists_and_every_category_has_a_rule() -> None:
    covered = {rule.category for rule in BY_ID.values()}
    assert covered == set(categories())


def test_every_check_is_used() -> None:
    assert set(CHECKS) - {rule.check_name for rule in RULES} == set()


@pytest.mark.parametrize(
    ("rule", "text", "found"),
    [
        ("contact/email", "a.b+c@mail.example.com", True),
        ("contact/email", "sprite@2x.png", False),
        ("online/ipv4", "1.3.6.1.4.1.311", False),
        ("online/ipv4", "255.255.255.0", False),
        ("online/ipv6", "std::add", False),
        ("online/ipv6", "10:22:33", False),
        ("financial/card", "4111111111111111", True),
        ("financial/card", "4111111111111112", False),
        ("americas/us-ssn", "078-05-1120", False),
        ("europe/se-personnummer", "880320-0018", False),
        ("credential/password", "password=********", False),
        ("credential/password", "password=${SECRET}", False),
        ("credential/username-format", "Failed password for root from 192.0.2.1 port 22 ssh2", True),
        ("credential/username-in-log", "authentication failure; logname= uid=0 euid=0", False),
        ("credential/username-in-log", "user space tools are up to date", False),
        ("credential/username-key", "uid=0 euid=0", False),
        ("credential/username-key", "userid=b7c1f3d0-5a2e-4d5c-9a34-0f1e2d3c4b5a", False),
    ],
)
def test_what_looks_alike_is_told_apart(rule: str, text: str, found: bool) -> None:
    assert recognizes(BY_ID[f"standard/{rule}"], text) is found


def test_the_value_of_a_secret_is_found_without_its_key() -> None:
    rule = BY_ID["standard/credential/password"]
    found = [m["value"] for p in rule.find for m in regex.finditer(p.regex, "user=bob password=opensesame7 x=1")]
    assert found == ["opensesame7"]


def test_a_user_name_is_found_without_the_words_around_it() -> None:
    rule = BY_ID["standard/credential/username-format"]
    line = "sshd[1]: Failed password for invalid user bob from 192.0.2.7 port 4711 ssh2"
    assert {m["value"] for p in rule.find for m in regex.finditer(p.regex, line)} == {"bob"}


# --- chance: the share of random texts of a rule's patterns that its check lets pass ---------------------------------

_parser: Any = importlib.import_module("re._parser")
_ops: Any = importlib.import_module("re._constants")
_PRINTABLE = [chr(code) for code in range(32, 127)]


def _members(items: Any) -> list[str]:
    """The printable ASCII characters of a class."""
    classes = {"DIGIT": string.digits, "WORD": string.ascii_letters + string.digits + "_", "SPACE": " "}
    found: set[str] = set()
    negated = False
    for op, value in items:
        if op is _ops.NEGATE:
            negated = True
        elif op is _ops.LITERAL:
            found.add(chr(value))
        elif op is _ops.RANGE:
            found |= {chr(code) for code in range(value[0], min(value[1], 126) + 1)}
        else:
            found |= set(classes[str(value).removeprefix("CATEGORY_")])
    return sorted(set(_PRINTABLE) - found if negated else found)


def _made(tree: Any, rng: random.Random, groups: dict[int, str]) -> str:
    """A random text of a parsed pattern: every branch, member and length as likely as the next.

    What must or must not stand around a text is left to the pattern itself to find.
    """
    out = ""
    for op, value in tree:
        if op is _ops.LITERAL:
            out += chr(value)
        elif op is _ops.IN:
            out += rng.choice(_members(value))
        elif op is _ops.BRANCH:
            out += _made(rng.choice(value[1]), rng, groups)
        elif op is _ops.SUBPATTERN:
            groups[value[0]] = _made(value[3], rng, groups)
            out += groups[value[0]]
        elif op is _ops.GROUPREF:
            out += groups[value]
        elif op in (_ops.MAX_REPEAT, _ops.MIN_REPEAT):
            low, high, inner = value
            out += "".join(_made(inner, rng, groups) for _ in range(rng.randint(low, min(high, low + 8))))
        else:
            assert op in (_ops.AT, _ops.ASSERT, _ops.ASSERT_NOT), op
    return out


def _tried(rule: Rule, rng: random.Random) -> Iterator[bool]:
    assert rule.check is not None
    plain = [p.regex.replace(r"\p{L}", "a-z").replace(r"\p{N}", "0-9") for p in rule.find]
    trees = [_parser.parse(regex.sub(r"\(\?[ims]+\)", "", expression)) for expression in plain]
    while True:
        text = _made(rng.choice(trees), rng, {})
        for pattern in rule.find:
            if found := regex.search(pattern.regex, text):
                yield rule.check(found["value"] if "value" in found.groupdict() else found.group())
                break


@pytest.mark.parametrize("id", [rule.id for rule in BY_ID.values() if rule.chance is not None])
def test_chance_is_the_share_of_random_texts_that_pass(id: str) -> None:
    rule = BY_ID[id]
    assert rule.chance is not None
    tried = _tried(rule, random.Random(id))
    count = 1500
    share = sum(next(tried) for _ in range(count)) / count
    spread = 4 * (rule.chance * (1 - rule.chance) / count) ** 0.5  # of the draw
    assert abs(share - rule.chance) <= spread + 0.005 + 0.15 * rule.chance


# --- speed ------------------------------------------------------------------------------------------------------------

ADVERSARIES: list[Callable[[str], str]] = [
    lambda piece: piece * (10_000 // len(piece)),
    lambda piece: piece * (10_000 // len(piece)) + "\x00",
    lambda piece: " ".join([piece] * (10_000 // (len(piece) + 1))),
]


@settings(max_examples=25, deadline=None)
@given(
    piece=st.one_of(
        st.text(alphabet="aA0.:-_@=/+ \\'\"<>([{,;\t", min_size=1, max_size=6),
        st.sampled_from(["user ", "a.", "1.", "::", "login ", "12 Main ", "key=", "A-", "password ", "://a:", "0 "]),
    ),
    build=st.sampled_from(ADVERSARIES),
)
def test_no_expression_is_slow_on_a_long_hostile_text(piece: str, build: Callable[[str], str]) -> None:
    text = build(piece)
    for rule in RULES:
        for pattern in rule.find:
            for _ in regex.finditer(pattern.regex, text, timeout=0.5):
                pass
        if rule.fit:
            regex.fullmatch(rule.fit, text, timeout=0.5)


# --- contract of the modules ------------------------------------------------------------------------------------------


def test_rules_can_be_declared_again_and_are_the_same() -> None:
    assert list(standard.rules()) == RULES


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_answers_for_any_text(name: str) -> None:
    for text in ("", " ", "x", "0" * 40, "é\x00\ud7ff", "@", "1.2", "+", "٣٤٥"):
        assert CHECKS[name](text) in (True, False)
