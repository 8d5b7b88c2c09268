"""People are found by their names under whatever column name, and what only looks like a name is none."""

from __future__ import annotations

import itertools
import random
import string
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper.model import LIKELY_FROM, Finding
from mapkeeper.plugin import Batch
from mapkeeper_classifiers import people
from mapkeeper_classifiers.checks.people import CHECKS, Named
from mapkeeper_classifiers.people.lists import folded
from shipped import engine, standard_rules

RULES = {rule.id: rule for rule in standard_rules()}
KNOWN = tomllib.loads((Path(__file__).parent / "people.toml").read_text("utf-8"))
LANGUAGES = sorted(KNOWN["people"])
THINGS: Mapping[str, Sequence[str]] = KNOWN["things"]
AFTER_PEOPLE: Mapping[str, Sequence[str]] = KNOWN["after_people"]


def check(kind: str) -> Named:
    found = CHECKS[f"person_{kind}"]
    assert isinstance(found, Named)
    return found


def parts(language: str) -> tuple[list[str], list[str]]:
    told = KNOWN["people"][language]
    return told["first"].split(), [name.replace("_", " ") for name in told["last"].split()]


def drawn(language: str, spelled: Callable[[str, str], str], count: int = 60) -> list[str]:
    rng = random.Random(language)
    firsts, lasts = parts(language)
    return [spelled(rng.choice(firsts), rng.choice(lasts)) for _ in range(count)]


def people_in(columns: Mapping[str, Sequence[str]], asset: str = "t") -> list[Finding]:
    """What is said to be names, at likely or above."""
    run = engine().start(asset)
    run.add(Batch(pa.RecordBatch.from_pydict({name: list(cells) for name, cells in columns.items()}), first=1))
    found = run.finish().findings
    return [one for one in found if one.category == "identity.name" and one.confidence >= LIKELY_FROM]


SPELLINGS: Mapping[str, Callable[[str, str], str]] = {
    "first last": lambda first, last: f"{first} {last}",
    "LAST, First": lambda first, last: f"{last.upper()}, {first}",
    "last first": lambda first, last: f"{last} {first}",
    "lower case": lambda first, last: f"{first} {last}".lower(),
    "CAPITALS": lambda first, last: f"{first} {last}".upper(),
    "with an initial": lambda first, last: f"{first} B. {last}",
    "with a form of address": lambda first, last: f"Dr. {first} {last}",
    "F. Last": lambda first, last: f"{first[0]}. {last}",
    "first": lambda first, last: first,
    "last": lambda first, last: last,
}


# --- columns of people ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nine_in_ten_columns_of_people_are_found_without_their_name(spelling: str) -> None:
    names = itertools.cycle(("col3", "value", "field_7", "f0", "data"))
    found = [bool(people_in({next(names): drawn(language, SPELLINGS[spelling])})) for language in LANGUAGES]
    assert len(LANGUAGES) >= 7
    assert sum(found) >= 0.9 * len(found)


@pytest.mark.parametrize("name", ["contact", "owner", "assigned", "value"])
def test_people_under_a_name_that_says_little_are_found(name: str) -> None:
    for language in LANGUAGES[::3]:
        assert people_in({"id": [str(n) for n in range(60)], name: drawn(language, SPELLINGS["first last"])}), language


def test_a_dozen_people_are_enough() -> None:
    found = [bool(people_in({"col3": drawn(language, SPELLINGS["first last"], 12)})) for language in LANGUAGES]
    assert sum(found) >= 0.9 * len(found)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("spelling", ["first last", "LAST, First", "lower case", "CAPITALS"])
def test_most_names_are_recognized_one_by_one(language: str, spelling: str) -> None:
    assert check("full").many(drawn(language, SPELLINGS[spelling])).mean() >= 0.8


# --- columns of things ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*THINGS, *AFTER_PEOPLE])
def test_a_column_of_things_is_none_of_people(kind: str) -> None:
    cells = (KNOWN["things"] | KNOWN["after_people"])[kind]
    assert people_in({"col3": cells * 20}) == []
    assert people_in({"name": cells}) == []


def test_there_are_things_of_many_kinds() -> None:
    assert len(THINGS) + len(AFTER_PEOPLE) >= 25


