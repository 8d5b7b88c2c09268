"""Where the reading of heaps stands, as a text that another process can go on from: numbers alone."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace

from mapkeeper.plugin import Reason, SourceError

FIRST = 64
"""Blocks of the first range."""


@dataclass(slots=True)
class Point:
    """A place in the heaps of a relation, what was counted before it, and how the range around it is read."""

    state: int = 0  # checksum of the relation as it was when its reading began
    oid: int = 0  # of the heap; 0: the first one
    file: int = 0  # that the heap lay in
    block: int = 0  # of the row before, or the first of a range
    number: int = 0  # of the row before in its block; 0: none of this range was given out
    end: int = 0  # the block after the range; 0: the range begins here
    step: int = FIRST  # blocks of the next range
    start: int = 0  # the first block of the range
    range_rows: int = 0  # of the range, before this point
    range_bytes: int = 0
    row: int = 0  # rows of the heap before this point
    bad_blocks: int = 0
    cut_cells: int = 0
    bad_texts: int = 0

    def copy(self) -> Point:
        """The same place, which stays when this one moves on."""
        return replace(self)

    def enter(self, oid: int, file: int) -> None:
        """Go to the beginning of a heap."""
        self.oid, self.file, self.block, self.row = oid, file, 0, 0
        self.leave(0)

    def begin(self, blocks: int, most: int) -> None:
        """Begin a range of so many blocks, in a heap that has ``most``."""
        self.start, self.end = self.block, min(self.block + blocks, most)
        self.range_rows = self.range_bytes = 0

    def leave(self, block: int) -> None:
        """Go behind a range, to this block."""
        self.block, self.number, self.end, self.start, self.range_rows, self.range_bytes = block, 0, 0, 0, 0, 0

    def dump(self) -> str:
        """As text."""
        return ":".join(map(str, astuple(self)))

    @classmethod
    def load(cls, text: str) -> Point:
        """What `dump` made. Raises `SourceError` for anything else."""
        numbers = text.split(":")
        if len(numbers) != len(fields(cls)) or not all(number.isdecimal() for number in numbers):
            raise SourceError(Reason.CHANGED, "the resume point is not one; read the asset from its start")
        return cls(*map(int, numbers))
