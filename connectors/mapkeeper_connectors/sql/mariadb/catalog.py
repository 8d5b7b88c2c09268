"""What the catalog of a MariaDB or MySQL server tells of its tables and views: a few questions for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pymysql

from mapkeeper.plugin import Asset, Gap, Kind, Reason
from mapkeeper_connectors.sql.mariadb.columns import Column
from mapkeeper_connectors.sql.mariadb.keys import Key, choose
from mapkeeper_connectors.sql.mariadb.session import Session, quoted
from mapkeeper_connectors.sql.mariadb.views import sources

OWN = ("information_schema", "mysql", "performance_schema", "sys")
"""The server's own databases."""

_KINDS = {"BASE TABLE": Kind.TABLE, "SYSTEM VERSIONED": Kind.TABLE, "VIEW": Kind.VIEW}


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view: the handle of its asset."""

    schema: str
    name: str
    view: bool = False
    versioned: bool = False  # the server keeps the former versions of its rows

    @property
    def quoted(self) -> str:
        """Its name in SQL."""
        return quoted(self.schema, self.name)

    @property
    def source(self) -> str:
        """What to select all its rows from, former versions too: they are kept, so they are data."""
        return f"{self.quoted} FOR SYSTEM_TIME ALL" if self.versioned else self.quoted

    @property
    def shown(self) -> str:
        """Its name as people see it; a dot in the name of the database would make it ambiguous."""
        schema = quoted(self.schema).replace("%%", "%") if set(".`") & set(self.schema) else self.schema
        return f"{schema}.{self.name}"


class Catalog:
    """Asks the catalog; every method may raise `pymysql.Error`."""

    def __init__(self, session: Session, database: str | None, namespace: str) -> None:
        self._session = session
        self._database = database
        self._namespace = namespace

    def assets(self) -> Iterator[Asset]:
        """Tables and views in order of name, with rows and bytes as the server estimates them."""
        found = self._session.select(
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, CREATE_OPTIONS,"  # noqa: S608
            " TABLE_COMMENT FROM information_schema.TABLES WHERE " + self._scope,
            *self._scoped,
        )
        parts = self._partitions() if any("partitioned" in (row[6] or "").lower() for row in found) else {}
        for schema, name, type, engine, rows, size, _, comment in sorted(found, key=lambda row: row[:2]):
            if (kind := _KINDS.get(type)) is None or self._database not in (None, schema):
                continue  # a sequence, or a database whose name differs in case
            relation = Relation(schema, name, kind is Kind.VIEW, type == "SYSTEM VERSIONED")
            gap = None
            if relation.view and comment != "VIEW":
                gap = Gap(Reason.UNREADABLE, says="the view refers to something that is not there or not granted")
            elif not relation.view and engine is None:
                gap = Gap(Reason.UNREADABLE, says="the server cannot open the table; check it with CHECK TABLE")
            yield Asset(
                relation.shown,
                kind,
                self._namespace,
                relation.shown,
                rows=None if rows is None else int(rows),
                bytes=None if size is None else int(size),
                objects=parts.get((schema, name), 1),
                gap=gap,
                handle=relation,
            )

    def columns(self, of: Relation) -> list[Column]:
        """The columns that this account may read, in order, invisible ones too; none: there is no such table."""
        found = self._session.select(
            "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION,"
            " NUMERIC_SCALE, CHARACTER_SET_NAME, COLUMN_COMMENT, PRIVILEGES FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
            of.schema,
            of.name,
        )
        return [
            Column(column, type.lower(), spelled.lower(), widest, digits, places, charset, comment)
            for name, column, type, spelled, widest, digits, places, charset, comment, rights in found
            if name == of.name and "select" in rights.lower().split(",")
        ]

    def keys(self, of: Relation, columns: list[Column]) -> list[Key]:
        """The keys by which the table can be read, the primary one first."""
        if of.view or of.versioned:
            return []
        indexes: dict[str, list[tuple[int, str]]] = {}
        unfit = set()
        for row in self._rows("STATISTICS", of):
            index = row["INDEX_NAME"]
            if (
                int(row["NON_UNIQUE"])
                or row["NULLABLE"] == "YES"
                or row["SUB_PART"] is not None
                or row["INDEX_TYPE"] != "BTREE"
                or row["COLLATION"] != "A"
                or row["COLUMN_NAME"] is None  # of an expression
                or row.get("IGNORED") == "YES"
                or row.get("IS_VISIBLE") == "NO"
            ):
                unfit.add(index)
            indexes.setdefault(index, []).append((int(row["SEQ_IN_INDEX"]), str(row["COLUMN_NAME"])))
        ordered = sorted(indexes.items(), key=lambda item: (item[0] != "PRIMARY", len(item[1]), item[0]))
        return choose(
            [(name, [part for _, part in sorted(parts)]) for name, parts in ordered if name not in unfit], columns
        )

    def table(self, of: Relation) -> Mapping[str, Any] | None:
        """The row of a table or view in the catalog; ``None``: there is none."""
        return next(iter(self._rows("TABLES", of)), None)

    def view(self, of: Relation) -> Mapping[str, Any] | None:
        """What the catalog has of a view beyond a table's."""
        return next(iter(self._rows("VIEWS", of)), None)

    def parts(self, of: Relation) -> list[Mapping[str, Any]]:
        """The partitions of a table; one without a name where it has none."""
        return list(self._rows("PARTITIONS", of))

    def weight(self, of: Relation) -> int | None:
        """The bytes of a table, or of all tables that a view reads, by the server's statistics; ``None``: unknown."""
        if not of.view:
            size = (self.table(of) or {}).get("DATA_LENGTH")
            return None if size is None else int(size)
        under = self.under(of)
        sizes = [self.weight(source) for source in under or ()]
        known = [size for size in sizes if size is not None]
        return sum(known) if under is not None and len(known) == len(sizes) else None

    def under(self, of: Relation) -> list[Relation] | None:
        """The tables and views that a view reads itself; ``None``: that cannot be told."""
        names = sources((self.view(of) or {}).get("VIEW_DEFINITION") or "")
        if names is None:
            return None
        found = []
        for schema, name in names:
            row = self.table(Relation(schema, name))
            if row is None or row["TABLE_TYPE"] not in _KINDS:
                return None
            found.append(Relation(schema, name, _KINDS[row["TABLE_TYPE"]] is Kind.VIEW))
        return found

    def references(self, of: Relation) -> list[str]:
        """The foreign keys of a table: ``customer_id -> crm.customers.id``."""
        rows = [row for row in self._rows("KEY_COLUMN_USAGE", of) if row["REFERENCED_TABLE_NAME"] is not None]
        rows.sort(key=lambda row: (row["CONSTRAINT_NAME"], row["ORDINAL_POSITION"]))
        found = []
        for _, group in groupby(rows, lambda row: row["CONSTRAINT_NAME"]):
            parts = list(group)
            to = Relation(parts[0]["REFERENCED_TABLE_SCHEMA"], parts[0]["REFERENCED_TABLE_NAME"])
            columns, others = (", ".join(part[f"{end}COLUMN_NAME"] for part in parts) for end in ("", "REFERENCED_"))
            found.append(f"{columns} -> {to.shown}.{others}")
        return found

    def databases(self) -> list[str]:
        """The databases of the server that this account sees, without the server's own."""
        rows = self._session.select("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
        return sorted(name for (name,) in rows if name.lower() not in OWN)

    def _rows(self, what: str, of: Relation) -> Iterator[Mapping[str, Any]]:
        """The rows of one table of the catalog about one table; which columns they have hangs on the server."""
        sql = f"SELECT * FROM information_schema.{what} WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"  # noqa: S608 - ours
        for row in self._session.named(sql, of.schema, of.name):
            if row["TABLE_NAME"] == of.name:  # the catalog does not compare letters exactly
                yield row

    def _partitions(self) -> dict[tuple[str, str], int]:
        with suppress(pymysql.Error):
            rows = self._session.select(
                "SELECT TABLE_SCHEMA, TABLE_NAME, COUNT(*) FROM information_schema.PARTITIONS"  # noqa: S608 - ours
                f" WHERE PARTITION_NAME IS NOT NULL AND {self._scope} GROUP BY TABLE_SCHEMA, TABLE_NAME",
                *self._scoped,
            )
            return {(schema, name): int(count) for schema, name, count in rows}
        return {}

    @property
    def _scope(self) -> str:
        return "TABLE_SCHEMA = %s" if self._database else f"TABLE_SCHEMA NOT IN ({', '.join(['%s'] * len(OWN))})"

    @property
    def _scoped(self) -> tuple[str, ...]:
        return (self._database,) if self._database else OWN
