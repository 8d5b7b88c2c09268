"""Where rows lie in their source: "row 17", "line 5 of auth.log.1"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import polars as pl

from mapkeeper.plugin import Batch


class Positions:
    """The positions of rows of several batches put end to end."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = batches
        self._starts = list(itertools.accumulate((batch.data.num_rows for batch in batches), initial=0))

    def of(self, rows: pl.Series, most: int) -> Iterator[str]:
        """The first few positions of some rows (from 0 over all batches); those that have none are left out."""
        for batch, start, end in zip(self._batches, self._starts, self._starts[1:], strict=False):
            if most <= 0:
                return
            if batch.positions is not None:
                numbers = batch.positions
            elif batch.first is not None:
                numbers = range(batch.first, batch.first + batch.data.num_rows)
            else:
                continue
            of_member = f" of {batch.member}" if batch.member else ""
            for row in rows.filter((rows >= start) & (rows < end)).sort().head(most):
                number = numbers[row - start]
                yield f"{batch.unit} {number}{of_member}"
                most -= 1
