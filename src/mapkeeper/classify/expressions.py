"""One regular expression: what the machine found of it, and what only Python can find."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import polars as pl
import regex

from mapkeeper.classify.hits import Hits, listed, together
from mapkeeper.classify.patterns import Study, study
from mapkeeper.classify.sieve import FITS, LEFT, Found, Sifted

PATIENCE = 0.2
"""Seconds that one expression may spend on one text in Python."""

LONGEST = 64 * 1024
"""Characters of a text that Python's engine is let loose on; the machine needs no limit."""


class Expression:
    """A regular expression, and its number in the sieve."""

    def __init__(self, text: str, score: float = 1.0, number: int = -1) -> None:
        """``number``: which of the sieve's it is; negative for one that does not go by the sieve."""
        self.text = text
        self.score = score
        self.number = number

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @cached_property
    def study(self) -> Study:
        """What was learned by reading it."""
        return study(self.text)

    @cached_property
    def compiled(self) -> regex.Pattern[str]:
        """What decides."""
        return regex.compile(self.text)

    @cached_property
    def group(self) -> int:
        """The group that is the value; 0 is the whole match."""
        return self.compiled.groupindex.get("value", 0)

    def find(self, found: Found) -> Hits | None:
        """Every match in some texts; ``None`` where there is none."""
        hits = together([found.hits(self.number), self._in_python(found)])
        return None if hits is None else hits.scored(self.score)

    def _in_python(self, found: Found) -> Hits | None:
        """Matches in the texts that the machine did not read to their ends."""
        texts = found.sifted.texts
        matches = [
            (at, value, value == text)
            for at in found.left(self.number)
            for text in (texts[int(at)],)
            for value in self._finditer(text)
        ]
        if not matches:
            return None
        values = pl.Series("value", [value for _, value, _ in matches])
        at, whole = np.array([at for at, _, _ in matches], np.uint32), np.array([whole for *_, whole in matches], bool)
        return Hits(values, np.zeros(len(values)), at, np.arange(len(values)), whole)

    def full(self, sifted: Sifted) -> Hits | None:
        """The texts that match from end to end; ``None`` where there is none."""
        said = sifted.fitting(self.number)
        left = np.flatnonzero(said == LEFT)
        said[left] = [FITS if self._fullmatch(sifted.texts[int(at)]) else 0 for at in left]
        ids = np.flatnonzero(said == FITS)
        return listed(sifted.texts.gather(ids), ids) if len(ids) else None

    def _finditer(self, text: str) -> Iterator[str]:
        if len(text) > LONGEST:
            return
        try:
            for match in self.compiled.finditer(text, timeout=PATIENCE):
                value = match[self.group]
                if value:
                    yield value
        except TimeoutError:
            return

    def _fullmatch(self, text: str) -> bool:
        if len(text) > LONGEST:
            return False
        try:
            return self.compiled.fullmatch(text, timeout=PATIENCE) is not None
        except TimeoutError:
            return False
