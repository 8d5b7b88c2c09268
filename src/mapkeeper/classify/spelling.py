"""The spellings of a part of a name: percent-encoded, in full width, glued by underscores, in small letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import regex

from mapkeeper.classify.patterns import Needs

_ENCODED = regex.compile(r"%(?:25)*([0-7][0-9A-Fa-f])")
"""A character as URLs and object keys have it, also one that was encoded more than once."""


class Spelling:
    """A part of a name in another spelling, and where in the part each of its characters begins."""

    def __init__(self, text: str, places: Sequence[int] | None = None) -> None:
        self.text = text
        self.places = range(len(text) + 1) if places is None else places
        self._digits = sum(map(str.isdigit, text))

    def can(self, needs: Needs) -> bool:
        """Whether it holds what every match of an expression does."""
        enough = len(self.text) >= needs.length and self._digits >= needs.digits
        return enough and all(mark in self.text for mark in needs.marks)

    @classmethod
    def plain(cls, part: str) -> Spelling:
        """Without encoding, full width and characters that cannot be seen."""
        if part.isascii() and "%" not in part:
            return cls(part)
        text: list[str] = []
        places: list[int] = []
        at = 0
        while at < len(part):
            encoded = _ENCODED.match(part, at)
            char = chr(int(encoded[1], 16)) if encoded else part[at]
            shown = [one for one in unicodedata.normalize("NFKC", char) if unicodedata.category(one) != "Cf"]
            text += shown
            places += [at] * len(shown)
            at = encoded.end() if encoded else at + 1
        return cls("".join(text), [*places, len(part)])

    def apart(self) -> Spelling:
        """With a space for each underscore: to an expression it is a letter, in a name mostly a space."""
        return Spelling(self.text.replace("_", " "), self.places)

    def upper(self) -> Spelling | None:
        """In capitals; ``None`` where it is already, or has letters that become two."""
        text = self.text.upper()
        return Spelling(text, self.places) if text != self.text and len(text) == len(self.text) else None
