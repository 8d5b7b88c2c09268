"""Rows of one relation of PostgreSQL: measured, their long cells cut, made into batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mapkeeper.plugin import Batch
from mapkeeper_connectors.sql.columns import record_batch
from mapkeeper_connectors.sql.postgres.columns import Columns
from mapkeeper_connectors.sql.postgres.session import Row


class Rows:
    """``cut_cells`` counts what was cut so far."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._names, self._types, self._comments = columns.names, columns.types, columns.comments
        self._wide = columns.wide
        self._lists = {number for number in self._wide if columns.all[number].type.array}
        self._longest = columns.longest
        self._fixed = 8 * (len(columns.all) - len(self._wide))
        self.cut_cells = 0

    def measured(self, rows: list[Row], *, skip: int = 0) -> tuple[list[Row], int]:
        """The rows, their long cells cut, and about how many bytes they are; ``skip`` cells at the start are others."""
        size = len(rows) * self._fixed
        long = []
        cells = list(zip(*rows, strict=True)) if self._wide else []
        for column in self._wide:
            there = filter(None, cells[column + skip])
            lengths = list(map(_list_length if column in self._lists else len, there))
            size += sum(lengths)
            if max(lengths, default=0) > self._longest:
                long.append(column + skip)
        return ([self._cut(row, long) for row in rows] if long else rows), size

    def batch(self, rows: Sequence[Row], size: int, method: str = "all", *, skip: int = 0, **about: Any) -> Batch:
        """A batch of rows that were measured; ``about`` is what else a `Batch` says."""
        data = record_batch(self._names, self._types, rows, skip=skip, comments=self._comments)
        return Batch(data, method, bytes=size, **about)

    def _cut(self, row: Row, long: Sequence[int]) -> Row:
        cells = list(row)
        for column in long:
            cell = cells[column]
            if isinstance(cell, list) and _list_length(cell) > self._longest:
                cells[column] = [cell[0][: self._longest]]  # came as one text, as it was too long
                self.cut_cells += 1
            elif isinstance(cell, str | bytes) and len(cell) > self._longest:
                cells[column] = cell[: self._longest]
                self.cut_cells += 1
        return tuple(cells)


def _list_length(cell: Any) -> int:
    """Characters in a list of texts, which may hold lists."""
    return sum(_list_length(value) if isinstance(value, list) else len(value) for value in cell if value is not None)
