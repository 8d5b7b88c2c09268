"""Lines: each by its own format, all lines of a format at once; a line of no format is the field ``text``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa

from mapkeeper.model import Reason
from mapkeeper.readers.block import Offsets, line_ends
from mapkeeper.readers.json_lines import Objects
from mapkeeper.readers.json_loose import MOST_PATHS
from mapkeeper.readers.line_format import FORMATS
from mapkeeper.readers.rows import Note, Rows, column

_FEW_PATHS = MOST_PATHS // 4


class Lines:
    """Logs, text and JSON lines. Where the file was found to hold JSON lines, the others are counted."""

    cut_long = True

    def __init__(self, body: int, json: bool, unit: str = "line") -> None:
        self.body = body
        self.unit = unit
        self._json = json
        self._objects = Objects()

    @property
    def divisible(self) -> bool:
        """Not where objects have countless paths: those that get a field of their own would be others for each."""
        return self._objects.paths <= _FEW_PATHS

    def ends(self, data: bytes) -> Offsets:
        """Where the lines end."""
        return line_ends(data)

    def parse(self, data: bytes, ends: Offsets, note: Note) -> Iterator[Rows]:
        """Each line by its format, those of no format as they are."""
        lines = _series(column(data, ends))
        left = np.arange(len(lines), dtype=np.int64)
        objects = lines.str.contains(r"^\s*\{.*\}\s*$").to_numpy()
        bad: Offsets = np.empty(0, np.int64)
        if objects.any():
            texts = lines.filter(pl.Series(objects)).to_arrow().cast(pa.string())
            found, bad = self._objects.parse(texts, left[objects])
            yield from found
            left = np.union1d(left[~objects], bad)
        if self._json:
            blank = lines.str.contains(r"^\s*$").to_numpy()
            left = left[~blank[left]]
            torn = left[lines.gather(left).str.contains(r"^\s*\{\s*[^}\s]").to_numpy()]
            if torn.size:
                note(Reason.UNREADABLE, "lines that begin a JSON object and end in none", torn.size, int(torn[0]))
        for kind in FORMATS:
            if left.size:
                here = lines if left.size == len(lines) else lines.gather(left)
                matched, frame = kind.parse(here)
                if frame is not None:
                    yield Rows(_batch(frame), left[matched])
                    left = left[~matched]
        if left.size:
            text = lines if left.size == len(lines) else lines.gather(left)
            yield Rows(_batch(pl.DataFrame({"text": text})), left)

    def parse_part(self, data: bytes, ends: Offsets, note: Note) -> Iterator[Rows]:
        """A line is a line anywhere."""
        return self.parse(data, ends, note)

    def nothing(self) -> None:
        """Lines say nothing of those that are not there."""
        return


def lines_of(lines: list[str]) -> pl.Series:
    """Lines as the formats take them."""
    return pl.Series(lines, dtype=pl.String)


def _series(array: pa.StringArray) -> pl.Series:
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)
    return series


def _batch(frame: pl.DataFrame) -> pa.RecordBatch:
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    columns = [
        column.cast(pa.string()) if pa.types.is_large_string(column.type) else column
        for column in (chunked.combine_chunks() for chunked in table.columns)
    ]
    return pa.RecordBatch.from_arrays(columns, table.column_names)
