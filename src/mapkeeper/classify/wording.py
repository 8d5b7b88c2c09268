"""Running text, told from log lines, code, keys and lists by the small words that hold a sentence together."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import regex

SIGHT = 1600
"""Characters of a text that are looked at."""

_WORD = regex.compile(r"[\p{L}\p{M}]+(?:['\u2019-][\p{L}\p{M}]+)*")
_SMALL = regex.compile(r"[\p{L}\p{M}]+'?")
"""A word, also one that ends in an apostrophe before the next: "l'"."""

_EDGES = ".,;:!?()[]\"'-\u00a1\u00ab\u00bb\u00bf\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2026"


@dataclass(frozen=True)
class Wording:
    """``wording.toml``, read."""

    text: str

    @classmethod
    def shipped(cls) -> Wording:
        """The one that comes with mapkeeper."""
        return _shipped()

    @cached_property
    def _sections(self) -> Mapping[str, Mapping[str, Any]]:
        return tomllib.loads(self.text)

    def limit(self, what: str) -> float:
        """One of the numbers."""
        return float(self._sections["limits"][what])

    @cached_property
    def _languages(self) -> tuple[frozenset[str], ...]:
        return tuple(map(frozenset, self._sections["words"].values()))

    def runs(self, text: str) -> bool:
        """Whether a text, by its beginning, is one of sentences, in one of the languages known."""
        text = text[:SIGHT]
        words = text.split()
        if len(words) < self.limit("words"):
            return False
        plain = sum(_WORD.fullmatch(word.strip(_EDGES)) is not None for word in words)
        if plain < self.limit("plain") * len(words):
            return False
        if sum(map(str.isalpha, text)) < self.limit("letters") * sum(map(len, words)):
            return False
        spelled = (text.casefold() if text.isupper() else text).replace("\u2019", "'")
        # Words in capitals among others in small letters are those of a query: FROM, AND, IN.
        small = [word.casefold() for word in _SMALL.findall(spelled) if len(word) == 1 or not word.isupper()]
        least = self.limit("small") * len(words)
        return any(sum(word in known for word in small) >= least for known in self._languages)


@cache
def _shipped() -> Wording:
    return Wording(files("mapkeeper.classify").joinpath("wording.toml").read_text(encoding="utf-8"))
