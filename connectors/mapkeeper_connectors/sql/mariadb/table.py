"""One table or view as it is read: rows in one stream, by key, by number, or counted so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pymysql

from mapkeeper.plugin import Reason
from mapkeeper_connectors.sql.mariadb.catalog import Relation
from mapkeeper_connectors.sql.mariadb.columns import Column
from mapkeeper_connectors.sql.mariadb.keys import Key, Value
from mapkeeper_connectors.sql.mariadb.session import Row, Session, meaning, quoted

_BORNE = 4 << 20  # bytes of rows asked for in one go, should all their cells be as large as can be


class Table:
    """What every way of reading asks; each method may raise `pymysql.Error`.

    ``at_once`` is how many rows memory bears for sure, should all their cells be as large as can be.
    """

    def __init__(self, session: Session, of: Relation, columns: Sequence[Column], keys: Sequence[Key]) -> None:
        self._session = session
        self._of = of
        self.keys = keys
        self._cells = ", ".join(column.selected for column in columns)
        self._at = {column.name: number for number, column in enumerate(columns)}
        self.at_once = max(1, _BORNE // max(1, sum(column.most for column in columns)))

    def rows(
        self, rest: str = "", values: Sequence[object] = (), key: Key | None = None, *, endless: bool = False
    ) -> Iterator[list[Row]]:
        """Run ``SELECT columns FROM this rest``; a key is one that the server has to use."""
        sql = f"SELECT {self._cells} FROM {self._of.source} {key.forced if key else ''} {rest}"  # noqa: S608 - quoted
        return self._session.stream(sql, values, at_once=self.at_once, endless=endless)

    def key_of(self, key: Key, row: Row) -> list[Value]:
        """The key of a row."""
        return key.read([row[self._at[column.name]] for column in key.columns])

    def has_more_than(self, count: int) -> bool:
        """Whether there are more rows; no more of them are looked at."""
        forced = self.keys[0].forced if self.keys else ""
        try:
            found = self._session.select(f"SELECT 1 FROM {self._of.source} {forced} LIMIT 1 OFFSET {count}")  # noqa: S608
        except pymysql.Error as error:
            known = meaning(error)
            if known is None or known[0] is not Reason.TIMEOUT:
                raise
            return True  # a view that takes long
        return bool(found)

    def count(self) -> int:
        """All rows, counted one by one."""
        ((count,),) = self._session.select(f"SELECT COUNT(*) FROM {self._of.source}")  # noqa: S608 - quoted
        return int(count)

    def bounds(self, key: Key, begun: Sequence[Value] = ()) -> tuple[Value, Value] | None:
        """Least and greatest of the key's next column in rows whose key begins so; ``None``: there are none."""
        column = key.columns[len(begun)]
        name = quoted(column.name)
        rows = self._key_cells(key, f"MIN({name}), MAX({name})", self._begins(key, begun), begun)
        low, high = rows[0]
        return None if low is None or high is None else (key.value(column, low), key.value(column, high))

    def next(self, key: Key, begun: Sequence[Value], start: Value) -> Value | None:
        """The first value of the key's next column that is not before ``start``."""
        column = key.columns[len(begun)]
        name = quoted(column.name)
        where = f"{self._begins(key, begun)} AND {name} >= %s ORDER BY {name} LIMIT 1"
        rows = self._key_cells(key, name, where, [*begun, start])
        return key.value(column, rows[0][0]) if rows and rows[0][0] is not None else None

    def _key_cells(self, key: Key, what: str, where: str, values: Sequence[Value]) -> list[Row]:
        sql = f"SELECT {what} FROM {self._of.source} {key.forced} WHERE {where}"  # noqa: S608 - quoted
        return [row for rows in self._session.stream(sql, values, at_once=2) for row in rows]

    @staticmethod
    def _begins(key: Key, begun: Sequence[Value]) -> str:
        return " AND ".join(
            ["TRUE", *(f"{quoted(column.name)} = %s" for column, _ in zip(key.columns, begun, strict=False))]
        )
