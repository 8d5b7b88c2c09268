"""What was counted of a field, and of each rule in it, over all batches.

Their order does not matter; where they are cut shows in what is extrapolated, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from mapkeeper.classify.cells import Cells
from mapkeeper.classify.mask import masked
from mapkeeper.classify.sketch import Distinct, hashes

POSITIONS = 5
"""Positions that are kept of a rule in a field."""

SAMPLES = 3
"""Masked samples that are kept; many values look alike under their masks, so twenty times as many are tried."""


@dataclass(slots=True)
class FieldTally:
    """One field: how it is filled and what its cells look like."""

    name: str
    type: str  # the Arrow type's name
    kind: str  # one of mapkeeper.rules.TYPES, or "other"
    rows: int = 0
    filled: int = 0
    values: int = 0  # in the filled cells; more than one a cell in a field of lists
    distinct: Distinct = field(default_factory=Distinct)
    longest: int = 0
    shortest: int | None = None
    characters: int = 0  # of all values together
    words: int = 0  # the same
    steps: int = 0  # integer columns: neighbours compared
    rises: int = 0  # of them where the later is the greater
    lowest: float | None = None
    highest: float | None = None
    last: float | None = field(default=None, repr=False)

    def add(self, cells: Cells) -> None:
        """Count the cells of one batch."""
        self.rows += cells.rows
        self.filled += cells.filled
        if len(cells.texts):
            lengths = cells.texts.str.len_chars()
            self.longest = max(self.longest, _whole(lengths.max()))
            shortest = _whole(lengths.min())
            self.shortest = shortest if self.shortest is None else min(self.shortest, shortest)
            self.characters += _whole((lengths.cast(pl.UInt64) * cells.counts).sum())
            self.words += _whole(((cells.texts.str.count_matches(" ", literal=True).cast(pl.UInt64) + 1) * cells.counts).sum())
            self.values += _whole(cells.counts.sum())
            self.distinct.add(hashes(cells.texts))
        if len(cells.numbers):
            self._sequence(cells.numbers)

    def _sequence(self, numbers: pl.Series) -> None:
        joined = numbers if self.last is None else pl.concat([pl.Series("n", [self.last]), numbers])
        self.steps += len(joined) - 1
        self.rises += _whole((joined.diff() > 0).sum())
        low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]  # not empty, not null
        self.lowest = low if self.lowest is None else min(self.lowest, low)
        self.highest = high if self.highest is None else max(self.highest, high)
        self.last = float(numbers[-1])


@dataclass(slots=True)
class RuleTally:
    """One rule in one field. Values stay out of ``repr``."""

    hits: int = 0  # cells with at least one match
    whole: int = 0  # of them cells that are one match from end to end
    tried: int = 0  # of the hits, cells with a match that was checked
    valid: float = 0.0  # of the hits, cells with a match whose check holds; of the untried as many as of the tried
    whole_valid: float = 0.0  # of them, cells that are one match from end to end
    proved: int = 0  # of the tried, cells with a match whose check holds
    supported: int = 0  # of the proved, cells that also hold a context word
    usual: int = 0  # of the proved, cells that hold nothing but known constants: test numbers, 127.0.0.1
    own: int = 0  # of the proved, cells with an address in one of the client's own domains
    distinct: Distinct = field(default_factory=Distinct)
    trials: Distinct = field(default_factory=Distinct)  # distinct values that were checked
    proofs: Distinct = field(default_factory=Distinct)  # of them, those whose check holds
    scores: float = 0.0  # of the patterns of all proved matches together
    scored: int = 0  # matches in that sum
    samples: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    values: dict[str, None] = field(default_factory=dict, repr=False)  # in order; only when somebody asked to see them

    def show(self, values: pl.Series, sampled: bool, reveal: int) -> None:
        """Keep a few masked samples of some true values, and as many of the values as are to be revealed."""
        if sampled and len(self.samples) < SAMPLES:
            for value in values.head(20 * SAMPLES):
                mask = masked(value)
                if mask is not None and mask not in self.samples and len(self.samples) < SAMPLES:
                    self.samples.append(mask)
        if len(self.values) < reveal:
            for value in values:
                self.values[value] = None
                if len(self.values) >= reveal:
                    break


def _whole(number: object) -> int:
    assert isinstance(number, int | float)
    return int(number)
