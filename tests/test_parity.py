"""What Presidio's recognizers find, the engine finds, match by match; what is told of an expression loses nothing.

The engine tells texts and the values in them. Where these are the same, so are the stretches: of each stretch alone an
expression and a check say whether it is one. `Prose`, which tells stretches, is held against Presidio's directly.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache

import polars as pl
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn import drawn
from mapkeeper.classify.roads import Road
from mapkeeper.classify.ruleset import Ruleset
from mapkeeper.classify.weights import Weights, Words
from mapkeeper.rules import Pattern, Rule
from mapkeeper_classifiers import presidio
from parity import LEFT_OUT, Ours, Theirs, differences
from shipped import presidio_rules, standard_rules

SEED = 20261123
A_KIND = 24

ALLOWED = {
    ("IN_PAN", "pattern left out"): 400,
    ("IT_FISCAL_CODE", "Presidio raises an error"): 5,
}
"""Where we mean to differ, and in how many of the generated texts at most.

- ``IN_PAN``: the third pattern is any ten letters and digits of a text in which four digits follow somewhere.
- ``IT_FISCAL_CODE``: over digits that are not ASCII its validator raises an error, and all of the text is lost.
"""

RECOGNIZERS = {
    recognizer.supported_entities[0]: recognizer
    for recognizer in presidio.recognizers()
    if recognizer.supported_entities[0] in LEFT_OUT
}

THEIRS = {entity: Theirs(recognizer) for entity, recognizer in RECOGNIZERS.items()}

VALID = {
    "IBAN_CODE": ["GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947"],
    "CRYPTO": ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
    "EMAIL_ADDRESS": ["ada@example.com", "j.o-e+x@mail.example.co.uk"],
    "FI_PERSONAL_IDENTITY_CODE": ["131052-308T"],
    "ZA_ID_NUMBER": ["8001015009087"],
}
"""Published examples, of what chance hardly draws."""

LINES = [
    "Please note {} for later.", "Bitte prüfen: {} … danke.", "Le numéro {}, enregistré à Besançon.",
    "El n.º {} ¿vale?", "Número {} não é válido", "Het nummer {} van dhr. Jansen", "È stato inviato {} già ieri",
    "Numer {} został zapisany", "Номер {} записан", "{} numaras\u0131 kay\u0131tl\u0131",
    "番号は{}です。", "번호 {}을 확인", "رقم {} مسجل", "{}", "{}", "<v>{}</v>", "key='{}'", "({}) [{}]",
    "{};{};2026-11-23", '{"id": "{}", "ok": true}', "Nov 23 10:11:12 gw sshd[42]: id={} from 192.0.2.7 port 4711",
    '192.0.2.9 - - [23/Nov/2026:10:11:12 +0000] "GET /x?id={}&y=1 HTTP/1.1" 200 17',
]  # fmt: skip
"""Sentences in several languages and lines of logs. What a match is in is none of its business."""

ODD = [*"\u00a0\u2009\u3000\u2028\x85\x1c\x1f\x0b\x00\u200b\u0301\u017f\u212aéßﬁЖ中\u0661\uff19\U0001d7d8😀"]
"""White space, digits and letters beyond ASCII; letters that are spellings of ASCII's; what cannot be seen."""

BESIDE = [*"a9_-./:=,;()<>'\"@%#", *ODD]


def spoilt(value: str, dice: random.Random) -> str:
    """A value as it is, or nearly so."""
    at = dice.randrange(len(value) + 1)
    near: list[str] = [
        value, value, value, value,
        value[:at] + dice.choice(ODD) + value[at + 1 :],
        value[:at] + dice.choice(BESIDE) + value[at:],
        value[:at] + dice.choice("0123456789AKSI") + value[at + 1 :],
        value[:at] + value[at + 1 :],
        value.upper(), value.lower(), value + value,
        value.replace(" ", dice.choice(["\u00a0", "  ", "\t", "\n", "    "])),
        value.replace("k", "\u212a").replace("s", "\u017f"),
        value.translate({ord("0") + digit: dice.choice([0xFF10, 0x0660, 0x30]) + digit for digit in range(10)}),
        dice.choice("a9-.") * dice.choice([250, 256, 257, 300]) + value,
        value + dice.choice("a9-é") * dice.choice([5, 250, 300]),
    ]  # fmt: skip
    return dice.choice(near)


