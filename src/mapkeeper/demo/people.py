"""People who do not exist: common names of several countries, combined by lot."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapkeeper.demo.chance import Draw, digits
from mapkeeper.demo.numbers import ascii_letters
from mapkeeper.demo.words import words

MAIL_HOSTS = ("courriel.example", "post.example", "mail.example", "boite.example")


@dataclass(frozen=True, slots=True)
class Person:
    """One of them."""

    first: str
    last: str
    sex: str  # "F" or "M"
    birth: dt.date
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    country: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"

    @property
    def user(self) -> str:
        """The name they log in with: ``jschmidt``."""
        return (ascii_letters(self.first)[0] + ascii_letters(self.last)).lower()


def people(
    draw: Draw, day: dt.date, count: int, countries: Mapping[str, float], hosts: Sequence[str], youngest: int = 18
) -> list[Person]:
    """So many people with an e-mail address each of their own.

    Args:
        draw: the draw to use.
        day: the day they are counted old from.
        count: how many.
        countries: weight by country; known are those of ``words.toml``.
        hosts: domains of their e-mail addresses.
        youngest: age in years.
    """
    codes = draw.choices(list(countries), list(countries.values()), k=count)
    taken: set[str] = set()
    return [_person(draw, day, code, hosts, youngest, taken) for code in codes]


def _person(draw: Draw, day: dt.date, country: str, hosts: Sequence[str], youngest: int, taken: set[str]) -> Person:
    names: Mapping[str, Any] = words()["names"][country]
    sex = draw.choice("FM")
    first = draw.choice(names["female" if sex == "F" else "male"])
    last = draw.choice(names["last"])
    postal_code, city = draw.choice(names["places"])
    number, street = draw.randrange(1, 180), draw.choice(names["streets"])
    if country == "CA":
        letter, tail = draw.choice("ABCEGHJKLMNPRSTVWXYZ"), digits(draw, 2)
        postal_code = f"{postal_code} {tail[0]}{letter}{tail[1]}"
    return Person(
        first=first,
        last=last,
        sex=sex,
        birth=day - dt.timedelta(days=draw.randrange(youngest * 366, 88 * 365)),
        email=_address(draw, first, last, hosts, taken),
        phone=phone(draw, country),
        street=f"{street} {number}" if country == "DE" else f"{number} {street}",
        postal_code=postal_code,
        city=city,
        country=country,
    )


def _address(draw: Draw, first: str, last: str, hosts: Sequence[str], taken: set[str]) -> str:
    local = f"{ascii_letters(first)}.{ascii_letters(last)}".lower()
    address = f"{local}@{draw.choice(hosts)}"
    while address in taken:
        address = f"{local}{digits(draw, 3)}@{draw.choice(hosts)}"
    taken.add(address)
    return address


def phone(draw: Draw, country: str) -> str:
    """A telephone number of the ranges that a country keeps for fiction."""
    return re.sub("@", lambda _: digits(draw, 1), draw.choice(words()["names"][country]["phone"]))
