"""Special categories are found by a field's name and by its values, in seven languages, and not in ordinary tables."""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pytest

from mapkeeper.categories import categories
from mapkeeper.model import LIKELY_FROM
from mapkeeper.plugin import Batch
from shipped import engine

LANGUAGES = ("English", "French", "German", "Spanish", "Portuguese", "Dutch", "Italian")
TOLD = {
    "condition": "health.record",
    "disability": "health.disability",
    "prescription": "health.prescription",
    "genetic": "health.genetic",
    "biometric": "biometric.template",
    "ethnicity": "special.ethnicity",
    "religion": "special.religion",
    "politics": "special.politics",
    "union": "special.union",
    "sexuality": "special.sexuality",
    "criminal": "criminal.record",
}
"""By the rule that holds its words, each special category that has some."""

DECOYS: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "decoys.toml").read_text(encoding="utf-8")
)
SPELLINGS: Sequence[Callable[[str], str]] = (str.lower, str.upper, str.capitalize, str.title)
every_category = pytest.mark.parametrize("rule", TOLD)
every_language = pytest.mark.parametrize("language", LANGUAGES)


@cache
def words(rule: str, key: str) -> Mapping[str, Sequence[str]]:
    """The names or values of a rule by language; the packs say in comments where each language begins."""
    for entry in files("mapkeeper_classifiers.packs").iterdir():
        for text in (
            entry.read_text(encoding="utf-8").split("[[rule]]")[1:] if entry.name.startswith("special-") else ()
        ):
            (told,) = tomllib.loads("[[rule]]" + text)["rule"]
            if told["id"] == rule:
                body = text.split(f"\n{key} = [\n")[1].split("\n]")[0]
                sections = re.split(r"(?m)^ *# (\w+)$", body)[1:]
                return {
                    language: tomllib.loads(f"words = [{section}]")["words"]
                    for language, section in zip(sections[::2], sections[1::2], strict=True)
                }
    raise LookupError(rule)


def plain(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def special(asset: str, columns: Mapping[str, Sequence[str | None]]) -> set[tuple[str, str]]:
    """The fields that are likely to hold a special category, with it."""
    run = engine().start(asset)
    run.add(Batch(pa.RecordBatch.from_pydict(dict(columns)), first=1))
    kinds = categories()
    return {
        (finding.field, finding.category)
        for finding in run.finish().findings
        if finding.confidence >= LIKELY_FROM and kinds[finding.category].special
    }


def column(dice: random.Random, some: Sequence[str], rows: int = 60) -> list[str | None]:
    """Cells with a few of the words, some of them often, spelled as a store spells them; a few are empty."""
    few = dice.sample(some, min(len(some), dice.randint(3, 14)))
    spelled = dice.choice(SPELLINGS)
    weights = [1 / rank for rank in range(1, len(few) + 1)]
    cells = [*few[:2], *dice.choices(few, weights, k=rows)]
    return [*map(spelled, cells), None, ""]


def styles(name: str) -> Iterator[str]:
    """A name as schemas write it."""
    parts = name.split()
    yield "_".join(parts)
    yield "_".join(parts).upper()
    yield parts[0] + "".join(part.capitalize() for part in parts[1:])
    yield "".join(part.capitalize() for part in parts)
    yield " ".join(parts).capitalize()


@every_language
@every_category
def test_a_category_has_forty_values_and_fifteen_names_in_each_language(rule: str, language: str) -> None:
    values = {plain(value).casefold() for value in words(rule, "values")[language]}

    assert len(values) >= 40
    assert len(words(rule, "names")[language]) >= 15


@every_language
@every_category
def test_values_alone_tell_of_a_category(rule: str, language: str) -> None:
    dice = random.Random(f"{rule} {language}")
    columns = {f"c{number}": column(dice, words(rule, "values")[language]) for number in range(4)}
    found = special("t7", columns)

    assert len({field for field, category in found if category == TOLD[rule]}) >= 0.95 * len(columns)


@every_language
@every_category
def test_a_name_tells_of_a_category_however_it_is_written(rule: str, language: str) -> None:
    dice = random.Random(f"{rule} {language}")
    names = dice.sample(words(rule, "names")[language], 6)
    # Values that no list knows: what stands under such a name is believed.
    columns = {dice.choice(list(styles(name))): [f"Wort {letter}" for letter in "abcdefgh"] for name in names}
    found = special("t7", columns)

    assert len({field for field, category in found if category == TOLD[rule]}) >= 0.95 * len(columns)


@every_language
def test_a_table_of_people_is_understood_column_by_column(language: str) -> None:
    dice = random.Random(language)
    columns: dict[str, list[str | None]] = {}
    wanted = set()
    for rule, category in TOLD.items():
        field = dice.choice(list(styles(dice.choice(words(rule, "names")[language]))))
        columns[field] = column(dice, words(rule, "values")[language])
        wanted.add((field, category))

    assert special("people", columns) >= wanted


@every_language
def test_ordinary_tables_hold_nothing_special(language: str) -> None:
    dice = random.Random(language)
    columns: dict[str, list[str | None]] = {}
    for kind, some in DECOYS[language].items():
        columns[kind] = column(dice, some)
        columns[f"c{len(columns)}"] = column(dice, dice.sample(some, dice.randint(2, 4)))

    assert special("products", columns) == set()


@every_language
def test_no_two_ordinary_words_of_a_kind_are_on_one_list(language: str) -> None:
    for kind, some in DECOYS[language].items():
        for rule in TOLD:
            listed = {value.casefold() for values in words(rule, "values").values() for value in values}
            assert len({word.casefold() for word in some} & listed) < 2, (kind, rule)


def test_a_breed_or_a_contest_is_no_origin() -> None:
    breeds = ["Labrador", "Beagle", "Boxer", "Dackel", "Pudel"] * 10
    contests = ["Monaco", "Monza", "Silverstone", "Spa", "Imola"] * 10

    assert special("perros", {"raza": breeds, "nombre": breeds}) == set()
    assert special("hunde", {"Rasse": breeds, "Geschlecht": ["m", "w"] * 25}) == set()
    assert special("results", {"race": contests, "race_id": list(map(str, range(50)))}) == set()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("race", ["White", "Black", "Asian", "Other"]),
        ("raca", ["branca", "preta", "parda", "amarela", "indígena"]),
        ("raza", ["blanco", "negro", "mestizo", "indígena"]),
    ],
)
def test_bare_colours_are_origins_where_people_and_the_name_say_so(field: str, values: list[str]) -> None:
    people = {"gender": ["m", "f"] * 20, "birth_date": ["1970-01-01", "1980-05-05"] * 20}

    assert (field, "special.ethnicity") in special("patients", {**people, field: (values * 20)[:40]})
