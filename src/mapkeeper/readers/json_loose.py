"""JSON objects one by one, where a reader of whole blocks cannot: broken, deep, of mixed types or of countless keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from mapkeeper.readers.block import Offsets
from mapkeeper.readers.flat import unique

_STEP = 256
MOST_PATHS = 1000
"""Objects used as maps have countless paths: past this bound, paths and their values share the field ``*``."""
DEEPEST = 32
"""Levels of nesting that have paths; what lies deeper stays JSON in a text."""

_INT64 = 1 << 63


def is_object(line: str) -> bool:
    """Whether a line is a JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def loose(lines: pa.StringArray, known: set[str]) -> Iterator[tuple[pa.RecordBatch | None, Offsets, Offsets]]:
    """A few objects at a time as columns, which lines they are, and which lines hold no object.

    ``known`` are the paths that have a field of their own; it grows up to `MOST_PATHS`.
    """
    for start in range(0, len(lines), _STEP):
        columns: dict[str, dict[int, Any]] = {}
        good: list[int] = []
        bad: list[int] = []
        for number, line in enumerate(lines[start : start + _STEP].to_pylist(), start):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            if not isinstance(value, dict):
                bad.append(number)
                continue
            for path, leaf in _leaves("", value, 0):
                _put(columns, known, path, len(good), leaf)
            good.append(number)
        batch = None
        if columns:
            arrays = [_array(cells, len(good)) for cells in columns.values()]
            batch = pa.RecordBatch.from_arrays(arrays, unique(columns))
        yield batch, np.array(good, np.int64), np.array(bad, np.int64)


def _leaves(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and depth < DEEPEST:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, inner, depth + 1)
    elif isinstance(value, list) and depth < DEEPEST:
        parts: dict[str, list[Any]] = {}
        for item in value:
            inside = f"{path}[]" if isinstance(item, dict) else path
            for below, leaf in _leaves(inside, item, depth + 1):
                parts.setdefault(below, []).extend(leaf if isinstance(leaf, list) else [leaf])
        yield from parts.items() if parts else [(path, [])]
    else:
        yield path, _text(value) if isinstance(value, (dict, list)) else value


def _put(columns: dict[str, dict[int, Any]], known: set[str], path: str, row: int, leaf: Any) -> None:
    if path in known or len(known) < MOST_PATHS:
        known.add(path)
        columns.setdefault(path, {})[row] = leaf
        return
    cell = columns.setdefault("*", {}).setdefault(row, [])
    if isinstance(cell, list):
        cell += [path, *(leaf if isinstance(leaf, list) else [leaf])]


def _array(cells: dict[int, Any], rows: int) -> pa.Array:
    repeated = any(isinstance(cell, list) for cell in cells.values())
    flat = [item for cell in cells.values() for item in (cell if isinstance(cell, list) else [cell])]
    kind = _kind([item for item in flat if item is not None])
    convert = _text if kind == pa.string() else _same
    if repeated:
        lists = {row: cell if isinstance(cell, list) or cell is None else [cell] for row, cell in cells.items()}
        made = [None if (cell := lists.get(row)) is None else [convert(item) for item in cell] for row in range(rows)]
        return pa.array(made, pa.list_(kind))
    return pa.array([convert(cells.get(row)) for row in range(rows)], kind)


def _kind(items: list[Any]) -> pa.DataType:
    kinds = {type(item) for item in items}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int} and all(-_INT64 <= item < _INT64 for item in items):
        return pa.int64()
    if kinds == {float} or (kinds == {int, float} and all(abs(item) < 1 << 53 for item in items)):
        return pa.float64()
    return pa.string()


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # a lone surrogate is no text
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    except (RecursionError, ValueError):
        return ""
