"""What the survey holds of an asset, and which of its objects a plan reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, overload

from mapkeeper.model import Gap, Reason
from mapkeeper.plugin import Batch, Fact, ReadPlan
from mapkeeper.readers import Member
from mapkeeper.readers.family import COMPRESSED
from mapkeeper.readers.folding import Folded
from mapkeeper.readers.listed import Listed, drawn
from mapkeeper.readers.shape import Shape
from mapkeeper_connectors.s3.objects import FIRST, SMALL

ROWS, BYTES = 10_000, 16 << 20
"""A plan of so much reads …"""
OBJECTS, LARGE_OBJECTS = 64, 8
"""… so many objects of a family, or of one whose objects take many requests each; a larger plan reads more of them."""

_A_PAGE = 1000  # keys
_TABLE = ".parquet"
_TO_SAMPLE = {True: 4, False: 20}
"""Requests for a sample of an object that is not small: its beginning, or places all over it."""

_METHODS = {"all": "all rows of objects drawn at random"}
_ARCHIVED = "objects in an archived tier, not read"


@dataclass(frozen=True, slots=True)
class Held:
    """An asset as the survey saw it: the handle of the asset, in bounded size."""

    shape: Shape
    count: int
    bytes: int
    archived: int
    oldest: int | None  # seconds since 1970
    newest: int | None
    kinds: tuple[tuple[str, int], ...]  # storage classes, with their numbers
    digest: str
    kept: tuple[Listed, ...]  # all that can be read, or a sample of them
    complete: bool  # whether they are all

    @classmethod
    def of(cls, folded: Folded) -> Held:
        """What is held of a family."""
        family = folded.family
        return cls(
            folded.shape,
            family.count,
            family.bytes,
            family.closed,
            family.oldest,
            family.newest,
            tuple(sorted(family.kinds.items())),
            family.digest,
            tuple(family.kept),
            family.complete,
        )

    @property
    def readable(self) -> int:
        """How many of the objects can be read."""
        return self.count - self.archived

    def chosen(self, plan: ReadPlan) -> list[Listed] | None:
        """The objects that a plan reads; ``None``: all, of which only some are known by name."""
        if plan.rows is None and plan.bytes is None:
            return list(self.kept) if self.complete else None
        return drawn(self.kept, min(self._most(plan), len(self.kept)), plan.seed)

    def requests(self, plan: ReadPlan) -> int:
        """About how many requests the reading by a plan takes."""
        if plan.rows is None and plan.bytes is None:
            tables = sum(one.size // FIRST for one in self.kept if one.name.endswith(_TABLE))
            again = 0 if self.complete else self.count // _A_PAGE + 1
            return self.readable + tables * self.readable // max(1, len(self.kept)) + again
        return sum(1 if one.size <= SMALL else _TO_SAMPLE[_in_order(one.name)] for one in self.chosen(plan) or ())

    def _most(self, plan: ReadPlan) -> int:
        limits = [limit / base for limit, base in ((plan.rows, ROWS), (plan.bytes, BYTES)) if limit is not None]
        each = OBJECTS if self.bytes <= self.count * SMALL else LARGE_OBJECTS
        return int(each * max(1.0, min(limits)))

    def facts(self) -> Iterator[Fact]:
        """Number of objects, days of the first and last modification, storage classes."""
        yield Fact("objects", self.count, "metadata")
        yield Fact("oldest", _day(self.oldest), "metadata")
        yield Fact("newest", _day(self.newest), "metadata")
        classes = ", ".join(kind for kind, _ in self.kinds if kind)
        yield Fact("storage_classes", classes or None, "metadata")


class Relisted(Sequence[Member]):
    """The members of a family that is too large to be held: listed again, as they are read, one after the other.

    What is listed now may differ from what was surveyed: ``lost`` and ``more`` count by how much.
    """

    def __init__(self, count: int, listing: Iterator[Listed], member: Callable[[Listed], Member]) -> None:
        self._count = count
        self._listing = listing
        self._member = member
        self._at = -1
        self._current: Member | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Member]: ...
    def __getitem__(self, index: int | slice) -> Member | Sequence[Member]:
        """The member of this number; those before it cannot be had again."""
        if isinstance(index, slice) or not self._at <= index < self._count:
            raise IndexError(index)
        while self._at < index:
            self._at += 1
            one = next(self._listing, None)
            self._current = _gone() if one is None else self._member(one)
        assert self._current is not None
        return self._current

    @property
    def more(self) -> int:
        """How many are there that were not when they were counted."""
        return sum(1 for _ in self._listing)


def _in_order(name: str) -> bool:
    """Whether an object can be read from its start only, by its name."""
    return COMPRESSED.search(name.lower()) is not None


def _gone() -> Member:
    def open_none() -> BinaryIO:
        raise FileNotFoundError

    return Member("object", None, open_none)


def owned_up(events: Iterator[Batch | Gap], left: int) -> Iterator[Batch | Gap]:
    """What a reading yields, where so many objects of the family were left out: batches and gaps say so."""
    told = False
    for event in events:
        if isinstance(event, Batch):
            # The objects are drawn first, and a row of a small one is drawn more often than one of a large one.
            yield replace(event, method=_METHODS.get(event.method, f"{event.method}, objects at random"), random=False)
        elif event.reason is Reason.BUDGET:
            told = True
            yield replace(event, count=event.count + left)
        else:
            yield event
    if not told:
        yield Gap(Reason.BUDGET, left, "objects left out by the limit of the plan")


def archived(held: Held) -> Iterator[Gap]:
    """The gap for what lies in archived tiers."""
    if held.archived:
        yield Gap(Reason.ARCHIVED, held.archived, _ARCHIVED)


def _day(seconds: int | None) -> str | None:
    if not seconds:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC).date().isoformat()
