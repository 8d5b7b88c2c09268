"""What an author of a plug-in imports: the contract between a source, the house and a rule pack.

A **connector** knows one kind of store. It lists assets, reads them as Arrow record batches, and says
what the store itself knows. The core opens and closes it, hands it a plan, sets its pace, goes
on after a connection is lost, classifies and records. A **classifier** is a function without arguments that returns
rules (`mapkeeper.rules`).

Both come in by entry point, the built-in ones too::

    [project.entry-points."mapkeeper.connectors"]
    tapes = "acme_tapes:Tapes"           # a Connector

    [project.entry-points."mapkeeper.classifiers"]
    acme = "acme_rules:rules"            # () -> Iterable[Rule]

`mapkeeper.testing` holds the acceptance kit: run it in your own tests.
"""

from __future__ import annotations

import dataclasses
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import pyarrow as pa

from mapkeeper.errors import SourceError
from mapkeeper.model import Asset, Fact, Flow, Gap, Kind, Place, Reason
from mapkeeper.rules import Rule

__all__ = [
    "Access",
    "Asset",
    "Batch",
    "Classifier",
    "Connector",
    "Cut",
    "Divisible",
    "Fact",
    "Flow",
    "Gap",
    "Kind",
    "Lookup",
    "Pace",
    "Place",
    "ReadPlan",
    "Reason",
    "Rule",
    "SourceError",
    "Store",
    "is_secret",
    "secret",
]

Classifier = Callable[[], Iterable[Rule]]
"""What the entry-point group ``mapkeeper.classifiers`` holds."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How much of an asset to read; a limit of ``None`` is no limit.

    A connector that leaves something out because of a limit draws what it reads at random where the store
    allows it, from all over the asset where not, and yields one `Gap` with ``Reason.BUDGET``.
    """

    rows: int | None = None
    bytes: int | None = None
    seed: int = 0  # of whatever is drawn at random: same seed, same sample


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of an asset. The only holder of values; it dies in the worker that read it.

    Columns are fields: a nested field is its path (``address.city``), a repeated one a column of lists.
    A column's Arrow metadata may hold ``comment``, the store's own description of it. Batches of one asset
    may have different columns (a log file with lines of two formats). The rows are left out of ``repr``
    so that no traceback or log line can carry them.
    """

    data: pa.RecordBatch = field(repr=False)
    method: str = "all"  # how these rows were chosen: "all", "random rows", "blocks spread over the file", "head"
    random: bool = False  # each row of the asset had the same chance: the ledger's bound holds
    bytes: int = 0  # of the source, read for these rows
    member: str | None = None  # which object of a family
    unit: str = "row"  # what a position counts: "row", "line", "record"
    first: int | None = None  # position of the first row, counted from 1; None: see positions, else there is none
    positions: Sequence[int] | None = None  # of every row, where they do not follow each other
    resume: str | None = None  # hand it to ``read`` to go on after these rows


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a stretch of an asset ends and the next may begin, while this one is still being read."""

    resume: str  # what `Divisible.stretch` begins at


@dataclass(frozen=True, slots=True)
class Access:
    """One thing that a scan needs of a source, tried without reading contents."""

    needs: str  # "s3:ListBucket on arn:aws:s3:::acme-logs", "SELECT on public.customers"
    granted: bool | None  # None: only reading would tell
    says: str = ""  # what it is needed for, or what was answered; no value
    needed: bool = True  # False: without it a scan only knows less


@dataclass(frozen=True, slots=True)
class Store:
    """A store of an account or server, whether a source covers it or not."""

    name: str  # the same from whichever source it is seen: "s3://acme-logs", "postgresql://db.acme.example:5432/crm"
    settings: Mapping[str, Any]  # what a ``[[source]]`` that covers it would say, without secrets
    says: str = ""  # "bucket in eu-west-3, made 2024-02-01"


class Pace:
    """Slows a reading down to so many requests and rows a second; ``None``: no limit.

    The core gives each connector one before it opens it, with the share of this process. A connector waits for
    requests; the core counts the rows and waits for them.
    """

    def __init__(self, requests: float | None = None, rows: float | None = None) -> None:
        self._rates = {"requests": requests, "rows": rows}
        self._free: dict[str, float] = {}  # when the next may come, by the monotonic clock

    def __getstate__(self) -> dict[str, float | None]:
        return self._rates  # clocks of other processes mean nothing

    def __setstate__(self, rates: dict[str, float | None]) -> None:
        self._rates, self._free = rates, {}

    def shared(self, among: int) -> Pace:
        """The share of one of so many."""
        return Pace(*(None if rate is None else rate / among for rate in self._rates.values()))

    def requests(self, count: int = 1) -> None:
        """Wait until so many requests may be sent."""
        wait = self._owed("requests")
        self._take("requests", count)
        if wait > 0:
            time.sleep(wait)

    def rows(self, count: int) -> None:
        """Count rows that were read, without waiting."""
        self._take("rows", count)

    @property
    def owed(self) -> float:
        """Seconds until the next rows may be read."""
        return self._owed("rows")

    def _owed(self, what: str) -> float:
        return max(0.0, self._free.get(what, 0.0) - time.monotonic())

    def _take(self, what: str, count: int) -> None:
        if rate := self._rates[what]:
            self._free[what] = time.monotonic() + self._owed(what) + count / rate


