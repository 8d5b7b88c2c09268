"""Rows of a database driver as Arrow columns."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from mapkeeper.plugin import Gap, Reason

ROWS = 8192
"""The most rows that are held at a time."""

BYTES = 8 << 20
"""About the most bytes that are held at a time."""

CELL = 1 << 20
"""Longer texts (in characters) and blobs (in bytes) are cut."""

DIGITS = 15
"""Decimal digits that a float holds, whatever they are."""

Rows = Sequence[Sequence[Any]]

_ARROW = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    bool: pa.bool_(),
}


def record_batch(
    names: Sequence[str],
    types: Sequence[pa.DataType],
    rows: Rows,
    *,
    skip: int = 0,
    comments: Sequence[str | None] = (),
) -> pa.RecordBatch:
    """Rows as a batch. A column is of the type of its values; a column without any is of its declared type.

    Whole and broken numbers together are broken numbers; any other mixture is text. Exact numbers stay whole where
    they are, and are text where a float would not hold all their digits. Lists become lists of texts, those within them
    unfolded.

    Args:
        names: Of the columns; the second of one name gets a number.
        types: As declared.
        rows: As the driver gave them.
        skip: So many cells at the start of a row are no columns.
        comments: The store's own descriptions of the columns, if it has any.
    """
    columns: Sequence[Sequence[Any]] = [*zip(*rows, strict=True)][skip:] if rows else [()] * len(names)
    arrays = [_array(column, declared) for column, declared in zip(columns, types, strict=True)]
    fields = [
        pa.field(name, array.type, metadata={"comment": comment.encode("utf-8", "replace")} if comment else None)
        for name, array, comment in zip(_distinct(names), arrays, comments or [None] * len(arrays), strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def size(rows: Rows) -> int:
    """About how many bytes of the source these rows are."""
    return sum(len(cell) if isinstance(cell, str | bytes) else 8 for row in rows for cell in row)


def cut(row: Sequence[Any]) -> tuple[tuple[Any, ...], int]:
    """A row without what is longer than `CELL`, and how many of its cells were cut."""
    long = [isinstance(cell, str | bytes) and len(cell) > CELL for cell in row]
    if not any(long):
        return tuple(row), 0
    return tuple(cell[:CELL] if too else cell for cell, too in zip(row, long, strict=True)), sum(long)


def cut_cells(count: int, longest: int = CELL) -> Gap:
    """The gap that cells are which were cut after so many characters or bytes."""
    length = f"{longest >> 20} MiB" if longest >= 1 << 20 else f"{longest >> 10} KiB"
    return Gap(Reason.TOO_LARGE, count, f"cells over {length}, read up to there")


def _array(values: Sequence[Any], declared: pa.DataType) -> pa.Array:
    found = set(map(type, values))
    found.discard(type(None))
    if found == {decimal.Decimal}:
        return _numbers(values)
    if found == {list}:
        return pa.array([None if value is None else [*_flat(value)] for value in values], type=pa.list_(pa.string()))
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


def _numbers(values: Sequence[decimal.Decimal | None]) -> pa.Array:
    """Exact numbers as whole ones, as broken ones, or as text, whichever keeps all their digits."""
    texts = pa.array([None if value is None else str(value) for value in values], type=pa.string())
    try:
        return texts.cast(pa.int64())
    except pa.ArrowInvalid:  # broken, not finite, or beyond 64 bits
        pass
    longest = max((len(value) for value in map(str, filter(None, values))), default=0)
    return texts if longest > DIGITS + len("-.") else texts.cast(pa.float64())


def _flat(values: Sequence[object]) -> Iterator[str | None]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield None if value is None else _text(value)


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
