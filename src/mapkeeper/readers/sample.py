"""The sample of a member: which of its records a plan leaves, drawn from all over it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from mapkeeper.readers.block import BLOCK, Content, Offsets, blocks
from mapkeeper.readers.rows import Format

WINDOWS = 16
UNLIMITED = 1 << 62
"""More rows or bytes than any member has."""

RANDOM = "random rows"
"""The one method that gives every row the same chance."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a member may take of the plan; ``None``: no limit."""

    rows: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What to read of a member: everything, chosen records, windows, or the head up to the share."""

    method: str
    chosen: Offsets | None = None  # numbers of records, counted from 0
    windows: tuple[tuple[int, int], ...] = ()  # offset and length
    rows: int | None = None  # at most so many, in each window
    bytes: int | None = None


_EVERYTHING = Sample("all")


def draw(content: Content, form: Format, size: int | None, share: Share, seed: str) -> Sample:
    """Draw the sample of a member. May read the content, up to the share; the caller goes back in it.

    A member that fits into the share of bytes is counted first, so that each record has the same chance. Of a larger
    one, windows all over it are read where that is possible, else its head.
    """
    if share.rows is None and share.bytes is None:
        return _EVERYTHING
    generator = random.Random(seed)  # noqa: S311 - a sample, no secret
    records, average, fits = _count(content, form, share, size)
    if fits and (share.rows is None or records <= share.rows):
        return _EVERYTHING
    if fits:
        assert share.rows is not None
        chosen = np.array(sorted(generator.sample(range(records), share.rows)), np.int64)
        return Sample(RANDOM, chosen=chosen)
    if content.plain and size is not None and size > form.body:
        return _windows(form.body, size, share, average, generator)
    return Sample("head", rows=share.rows, bytes=share.bytes)


def _count(content: Content, form: Format, share: Share, size: int | None) -> tuple[int, float, bool]:
    """The number of records and their average size, and whether all fit into the share of bytes."""
    records, taken = 0, 0
    content.seek(form.body)
    limit = share.bytes
    over = content.plain and size is not None and limit is not None and size > limit
    for block in blocks(content, form.body, form.ends, form.cut_long):
        records += block.records
        taken = block.stop - form.body
        if over or (limit is not None and block.stop > limit) or (limit is None and records > (share.rows or 0)):
            return records, taken / max(records, 1), False
    return records, taken / max(records, 1), True


def _windows(body: int, size: int, share: Share, average: float, generator: random.Random) -> Sample:
    """Windows at random offsets, one in each of as many equal parts; the first part's is its beginning."""
    rows = share.rows if share.rows is not None else UNLIMITED
    most = share.bytes if share.bytes is not None else UNLIMITED
    number = max(1, min(WINDOWS, rows // 8, int(most // max(average * 8, 1))))
    part = (size - body) / number
    # A little more than the rows need: the window is cut at line breaks and rows differ in size.
    length = int(max(average, min(most / number, (rows / number + 2) * average * 1.25, BLOCK, part)))
    windows = [(body, length)]
    for place in range(1, number):
        low, high = body + place * part, body + (place + 1) * part - length
        windows.append((int(generator.uniform(low, max(low, high))), length))
    return Sample("blocks spread over the file", windows=tuple(windows), rows=-(-rows // number))
