"""What the kernel found, put so that an expression sees only the stretches in which it can match."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from mapkeeper.classify.gathering import grouped
from mapkeeper.classify.kernel import BEYOND, NOTHING, UNKNOWN, Places, Stretches
from mapkeeper.classify.passage import Numbers, Passage, Slices
from mapkeeper.classify.segments import Segments
from mapkeeper.classify.shapes import Shapes

_WHITE = np.zeros(256, bool)
_WHITE[[9, 10, 11, 12, 13, 32]] = True

Flags = npt.NDArray[np.bool_]

Aside = tuple[Segments, pl.DataFrame]
"""Segments, and by ``id`` of each the ``holder``: the index of a text that holds it."""


class Judged:
    """Tokens or regions, with what can match in them."""

    def __init__(self, found: Stretches, shapes: Shapes, passage: Passage) -> None:
        self._passage = passage
        new = np.flatnonzero(found.sets == UNKNOWN)
        if len(new):
            hashes, first, inverse = np.unique(found.shape[new], return_index=True, return_inverse=True)
            example = new[first]
            sets = shapes.learn(hashes, passage.gathered(found.start[example], found.stop[example]))
            found.sets[new] = sets[inverse]
        self._shapes = shapes
        self._found = found
        # Sets begin at BEYOND, the least of the kernel's numbers.
        self._order, self._bounds = grouped(found.sets - BEYOND, shapes.count - BEYOND)
        self._kinds = np.arange(BEYOND, shapes.count)
        self._cut: dict[int, tuple[Slices, Numbers]] = {}

    @cached_property
    def _by_expression(self) -> dict[int, list[int]]:
        """Which runs of one set an expression looks at."""
        held: dict[int, list[int]] = {}
        for at in np.flatnonzero(np.diff(self._bounds)):
            if self._kinds[at] > NOTHING:
                for number in self._shapes.members(int(self._kinds[at])):
                    held.setdefault(int(number), []).append(int(at))
        return held

    def of(self, number: int, looks: int, asked: Flags) -> tuple[Slices, Numbers] | None:
        """The stretches that have the look of what an expression matches, and what stands ``looks`` beside them.

        ``asked`` flags all expressions that look so far and are asked for at all: the same for each of them.
        """
        runs = self._by_expression.get(number)
        if not runs:
            return None
        if looks not in self._cut:
            self._cut[looks] = self._sliced(looks, asked)
        slices, firsts = self._cut[looks]
        return slices, np.concatenate([np.arange(firsts[at], firsts[at + 1]) for at in runs])

    def possible(self) -> Iterable[int]:
        """The expressions that can match in any stretch."""
        beyond = self._bounds[1] > self._bounds[0]
        return self._shapes.expressions if beyond else self._by_expression

    def holders(self, number: int) -> npt.NDArray[np.int32]:
        """The texts with a stretch that has the look of what an expression matches, or of nothing that is known."""
        runs = [*self._by_expression.get(number, ()), *np.flatnonzero(self._kinds == BEYOND)]
        places = [self._order[self._bounds[at] : self._bounds[at + 1]] for at in runs]
        return np.unique(self._found.text[np.concatenate(places)]) if places else np.empty(0, np.int32)

    def _sliced(self, looks: int, asked: Flags) -> tuple[Slices, Numbers]:
        """The stretches in which something can match, each once, and the first of each run of one set."""
        found = self._found
        start, stop = self._passage.padded(found.start, found.stop, found.text) if looks else (found.start, found.stop)
        lengths = np.diff(self._bounds)
        wanted = np.zeros(len(lengths), bool)
        for at in np.flatnonzero(lengths):
            wanted[at] = self._kinds[at] > NOTHING and asked[self._shapes.members(int(self._kinds[at]))].any()
        order = self._order[np.repeat(wanted, lengths)]
        slices = self._passage.distinct(start[order], stop[order], self._found.text[order])
        # What is the same has the same shape: in order of sets, the values of one set have codes in a row.
        highest = np.append(0, np.maximum.accumulate(slices.code) + 1)
        return slices, np.append(0, highest[np.cumsum(lengths * wanted)])

    @cached_property
    def beyond(self) -> Aside | None:
        """What shapes say nothing of, as segments, and which texts hold each."""
        at = np.flatnonzero(self._found.sets == BEYOND)
        if not len(at):
            return None
        start, stop = self._passage.padded(self._found.start[at], self._found.stop[at], self._found.text[at])
        pairs = pl.DataFrame(
            {"text": self._passage.gathered(start, stop), "holder": self._passage.ids(self._found.text[at])}
        )
        distinct = pairs.select("text").unique(maintain_order=True).with_row_index("id")
        held = pairs.join(distinct, on="text").select("holder", "id").unique()
        return Segments(distinct.get_column("text")), held


class Words:
    """What stands between white space round the literals that were found, each once."""

    def __init__(self, places: Places, everywhere: Flags, passage: Passage) -> None:
        """``everywhere``: by output of the automaton, whether each of its places was told."""
        told = np.flatnonzero(everywhere[places.output])
        at, text, output = places.at[told], places.text[told], places.output[told]
        white = np.flatnonzero(_WHITE[passage.data])
        next_ = np.searchsorted(white, at)
        ends = np.append(white, len(passage.data))
        starts = np.append(-1, white) + 1
        start = np.maximum(starts[next_], passage.offsets[text])
        stop = np.minimum(ends[next_], passage.offsets[text + 1])
        start, first, word = np.unique(start, return_index=True, return_inverse=True)
        self._slices = passage.distinct(start, stop[first], text[first])
        self._output, self._code = output, self._slices.code[word]

    def of(self, outputs: npt.NDArray[np.int32]) -> tuple[Slices, Numbers] | None:
        """The words that hold any of some literals."""
        held = np.isin(self._output, outputs)
        if not held.any():
            return None
        return self._slices, np.unique(self._code[held])
