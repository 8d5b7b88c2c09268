"""Distinct texts to search, from which an expression takes only those that can match it."""

from __future__ import annotations

from functools import cached_property

import polars as pl

from mapkeeper.classify.patterns import Needs


class Segments:
    """Distinct texts, numbered."""

    def __init__(self, texts: pl.Series) -> None:
        self.texts = texts.alias("text")
        self._subsets: dict[Needs, pl.DataFrame] = {}

    def __repr__(self) -> str:
        return f"Segments({len(self.texts)})"

    @cached_property
    def _all(self) -> pl.DataFrame:
        digits = self.texts.str.count_matches(r"\d")
        length = self.texts.str.len_chars()
        ids = pl.int_range(len(self.texts), dtype=pl.UInt32, eager=True)
        return pl.DataFrame({"id": ids, "text": self.texts, "digits": digits, "length": length})

    @cached_property
    def _most(self) -> tuple[int, int]:
        """The most characters and digits that a text has."""
        longest, digits = self._all.select(pl.col("length").max(), pl.col("digits").max()).row(0)
        return longest or 0, digits or 0

    @cached_property
    def joined(self) -> str:
        """All texts, one a line."""
        return "\n".join(self.texts)

    def can(self, needs: Needs) -> bool:
        """Whether there may be a text that holds what a match needs."""
        longest, digits = self._most
        return longest >= needs.length and digits >= needs.digits and all(mark in self.joined for mark in needs.marks)

    def that_can(self, needs: Needs) -> pl.DataFrame:
        """Those that hold what a match needs: ``id``, ``text``, ``digits``, ``length``."""
        if needs not in self._subsets:
            self._subsets[needs] = self._select(needs)
        return self._subsets[needs]

    def _select(self, needs: Needs) -> pl.DataFrame:
        if not self.can(needs):
            return self._all.clear()
        if needs.marks:
            # What lacks one mark lacks two: narrow an earlier answer down instead of starting anew.
            mark = min(needs.marks)
            rest = self.that_can(Needs(needs.length, needs.digits, needs.marks - {mark}))
            return rest.filter(pl.col("text").str.contains(mark, literal=True)) if len(rest) else rest
        return self._all.filter((pl.col("length") >= needs.length) & (pl.col("digits") >= needs.digits))
