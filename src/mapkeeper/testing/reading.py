"""A reading: what a connector yielded of one asset, with a digest in place of each row."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mapkeeper.model import Asset, Gap, Reason
from mapkeeper.plugin import Batch, Connector, Cut, Divisible, ReadPlan
from mapkeeper.testing.trial import Refused, calling

MOST_ROWS = 65_536
"""Rows from which on a batch is no bounded number of rows."""

Position = tuple[str | None, str, int]
"""Member, unit and number of a row."""


@dataclass(frozen=True, slots=True)
class Part:
    """A batch, without its values."""

    rows: tuple[bytes, ...]  # a digest of each, the same in every process
    positions: tuple[Position, ...] | None  # of each row; None: rows have no position
    method: str
    random: bool
    bytes: int
    resume: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a connector yielded of an asset."""

    parts: tuple[Part, ...]
    gaps: tuple[Gap, ...]

    @property
    def rows(self) -> list[bytes]:
        """The digests of all rows, in order."""
        return [row for part in self.parts for row in part.rows]

    @property
    def budget_gaps(self) -> int:
        """How often it was said that a limit left something out."""
        return sum(gap.reason is Reason.BUDGET for gap in self.gaps)


def read(connector: Connector, asset: Asset, plan: ReadPlan | None = None, resume_from: str | None = None) -> Reading:
    """Read an asset that can be read, wholly where there is no plan; refuses what is no Batch and no Gap."""
    parts, gaps = [], []
    for event in events(connector, asset, plan or ReadPlan(), resume_from):
        if isinstance(event, Batch):
            parts.append(_part(event))
        else:
            gaps.append(event)
    return Reading(tuple(parts), tuple(gaps))


def read_stretch(
    connector: Divisible, asset: Asset, start: str | None, size: int, end: str | None = None
) -> tuple[list[str], Reading]:
    """Read a stretch of an asset: where it says that it ends, and what lies there."""
    cuts, parts, gaps = [], [], []
    with calling("stretch"):
        for event in connector.stretch(asset, start, size, end):
            if isinstance(event, Cut):
                cuts.append(event.resume)
                continue
            refuse_strangers(event)
            if isinstance(event, Batch):
                parts.append(_part(event))
            else:
                gaps.append(event)
    return cuts, Reading(tuple(parts), tuple(gaps))


def events(connector: Connector, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
    """What ``read`` yields of an asset that can be read, each looked at as it comes."""
    with calling("read"):
        for event in connector.read(asset, plan, resume_from):
            refuse_strangers(event)
            yield event


def refuse_strangers(event: object) -> None:
    """Refuse what ``read`` must not yield."""
    if isinstance(event, Gap):
        if not isinstance(event.reason, Reason):
            raise Refused("read yielded a Gap without a reason code; use a member of Reason")
        if event.count < 1:
            raise Refused("read yielded a Gap that counts nothing; leave it out, or count from 1")
        return
    if not isinstance(event, Batch):
        raise Refused(f"read yielded a {type(event).__name__}; yield Batch and Gap only")
    if not isinstance(event.data, pa.RecordBatch):
        raise Refused(f"a batch holds a {type(event.data).__name__}; hand over a pyarrow.RecordBatch")
    if event.data.num_rows > MOST_ROWS:
        raise Refused(
            f"a batch has {event.data.num_rows:,} rows; yield at most {MOST_ROWS:,} at a time: memory is bounded"
        )
    if len(set(event.data.schema.names)) < event.data.num_columns:
        raise Refused("a batch has two columns of one name; columns are fields: make their names different")
    if not event.method:
        raise Refused("a batch does not say how its rows were chosen; set method")
    if event.bytes < 0:
        raise Refused("a batch was read from fewer than 0 bytes; set bytes to what was read for it, or leave it 0")
    if event.positions is not None and len(event.positions) != event.data.num_rows:
        raise Refused("a batch has not as many positions as rows; give one for every row, or only the first")
    resume: object = event.resume
    if resume is not None and (not isinstance(resume, str) or not resume):
        raise Refused("a batch's resume is no text; give a str that read understands, or None")


def misses(due: Sequence[bytes], rest: Sequence[bytes]) -> str:
    """What is wrong with a reading that went on where another stopped, and how to mend it."""
    lost, again = (Counter(due) - Counter(rest)).total(), (Counter(rest) - Counter(due)).total()
    if not lost and not again:
        return "yields the rest in another order"
    return (
        f"misses {lost:,} rows and has {again:,} too many; "
        "resume names where the next batch begins, and what was read counts towards the plan"
    )


def _part(batch: Batch) -> Part:
    # Empty cells do not count: which fields a batch has may hang on where it was cut from the asset.
    rows = batch.data.to_pylist()
    digests = tuple(_digest({name: cell for name, cell in row.items() if cell is not None}) for row in rows)
    numbers = batch.positions
    if numbers is None and batch.first is not None:
        numbers = range(batch.first, batch.first + len(rows))
    positions = None if numbers is None else tuple((batch.member, batch.unit, int(number)) for number in numbers)
    return Part(digests, positions, batch.method, batch.random, batch.bytes, batch.resume)


def _digest(row: dict[str, object]) -> bytes:
    return hashlib.blake2b(repr(row).encode(errors="surrogatepass"), digest_size=8).digest()