def value(entity: str, dice: random.Random) -> str:
    """A text of one of a recognizer's patterns, or a published example in groups or without."""
    if entity in VALID and dice.random() < 0.5:
        text = dice.choice(VALID[entity])
        return " ".join(text[at : at + 4] for at in range(0, len(text), 4)) if dice.random() < 0.3 else text
    pattern = dice.choice(RECOGNIZERS[entity].patterns).regex
    some = (drawn(pattern, dice) for _ in range(20))
    return next((text for text in some if THEIRS[entity].bare(text, LEFT_OUT[entity])), drawn(pattern, dice))


def lines(entity: str, dice: random.Random) -> Iterator[str]:
    """Lines that hold one or several values of an entity, whole and spoilt."""
    for _ in range(A_KIND):
        values = [spoilt(value(entity, dice), dice) for _ in range(dice.choice([1, 1, 2, 3]))]
        held = dice.choice([" ", ", ", "\n", "", "-", "\u00a0"]).join(values)
        around = [dice.choice(["", "", "", *BESIDE]) for _ in range(2)]
        yield dice.choice(LINES).replace("{}", held.join(around)).strip()


@pytest.fixture(scope="module")
def ours() -> Ours:
    return Ours(Ruleset([*standard_rules(), *presidio_rules()], Words.shipped(), Weights.shipped()))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    dice = random.Random(SEED)
    made = [line for entity in sorted(RECOGNIZERS) for line in lines(entity, dice)]
    long = " ".join(value(entity, dice) for entity in sorted(RECOGNIZERS) for _ in range(9))
    return list(dict.fromkeys(text for text in [*made, long, long.replace(" ", "\u00a0")] if text))


def test_the_engine_finds_what_presidio_finds(ours: Ours, texts: list[str]) -> None:
    matches, wrong = differences(ours, THEIRS, texts)
    counts = Counter((entity, what) for entity, some in wrong.items() for what, _ in some)

    assert set(ours.entities) == set(RECOGNIZERS)
    assert {entity for entity in RECOGNIZERS if matches[entity] < 5} == set()
    assert {each: count for each, count in counts.items() if count > ALLOWED.get(each, 0)} == {}


def test_where_we_mean_to_differ_is_as_it_is_said(ours: Ours) -> None:
    stumbling, serial = "RSSMRA85T10A5\uff162S", "AB12345678 (1234)"

    assert THEIRS["IT_FISCAL_CODE"].analyzed(stumbling) is None
    assert THEIRS["IN_PAN"].analyzed(serial) == {(0, 10)}
    found = ours.found([stumbling, serial])
    assert found["IT_FISCAL_CODE"] == found["IN_PAN"] == set()


def test_the_engine_finds_what_presidio_finds_in_ascii(ours: Ours, texts: list[str]) -> None:
    """Where nothing else stands among the texts, other parts of the engine decide."""
    _, wrong = differences(ours, THEIRS, [text for text in texts if text.isascii()])
    counts = Counter((entity, what) for entity, some in wrong.items() for what, _ in some)

    assert {each: count for each, count in counts.items() if count > ALLOWED.get(each, 0)} == {}


def test_the_engine_finds_the_same_in_texts_alone_as_among_others(ours: Ours, texts: list[str]) -> None:
    some = random.Random(SEED).sample([text for text in texts if len(text) < 400], 60)
    together = ours.found(some)
    for number, text in enumerate(some):
        alone = ours.found([text])
        assert {entity: {found for _, found in values} for entity, values in alone.items()} == {
            entity: {found for at, found in values if at == number} for entity, values in together.items()
        }


