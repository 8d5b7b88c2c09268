"""The reading of one relation of PostgreSQL, as far as a plan goes.

A heap is read by ranges of blocks, each in a transaction of its own, so that no lock or snapshot is held while a batch
is looked at, and a reading can go on after any range; the server does not count that as a sequential scan. What has no
heap is read by a cursor, from its start. A sample of a heap is drawn at random (`sample`).

A row that is written while its table is read may be met at its old and at its new place, or at neither.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from mapkeeper.plugin import Asset, Batch, Gap, ReadPlan, Reason, SourceError
from mapkeeper_connectors.sql.columns import BYTES, ROWS, cut_cells
from mapkeeper_connectors.sql.postgres.relation import Heap, relation
from mapkeeper_connectors.sql.postgres.rows import Rows
from mapkeeper_connectors.sql.postgres.sample import Sample
from mapkeeper_connectors.sql.postgres.session import Row, Session

BAD_BLOCKS = 100
"""Blocks that cannot be read, after which a table is given up."""

_FIRST, _MOST = 64, 1024  # blocks of a range: at the start, and at most
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
        self._step = _FIRST
        self._bad_blocks = 0
        self._handed_over = False  # rows of the range that is being read

    def run(self, resume_from: str | None) -> Iterator[Batch | Gap]:
        """Batches and gaps; ``resume_from`` is the heap's oid, the next block, and how many rows came before it."""
        bad_texts = self._session.bad_texts
        yield from self._batches(resume_from)
        columns = self._relation.columns
        if self._bad_blocks:
            says = "blocks of rows that the server cannot read: they are damaged, or hold a value that it cannot show"
            yield Gap(Reason.UNREADABLE, self._bad_blocks, says)
        if columns.denied:
            yield Gap(Reason.DENIED, columns.denied, "columns that this user may not SELECT")
        if self._rows.cut_cells:
            yield cut_cells(self._rows.cut_cells, columns.longest)
        if bad_texts := self._session.bad_texts - bad_texts:
            yield Gap(Reason.UNREADABLE, bad_texts, "texts that are not UTF-8, read as far as they are")
        if self._is_altered():
            yield Gap(Reason.CHANGED, 1, "the table was altered, or written anew, while it was read")

    def _batches(self, resume_from: str | None) -> Iterator[Batch | Gap]:
        read, plan = self._relation, self._plan
        if read.heaps is None:
            yield from self._streamed()
            return
        if plan.rows is None and (plan.bytes is None or read.bytes <= plan.bytes):
            yield from self._whole(resume_from)
            return
        sample = Sample(self._session, self._asset, read, self._rows, plan)
        if not sample.walkable:
            yield from sample.drawn()
            return
        cells = sample.walk()
        fits = (plan.rows is None or len(cells) <= plan.rows) and (plan.bytes is None or read.bytes <= plan.bytes)
        yield from self._whole(resume_from) if fits else sample.picked(cells)

    def _whole(self, resume_from: str | None) -> Iterator[Batch | Gap]:
        """Every row, in the order in which they lie."""
        if not self._session.reads_ranges:
            yield from self._streamed()
            return
        heaps = list(self._relation.heaps or ())
        block = row = 0
        if resume_from is not None:
            oid, block, row = map(int, resume_from.split(":"))
            while heaps and heaps[0].oid != oid:
                del heaps[0]
            if not heaps:
                raise SourceError(Reason.CHANGED, f"{self._asset.name}: a partition is gone; scan again")
        any_rows = resume_from is not None
        for heap in heaps:
            for batch in self._heap(heap, block, row):
                any_rows = True
                yield batch
            block = row = 0
        if not any_rows:
            yield self._rows.batch([], 0)

    def _heap(self, heap: Heap, block: int, row: int) -> Iterator[Batch]:
        while block < heap.blocks:
            end = min(block + self._step, heap.blocks)
            self._handed_over = False
            try:
                for batch in self._range(heap, block, end, row):
                    row += batch.data.num_rows
                    yield batch
            except psycopg.Error as error:
                if self._handed_over or not (error.sqlstate or "").startswith(_OF_ROWS):
                    raise
                if end - block > 1:
                    self._step = 1
                    continue
                self._bad_blocks += 1
                if error.sqlstate == "57014" or self._bad_blocks > BAD_BLOCKS:
                    raise
            block = end

    def _range(self, heap: Heap, block: int, end: int, row: int) -> Iterator[Batch]:
        """The rows of some blocks; what does not fit the bounds of memory comes in several batches."""
        asked, chunk = self._relation.columns.asked, self._relation.columns.chunk
        query = f"SELECT {asked} FROM {heap.source} WHERE ctid >= '({block},0)' AND ctid < '({end},0)'"  # noqa: S608 - quoted
        held: list[Row] = []
        size = all_rows = all_bytes = 0
        for some in self._session.stream(query, chunk):
            rows, bytes_ = self._rows.measured(some)
            held += rows
            size += bytes_
            all_rows, all_bytes = all_rows + len(rows), all_bytes + bytes_
            if len(held) >= 2 * ROWS or size >= 2 * BYTES:
                self._handed_over = True
                yield self._rows.batch(held, size, member=heap.member, first=row + 1)
                row, held, size = row + len(held), [], 0
        fill = max(all_rows / ROWS, all_bytes / BYTES, 1 / 4)
        self._step = max(1, min(_MOST, int((end - block) / fill)))
        if held:
            resume = f"{heap.oid}:{end}:{row + len(held)}"
            yield self._rows.batch(held, size, member=heap.member, first=row + 1, resume=resume)

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
            now = relation(self._session, self._asset)
        except SourceError:
            return True
        return (now.files, now.columns) != (self._relation.files, self._relation.columns)
