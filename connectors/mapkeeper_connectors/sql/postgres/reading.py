"""The reading of one relation of PostgreSQL, as far as a plan goes.

A heap is read by ranges of blocks, each in a transaction of its own, so that no lock or snapshot is held while a batch
is looked at, and a reading can go on after any batch; the server does not count that as a sequential scan. What has no
heap is read by a cursor, from its start. A sample of a heap is drawn at random (`sample`).

A row that is written while its table is read may be met at its old and at its new place, or at neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg

from mapkeeper.plugin import Asset, Batch, Gap, ReadPlan, Reason, SourceError
from mapkeeper_connectors.sql.columns import BYTES, ROWS, cut_cells
from mapkeeper_connectors.sql.postgres.point import Point
from mapkeeper_connectors.sql.postgres.relation import Heap, relation
from mapkeeper_connectors.sql.postgres.rows import Rows
from mapkeeper_connectors.sql.postgres.sample import Sample
from mapkeeper_connectors.sql.postgres.session import Row, Session

BAD_BLOCKS = 100
"""Blocks that cannot be read, after which a table is given up."""

_MOST = 1024  # blocks of a range
_FETCHED = 200  # rows of a cursor that are asked for first
_OF_ROWS = ("22", "XX", "54", "57014")  # errors that the neighbours of a row or block may not have


class Reading:
    """Made anew for each reading."""

    def __init__(self, session: Session, asset: Asset, plan: ReadPlan) -> None:
        self._session = session
        self._asset = asset
        self._plan = plan
        self._relation = relation(session, asset)
        self._rows = Rows(self._relation.columns)
        self._point = Point(self._relation.state)  # what was given out ends here
        self._bad_texts = 0  # of the session, before this reading

    def run(self, resume_from: str | None) -> Iterator[Batch | Gap]:
        """Batches and gaps; ``resume_from`` is a `Point`."""
        if resume_from is not None:
            self._point = Point.load(resume_from)
        self._recount()
        yield from self._batches(resumed=resume_from is not None)
        columns = self._relation.columns
        if self._point.bad_blocks:
            says = "blocks of rows that the server cannot read: they are damaged, or hold a value that it cannot show"
            yield Gap(Reason.UNREADABLE, self._point.bad_blocks, says)
        if columns.denied:
            yield Gap(Reason.DENIED, columns.denied, "columns that this user may not SELECT")
        if self._rows.cut_cells:
            yield cut_cells(self._rows.cut_cells, columns.longest)
        if bad_texts := self._session.bad_texts - self._bad_texts:
            yield Gap(Reason.UNREADABLE, bad_texts, "texts that are not UTF-8, read as far as they are")
        if self._is_altered():
            yield Gap(Reason.CHANGED, 1, "the table was altered, or written anew, while it was read")

    def _recount(self) -> None:
        """Count no rows but those before the point."""
        self._rows.cut_cells = self._point.cut_cells
        self._bad_texts = self._session.bad_texts - self._point.bad_texts

    def _batches(self, *, resumed: bool) -> Iterator[Batch | Gap]:
        read, plan = self._relation, self._plan
        if resumed:
            yield from self._heaps(self._left())
            return
        if read.heaps is None:
            yield from self._streamed()
            return
        if plan.rows is None and (plan.bytes is None or read.bytes <= plan.bytes):
            yield from self._whole()
            return
        sample = Sample(self._session, self._asset, read, self._rows, plan)
        if not sample.walkable:
            yield from sample.drawn()
            return
        cells = sample.walk()
        fits = (plan.rows is None or len(cells) <= plan.rows) and (plan.bytes is None or read.bytes <= plan.bytes)
        yield from self._whole() if fits else sample.picked(cells)

    def _whole(self) -> Iterator[Batch | Gap]:
        """Every row, in the order in which they lie."""
        if not self._session.reads_ranges:
            yield from self._streamed()
            return
        any_rows = False
        for batch in self._heaps(self._relation.heaps or ()):
            any_rows = True
            yield batch
        if not any_rows:
            yield self._rows.batch([], 0)

    def _left(self) -> Sequence[Heap]:
        """The heaps from the one that the point is in; raises `SourceError` where its rows lie elsewhere by now."""
        heaps = self._relation.heaps or ()
        for number, heap in enumerate(heaps):
            if (heap.oid, heap.file) == (self._point.oid, self._point.file):
                return heaps[number:]
        says = "was written anew, or is made of other parts, since its reading began; scan again"
        raise SourceError(Reason.CHANGED, f"{self._asset.name}: {says}")

    def _heaps(self, heaps: Sequence[Heap]) -> Iterator[Batch]:
        for heap in heaps:
            if heap.oid != self._point.oid:
                self._point.enter(heap.oid, heap.file)
            yield from self._heap(heap)

    def _heap(self, heap: Heap) -> Iterator[Batch]:
        while self._point.block < heap.blocks:
            if not self._point.end:
                self._point.begin(self._point.step, heap.blocks)
            try:
                yield from self._range(heap)
            except psycopg.Error as error:
                if not (error.sqlstate or "").startswith(_OF_ROWS) or (heap.several and self._point.number):
                    raise
                self._recount()
                point = self._point
                if point.end - point.block > 1:
                    point.step = 1
                    point.begin(1, heap.blocks)
                    continue
                point.bad_blocks += 1
                if error.sqlstate == "57014" or point.bad_blocks > BAD_BLOCKS:
                    raise
                point.leave(point.end)

    def _range(self, heap: Heap) -> Iterator[Batch]:
        """The rows of some blocks; what does not fit the bounds of memory comes in several batches."""
        asked, chunk = self._relation.columns.asked, self._relation.columns.chunk
        here = self._point.copy()  # moves on with what is held
        after = f"> '({here.block},{here.number})'" if here.number else f">= '({here.block},0)'"
        query = (
            f"SELECT {', '.join(filter(None, ('ctid', asked)))} FROM {heap.source}"  # noqa: S608 - quoted
            f" WHERE ctid {after} AND ctid < '({here.end},0)'"
        )
        held: list[Row] = []
        size = 0
        for some in self._session.stream(query, chunk):
            if len(held) >= 2 * ROWS or size >= 2 * BYTES:
                yield self._given(heap, here, held, size)
                held, size = [], 0
            rows, bytes_ = self._rows.measured(some, skip=1)
            held += rows
            size += bytes_
            here.block, here.number = map(int, some[-1][0][1:-1].split(","))
            here.range_rows, here.range_bytes = here.range_rows + len(rows), here.range_bytes + bytes_
            here.row += len(rows)
            here.cut_cells, here.bad_texts = self._rows.cut_cells, self._session.bad_texts - self._bad_texts
        fill = max(here.range_rows / ROWS, here.range_bytes / BYTES, 1 / 4)
        here.step = max(1, min(_MOST, int((here.end - here.start) / fill)))
        here.leave(here.end)
        if held:
            yield self._given(heap, here, held, size)
        self._point = here

    def _given(self, heap: Heap, here: Point, held: Sequence[Row], size: int) -> Batch:
        """A batch of the rows before this point."""
        self._point = here.copy()
        # Places within a range do not tell where a reading of several heaps stands, which come one after the other.
        resume = None if heap.several and here.number else here.dump()
        first = here.row - len(held) + 1
        return self._rows.batch(held, size, skip=1, member=heap.member, first=first, resume=resume)

    def _streamed(self) -> Iterator[Batch | Gap]:
        """Rows from the start, as far as the plan goes; nothing orders them, so that they have no positions."""
        plan, columns = self._plan, self._relation.columns
        limit = "" if plan.rows is None else f" LIMIT {plan.rows + 1}"  # one more tells whether there are more
        query = f"SELECT {columns.asked} FROM {self._relation.source}{limit}"  # noqa: S608 - quoted
        held: list[Row] = []
        size = done = read = got = 0
        wanted, ended, more = _FETCHED, False, False
        with self._session.transaction():
            self._session.run(f"DECLARE rows NO SCROLL CURSOR FOR {query}")
            while not ended:
                before = got
                for some in self._session.stream(f"FETCH {wanted} FROM rows", columns.chunk):
                    if size >= 2 * BYTES:
                        yield self._rows.batch(held, size, self._method(done, False))
                        done, held, size = done + len(held), [], 0
                    rows, bytes_ = self._rows.measured(some)
                    held += rows
                    got, size, read = got + len(rows), size + bytes_, read + bytes_
                ended = got - before < wanted
                wanted = max(1, min(ROWS, wanted * 4, got * BYTES // max(1, read)))
                if plan.rows is not None and got > plan.rows:
                    ended = more = True
                    held.pop()
                elif plan.bytes is not None and read >= plan.bytes and not ended:
                    ended, more = True, bool(self._session.rows("FETCH 1 FROM rows"))
                if held or not done:
                    yield self._rows.batch(held, size, self._method(done, ended and not more))
                    done, held, size = done + len(held), [], 0
        if more:
            yield Gap(Reason.BUDGET, 1, "rows after the first ones; nothing numbers them, so that none can be drawn")

    def _method(self, done: int, ended: bool) -> str:
        unlimited = self._plan.rows is None and self._plan.bytes is None
        return "all" if unlimited or (ended and not done) else "head"

    def _is_altered(self) -> bool:
        try:
            return relation(self._session, self._asset).state != self._point.state
        except SourceError:
            return True
