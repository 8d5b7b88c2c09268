"""Spread columns: cells that were read in pieces, some rows at a time, as columns of all rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapkeeper.readers.block import Offsets
from mapkeeper.readers.shape import numbered


class Spread:
    """Takes in pieces and gives out columns. The types of a column may differ from piece to piece: then it is text."""

    def __init__(self, rows: int) -> None:
        """``rows``: of the columns to be."""
        self._count = rows
        self._rows: list[Offsets] = []
        self._pieces: dict[str, list[tuple[Offsets, pa.Array]]] = {}

    def add(self, rows: Offsets, names: Iterable[str], arrays: Iterable[pa.Array]) -> None:
        """Take in the cells of some rows, given by their numbers; no row comes twice."""
        self._rows.append(rows)
        for name, array in zip(names, arrays, strict=True):
            self._pieces.setdefault(name, []).append((rows, array))

    @property
    def rows(self) -> Offsets:
        """The rows of which there are cells."""
        return np.concatenate([np.empty(0, np.int64), *self._rows])

    def columns(self) -> list[tuple[str, pa.Array]]:
        """Each column by its name, null in rows that have no cell in it."""
        return [(name, self._column(pieces)) for name, pieces in self._pieces.items()]

    def _column(self, pieces: list[tuple[Offsets, pa.Array]]) -> pa.Array:
        pieces = [piece for piece in pieces if piece[1].null_count < len(piece[1])] or pieces[:1]
        cells = pa.concat_arrays(_alike([array for _, array in pieces]))
        at = np.full(self._count, -1, np.int64)
        at[np.concatenate([rows for rows, _ in pieces])] = np.arange(len(cells))
        if len(cells) == self._count and (at == np.arange(len(cells))).all():
            return cells
        return cells.take(pa.array(at, mask=at < 0))


def folded(paths: Iterable[str], arrays: Iterable[pa.Array]) -> dict[str, pa.Array]:
    """Columns by path, those as one whose keys are drawn or counted: ``users.*.email``, with a list for each row."""
    found: dict[str, list[pa.Array]] = {}
    for path, array in zip(paths, arrays, strict=True):
        found.setdefault(".".join(map(_fold, path.split("."))), []).append(array)
    return {
        path: _together(arrays) if len(arrays) > 1 or "*" in path.split(".") else arrays[0]
        for path, arrays in found.items()
    }


def _fold(key: str) -> str:
    plain = key.rstrip("[]")
    return "*" + key[len(plain) :] if numbered(plain) else key


def _together(arrays: list[pa.Array]) -> pa.ListArray:
    """The cells of several columns, row by row, as one column of lists."""
    count = len(arrays[0])
    lists = _alike([_listed(array) for array in arrays])
    rows = np.concatenate([pc.call_function("list_parent_indices", [cells]).to_numpy() for cells in lists])
    values = pa.concat_arrays([pc.call_function("list_flatten", [cells]) for cells in lists])
    sizes = np.bincount(rows, minlength=count)
    starts = pa.array(np.concatenate(([0], np.cumsum(sizes))), pa.int32())
    values = values.take(pa.array(np.argsort(rows, kind="stable")))
    return pa.ListArray.from_arrays(starts, values, mask=pa.array(sizes == 0))


def _alike(arrays: list[pa.Array]) -> list[pa.Array]:
    """Arrays of one type: texts where they differ, in lists where one has lists."""
    if all(array.type == arrays[0].type for array in arrays):
        return arrays
    if any(pa.types.is_list(array.type) for array in arrays):
        return [_listed(array).cast(pa.list_(pa.string())) for array in arrays]
    return [array.cast(pa.string()) for array in arrays]


def _listed(array: pa.Array) -> pa.ListArray:
    """A column of single values as one of lists."""
    if pa.types.is_list(array.type):
        return array
    ends = np.cumsum(array.is_valid().to_numpy(zero_copy_only=False), dtype=np.int32)
    starts = pa.array(np.concatenate(([np.int32(0)], ends)))
    return pa.ListArray.from_arrays(starts, array.drop_null(), mask=array.is_null())
