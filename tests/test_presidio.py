"""Presidio's recognizers as rules: the same finds, no network, nothing logged, one source of truth an entity."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from mapkeeper.categories import categories
from mapkeeper.rules import Rule
from mapkeeper_classifiers import presidio, standard

RULES = {rule.entity: rule for rule in presidio.rules()}
RECOGNIZERS = {recognizer.supported_entities[0]: recognizer for recognizer in presidio.recognizers()}


def compiles(expression: str) -> bool:
    """Whether hypothesis can draw texts of it."""
    try:
        re.compile(expression)
    except re.error:
        return False
    return "(?<" not in expression and "(?=" not in expression and "(?!" not in expression


DRAWN = sorted(e for e in RULES if all(compiles(p.regex) for p in RECOGNIZERS[e].patterns))


def spans(rule: Rule, text: str) -> set[tuple[int, int]]:
    """What our rule finds, the plain way."""
    return {
        match.span()
        for pattern in rule.find
        for match in regex.finditer(pattern.regex, text)
        if match.group() and (rule.check is None or rule.check(match.group()))
    }


def theirs(recognizer: Any, text: str) -> set[tuple[int, int]]:
    return {(result.start, result.end) for result in recognizer.analyze(text, recognizer.supported_entities)}


@st.composite
def texts(draw: st.DrawFn, recognizer: Any) -> str:
    """Texts with matches of a recognizer's own patterns, spoilt ones, and words between."""
    patterns = [pattern.regex for pattern in recognizer.patterns]
    match = st.sampled_from(patterns).flatmap(
        lambda p: st.from_regex(p, fullmatch=True, alphabet=st.characters(codec="ascii"))
    )
    noise = st.text(alphabet="aZ09 -./:\n", max_size=6)
    pieces = draw(st.lists(st.one_of(match, match.map(str.lower), noise), min_size=1, max_size=4))
    return draw(st.sampled_from([" ", "", ", ", "\n"])).join(pieces)


def test_enough_recognizers_can_be_compared() -> None:
    assert len(DRAWN) >= 30


@pytest.mark.parametrize("entity", DRAWN)
def test_a_rule_finds_what_its_recognizer_finds(entity: str) -> None:
    rule, recognizer = RULES[entity], RECOGNIZERS[entity]

    @settings(max_examples=20, deadline=None)
    @given(texts(recognizer))
    def agrees(text: str) -> None:
        ours, wanted = spans(rule, text), theirs(recognizer, text)
        assert wanted <= ours
        # Presidio drops what lies inside a longer find of its own.
        assert all(any(a <= start and end <= b for a, b in wanted) for start, end in ours)

    agrees()


@pytest.mark.parametrize(
    ("entity", "text", "found"),
    [
        ("US_PRESCRIPTION_NUMBER", "Rx #: 1234567", {"1234567"}),
        ("KR_FRN", "010101-4000000", set()),
        ("DE_KFZ", "Wagen N-XY 1234.", {"N-XY 1234"}),
        ("US_HEALTH_INSURANCE_MEMBER_ID", "member XYZ123456789", {"XYZ123456789"}),
        ("DE_PLZ", "90402 Nürnberg", {"90402"}),
    ],
)
def test_rules_with_look_around_find_what_their_recognizer_finds(entity: str, text: str, found: set[str]) -> None:
    assert {text[start:end] for start, end in spans(RULES[entity], text)} == found
    assert {text[start:end] for start, end in theirs(RECOGNIZERS[entity], text)} == found


@pytest.mark.parametrize("entity", sorted(RULES))
def test_a_rule_carries_over_what_presidio_says(entity: str) -> None:
    rule, recognizer = RULES[entity], RECOGNIZERS[entity]
    assert rule.id == f"presidio/{entity.lower()}"
    assert rule.version == version("presidio-analyzer")
    assert rule.category in categories()
    assert len(rule.find) == len(recognizer.patterns)
    for ours, pattern in zip(rule.find, recognizer.patterns, strict=True):
        assert ours.regex.endswith(pattern.regex)
        assert 0 < ours.score <= pattern.score
        flags = regex.compile(ours.regex).flags & (regex.I | regex.M | regex.S)
        assert recognizer.global_regex_flags & regex.I == flags & regex.I
    assert {word.casefold() for word in rule.context} == {word.strip().casefold() for word in recognizer.context}


def test_countries_are_those_of_the_recognizers() -> None:
    assert RULES["UK_PASSPORT"].countries == ("GB",)
    assert RULES["DE_KFZ"].countries == ("DE",)


def test_every_recognizer_that_presidio_ships_is_taken_or_left_out_with_a_reason() -> None:
    said = presidio.meanings()
    assert set(said["entity"]) | set(said["left_out"]) == set(RECOGNIZERS)
    assert set(said["entity"]) & set(said["left_out"]) == set()
    assert all(len(reason) > 10 for reason in said["left_out"].values())


def test_rules_that_win_over_presidio_exist() -> None:
    ids = {rule.id for rule in standard.rules()}
    for reason in presidio.meanings()["left_out"].values():
        for named in re.findall(r"standard/[a-z]+/[a-z0-9-]+", reason):
            assert named in ids


def test_no_entity_is_recognized_by_two_classifiers() -> None:
    assert {rule.entity for rule in standard.rules()} & set(RULES) == set()


def test_rules_are_the_same_when_they_are_declared_again() -> None:
    assert {rule.entity: rule for rule in presidio.rules()} == RULES


def test_nothing_is_logged_whatever_a_check_is_given(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rules = list(presidio.rules())
    for rule in rules:
        for text in ("DE00 é", "12345678901", "A1234567", "x" * 40, "00.00.00"):
            if rule.check is not None:
                assert rule.check(text) in (True, False)
    RECOGNIZERS["IBAN_CODE"].validate_result("GB\xb2\xb9 not a number")
    assert [record for record in caplog.records if "presidio" in record.name] == []


OFFLINE = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("the network was asked")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
import mapkeeper_classifiers.presidio as presidio, mapkeeper_classifiers.standard as standard
early = [m for m in ("presidio_analyzer", "tldextract", "phonenumbers", "stdnum", "polars") if m in sys.modules]
assert not early, early
rules = [*standard.rules(), *presidio.rules()]
for rule in rules:
    if rule.check is not None:
        rule.check("alice@example.com")
        rule.check("0123456789")
assert [r for r in rules if r.id == "standard/contact/email"][0].check("alice@example.co.uk")
print(len(rules))
"""


def test_rules_and_checks_ask_no_network_and_write_no_files(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 150
    assert list(home.rglob("*")) == []
