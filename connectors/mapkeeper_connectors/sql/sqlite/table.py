"""One table or view of a SQLite file: its columns, its rows by rowid or as they come, never more than memory bears.

A cell over 1 MiB is cut. Where the fast way meets one over 128 KiB, the rows around it are read one at a time.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import pyarrow as pa

from mapkeeper_connectors.sql.columns import BYTES, CELL, ROWS, cut

HUGE = 64 << 20
"""Bytes; a longer cell is not even loaded to be cut."""

Row = tuple[Any, ...]

_FAST = 128 << 10  # bytes of a cell in rows that are read many at a time
_BORNE = 32 << 20  # bytes of rows in memory at once, should all their cells be as large as can be
_ROWID = ("rowid", "_rowid_", "oid")


def quoted(name: str) -> str:
    """An identifier in SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


class Table:
    """A table or view. ``rows_read``, ``bytes_read``, ``bad_texts`` and ``cut_cells`` count what was met so far."""

    def __init__(self, connection: sqlite3.Connection, name: str, *, view: bool) -> None:
        self._connection = connection
        self._name = quoted(name)
        self.rows_read = 0
        self.bytes_read = 0
        self.bad_texts = 0
        self.cut_cells = 0
        connection.text_factory = self._text
        self.names: list[str] = [column[0] for column in self.select("*", "LIMIT 0").description]
        self._bounded = [_bounded(column) for column in self.names]
        self.rowid = None if view else self._find_rowid()
        self._step = max(1, _BORNE // (_FAST * len(self.names)))  # rows whose cells memory bears, whatever they are
        self._careful_step = max(1, _BORNE // (CELL * len(self.names)))

    def select(self, what: str, rest: str = "", *values: object) -> sqlite3.Cursor:
        """Run ``SELECT what FROM this rest``."""
        return self._connection.execute(f"SELECT {what} FROM {self._name} {rest}", values)  # noqa: S608 - quoted

    def types(self) -> list[pa.DataType]:
        """The types of the columns as they were declared; what a cell holds may differ."""
        declared = {}
        for row in self._connection.execute(f"PRAGMA table_xinfo({self._name})"):
            declared[row[1]] = _declared(row[2] or "")
        return [declared.get(name, pa.string()) for name in self.names]

    def after(self, last: int | None) -> list[Row]:
        """The next rows by rowid, which each begins with; none at the end."""
        where, values = ("", ()) if last is None else (f"WHERE {self.rowid} > ?", (last,))
        order = f"{where} ORDER BY {self.rowid} LIMIT"
        rows, stopped = self._gather(f"{order} {ROWS}", values)
        if stopped and not rows:
            rows = self._each(
                [row[0] for row in self.select(str(self.rowid), f"{order} {self._careful_step}", *values)]
            )
        return rows

    def at(self, rowids: list[int]) -> Iterator[list[Row]]:
        """The rows at these rowids, as far as there are any, in order."""
        left = sorted(rowids)
        while left:
            among = f"WHERE {self.rowid} IN ({', '.join('?' * len(left))}) ORDER BY {self.rowid}"
            rows, stopped = self._gather(among, tuple(left))
            if stopped and not rows:
                rows, left = self._each(left[: self._careful_step]), left[self._careful_step :]
            elif not rows:
                return
            else:
                left = left[bisect_right(left, rows[-1][0]) :]
            yield rows

    def stream(self, start: int = 0, limit: int = -1) -> Iterator[Row]:
        """Rows as they come, without those before ``start``.

        Raises:
            sqlite3.DataError: a row has a cell over 64 MiB; those after it cannot be reached.
        """
        with self._up_to(HUGE):
            for row in self.select(", ".join(self._bounded), f"LIMIT {limit} OFFSET {start}"):
                yield self._counted(row)

    def _gather(self, rest: str, values: tuple[int, ...]) -> tuple[list[Row], bool]:
        """Rows up to the bounds of memory, and whether an error stopped it, such as too large a cell.

        Any other error is raised where no row came before it, that is, at the next call. It is not handed about: its
        traceback would keep the rows alive.
        """
        rows: list[Row] = []
        start, bad_texts = self.bytes_read, self.bad_texts
        with self._up_to(_FAST):
            try:
                cursor = self.select(f"{self.rowid}, *", rest, *values)
                while len(rows) < ROWS and self.bytes_read - start < BYTES and (chunk := cursor.fetchmany(self._step)):
                    rows += chunk
                    self._count(chunk)
                    bad_texts = self.bad_texts
            except sqlite3.Error as error:
                self.bad_texts = bad_texts  # the rows that were lost with it are read again
                if not rows:
                    _only_too_big(error)
                return rows, True
            cursor.close()
        return rows, False

    def _each(self, rowids: list[int]) -> list[Row]:
        """These rows one at a time, their cells cut; a cell too long for that is missing."""
        rows = []
        where = f"WHERE {self.rowid} = ?"
        with self._up_to(HUGE):
            for rowid in rowids:
                try:
                    row = self.select(", ".join(self._bounded), where, rowid).fetchone()
                except sqlite3.DataError as error:
                    _only_too_big(error)
                    row = tuple(self._cell(column, where, rowid) for column in self._bounded)
                if row is not None:
                    rows.append((rowid, *self._counted(row)))
        return rows

    def _cell(self, column: str, where: str, rowid: int) -> object:
        try:
            (cell,) = self.select(column, where, rowid).fetchone()
        except sqlite3.DataError as error:
            _only_too_big(error)
            self.cut_cells += 1
            return None
        return cell

    def _counted(self, row: Row) -> Row:
        self._count([row])
        row, cells = cut(row)
        self.cut_cells += cells
        return row

    def _count(self, rows: list[Row]) -> None:
        """Count the bytes of the cells; those of texts were counted as they came."""
        self.rows_read += len(rows)
        self.bytes_read += 4 * len(rows) * len(self.names)
        if bytes in set(map(type, chain.from_iterable(rows))):
            self.bytes_read += sum(len(cell) for row in rows for cell in row if type(cell) is bytes)

    def _text(self, raw: bytes) -> str:
        self.bytes_read += len(raw)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.bad_texts += 1
            return raw.decode("utf-8", "replace")

    @contextmanager
    def _up_to(self, size: int) -> Iterator[None]:
        """Let SQLite load no cell over this size; it raises `sqlite3.DataError` instead."""
        before = self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, size)
        try:
            yield
        finally:
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)

    def _find_rowid(self) -> str | None:
        """A name of the rowid that no column has; ``None``: there is no rowid."""
        taken = {name.casefold() for name in self.names}
        for name in _ROWID:
            if name in taken:
                continue
            try:
                self.select(name, "LIMIT 0")
            except sqlite3.OperationalError:
                return None
            return name
        return None


def _only_too_big(error: sqlite3.Error) -> None:
    if error.sqlite_errorname != "SQLITE_TOOBIG":
        raise error


def _bounded(column: str) -> str:
    cell = quoted(column)
    return f"CASE WHEN typeof({cell}) IN ('text', 'blob') THEN substr({cell}, 1, {CELL + 1}) ELSE {cell} END"


def _declared(type: str) -> pa.DataType:
    """The Arrow type of a declared one, after SQLite's rules of affinity."""
    name = type.upper()
    for words, arrow in (
        (("INT", "BOOL"), pa.int64()),
        (("CHAR", "CLOB", "TEXT", "DATE", "TIME"), pa.string()),
        (("BLOB",), pa.binary()),
        (("REAL", "FLOA", "DOUB", "NUM", "DEC"), pa.float64()),
    ):
        if any(word in name for word in words):
            return arrow
    return pa.string()
