"""Find, for every expression, the few places among very many texts where it can match.

The kernel passes over the texts once; each expression then looks only where its road leads (see `roads`). What the kernel
does not judge - digits, spaces and letters beyond ASCII that change what an expression means, very long tokens - is
kept aside as *segments*, in which every expression looks for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from mapkeeper.classify.kernel import BEYOND, NOTHING, UNKNOWN, Places, Stretches, distinct, gathered, grouped, sift
from mapkeeper.classify.literals import Literals
from mapkeeper.classify.patterns import Study
from mapkeeper.classify.roads import Road, Route, route
from mapkeeper.classify.segments import Segments
from mapkeeper.classify.shapes import Shapes

_ODD = "[\u017f\u212a\u0130\u0131\x1c-\x1f\x85]|[^\x00-\x7f&&[\\s\\p{Nd}]]"
"""What makes a text odd: white space and digits that are not ASCII, letters that ASCII letters are spellings of."""

_WHITE = np.zeros(256, bool)
_WHITE[[9, 10, 11, 12, 13, 32]] = True

Numbers = npt.NDArray[np.int64]

Aside = tuple[Segments, pl.DataFrame]
"""Segments, and by ``id`` of each the ``holder``: the index of a text that holds it."""


class Sieve:
    """What is the same for all texts: every expression's road, all shapes and literals."""

    def __init__(self, studies: Sequence[Study], words: Iterable[str] = ()) -> None:
        """Expressions by number; ``words`` are further literals to be found, in small letters."""
        self.routes: tuple[Route, ...] = tuple(map(route, studies))
        on = {road: [n for n, each in enumerate(self.routes) if each.road is road] for road in Road}
        self.looks = np.array([each.looks for each in self.routes], np.int64)
        self.digits = min((studies[number].needs.digits for number in on[Road.REGION]), default=1 << 30)
        alone = [*on[Road.TOKEN], *on[Road.REGION], *on[Road.SEED]]
        self.tokens = Shapes([(number, self.routes[number].shape) for number in alone])
        self.regions = Shapes([(number, self.routes[number].shape) for number in on[Road.REGION]])
        self.literals = Literals(
            (literal for number in on[Road.WORD] for literal in self.routes[number].literals),
            [*words, *(literal for number in on[Road.TEXT] for literal in self.routes[number].literals)],
        )
        self.always = on[Road.EVERY]
        self.outputs = {n: self.literals.outputs(self.routes[n].literals) for n in (*on[Road.WORD], *on[Road.TEXT])}
        self.told: dict[int, list[int]] = {}
        for number, outputs in self.outputs.items():
            for output in outputs:
                self.told.setdefault(int(output), []).append(number)

    def sift(self, texts: pl.Series) -> Sifted:
        """Pass over some texts."""
        return Sifted(self, texts)


@dataclass(frozen=True, slots=True)
class Slices:
    """Stretches of text, each once, and where they stand."""

    values: pl.Series  # distinct
    code: Numbers  # of each place as it came, into ``values``
    text: npt.NDArray[np.int32]  # of each place, in order of the values
    starts: Numbers  # of each value among these

    def among(self, codes: Numbers, texts: npt.NDArray[np.bool_]) -> Numbers:
        """Those of some values that stand in any of some texts."""
        which, text = self.places(codes)
        held = np.zeros(len(codes), bool)
        held[which[texts[text]]] = True
        return codes[held]

    def places(self, codes: Numbers) -> tuple[Numbers, npt.NDArray[np.int32]]:
        """Where some values stand: for each place which of ``codes``, and the text."""
        first, last = self.starts[codes], self.starts[codes + 1]
        counts = last - first
        which = np.repeat(np.arange(len(codes)), counts)
        offset = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        return which, self.text[first[which] + offset]


