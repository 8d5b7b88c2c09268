"""The idiom of running text: which words make a name what it is, and what everything weighs; read from a file."""

from __future__ import annotations

import gettext
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

import regex

LANGUAGES = ("fr", "de", "es", "pt", "nl", "it")
"""Beside English, the languages in which a country is known by its name."""


@dataclass(frozen=True)
class Idiom:
    """``idiom.toml``, read."""

    text: str

    @classmethod
    def shipped(cls) -> Idiom:
        """The one that comes with mapkeeper."""
        return cls(files("mapkeeper.classify").joinpath("idiom.toml").read_text(encoding="utf-8"))

    @cached_property
    def _sections(self) -> Mapping[str, Mapping[str, Any]]:
        return tomllib.loads(self.text)

    def weigh(self, what: str) -> float:
        """A number of nats."""
        return float(self._sections["weigh"][what])

    def model(self, kind: str) -> tuple[float, float]:
        """What a language model's score of 0.5, and one of 0.99, are worth in nats."""
        low, high = self._sections["model"][kind]
        return float(low), float(high)

    def words(self, which: str) -> frozenset[str]:
        """A list of words."""
        return frozenset(self._sections["words"][which])

    @cached_property
    def countries(self) -> regex.Pattern[str]:
        """Finds the name of a country, as it is written in any of the languages known."""
        names = {*self._sections["words"]["countries"], *_countries()}
        return regex.compile(r"(?<![\p{L}\p{N}])\L<names>(?![\p{L}\p{N}])", names=sorted(names))


def _countries() -> Iterator[str]:
    """The names of ISO 3166-1 and their translations, as the Debian project keeps them."""
    import pycountry

    said = [gettext.NullTranslations()] + [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language]) for language in LANGUAGES
    ]
    for country in pycountry.countries:
        names = {country.name, getattr(country, "common_name", country.name)}
        for translation in said:
            for name in names:
                yield re.split(r",| \(", translation.gettext(name))[0]
