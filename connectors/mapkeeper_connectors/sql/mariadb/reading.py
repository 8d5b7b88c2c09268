"""The reading of one table or view of MariaDB or MySQL, as far as a plan goes.

Wholly: by its key, some thousand rows a statement, each a short transaction of its own; without a key in one stream.
What is larger than the plan is sampled, see `mapkeeper_connectors.sql.mariadb.sample`. No row of a sample has a
position: a key may be personal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pymysql

from mapkeeper.plugin import Asset, Batch, Gap, ReadPlan, Reason, SourceError
from mapkeeper_connectors.sql.columns import BYTES, ROWS, cut_cells
from mapkeeper_connectors.sql.mariadb.catalog import Catalog, Relation
from mapkeeper_connectors.sql.mariadb.columns import Losses, record_batch
from mapkeeper_connectors.sql.mariadb.keys import Key, Value
from mapkeeper_connectors.sql.mariadb.point import Point
from mapkeeper_connectors.sql.mariadb.sample import Sample
from mapkeeper_connectors.sql.mariadb.session import Row, Session, meaning, size
from mapkeeper_connectors.sql.mariadb.table import Table

_FIRST_STEP = 500  # rows of the first statement; then as many as their size allows


class Reading:
    """Made anew for each reading."""

    def __init__(self, session: Session, catalog: Catalog, asset: Asset, plan: ReadPlan) -> None:
        assert isinstance(asset.handle, Relation)
        self._session = session
        self._asset = asset
        self._relation = asset.handle
        self._plan = plan
        self._catalog = catalog
        self._columns = catalog.columns(asset.handle)
        self._partial = self._probe(session, asset.handle)
        self._table = Table(session, asset.handle, self._columns, catalog.keys(asset.handle, self._columns))
        self._losses = Losses()
        self._done = 0

    def run(self, resume_from: str | None) -> Iterator[Batch | Gap]:
        """Batches and gaps. Only a reading without limits has points to resume from.

        Raises:
            pymysql.Error: the server refuses, or is lost.
            SourceError: ``changed``: the point to resume from is not one of the table as it is now.
        """
        if self._plan.rows is None and self._plan.bytes is None:
            if resume_from is not None or self._table.keys:
                yield from self._by_key(*self._stand(resume_from))
            else:
                yield from self._all(self._table.rows(endless=True))
        elif (whole := self._fitting()) is not None:
            yield from self._all(whole)
        else:
            sample = Sample(self._table, self._catalog, self._asset, self._plan)
            for rows in sample.chunks():
                yield self._batch(rows, sample.method, random=sample.fair)
            if sample.left:
                rest = max(1, (self._asset.rows or 0) - self._done)
                yield Gap(Reason.BUDGET, rest, "rows left out of the sample, by the server's own estimate")
        if self._partial:
            yield Gap(Reason.DENIED, 1, "columns that may not be read, at least; grant SELECT on the whole table")
        if self._losses.cut:
            yield cut_cells(self._losses.cut)
        if self._losses.garbled:
            yield Gap(Reason.UNREADABLE, self._losses.garbled, "texts that are not Unicode, read as far as they are")

    def _probe(self, session: Session, of: Relation) -> bool:
        """Look whether there is something to read, and whether columns are hidden from this account."""
        try:
            session.select(f"SELECT * FROM {of.quoted} LIMIT 0")  # noqa: S608 - quoted
        except pymysql.Error as error:
            known = meaning(error)
            if not self._columns or known is None or known[0] is not Reason.DENIED:
                raise
            return True
        return False

    def _stand(self, resume_from: str | None) -> tuple[Key, Point, list[Value] | None]:
        """The key to read by, where reading stands, and the key of the last row that was read.

        A table that was altered or made anew may have rows before that key which nobody read.
        """
        made = str((self._catalog.table(self._relation) or {}).get("CREATE_TIME"))
        starts = [(key, Point.start(key, made, _FIRST_STEP)) for key in self._table.keys]
        if resume_from is None:
            return *starts[0], None
        try:
            point = Point.load(resume_from)
        except ValueError:
            raise self._changed("the resume point is not one; scan again") from None
        for key, start in starts:
            if point.fits(start):
                try:
                    return key, point, key.reread(point.key or ())
                except (ValueError, ArithmeticError):
                    raise self._changed("the resume point is not one; scan again") from None
        raise self._changed("was altered or made anew since its reading was interrupted; scan again")

    def _changed(self, says: str) -> SourceError:
        return self._session.refusal(Reason.CHANGED, says, self._asset.name)

    def _by_key(self, key: Key, at: Point, last: list[Value] | None) -> Iterator[Batch]:
        """Rows behind the last one; an interrupted statement is taken up, so that batches end where they did."""
        self._done = at.rows
        self._losses.cut, self._losses.garbled = at.cut, at.garbled
        while True:
            if at.met == at.step:
                at.step = max(1, min(ROWS, BYTES * at.met // max(at.weight, 1)))
                at.met = at.weight = 0
            condition, values = key.after(last) if last is not None else ("TRUE", [])
            rest = f"WHERE {condition} {key.order} LIMIT {at.step - at.met}"
            for rows in self._table.rows(rest, values, key):
                last = self._table.key_of(key, rows[-1])
                batch = self._batch(rows, "all", first=self._done + 1)
                at.rows, at.met, at.weight = self._done, at.met + len(rows), at.weight + size(rows)
                yield replace(batch, resume=at.dump(key.written(last), self._losses))
            if at.met < at.step:
                break
        if not self._done:
            yield self._batch([], "all", first=1)

    def _fitting(self) -> Iterable[list[Row]] | None:
        """All rows, where they are no more than the plan; ``None``: they are more.

        They are counted so far: the server's statistics may be long out of date, and then say too little.
        """
        plan, known = self._plan, self._asset.bytes or 0
        if plan.bytes is not None and known > max(2 * plan.bytes, BYTES):
            return None
        if plan.rows is not None and self._table.has_more_than(plan.rows):
            return None
        key = self._table.keys[0] if self._table.keys else None
        stream = self._table.rows(key.order if key else "", (), key)
        if plan.bytes is None:
            return stream
        kept: list[list[Row]] = []
        held = 0
        for rows in stream:
            kept.append(rows)
            held += size(rows)
            if held > plan.bytes:
                return None
        return kept

    def _all(self, chunks: Iterable[list[Row]]) -> Iterator[Batch]:
        nothing: list[list[Row]] = [[]]  # whose batch still names the columns
        for rows in chunks:
            nothing = []
            yield self._batch(rows, "all", first=self._done + 1)
        for rows in nothing:
            yield self._batch(rows, "all", first=1)

    def _batch(self, rows: Sequence[Row], method: str, *, random: bool = False, first: int | None = None) -> Batch:
        self._done += len(rows)
        data = record_batch(self._columns, rows, self._losses)
        return Batch(data, method, random=random, bytes=size(rows), first=first)