class Sifted:
    """Some texts, passed over."""

    def __init__(self, sieve: Sieve, texts: pl.Series) -> None:
        self.texts = texts
        self._sieve = sieve
        self._kept = self._tame()
        kept = texts if self._kept is None else texts.gather(self._kept)
        array = pa.concat_arrays([kept.to_arrow()]) if len(kept) else pa.array([], pa.large_string())
        array = array.cast(pa.large_string())
        _, offsets, data = array.buffers()
        self.offsets = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
        self.data = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
        found = sift(
            self.data, self.offsets, sieve.literals.automaton, sieve.tokens.table, sieve.regions.table, sieve.digits
        )
        tokens, regions, self._places = found
        self._tokens = _Judged(tokens, sieve.tokens, self)
        self._regions = _Judged(regions, sieve.regions, self)
        self.wanted = np.ones(len(sieve.routes), bool)

    def __repr__(self) -> str:
        return f"Sifted({len(self.texts)})"

    def _tame(self) -> Numbers | None:
        """The texts that the kernel can judge, by index; ``None`` where it is all of them."""
        plain = self.texts.str.len_bytes() == self.texts.str.len_chars()
        odd = self.texts.str.contains(_ODD) if not plain.all() else self.texts.str.contains("[\x1c-\x1f]")
        return (~odd).arg_true().to_numpy().astype(np.int64) if odd.any() else None

    def ids(self, texts: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
        """The indices of some texts, given by the order in which they were passed over."""
        return (texts if self._kept is None else self._kept[texts]).astype(np.uint32)

    def outputs(self) -> list[int]:
        """The outputs of the automaton that were met."""
        _, starts = self._by_output
        return [int(output) for output in np.flatnonzero(np.diff(starts))]

    def possible(self) -> set[int]:
        """The expressions that can match at all."""
        found = set(self._sieve.always)
        if self._kept is not None:
            return set(range(len(self._sieve.routes)))
        found.update(self._tokens.possible(), self._regions.possible())
        for output in self.outputs():
            found.update(self._sieve.told.get(output, ()))
        return found

    def kept_of(self, texts: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Flags of all texts for those that the kernel judged, in the order in which they were passed over."""
        return texts if self._kept is None else texts[self._kept]

    @cached_property
    def kept(self) -> npt.NDArray[np.uint32]:
        """The indices of the texts that the kernel judged."""
        return np.arange(len(self.texts), dtype=np.uint32) if self._kept is None else self._kept.astype(np.uint32)

    @cached_property
    def _odd(self) -> Aside | None:
        """The texts that were kept aside."""
        if self._kept is None:
            return None
        held = np.ones(len(self.texts), bool)
        held[self._kept] = False
        numbers = pl.Series("holder", np.flatnonzero(held).astype(np.uint32))
        return Segments(self.texts.gather(numbers)), pl.DataFrame({"holder": numbers}).with_row_index("id")

    def aside(self, number: int) -> Iterator[Aside]:
        """What an expression has to look at by itself: segments, and which texts hold each."""
        asides = [self._odd]
        road = self.road(number)
        if road in (Road.TOKEN, Road.REGION):
            asides.append(self._tokens.beyond)
        if road is Road.REGION:
            asides.append(self._regions.beyond)
        yield from (each for each in asides if each is not None)

    def road(self, number: int) -> Road:
        """Where the matches of an expression lie."""
        return self._sieve.routes[number].road

    @cached_property
    def lengths(self) -> npt.NDArray[np.uint32]:
        """Bytes of every text."""
        return self.texts.str.len_bytes().to_numpy()

    def gathered(self, start: Numbers, stop: Numbers) -> pl.Series:
        """Stretches of the bytes as texts."""
        data, offsets = gathered(self.data, start, stop)
        array = pa.LargeStringArray.from_buffers(len(start), pa.py_buffer(offsets), pa.py_buffer(data))
        return pl.Series("text", array)

    def distinct(self, start: Numbers, stop: Numbers, text: npt.NDArray[np.int32]) -> Slices:
        """Stretches of the bytes, each value once."""
        code, first, order, starts = distinct(self.data, start, stop)
        return Slices(self.gathered(start[first], stop[first]), code, text[order], starts)

    def asked(self, looks: int) -> npt.NDArray[np.bool_]:
        """The expressions that are wanted and look so far."""
        return self.wanted & (self._sieve.looks == looks)

    def padded(self, start: Numbers, stop: Numbers, text: npt.NDArray[np.int32]) -> tuple[Numbers, Numbers]:
        """Stretches with a character more on either side, as far as their texts go."""
        return np.maximum(start - 1, self.offsets[text]), np.minimum(stop + 1, self.offsets[text + 1])

    def slices(self, number: int) -> Iterator[tuple[Slices, Numbers]]:
        """Where an expression can match: stretches, and which of them."""
        where = self._sieve.routes[number]
        sources: list[_Judged | _Words] = []
        if where.road in (Road.TOKEN, Road.REGION):
            sources.append(self._tokens)
        if where.road is Road.REGION:
            sources.append(self._regions)
        if where.road is Road.WORD:
            sources.append(self._words)
        for source in sources:
            found = source.of(number, where)
            if found is not None:
                yield found

    def holders(self, number: int) -> npt.NDArray[np.uint32]:
        """The texts in which an expression can match that looks at whole texts."""
        match self.road(number):
            case Road.TEXT:
                return self.mentioned(self._sieve.outputs[number])
            case Road.SEED:
                return self.ids(self._tokens.holders(number))
            case _:
                return self.kept

    def mentioned(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
        """The texts that hold any of some literals, by index, in order."""
        texts, starts = self._by_output
        held = [texts[starts[output] : starts[output + 1]] for output in outputs if starts[output] < starts[output + 1]]
        if not held:
            return np.empty(0, np.uint32)
        return self.ids(np.unique(np.concatenate(held)))

    @cached_property
    def _by_output(self) -> tuple[npt.NDArray[np.int32], Numbers]:
        order, starts = grouped(self._places.output, len(self._sieve.literals.automaton.everywhere))
        return self._places.text[order], starts

    @cached_property
    def _words(self) -> _Words:
        return _Words(self._places, self._sieve, self)


class _Judged:
    """Tokens or regions, with what can match in them."""

    def __init__(self, found: Stretches, shapes: Shapes, sifted: Sifted) -> None:
        self._sifted = sifted
        new = np.flatnonzero(found.sets == UNKNOWN)
        if len(new):
            hashes, first, inverse = np.unique(found.shape[new], return_index=True, return_inverse=True)
            example = new[first]
            sets = shapes.learn(hashes, sifted.gathered(found.start[example], found.stop[example]))
            found.sets[new] = sets[inverse]
        self._shapes = shapes
        self._found = found
        # Sets begin at BEYOND, the least of the kernel's numbers.
        self._order, self._bounds = grouped(found.sets - BEYOND, shapes.count - BEYOND)
        self._kinds = np.arange(BEYOND, shapes.count)

    @cached_property
    def _by_expression(self) -> dict[int, list[int]]:
        """Which runs of one set an expression looks at."""
        held: dict[int, list[int]] = {}
        for at in np.flatnonzero(np.diff(self._bounds)):
            if self._kinds[at] > NOTHING:
                for number in self._shapes.members(int(self._kinds[at])):
                    held.setdefault(int(number), []).append(int(at))
        return held

    def of(self, number: int, where: Route) -> tuple[Slices, Numbers] | None:
        """The stretches that have the look of what an expression matches."""
        runs = self._by_expression.get(number)
        if not runs:
            return None
        slices, firsts = self._padded if where.looks else self._bare
        codes = np.concatenate([np.arange(firsts[at], firsts[at + 1]) for at in runs])
        return slices, codes

    def possible(self) -> Iterable[int]:
        """The expressions that can match in any stretch."""
        beyond = self._bounds[1] > self._bounds[0]
        return self._shapes.expressions if beyond else self._by_expression

    def holders(self, number: int) -> npt.NDArray[np.int32]:
        """The texts with a stretch that has the look of what an expression matches, or of nothing that is known."""
        runs = [*self._by_expression.get(number, ()), *np.flatnonzero(self._kinds == BEYOND)]
        places = [self._order[self._bounds[at] : self._bounds[at + 1]] for at in runs]
        return np.unique(self._found.text[np.concatenate(places)]) if places else np.empty(0, np.int32)

    @cached_property
    def _bare(self) -> tuple[Slices, Numbers]:
        return self._sliced(self._found.start, self._found.stop, looks=0)

    @cached_property
    def _padded(self) -> tuple[Slices, Numbers]:
        return self._sliced(*self._sifted.padded(self._found.start, self._found.stop, self._found.text), looks=1)

    def _sliced(self, start: Numbers, stop: Numbers, looks: int) -> tuple[Slices, Numbers]:
        """The stretches in which something can match, each once, and the first of each run of one set."""
        asked = self._sifted.asked(looks)
        lengths = np.diff(self._bounds)
        wanted = [
            bool(length) and kind > NOTHING and bool(asked[self._shapes.members(kind)].any())
            for kind, length in zip(self._kinds, lengths, strict=True)
        ]
        order = self._order[np.repeat(wanted, lengths)]
        slices = self._sifted.distinct(start[order], stop[order], self._found.text[order])
        # What is the same has the same shape: in order of sets, the values of one set have codes in a row.
        highest = np.append(0, np.maximum.accumulate(slices.code) + 1)
        return slices, np.append(0, highest[np.cumsum(lengths * np.array(wanted))])

    @cached_property
    def beyond(self) -> Aside | None:
        """What shapes say nothing of, as segments, and which texts hold each."""
        at = np.flatnonzero(self._found.sets == BEYOND)
        if not len(at):
            return None
        start, stop = self._sifted.padded(self._found.start[at], self._found.stop[at], self._found.text[at])
        pairs = pl.DataFrame(
            {"text": self._sifted.gathered(start, stop), "holder": self._sifted.ids(self._found.text[at])}
        )
        distinct = pairs.select("text").unique(maintain_order=True).with_row_index("id")
        held = pairs.join(distinct, on="text").select("holder", "id").unique()
        return Segments(distinct.get_column("text")), held


class _Words:
    """What stands between white space round the literals that were found, each once."""

    def __init__(self, places: Places, sieve: Sieve, sifted: Sifted) -> None:
        wanted = np.flatnonzero(sieve.literals.automaton.everywhere[places.output])
        at, text, output = places.at[wanted], places.text[wanted], places.output[wanted]
        white = np.flatnonzero(_WHITE[sifted.data])
        next_ = np.searchsorted(white, at)
        ends = np.append(white, len(sifted.data))
        starts = np.append(-1, white) + 1
        start = np.maximum(starts[next_], sifted.offsets[text])
        stop = np.minimum(ends[next_], sifted.offsets[text + 1])
        start, first, word = np.unique(start, return_index=True, return_inverse=True)
        self._slices = sifted.distinct(start, stop[first], text[first])
        self._output, self._code = output, self._slices.code[word]
        self._outputs = sieve.outputs

    def of(self, number: int, _: Route) -> tuple[Slices, Numbers] | None:
        """The words that hold any of an expression's literals."""
        held = np.isin(self._output, self._outputs[number])
        if not held.any():
            return None
        return self._slices, np.unique(self._code[held])
