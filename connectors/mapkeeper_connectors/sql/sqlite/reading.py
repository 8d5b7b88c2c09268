"""The reading of one asset of a SQLite file, as far as a plan goes.

What fits the plan comes wholly and in order, with positions. Of anything larger

- a table with rowids gives rows drawn at random: by position where rowids have no holes or where it is small enough
  to walk through them, else by rowid, and then without positions, for a rowid may be the value of a key column;
- a table without rowids and a view are read from the start, and the rows at random positions kept; a view that
  takes too long to be counted gives its first rows.

No statement stays open while a batch of a table with rowids is looked at, so its writers never wait for us.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from operator import itemgetter

from mapkeeper.plugin import Asset, Batch, Gap, Kind, ReadPlan, Reason
from mapkeeper_connectors.sql.columns import BYTES, ROWS, cut_cells, record_batch, size
from mapkeeper_connectors.sql.sqlite.point import Point
from mapkeeper_connectors.sql.sqlite.table import Row, Table

WALKED = 1_000_000
"""Rowids that are walked through for the sake of positions."""

STEPS = 200_000_000
"""Instructions of SQLite's machine that a view may take to be counted: some seconds."""

HEAD_STEPS = 5_000_000_000
"""And to give its first rows: a minute or two."""

_MOST = 1_000_000  # rows that a sample has
_SPARSE = 10  # where less than one possible rowid in so many is there, walk rather than guess
_CHUNK = 250  # rows drawn at a time, or less of
_CHUNK_BYTES = 1 << 20


