"""Find what every expression matches in very many texts, looking only where it can match.

The kernel passes over the texts once; each expression is then run from the places on to which its road leads (see
`roads`). What the machine cannot run, or gives up, is left to Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mapkeeper.classify.assembling import assembled
from mapkeeper.classify.gathering import Ints, Small, grouped
from mapkeeper.classify.hits import Flags, Hits
from mapkeeper.classify.hits import Texts as TextIds
from mapkeeper.classify.jobs import Jobs, Matches, Texts
from mapkeeper.classify.kernel import UNKNOWN, Stretches, sift
from mapkeeper.classify.literals import Literals
from mapkeeper.classify.machine import matches
from mapkeeper.classify.passage import Passage
from mapkeeper.classify.patterns import MANY
from mapkeeper.classify.program import program
from mapkeeper.classify.roads import Road, route
from mapkeeper.classify.search import Gates, Told, Wanted, anywhere, at_literals, in_stretches, jobs
from mapkeeper.classify.shapes import Shapes

_LOOSE = "[\u017f\u212a\u0130\u0131]|[\\p{Nd}&&[^0-9]]"
"""Letters that ASCII letters are spellings of, and digits beyond ASCII: shapes and literals say nothing of them."""

FITS, LEFT = 1, -1
"""What is said of a text that a form describes from end to end, and of one that is left to Python."""


class Sieve:
    """What is the same for all texts: every expression's road and program, all shapes and literals."""

    def __init__(self, expressions: Sequence[str], words: Iterable[str] = (), forms: Sequence[str] = ()) -> None:
        """Expressions by number.

        ``words`` are further literals to be found, in small letters; ``forms`` are expressions, by numbers of their
        own, that describe texts from end to end.
        """
        self.count = len(expressions)
        routes = self.routes = tuple(map(route, expressions))
        programs = [program(expression) for expression in expressions]
        self.foreign = frozenset(number for number, each in enumerate(programs) if each is None)
        """The expressions that only Python can run."""
        self.code = assembled(programs)
        shown = [program(form, whole=True) for form in forms]
        self.forms = assembled(shown)
        self.foreign_forms = frozenset(number for number, each in enumerate(shown) if each is None)
        on = {
            road: [n for n, each in enumerate(routes) if each.road is road and n not in self.foreign] for road in Road
        }
        self.gates = Gates(
            np.array([each.digits for each in routes], np.int32),
            np.array([each.road is Road.REGION for each in routes], np.bool_),
            np.array([-1 if each.reach is None else each.reach for each in routes], np.int32),
            np.array([each.road in (Road.TEXT, Road.MIXED) for each in routes], np.bool_),
        )
        self.digits = min((routes[number].digits for number in on[Road.REGION]), default=1 << 30)
        alone = [*on[Road.TOKEN], *on[Road.REGION], *on[Road.SEED], *on[Road.MIXED]]
        self.tokens = Shapes([(number, routes[number].shape) for number in alone])
        self.regions = Shapes([(number, routes[number].shape) for number in on[Road.REGION]])
        self.by_literal = np.array([*on[Road.WORD], *on[Road.TEXT], *on[Road.MIXED]], np.int32)
        self.mixed = np.zeros(self.count, np.bool_)
        self.mixed[on[Road.MIXED]] = True
        self.literals = Literals((literal for number in self.by_literal for literal in routes[number].literals), words)
        told: list[list[tuple[int, int, int]]] = [[] for _ in self.literals.automaton.everywhere]
        for number in map(int, self.by_literal):
            for output, (near, far) in self.literals.told(routes[number].literals).items():
                told[output].append((number, near, MANY if far is None else far))
        rows = np.array([each for row in told for each in row], np.int32).reshape(-1, 3)
        self.told = Told(_starts(told), *np.ascontiguousarray(rows.T))
        self.always = np.array(on[Road.EVERY], np.int32)

    def sift(self, texts: pl.Series) -> Sifted:
        """Pass over some texts."""
        return Sifted(self, texts)


