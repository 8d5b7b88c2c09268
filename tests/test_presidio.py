"""Presidio's recognizers as rules: no network, nothing logged, one source of truth an entity.

That rules find what their recognizers find is shown in ``test_parity.py``.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import regex

from mapkeeper.categories import categories
from mapkeeper.rules import Rule, recognizes
from mapkeeper_classifiers import presidio
from mapkeeper_classifiers.recognizers import Recognizers
from shipped import presidio_rules, standard_rules

RULES = {rule.entity: rule for rule in presidio_rules()}
RECOGNIZERS = {recognizer.supported_entities[0]: recognizer for recognizer in presidio.recognizers()}


def spans(rule: Rule, text: str) -> set[tuple[int, int]]:
    """What our rule finds, the plain way."""
    found = set()
    for pattern in rule.find:
        for match in regex.finditer(pattern.regex, text):
            group = "value" if "value" in match.groupdict() else 0
            if match[group] and (rule.check is None or rule.check(match[group])):
                found.add(match.span(group))
    return found


def theirs(recognizer: Any, text: str) -> set[tuple[int, int]]:
    return {(result.start, result.end) for result in recognizer.analyze(text, recognizer.supported_entities)}


@pytest.mark.parametrize(
    ("entity", "text", "found"),
    [
        ("US_PRESCRIPTION_NUMBER", "Rx #: 1234567", {"1234567"}),
        ("KR_FRN", "010101-4000000", set()),
        ("DE_KFZ", "Wagen N-XY 1234.", {"N-XY 1234"}),
        ("US_HEALTH_INSURANCE_MEMBER_ID", "member XYZ123456789", {"XYZ123456789"}),
        ("DE_PLZ", "90402 Nürnberg", {"90402"}),
        ("EMAIL_ADDRESS", "Schreib an jürgen@beispiel.de oder x@nirgends.invalid", {"jürgen@beispiel.de"}),
        ("UK_NINO", "NI: JG 12 34 56 A, not GB123456A", {"JG 12 34 56 A"}),
        ("CA_SIN", "SIN 046-454-286, not 046-454-287", set()),
        ("CA_SIN", "SIN 130-692-544, not 130-692 544", {"130-692-544"}),
        ("IP_ADDRESS", "from 192.0.2.7/24 to ::1 and 2001:db8::7", {"192.0.2.7/24", "::1", "2001:db8::7"}),
        ("MAC_ADDRESS", "00:00:5e:00:53:01 ff:ff:ff:ff:ff:ff", {"00:00:5e:00:53:01"}),
    ],
)
def test_rules_with_look_around_find_what_their_recognizer_finds(entity: str, text: str, found: set[str]) -> None:
    assert {text[start:end] for start, end in spans(RULES[entity], text)} == found
    assert {text[start:end] for start, end in theirs(RECOGNIZERS[entity], text)} == found


def test_what_is_shipped_is_what_the_installed_presidio_says() -> None:
    shipped, installed = Recognizers.shipped(), Recognizers.installed()
    anew = "run: python -m mapkeeper_classifiers.recognizers classifiers/mapkeeper_classifiers/recognizers.toml"
    assert shipped.version == installed.version, anew
    assert [one for one in zip(shipped.each, installed.each, strict=True) if one[0] != one[1]] == [], anew


def test_what_is_written_is_read_as_it_was() -> None:
    shipped = Recognizers.shipped()
    assert Recognizers.read(shipped.written(date(2026, 11, 23))) == shipped


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        *(
            ("IP_ADDRESS", text)
            for text in ("192.0.2.7", "192.0.2.7/24", "192.0.2.7/33", "::1", "fe80::1%eth0", "1.2.3")
        ),
        *(("EMAIL_ADDRESS", text) for text in ("a@b.example.com", "a@localhost", "a@x.invalid", "a@b..com", "a@[::1]")),
    ],
)
def test_a_validator_that_does_without_presidio_says_what_presidio_says(entity: str, text: str) -> None:
    recognizer, check = RECOGNIZERS[entity], RULES[entity].check
    assert check is not None
    said = recognizer.validate_result(text)
    assert check(text) == (said is not False and not recognizer.invalidate_result(text))


@pytest.mark.parametrize("entity", sorted(RULES))
def test_a_rule_carries_over_what_presidio_says(entity: str) -> None:
    rule, recognizer = RULES[entity], RECOGNIZERS[entity]
    assert rule.id == f"presidio/{entity.lower()}"
    assert rule.version == version("presidio-analyzer")
    assert rule.category in categories()
    assert {word.strip().casefold() for word in recognizer.context} <= set(rule.context)
    if entity != "IBAN_CODE":
        for ours, pattern in zip(rule.find, taken(recognizer), strict=True):
            assert ours.regex.endswith(pattern.regex)
            flags = regex.compile(ours.regex).flags & (regex.I | regex.M | regex.S)
            assert recognizer.global_regex_flags & regex.I == flags & regex.I


def taken(recognizer: Any) -> list[Any]:
    """The patterns of a recognizer that its rule has."""
    without = presidio.meanings()["entity"][recognizer.supported_entities[0]].get("without", ())
    return [pattern for number, pattern in enumerate(recognizer.patterns, 1) if number not in without]


def test_patterns_that_are_left_out_are_few() -> None:
    left = {e: m["without"] for e, m in presidio.meanings()["entity"].items() if "without" in m}
    assert left == {"IN_PAN": [3]}


@pytest.mark.parametrize("entity", sorted(RULES))
def test_a_score_of_ours_leaves_strong_what_presidio_finds_everywhere(entity: str) -> None:
    rule, recognizer = RULES[entity], RECOGNIZERS[entity]
    if entity == "IBAN_CODE":
        assert not rule.weak
        return
    for ours, pattern in zip(rule.find, taken(recognizer), strict=True):
        assert 0 < ours.score <= 1
        if rule.check is None:
            assert (ours.score >= 0.3) == (pattern.score >= 0.3)
    best = max(pattern.score for pattern in rule.find)
    assert all(
        ours.score == best or ours.score <= pattern.score
        for ours, pattern in zip(rule.find, taken(recognizer), strict=True)
    )


@pytest.mark.parametrize("entity", sorted(RULES))
def test_a_check_says_its_chance(entity: str) -> None:
    rule = RULES[entity]
    assert (rule.chance is None) == (rule.check is None)
    if rule.check is not None:
        assert rule.context


def test_countries_are_those_of_the_recognizers() -> None:
    assert RULES["UK_PASSPORT"].countries == ("GB",)
    assert RULES["DE_KFZ"].countries == ("DE",)


def test_every_recognizer_that_presidio_ships_is_taken_or_left_out_with_a_reason() -> None:
    said = presidio.meanings()
    assert set(said["entity"]) | set(said["left_out"]) == set(RECOGNIZERS)
    assert set(said["entity"]) & set(said["left_out"]) == set()
    assert all(len(reason) > 10 for reason in said["left_out"].values())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("to DE89370400440532013000 2 days ago", {"DE89370400440532013000"}),
        ("GB82 WEST 1234 5698 7654 32 ABC", {"GB82 WEST 1234 5698 7654 32"}),
        ("GB82WEST12345698765433", set()),
        ("FR14 2004 1010 0505 0001 3M02 606.", {"FR14 2004 1010 0505 0001 3M02 606"}),
        ("NO9386011117947 AB1", {"NO9386011117947"}),
        ("IBAN ÜDE89370400440532013000", {"DE89370400440532013000"}),
    ],
)
def test_an_iban_ends_where_presidio_ends_it(text: str, found: set[str]) -> None:
    ours = spans(RULES["IBAN_CODE"], text)
    longest = {s for s in ours if not any(s != o and o[0] <= s[0] and s[1] <= o[1] for o in ours)}
    assert {text[start:end] for start, end in theirs(RECOGNIZERS["IBAN_CODE"], text)} == found
    assert {text[start:end] for start, end in longest} == found


def test_an_entity_of_both_has_one_category() -> None:
    for rule in standard_rules():
        if rule.entity in RULES:
            assert rule.category == RULES[rule.entity].category, rule.id


def test_what_the_standard_rules_name_the_same_as_presidio_adds_to_it() -> None:
    """Each of them finds in its own examples what Presidio's rule does not, or has a stricter check."""
    for rule in standard_rules():
        if rule.entity not in RULES:
            continue
        other = RULES[rule.entity]
        alone = [text for text in rule.match if not recognizes(other, text)]
        stricter = rule.chance is not None and (other.chance is None or rule.chance < other.chance)
        believed = max((p.score for p in rule.find), default=1.0) > max(p.score for p in other.find)
        assert alone or stricter or believed or not rule.find, rule.id


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


LATE = """
import sys
from mapkeeper import discover
def loaded(): return [name for name in ("presidio_analyzer", "spacy") if name in sys.modules]
checks = {rule.id: rule.check for rule in discover.rules()}
assert checks["presidio/email_address"]("alice@example.com") and checks["presidio/ip_address"]("192.0.2.0/24")
assert not loaded(), loaded()
assert checks["presidio/crypto"]("1BoatSLRHtKNngkdXEeobR76b53LETtpyT")
assert loaded()
"""


def test_presidio_is_imported_when_only_its_validator_can_tell() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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
