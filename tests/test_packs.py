"""The rules that come with mapkeeper prove themselves, stay fast, and state their chances truthfully."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice

import polars as pl
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn import drawn
from mapkeeper.categories import categories
from mapkeeper.classify.program import program
from mapkeeper.rules import Rule, prove, recognizes
from mapkeeper_classifiers import standard
from mapkeeper_classifiers.checks import CHECKS
from shipped import presidio_rules, standard_rules

RULES = standard_rules()
BY_ID = {rule.id: rule for rule in (*RULES, *presidio_rules())}
PACKS = sorted({rule.id.rpartition("/")[0] for rule in RULES})

each_pack = pytest.mark.parametrize("rules", [[r for r in RULES if r.id.startswith(f"{p}/")] for p in PACKS], ids=PACKS)


@cache
def compiled(expression: str) -> regex.Pattern[str]:
    """The library itself remembers fewer than there are."""
    return regex.compile(expression)


def regexes(rule: Rule) -> list[str]:
    return [*(pattern.regex for pattern in rule.find), *filter(None, [rule.fit])]


@each_pack
def test_a_rule_passes_its_own_examples(rules: list[Rule]) -> None:
    assert {rule.id: wrong for rule in rules if (wrong := prove(rule))} == {}
    assert [rule.id for rule in rules if len(rule.match) < 2 or len(rule.miss) < 2] == []


@each_pack
def test_a_rule_is_written_for_the_machine(rules: list[Rule]) -> None:
    assert [each for rule in rules for each in regexes(rule) if program(each, whole=each == rule.fit) is None] == []


@each_pack
def test_an_example_of_one_category_is_no_strong_match_of_another(rules: list[Rule]) -> None:
    """A line may hold an address; but what a rule takes for its value, another must not claim from end to end."""
    strong = [rule for rule in RULES if max((p.score for p in rule.find), default=0.0) >= 0.85]
    strays = [
        (rule.id, other.id, text)
        for rule in rules
        for text in rule.match
        for other in strong
        if other.category != rule.category and claimed(rule, text) & set(found(other, text))
    ]

    assert strays == []


def found(rule: Rule, text: str) -> Iterator[str]:
    """The values that a rule's patterns find by themselves."""
    for pattern in rule.find:
        expression = compiled(pattern.regex)
        group = expression.groupindex.get("value", 0)
        for match in expression.finditer(text):
            if match[group] and (rule.check is None or rule.check(match[group])):
                yield match[group]


def claimed(rule: Rule, text: str) -> set[str]:
    """What a rule takes for its value in one of its examples: what it finds, else all of it."""
    return set(found(rule, text)) or {text}


@each_pack
def test_names_are_words_in_lower_case_without_accents(rules: list[Rule]) -> None:
    for rule in rules:
        for name in rule.names:
            plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
            assert name == " ".join(plain.lower().split()), (rule.id, name)
            assert regex.fullmatch(r"[a-z0-9]+(?: [a-z0-9]+)*", name), (rule.id, name)
        assert len(set(rule.names)) == len(rule.names), rule.id


@each_pack
def test_a_rule_without_a_pattern_has_a_name_to_go_by(rules: list[Rule]) -> None:
    assert [rule.id for rule in rules if not (rule.find or rule.names)] == []


def test_what_is_replaced_in_names_has_a_pattern_that_can_be_believed() -> None:
    hidden = [rule for rule in RULES if rule.identifying]

    assert [rule.id for rule in hidden if max(pattern.score for pattern in rule.find) < 0.4] == []


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(RULES) + len(presidio_rules())


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

DRAWS = 1500


def values(rule: Rule, dice: random.Random) -> Iterator[str]:
    """What a rule's patterns find in random texts of theirs."""
    while True:
        text = drawn(dice.choice(rule.find).regex, dice)
        matches = (match for pattern in rule.find if (match := compiled(pattern.regex).search(text)))
        if match := next(matches, None):
            yield match[match.re.groupindex.get("value", 0)]


def passing(rule: Rule, some: list[str]) -> int:
    """How many values a rule's check lets pass."""
    assert rule.check is not None
    many = getattr(rule.check, "many", None)
    return int(many(pl.Series(some)).sum()) if many else sum(map(rule.check, some))


@pytest.mark.parametrize("id", [rule.id for rule in BY_ID.values() if rule.chance is not None])
def test_chance_is_the_share_of_random_texts_that_pass(id: str) -> None:
    rule = BY_ID[id]
    assert rule.chance is not None
    share = passing(rule, list(islice(values(rule, random.Random(id)), DRAWS))) / DRAWS
    spread = 4 * (rule.chance * (1 - rule.chance) / DRAWS) ** 0.5  # of the draw
    assert abs(share - rule.chance) <= spread + 0.005 + 0.15 * rule.chance


# --- speed ------------------------------------------------------------------------------------------------------------

ADVERSARIES: list[Callable[[str], str]] = [
    lambda piece: piece * (10_000 // len(piece)),
    lambda piece: piece * (10_000 // len(piece)) + "\x00",
    lambda piece: " ".join([piece] * (10_000 // (len(piece) + 1))),
]


@settings(max_examples=25)
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
            for _ in compiled(pattern.regex).finditer(text, timeout=0.5):
                pass
        if rule.fit:
            compiled(rule.fit).fullmatch(text, timeout=0.5)


# --- contract of the modules ------------------------------------------------------------------------------------------


def test_rules_can_be_declared_again_and_are_the_same() -> None:
    assert tuple(standard.rules()) == RULES


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_answers_for_any_text(name: str) -> None:
    for text in ("", " ", "x", "0" * 40, "é\x00\ud7ff", "@", "1.2", "+", "٣٤٥"):
        assert CHECKS[name](text) in (True, False)
