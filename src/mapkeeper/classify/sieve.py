"""Find, for every expression, the few places among very many texts where it can match.

The kernel passes over the texts once; each expression then looks only where its road leads (see `roads`). What the
kernel does not judge - digits, spaces and letters beyond ASCII that change what an expression means, very long tokens -
is kept aside as *segments*, in which every expression looks for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from mapkeeper.classify.candidates import Aside, Judged, Words
from mapkeeper.classify.gathering import grouped
from mapkeeper.classify.kernel import sift
from mapkeeper.classify.literals import Literals
from mapkeeper.classify.passage import Numbers, Passage, Slices
from mapkeeper.classify.patterns import study
from mapkeeper.classify.roads import Road, Route, route
from mapkeeper.classify.segments import Segments
from mapkeeper.classify.shapes import Shapes

_ODD = "[\u017f\u212a\u0130\u0131\x1c-\x1f\x85]|[[\\s\\p{Nd}]&&[^\x00-\x7f]]"
"""What makes a text odd: white space and digits that are not ASCII, letters that ASCII letters are spellings of."""


class Sieve:
    """What is the same for all texts: every expression's road, all shapes and literals."""

    def __init__(self, expressions: Sequence[str], words: Iterable[str] = ()) -> None:
        """Expressions by number; ``words`` are further literals to be found, in small letters."""
        self.routes: tuple[Route, ...] = tuple(map(route, expressions))
        on = {road: [n for n, each in enumerate(self.routes) if each.road is road] for road in Road}
        self.looks = np.array([each.looks for each in self.routes], np.int64)
        self.digits = min((study(expressions[number]).needs.digits for number in on[Road.REGION]), default=1 << 30)
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


class Sifted:
    """Some texts, passed over."""

    def __init__(self, sieve: Sieve, texts: pl.Series) -> None:
        self.texts = texts
        self._sieve = sieve
        self._kept = self._tame()
        passage = self._passage = Passage(texts, self._kept)
        tables = sieve.tokens.table, sieve.regions.table
        found = sift(passage.data, passage.offsets, sieve.literals.automaton, *tables, sieve.digits)
        tokens, regions, self._places = found
        self._tokens = Judged(tokens, sieve.tokens, passage)
        self._regions = Judged(regions, sieve.regions, passage)
        self._lone = Judged(tokens.outside(regions), sieve.tokens, passage)
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
        return self._passage.ids(texts)

    def outputs(self) -> list[int]:
        """The outputs of the automaton that were met; all of them where it did not pass over all texts."""
        if self._kept is not None:
            return list(range(len(self._sieve.literals.automaton.everywhere)))
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
        if road is Road.TOKEN:
            asides.append(self._tokens.beyond)
        if road is Road.REGION:
            asides += [self._lone.beyond, self._regions.beyond]
        yield from (each for each in asides if each is not None)

    def road(self, number: int) -> Road:
        """Where the matches of an expression lie."""
        return self._sieve.routes[number].road

    @cached_property
    def lengths(self) -> npt.NDArray[np.uint32]:
        """Bytes of every text."""
        return self.texts.str.len_bytes().to_numpy()

    def slices(self, number: int) -> Iterator[tuple[Slices, Numbers]]:
        """Where an expression can match: stretches, and which of them."""
        where = self._sieve.routes[number]
        if where.road is Road.WORD:
            found = [self._words.of(self._sieve.outputs[number])]
        else:
            sources = {Road.TOKEN: (self._tokens,), Road.REGION: (self._lone, self._regions)}.get(where.road, ())
            asked = self.wanted & (self._sieve.looks == where.looks)
            found = [source.of(number, where.looks, asked) for source in sources]
        yield from (each for each in found if each is not None)

    def holders(self, number: int) -> npt.NDArray[np.uint32]:
        """The texts in which an expression can match that looks at whole texts."""
        match self.road(number):
            case Road.TEXT:
                return self.ids(self._mentioned(self._sieve.outputs[number]))
            case Road.SEED:
                return self.ids(self._tokens.holders(number))
            case _:
                return self.kept

    def mentioned(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
        """The texts that may hold any of some literals, by index: those, too, that were kept aside."""
        found = self.ids(self._mentioned(outputs))
        return found if self._odd is None else np.append(found, self._odd[1].get_column("holder").to_numpy())

    def _mentioned(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        texts, starts = self._by_output
        held = [texts[starts[output] : starts[output + 1]] for output in outputs if starts[output] < starts[output + 1]]
        return np.unique(np.concatenate(held)) if held else np.empty(0, np.int32)

    @cached_property
    def _by_output(self) -> tuple[npt.NDArray[np.int32], Numbers]:
        order, starts = grouped(self._places.output, len(self._sieve.literals.automaton.everywhere))
        return self._places.text[order], starts

    @cached_property
    def _words(self) -> Words:
        return Words(self._places, self._sieve.literals.automaton.everywhere, self._passage)