class Sifted:
    """Some texts, passed over."""

    def __init__(self, sieve: Sieve, texts: pl.Series) -> None:
        self.texts = texts
        self.sieve = sieve
        plain = texts.str.len_bytes() == texts.str.len_chars()
        loose = (~plain & texts.str.contains(_LOOSE)).to_numpy()
        passage = self._passage = Passage(texts)
        self._texts = Texts(passage.data, passage.offsets, plain.to_numpy(), loose)
        sieve.tokens.make_room()
        sieve.regions.make_room()
        tables = sieve.tokens.table, sieve.regions.table
        tokens, regions, self._places = sift(
            passage.data, passage.offsets, sieve.literals.automaton, *tables, sieve.digits
        )
        self._tokens, self._regions = self._known(tokens, sieve.tokens), self._known(regions, sieve.regions)

    def __repr__(self) -> str:
        return f"Sifted({len(self.texts)})"

    def _known(self, stretches: Stretches, shapes: Shapes) -> Stretches:
        """The same, with the sets of shapes that were not known."""
        new = np.flatnonzero(stretches.sets == UNKNOWN)
        if len(new):
            hashes, first, inverse = np.unique(stretches.shape[new], return_index=True, return_inverse=True)
            example = new[first]
            sets = shapes.learn(hashes, self._passage.gathered(stretches.start[example], stretches.stop[example]))
            stretches.sets[new] = sets[inverse]
        return stretches

    def outputs(self) -> Iterable[int]:
        """The outputs of the automaton that were met; all of them where a text can hold words otherwise spelled."""
        if self._texts.loose.any():
            return range(len(self.sieve.literals.automaton.everywhere))
        return (int(output) for output in np.flatnonzero(np.diff(self._by_output[1])))

    def mentioned(self, outputs: Small) -> TextIds:
        """The texts that may hold any of some literals, by index."""
        texts, starts = self._by_output
        held = [texts[starts[output] : starts[output + 1]] for output in outputs if starts[output] < starts[output + 1]]
        loose = np.flatnonzero(self._texts.loose)  # they may hold words that were not found
        return np.unique(np.concatenate([loose, *held])).astype(np.uint32)

    @cached_property
    def _by_output(self) -> tuple[Small, Ints]:
        order, starts = grouped(self._places.output, len(self.sieve.literals.automaton.everywhere))
        return self._places.text[order], starts

    def search(self, asked: Flags | None = None, among: Mapping[int, Flags] | None = None) -> Found:
        """Everything that the expressions ``asked`` for match, some of them only ``among`` some texts."""
        count = self.sieve.count
        asked = np.ones(count, bool) if asked is None else asked
        among = among or {}
        row = np.full(count, -1, np.int32)
        row[list(among)] = np.arange(len(among))
        rows = np.array(list(among.values()), np.bool_).reshape(len(among), len(self.texts))
        return Found(self, self._passage, self._run(Wanted(asked, row, rows)))

    def fitting(self, form: int) -> npt.NDArray[np.int8]:
        """Which texts a form describes from end to end: `FITS`, `LEFT` to Python, or 0."""
        count, starts = len(self.texts), self._texts.offsets[:-1]
        if form in self.sieve.foreign_forms:
            return np.full(count, LEFT, np.int8)
        every = Jobs(np.full(count, form, np.int32), np.arange(count, dtype=np.int32), starts, starts)
        done = matches(self.sieve.forms, self._texts, every)
        said = np.zeros(count, np.int8)
        said[done.text] = np.where(done.program == form, FITS, LEFT)
        return said

    def _run(self, wanted: Wanted) -> Matches:
        sieve, texts, tokens, regions, places = self.sieve, self._texts, self._tokens, self._regions, self._places
        gates = sieve.gates
        lone, alone = tokens.outside(regions), np.ones(len(regions.text), np.bool_)
        every, loose = np.arange(len(texts.plain)), np.flatnonzero(texts.loose)
        parts = [
            *(
                jobs(len(each.text), in_stretches, texts, each, free, known.sets, known.able, gates, wanted)
                for known, each, free in ((sieve.tokens, tokens, lone), (sieve.regions, regions, alone))
            ),
            jobs(len(places.text), at_literals, texts, places, sieve.told, gates, wanted),
            jobs(0, anywhere, texts, sieve.always, every, wanted),
            jobs(0, anywhere, texts, sieve.by_literal, loose, wanted),
        ]
        parts = _in_order(parts, sieve.mixed)
        done = [matches(sieve.code, texts, part) for part in parts]
        programs, where, starts, stops = zip(*done, strict=True)
        return Matches(np.concatenate(programs), np.concatenate(where), np.concatenate(starts), np.concatenate(stops))


class Found:
    """What expressions matched in some texts."""

    def __init__(self, sifted: Sifted, passage: Passage, matches: Matches) -> None:
        self.sifted = sifted
        self._passage = passage
        self._matches = matches
        self._count = sifted.sieve.count
        self._order, self._starts = grouped(matches.program + self._count, 2 * self._count)

    def __repr__(self) -> str:
        return f"Found({len(self._order)})"

    def met(self) -> set[int]:
        """The expressions that matched anywhere, or that Python has to be asked for."""
        kinds = np.flatnonzero(np.diff(self._starts)) - self._count
        return {int(kind) if kind >= 0 else -1 - int(kind) for kind in kinds}.union(self.sifted.sieve.foreign)

    def hits(self, number: int) -> Hits | None:
        """What the machine found of an expression; ``None``: nothing."""
        at = self._at(number)
        if not len(at):
            return None
        text, start, stop = self._matches.text[at], self._matches.start[at], self._matches.stop[at]
        values, value = self._passage.distinct(start, stop)
        return Hits(
            values, np.zeros(len(values)), text.astype(np.uint32), value, self._passage.whole(text, start, stop)
        )

    def left(self, number: int) -> npt.NDArray[np.integer[Any]]:
        """The texts in which Python has to look for an expression, by index."""
        if number in self.sifted.sieve.foreign:
            return np.arange(len(self.sifted.texts))
        return np.unique(self._matches.text[self._at(-1 - number)])

    def _at(self, kind: int) -> Ints:
        return self._order[self._starts[kind + self._count] : self._starts[kind + self._count + 1]]


def _in_order(parts: Sequence[Jobs], mixed: Flags) -> list[Jobs]:
    """The same, with the jobs of programs that have several kinds of them as one more part, in order of the bytes."""
    several = [mixed[part.program] for part in parts]
    joined = _joined([part.at(flags) for part, flags in zip(parts, several, strict=True)])
    rest = [part.at(~flags) if flags.any() else part for part, flags in zip(parts, several, strict=True)]
    return [*rest, joined.at(np.argsort(joined.low, kind="stable"))]


def _joined(parts: Sequence[Jobs]) -> Jobs:
    programs, texts, lows, highs = zip(*parts, strict=True)
    return Jobs(np.concatenate(programs), np.concatenate(texts), np.concatenate(lows), np.concatenate(highs))


def _starts(rows: Sequence[Sequence[object]]) -> Ints:
    """Where each of some rows begins that stand one behind the other."""
    return np.cumsum([0, *map(len, rows)]).astype(np.int64)
