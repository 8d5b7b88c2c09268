"""The cells of one column: its type, and its distinct texts with the rows that hold them.

This module is the door to Arrow's types. A list is a cell with several values; what holds no text (a structure,
opaque bytes) is counted as filled and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_LONGEST = 1 << 20
"""Characters of a cell that are looked at; a longer one is cut."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of one batch. ``texts`` are distinct, neither null nor blank, without white space at their ends."""

    type: str  # one of mapkeeper.rules.TYPES, or "other"
    rows: int
    filled: int
    texts: pl.Series = field(repr=False)
    counts: pl.Series = field(repr=False)  # cells a text, in the order of ``texts``
    first: pl.Series = field(repr=False)  # the first row that holds it, from 0
    numbers: pl.Series = field(repr=False)  # integer columns: the values in order of rows, else empty
    pairs: pl.DataFrame | None = field(default=None, repr=False)  # lists: every (row, text), distinct

    def of(self, texts: npt.NDArray[np.uint32]) -> int:
        """How many cells hold at least one of some texts, given by their indices."""
        if not len(texts):
            return 0
        held = np.zeros(len(self.texts), bool)
        held[texts] = True
        if self.pairs is None:
            return int(self._counts[held].sum())
        return self.pairs.filter(pl.Series(held).gather(self.pairs.get_column("text"))).get_column("row").n_unique()

    @property
    def _counts(self) -> npt.NDArray[np.uint32]:
        return self.counts.to_numpy()


def cells(column: pa.Array) -> Cells:
    """Take a column of any Arrow type apart."""
    type, flat, parents = _flatten(column)
    texts = _texts(type, flat)
    frame = pl.DataFrame({"text": texts, "row": parents if parents is not None else _rows(len(texts))})
    kept = frame.filter(pl.col("text").is_not_null() & (pl.col("text") != ""))
    distinct = kept.group_by("text", maintain_order=True).agg(pl.len().alias("count"), pl.col("row").min())
    pairs, filled = None, len(kept)
    if parents is not None:
        ids = distinct.select("text").with_row_index("id")
        pairs = kept.unique().join(ids, on="text").select("row", pl.col("id").alias("text"))
        filled = kept.get_column("row").n_unique()
    if type in ("binary", "other", "time"):
        filled = len(column) - column.null_count
    numbers = pl.Series("n", dtype=pl.Float64)
    if type == "integer" and parents is None:
        numbers = pl.Series("n", flat).drop_nulls().cast(pl.Float64)
    return Cells(
        type,
        len(column),
        filled,
        distinct.get_column("text"),
        distinct.get_column("count"),
        distinct.get_column("row"),
        numbers,
        pairs,
    )


def _rows(count: int) -> pl.Series:
    return pl.int_range(count, dtype=pl.UInt32, eager=True)


def _flatten(column: pa.Array) -> tuple[str, pa.Array, pl.Series | None]:
    """The type of the values, the values without dictionary and lists, and for lists the row of each."""
    parents: pl.Series | None = None
    while True:
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.dictionary_decode()
        elif isinstance(kind, pa.ExtensionType) or isinstance(column, pa.ExtensionArray):
            column = column.storage
        elif pa.types.is_run_end_encoded(kind):
            column = pc.call_function("run_end_decode", [column])
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            rows = pl.Series("row", pc.call_function("list_parent_indices", [column])).cast(pl.UInt32)
            parents = rows if parents is None else parents.gather(rows)
            column = pc.call_function("list_flatten", [column])
        else:
            return _type(kind), column, parents


def _type(kind: pa.DataType) -> str:
    tests = (
        ("text", (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)),
        ("integer", (pa.types.is_integer,)),
        ("number", (pa.types.is_floating, pa.types.is_decimal)),
        ("date", (pa.types.is_date, pa.types.is_timestamp)),
        ("time", (pa.types.is_time, pa.types.is_duration)),
        ("boolean", (pa.types.is_boolean,)),
        ("binary", (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)),
    )
    for name, answers in tests:
        if any(answer(kind) for answer in answers):
            return name
    return "binary" if pa.types.is_binary_view(kind) else "other"


def _texts(type: str, column: pa.Array) -> pl.Series:
    """Each value as people write it."""
    if type in ("binary", "other", "time"):
        return pl.Series("text", [None] * len(column), dtype=pl.String)
    if type == "date":
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us"), safe=False)
        spelled = pl.Series("text", column.cast(pa.string()))
        return spelled.str.strip_suffix("000000").str.strip_suffix(".").str.strip_suffix(" 00:00:00")
    if not pa.types.is_large_string(column.type):
        column = column.cast(pa.large_string())
    texts = pl.Series("text", column, dtype=pl.String)
    if type == "number":
        return texts.str.replace(r"\.0+$", "")
    if type == "text":
        return texts.str.slice(0, _LONGEST).str.strip_chars()
    return texts
