"""Checks of whole columns say of every text what they say of one: valid, nearly valid and hostile texts, drawn here."""

from __future__ import annotations

import string
import uuid
from collections.abc import Callable, Iterator
from random import Random

import phonenumbers
import polars as pl
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from mapkeeper_classifiers.checks import CHECKS
from mapkeeper_classifiers.checks.plain import SAYS
from mapkeeper_classifiers.checks.vector import FEW, Quick, Shared, Stated, asked
from mapkeeper_classifiers.words import words
from shipped import presidio_rules, standard_rules

RULES = [rule for rule in (*standard_rules(), *presidio_rules()) if hasattr(rule.check, "many")]
STATED = {name: check for name, check in CHECKS.items() if isinstance(check, Stated | Shared)}
STATED |= {rule.id.replace("/", "."): rule.check for rule in RULES if isinstance(rule.check, Stated | Shared)}

ALNUM = string.ascii_letters + string.digits
ANY = string.printable + "éß\u0131\u017f\u212a²٣\uff14\u00a0\u2028…•\x00\x1c\x85"
WORDS = ("root", "meadow", "Harbor", "otter", "apiKey", "value", "example", "your", "test", "here", "v1", "admin")
MADE: tuple[Callable[[Random], str], ...] = (
    lambda rng: drawn(rng, "0123456789abcdef", rng.choice((8, 15, 16, 17, 32, 40, 64))),
    lambda rng: drawn(rng, ALNUM + "+/-_", rng.randrange(1, 60)),
    lambda rng: drawn(rng, string.ascii_lowercase, rng.randrange(1, 24)),
    lambda rng: drawn(rng, "01ab", rng.choice((8, 16, 24))),
    lambda rng: rng.choice("aA0") * rng.randrange(1, 20) + rng.choice(("", "b", "1")),
    lambda rng: rng.choice(WORDS) + drawn(rng, "_-.!1@#$ ", rng.randrange(3)) + rng.choice(WORDS),
    lambda rng: rng.choice(WORDS) + drawn(rng, string.digits, rng.randrange(6)),
    lambda rng: rng.choice(sorted(words(rng.choice(("no_secret", "no_account", "shared_home"))))),
    lambda rng: str(uuid.UUID(int=rng.getrandbits(rng.choice((1, 64, 128))))),
    lambda rng: rng.choice(("", "abcdefgh", "ABCDEFGHIJ", "12345678", "xyz")) + drawn(rng, ALNUM, rng.randrange(20)),
    lambda rng: f"{rng.randrange(10 ** rng.randrange(1, 20))}",
    lambda rng: rng.choice("./:-").join(str(rng.randrange(0, 10 ** rng.randrange(1, 5))) for _ in range(3)),
    lambda rng: ".".join(str(rng.choice((0, 1, 99, 127, 255, 256, rng.randrange(300)))) for _ in range(4)),
    lambda rng: rng.choice(":-").join(drawn(rng, "0123456789abcdefAF", 2) for _ in range(rng.choice((5, 6, 6, 8)))),
    lambda rng: ":".join([rng.choice(("00", "ff", "FF", "ab"))] * 6),
    lambda rng: ".".join(drawn(rng, "0f", 4) for _ in range(3)),
    lambda rng: ":".join(drawn(rng, "0af19", rng.randrange(5)) for _ in range(rng.randrange(2, 10))),
    lambda rng: rng.choice(("${", "$(", "%", "<", "{{", "ftp://", "env:", "os.", "/")) + drawn(rng, ALNUM + "./}", 9),
    lambda rng: f"{rng.choice(WORDS)}{rng.choice('@.:/')}{rng.choice(WORDS)}.{rng.choice(('com', 'de', 'nope', 'x'))}",
    lambda rng: drawn(rng, string.ascii_uppercase, 2) + drawn(rng, string.digits, rng.randrange(1, 12)),
    lambda rng: drawn(rng, string.digits, rng.randrange(2, 11)) + drawn(rng, string.ascii_uppercase, rng.randrange(4)),
    lambda rng: drawn(rng, ANY, rng.randrange(30)),
)


def drawn(rng: Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))


def spoilt(text: str, rng: Random) -> str:
    at = rng.randrange(len(text) + 1)
    return rng.choice(
        (
            text[:at] + rng.choice(ANY) + text[at:],
            text[:at] + text[at + 1 :],
            text + rng.choice("\n \"'*!;.\x1c"),
            rng.choice(" \n\"'-") + text,
            text.upper(),
            text.lower(),
            text.swapcase(),
            text * 2,
        )
    )


