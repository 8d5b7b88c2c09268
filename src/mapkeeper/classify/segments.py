"""Distinct texts to search: whole cells, or the words that they consist of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import polars as pl

from mapkeeper.classify.patterns import Needs

FEW = 16_384
"""Characters up to which Python is quicker than having Rust compile one more expression."""


class Segments:
    """Distinct texts, numbered, from which a rule takes only those that can match it."""

    def __init__(self, texts: pl.Series) -> None:
        self.texts = texts.alias("text")
        self._subsets: dict[Needs, pl.DataFrame] = {}
        self._few: dict[Needs, Sequence[tuple[int, str]]] = {}
        self.survivors: dict[int, pl.DataFrame] = {}  # what gates let through, by gate

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

    @cached_property
    def are_few(self) -> bool:
        """Whether the texts together are short enough for Python."""
        return int(self._all.get_column("length").sum()) <= FEW

    @cached_property
    def ascii(self) -> bool:
        """Whether no text holds anything but ASCII."""
        return self.joined.isascii()

    def can(self, needs: Needs) -> bool:
        """Whether there may be a text that holds what a match needs."""
        longest, digits = self._most
        return longest >= needs.length and digits >= needs.digits and all(mark in self.joined for mark in needs.marks)

    def few_that_can(self, needs: Needs) -> Sequence[tuple[int, str]]:
        """The (id, text) of those that hold what a match needs, for Python to go through; for few texts."""
        if needs not in self._few:
            rows = self._rows if self.can(needs) else ()
            self._few[needs] = [
                (id, text)
                for id, text, digits, length in rows
                if length >= needs.length and digits >= needs.digits and all(mark in text for mark in needs.marks)
            ]
        return self._few[needs]

    @cached_property
    def _rows(self) -> Sequence[tuple[int, str, int, int]]:
        return self._all.rows()

    def that_can(self, needs: Needs) -> pl.DataFrame:
        """The same as a frame, for Rust."""
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


class WordSegments(Segments):
    """The distinct words of some texts, and which text holds which."""

    def __init__(self, texts: Segments) -> None:
        held = texts.texts.str.extract_all(r"\S+")
        pairs = pl.DataFrame({"text": pl.int_range(len(held), dtype=pl.UInt32, eager=True), "word": held})
        pairs = pairs.explode("word", empty_as_null=False, keep_nulls=False)
        distinct = pairs.select("word").unique(maintain_order=True).with_row_index("id")
        self._held = pairs.join(distinct, on="word", maintain_order="left").select("text", "id").unique()
        super().__init__(distinct.get_column("word"))

    def holders(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Turn hits in words (column ``id``) into hits in the texts that hold them."""
        held = self._held.join(hits, on="id", maintain_order="left_right").drop("id").rename({"text": "id"})
        return held.sort("id", maintain_order=True)
