"""The part of an asset that one member is: its share of the plan, and the batches that are made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mapkeeper.model import Reason
from mapkeeper.plugin import Batch
from mapkeeper.readers.block import BLOCK, Offsets
from mapkeeper.readers.cutting import Stretch
from mapkeeper.readers.member import Member
from mapkeeper.readers.resume import Point
from mapkeeper.readers.sample import RANDOM, Share

MOST_ROWS = 65_536


@dataclass(slots=True)
class Part:
    """One member on its way through a reader; ``point`` is where the reading of the asset stands."""

    member: Member
    many: bool  # whether the asset has other members
    point: Point
    share: Share
    seed: str
    left_out: bool = False  # whether the plan's limit left something of it out
    stretch: Stretch | None = None  # that is read, where it is not everything

    @property
    def end(self) -> Point | None:
        """Where within the member the reading ends, if it does."""
        return None if self.stretch is None else self.stretch.inside(self.point.member)

    @property
    def to_cut(self) -> Stretch | None:
        """The stretch, if it may end within the member and nobody knows where."""
        return self.stretch if self.stretch is not None and self.stretch.open else None

    def note(self, reason: Reason, says: str, place: str | None = None, count: int = 1) -> None:
        """Count something that was not read."""
        if self.many:
            place = self.member.name if place is None else f"{self.member.name}, {place}"
        self.point.tally.add(reason, says, place, count)

    def batches(
        self,
        made: Sequence[tuple[pa.RecordBatch, Offsets | None]],
        before: Point,
        size: int,
        method: str,
        unit: str,
    ) -> Iterator[Batch]:
        """Batches of bounded size out of what one step of a reader made.

        ``before`` is where the reading stood before the step and ``self.point`` where it stands after it: a batch
        that is not the step's last resumes within the step. The first batch carries the bytes of the whole step.
        """
        if not (pieces := [piece for data, positions in made for piece in _cut(data, positions)]):
            return
        self.point.here_rows += sum(data.num_rows for data, _ in pieces)
        self.point.here_bytes += size
        self.point.disk += size
        for number, (data, positions) in enumerate(pieces, 1):
            if number <= before.given:
                continue
            last = number == len(pieces)
            resume = self.point if last else dataclasses.replace(before, given=number)
            first = None if positions is None or not len(positions) else int(positions[0])
            follow = first is not None and positions is not None and int(positions[-1]) - first == len(positions) - 1
            yield Batch(
                data,
                method=method,
                random=method == RANDOM,
                bytes=size if number == 1 else 0,
                member=self.member.name if self.many else None,
                unit=unit,
                first=first if follow else None,
                positions=None if follow or positions is None else positions.tolist(),
                resume=resume.dump(),
            )


def _cut(data: pa.RecordBatch, positions: Offsets | None) -> Iterator[tuple[pa.RecordBatch, Offsets | None]]:
    if data.num_rows == 0:
        return
    step = int(max(1, min(MOST_ROWS, data.num_rows * BLOCK // max(1, data.nbytes))))
    for start in range(0, data.num_rows, step):
        yield data.slice(start, step), None if positions is None else positions[start : start + step]
