"""Where a reading stands, as a text that another process can go on from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace

from mapkeeper.errors import SourceError
from mapkeeper.model import Reason
from mapkeeper.readers.tally import Tally


@dataclass(slots=True)
class Point:
    """A place in an asset: everything before it was given out. Holds numbers and counts, no values."""

    member: int = 0
    step: int = 0  # the window, or the row group
    offset: int = -1  # in the content of the member; -1: its first record
    record: int = 0  # records of the member, or of the row group, before it
    given: int = 0  # batches of the step that begins here which were given out already
    disk: int = 0  # bytes of the member accounted for
    rows: int = 0  # of the plan, taken by the members before this one
    bytes: int = 0
    here_rows: int = 0  # of the plan, taken by this member so far
    here_bytes: int = 0
    tally: Tally = field(default_factory=Tally)

    def next_member(self) -> None:
        """Go to the beginning of the next member."""
        self.member += 1
        self.rows += self.here_rows
        self.bytes += self.here_bytes
        self.step = self.record = self.given = self.disk = self.here_rows = self.here_bytes = 0
        self.offset = -1

    def copy(self) -> Point:
        """The same place, which stays when this one moves on."""
        return replace(self, tally=Tally(dict(self.tally.counts)))

    def dump(self) -> str:
        """As text."""
        return json.dumps([*(getattr(self, name) for name in _NUMBERS), self.tally.dump()], separators=(",", ":"))

    @classmethod
    def load(cls, text: str | None) -> Point:
        """What `dump` made; the beginning for ``None``. Raises `SourceError` for anything else."""
        if text is None:
            return cls()
        try:
            *numbers, tally = json.loads(text)
            point = cls(tally=Tally.load(tally))
            for name, number in zip(_NUMBERS, numbers, strict=True):
                setattr(point, name, int(number))
        except (ValueError, TypeError):
            raise SourceError(Reason.CHANGED, "the resume point is not one; read the asset from its start") from None
        return point


_NUMBERS = tuple(entry.name for entry in fields(Point) if entry.name != "tally")
