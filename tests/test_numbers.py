"""Checks of numbers: published examples, and twins for whole columns that say what the library says."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from mapkeeper_classifiers.checks import CHECKS
from mapkeeper_classifiers.checks.formulas import FORMULAS
from mapkeeper_classifiers.checks.vector import FEW, ROWS, Quick, Shared
from shipped import presidio_rules, standard_rules

RULES = {rule.id.replace("/", "."): rule for rule in presidio_rules()}


def twin(name: str) -> Quick:
    check = RULES[name].check if name in RULES else CHECKS[name]
    assert isinstance(check, Quick), name
    return check


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OF = {"9": "0123456789", "A": LETTERS, "X": "0123456789" + LETTERS}


def of_shape(shape: str, rng: random.Random) -> str:
    return "".join(rng.choice(OF[char]) if char in OF else char for char in shape)


def spoilt(text: str, rng: random.Random) -> str:
    """A text that is nearly of the shape, or only looks so."""
    at = rng.randrange(len(text) + 1)
    return rng.choice(
        [
            text[:at] + rng.choice(" -./:,\n\t\u00a0\u2013_") + text[at:],
            text[:at] + text[at + 1 :],
            text + rng.choice("0X a"),
            " " + text,
            text.lower(),
            text.translate({ord("0") + digit: 0x0660 + digit for digit in range(10)}),
            text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
            text[:at] + "é" + text[at + 2 :],
            text[:at] + "²" + text[at + 1 :],
            text[:1] * len(text),
            "",
        ]
    )


def likely(name: str, rng: random.Random, count: int) -> Iterator[str]:
    """Texts of the shapes, with dates where a number may hold one, so that enough of them pass."""
    shapes = [formula.shape for formula in FORMULAS[name]]
    for _ in range(count):
        text = of_shape(rng.choice(shapes), rng)
        if rng.random() < 0.5 and (at := rng.randrange(3)) + 4 < len(text):
            day = f"{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
            if text[at : at + 4].isdigit():
                text = text[:at] + day + text[at + 4 :]
        if rng.random() < 0.2:
            text = f"{rng.choice(['756', '000', '19', '84', '666'])}{text}"[: len(text)]
        yield text


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_a_twin_says_what_the_library_says(name: str) -> None:
    rng = random.Random(name)
    check = twin(name)
    texts = list(likely(name, rng, 800))
    texts += [spoilt(text, rng) for text in texts[:200]]
    one_by_one = [check(text) for text in texts]
    assert check.many(texts).tolist() == one_by_one
    assert not all(one_by_one)


def examples(name: str) -> Iterator[str]:
    """What a pack's rule finds in its own examples, and numbers that are published."""
    for rule in standard_rules():
        if rule.check_name == name:
            for text in rule.match:
                yield from (found.group() for p in rule.find for found in regex.finditer(p.regex, text))
    yield from PUBLISHED.get(name, [])


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_a_twin_lets_through_what_the_library_lets_through(name: str) -> None:
    rng = random.Random(name)
    check = twin(name)
    texts = itertools.chain(examples(name), likely(name, rng, 10_000))
    passing = list(itertools.islice((text for text in texts if check(text)), 3))
    assert passing, "no text of the shapes passes"
    assert check.many(passing).all()
    assert check.many(pl.Series(passing * FEW)).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=20), st.text("0123456789 -./", max_size=20)), max_size=30))
def test_a_twin_answers_for_any_text(texts: list[str]) -> None:
    for name in ("nl.bsn", "fr.nir", "iban", "bg.egn", "presidio.us_ssn", "presidio.es_nie", "card", "ee.ik"):
        check = twin(name)
        assert check.many(texts * FEW).tolist() == [check(text) for text in texts] * FEW


def test_a_column_longer_than_a_block_is_answered_in_order() -> None:
    check = twin("gb.nhs")
    texts = ["9434765919", "9434765918"] * (ROWS // 2 + 100)
    assert check.many(texts).tolist() == [True, False] * (ROWS // 2 + 100)
    assert check.many([]).tolist() == []
    assert check.many(["9434765919"]).dtype == np.bool_


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.from_regex(r"[a-z0-9.+_/?#:!-]{1,8}@[a-z0-9.-]{1,8}\.(com|co\.uk|invalid|de|x)", fullmatch=True),
            st.text("a@./:é \n", max_size=12),
        ),
        max_size=20,
    )
)
def test_addresses_of_one_domain_are_asked_once_and_all_are_answered(texts: list[str]) -> None:
    check = RULES["presidio.email_address"].check
    assert isinstance(check, Shared)
    assert check.many(texts).tolist() == [check(text) for text in texts]
    asked: list[str] = []

    def noted(text: str) -> bool:
        asked.append(text)
        return True

    counting = Shared(noted, check.part)
    assert counting.many(["a@example.com", "b@example.com", "c@example.org"]).all()
    assert asked == ["a@example.com", "c@example.org"]


def test_a_check_shows_no_value() -> None:
    assert "9434765919" not in repr(twin("gb.nhs"))


COUNTRIES = (
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IS IE IT LV LI LT LU MT NL NO PL PT RO SK SI ES SE",  # the EEA
    "GB CH CA US BR AU IN JP TR IL ZA MX AR CL KR CN SG",
)
STATES = ("europe", "americas", "asia-pacific", "africa")


def test_every_state_of_the_eea_and_the_large_ones_beyond_have_a_number_of_their_people() -> None:
    given = {
        country
        for rule in (*standard_rules(), *RULES.values())
        if rule.category in ("identity.national_id", "identity.tax_id", "health.insurance_id")
        for country in rule.countries
    }
    assert {country for line in COUNTRIES for country in line.split()} <= given


def test_a_number_that_needs_words_beside_it_has_them() -> None:
    for rule in standard_rules():
        if rule.id.split("/")[1] not in STATES:
            continue
        assert rule.countries, rule.id
        assert rule.names, rule.id
        if rule.find and max(pattern.score for pattern in rule.find) < 0.3:
            assert len(rule.context) >= 2, rule.id


# Test numbers that their issuers, or the pages that explain the numbers, publish.
PUBLISHED = {
    "ca_ohip": ["9876543217", "9876 543 217", "9876-543-217-AB"],
    "hu_taj": ["111111110"],
    "hk_id": ["A123456(3)"],
    "tw_id": ["A123456789", "A800000014"],
    "ca_ramq": ["TREM 8505 1517", "TREM85551517"],
    "presidio.uk_nhs": ["943 476 5919"],
    "presidio.credit_card": ["4111 1111 1111 1111", "378282246310005"],
    "presidio.ca_sin": ["046 454 286"],
    "presidio.iban_code": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"],
}
"""By the name of a check."""


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_numbers_pass_and_their_neighbours_do_not(name: str) -> None:
    check = RULES[name].check if name in RULES else CHECKS[name]
    assert check is not None
    for number in PUBLISHED[name]:
        assert check(number), number
    if name != "ca_ramq":
        number = PUBLISHED[name][0]
        last = max(at for at, char in enumerate(number) if char.isdigit())
        wrong = number[:last] + str((int(number[last]) + 1) % 10) + number[last + 1 :]
        assert not check(wrong), wrong


@pytest.mark.parametrize(
    "number", ["TREM 8513 1517", "TREM 8502 3017", "TREM 8565 1517", "TRE 8505 1517", "TREM 8505 00"]
)
def test_a_health_number_of_quebec_holds_a_day_of_birth(number: str) -> None:
    assert not CHECKS["ca_ramq"](number)
