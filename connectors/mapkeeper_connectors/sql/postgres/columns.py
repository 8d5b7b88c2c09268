"""The columns of a PostgreSQL relation: how each is asked for, so that no cell is larger than memory bears.

Numbers, truth values and bytes come as such, arrays as lists of texts, everything else as PostgreSQL spells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from mapkeeper_connectors.sql.columns import CELL, DIGITS

BORNE = 64 << 20
"""Characters that a row may have at most, and so what a chunk of rows may take."""

_CHUNK = 200  # rows that come from the server at a time, or less of

_PLAIN = {
    "bool": pa.bool_(),
    "int2": pa.int64(),
    "int4": pa.int64(),
    "int8": pa.int64(),
    "oid": pa.int64(),
    "float4": pa.float64(),
    "float8": pa.float64(),
    "numeric": pa.float64(),
}
_SHORT = frozenset({"inet", "cidr"})
_DECLARED = frozenset({"varchar", "bpchar"})  # texts whose type may have a length

COLUMNS = """
WITH RECURSIVE base AS (
    SELECT t.oid AS declared, t.* FROM pg_catalog.pg_type t
    WHERE t.oid IN (SELECT atttypid FROM pg_catalog.pg_attribute WHERE attrelid = %s::pg_catalog.oid)
    UNION ALL
    SELECT base.declared, t.* FROM base JOIN pg_catalog.pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd'
)
SELECT a.attname::pg_catalog.text, base.typname::pg_catalog.text,
    base.typnamespace = 'pg_catalog'::pg_catalog.regnamespace,
    base.typlen, e.oid IS NOT NULL,
    CASE WHEN a.atttypid = base.oid THEN a.atttypmod ELSE -1 END,
    pg_catalog.col_description(a.attrelid, a.attnum),
    pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
FROM pg_catalog.pg_attribute a
    JOIN base ON base.declared = a.atttypid AND base.typtype <> 'd'
    LEFT JOIN pg_catalog.pg_type e ON e.typarray = base.oid
WHERE a.attrelid = %s::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
"""The columns of one relation, each with the type that its domain is made of."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type as the catalog has it."""

    name: str
    built_in: bool
    length: int  # bytes; below 0: any
    array: bool
    modifier: int  # the n + 4 of varchar(n); -1: none


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may be read."""

    name: str
    type: Type
    comment: str | None

    @property
    def arrow(self) -> pa.DataType:
        """Its Arrow type where it has no values."""
        if self.type.array:
            return pa.list_(pa.string())
        if not self.type.built_in:
            return pa.string()
        if self._digits is not None and not self._digits[1]:
            return pa.int64()
        return pa.binary() if self.type.name == "bytea" else _PLAIN.get(self.type.name, pa.string())

    @property
    def _digits(self) -> tuple[int, int] | None:
        """Precision and scale of an exact number, where they are declared."""
        kind = self.type
        if not kind.built_in or kind.name != "numeric" or kind.modifier < 4:
            return None
        return (kind.modifier - 4) >> 16, (kind.modifier - 4) & 0x7FF

    @property
    def _float_will_do(self) -> bool:
        """Whether an exact number, declared to be a broken one, has few enough digits."""
        return self._digits is not None and self._digits[0] <= DIGITS and self._digits[1] > 0

    @property
    def wide(self) -> bool:
        """Whether its cells may be of any length."""
        kind = self.type
        if kind.built_in and (kind.name in _PLAIN or kind.name in _SHORT):
            return False
        if kind.built_in and kind.name in _DECLARED and 0 < kind.modifier <= 1 << 10:
            return False
        return kind.length < 0

    def asked(self, longest: int) -> str:
        """The expression that gives a cell, cut one beyond its longest so that the cut shows."""
        cell = quoted(self.name)
        if self._float_will_do:
            return f"{cell}::pg_catalog.float8"
        if self.type.built_in and self.type.name in _PLAIN:
            return cell
        if self.type.built_in and self.type.name == "bytea":
            return f"pg_catalog.substring({cell}, 1, {longest + 1})"
        text = f"{cell}::pg_catalog.text"
        if self.type.array:
            return (
                f"CASE WHEN pg_catalog.octet_length({text}) <= {longest} THEN {text}[]"
                f" ELSE ARRAY[pg_catalog.left({text}, {longest + 1})] END"
            )
        return f"pg_catalog.left({text}, {longest + 1})" if self.wide else text


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a relation that may be read, and how many may not."""

    all: tuple[Column, ...]
    denied: int

    @property
    def names(self) -> list[str]:
        """What they are called."""
        return [column.name for column in self.all]

    @property
    def types(self) -> list[pa.DataType]:
        """Their Arrow types where they have no values."""
        return [column.arrow for column in self.all]

    @property
    def comments(self) -> list[str | None]:
        """The server's own descriptions of them."""
        return [column.comment for column in self.all]

    @property
    def wide(self) -> list[int]:
        """Which of them may have cells of any length."""
        return [number for number, column in enumerate(self.all) if column.wide]

    @property
    def longest(self) -> int:
        """Characters, or bytes, after which a cell is cut: less where many of them could make a row too large."""
        return min(CELL, BORNE // max(1, len(self.wide)))

    @property
    def chunk(self) -> int:
        """Rows that memory bears, were all their cells as large as they may be."""
        return max(1, min(_CHUNK, BORNE // max(1, len(self.wide) * self.longest)))

    @property
    def asked(self) -> str:
        """What stands between SELECT and FROM; nothing for a table without columns."""
        return ", ".join(column.asked(self.longest) for column in self.all)


def columns(found: Sequence[tuple[object, ...]]) -> Columns:
    """The rows of `COLUMNS` as columns."""
    readable = tuple(
        Column(
            str(name), Type(str(type), bool(built_in), int(str(length)), bool(array), int(str(modifier))), _text(note)
        )
        for name, type, built_in, length, array, modifier, note, may in found
        if may
    )
    return Columns(readable, len(found) - len(readable))


def quoted(*names: str) -> str:
    """An identifier in SQL, with its schema before it, whatever characters it has."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
