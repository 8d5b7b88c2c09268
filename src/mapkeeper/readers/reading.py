"""Read an asset: its members one after the other, each by its container and format, as far as the plan goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import closing

from mapkeeper.errors import SourceError
from mapkeeper.model import Gap, Reason
from mapkeeper.plugin import Batch, Cut, ReadPlan
from mapkeeper.readers.cutting import Stretch
from mapkeeper.readers.document import LARGEST, Document, is_document
from mapkeeper.readers.kinds import unread
from mapkeeper.readers.logs import Lines
from mapkeeper.readers.member import Member
from mapkeeper.readers.part import Part
from mapkeeper.readers.recognise import recognise
from mapkeeper.readers.records import records
from mapkeeper.readers.resume import Point
from mapkeeper.readers.sample import Share
from mapkeeper.readers.stream import Stream, encoding_of
from mapkeeper.readers.table import is_table, table

_HEAD = 64 << 10
"""Bytes by which a format is told …"""

_LONG_HEAD = 4 << 20
"""… where these are JSON without a line break: a document may be written on one line."""

_REASONS = {
    Reason.DENIED: "no permission to read; grant read access to the account that scans",
    Reason.MISSING: "there is none any more",
    Reason.CHANGED: "something else was put in their place while they were read",
    Reason.ARCHIVED: "in an archived tier",
    Reason.UNREACHABLE: "the connection was lost",
    Reason.TIMEOUT: "the store did not answer in time",
}
"""What happened to objects, as far as the reason of an error tells; its own words may hold anything."""

_LEFT_OUT = "objects read in part or not at all, by the limit of the plan"


def read(members: Sequence[Member], plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
    """What `mapkeeper.readers.read` does; that one is light to import."""
    for event in _events(members, plan, Point.load(resume_from), None):
        assert not isinstance(event, Cut)
        yield event


def stretch(members: Sequence[Member], start: str | None, size: int, end: str | None) -> Iterator[Batch | Gap | Cut]:
    """What `mapkeeper.readers.stretch` does."""
    known = None if end is None else Point.load(end)
    yield from _events(members, ReadPlan(), Point.load(start), Stretch(members, size, known))


def _events(
    members: Sequence[Member], plan: ReadPlan, point: Point, stretch: Stretch | None
) -> Iterator[Batch | Gap | Cut]:
    many = len(members) > 1
    for index in range(point.member, len(members)):
        if stretch is not None and stretch.over(index):
            break
        member = members[index]
        if index > point.member:
            point.next_member()
        if stretch is not None and stretch.open and not stretch.large(point):
            yield from _after(stretch, point)
        part = Part(member, many, point, _share(plan, point, len(members) - index), f"{plan.seed}/{index}")
        part.stretch = stretch
        if part.share.rows == 0 or part.share.bytes == 0:
            part.left_out = True
        else:
            try:
                yield from _read(part)
            except (SourceError, OSError) as error:
                reason, says = _why(error)
                if not many:
                    raise SourceError(reason, f"{member.name}: {says}") from None
                part.note(reason, f"objects: {says}")
        if part.left_out:
            part.note(Reason.BUDGET, _LEFT_OUT)
        if stretch is not None and stretch.open:  # there was nothing in the member to cut
            yield from _after(stretch, point)
    yield from point.tally.gaps()


def _after(stretch: Stretch, point: Point) -> Iterator[Cut]:
    if (cut := stretch.after(point)) is not None:
        yield cut


def _share(plan: ReadPlan, point: Point, left: int) -> Share:
    """An equal part of what is left of the plan for each member that is left."""
    return Share(
        None if plan.rows is None else max(0, -(-(plan.rows - point.rows) // left)),
        None if plan.bytes is None else max(0, -(-(plan.bytes - point.bytes) // left)),
    )


def _read(part: Part) -> Iterator[Batch | Cut]:
    stream = Stream(part.member)
    with closing(stream):
        if part.to_cut is not None and not stream.plain:
            yield from _after(part.to_cut, part.point)
        held: Batch | None = None
        for event in _batches(part, stream):
            if isinstance(event, Cut):
                yield event
                continue
            if held is not None:
                yield held
            held = event
        if held is not None and not part.left_out:
            # What belongs to no row (the end of a container, the footer of a table) was read all the same.
            size = part.member.size if part.member.size is not None and not stream.broken else stream.disk
            size = size if part.end is None else part.end.disk
            held = dataclasses.replace(held, bytes=held.bytes + max(0, size - part.point.disk))
        if held is not None:
            yield held
        if stream.broken is not None:
            part.note(Reason.UNREADABLE, f"objects: {stream.broken}")


def _batches(part: Part, stream: Stream) -> Iterator[Batch | Cut]:
    """By the format that the first bytes tell."""
    head = stream.peek(_HEAD)
    if not head:
        return
    if is_table(head):
        yield from table(part, stream)
        return
    gap = unread(head, binary=False)
    if gap is None and (encoding := encoding_of(head)) is not None:
        stream.transcode(encoding)
        head = stream.peek(_HEAD)
    if gap is None:
        gap = unread(head, binary=True)
    if gap is not None:
        part.note(gap.reason, gap.says)
        return
    if head.lstrip()[:1] in (b"{", b"[") and b"\n" not in head.strip():
        head = stream.peek(_LONG_HEAD)
    if is_document(head, len(head) < _HEAD):
        if len(stream.peek(LARGEST + 1)) > LARGEST:
            part.note(Reason.TOO_LARGE, f"JSON documents of more than {LARGEST >> 20} MiB, which are not read")
            return
        document = Document(stream)
        yield from records(part, document, Lines(0, json=True, unit="record"))
        if document.broken is not None:
            part.note(Reason.UNREADABLE, document.broken)
        return
    whole = len(head) < _HEAD
    yield from records(part, stream, recognise(head[:_HEAD], whole, part.member.name))


def _why(error: SourceError | OSError) -> tuple[Reason, str]:
    """The reason code of an error and what to say of it; never its own words, which may hold anything."""
    if isinstance(error, SourceError):
        return error.reason, _REASONS.get(error.reason, "could not be opened")
    for kind, reason in ((FileNotFoundError, Reason.MISSING), (PermissionError, Reason.DENIED)):
        if isinstance(error, kind):
            return reason, _REASONS[reason]
    return Reason.UNREADABLE, f"could not be read ({type(error).__name__})"