def examples() -> Iterator[str]:
    """What the rules that have a check find in the examples of all packs."""
    for rule in RULES:
        for text in rule.match:
            yield text
            for pattern in rule.find:
                for found in regex.finditer(pattern.regex, text):
                    yield found["value"] if "value" in found.groupdict() else found.group()


SEEN = tuple(dict.fromkeys(examples()))


def texts(rng: Random, count: int) -> list[str]:
    made = [rng.choice(MADE)(rng) for _ in range(count)]
    made += [rng.choice(SEEN) for _ in range(count // 4)]
    return made + [spoilt(text, rng) for text in made[: count // 2]]


@pytest.mark.parametrize("name", sorted(STATED))
def test_a_column_is_told_what_each_text_is(name: str) -> None:
    check = STATED[name]
    column = texts(Random(name), 1500)
    assert check.many(column).tolist() == asked(check, column)


@pytest.mark.parametrize("name", sorted({"account", "issued", "mac", "numbered", "password", "random", "secret"}))
def test_most_texts_of_a_column_are_told_without_asking(name: str) -> None:
    rng = Random(name)
    column = [drawn(rng, ALNUM, 32) for _ in range(2 * FEW)]
    times = 0

    def counted(text: str) -> bool:
        nonlocal times
        times += 1
        return True

    stated = STATED[name]
    assert isinstance(stated, Stated)
    Stated(counted, stated.says).many(column)
    assert times < 0.1 * len(column)


def test_every_statement_belongs_to_a_check() -> None:
    assert set(SAYS) <= set(STATED)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=24), min_size=1, max_size=20))
def test_any_text_may_stand_in_a_column(column: list[str]) -> None:
    for name in ("account", "secret", "random", "issued", "mac", "ipv6", "numbered", "phone", "mail_domain"):
        check = CHECKS[name]
        assert check.many(column * FEW).tolist() == asked(check, column) * FEW  # type: ignore[attr-defined]


def test_a_check_that_stumbles_has_not_said_that_it_holds() -> None:
    def stumbles(text: str) -> bool:
        raise ValueError

    for check in (Quick(stumbles, ()), Shared(stumbles, "(.)"), Stated(stumbles, lambda texts: texts == "a")):
        assert not any(check.many(["é", "b"] * FEW))


# --- telephone numbers ------------------------------------------------------------------------------------------------

KINDS = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "fixed_line", "mobile")
PRINTED = [
    (str(code), kind.example_number)
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()
    for region in regions
    for name in KINDS
    if (data := PhoneMetadata.metadata_for_region_or_calling_code(code, region)) is not None
    and (kind := getattr(data, name)) is not None
    and kind.example_number
]


def dialled(rng: Random) -> str:
    """A number of some country, right or nearly so, the way people write it."""
    code, number = rng.choice(PRINTED)
    digits = list(number)
    for _ in range(rng.choice((0, 0, 1, 2, 4))):
        digits[rng.randrange(len(digits))] = rng.choice(string.digits)
    number = "".join(digits)
    if rng.random() < 0.3:
        number = rng.choice(("0", "1", "8", "9", "06", "00", "15", "90", "180020", "01415", "000268")) + number
    if rng.random() < 0.15:
        number = number[: rng.randrange(len(number))] + rng.choice(string.digits) * rng.randrange(4)
    if rng.random() < 0.05:
        code = str(rng.randrange(1, 1000))
    written = f"+{code}{rng.choice(('', ' ', ' (', '-', ' (0)'))}{number}"
    for _ in range(rng.choice((0, 0, 1, 3))):
        at = rng.randrange(2, len(written))
        written = written[:at] + rng.choice(" .-()") + written[at:]
    return spoilt(written, rng) if rng.random() < 0.02 else written


def test_numbers_of_all_countries_are_what_the_library_says() -> None:
    rng = Random("phones")
    column = [dialled(rng) for _ in range(5000)]
    check = CHECKS["phone"]
    said = check.many(pl.Series(column)).tolist()  # type: ignore[attr-defined]
    assert said == [check(text) for text in column]
    assert 0.2 < sum(said) / len(said) < 0.8


def test_the_example_of_every_country_is_a_number() -> None:
    column = [f"+{code} {number}" for code, number in PRINTED]
    said = CHECKS["phone"].many(column)  # type: ignore[attr-defined]
    assert [text for text, held in zip(column, said, strict=True) if not held] == [
        text for text in column if not phonenumbers.is_valid_number(phonenumbers.parse(text))
    ]