def test_prose_claims_the_stretches_that_presidio_finds(ours: Ours, texts: list[str]) -> None:
    for text in random.Random(SEED).sample(texts, 400):
        claimed = ours.claimed(text)
        for theirs in THEIRS.values():
            places, without = claimed.get(theirs.entity, set()), LEFT_OUT[theirs.entity]
            assert places <= theirs.bare(text, without), (theirs.entity, text)
            assert places >= theirs.bare(text, without | ours.weak[theirs.entity]), (theirs.entity, text)


def found_near_words(ours: Ours, asked: list[tuple[str, str]]) -> None:
    """Weak rules find beside a word that speaks for them what Presidio finds there."""
    dice = random.Random(SEED)
    texts = [f"{word}: {value(entity, dice)}" for entity, word in asked]
    found = ours.found(texts, spoken=True)
    for number, ((entity, word), text) in enumerate(zip(asked, texts, strict=True)):
        places = THEIRS[entity].bare(text)
        wanted = {(number, text[start:end]) for start, end in places}
        assert {each for each in found[entity] if each[0] == number} == wanted, (entity, text)
        claimed = ours.claimed(text).get(entity, set())
        assert {(start, end) for start, end in places if start == len(word) + 2} <= claimed <= places, (entity, text)


def words(ours: Ours) -> list[tuple[str, str]]:
    """Weak rules, each with every word that speaks for it."""
    return [(entity, word) for entity, weak in ours.entities.items() if weak for word in ours.context(entity)]


def test_what_is_weak_is_found_wherever_a_word_speaks_for_it(ours: Ours) -> None:
    asked = [(entity, word) for entity, word in words(ours) if word.isascii()] * 2

    assert len({entity for entity, _ in asked}) >= 12
    found_near_words(ours, asked)


def test_what_is_weak_is_found_wherever_a_word_beyond_ascii_speaks_for_it(ours: Ours) -> None:
    found_near_words(ours, [(entity, word) for entity, word in words(ours) if not word.isascii()])


# --- the sieve: where expressions are looked for ----------------------------------------------------------------------

ROADS = {
    Road.TOKEN: [
        r"\b\d{9}\b", r"(?<!\d)\d{3}-\d{2}(?!\d)", r"(?<![\w-])[A-Z]{1,2}\d{1,3}(?!\w)", r"(?i)\b(?!00)\d{2}[ab]",
        r"(?:(?<!a)b|c(?!d))\d", r"\b(?=[A-Z0-9]{4,6}\b)[A-Z]+\d+\b", r"[a-f0-9]{6}", r"é+|[à-ü]{2}", r"\p{Lu}\p{L}+",
        r"\w+", r"(?<=no )\d+(?=[a-c])", r"(?<=12|no |a{1,3} )\d{2}", r"\b\d{2}(?<=1\d)",
        r"^[a-c]+$|b\Z",
    ],
    Road.REGION: [
        r"\b\d{2}[ -]?\d{2}[ -]?\d{2}\b", r"\b[AB]\d \d[AB]\b", r"\(?\d{2}\)? \d{2}", r"(?<![\d-])\d{2}, ?\d{2}(?!\d)",
    ],
    Road.WORD: [r"no[:=](?P<value>\w+)", r"[\w.+-]+@[0-9-]+(?:\.[a-z]{2,})+", r"(?i)xyz\w*", r"([:-])a(?:b\1){2}",
        r"ab?a"],
    Road.TEXT: [r"(?i)\bno[:= ]{1,2}(?P<value>\w+)", r"(?<=no\s+)\d+(?=[a-c])", r"\(no (?P<value>.+?)\)", r"xy\s+\w",
        r"(?i)(?<=xy(?:\s|:)*)\d|(?<=\bno\s*)b", r"\d+ ?(?:no|xyz)", r"[a-c]*\s?(?=no)",
        r"(?i)(?:ab|1.{0,3}) ?(?:xy|no ?12)"],
    Road.MIXED: [r"\b(\d{3}|no[( ]\d|ab\d|\(a)\b", r"(?i)(?:[a-c]{1,2}\d{2}|xy .)"],
    Road.SEED: [r"\d{3}[^0-9]{1,9}\d{3}", r"(?<=.{3})\d{4}~?"],
    Road.EVERY: [r"(?x) a b", r"[^0-9]+"],
}  # fmt: skip
"""Expressions by the road on which their matches are looked for."""

