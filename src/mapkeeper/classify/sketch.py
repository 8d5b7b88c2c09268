"""How many distinct values there were: exact to a hundred thousand, an estimate above, in bounded memory."""

from __future__ import annotations

import polars as pl

EXACT_TO = 100_000
"""Distinct texts up to which the count is exact."""

KEPT = 8_192
"""Hashes kept once the count is an estimate; its standard error is about 1/sqrt(KEPT), 1 %."""

_SEED = 20_260_101
"""Any number, the same in every process, so that the same texts give the same estimate."""


class Distinct:
    """Counts distinct texts by the smallest of their hashes; their order does not matter.

    The sketch of the k minimum values: Bar-Yossef et al., "Counting Distinct Elements in a Data Stream", RANDOM 2002.
    The estimate is the unbiased one of Beyer et al., "On Synopses for Distinct-Value Estimation Under Multiset
    Operations", SIGMOD 2007: (k - 1) / u, where u is the k-th smallest hash as a share of all possible hashes.
    """

    def __init__(self) -> None:
        self._hashes = pl.Series("hash", dtype=pl.UInt64)
        self._estimated = False

    def __repr__(self) -> str:
        return f"Distinct({self.count()})"

    def add(self, texts: pl.Series) -> None:
        """Take some texts in, distinct or not."""
        if not len(texts):
            return
        new = texts.hash(_SEED).alias("hash")
        if self._estimated:
            new = new.filter(new < self._hashes.max())
        self._hashes = pl.concat([self._hashes, new]).unique()
        if len(self._hashes) > EXACT_TO:
            self._estimated = True
        if self._estimated:
            self._hashes = self._hashes.sort().head(KEPT)

    def count(self) -> int:
        """Distinct texts so far."""
        if not self._estimated:
            return len(self._hashes)
        last = self._hashes.max()
        assert isinstance(last, int)
        return round((KEPT - 1) / ((last + 1) / 2**64))
