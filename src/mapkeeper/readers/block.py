"""Blocks: a stream cut into pieces of whole records, a bounded number of bytes at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

BLOCK = 4 << 20
LONGEST = 1 << 20
"""A line of text that is longer is cut into pieces of this many bytes."""

Offsets = npt.NDArray[np.int64]
Ends = Callable[[bytes], Offsets]
"""Finds where the records in some bytes end, each with its line break; what follows the last one is incomplete."""


class Content(Protocol):
    """What records are cut from: a stream that can go back to an offset."""

    @property
    def plain(self) -> bool:
        """Whether an offset of the content is one of the member, and is gone to without reading."""
        ...

    @property
    def disk(self) -> int:
        """Bytes of the member that were taken so far."""
        ...

    @property
    def broken(self) -> str | None:
        """Why the content ends before its end, in words; ``None``: it does not, as far as it was read."""
        ...

    def read(self, n: int, /) -> bytes:
        """The next bytes, fewer than ``n`` only at the end."""
        ...

    def seek(self, offset: int, /) -> None:
        """Go to an offset of the content."""
        ...


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records and where they lie. ``data`` is empty where a record was too long to be taken up."""

    data: bytes
    ends: Offsets  # where each row of ``data`` ends
    start: int  # offset in the stream
    stop: int
    records: int  # records that begin here: more than rows where some were skipped, fewer where one was cut
    long: int = 0  # of them too long
    first_long: int = 0  # the number of the first of these
    unclosed: int = 0  # of them with a quote that nothing closes
    index: Offsets | None = None  # which record each row belongs to; None: the first, the second, …

    def of_records(self, numbers: Offsets) -> Block:
        """The block with the rows of some of its records only."""
        return self.rows(numbers if self.index is None else np.flatnonzero(np.isin(self.index, numbers)))

    def rows(self, chosen: Offsets) -> Block:
        """The block with some of its rows only."""
        starts = np.concatenate(([0], self.ends[:-1]))
        taken = [self.data[starts[row] : self.ends[row]] for row in chosen.tolist()]
        ends = np.cumsum([len(row) for row in taken], dtype=np.int64)
        index = chosen if self.index is None else self.index[chosen]
        return replace(self, data=b"".join(taken), ends=ends, index=index)


def line_ends(data: bytes) -> Offsets:
    """Where the lines in some bytes end."""
    return np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1


def blocks(content: Content, start: int, ends: Ends, cut_long: bool, inside: bool = False) -> Iterator[Block]:
    """Cut the content from where it stands, which is the offset ``start``; ``inside``: within a line too long.

    A record for which a whole block is too small is cut into rows where ``cut_long``, else skipped.
    """
    carry = b""
    while True:
        fresh = content.read(BLOCK - len(carry))
        data = carry + fresh
        over = len(data) < BLOCK
        if not data:
            return
        if inside:
            stop = data.find(b"\n") + 1
            inside = not stop and not over
            stop = stop or len(data)
            block = pieces(data[:stop], start, cut_long, begins=0)
        else:
            found = ends(data)
            torn = content.broken is not None and not cut_long  # the last row of a table that breaks off is not whole
            if over and not torn and data[found[-1] if len(found) else 0 :].strip(b"\r\n"):
                found = np.append(found, len(data))
            if len(found):
                stop = int(found[-1])
                block = Block(data[:stop], found, start, start + stop, len(found))
                if cut_long and _has_long(block.data):
                    block = _cut(block)
            elif over:
                block = Block(b"", found, start, start + len(data), 0)
            elif stop := data.find(b"\n") + 1:
                block = Block(b"", found, start, start + stop, 1, unclosed=1)
            else:
                inside = True
                block = pieces(data, start, cut_long, begins=1)
        yield block
        carry = data[block.stop - start :]
        start = block.stop


def _has_long(data: bytes) -> bool:
    """Whether there may be a line longer than `LONGEST`: it would cover half of that, somewhere, without a break."""
    step = LONGEST // 2
    return any(data.find(b"\n", at, at + step) < 0 for at in range(0, len(data) - step + 1, step))


def _cut(block: Block) -> Block:
    """The block with its long lines cut into rows."""
    sizes = np.diff(block.ends, prepend=0)
    if not (long := np.flatnonzero(sizes > LONGEST + 2)).size:
        return block
    rows: list[bytes] = []
    index: list[int] = []
    for line, stop in enumerate(block.ends.tolist()):
        text = block.data[stop - int(sizes[line]) : stop]
        parts = _split(text) if sizes[line] > LONGEST + 2 else [text]
        rows += parts
        index += [line] * len(parts)
    ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
    lines = np.array(index, np.int64)
    made = Block(b"".join(rows), ends, block.start, block.stop, block.records, index=lines)
    return replace(made, long=int(long.size), first_long=int(long[0]))


def pieces(data: bytes, start: int, keep: bool, begins: int) -> Block:
    """A part of a line too long, as rows of its own; ``begins``: whether the line begins here, 1 or 0."""
    rows = _split(data) if keep else []
    ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
    index = np.full(len(rows), begins - 1, np.int64)
    return Block(b"".join(rows), ends, start, start + len(data), begins, long=begins, index=index)


def _split(line: bytes) -> list[bytes]:
    """Pieces of a long line, each with a line break, no character torn apart."""
    parts, at, stop = [], 0, len(line.rstrip(b"\r\n"))
    while at < stop:
        to = min(at + LONGEST, stop)
        while to < stop and to > at + LONGEST - 4 and line[to] & 0xC0 == 0x80:
            to -= 1
        parts.append(line[at:to] + b"\n")
        at = to
    return parts
