"""JSON objects, one a line: Arrow's reader where it can, Polars where types are mixed, line by line where neither."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from mapkeeper.readers.block import Offsets
from mapkeeper.readers.flat import flat
from mapkeeper.readers.json_loose import DEEPEST, MOST_PATHS, is_object, loose
from mapkeeper.readers.rows import Rows

_NO_CHARACTER = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class Objects:
    """Reads JSON objects and remembers their paths, and which of their strings Arrow would take for times."""

    def __init__(self) -> None:
        self._texts = pa.schema([])
        self._paths: set[str] = set()

    @property
    def paths(self) -> int:
        """How many there are so far."""
        return len(self._paths)

    def parse(self, lines: pa.StringArray, numbers: Offsets) -> tuple[list[Rows], Offsets]:
        """The objects as columns, and the numbers of the lines that hold none."""
        done: list[Rows] = []
        bad: list[Offsets] = []
        odd = _odd(lines)
        if odd.any():
            self._loosely(lines.filter(pa.array(odd)), numbers[odd], done, bad)
            lines, numbers = lines.filter(pa.array(~odd)), numbers[~odd]
        if len(lines):
            if _keys(_joined(lines)) > MOST_PATHS:
                self._loosely(lines, numbers, done, bad)
            else:
                self._parse(lines, numbers, done, bad)
        return done, np.concatenate(bad) if bad else np.empty(0, np.int64)

    def _parse(self, lines: pa.StringArray, numbers: Offsets, done: list[Rows], bad: list[Offsets]) -> None:
        text = _joined(lines)
        for read in (self._strict, _mixed):
            table = read(text)
            if table is not None and len(table) == len(lines) and not table.column_names:
                bad.append(numbers)  # objects without a key make no row: they are kept as text
                return
            if table is not None and len(table) == len(lines):
                batches = list(_batches(table))
                paths = self._paths.union(*(batch.schema.names for batch in batches))
                if len(paths) <= MOST_PATHS:
                    self._paths = paths
                    done.extend(Rows(batch, numbers) for batch in batches)
                else:
                    self._loosely(lines, numbers, done, bad)
                return
        good = np.array([is_object(line) for line in lines.to_pylist()], bool)
        if good.all():
            self._loosely(lines, numbers, done, bad)
        else:
            bad.append(numbers[~good])
            self._parse(lines.filter(pa.array(good)), numbers[good], done, bad)

    def _loosely(self, lines: pa.StringArray, numbers: Offsets, done: list[Rows], bad: list[Offsets]) -> None:
        for batch, good, wrong in loose(lines, self._paths):
            bad.append(numbers[wrong])
            if batch is not None:
                done.append(Rows(batch, numbers[good]))

    def _strict(self, text: pa.Buffer) -> pa.Table | None:
        """By Arrow's reader; it refuses mixed types. Strings stay strings, also those that look like times."""
        try:
            table = _read(text, self._texts)
            if (texts := _texts(pa.struct(list(table.schema)))) is not None:
                self._texts = pa.schema(_merged(pa.struct(list(self._texts)), texts))
                table = _read(text, self._texts)
            table.validate()  # of a list that begins with null, Arrow's reader loses that item
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OverflowError):
            return None
        return table


def _joined(lines: pa.StringArray) -> pa.Buffer:
    whole = pa.ListArray.from_arrays([0, len(lines)], lines)
    return pc.call_function("binary_join", [whole, "\n"])[0].as_buffer()


def _read(text: pa.Buffer, texts: pa.Schema) -> pa.Table:
    return pj.read_json(
        pa.BufferReader(text),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(text) + 64),
        parse_options=pj.ParseOptions(explicit_schema=texts, unexpected_field_behavior="infer"),
    )


def _mixed(text: pa.Buffer) -> pa.Table | None:
    """By Polars, which makes mixed types strings, but makes NUL of what is no character and bears none in a name."""
    if _NO_CHARACTER.search(text):
        return None
    try:
        frame = pl.read_ndjson(text.to_pybytes(), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    return frame.cast({pl.Int128: pl.String}).to_arrow(compat_level=pl.CompatLevel.oldest())


def _batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    for batch in table.combine_chunks().to_batches():
        narrow = flat(table.column_names, batch.columns)
        yield _narrowed(narrow)


def _narrowed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Large strings, as Polars gives them, as plain ones."""
    large = {pa.large_string(): pa.string(), pa.list_(pa.large_string()): pa.list_(pa.string())}
    columns = [column.cast(large.get(column.type, column.type)) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _texts(kind: pa.DataType) -> pa.DataType | None:
    """Of a type only what must be read as text: where Arrow saw times."""
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_list(kind):
        inner = _texts(kind.value_type)
        return None if inner is None else pa.list_(inner)
    if pa.types.is_struct(kind):
        fields = [(field.name, inner) for field in kind if (inner := _texts(field.type)) is not None]
        return pa.struct(fields) if fields else None
    return None


def _merged(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        fields = {field.name: field.type for field in one}
        for field in other:
            fields[field.name] = _merged(fields[field.name], field.type) if field.name in fields else field.type
        return pa.struct(list(fields.items()))
    if pa.types.is_list(one) and pa.types.is_list(other):
        return pa.list_(_merged(one.value_type, other.value_type))
    return other


def _odd(lines: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Lines nested more deeply than `DEEPEST`, which readers of whole blocks would follow all the way down."""
    series = pl.from_arrow(lines)
    assert isinstance(series, pl.Series)
    odd = np.zeros(len(lines), bool)
    for row in (series.str.count_matches(r"[\[{]") > DEEPEST).arg_true().to_list():
        raw = np.frombuffer(series[row].encode(), np.uint8)
        opens, closes = (raw == 123) | (raw == 91), (raw == 125) | (raw == 93)
        odd[row] = int((opens.astype(np.int32) - closes).cumsum().max()) > DEEPEST
    return odd


def _keys(text: pa.Buffer) -> int:
    """About how many different keys the objects have: by their first and last bytes and their length."""
    raw = np.frombuffer(text, np.uint8)
    if len(raw) < 16:
        return 0
    quotes = np.flatnonzero(raw[:-1] == 34)
    place = np.flatnonzero(raw[quotes + 1] == 58)
    place = place[place > 0]
    starts, stops = quotes[place - 1] + 1, quotes[place]
    sizes = (stops - starts).astype(np.uint64)
    short = np.minimum(sizes, 7) * np.uint64(8)
    inside = np.where(sizes < 8, (np.uint64(1) << short) - np.uint64(1), np.uint64((1 << 64) - 1))
    windows = np.lib.stride_tricks.sliding_window_view(raw, 8)
    last = len(windows) - 1
    head = windows[np.minimum(starts, last)].view("<u8").ravel() & inside
    tail = np.where(sizes < 8, np.uint64(0), windows[np.clip(stops - 8, 0, last)].view("<u8").ravel())
    return len(np.unique(head * np.uint64(31) ^ tail * np.uint64(17) ^ sizes))
