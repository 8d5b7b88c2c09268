"""Delimited files: CSV, TSV and their kin, every column as text, by Arrow's reader."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pc

from mapkeeper.model import Reason
from mapkeeper.readers.block import Offsets
from mapkeeper.readers.rows import Note, Rows

_RAGGED = "rows with another number of columns"


class Delimited:
    """One dialect: its delimiter and its columns."""

    unit = "row"
    cut_long = False
    divisible = True

    def __init__(self, delimiter: str, names: list[str], body: int) -> None:
        self.body = body
        self._delimiter = delimiter
        self._names = names
        self._columns = [str(number) for number in range(len(names))]

    def ends(self, data: bytes) -> Offsets:
        """Where the rows end; blank lines are no rows."""
        return row_ends(data, self._delimiter)

    def parse(self, data: bytes, ends: Offsets, note: Note) -> Iterator[Rows]:
        """The rows that have as many cells as there are columns; the others are counted."""
        batch, bad = self._read(data)
        if bad:
            note(Reason.UNREADABLE, _RAGGED, len(bad), bad[0])
        good = np.delete(np.arange(len(ends)), bad) if bad else np.arange(len(ends))
        # Should Arrow ever count rows otherwise than we do, positions would lie: rather none.
        yield Rows(batch, good if len(good) == len(batch) else np.full(len(batch), -1))

    def parse_part(self, data: bytes, ends: Offsets, note: Note) -> Iterator[Rows]:
        """The same, but what does not fit may be the rest of a row cut in two and is no fault of the file."""
        batch, _ = self._read(data)
        yield Rows(batch, np.full(len(batch), -1))

    def nothing(self) -> pa.RecordBatch:
        """The columns of the header."""
        return pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in self._names], self._names)

    def _read(self, data: bytes) -> tuple[pa.RecordBatch, list[int]]:
        bad: list[int] = []

        def ragged(row: pc.InvalidRow) -> str:
            bad.append(row.number - 1)
            return "skip"

        table = pc.read_csv(
            pa.BufferReader(data),
            read_options=pc.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=self._columns),
            parse_options=pc.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=ragged
            ),
            convert_options=pc.ConvertOptions(
                column_types=dict.fromkeys(self._columns, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
        columns = [column.combine_chunks() for column in table.columns]
        return pa.RecordBatch.from_arrays(columns, self._names), bad


def row_ends(data: bytes, delimiter: str) -> Offsets:
    """Where the rows of delimited text end: at line breaks outside quotes, blank lines not counted.

    A quote opens a cell only at its beginning. Where all quotes are where they should be, counting them is enough
    and fast; else the cells are walked.
    """
    raw = np.frombuffer(data, np.uint8)
    breaks = raw == 10
    if b"\r" in data:
        lone = raw[:-1] == 13
        breaks[:-1] |= lone & (raw[1:] != 10)
    ends = np.flatnonzero(breaks) + 1
    if b'"' in data:
        quotes = np.flatnonzero(raw == 34)
        before = raw[quotes[0::2] - 1]
        proper = (before == ord(delimiter)) | (before == 10) | (before == 13) | (before == 34)
        proper[0] |= quotes[0] == 0
        outside = np.searchsorted(quotes, ends) % 2 == 0 if proper.all() else _outside(data, delimiter, ends)
        ends = ends[outside]
    sizes = np.diff(ends, prepend=0)
    small = np.flatnonzero(sizes <= 2)
    if small.size:
        starts = ends[small] - sizes[small]
        blank = [not data[start:stop].strip(b"\r\n") for start, stop in zip(starts, ends[small], strict=True)]
        ends = np.delete(ends, small[blank])
    return ends


def _outside(data: bytes, delimiter: str, ends: Offsets) -> npt.NDArray[np.bool_]:
    """Which line breaks lie outside quoted cells, by walking the quoted cells."""
    cell = re.compile(rb"(?:(?<=[\r\n" + re.escape(delimiter.encode()) + rb'])|\A)"(?:[^"]+|"")*+(?:"|\Z)')
    starts, stops = [], []
    for found in cell.finditer(data):
        starts.append(found.start())
        stops.append(found.end())
    if not starts:
        return np.ones(len(ends), bool)
    place = np.searchsorted(np.array(starts, np.int64), ends) - 1
    closed: npt.NDArray[np.bool_] = np.array(stops, np.int64)[np.maximum(place, 0)] < ends
    return (place < 0) | closed
