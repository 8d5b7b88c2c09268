"""A random sample of the rows in heaps of PostgreSQL, drawn without reading the heaps.

A row lies at a place: the number of its block, and its number in the block. Every row that is to be seen has just one,
and a block has no more than ``most`` of them (`most_rows`). So a place drawn at random holds any row with the same
chance, or none.

As most blocks have far fewer rows, drawing among all ``most`` numbers would miss nearly always. So a few blocks tell
how many they have; of each block that is drawn, one of that many numbers is looked at, and each number above it with
the chance that those below have. Thus every row has the same chance still, whatever the few blocks told: 1 / (blocks x
numbers) at each draw. What they told decides only how often several rows of one block come together: hardly ever. A
place that was found already is not taken again.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate

from mapkeeper.plugin import Asset, Batch, Gap, ReadPlan, Reason
from mapkeeper_connectors.sql.columns import BYTES
from mapkeeper_connectors.sql.postgres.relation import Heap, Relation
from mapkeeper_connectors.sql.postgres.rows import Rows
from mapkeeper_connectors.sql.postgres.session import Row, Session

WALKED = 2048
"""Blocks whose places are all listed to draw among them."""

WALKED_SPARSE = 16384
"""The same, where the server says that they hold few rows."""

ENOUGH_MISSES = 1000
"""Draws after which a heap that gave a row for less than one in `SPARSE` of them is called sparse."""

SPARSE = 20

WINDOW, WINDOWS = 64, 1024
"""Neighbouring blocks that are read together in a sparse heap, and how many times at most."""

_MOST = 1_000_000  # rows that a sample has
_TOLD = 64  # blocks that tell how many rows a block has
_AT_ONCE = 1000  # draws at a time
_PLACES = 20_000  # that are looked at at a time
_CHUNK_BYTES = 1 << 20  # about what is read at a time

Place = int
"""Heap, block and number of a row in one number."""


def most_rows(block_size: int) -> int:
    """Rows that a block can hold: a header of 24 bytes, and for each row a pointer of 4 and a header of 24.

    ``MaxHeapTuplesPerPage`` of PostgreSQL's ``access/htup_details.h``.
    """
    return (block_size - 24) // 28


class Sample:
    """Made anew for each reading."""

    def __init__(self, session: Session, asset: Asset, read: Relation, rows: Rows, plan: ReadPlan) -> None:
        self._session = session
        self._asset = asset
        self._relation = read
        self._heaps: Sequence[Heap] = read.heaps or ()
        self._ends = list(accumulate(heap.blocks for heap in self._heaps))
        self._rows = rows
        self._wanted = min(plan.rows or _MOST, _MOST)
        self._most_bytes = plan.bytes
        self._random = random.Random(f"{plan.seed} {asset.handle}")  # noqa: S311 - a sample, not a secret
        self._found: set[Place] = set()
        self._read = self._bytes = 0
        self._row_bytes = read.bytes / asset.rows if asset.rows else 0.0  # about, until some were read

    @property
    def walkable(self) -> bool:
        """Whether listing all places costs little."""
        few = self._asset.rows is not None and self._asset.rows <= 4 * self._wanted
        return self._relation.blocks <= (WALKED_SPARSE if few else WALKED)

    def walk(self) -> list[Place]:
        """The place of every row, in order."""
        places = []
        for number, heap in enumerate(self._heaps):
            query = f"SELECT ctid FROM {heap.source} WHERE ctid >= '(0,0)'"  # noqa: S608 - quoted
            for some in self._session.stream(query, 1000):
                places += [_place(number, tid) for (tid,) in some]
        return places

    def picked(self, places: Sequence[Place]) -> Iterator[Batch | Gap]:
        """Rows at some of these places, all there are."""
        there = list(dict.fromkeys(places))  # partitions that are seen through their parent share places
        numbered = len(self._heaps) == 1 and len(there) == len(places)
        order = self._random.sample(range(len(there)), min(len(there), self._wanted))
        where = {there[number]: number + 1 for number in order}
        self._row_bytes = self._relation.bytes / len(places) if places else 0.0
        for pairs, size in self._chunks(list(where)):
            yield self._batch(pairs, size, [where[place] for place, _ in pairs] if numbered else None)
        if left := len(places) - self._read:
            yield Gap(Reason.BUDGET, left, "rows left out of the sample")

    def drawn(self) -> Iterator[Batch | Gap]:
        """Rows at places drawn at random."""
        usual = self._usual()
        draws = 0
        while not self._is_full():
            if draws >= ENOUGH_MISSES and self._read * SPARSE < draws:
                if self._session.reads_ranges:
                    yield from self._windows()
                    return
                break
            ratio = max(self._read / draws, 1 / SPARSE) if draws else 1.0
            extra = 1 + most_rows(self._session.block_size) // usual
            count = max(1, min(_AT_ONCE, int(self._few() / ratio), _PLACES // extra))
            draws += count
            ranks = {place: rank for rank in range(count) for place in self._draw(usual)}
            there = self._there(ranks)
            usual = self._raised(usual, there)
            new = sorted((place for place in there if place not in self._found), key=ranks.__getitem__)
            for pairs, size in self._chunks(new):
                yield from self._sampled(pairs, size)
        yield self._left_out()

    def _usual(self) -> int:
        """The number of rows that hardly any block has more of."""
        most = most_rows(self._session.block_size)
        blocks = [self._block() for _ in range(_TOLD)]
        by_heap: dict[int, list[Place]] = defaultdict(list)
        for heap, block in blocks:
            by_heap[heap] += [_packed(heap, block, number) for number in range(1, most + 1)]
        usual = 0
        for heap, places in by_heap.items():
            query = f"SELECT ctid FROM {self._heaps[heap].source} WHERE {_among(places)}"  # noqa: S608 - quoted
            for some in self._session.stream(query, 1000):
                usual = self._raised(usual, [_place(heap, tid) for (tid,) in some])
        return usual or most

    def _raised(self, usual: int, places: Iterable[Place]) -> int:
        """A quarter above the highest number that a row was met at: what is drawn later may hang on that."""
        highest = max((place & 0xFFFF for place in places), default=0)
        return max(usual, min(most_rows(self._session.block_size), highest + highest // 4 + 1 if highest else 0))

    def _draw(self, usual: int) -> Iterator[Place]:
        """The places of one block that are looked at."""
        heap, block = self._block()
        yield _packed(heap, block, 1 + self._random.randrange(usual))
        number = usual
        most = most_rows(self._session.block_size)
        while number < most:
            # How many numbers are passed over until one is taken, each being taken with the chance 1 / usual.
            passed = int(math.log(1 - self._random.random()) / math.log(1 - 1 / usual)) if usual > 1 else 0
            number += 1 + passed
            if number <= most:
                yield _packed(heap, block, number)

    def _block(self) -> tuple[int, int]:
        return self._located(self._random.randrange(self._ends[-1]))

    def _located(self, block: int) -> tuple[int, int]:
        heap = bisect_right(self._ends, block)
        return heap, block - (self._ends[heap - 1] if heap else 0)

    def _windows(self) -> Iterator[Batch | Gap]:
        """Neighbouring blocks from all over a heap in which draws find too little."""
        all_windows = -(-self._ends[-1] // WINDOW)
        for window in self._random.sample(range(all_windows), min(all_windows, WINDOWS)):
            start, end = window * WINDOW, min((window + 1) * WINDOW, self._ends[-1])
            conditions = []
            while start < end:
                heap, block = self._located(start)
                count = min(end, self._ends[heap]) - start
                conditions.append((heap, f"ctid >= '({block},0)' AND ctid < '({block + count},0)'"))
                start += count
            for pairs, size in self._asked(conditions):
                new = [pair for pair in pairs if pair[0] not in self._found]
                self._random.shuffle(new)
                yield from self._sampled(new, size, "blocks spread over the table")
                if self._is_full():
                    yield self._left_out()
                    return
        if not self._read:
            yield self._rows.batch([], 0)
        if all_windows > WINDOWS:
            yield self._left_out()

    def _sampled(self, pairs: list[tuple[Place, Row]], size: int, method: str = "random rows") -> Iterator[Batch]:
        del pairs[self._wanted - self._read :]
        if pairs:
            self._found.update(place for place, _ in pairs)
            yield self._batch(pairs, size, None, method)

    def _left_out(self) -> Gap:
        return Gap(Reason.BUDGET, max(1, (self._asset.rows or 0) - self._read), "rows left out of the sample")

    def _chunks(self, places: Sequence[Place]) -> Iterator[tuple[list[tuple[Place, Row]], int]]:
        """The rows at places in an order drawn before, until the sample is full.

        That is asked after a whole chunk of that order alone: the parts of a chunk come by place, and stopping between
        them would favour the start of the table.
        """
        order = {place: number for number, place in enumerate(places)}
        done = 0
        while done < len(places) and not self._is_full():
            few = self._few()
            for pairs, size in self._at(places[done : done + few]):
                pairs.sort(key=lambda pair: order[pair[0]])
                del pairs[self._wanted - self._read :]  # partitions that are seen through their parent share places
                if pairs:
                    yield pairs, size
            done += few

    def _there(self, places: Collection[Place]) -> list[Place]:
        """Those of these places that hold rows."""
        there: list[Place] = []
        for heap, its in _by_heap(places).items():
            query = f"SELECT ctid FROM {self._heaps[heap].source} WHERE {_among(its)}"  # noqa: S608 - quoted
            for some in self._session.stream(query, 1000):
                there += [_place(heap, tid) for (tid,) in some]
        return list(dict.fromkeys(there))

    def _at(self, places: Collection[Place]) -> Iterator[tuple[list[tuple[Place, Row]], int]]:
        """The rows at these places, as far as there are any; in one part, or more where memory asks for it."""
        yield from self._asked((heap, _among(its)) for heap, its in _by_heap(places).items())

    def _asked(self, conditions: Iterable[tuple[int, str]]) -> Iterator[tuple[list[tuple[Place, Row]], int]]:
        columns = self._relation.columns
        asked = f"ctid, {columns.asked}" if columns.all else "ctid"
        pairs: list[tuple[Place, Row]] = []
        size = 0
        for heap, where in conditions:
            query = f"SELECT {asked} FROM {self._heaps[heap].source} WHERE {where}"  # noqa: S608 - quoted
            for some in self._session.stream(query, columns.chunk):
                rows, bytes_ = self._rows.measured(some, skip=1)
                pairs += [(_place(heap, row[0]), row) for row in rows]
                size += bytes_
                if size >= 2 * BYTES:
                    yield pairs, size
                    pairs, size = [], 0
        if pairs:
            yield pairs, size

    def _batch(
        self, pairs: Sequence[tuple[Place, Row]], size: int, positions: list[int] | None, method: str = "random rows"
    ) -> Batch:
        self._read += len(pairs)
        self._bytes += size
        rows = [row for _, row in pairs]
        return self._rows.batch(rows, size, method, skip=1, random=method == "random rows", positions=positions)

    def _few(self) -> int:
        """How many rows to read at a time: fewer where they are large, so that no chunk goes far beyond the plan."""
        usual = self._bytes / self._read if self._read else max(self._row_bytes, _CHUNK_BYTES / 25)
        few = int(_CHUNK_BYTES / usual) if usual else _AT_ONCE
        return max(1, min(_AT_ONCE, few, self._wanted - self._read))

    def _is_full(self) -> bool:
        return self._read >= self._wanted or (self._most_bytes is not None and self._bytes >= self._most_bytes)


def _packed(heap: int, block: int, number: int) -> Place:
    return heap << 48 | block << 16 | number


def _place(heap: int, tid: str) -> Place:
    block, _, number = tid[1:-1].partition(",")
    return _packed(heap, int(block), int(number))


def _by_heap(places: Iterable[Place]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = defaultdict(list)
    for place in places:
        found[place >> 48].append(place)
    return found


def _among(places: Collection[Place]) -> str:
    tids = ",".join(f'"({place >> 16 & 0xFFFFFFFF},{place & 0xFFFF})"' for place in places)
    return f"ctid = ANY ('{{{tids}}}'::pg_catalog.tid[])"
