"""Packs are read strictly: what is wrong in one is said in words that name the rule and the key."""

from __future__ import annotations

import pytest

from mapkeeper.errors import RuleError
from mapkeeper.rules import Rule, load, load_package, prove, recognizes

KNOWN = frozenset({"contact.email", "identity.name"})
CHECKS = {"even": lambda value: len(value) % 2 == 0}

GOOD = """
[[rule]]
id = "badge"
title = "Badge"
category = "identity.name"
entity = "BADGE"
find = 'B-\\d{4}'
score = 0.7
names = ["badge"]
match = ["B-1234", "her B-9999 card"]
miss = ["B-12", "C-1234"]
"""


def one(text: str) -> Rule:
    (rule,) = load(text, "acme/staff", CHECKS, KNOWN)
    return rule


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_pack_becomes_rules_whose_id_begins_with_the_pack() -> None:
    rule = one(GOOD)
    assert rule.id == "acme/staff/badge"
    assert rule.ref == "acme/staff/badge@1"
    assert [(p.regex, p.score) for p in rule.find] == [(r"B-\d{4}", 0.7)]
    assert rule.types == {"text"}


def test_an_empty_pack_has_no_rules() -> None:
    assert list(load("", "acme/staff", CHECKS, KNOWN)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule]\n", ["acme/staff", "not valid TOML"]),
        (changed("score = 0.7", "scroe = 0.7"), ["acme/staff/badge", "unknown key 'scroe'", "score"]),
        (changed('match = ["B-1234", "her B-9999 card"]', ""), ["acme/staff/badge", "match is missing"]),
        (changed('miss = ["B-12", "C-1234"]', "miss = []"), ["acme/staff/badge", "miss is missing or empty"]),
        (changed('id = "badge"', ""), ["acme/staff/rule 1", "id is missing"]),
        (changed('title = "Badge"', ""), ["acme/staff/badge", "title is missing"]),
        (changed("B-\\d{4}", "B-(\\d{4}"), ["acme/staff/badge", "not a regular expression"]),
        (changed("score = 0.7", "fit = '[a-'"), ["acme/staff/badge", "not a regular expression"]),
        (changed("score = 0.7", 'check = "odd"'), ["acme/staff/badge", "check 'odd'", "even"]),
        (changed('"identity.name"', '"identity.nmae"'), ["acme/staff/badge", "'identity.nmae' is no category"]),
        (changed("score = 0.7", 'types = ["string"]'), ["acme/staff/badge", "types string", "text"]),
        (changed("find = 'B-\\d{4}'", ""), ["acme/staff/badge", "needs find, fit or values"]),
    ],
)
def test_a_broken_pack_is_refused_with_its_place_and_what_is_wrong(text: str, words: list[str]) -> None:
    with pytest.raises(RuleError) as caught:
        list(load(text, "acme/staff", CHECKS, KNOWN))
    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_a_group_named_value_is_what_the_check_sees() -> None:
    rule = one(changed("find = 'B-\\d{4}'", "find = 'badge (?P<value>\\w+)'\ncheck = \"even\""))
    assert recognizes(rule, "badge ab")
    assert not recognizes(rule, "badge abc")


def test_fit_speaks_of_the_whole_value_and_is_checked_too() -> None:
    rule = one(changed("find = 'B-\\d{4}'", "fit = 'B-?\\d+'\ncheck = \"even\""))
    assert recognizes(rule, "B-1234")
    assert not recognizes(rule, "B-123")
    assert not recognizes(rule, "the B-1234")


def test_values_are_compared_without_case_and_surrounding_space() -> None:
    rule = one(changed("find = 'B-\\d{4}'", 'values = ["Yes", "Straße"]'))
    assert recognizes(rule, " yes ")
    assert recognizes(rule, "STRASSE")
    assert not recognizes(rule, "yes please")


def test_a_rule_that_fails_its_examples_says_which_without_quoting_them() -> None:
    rule = one(changed('match = ["B-1234", "her B-9999 card"]', 'match = ["B-1234", "nothing"]'))
    assert prove(rule) == ["match 2 is not recognized"]
    rule = one(changed('miss = ["B-12", "C-1234"]', 'miss = ["B-4321"]'))
    assert prove(rule) == ["miss 1 is recognized"]


def test_a_rule_with_low_scores_and_no_check_is_weak() -> None:
    assert one(changed("score = 0.7", "score = 0.2")).weak
    assert not one(GOOD).weak
    assert not one(changed("score = 0.7", 'score = 0.2\ncheck = "even"')).weak


def test_the_check_of_a_rule_stays_out_of_its_repr() -> None:
    assert "lambda" not in repr(one(changed("score = 0.7", 'check = "even"')))


def test_a_package_is_read_pack_by_pack_in_order_of_name() -> None:
    from mapkeeper.categories import categories
    from mapkeeper_classifiers.checks import CHECKS as standard

    rules = list(load_package("mapkeeper_classifiers.packs", "standard", standard, frozenset(categories())))
    packs = [rule.id.split("/")[1] for rule in rules]
    assert packs == sorted(packs)
    assert {"contact", "credential", "identity"} <= set(packs)