@pytest.mark.parametrize("language", ["english", "french", "german", "spanish"])
def test_a_few_people_in_a_column_of_other_things_say_nothing(language: str) -> None:
    goods = [*THINGS["products"], *THINGS["product_lines"], *THINGS["headings"]]
    assert people_in({"col3": [*goods, *drawn(language, SPELLINGS["first last"], len(goods) // 5)]}) == []


def test_sentences_that_begin_with_a_name_are_none() -> None:
    said = [f"{first} {rest}" for first in parts("english")[0] for rest in ("called again", "wants a refund")]
    assert people_in({"col3": said}) == []


# --- the checks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "John Smith", "Smith, John", "SMITH John", "john smith", "J. Smith", "Smith, J.", "John F. Smith",
        "Dr. Anna Müller", "Mme Claire Dubois", "Herr Jürgen Weber", "Robert Brown Jr.", "Robert Brown III",
        "Anna van den Berg", "van den Berg, Anna", "Ludwig von Hartmann", "Marco Di Stefano", "Jean de la Fontaine",
        "Maria da Silva", "Omar bin Khalid", "María del Carmen García López", "Jean-Luc Moreau", "Sinéad O'Connor",
        "Anna Smith-Jones", "Smith, Anna, MD", "José Luis Rodríguez", "Nguyễn Văn An", "Wei Zhang", "Hiroshi Tanaka",
        "Kim Min-jun", "Иванов Иван Иванович", "Анна Петрова", "Μαρία Παπαδοπούλου", "محمد العلي", "王伟", "山田太郎",
        "山田 花子", "김민수", "Björn Þórsson", "Łukasz Wiśniewski",
    ],
)  # fmt: skip
def test_a_full_name_is_recognized(value: str) -> None:
    assert check("full")(value)


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "-", ",", "John", "Smith", "San Diego", "New York", "Main Street", "Sales Manager", "Red Rose",
        "Victoria Station", "April May", "John & Sons", "Anna7 Smith9", "John Smith Ltd", "Paris, France", "Mr. T",
        "de la", "John called Anna back today", "anna@example.com", "北京", "東京", "Иван пришёл домой", "John " * 40,
    ],
)  # fmt: skip
def test_what_is_no_full_name_is_refused(value: str) -> None:
    assert not check("full")(value)


def test_accents_and_apostrophes_do_not_matter() -> None:
    pairs = [("Jörg Müller", "Jorg Muller"), ("Zoë O'Neill", "Zoe ONeill"), ("Renée D\u2019Angelo", "Renee D'Angelo")]
    for accented, plain in pairs:
        assert check("full")(accented)
        assert check("full")(plain)


def test_words_that_are_also_names_count_less() -> None:
    letters = people.Lists.shipped().letter
    for word in ("Rose", "Paris", "Florence", "April", "Will", "Price", "Brown", "Mark", "Jordan", "Ford"):
        assert letters(word) not in "GHI", word
        assert not check("first")(word)
    assert check("full")("John Brown")
    assert check("full")("Rose Miller")
    assert not check("full")("Brown Rose")


@pytest.mark.parametrize(("kind", "one_word"), [("full", False), ("first", True), ("last", True)])
def test_the_chance_of_a_rule_is_the_share_of_things_that_pass(kind: str, one_word: bool) -> None:
    chance = RULES[f"standard/person/{kind}"].chance
    assert chance is not None
    things = [thing for things in THINGS.values() for thing in things if (" " not in thing) is one_word]
    bearing = [thing for things in AFTER_PEOPLE.values() for thing in things if (" " not in thing) is one_word]
    assert len(things) >= 300
    assert check(kind).many(things).mean() == pytest.approx(chance, abs=0.015)
    assert check(kind).many(bearing).mean() <= 0.2


# --- many at once -----------------------------------------------------------------------------------------------------


def texts() -> Iterator[str]:
    yield from (text for rule in RULES.values() for text in (*rule.match, *rule.miss))
    yield from (thing for things in (*THINGS.values(), *AFTER_PEOPLE.values()) for thing in things)


@pytest.mark.parametrize("kind", ["full", "first", "last"])
def test_many_at_once_are_judged_as_one_by_one(kind: str) -> None:
    values = list(texts())
    assert check(kind).many(values).tolist() == [check(kind)(value) for value in values]
    assert check(kind).many([]).tolist() == []


@given(st.text(max_size=90), st.text(alphabet="Ann Smith,.-'\u2019ИвЯ王太郎김\u0301İßŁ0", max_size=60))
def test_any_text_has_an_answer(wild: str, near: str) -> None:
    for value in (wild, near):
        for kind in ("full", "first", "last"):
            assert check(kind)(value) is bool(check(kind).many([value])[0])


def test_many_cost_no_more_than_a_few_microseconds_each() -> None:
    rng = random.Random(7)
    values = drawn("english", SPELLINGS["first last"], 20_000)
    values += ["".join(rng.choices(string.ascii_lowercase, k=7)).title() for _ in range(20_000)]
    check("full").many(values[:10])
    begun = time.process_time()
    check("full").many(values)
    assert (time.process_time() - begun) / len(values) < 20e-6  # measured: 2, of which half for words never seen before


# --- the lists --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["names.txt", "words.txt"])
def test_a_list_says_where_it_is_from_and_under_which_licence(file: str) -> None:
    text = (Path(people.__file__).parent / file).read_text("utf-8")
    head = text.split("\n= ")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    for said in (
        "fetched 2026-11-23",
        "Faker 40.54.0",
        "Mimesis 22.2.0",
        "MIT licence",
        "Permission is hereby granted",
    ):
        assert said in head
    for section in text.split("\n= ")[1:]:
        words = section.splitlines()[1:]
        assert words == sorted(set(words))
        assert all(folded(word) == word for word in words)


def test_the_lists_are_small() -> None:
    folder = Path(people.__file__).parent
    assert sum(path.stat().st_size for path in folder.glob("*.txt")) < 1_700_000