EXPRESSIONS = [(road, expression) for road, expressions in ROADS.items() for expression in expressions]
PIECES = [
    "12", "34", "123", "1234", "123456789", "a", "b", "AB", "A1", "abc", "ab12", "cafe09", "no", "no ", "no:", "no=",
    "xyz", "xy", " ", " ", "  ", "    ", "-", ":", ".", ",", ", ", "(", ")", "@", "~", "\n", "\t", "é", "Éà", "ü", "中",
    "\u00a0", "\u2009", "१२", "\uff15", "\u017f", "\u212a", "\x1f", "\x85", "\U00020000", "a" * 255, "1" * 257,
    "a1" * 20, "1-" * 9, "Springfield",
]  # fmt: skip
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join), min_size=1, max_size=9)
FILLERS = [[], [f"{number:x} filler" for number in range(800)], [f"{number:05}\u00a0filler" for number in range(800)]]
"""Texts in which there is nothing to find, or little."""


@cache
def alone(expression: str) -> Ruleset:
    """A rule that is nothing but an expression."""
    rule = Rule("test/alone", "1", "alone", "contact.email", "ALONE", (Pattern(expression, 1.0),))
    return Ruleset([rule], Words.shipped(), Weights.shipped())


def told(expression: str, texts: list[str]) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
    """What the sieve leads to, and what Python finds in every text: texts by number, and the values."""
    ruleset = alone(expression)
    hits = ruleset.matchers[0].find(ruleset.sieve.sift(pl.Series("text", texts, dtype=pl.String)).search())
    ours = (
        {(int(text), hits.values[int(at)]) for text, at in zip(hits.text, hits.value, strict=True)} if hits else set()
    )
    plain = regex.compile(expression)
    group = plain.groupindex.get("value", 0)
    matches = [(number, match[group]) for number, text in enumerate(texts) for match in plain.finditer(text)]
    return ours, {(number, value) for number, value in matches if value}


@pytest.mark.parametrize(("road", "expression"), EXPRESSIONS)
def test_an_expression_goes_by_its_road(road: Road, expression: str) -> None:
    assert alone(expression).sieve.routes[0].road is road


@settings(max_examples=300)
@given(st.sampled_from(EXPRESSIONS), TEXTS, st.sampled_from(FILLERS))
def test_by_its_road_an_expression_finds_what_it_finds_everywhere(
    each: tuple[Road, str], texts: list[str], filler: list[str]
) -> None:
    stripped = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    ours, plain = told(each[1], stripped + filler)

    assert ours == plain


@pytest.mark.parametrize(
    ("expression", "text", "filler"),
    [
        pytest.param(r"\d{3}[ -]?\d{3}(?:[ -]?\d{3})?", "123456 789", 0, id="a number that goes on behind a space"),
        pytest.param(r"[A-Z]{2} \d{3}", "ABCDEFGH 123", 0, id="the end of a long word"),
        pytest.param(r"(?i)\b[A-Z]\d{4}\b", "\u01312660", 2, id="a letter that only Python takes for an i"),
    ],
)
def test_by_its_road_an_expression_finds_it_also_here(expression: str, text: str, filler: int) -> None:
    ours, plain = told(expression, [text, *FILLERS[filler]])

    assert ours == plain
