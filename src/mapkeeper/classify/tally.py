"""What was counted of a field, and of each rule in it, over all batches.

Their order does not matter; where they are cut shows in what is extrapolated, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

import polars as pl

from mapkeeper.classify.cells import Cells
from mapkeeper.classify.hits import Flags
from mapkeeper.classify.mask import masked
from mapkeeper.classify.sampling import Sample
from mapkeeper.classify.sketch import Distinct, Trials, hashes

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
    idle: int = 0  # of the values, those that say that there is none: "-", "n/a"
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
    first: float | None = field(default=None, repr=False)
    last: float | None = field(default=None, repr=False)
    sample: Sample = field(default_factory=Sample)  # of its texts; in memory only
    people: InText | None = field(default=None, repr=False)  # whom the sample names, once that was looked for

    def bare(self) -> FieldTally:
        """The same counts without any text of the field, as they may be kept."""
        return replace(self, sample=Sample(), people=None)

    def merge(self, later: FieldTally) -> None:
        """Take in what was counted of the rows behind these, as if they had been added here."""
        self.rows += later.rows
        self.filled += later.filled
        self.idle += later.idle
        self.values += later.values
        self.distinct.merge(later.distinct)
        self.longest = max(self.longest, later.longest)
        shortest = _edge(min, self.shortest, later.shortest)
        self.shortest = None if shortest is None else int(shortest)
        self.characters += later.characters
        self.words += later.words
        self.steps += later.steps
        self.rises += later.rises
        if later.first is not None:
            if self.last is not None:
                self.steps += 1
                self.rises += later.first > self.last
            self.first = later.first if self.first is None else self.first
            self.last = later.last
        self.sample.merge(later.sample)
        self.lowest = _edge(min, self.lowest, later.lowest)
        self.highest = _edge(max, self.highest, later.highest)

    def add(self, cells: Cells, idle: Flags) -> None:
        """Count the cells of one batch; ``idle`` says of each text whether it says that there is no value."""
        self.rows += cells.rows
        self.filled += cells.filled
        if len(cells.texts):
            lengths = cells.texts.str.len_chars()
            self.longest = max(self.longest, _whole(lengths.max()))
            shortest = _whole(lengths.min())
            self.shortest = shortest if self.shortest is None else min(self.shortest, shortest)
            self.characters += _whole((lengths.cast(pl.UInt64) * cells.counts).sum())
            words = cells.texts.str.count_matches(" ", literal=True).cast(pl.UInt64) + 1
            self.words += _whole((words * cells.counts).sum())
            self.values += _whole(cells.counts.sum())
            hashed = hashes(cells.texts)
            self.distinct.add(hashed)
            if cells.type == "text":
                self.sample.add(cells.texts, hashed)
            self.idle += _whole(cells.counts.filter(idle).sum())
        if len(cells.numbers):
            self._sequence(cells.numbers)

    def _sequence(self, numbers: pl.Series) -> None:
        joined = numbers if self.last is None else pl.concat([pl.Series("n", [self.last]), numbers])
        self.steps += len(joined) - 1
        self.rises += _whole((joined.diff() > 0).sum())
        low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]  # not empty, not null
        self.lowest = low if self.lowest is None else min(self.lowest, low)
        self.highest = high if self.highest is None else max(self.highest, high)
        self.first = float(numbers[0]) if self.first is None else self.first
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
    heard: int = 0  # of the proved, cells that were asked for words that speak for the rule
    supported: int = 0  # of these, cells that hold one
    usual: int = 0  # of the proved, cells that hold nothing but known constants: test numbers, 127.0.0.1
    marked: dict[str, int] = field(default_factory=dict)  # of the proved, cells with a kind of value to be told
    own: int = 0  # of the proved, cells with an address in one of the client's own domains
    distinct: Distinct = field(default_factory=Distinct)
    trials: Trials = field(default_factory=Trials)  # distinct values that were checked
    scores: float = 0.0  # of the patterns of all proved matches together
    scored: int = 0  # matches in that sum
    samples: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    values: dict[str, None] = field(default_factory=dict, repr=False)  # in order; only when somebody asked to see them

    def merge(self, later: RuleTally, reveal: int) -> None:
        """Take in what was counted of the rows behind these, as if they had been added here."""
        for name in (entry.name for entry in fields(self)):
            mine, other = getattr(self, name), getattr(later, name)
            if isinstance(mine, int | float):
                setattr(self, name, mine + other)
            elif isinstance(mine, Distinct):
                mine.merge(other)
        for kind, count in later.marked.items():
            self.marked[kind] = self.marked.get(kind, 0) + count
        new = [sample for sample in later.samples if sample not in self.samples]
        self.samples = (self.samples + new)[:SAMPLES]
        self.where = (self.where + later.where)[:POSITIONS]
        self.values = dict.fromkeys(list(dict.fromkeys([*self.values, *later.values]))[:reveal])

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


@dataclass(frozen=True, slots=True)
class InText:
    """Whom a language model saw named in a sample of a field's running text."""

    model: str  # with its version
    drawn: int  # distinct texts of the field in the sample, whatever they are
    running: int  # of them those that are running text
    likely: int  # of these, those with what is likely a name
    certain: int  # of these, those with what certainly is one
    all: bool  # whether the sample is the whole field
    names: RuleTally = field(repr=False)  # the likely ones: how many different, their masks, those to be revealed


def _whole(number: object) -> int:
    assert isinstance(number, int | float)
    return int(number)


def _edge(choose: Callable[[list[float]], float], *found: float | None) -> float | None:
    return choose(there) if (there := [one for one in found if one is not None]) else None
