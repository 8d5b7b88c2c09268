"""Read records: a member that is cut into lines or rows, wholly, by a sample, or up to a limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from mapkeeper.model import Reason
from mapkeeper.plugin import Batch, Cut
from mapkeeper.readers.block import BLOCK, LONGEST, Block, Content, Offsets, blocks, pieces
from mapkeeper.readers.cutting import Stretch
from mapkeeper.readers.part import Part
from mapkeeper.readers.resume import Point
from mapkeeper.readers.rows import Format, repair
from mapkeeper.readers.sample import RANDOM, UNLIMITED, Sample, draw


def records(part: Part, content: Content, form: Format) -> Iterator[Batch | Cut]:
    """The records of a member, by its format, as far as its share goes."""
    sample = draw(content, form, part.member.size, part.share, part.seed)
    part.left_out = sample.method != "all"
    given = False
    for event in _windows(part, content, form, sample) if sample.windows else _ordered(part, content, form, sample):
        given = True
        yield event
    if not given and part.point.offset < 0 and (empty := form.nothing()) is not None:
        member = part.member.name if part.many else None
        yield Batch(empty, method=sample.method, random=sample.method == RANDOM, member=member, unit=form.unit)


def _ordered(part: Part, content: Content, form: Format, sample: Sample) -> Iterator[Batch | Cut]:
    """From the start, or from where the reading stands, to the end or the limit."""
    point = part.point
    start = max(point.offset, form.body)
    inside = form.cut_long and start > form.body and not _begins(content, start)
    content.seek(start)
    found = blocks(content, start, form.ends, form.cut_long, inside)
    while not _enough(sample, point) and not _ended(part, point) and (block := next(found, None)) is not None:
        before = point.copy()
        numbers = None if sample.chosen is None else sample.chosen - point.record
        if numbers is not None:
            block = block.of_records(numbers[(numbers >= 0) & (numbers < block.records)])
        elif sample.method == "head":
            block = block.rows(np.arange(_within(sample, point, block)))
        made = _parse(part, form, block, point.record, in_order=True)
        point.offset, point.record, point.given = block.stop, point.record + block.records, 0
        size = max(0, (block.stop if content.plain else content.disk) - point.disk)
        yield from part.batches(made, before, size, sample.method, form.unit)
        if content.plain and (stretch := part.to_cut) is not None and form.divisible:
            held, end = _ahead(found, point, start, stretch)
            if end is not None:
                yield stretch.at(end)
            elif (cut := stretch.after(point)) is not None:
                yield cut
            found = _drained(held, found)


def _begins(content: Content, start: int) -> bool:
    """Whether a line begins at an offset, and not a further part of one too long."""
    content.seek(start - 1)
    return content.read(1) == b"\n"


def _ahead(found: Iterator[Block], point: Point, start: int, stretch: Stretch) -> tuple[deque[Block], Point | None]:
    """The next blocks, read but not yet taken apart, and the end of the last, where a stretch may end there.

    So nothing is read twice. Where no block ends with a whole record for long, the stretch has no end.
    """
    held = deque[Block]()
    taken, record = point.offset - start, point.record
    while taken < 2 * stretch.size:
        if taken >= stretch.size and held and _ends_whole(held[-1]):
            end = Point(member=point.member, offset=held[-1].stop, record=record, disk=held[-1].stop)
            return held, end if stretch.worth(end) else None
        if (block := next(found, None)) is None:
            break
        held.append(block)
        taken += len(block.data) + block.ends.nbytes
        record += block.records
    return held, None


def _ends_whole(block: Block) -> bool:
    """Whether the block ends where a record does, and not within a long one."""
    return block.records > 1 or (block.records == 1 and not block.long)


def _drained(held: deque[Block], found: Iterator[Block]) -> Iterator[Block]:
    while held:
        yield held.popleft()
    yield from found


def _within(sample: Sample, point: Point, block: Block) -> int:
    """How many rows of a block belong to the head of the member."""
    most = len(block.ends)
    if sample.rows is not None:
        most = min(most, max(0, sample.rows - point.here_rows))
    if sample.bytes is not None:
        most = min(most, max(1, int(np.searchsorted(block.ends, sample.bytes - block.start, side="right"))))
    return most


def _enough(sample: Sample, point: Point) -> bool:
    """Whether the head of a member has been read as far as its share goes."""
    return (sample.rows is not None and point.here_rows >= sample.rows) or (
        sample.bytes is not None and point.offset >= sample.bytes
    )


def _ended(part: Part, point: Point) -> bool:
    """Whether the stretch that is read ends here."""
    return part.end is not None and point.offset >= part.end.offset


def _windows(part: Part, content: Content, form: Format, sample: Sample) -> Iterator[Batch]:
    """From places all over the file, each cut at line breaks."""
    point = part.point
    for number in range(point.step, len(sample.windows)):
        before = point.copy()
        offset, length = sample.windows[number]
        made = []
        size = 0
        left = (part.share.rows if part.share.rows is not None else UNLIMITED) - point.here_rows
        block = _window(content, form, offset, length, min(left, sample.rows or UNLIMITED))
        if block is not None:
            made = _parse(part, form, block, 0, in_order=number == 0)
            size = block.stop - block.start
        point.step, point.offset, point.given = number + 1, 0, 0
        yield from part.batches(made, before, size, sample.method, form.unit)


def _window(content: Content, form: Format, offset: int, length: int, most: int) -> Block | None:
    """The whole records that begin in a window; ``None`` where there is none."""
    first = offset == form.body
    at = offset if first else offset - 1
    content.seek(at)
    data = content.read(length + (not first))
    skip = 0 if first else data.find(b"\n") + 1
    if skip == 0 and not first:
        return None
    data = data[skip:]
    ends = form.ends(data)[:most]
    if not len(ends) and first:  # one record at least, however little the plan leaves
        data += content.read(BLOCK - len(data))
        ends = form.ends(data)[:1]
        if not len(ends) and len(data) == BLOCK:
            return pieces(data, at, form.cut_long, 1)
        if not len(ends):
            ends = np.array([len(data)], np.int64)
    if not len(ends):
        return None
    return Block(data[: ends[-1]], ends, at + skip, at + skip + int(ends[-1]), len(ends))


def _parse(
    part: Part, form: Format, block: Block, record: int, in_order: bool
) -> list[tuple[pa.RecordBatch, Offsets | None]]:
    """The columns of a block with the positions of their rows."""

    def position(row: int) -> str | None:
        number = row if block.index is None else int(block.index[row])
        return f"{form.unit} {record + number + 1}" if in_order else None

    def note(reason: Reason, says: str, count: int, row: int) -> None:
        part.note(reason, says, position(row), count)

    if block.long:
        place = f"{form.unit} {record + block.first_long + 1}" if in_order else None
        limit, done = (LONGEST, "read in pieces") if form.cut_long else (BLOCK, "skipped")
        part.note(Reason.TOO_LARGE, f"{form.unit}s longer than {limit >> 20} MiB, {done}", place, block.long)
    if block.unclosed:
        place = f"{form.unit} {record + 1}" if in_order else None
        part.note(Reason.UNREADABLE, f"{form.unit}s with a quote that nothing closes", place, block.unclosed)
    if not len(block.ends):
        return []
    data, ends = repair(block.data, block.ends, form.unit, note)
    parse = form.parse if in_order else form.parse_part
    made: list[tuple[pa.RecordBatch, Offsets | None]] = []
    try:
        for rows in parse(data, ends, note):
            if not in_order or rows.numbers is None:
                made.append((rows.data, None))
            else:
                numbers = rows.numbers if block.index is None else block.index[rows.numbers]
                made.append((rows.data, numbers + record + 1))
    except pa.ArrowException:
        note(Reason.UNREADABLE, f"{form.unit}s that could not be taken apart", len(ends), 0)
    return made
