"""How a sample of a table or view of MariaDB or MySQL is drawn, without a look at every row of a large one.

- By a key that is one whole number: numbers are drawn, and the rows that have them fetched.
- Else, where the server's statistics call it small: it is read once, and the server passes each row on by chance.
- Else by its key: short ranges of rows, each from a place drawn at random, which is not the same chance for every row.
- Else its first rows.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import pymysql

from mapkeeper.plugin import Asset, ReadPlan, Reason
from mapkeeper_connectors.sql.columns import BYTES, ROWS
from mapkeeper_connectors.sql.mariadb.catalog import Catalog, Relation
from mapkeeper_connectors.sql.mariadb.keys import Key, Value, between
from mapkeeper_connectors.sql.mariadb.session import Row, meaning, size
from mapkeeper_connectors.sql.mariadb.table import Table

SMALL = 256 << 20
"""Bytes by the server's statistics up to which a table is read once for the sake of a sample."""

_MOST = 1_000_000  # rows that a sample has
_CHUNK = 500  # numbers drawn at a time; from 1,000 on MariaDB makes a temporary table of them
_CHUNK_BYTES = 1 << 20
_PROBE = 1000  # numbers tried before it is judged whether there are rows enough
_SPARSE = 20  # where fewer than one number in so many has a row, another way is taken
_RANGE = 50  # rows from one place
_FRUITLESS = 50  # places without a new row, one after the other, after which no more is looked for


