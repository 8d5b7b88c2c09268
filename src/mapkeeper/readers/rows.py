"""What a format must offer so that its files can be read block by block, sampled and resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mapkeeper.model import Reason
from mapkeeper.readers.block import Offsets

Note = Callable[[Reason, str, int, int], None]
"""Takes what went wrong with rows: the reason, words, how many, and the first one's number within the block."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a block as columns, and which rows of the block they are (``None``: all, in order)."""

    data: pa.RecordBatch
    numbers: npt.NDArray[np.int64] | None = None


class Format(Protocol):
    """How one kind of file is cut into records and its records are read. May learn as it goes along."""

    unit: str  # what a position counts
    cut_long: bool  # whether part of a record is worth reading
    body: int  # offset of the first record

    @property
    def divisible(self) -> bool:
        """Whether others may read on behind, from what they can learn there themselves."""
        ...

    def ends(self, data: bytes, /) -> Offsets:
        """Where the records end; ``data`` begins with a record."""
        ...

    def parse(self, data: bytes, ends: Offsets, note: Note, /) -> Iterator[Rows]:
        """Read the records of a block, valid UTF-8, in the order in which they come."""
        ...

    def parse_part(self, data: bytes, ends: Offsets, note: Note, /) -> Iterator[Rows]:
        """Read records from somewhere in the file, where the first ones may belong to something cut off."""
        ...

    def nothing(self) -> pa.RecordBatch | None:
        """The fields without rows, where the file tells them even if it has no rows."""
        ...


def column(values: bytes, ends: Offsets) -> pa.StringArray:
    """Lines as an Arrow column, without their line breaks."""
    if b"\r" in values:
        # Blanks at the end would be as wrong to lose as line breaks to keep: cut exactly one break a line.
        raw = np.frombuffer(values, np.uint8)
        stops = ends - (raw[ends - 1] == 10)
        starts = np.concatenate(([0], ends[:-1]))
        stops = stops - ((stops > starts) & (raw[np.maximum(stops, 1) - 1] == 13))
        offsets = np.empty(2 * len(ends), np.int32)
        offsets[0::2], offsets[1::2] = starts, stops
        array = pa.StringArray.from_buffers(2 * len(ends) - 1, pa.py_buffer(offsets), pa.py_buffer(values))
        return array.take(pa.array(np.arange(0, 2 * len(ends) - 1, 2)))
    last = 0 if values.endswith(b"\n") else 1
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends - np.arange(1, len(ends) + 1)
    offsets[-1] += last
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(values.translate(None, b"\n")))


def repair(data: bytes, ends: Offsets, unit: str, note: Note) -> tuple[bytes, Offsets]:
    """Make every record valid UTF-8: what is not is read as Windows-1252, the usual other encoding, and counted."""
    if data.isascii():
        return data, ends
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return data, ends
    records, start, bad = [], 0, []
    for number, stop in enumerate(ends.tolist()):
        record = data[start:stop]
        start = stop
        try:
            record.decode()
        except UnicodeDecodeError:
            bad.append(number)
            record = record.decode("cp1252", "replace").encode()
        records.append(record)
    note(Reason.UNREADABLE, f"{unit}s not in UTF-8, read as Windows-1252", len(bad), bad[0])
    return b"".join(records), np.cumsum([len(record) for record in records], dtype=np.int64)
