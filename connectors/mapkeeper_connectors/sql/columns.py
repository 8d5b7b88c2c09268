"""Rows of a database driver as Arrow columns."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from mapkeeper.plugin import Gap, Reason

ROWS = 8192
"""The most rows that are held at a time."""

BYTES = 8 << 20
"""About the most bytes that are held at a time."""

CELL = 1 << 20
"""Longer texts (in characters) and blobs (in bytes) are cut."""

Rows = Sequence[Sequence[Any]]

_ARROW = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    bool: pa.bool_(),
}


def record_batch(names: Sequence[str], types: Sequence[pa.DataType], rows: Rows, *, skip: int = 0) -> pa.RecordBatch:
    """Rows as a batch. A column is of the type of its values; a column without any is of its declared type.

    Whole and broken numbers together are broken numbers; any other mixture is text. The first ``skip`` cells of a row
    are no columns.
    """
    columns: Sequence[Sequence[Any]] = [*zip(*rows, strict=True)][skip:] if rows else [()] * len(names)
    arrays = [_array(column, declared) for column, declared in zip(columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=_distinct(names))


def size(rows: Rows) -> int:
    """About how many bytes of the source these rows are."""
    return sum(len(cell) if isinstance(cell, str | bytes) else 8 for row in rows for cell in row)


def cut(row: Sequence[Any]) -> tuple[tuple[Any, ...], int]:
    """A row without what is longer than `CELL`, and how many of its cells were cut."""
    long = [isinstance(cell, str | bytes) and len(cell) > CELL for cell in row]
    if not any(long):
        return tuple(row), 0
    return tuple(cell[:CELL] if too else cell for cell, too in zip(row, long, strict=True)), sum(long)


def cut_cells(count: int) -> Gap:
    """The gap that cut cells are."""
    return Gap(Reason.TOO_LARGE, count, f"cells over {CELL >> 20} MiB, read up to there")


def _array(values: Sequence[Any], declared: pa.DataType) -> pa.Array:
    found = set(map(type, values))
    found.discard(type(None))
    if unusual := found - _ARROW.keys():
        plain = {kind: _plain(kind) for kind in unusual}
        values = [plain[type(value)](value) if type(value) in plain else value for value in values]
        found = set(map(type, values)) - {type(None)}
    if found == {int, float}:
        wanted = pa.float64()
    elif len(found) > 1:
        wanted = pa.string()
    else:
        wanted = _ARROW[found.pop()] if found else declared
    if not pa.types.is_string(wanted):
        try:
            return pa.array(values, type=wanted)
        except (OverflowError, pa.ArrowException):  # whole numbers beyond 64 bits
            pass
    try:
        return pa.array(values, type=pa.string())
    except (UnicodeEncodeError, pa.ArrowException, TypeError):
        return pa.array([None if value is None else _text(value) for value in values], type=pa.string())


def _plain(kind: type) -> Callable[[Any], Any]:
    """What makes a driver's own kind of value one of the plain ones; days and moments become text."""
    if issubclass(kind, decimal.Decimal):
        return float
    if issubclass(kind, dt.date | dt.time):
        return lambda value: str(value.isoformat())
    if issubclass(kind, bytearray | memoryview):
        return bytes
    if issubclass(kind, dict | list | tuple):
        return lambda value: json.dumps(value, ensure_ascii=False, default=str)
    return str


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value).encode("utf-8", "replace").decode()


def _distinct(names: Sequence[str]) -> list[str]:
    """The names of the columns; the second of one name gets a number."""
    distinct: dict[str, None] = {}
    for name in names:
        number, free = 2, name
        while free in distinct:
            number, free = number + 1, f"{name}:{number}"
        distinct[free] = None
    return list(distinct)
