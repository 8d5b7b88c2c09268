"""Nested texts: cells of a text column that hold JSON, read as the fields that they are.

A column of JSON stays a field. Beside it stand its parts as fields of their own, named by path as those of a file of
JSON: ``payload.customer.email``; of a list of objects ``payload[].sku``, of a list of texts ``payload[]``; where keys
are drawn or counted ``payload.*.email``. A part has a cell for each row, and is filled where the JSON has it. A text
within the JSON that is JSON again is read likewise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from mapkeeper.plugin import Batch
from mapkeeper.readers.block import Offsets
from mapkeeper.readers.flat import flat, unique
from mapkeeper.readers.json_lines import Objects
from mapkeeper.readers.spread import Spread, folded

ROWS = 16_384
"""Rows that are taken apart together: so many cells of each of a thousand parts fit into memory."""

DEEPEST = 4
"""How often a text within a text is read as JSON."""

LONGEST = 1 << 20
"""Bytes of a cell that is taken apart; a longer one stays a text."""

MOST_PARTS = 4000
"""Parts of all columns of an asset; where there would be more, cells stay texts."""

_SAMPLE = 256
"""Cells that are looked at first, spread over a column: where none of them may be JSON, no other is looked at."""

_OBJECT = r'^\s*\{\s*"', r"\}\s*$"
_LIST = r'^\s*\[\s*[{"]', r"\]\s*$"  # of numbers it stays a text: a position, a vector
_QUOTED = r'^\s*"(?:\s|\\[nrt])*(?:\{(?:\s|\\[nrt])*\\"|\[(?:\s|\\[nrt])*(?:\{|\\"))', r'[}\]](?:\s|\\[nrt])*"\s*$'
"""How a cell begins and ends that may be JSON."""

_OPENS = pc.MatchSubstringOptions(r'^\s*["\[{]')

_STAND_IN = "{}"
"""What stands for JSON whose parts have fields of their own: the cell is filled, and holds nothing else."""

_INSIDE = "["
"""The key of the object that is put around what is none, for the reader of objects."""

_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)

_ERRORS = (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)

_Columns = list[tuple[str, pa.Array]]


class Nested:
    """Opens the nested texts of one asset, batch by batch. Keeps names of parts and no cell."""

    def __init__(self) -> None:
        self._readers: dict[tuple[str, str], Objects] = {}  # by what the names of parts begin with, and how cells do
        self._parts: dict[str, dict[str, pa.DataType]] = {}  # of each column, by name
        self._names: set[str] = set()  # of all parts, also of those that are no fields yet

    def opened(self, batch: Batch) -> Iterator[Batch]:
        """The rows of a batch, with the parts of what they nest as further columns; as it is where there are none."""
        columns = list(zip(batch.data.schema.names, batch.data.columns, strict=True))
        if not any(name in self._parts or _may_be_json(column) for name, column in columns):
            yield batch
            return
        rows = batch.data.num_rows
        for start in range(0, rows, ROWS):
            stop = min(start + ROWS, rows)
            yield replace(
                batch,
                data=self._open(batch.data.slice(start, stop - start)),
                bytes=batch.bytes if start == 0 else 0,
                first=None if batch.first is None else batch.first + start,
                positions=None if batch.positions is None else batch.positions[start:stop],
                resume=batch.resume if stop == rows else None,
            )

    def _open(self, data: pa.RecordBatch) -> pa.RecordBatch:
        fields: list[pa.Field] = []
        arrays: list[pa.Array] = []
        for field, column in zip(data.schema, data.columns, strict=True):
            (_, left), *parts = self._column(field.name, column)
            parts += self._missing(field.name, parts, len(column))
            fields += [field.with_type(left.type), *(pa.field(name, part.type) for name, part in parts)]
            arrays += [left, *(part for _, part in parts)]
        names = unique(field.name for field in fields)
        schema = pa.schema([field.with_name(name) for field, name in zip(fields, names, strict=True)])
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _missing(self, column: str, parts: _Columns, rows: int) -> _Columns:
        """The parts that a column had in other rows: those that lack one are rows of it all the same."""
        known = self._parts.get(column, {})
        if parts:
            known = self._parts.setdefault(column, known)
            known.update((name, part.type) for name, part in parts if name not in known)
        here = {name for name, _ in parts}
        return [(name, pa.nulls(rows, kind)) for name, kind in known.items() if name not in here]

    def _column(self, path: str, column: pa.Array, depth: int = 0, inside: str = "") -> _Columns:
        """A column with stand-ins for its JSON, then the parts of that. ``inside``: what their names begin with."""
        if depth == DEEPEST or not _may_be_json(column):
            return [(path, column)]
        inside = inside or path
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            return self._lists(path, column, depth, f"{inside.removesuffix('[]')}[]")
        left = _texts(column)
        quoted = self._read(left, inside, _QUOTED)
        if len(quoted.rows):
            ((_, plain),) = quoted.columns()
            return self._column(path, _put(left, quoted.rows, plain.cast(left.type)), depth + 1, inside)
        parts: _Columns = []
        for how in (_OBJECT, _LIST):
            found = self._read(left, inside, how)
            if len(found.rows):
                left = _put(left, found.rows, pa.scalar(_STAND_IN, left.type))
                for name, part in found.columns():
                    parts += self._column(name, part, depth + 1)
        return [(path, left), *parts]

    def _lists(self, path: str, column: pa.Array, depth: int, inside: str) -> _Columns:
        """The same of a column of lists of texts."""
        sizes = pc.fill_null(pc.call_function("list_value_length", [column]), 0)
        ends = np.cumsum(sizes.to_numpy(zero_copy_only=False), dtype=np.int32)
        starts, missing = pa.array(np.concatenate(([np.int32(0)], ends))), column.is_null()
        return [
            (name, flat([name], [pa.ListArray.from_arrays(starts, part, mask=missing)]).column(0))
            for name, part in self._column(path, pc.call_function("list_flatten", [column]), depth, inside)
        ]

    def _read(self, texts: pa.Array, inside: str, how: tuple[str, str]) -> Spread:
        """What those texts hold that begin and end so, by the names of parts; of the quoted, the texts."""
        found = Spread(len(texts))
        series = pl.Series(texts)
        rows = np.flatnonzero(_fit(series, how).fill_null(False).to_numpy())
        if not rows.size:
            return found
        lines = series.gather(rows).str.replace_all(r"[\r\n]", " ").to_arrow().cast(pa.string())
        if how != _OBJECT:
            lines = pc.call_function("binary_join_element_wise", [f'{{"{_INSIDE}":', lines, "}", ""])
        reader = self._readers.setdefault((inside, how[0]), Objects())
        try:
            read, _ = reader.parse(lines, rows)
        except _ERRORS:
            return found
        for one in read:
            parts = folded(one.data.schema.names, one.data.columns)
            names = _names(parts, inside, how)
            if names is None or len(self._names.union(names)) > MOST_PARTS:
                del self._readers[inside, how[0]]  # it remembers what is not wanted
                break
            self._names.update(names)
            found.add(rows if one.numbers is None else one.numbers, names, parts.values())
        return found


def _names(paths: Collection[str], inside: str, how: tuple[str, str]) -> list[str] | None:
    """What parts are called by their paths; ``None``: a cell has ended the object around it and begun another."""
    if how == _OBJECT:
        return [f"{inside}.{path}" for path in paths]
    if how == _QUOTED:
        return [inside] if set(paths) == {_INSIDE} else None
    listed = f"{inside.removesuffix('[]')}[]"
    names = [f"{listed}.*" if path == "*" else listed + path.removeprefix(_INSIDE).removeprefix("[]") for path in paths]
    return names if all(path == "*" or path.startswith(_INSIDE) for path in paths) else None


def _may_be_json(column: pa.Array) -> bool:
    """Whether some cells of a sample look like JSON."""
    kind, rows = column.type, len(column) - column.null_count
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    inner = kind.value_type if listed or pa.types.is_dictionary(kind) else kind
    if not rows or not any(test(inner) for test in _TEXTS):
        return False
    if pa.types.is_string_view(kind):
        column = _texts(column)  # Arrow takes no rows of it
    at = np.arange(len(column)) if rows == len(column) else np.flatnonzero(column.is_valid())
    some = column.take(pa.array(at[:: max(1, rows // _SAMPLE)]))
    if listed:
        some = pc.call_function("list_flatten", [some]).slice(0, 2 * _SAMPLE)
    texts = _texts(some)
    if not pc.call_function("match_substring_regex", [texts], options=_OPENS).true_count:
        return False
    return any(_fit(pl.Series(texts), how).any() for how in (_OBJECT, _LIST, _QUOTED))


def _fit(texts: pl.Series, how: tuple[str, str]) -> pl.Series:
    """Which texts begin and end so, and are not too long."""
    begin, end = how
    return texts.str.contains(begin) & texts.str.contains(end) & (texts.str.len_bytes() <= LONGEST)


def _texts(column: pa.Array) -> pa.Array:
    """A column of texts, plain or large."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string()) if pa.types.is_string_view(column.type) else column


def _put(texts: pa.Array, rows: Offsets, other: pa.Array) -> pa.Array:
    """The texts, in some rows those of another column, or one."""
    chosen = np.zeros(len(texts), bool)
    chosen[rows] = True
    return pc.call_function("if_else", [pa.array(chosen), other, texts])