class Reading:
    """Made anew for each reading."""

    def __init__(self, connection: sqlite3.Connection, asset: Asset, plan: ReadPlan) -> None:
        self._connection = connection
        self._asset = asset
        self._plan = plan
        self._table = Table(connection, str(asset.handle), view=asset.kind is Kind.VIEW)
        self._types = self._table.types()
        self._accounted = self._table.bytes_read  # those of names are not its rows'
        self._random = random.Random(f"{plan.seed} {asset.handle}")  # noqa: S311 - a sample, not a secret

    def run(self, at: Point | None) -> Iterator[Batch | Gap]:
        """Batches and gaps; where the asset is read wholly, the rows before a point are left out."""
        rows, known_size, plan = self._asset.rows, self._asset.bytes, self._plan
        whole = plan.rows is None or (rows is not None and rows <= plan.rows)
        whole = whole and (plan.bytes is None or (known_size is not None and known_size <= plan.bytes))
        done = 0
        if whole and at is not None:
            done, self._table.cut_cells, self._table.bad_texts = at.rows, at.cut, at.garbled
        if self._table.rowid is None or rows is None:
            yield from self._streamed(done) if whole else self._picked()
        else:
            yield from self._in_order(done) if whole else self._drawn(rows)
        if self._table.cut_cells:
            yield cut_cells(self._table.cut_cells)
        if self._table.bad_texts:
            yield Gap(Reason.UNREADABLE, self._table.bad_texts, "texts that are not UTF-8, read as far as they are")

    # Wholly

    def _in_order(self, done: int) -> Iterator[Batch]:
        last = None
        if done:
            rowid = self._table.rowid
            found = self._table.select(str(rowid), f"ORDER BY {rowid} LIMIT 1 OFFSET ?", done - 1).fetchone()
            if found is None:
                return
            last = found[0]
        while (rows := self._table.after(last)) or not done:
            yield self._batch(rows, first=done + 1, skip=1)
            if not rows:
                return
            last, done = rows[-1][0], done + len(rows)

    def _streamed(self, done: int) -> Iterator[Batch | Gap]:
        rows: list[Row] = []
        start = self._table.bytes_read
        gap = None
        stream = self._table.stream(done)
        try:
            for row in stream:
                rows.append(row)
                if len(rows) >= ROWS or self._table.bytes_read - start >= BYTES:
                    yield self._batch(rows, first=done + 1)
                    done += len(rows)
                    rows, start = [], self._table.bytes_read
        except sqlite3.DataError:
            gap = Gap(Reason.TOO_LARGE, 1, "rows from about the first one on that has a cell over 64 MiB")
        if rows or not done:
            yield self._batch(rows, first=done + 1)
        if gap is not None:
            yield gap

    # At random

    def _drawn(self, total: int) -> Iterator[Batch | Gap]:
        wanted = min(total, self._plan.rows or _MOST, _MOST)
        rows: list[Row] = []
        read = start = 0
        positions: dict[int, int] | None = None
        for chunk, positions in self._draws(total, wanted):
            for found in self._table.at(chunk):
                if len(found) > wanted - read:
                    found = sorted(self._random.sample(found, wanted - read), key=itemgetter(0))
                rows += found
                read += len(found)
                if len(rows) >= ROWS or self._table.bytes_read - start >= BYTES:
                    yield self._sample(rows, positions)
                    rows, start = [], self._table.bytes_read
            if read >= wanted or self._full():
                break
        if rows or not read:
            yield self._sample(rows, positions)
        if read < total:
            yield Gap(Reason.BUDGET, total - read, "rows left out of the sample")

    def _draws(self, total: int, wanted: int) -> Iterator[tuple[list[int], dict[int, int] | None]]:
        """Distinct rowids in random order, a chunk at a time, and the position of each where that is known."""
        rowid = str(self._table.rowid)
        (low,), (high,) = (self._table.select(f"{end}({rowid})").fetchone() for end in ("min", "max"))
        if low is None:
            return
        span = high - low + 1
        if span != total and total > WALKED and span < total * _SPARSE:
            yield from self._guesses(low, high, wanted, total / span)
            return
        ordinals = self._random.sample(range(total), wanted)
        if span == total:
            where = {low + ordinal: ordinal + 1 for ordinal in ordinals}
        else:
            chosen = set(ordinals)
            walk = enumerate(self._table.select(rowid, f"ORDER BY {rowid}"))
            where = {found: ordinal + 1 for ordinal, (found,) in walk if ordinal in chosen}
        rowids = list(where)
        self._random.shuffle(rowids)  # so that stopping early is still a fair sample
        while rowids:
            few = self._chunk()
            yield rowids[:few], where
            del rowids[:few]

    def _guesses(self, low: int, high: int, wanted: int, density: float) -> Iterator[tuple[list[int], None]]:
        """Numbers that may be rowids, none of them twice."""
        tried: set[int] = set()
        while len(tried) < min(high - low + 1, 4 * wanted / density):
            chunk = {self._random.randint(low, high) for _ in range(self._chunk())} - tried
            tried |= chunk
            yield list(chunk), None

    def _chunk(self) -> int:
        """How many rows to draw at a time: fewer where they are large, so that no chunk goes far beyond the plan."""
        read = self._table.rows_read
        return max(1, min(_CHUNK, _CHUNK_BYTES * read // self._table.bytes_read)) if read else _CHUNK // 10

    def _picked(self) -> Iterator[Batch | Gap]:
        """Rows at random positions of what can only be read from its start."""
        total = self._asset.rows if self._asset.rows is not None else self._count()
        if total is None:
            yield from self._head()
            return
        chosen = set(self._random.sample(range(total), min(total, self._plan.rows or _MOST, _MOST)))
        kept: list[tuple[int, Row]] = []
        held, most = 0, self._plan.bytes or 4 * BYTES
        last = max(chosen, default=-1)
        for ordinal, row in enumerate(islice(self._table.stream(), last + 1)):
            if ordinal not in chosen:
                continue
            kept.append((ordinal, row))
            held += size([row])
            while held > most and len(kept) > 1:  # halve what was chosen, and what is still to come: as fair as before
                chosen = {ordinal for ordinal in sorted(chosen) if self._random.random() < 0.5}
                kept = [(ordinal, row) for ordinal, row in kept if ordinal in chosen]
                held = size([row for _, row in kept])
        whole = len(kept) == total
        for start in range(0, max(len(kept), 1), ROWS):
            part = kept[start : start + ROWS]
            rows, positions = [row for _, row in part], [ordinal + 1 for ordinal, _ in part]
            batch = self._batch(rows, first=start + 1) if whole else self._random_batch(rows, positions)
            yield replace(batch, resume=None)
        if not whole:
            yield Gap(Reason.BUDGET, total - len(kept), "rows left out of the sample")

    def _head(self) -> Iterator[Batch | Gap]:
        """The first rows of a view that nobody could count."""
        rows: list[Row] = []
        done = bytes_before = 0
        with self._at_most(HEAD_STEPS):
            for row in self._table.stream(limit=self._plan.rows or -1):
                rows.append(row)
                full = self._full()
                if len(rows) >= ROWS or self._table.bytes_read - bytes_before >= BYTES or full:
                    yield self._batch(rows, first=done + 1, method="head")
                    done += len(rows)
                    rows, bytes_before = [], self._table.bytes_read
                if full:
                    break
        if rows or not done:
            yield self._batch(rows, first=done + 1, method="head")
            done += len(rows)
        yield Gap(Reason.BUDGET, 1, f"view that takes too long to be counted, read up to row {done:,}")

    def _count(self) -> int | None:
        """The rows of a view; ``None``: it takes too long."""
        try:
            with self._at_most(STEPS):
                count: int = self._table.select("count(*)").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_INTERRUPT":
                raise
            return None
        return count

    @contextmanager
    def _at_most(self, steps: int) -> Iterator[None]:
        """Stop whatever takes more instructions of SQLite's machine; they are counted, as we ask no clock."""
        left = iter(range(100))
        self._connection.set_progress_handler(lambda: next(left, None) is None, steps // 100)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None, 0)

    def _full(self) -> bool:
        """Whether the plan's bytes are used up."""
        return self._plan.bytes is not None and self._table.bytes_read >= self._plan.bytes

    def _sample(self, rows: Sequence[Row], positions: dict[int, int] | None) -> Batch:
        """Rows that begin with their rowid."""
        where = None if positions is None else [positions[row[0]] for row in rows]
        return self._random_batch(rows, where, skip=1)

    def _random_batch(self, rows: Sequence[Row], positions: Sequence[int] | None, *, skip: int = 0) -> Batch:
        data = record_batch(self._table.names, self._types, rows, skip=skip)
        return Batch(data, "random rows", random=True, bytes=self._share(rows), positions=positions)

    def _batch(self, rows: Sequence[Row], *, first: int, method: str = "all", skip: int = 0) -> Batch:
        data = record_batch(self._table.names, self._types, rows, skip=skip)
        point = Point(first - 1 + len(rows), self._table.cut_cells, self._table.bad_texts)
        resume = point.dump() if method == "all" else None
        return Batch(data, method, bytes=self._share(rows), first=first, resume=resume)

    def _share(self, rows: Sequence[Row]) -> int:
        """The bytes of the source that rows are: their share of the table's, where that is known."""
        total, known_size = self._asset.rows, self._asset.bytes
        if total and known_size is not None:
            return known_size * len(rows) // total
        since, self._accounted = self._accounted, self._table.bytes_read
        return self._accounted - since