def secret(**options: Any) -> Any:
    """Declare a setting that is or may hold a secret.

    It is left out of ``repr``, and may be given as ``env:NAME`` or ``file:PATH``, which the core resolves just
    before it opens the connector. Takes what `dataclasses.field` takes.
    """
    return dataclasses.field(repr=False, metadata={"secret": True}, **options)


def is_secret(setting: dataclasses.Field[Any]) -> bool:
    """Whether a setting was declared with `secret`."""
    return bool(setting.metadata.get("secret"))


class Connector(ABC):
    """Opens one source. Make it a dataclass: its fields are its settings, named as in the configuration.

    The core calls ``open`` once, then the other methods, then ``close``, whatever they raised; ``close`` also has
    to work where ``open`` failed. An asset comes
    to ``read`` as ``survey`` yielded it, maybe in another process: what ``Asset.handle`` holds must pickle.
    A method that cannot do its work raises `SourceError` ``from None`` with the reason code, without values.
    """

    pace: Pace = Pace()
    """How fast it may go; set by the core before ``open``."""

    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        """The settings that reach what a user typed after ``inspect``; ``None``: not mine.

        Cheap: looks at the text and, for a path, at the file's first bytes.
        """
        return None

    @classmethod
    def within(cls, folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The settings as they are meant in a workspace: relative paths start at its folder."""
        return settings

    @property
    @abstractmethod
    def target(self) -> str:
        """The address of the source as people know it, without secrets."""

    def open(self) -> None:
        """Connect. Raises `SourceError` with ``unreachable``, ``denied`` or ``missing``."""
        return

    def close(self) -> None:
        """Let go of whatever was opened; called once, also after an error."""
        return

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def survey(self) -> Iterator[Asset]:
        """List what lies there, in a stable order. Reads names and sizes, no contents.

        Something that is seen but cannot be listed or read is an asset with a ``gap``.
        """

    @abstractmethod
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        """Read an asset as far as the plan goes, a bounded number of rows at a time.

        What could not be read is a `Gap` between the batches, and reading goes on where it can. Raises
        `SourceError` where nothing more can be read. ``resume_from`` is the ``resume`` of a batch that a
        former reading of the unchanged asset with the same plan yielded: what came up to it is not read again,
        and counts towards the plan.
        """

    def mark(self, asset: Asset) -> str | None:
        """What changes whenever the asset's contents do; ``None``: the source cannot tell."""
        return None

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """What the store says of the asset: place, encryption, exposure, retention, … each with its method.

        A fact named ``country``, ``region`` or ``operator`` tells where the asset lies.
        """
        return ()

    def flows(self) -> Iterable[Flow]:
        """Which assets feed others or are fed, as far as the store itself says."""
        return ()

    def requests(self, asset: Asset, plan: ReadPlan) -> int | None:
        """About how many requests reading will take; ``None``: reading is not done by requests."""
        return None

    def check(self) -> Iterable[Access]:
        """Try what a scan needs, without reading contents; called while open.

        Raises nothing for what is refused: that is an `Access` that is not ``granted``.
        """
        return ()

    def rights(self) -> str | None:
        """The least rights that a scan needs, to be pasted where they are granted: an IAM policy, GRANT statements.

        Called without ``open``.
        """
        return None

    @property
    def store(self) -> str | None:
        """The name that `stores` has for what this source covers; ``None``: it is not one of many.

        A source of everything on a server has the name of the server; those of its stores begin with that and ``/``.
        """
        return None

    def stores(self) -> Iterable[Store]:
        """Every store of the account or server that this source lies in, as far as it may be listed; called while open.

        Raises `SourceError` where they cannot be listed.
        """
        return ()


@runtime_checkable
class Lookup(Protocol):
    """A connector may also answer a responder's question: where are these values?"""

    def lookup(self, asset: Asset, field: str, values: Sequence[str]) -> Iterator[Batch]:
        """The rows whose field equals one of the values, and no others."""
        ...


@runtime_checkable
class Divisible(Protocol):
    """A connector may also read a large asset in stretches, so that several workers share it."""

    def stretch(
        self, asset: Asset, start: str | None, size: int, end: str | None = None
    ) -> Iterator[Batch | Gap | Cut]:
        """Read an asset without a limit, from ``start`` on for about ``size`` bytes.

        Args:
            asset: As ``read`` gets it.
            start: The ``resume`` of a `Cut`, or of a batch; ``None``: the asset's beginning.
            size: Bytes of the source that are worth a stretch.
            end: The ``resume`` of the `Cut` that a former reading of this stretch gave; then no other is given.

        Yields what ``read`` does, and as soon as it is known where the stretch ends, a `Cut`; none where the asset is
        read to its end. All stretches together give the rows, positions and gaps that ``read`` gives; where
        that cannot be seen to, the asset is not cut. Where it is cut hangs on the asset and ``size`` alone.
        """
        ...