class Sample:
    """A sample of one table. ``method`` and ``fair`` hold from the first chunk on, ``left`` after the last."""

    def __init__(self, table: Table, catalog: Catalog, asset: Asset, plan: ReadPlan) -> None:
        self._table = table
        self._catalog = catalog
        self._asset = asset
        self._plan = plan
        self._random = random.Random(f"{plan.seed} {asset.name}")  # noqa: S311 - a sample, not a secret
        self._wanted = min(plan.rows or _MOST, _MOST)
        self._seen = self._weight = 0  # rows met so far, and their bytes
        self.method = "random rows"
        self.fair = True
        self.left = False

    def chunks(self) -> Iterator[list[Row]]:
        """Rows, in chunks that memory bears, until the plan is used up or there are no more."""
        found, done, used = self._found(), 0, 0
        pack: list[Row] = []
        held = 0
        for rows in found:
            for number, row in enumerate(rows, 1):
                pack.append(row)
                weight = size([row])
                done, used, held = done + 1, used + weight, held + weight
                full = done >= self._wanted or (self._plan.bytes is not None and used >= self._plan.bytes)
                if full or len(pack) >= ROWS or held >= BYTES:
                    yield pack
                    pack, held = [], 0
                if full:
                    self.left = self.left or number < len(rows) or any(found)
                    return
        if pack:
            yield pack

    def _found(self) -> Iterator[list[Row]]:
        numbers = next((key for key in self._table.keys if key.whole), None)
        if numbers is not None and (found := self._numbered(numbers)) is not None:
            return iter(found)
        if self._is_small() and (found := self._passed_on()) is not None:
            return iter(found)
        self.fair = False
        if self._table.keys:
            self.left = True
            self.method = "ranges of rows at random keys"
            return self._ranges(self._table.keys[0])
        self.method = "head"
        return self._table.rows(f"LIMIT {self._wanted + 1}", endless=True)

    # By number

    def _numbered(self, key: Key) -> Iterable[list[Row]] | None:
        """The rows of numbers drawn at random; ``None``: too few numbers have one."""
        if (bounds := self._table.bounds(key)) is None:
            return ()
        low, high = bounds
        assert isinstance(low, int)
        assert isinstance(high, int)
        draws = islice(_distinct(self._random, low, high), self._wanted * _SPARSE + _PROBE)
        probed: list[list[Row]] = []
        tried = 0
        while tried < _PROBE and self._weight < BYTES and (few := list(islice(draws, self._step()))):
            probed.append(self._fetched(key, few))
            tried += len(few)
        if tried < high - low + 1 and self._seen * _SPARSE < tried:
            self._seen = self._weight = 0
            return None
        return chain(probed, self._rest(key, draws, high - low + 1 - tried))

    def _rest(self, key: Key, draws: Iterator[int], untried: int) -> Iterator[list[Row]]:
        while few := list(islice(draws, self._step())):
            untried -= len(few)
            yield self._fetched(key, few)
        self.left = untried > 0

    def _fetched(self, key: Key, numbers: list[int]) -> list[Row]:
        rows = [row for rows in self._table.rows(f"WHERE {key.among(numbers)}", numbers, key) for row in rows]
        self._random.shuffle(rows)  # so that to stop among them is still fair
        self._seen += len(rows)
        self._weight += size(rows)
        return rows

    def _step(self, most: int = _CHUNK) -> int:
        """How many rows to ask for at a time: fewer where they are large."""
        if not self._seen:
            return min(most, _CHUNK // 10, self._table.at_once)
        return max(1, min(most, _CHUNK_BYTES * self._seen // max(1, self._weight)))

    # One look at all

    def _is_small(self) -> bool:
        assert isinstance(self._asset.handle, Relation)
        weight = self._catalog.weight(self._asset.handle)
        return weight is not None and weight <= SMALL

    def _passed_on(self) -> list[list[Row]] | None:
        """Rows that the server let through by chance; ``None``: it takes too long to count them."""
        try:
            total = self._table.count()
        except pymysql.Error as error:
            known = meaning(error)
            if known is None or known[0] is not Reason.TIMEOUT:
                raise
            return None
        wanted = min(self._wanted, total)
        share = (wanted + 4 * math.sqrt(wanted) + 4) / max(1, total)  # as good as never too few
        if self._plan.bytes is not None and self._asset.bytes:
            share = min(share, 2 * self._plan.bytes / self._asset.bytes)
        most, chance = self._plan.bytes or 4 * BYTES, 1.0
        kept: list[Row] = []
        held = 0
        seed = self._random.getrandbits(31)
        for rows in self._table.rows("WHERE RAND(%s) < %s", (seed, share)):
            kept += [row for row in rows if chance == 1 or self._random.random() < chance]
            held = size(kept)
            while held > most and len(kept) > 1:  # halve what is kept, and what is still to come: as fair as before
                chance /= 2
                kept = [row for row in kept if self._random.random() < 0.5]
                held = size(kept)
        self._random.shuffle(kept)
        self.left = min(len(kept), wanted) < total
        return [kept[:wanted]]

    # By place

    def _ranges(self, key: Key) -> Iterator[list[Row]]:
        """Short runs of rows from places all over, no row twice."""
        met: set[tuple[Value, ...]] = set()
        known: list[tuple[Value, ...]] = []  # keys of rows, one of each run
        fruitless = 0
        while fruitless < _FRUITLESS:
            place = self._place(key, known)
            if place is None:
                return
            condition, values = key.after(place, included=True)
            few = self._step(max(1, min(_RANGE, self._wanted // _RANGE)))
            new = []
            for rows in self._table.rows(f"WHERE {condition} {key.order} LIMIT {few}", values, key):
                for row in rows:
                    if (found := tuple(self._table.key_of(key, row))) not in met:
                        met.add(found)
                        new.append(row)
            self._seen += len(new)
            self._weight += size(new)
            fruitless = 0 if new else fruitless + 1
            if new:
                known.append(tuple(self._table.key_of(key, self._random.choice(new))))
                yield new

    def _place(self, key: Key, known: list[tuple[Value, ...]]) -> list[Value] | None:
        """A key at random: its first column between least and greatest of all, the next among rows that begin so."""
        place: list[Value] = []
        for number, column in enumerate(key.columns):
            if (bounds := self._table.bounds(key, place)) is None:
                return None
            like = [found[number] for found in known[-_RANGE:]]
            value = between(column, *bounds, [*bounds, *like], self._random)
            there = self._table.next(key, place, value)
            place.append(bounds[1] if there is None else there)
        return place


def _distinct(dice: random.Random, low: int, high: int) -> Iterator[int]:
    """The whole numbers between two, in random order, none twice; drawn as they are asked for."""
    span = high - low + 1
    if span <= sys.maxsize:
        # What was drawn trades places with the last: a shuffle that remembers only what it moved.
        moved: dict[int, int] = {}
        for last in range(span - 1, -1, -1):
            chosen = dice.randint(0, last)
            yield low + moved.get(chosen, chosen)
            moved[chosen] = moved.pop(last, last)
        return
    drawn: set[int] = set()
    while True:
        if (number := dice.randint(low, high)) not in drawn:
            drawn.add(number)
            yield number
