"""The columns of a MariaDB or MySQL table: how each is selected, and how what the server spells becomes Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mapkeeper_connectors.sql.columns import CELL
from mapkeeper_connectors.sql.mariadb.session import Row, quoted

_WHOLE = frozenset({"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"})
_BROKEN = frozenset({"float", "double"})
_BLOBS = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"})
_LONG = frozenset({"mediumtext", "longtext", "mediumblob", "longblob", "json"})
_SHAPES = frozenset(
    {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"}
    | {"geometrycollection", "geomcollection"}
)
_DIGITS = 18  # that always fit into 64 bits


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalog describes it."""

    name: str
    type: str  # "varchar"
    spelled: str = ""  # "varchar(40)", "bigint(20) unsigned"
    widest: int | None = None  # bytes of a text or blob
    digits: int | None = None
    places: int | None = None  # after the point
    charset: str | None = None
    comment: str = ""

    @property
    def long(self) -> bool:
        """Whether a cell may be so large that it is cut."""
        return self.type in _LONG or self.type in _SHAPES

    @property
    def selected(self) -> str:
        """The cell in SQL, cut where it may be long: what is beyond never leaves the server."""
        cell = quoted(self.name)
        if self.type == "bit":
            return f"{cell} + 0"
        if self.type in _SHAPES:
            cell = f"ST_AsText({cell})"
        return f"LEFT({cell}, {CELL + 1})" if self.long else cell

    @property
    def arrow(self) -> pa.DataType:
        """The type in Arrow; days and times are text, as they may be none: 0000-00-00, 838:59:59."""
        if self.type == "bit" or (self.type == "bigint" and "unsigned" in self.spelled):
            return pa.uint64()
        if self.type in _WHOLE:
            return pa.int64()
        if self.type in _BROKEN or (self.type == "decimal" and self.places):
            return pa.float64()
        if self.type == "decimal":
            return pa.int64() if (self.digits or 0) <= _DIGITS else pa.string()
        return pa.binary() if self.type in _BLOBS else pa.string()

    @property
    def most(self) -> int:
        """The bytes that a cell may take at most."""
        return min(4 * CELL, self.widest if self.widest is not None else 4 * CELL if self.long else 64)


@dataclass(slots=True)
class Losses:
    """What was met so far that is not whole."""

    cut: int = 0  # cells
    garbled: int = 0  # texts


def record_batch(columns: Sequence[Column], rows: Sequence[Row], losses: Losses) -> pa.RecordBatch:
    """Rows, whose first cells are the columns', as a batch; the store's comment is in the metadata of its field."""
    cells: Sequence[Sequence[bytes | None]] = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [_array(column, values, losses) for column, values in zip(columns, cells, strict=False)]
    fields = [
        pa.field(column.name, array.type, metadata={"comment": column.comment} if column.comment else None)
        for column, array in zip(columns, arrays, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _array(column: Column, values: Sequence[bytes | None], losses: Losses) -> pa.Array:
    array = pa.array(values, pa.binary())
    if pa.types.is_binary(column.arrow):
        if column.long and (cut := _longer(pc.call_function("binary_length", [array]))):
            losses.cut += cut
            array = pc.call_function("binary_slice", [array], pc.SliceOptions(0, CELL))
        return array
    array = _text(array, losses)
    if column.long and (cut := _longer(pc.call_function("utf8_length", [array]))):
        losses.cut += cut
        array = pc.call_function("utf8_slice_codeunits", [array], pc.SliceOptions(0, CELL))
    try:
        return array.cast(column.arrow)
    except pa.ArrowInvalid:  # a number that its own type does not hold
        return array


def _text(array: pa.Array, losses: Losses) -> pa.Array:
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        pass
    texts = []
    for raw in array.to_pylist():
        text = None if raw is None else raw.decode("utf-8", "replace")
        losses.garbled += text is not None and text.encode() != raw
        texts.append(text)
    return pa.array(texts, pa.string())


def _longer(lengths: pa.Array) -> int:
    too_long = pc.call_function("greater", [lengths, pa.scalar(CELL, lengths.type)])
    return int(too_long.true_count)
