"""Read a table: a Parquet file, typed columns, row group by row group."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mapkeeper.model import Reason
from mapkeeper.plugin import Batch, Cut
from mapkeeper.readers.block import BLOCK, Offsets
from mapkeeper.readers.cutting import Stretch
from mapkeeper.readers.flat import flat
from mapkeeper.readers.part import MOST_ROWS, Part
from mapkeeper.readers.resume import Point
from mapkeeper.readers.sample import RANDOM, WINDOWS, Share
from mapkeeper.readers.stream import Stream

_ERRORS = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)
_LARGEST = 64 << 20
"""A table that can only be read from its start, in a container, is taken into memory up to this size."""

_Pick = tuple[int, Offsets | int]
"""A row group, and which of its rows: their numbers, or how many from its start."""


def is_table(head: bytes) -> bool:
    """Whether a file is Parquet, by its first bytes."""
    return head.startswith((b"PAR1", b"PARE"))


def table(part: Part, stream: Stream) -> Iterator[Batch | Cut]:
    """The rows of a Parquet file, as far as the member's share goes."""
    if stream.peek(4) == b"PARE":
        part.note(Reason.ENCRYPTED, "encrypted Parquet files")
        return
    raw: BinaryIO
    if stream.plain:
        raw = part.member.open()
    else:
        raw = io.BytesIO(stream.read(_LARGEST + 1))
        if len(raw.getbuffer()) > _LARGEST:
            part.note(Reason.TOO_LARGE, f"compressed Parquet files over {_LARGEST >> 20} MiB, not read")
            return
    with closing(raw):
        try:
            file = pq.ParquetFile(raw, pre_buffer=False, buffer_size=1 << 16)
            groups = _Groups(file, part.member.size or stream.disk)
        except _ERRORS:
            part.note(Reason.UNREADABLE, "Parquet files whose footer is missing or wrong")
            return
        yield from _read(part, file, groups)


class _Groups:
    """What the footer says of the row groups.

    Their sizes in the file are estimated from their sizes when unpacked: asked for the exact ones, which stand with
    each column, Arrow ends the process where a footer is damaged.
    """

    def __init__(self, file: pq.ParquetFile, size: int) -> None:
        meta = file.metadata
        groups = [meta.row_group(number) for number in range(meta.num_row_groups)]
        self.rows = [max(0, group.num_rows) for group in groups]
        self.swollen = [max(0, group.total_byte_size) for group in groups]
        total = max(1, sum(self.swollen))
        self.sizes = [size * swollen // total for swollen in self.swollen]


def _read(part: Part, file: pq.ParquetFile, groups: _Groups) -> Iterator[Batch | Cut]:
    point = part.point
    if (stretch := part.to_cut) is not None and (end := _end(point, groups, stretch)) is not None:
        yield stretch.at(end)
    method, picks = _draw(groups, part.share, part.seed)
    part.left_out = method != "all"
    firsts = np.cumsum([0, *groups.rows])
    empty = not sum(groups.rows)
    for number in range(point.step, len(picks) if part.end is None else part.end.step):
        group, rows = picks[number]
        for data, numbers, stop, size in _group(part, file, groups, group, rows):
            before = point.copy()
            point.record, point.given = stop, 0
            yield from part.batches([(data, numbers + firsts[group] + 1)], before, size, method, "row")
        point.step, point.record = number + 1, 0
    if empty:
        schema = file.schema_arrow
        nothing = flat(schema.names, [pa.array([], field.type) for field in schema])
        yield Batch(nothing, member=part.member.name if part.many else None)


def _end(point: Point, groups: _Groups, stretch: Stretch) -> Point | None:
    """The row group behind which a stretch ends; ``None``: it does not end within the table."""
    edges = np.cumsum([0, *groups.sizes])
    step = int(np.searchsorted(edges, edges[point.step] + stretch.size))
    if step >= len(groups.rows):
        return None
    end = Point(member=point.member, step=step, disk=int(edges[step]))
    return end if stretch.worth(end) else None


def _draw(groups: _Groups, share: Share, seed: str) -> tuple[str, list[_Pick]]:
    """Which rows to read, and the method's name."""
    total, number = sum(groups.rows), len(groups.rows)
    generator = random.Random(seed)  # noqa: S311 - a sample, no secret
    if share.bytes is None or sum(groups.sizes) <= share.bytes:
        if share.rows is None or total <= share.rows:
            return "all", list(enumerate(groups.rows))
        chosen = np.array(sorted(generator.sample(range(total), share.rows)), np.int64)
        edges = np.cumsum([0, *groups.rows])
        drawn = [chosen[(chosen >= edges[group]) & (chosen < edges[group + 1])] for group in range(number)]
        return RANDOM, [(group, rows - edges[group]) for group, rows in enumerate(drawn) if rows.size]
    few = min(WINDOWS, number)
    picks: list[_Pick] = []
    for group in sorted(generator.sample(range(number), few)):
        rows = groups.rows[group] * share.bytes // max(1, few * groups.sizes[group])
        rows = rows if share.rows is None else min(rows, -(-share.rows // few))
        picks.append((group, max(1, min(rows, groups.rows[group]))))
    return "random row groups", picks


def _group(
    part: Part, file: pq.ParquetFile, groups: _Groups, group: int, rows: Offsets | int
) -> Iterator[tuple[pa.RecordBatch, Offsets, int, int]]:
    """Rows of a group behind those already given: their data, numbers, where they end, and the bytes they took."""
    count, size = max(1, groups.rows[group]), groups.sizes[group]
    step = max(1, min(MOST_ROWS, BLOCK * count // max(1, groups.swollen[group])))
    if isinstance(rows, int):
        step = max(1, min(step, rows))
    skip, at = part.point.record, 0
    try:
        for batch in file.iter_batches(step, row_groups=[group], use_threads=False):
            start, at = at, at + batch.num_rows
            if at <= skip:
                continue
            here = np.arange(start, min(at, rows)) if isinstance(rows, int) else rows[(rows >= start) & (rows < at)]
            if here.size:
                taken = batch.take(pa.array(here - start)) if here.size < batch.num_rows else batch
                data = flat(taken.schema.names, taken.columns)
                yield _sound(part, data), here, at, size * at // count - size * start // count
            if isinstance(rows, int) and at >= rows:
                return
    except _ERRORS:
        part.note(Reason.UNREADABLE, "Parquet row groups that break", f"row group {group + 1}")


def _sound(part: Part, data: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with every text valid UTF-8; Parquet's writers do not see to that, and nor does its reader."""
    try:
        data.validate(full=True)
    except pa.ArrowInvalid:
        columns = [_valid(column) for column in data.columns]
        part.note(Reason.UNREADABLE, "batches of Parquet with text not in UTF-8, of which some is replaced")
        data = pa.RecordBatch.from_arrays(columns, data.schema.names)
        data.validate(full=True)
    return data


def _valid(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        return pa.ListArray.from_arrays(column.offsets, _valid(column.values), mask=column.is_null())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        raw = column.cast(pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary())
        texts = [None if value is None else value.decode("utf-8", "replace") for value in raw.to_pylist()]
        return pa.array(texts, column.type)
    return column
