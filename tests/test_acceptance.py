"""The acceptance kit: a sound connector passes, and each breach of the contract is refused in words that mend it."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import logging
import random
import re
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mapkeeper import discover
from mapkeeper.plugin import (
    Access,
    Asset,
    Batch,
    Connector,
    Cut,
    Fact,
    Flow,
    Gap,
    Pace,
    ReadPlan,
    Reason,
    SourceError,
    Store,
    secret,
)
from mapkeeper.rules import Pattern, Rule
from mapkeeper.testing import Check, Refused, Trial, accept, accept_rules, checks, contents
from mapkeeper_classifiers import standard
from reels import CANARY, ROWS, EndsWorkers, MarksTheProcess, Reels, ResumesFromMemory, fill

# --- a sound connector ------------------------------------------------------------------------------------------


def trial_of(cls: Callable[[str], Connector], folder: Path) -> Trial:
    fill(folder)

    def change(name: str) -> None:
        with folder.joinpath(name).open("a") as reel:
            reel.write('{"id": -1}\n')

    return Trial(
        lambda: cls(str(folder)),
        expect={"one.reel": ROWS, "two.reel": 1, "void.reel": 0},
        unreadable=["worn.reel"],
        canary=CANARY,
        target=f"reels:{folder}",
        missing=lambda: cls(str(folder / "missing")),
        change=change,
        vanish=lambda name: folder.joinpath(name).unlink(),
        fingerprint=lambda: contents(folder),
    )


@pytest.mark.parametrize("check", checks())
def test_a_sound_connector_passes(check: Check, tmp_path: Path) -> None:
    check(trial_of(Reels, tmp_path))


def test_a_sound_connector_is_accepted(tmp_path: Path) -> None:
    accept(**vars(trial_of(Reels, tmp_path)))


def test_a_connector_of_an_empty_store_is_accepted(tmp_path: Path) -> None:
    accept(lambda: Reels(str(tmp_path)), expect={})


# --- connectors with one fault each -----------------------------------------------------------------------------


@dataclass
class QuotesTheLine(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        try:
            return super().rows(asset)
        except SourceError:
            text = Path(str(asset.handle)).read_text().strip()
        raise SourceError(Reason.UNREADABLE, f"{asset.name}: cannot read {text}")


@dataclass
class KeepsTheDriversError(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        try:
            return super().rows(asset)
        except SourceError as error:
            raise SourceError(error.reason, "cannot be read") from ValueError(Path(str(asset.handle)).read_text())


@dataclass
class NamesTheDriversError(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        try:
            return super().rows(asset)
        except SourceError as error:
            raise SourceError(error.reason, "cannot be read") from ValueError("harmless")


@dataclass
class QuotesInAGap(Reels):
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        yield from super().read(asset, plan, resume_from)
        yield Gap(Reason.UNREADABLE, example=str(self.rows(asset)[len(self.rows(asset)) // 2 :]))


@dataclass
class LogsRows(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        rows = super().rows(asset)
        logging.getLogger("reels").debug("read %s", rows)
        return rows


@dataclass
class PrintsRows(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        rows = super().rows(asset)
        print(rows)  # noqa: T201
        return rows


@dataclass
class LeavesATemporaryFile(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        rows = super().rows(asset)
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write(json.dumps(rows))
        return rows


@dataclass
class ResumesByValue(Reels):
    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        batch = super().batch(rows, numbers, part, resume)
        return replace(batch, resume=f"{resume} {[rows[number] for number in numbers]}")


@dataclass
class CarriesValuesInHandles(Reels):
    def survey(self) -> Iterator[Asset]:
        for asset in super().survey():
            yield replace(asset, handle=(asset.handle, Path(str(asset.handle)).read_text()))


@dataclass
class ReadsTheHead(Reels):
    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        return list(range(len(super().choose(rows, plan))))


@dataclass
class ReadsABlock(Reels):
    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        count = len(super().choose(rows, plan))
        start = random.Random(plan.seed).randint(0, len(rows) - count)
        return list(range(start, start + count))


@dataclass
class IgnoresTheSeed(Reels):
    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        return super().choose(rows, replace(plan, seed=0))


@dataclass
class DrawsAnew(Reels):
    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        return super().choose(rows, replace(plan, seed=random.randrange(1 << 60)))


@dataclass
class DrawsTwice(Reels):
    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        chosen = super().choose(rows, plan)
        return chosen if len(chosen) == len(rows) else sorted([*chosen[::2], *chosen[::2]])


@dataclass
class LosesRowsWhenResumed(Reels):
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        yield from super().read(asset, plan, resume_from and str(int(resume_from) + 1))


@dataclass
class StartsAnewWhenResumed(Reels):
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        yield from super().read(asset, plan)


@dataclass
class ReadsOverItsCut(Reels):
    def stretch(
        self, asset: Asset, start: str | None, size: int, end: str | None = None
    ) -> Iterator[Batch | Gap | Cut]:
        if start is None and end is None:
            yield Cut("1")
        yield from self.read(asset, ReadPlan(), start)


@dataclass
class CountsAnewWhenResumed(Reels):
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        if resume_from is not None and plan.rows is not None:
            plan = replace(plan, rows=plan.rows + int(resume_from))
        yield from super().read(asset, plan, resume_from)

    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        order = random.Random(plan.seed).sample(range(len(rows)), len(rows))
        return order[: plan.rows]


@dataclass
class MakesNamesUp(Reels):
    def survey(self) -> Iterator[Asset]:
        for asset in super().survey():
            yield replace(asset, name=f"{asset.name}-{random.randrange(1 << 60)}")


@dataclass
class ShufflesNames(Reels):
    TURN: ClassVar[Iterator[int]] = itertools.count()

    def survey(self) -> Iterator[Asset]:
        yield from sorted(super().survey(), key=lambda asset: asset.name, reverse=next(self.TURN) % 2 == 1)


@dataclass
class ListsTwice(Reels):
    def survey(self) -> Iterator[Asset]:
        for asset in super().survey():
            yield from (asset, asset)


@dataclass
class CountsBelowNothing(Reels):
    def survey(self) -> Iterator[Asset]:
        for asset in super().survey():
            yield replace(asset, rows=-1)


@dataclass
class PassesOverTheWorn(Reels):
    def survey(self) -> Iterator[Asset]:
        yield from (asset for asset in super().survey() if asset.name != "worn.reel")


@dataclass
class SaysNothingOfTheWorn(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        return [] if asset.name == "worn.reel" else super().rows(asset)


@dataclass
class HoldsALock(Reels):
    lock: Any = field(default_factory=threading.Lock, init=False, repr=False)


@dataclass
class HandsOverALambda(Reels):
    def survey(self) -> Iterator[Asset]:
        for asset in super().survey():
            yield replace(asset, handle=lambda: None)


@dataclass
class RemembersItsSurvey(Reels):
    def survey(self) -> Iterator[Asset]:
        self.seen = {}
        for asset in super().survey():
            self.seen[asset.name] = asset.handle
            yield replace(asset, handle=None)

    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        return super().rows(replace(asset, handle=self.seen[asset.name]))

    def mark(self, asset: Asset) -> str | None:
        return None


class IsNoDataclass(Connector):
    def __init__(self, folder: str) -> None:
        self.inner = Reels(folder)

    @property
    def target(self) -> str:
        return self.inner.target

    def survey(self) -> Iterator[Asset]:
        return self.inner.survey()

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        return self.inner.read(asset, plan, resume_from)


@dataclass
class OpensOnce(Reels):
    opened: bool = field(default=False, init=False)

    def open(self) -> None:
        if self.opened:
            raise RuntimeError("already opened")
        self.opened = True


@dataclass
class RaisesKeyErrorOnAMissingStore(Reels):
    def open(self) -> None:
        if not Path(self.folder).is_dir():
            raise KeyError(self.folder)


@dataclass
class FindsOutLate(Reels):
    def open(self) -> None:
        return


@dataclass
class TalksMuch(Reels):
    def open(self) -> None:
        if not Path(self.folder).is_dir():
            raise SourceError(Reason.MISSING, "no such folder\nplease look again")


@dataclass
class MissesForABadReason(Reels):
    def open(self) -> None:
        if not Path(self.folder).is_dir():
            raise SourceError(Reason.BUDGET, "no such folder")


@dataclass
class CannotCloseUnopened(Reels):
    handle: Any = field(default=None, init=False, repr=False)

    def open(self) -> None:
        super().open()
        self.handle = threading.Event()

    def close(self) -> None:
        self.handle.set()
        self.handle = None


@dataclass
class YieldsDicts(Reels):
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Any]:
        yield from self.rows(asset)


@dataclass
class YieldsTables(Reels):
    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        batch = super().batch(rows, numbers, part, resume)
        return replace(batch, data=pa.Table.from_batches([batch.data]))


@dataclass
class YieldsAllAtOnce(Reels):
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        yield Batch(pa.RecordBatch.from_pydict({"id": range(70_000)}))


@dataclass
class RepeatsAColumn(Reels):
    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        batch = super().batch(rows, numbers, part, resume)
        return replace(batch, data=pa.RecordBatch.from_arrays([batch.data.column(0)] * 2, ["id", "id"]))


@dataclass
class RepeatsRows(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        return [row for row in super().rows(asset) for _ in range(2)]


@dataclass
class LosesTheLastRow(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        return super().rows(asset)[:-1]


@dataclass
class OwnsUpWithoutNeed(Reels):
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        yield from super().read(asset, plan, resume_from)
        yield Gap(Reason.BUDGET)


@dataclass
class DoesNotOwnUp(Reels):
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        yield from (event for event in super().read(asset, plan, resume_from) if isinstance(event, Batch))


@dataclass
class OwnsUpForEveryBatch(Reels):
    BATCH = 10

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        for event in super().read(asset, plan, resume_from):
            if isinstance(event, Batch):
                yield event
                if event.method != "all":
                    yield Gap(Reason.BUDGET)


@dataclass
class ReadsPastThePlan(Reels):
    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        return super().choose(rows, ReadPlan(rows=plan.rows and plan.rows * 3, seed=plan.seed))


@dataclass
class ReadsAllInOneBatch(Reels):
    BATCH = 1_000

    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        return list(range(len(rows)))


@dataclass
class IgnoresTheBytes(Reels):
    def choose(self, rows: Sequence[dict[str, Any]], plan: ReadPlan) -> list[int]:
        return super().choose(rows, replace(plan, bytes=None))


@dataclass
class CallsASampleAll(Reels):
    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        return replace(super().batch(rows, numbers, part, resume), method="all")


@dataclass
class CallsAllASample(Reels):
    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        return replace(super().batch(rows, numbers, part, resume), method="random rows")


@dataclass
class NumbersTheSample(Reels):
    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        return replace(super().batch(rows, numbers, part, resume), positions=None, first=1 if part else numbers[0] + 1)


@dataclass
class CountsFromOneInEachBatch(Reels):
    def batch(self, rows: Sequence[dict[str, Any]], numbers: Sequence[int], part: bool, resume: str | None) -> Batch:
        return replace(super().batch(rows, numbers, part, resume), positions=None, first=1)


@dataclass
class WritesALock(Reels):
    def survey(self) -> Iterator[Asset]:
        yield from super().survey()
        Path(self.folder).joinpath(".lock").write_text("mine")


@dataclass
class MarksTheMoment(Reels):
    TICK: ClassVar[Iterator[int]] = itertools.count()

    def mark(self, asset: Asset) -> str | None:
        return str(next(self.TICK))


@dataclass
class MarksNothing(Reels):
    def mark(self, asset: Asset) -> str | None:
        return asset.name


@dataclass
class SaysUnknown(Reels):
    def facts(self, asset: Asset) -> Iterable[Fact]:
        yield Fact("encryption", "Unknown", "metadata")


@dataclass
class KnowsFromNowhere(Reels):
    def facts(self, asset: Asset) -> Iterable[Fact]:
        yield Fact("encryption", "AES-256", "")


@dataclass
class FlowsAnyhow(Reels):
    def flows(self) -> Iterable[Flow]:
        yield Flow("reels:one.reel", "ti-vendor", "guessed", 0.5)


@dataclass
class DeclaresNoSecret(Reels):
    api_token: str = "t0ken"


@dataclass
class ShowsItsSecret(Reels):
    def __repr__(self) -> str:
        return f"ShowsItsSecret({self.folder}, {self.password})"


@dataclass
class ShowsItsSecretInTheTarget(Reels):
    @property
    def target(self) -> str:
        return f"{self.folder}?key={self.password}"


@dataclass
class ShowsALogin(Reels):
    @property
    def target(self) -> str:
        return f"reels://reader:hunter2@store/{self.folder}"


@dataclass
class ShowsStars(Reels):
    @property
    def target(self) -> str:
        return f"reels://reader:***@store/{self.folder}"


@dataclass
class ClaimsEverything(Reels):
    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        return {"folder": target}


@dataclass
class StumblesOverText(Reels):
    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        return super().settings_for(target) if Path(target).exists() else None


@dataclass
class InventsSettings(Reels):
    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        found = super().settings_for(target)
        return found and {**found, "mode": "ro"}


@dataclass
class ClaimsNothing(Reels):
    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        return None


@dataclass
class FallsOverWhatVanished(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        Path(str(asset.handle)).stat()
        return super().rows(asset)


@dataclass
class MissesNothing(Reels):
    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        return super().rows(asset) if Path(str(asset.handle)).exists() else []


@dataclass
class RemembersRows(Reels):
    KEPT: ClassVar[dict[str, list[dict[str, Any]]]] = {}

    def survey(self) -> Iterator[Asset]:
        for asset in super().survey():
            if asset.name == "one.reel":
                self.KEPT[asset.name] = super().rows(asset)
            yield asset

    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        return self.KEPT[asset.name]


@dataclass
class LooksUpTooMuch(Reels):
    def lookup(self, asset: Asset, field: str, values: Sequence[str]) -> Iterator[Batch]:
        yield from super().lookup(asset, "id", list(range(ROWS)))  # type: ignore[arg-type]


@dataclass
class LooksUpTooLittle(Reels):
    def lookup(self, asset: Asset, field: str, values: Sequence[str]) -> Iterator[Batch]:
        return iter(())


@dataclass
class ChecksLoudly(Reels):
    def check(self) -> Iterable[Access]:
        yield from super().check()
        raise SourceError(Reason.DENIED, f"{self.folder}: a reel may not be read; grant it")


@dataclass
class ChecksInWords(Reels):
    def check(self) -> Iterable[Any]:
        yield f"read {self.folder}"


@dataclass
class NeedsNothingToSpeakOf(Reels):
    def check(self) -> Iterable[Access]:
        yield Access("", True)


@dataclass
class AlarmsFalsely(Reels):
    def check(self) -> Iterable[Access]:
        yield Access("a projector", False, "tells how fast they turn")


@dataclass
class GrantsMaybe(Reels):
    def check(self) -> Iterable[Access]:
        yield Access(f"read {self.folder}", "maybe")  # type: ignore[arg-type]


@dataclass
class ChecksByReading(Reels):
    def check(self) -> Iterable[Access]:
        for asset in self.survey():
            yield Access(f"read {asset.name}", any(True for _ in self.read(asset, ReadPlan(rows=1))))


@dataclass
class ChecksByReadingAndQuotes(Reels):
    def check(self) -> Iterable[Access]:
        for asset in self.survey():
            text = Path(str(asset.handle)).read_text()
            yield Access(f"read {asset.name}", True, f"begins with {text}")


@dataclass
class ChecksWithThePassword(Reels):
    def check(self) -> Iterable[Access]:
        yield Access(f"read {self.folder}", True, f"as {self.password}")


@dataclass
class KnowsItsRightsOnceOpen(Reels):
    def open(self) -> None:
        super().open()
        self.owner = Path(self.folder).stat().st_uid

    def rights(self) -> str | None:
        return f"sudo -u #{self.owner} {super().rights()}"


@dataclass
class HasItsRightsInAList(Reels):
    def rights(self) -> Any:
        return [super().rights()]


@dataclass
class GrantsThePassword(Reels):
    def rights(self) -> str | None:
        return f"smbpasswd {self.password}"


@dataclass
class KnowsItsStoreOnceOpen(KnowsItsRightsOnceOpen):
    @property
    def store(self) -> str | None:
        return f"reels:{self.owner}"


@dataclass
class RenamesItsStoreOnceOpen(Reels):
    def open(self) -> None:
        self.folder = str(Path(self.folder, ".").resolve() / "..")
        self.folder = f"{self.folder}/{Path(self.folder).resolve().name}"


@dataclass
class NamesItsStoreByNumber(Reels):
    @property
    def store(self) -> Any:
        return 7


@dataclass
class StoresInWords(Reels):
    def stores(self) -> Iterable[Any]:
        yield f"reels:{self.folder}"


@dataclass
class StoresWithoutName(Reels):
    def stores(self) -> Iterable[Store]:
        yield Store("", {"folder": self.folder})


@dataclass
class StoresAreNotItsOwn(Reels):
    def stores(self) -> Iterable[Store]:
        for store in super().stores():
            yield replace(store, settings={"path": self.folder})


@dataclass
class StoresAreNowhere(Reels):
    def stores(self) -> Iterable[Store]:
        for store in super().stores():
            yield replace(store, settings={})


@dataclass
class StoresItsPassword(Reels):
    def stores(self) -> Iterable[Store]:
        for store in super().stores():
            yield replace(store, settings={**store.settings, "password": self.password})


@dataclass
class StoresALogin(Reels):
    def stores(self) -> Iterable[Store]:
        for store in super().stores():
            yield replace(store, settings={"folder": f"smb://reader:hunter2@nas{self.folder}"})


@dataclass
class StoresThePasswordOfItsAddress(Reels):
    proxy: str = secret(default="http://reader:hunter%202@proxy.example")

    def stores(self) -> Iterable[Store]:
        for store in super().stores():
            yield replace(store, says="by way of http://proxy.example, reader, hunter 2")


@dataclass
class StoresTwice(Reels):
    def stores(self) -> Iterable[Store]:
        for store in super().stores():
            yield from (store, store)


@dataclass
class StoresOthersOnly(Reels):
    def stores(self) -> Iterable[Store]:
        yield from [*super().stores()][1:]


@dataclass
class StumblesOverStores(Reels):
    def stores(self) -> Iterable[Store]:
        return [Store(f"reels:{path}", {"folder": str(path)}) for path in Path(self.folder, "shelf").iterdir()]


@dataclass
class CountsRequestsBelowNothing(Reels):
    def requests(self, asset: Asset, plan: ReadPlan) -> int | None:
        return -1


@dataclass
class CountsRequestsInHalves(Reels):
    def requests(self, asset: Asset, plan: ReadPlan) -> Any:
        return 1.5


@dataclass
class HurriesOn(Reels):
    def open(self) -> None:
        super().open()
        self.pace = Pace()


@dataclass
class ReadsOnce(Reels):
    closed: bool = field(default=False, init=False)

    def close(self) -> None:
        self.closed = True

    def rows(self, asset: Asset) -> list[dict[str, Any]]:
        return super().rows(asset)[self.closed :]


@dataclass
class ListsOnce(ReadsOnce):
    def survey(self) -> Iterator[Asset]:
        return iter(()) if self.closed else super().survey()


@dataclass
class ResumesWhereItWas(Reels):
    reached: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        for event in super().read(asset, plan, self.reached.get(resume_from or "")):
            if isinstance(event, Batch) and event.resume:
                self.reached[f"cursor {event.resume}"] = event.resume
                event = replace(event, resume=f"cursor {event.resume}")
            yield event


@dataclass
class MarksWhatWasRead(Reels):
    reads: int = field(default=0, init=False)

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        self.reads += 1
        yield from super().read(asset, plan, resume_from)

    def mark(self, asset: Asset) -> str | None:
        return str(self.reads)


@dataclass
class MarksItself(Reels):
    me: str = field(default_factory=lambda: str(random.random()), init=False)

    def mark(self, asset: Asset) -> str | None:
        return f"{super().mark(asset)} {self.me}"


@dataclass
class MarksItsOpening(MarksItself):
    def open(self) -> None:
        super().open()
        self.me += "'"


@dataclass
class MarksInBytes(Reels):
    def mark(self, asset: Asset) -> Any:
        return b"mark"


@dataclass
class ShowsItsSecretOnceOpen(ShowsItsSecret):
    shown: bool = field(default=False, init=False)

    def open(self) -> None:
        super().open()
        self.shown = True

    def __repr__(self) -> str:
        return super().__repr__() if self.shown else "ShowsItsSecretOnceOpen"


@dataclass
class ShowsItsSecretElsewhere(ShowsItsSecretOnceOpen):
    def open(self) -> None:
        Reels.open(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, shown=True)

    __repr__ = ShowsItsSecretOnceOpen.__repr__


@dataclass
class LosesItsPace(Reels):
    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "password": self.password}


@dataclass
class IsFrozen(Reels):
    def __setattr__(self, name: str, value: object) -> None:
        if name == "pace":
            raise AttributeError(name)
        super().__setattr__(name, value)


FAULTS: list[tuple[Callable[[str], Connector], str, str]] = [
    (QuotesTheLine, "no_value_leaks", "an error that read raised.* holds the canary.* from None"),
    (KeepsTheDriversError, "no_value_leaks", "or one behind it, holds the canary"),
    (NamesTheDriversError, "read_yields_what_lies_there", "another error behind it.* raise it from None"),
    (QuotesInAGap, "no_value_leaks", "repr of a Gap holds the canary"),
    (LogsRows, "no_value_leaks", "a log line holds the canary"),
    (PrintsRows, "no_value_leaks", "what was printed holds the canary"),
    (LeavesATemporaryFile, "no_value_leaks", "temporary file that was left behind holds the canary"),
    (ResumesByValue, "no_value_leaks", "repr of a Batch holds the canary"),
    (CarriesValuesInHandles, "survey_lists_what_lies_there", "carries a value; survey reads no contents"),
    (ReadsTheHead, "a_sample_is_drawn_as_it_says", "never reach its second half"),
    (ReadsABlock, "a_sample_is_drawn_as_it_says", "runs of neighbours; set random to False"),
    (IgnoresTheSeed, "a_sample_is_drawn_as_it_says", "the same whatever the seed; use plan.seed"),
    (DrawsAnew, "a_sample_is_drawn_as_it_says", "another sample with the same seed"),
    (DrawsTwice, "a_sample_is_drawn_as_it_says", "holds rows twice"),
    (LosesRowsWhenResumed, "reading_goes_on_where_it_stopped", "misses 1 rows and has 0 too many"),
    (StartsAnewWhenResumed, "reading_goes_on_where_it_stopped", "misses 0 rows and has 40 too many"),
    (ReadsOverItsCut, "stretches_make_up_the_whole", "read by stretches, misses 0 rows and has"),
    (CountsAnewWhenResumed, "reading_goes_on_where_it_stopped", "misses 0 rows and has 40 too many"),
    (MakesNamesUp, "survey_lists_what_lies_there", "other names or another order"),
    (ShufflesNames, "survey_lists_what_lies_there", "other names or another order"),
    (ListsTwice, "survey_lists_what_lies_there", "8 assets that share a name"),
    (CountsBelowNothing, "survey_lists_what_lies_there", "total of rows that is no count; use None"),
    (PassesOverTheWorn, "survey_lists_what_lies_there", "passes over 'worn.reel'"),
    (SaysNothingOfTheWorn, "read_yields_what_lies_there", "yields no Gap and raises no SourceError"),
    (HoldsALock, "it_pickles_before_it_is_opened", "does not pickle .TypeError.*connect in open"),
    (HandsOverALambda, "it_pickles_before_it_is_opened", "handle does not pickle"),
    (RemembersItsSurvey, "it_pickles_before_it_is_opened", r"raised AttributeError at test_acceptance.py:\d+ in rows"),
    (IsNoDataclass, "it_is_a_dataclass_that_hides_its_secrets", "decorate its class with @dataclass"),
    (OpensOnce, "it_opens_and_closes_again", "opened a second time raised RuntimeError"),
    (RaisesKeyErrorOnAMissingStore, "a_missing_store_is_a_source_error", "raised KeyError.*raise SourceError"),
    (FindsOutLate, "a_missing_store_is_a_source_error", "raise SourceError there, not later"),
    (TalksMuch, "a_missing_store_is_a_source_error", "must be one line"),
    (MissesForABadReason, "a_missing_store_is_a_source_error", "fitting are denied, missing, unreachable"),
    (CannotCloseUnopened, "a_missing_store_is_a_source_error", "close after a failed open raised AttributeError"),
    (YieldsDicts, "read_yields_what_lies_there", "yielded a dict; yield Batch and Gap only"),
    (YieldsTables, "read_yields_what_lies_there", "holds a Table; hand over a pyarrow.RecordBatch"),
    (YieldsAllAtOnce, "read_yields_what_lies_there", "70,000 rows; yield at most 65,536"),
    (RepeatsAColumn, "read_yields_what_lies_there", "two columns of one name"),
    (RepeatsRows, "read_yields_what_lies_there", "480 rows where 240 are expected"),
    (LosesTheLastRow, "read_yields_what_lies_there", "239 rows where 240 are expected"),
    (OwnsUpWithoutNeed, "read_yields_what_lies_there", "BUDGET gap although no limit was set"),
    (CallsAllASample, "read_yields_what_lies_there", "method is not 'all'"),
    (DoesNotOwnUp, "a_plan_is_kept", "read in part and yields 0 BUDGET gaps"),
    (OwnsUpForEveryBatch, "a_plan_is_kept", "read in part and yields 6 BUDGET gaps"),
    (ReadsPastThePlan, "a_plan_is_kept", "after the plan's 60 rows were reached"),
    (ReadsAllInOneBatch, "a_plan_is_kept", "cut the batch to what the plan leaves"),
    (IgnoresTheBytes, "a_plan_is_kept", "after the plan's bytes were reached"),
    (CallsASampleAll, "a_plan_is_kept", "say how its rows were chosen"),
    (NumbersTheSample, "positions_point_to_their_rows", "another row's in the whole"),
    (CountsFromOneInEachBatch, "positions_point_to_their_rows", "share a position"),
    (WritesALock, "it_only_reads", "leave no file, table or lock"),
    (MarksTheMoment, "a_mark_moves_with_the_contents_only", "unchanged asset changed"),
    (MarksNothing, "a_mark_moves_with_the_contents_only", "changed asset is the same"),
    (SaysUnknown, "facts_and_flows_say_how_they_are_known", "use None: asked, and it does not say"),
    (KnowsFromNowhere, "facts_and_flows_say_how_they_are_known", "no name or no method"),
    (FlowsAnyhow, "facts_and_flows_say_how_they_are_known", "declared, configured, derived, inferred"),
    (DeclaresNoSecret, "it_is_a_dataclass_that_hides_its_secrets", r"'api_token' sounds like a secret.*secret\(\)"),
    (ShowsItsSecret, "it_is_a_dataclass_that_hides_its_secrets", "repr shows the secret setting 'password'"),
    (ShowsItsSecretInTheTarget, "it_is_a_dataclass_that_hides_its_secrets", "target shows the secret setting"),
    (ShowsALogin, "it_is_a_dataclass_that_hides_its_secrets", "target shows an address with its password"),
    (ClaimsEverything, "it_takes_any_text_for_a_target", "claims ''; return None"),
    (StumblesOverText, "it_takes_any_text_for_a_target", "settings_for.* raised OSError"),
    (InventsSettings, "it_takes_any_text_for_a_target", "what are no settings"),
    (ClaimsNothing, "it_takes_any_text_for_a_target", "None for the target of the trial"),
    (FallsOverWhatVanished, "an_asset_that_vanished_is_a_gap", "read of an asset.* raised FileNotFoundError"),
    (MissesNothing, "an_asset_that_vanished_is_a_gap", "yields no Gap and raises no SourceError"),
    (RemembersRows, "an_asset_that_vanished_is_a_gap", "yields rows; read them from the store each time"),
    (LooksUpTooMuch, "lookup_finds_its_rows_and_no_others", "does not equal the value"),
    (LooksUpTooLittle, "lookup_finds_its_rows_and_no_others", "yields 0 rows where 1 equal"),
    (
        ChecksLoudly,
        "check_tries_and_reads_nothing",
        "check raised SourceError at .* yield an Access that is not granted",
    ),
    (ChecksInWords, "check_tries_and_reads_nothing", "yielded a str; yield Access only"),
    (NeedsNothingToSpeakOf, "check_tries_and_reads_nothing", "does not say what it needs"),
    (GrantsMaybe, "check_tries_and_reads_nothing", "None where only reading would tell"),
    (ChecksByReading, "check_tries_and_reads_nothing", "check reads an asset"),
    (ChecksWithThePassword, "check_tries_and_reads_nothing", "check shows the secret setting 'password'"),
    (ChecksByReadingAndQuotes, "no_value_leaks", "what check yields holds the canary"),
    (KnowsItsRightsOnceOpen, "rights_are_told_without_opening", r"raised AttributeError at .* from the settings alone"),
    (HasItsRightsInAList, "rights_are_told_without_opening", "returned a list without text; return what can be pasted"),
    (GrantsThePassword, "rights_are_told_without_opening", "rights shows the secret setting 'password'"),
    (KnowsItsStoreOnceOpen, "stores_can_be_covered", "store raised AttributeError at .* from the settings alone"),
    (RenamesItsStoreOnceOpen, "stores_can_be_covered", "store is another once the connector is open"),
    (NamesItsStoreByNumber, "stores_can_be_covered", "store is a int without text"),
    (StoresInWords, "stores_can_be_covered", "yielded a str; yield Store only"),
    (StoresWithoutName, "stores_can_be_covered", "a Store has no name"),
    (StoresAreNotItsOwn, "stores_can_be_covered", "1 settings that the connector does not take; use the names"),
    (StoresAreNowhere, "stores_can_be_covered", "leaves out the setting 'folder'.* add it"),
    (StoresItsPassword, "stores_can_be_covered", "a Store shows the secret setting 'password'"),
    (StoresALogin, "stores_can_be_covered", "a Store shows an address with its password"),
    (StoresThePasswordOfItsAddress, "stores_can_be_covered", "a Store shows the secret setting 'proxy'"),
    (StoresTwice, "stores_can_be_covered", "2 names more than once"),
    (StoresOthersOnly, "stores_can_be_covered", "does not yield the name that store has"),
    (StumblesOverStores, "stores_can_be_covered", "stores raised FileNotFoundError at .* raise SourceError"),
    (CountsRequestsBelowNothing, "requests_are_counted_and_paced", "returned a int below 0"),
    (CountsRequestsInHalves, "requests_are_counted_and_paced", "returned a float; return about how many, or None"),
    (HurriesOn, "requests_are_counted_and_paced", "takes none from the pace; call self.pace.requests"),
    (ReadsOnce, "it_opens_and_closes_again", "yields other rows or gaps when opened a second time; let close forget"),
    (ListsOnce, "it_opens_and_closes_again", "does not list the same assets when opened a second time; open must"),
    (ResumesWhereItWas, "reading_goes_on_where_it_stopped", "misses 0 rows and has 40 too many"),
    (
        ResumesFromMemory,
        "it_goes_on_in_another_process",
        "another process from a batch's resume, misses 0 rows and has",
    ),
    (EndsWorkers, "it_goes_on_in_another_process", "another process ended before it answered; call accept from a test"),
    (MarksTheProcess, "it_goes_on_in_another_process", r"another mark in another process; .* hash\(\) and id\(\)"),
    (MarksWhatWasRead, "a_mark_moves_with_the_contents_only", "reading 'one.reel' changes its mark; leave out"),
    (MarksItself, "a_mark_moves_with_the_contents_only", "another mark by a second connector of the same settings"),
    (MarksItsOpening, "a_mark_moves_with_the_contents_only", "another mark when opened a second time"),
    (MarksInBytes, "a_mark_moves_with_the_contents_only", "mark returned a bytes; return text, or None"),
    (ShowsItsSecretOnceOpen, "it_is_a_dataclass_that_hides_its_secrets", "repr of the open connector shows the secret"),
    (ShowsItsSecretElsewhere, "it_pickles_before_it_is_opened", "repr of a pickled copy shows the secret setting"),
    (LosesItsPace, "it_pickles_before_it_is_opened", "a pickled copy lost its pace; __getstate__ leaves out what was"),
    (IsFrozen, "it_pickles_before_it_is_opened", "pace cannot be set .AttributeError.*; leave the dataclass unfrozen"),
]


@pytest.mark.parametrize(("cls", "check", "words"), FAULTS)
def test_a_breach_of_the_contract_is_refused(
    cls: Callable[[str], Connector], check: str, words: str, tmp_path: Path
) -> None:
    by_name = {one.__name__: one for one in checks()}
    with pytest.raises(Refused) as refused:
        by_name[check](trial_of(cls, tmp_path))
    assert re.search(words, str(refused.value))
    assert CANARY not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_check_refuses_some_fault() -> None:
    assert {check for _, check, _ in FAULTS} == {check.__name__ for check in checks()}


def test_accepting_tells_every_breach_once(tmp_path: Path) -> None:
    @dataclass
    class ManyFaults(MarksTheMoment, SaysUnknown, WritesALock):
        """It is also of no module, and so does not pickle."""

    with pytest.raises(Refused) as refused:
        accept(**vars(trial_of(ManyFaults, tmp_path)))
    first, *others = str(refused.value).splitlines()
    assert first == "4 breaches of the contract of connectors"
    assert [line.split(":")[0] for line in others] == [
        "it only reads",
        "it pickles before it is opened",
        "facts and flows say how they are known",
        "a mark moves with the contents only",
    ]


def test_a_store_too_small_to_sample_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, rows=8)
    tmp_path.joinpath("worn.reel").unlink()
    with pytest.raises(Refused, match="no expected asset has 20 rows or more"):
        accept(lambda: Reels(str(tmp_path)), expect={"one.reel": 8, "two.reel": 1, "void.reel": 0})


def test_a_canary_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    trial = replace(trial_of(Reels, tmp_path), canary="another.bird@example.com")
    with pytest.raises(Refused, match="the canary was not read from any expected asset"):
        accept(**vars(trial))


def test_a_need_that_is_refused_although_all_can_be_read_is_refused(tmp_path: Path) -> None:
    trial = replace(trial_of(AlarmsFalsely, tmp_path), unreadable=[])
    refused_rightly = trial_of(AlarmsFalsely, tmp_path)
    check = {one.__name__: one for one in checks()}["check_tries_and_reads_nothing"]
    check(refused_rightly)  # there is a reel that cannot be read
    with pytest.raises(Refused, match="1 needs that they are not granted, yet everything can be read; leave out"):
        check(trial)


def test_a_connector_that_another_process_cannot_import_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ModuleType("only_here")
    cls: type[Reels] = dataclass(type("Faked", (Reels,), {"__module__": "only_here"}))
    here.Faked = cls  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "only_here", here)
    trial = trial_of(cls, tmp_path)
    with pytest.raises(
        Refused, match=r"cannot unpickle the connector \(ModuleNotFoundError\); define its class in a module"
    ):
        accept(**vars(trial))


def test_a_store_that_is_faked_in_the_test_is_not_sought_in_another_process(tmp_path: Path) -> None:
    accept(**vars(replace(trial_of(MarksTheProcess, tmp_path), processes=False)))


def test_stars_in_place_of_a_password_may_be_shown(tmp_path: Path) -> None:
    accept(**vars(replace(trial_of(ShowsStars, tmp_path), processes=False)))


# --- the built-in connectors ------------------------------------------------------------------------------------


PEOPLE = [(n, f"person{n}@example.com", f"{n % 28 + 1:02}/02/1980") for n in range(1, 301)]
PEOPLE[150] = (151, CANARY, "01/02/1980")


def files_trial(folder: Path) -> Trial:
    files: Any = discover.connector("files")
    with folder.joinpath("people.csv").open("w", newline="") as table:
        csv.writer(table).writerows([("id", "mail", "born"), *PEOPLE])
    people = [{"id": id, "mail": mail, "born": {"on": born}} for id, mail, born in PEOPLE]
    folder.joinpath("people.jsonl").write_text("".join(f"{json.dumps(person)}\n" for person in people))
    folder.joinpath("people.json").write_text(json.dumps(people))
    folder.joinpath("people.csv.gz").write_bytes(gzip.compress(folder.joinpath("people.csv").read_bytes()))
    pq.write_table(pa.Table.from_pylist(people), folder / "people.parquet", row_group_size=50)
    for day in (1, 2):
        lines = [
            f"Nov  {day} 10:00:{id % 60:02} gate sshd[{id}]: Accepted password for {mail}" for id, mail, _ in PEOPLE
        ]
        folder.joinpath(f"gate.log.{day}").write_text("\n".join(lines) + "\n")
    folder.joinpath("torn.parquet").write_bytes(b"PAR1" + CANARY.encode() + b"PAR1")

    def change(name: str) -> None:
        with folder.joinpath(name).open("a") as table:
            table.write("301,another@example.com,01/01/1981\n")

    tables = ("people.csv", "people.csv.gz", "people.json", "people.jsonl", "people.parquet")
    return Trial(
        lambda: files(str(folder)),
        expect={**dict.fromkeys(tables, 300), "gate.log*": 600},
        unreadable=["torn.parquet"],
        canary=CANARY,
        target=str(folder),
        missing=lambda: files(str(folder / "missing")),
        change=change,
        vanish=lambda name: folder.joinpath(name).unlink(),
        fingerprint=lambda: contents(folder),
    )


def sql_trial(folder: Path) -> Trial:
    sql: Any = discover.connector("sql")
    path = folder / "shop.db"

    def write(*statements: str) -> None:
        with closing(sqlite3.connect(path)) as shop, shop:
            for statement in statements:
                shop.execute(statement)

    write(
        "create table people (id integer primary key, mail text, born text)",
        "create table without_key (id integer, mail text, born text)",
        "create table by_mail (mail text primary key, born text) without rowid",
        "create table visits (id integer, day integer, seconds integer, primary key (id, day))",
        "create table towns (name text)",
        "create view births as select id, born from people",
    )
    with closing(sqlite3.connect(path)) as shop, shop:
        shop.executemany("insert into people values (?, ?, ?)", PEOPLE)
        shop.executemany("insert into without_key values (?, ?, ?)", PEOPLE)
        shop.executemany("insert into by_mail values (?, ?)", [(mail, born) for _, mail, born in PEOPLE])
        shop.executemany("insert into visits values (?, ?, ?)", [(n % 300, n // 300, n) for n in range(9_000)])
    return Trial(
        lambda: sql(f"sqlite:///{path}"),
        expect={"people": 300, "without_key": 300, "by_mail": 300, "births": 300, "visits": 9_000, "towns": 0},
        canary=CANARY,
        target=str(path),
        missing=lambda: sql(f"sqlite:///{folder / 'missing.db'}"),
        change=lambda name: write(f"insert into {name} values (301, 'another@example.com', '01/01/1981')"),
        vanish=lambda name: write(f"drop table {name}"),
        fingerprint=lambda: contents(folder),
    )


@pytest.mark.parametrize("trial", [files_trial, sql_trial])
@pytest.mark.parametrize("check", checks())
def test_the_built_in_connectors_keep_the_contract(
    check: Check, trial: Callable[[Path], Trial], tmp_path: Path
) -> None:
    check(trial(tmp_path))


# --- rules ------------------------------------------------------------------------------------------------------


def even(text: str) -> bool:
    return text[-1:].isdecimal() and int(text[-1]) % 2 == 0


def count_fours(text: str) -> Any:
    return text.count("4") + text.count("8")


SOUND = Rule(
    id="acme/member",
    version="1",
    title="Member number",
    category="identity.customer_id",
    entity="MEMBER_NUMBER",
    find=(Pattern(r"\bM-\d{4}\b", 0.6),),
    names=("member number",),
    check=even,
    check_name="even",
    chance=0.5,
    match=("M-1234", "member M-0008."),
    miss=("M-1235", "M-12"),
)


def test_sound_rules_are_accepted() -> None:
    accept_rules([SOUND, replace(SOUND, id="acme/other", fit=r"\d{4}")])


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (replace(SOUND, match=("M-1234", "M 1234")), "acme/member: match 2 is not recognized"),
        (replace(SOUND, miss=("M-1234",)), "acme/member: miss 1 is recognized"),
        (replace(SOUND, match=()), "no examples to match"),
        (replace(SOUND, miss=()), "or none to miss"),
        (replace(SOUND, category="identity.customer"), "'identity.customer' is no category"),
        (replace(SOUND, version=""), "version must be there"),
        (replace(SOUND, version="1@2"), "version must be there"),
        (replace(SOUND, id="member"), "the pack's prefix and a name"),
        (replace(SOUND, entity="Member"), "entity must be in capitals"),
        (replace(SOUND, title=""), "title is empty"),
        (replace(SOUND, find=()), "recognizes nothing"),
        (replace(SOUND, find=(Pattern("M-(", 0.6),)), "'M-.' is no regular expression"),
        (replace(SOUND, find=(Pattern(r"M-\d{4}", 6),)), "a score is not between 0 and 1"),
        (replace(SOUND, find=(Pattern(r"(?:M-\d{4})?", 0.6),)), "matches the empty text"),
        (replace(SOUND, find=(Pattern(r"M-(?:\d|\d\d)+$", 0.6),)), "is too slow on hostile text"),
        (replace(SOUND, find=(Pattern(r"(?:\w+\W?)+M-\d{4}$", 0.6),)), "is too slow on hostile text"),
        (replace(SOUND, fit=r"\w*-?\d*\d*\d*4"), "is too slow on hostile text"),
        (replace(SOUND, check=None, chance=None), "check and check_name go together"),
        (replace(SOUND, check=lambda text: text[5] in "48"), "check 'even' raises IndexError"),
        (replace(SOUND, check=count_fours), "check 'even' returns a int"),
        (replace(SOUND, chance=2), "chance is the share"),
        (replace(SOUND, types=frozenset({"string"})), "types must be among binary, boolean"),
        (replace(SOUND, countries=("France",)), "ISO 3166-1"),
        (replace(SOUND, names=("Member_Number",)), "names must be in lower case"),
        (replace(SOUND, values=frozenset({"Gold"})), "values must be casefolded"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_faulty_rule_is_refused(broken: Rule, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        accept_rules(
            [SOUND, replace(broken, id=broken.id if broken.id != SOUND.id else "acme/member")][1:], seconds=0.2
        )
    assert str(refused.value).startswith("1 faults in 1 rules\n")
    assert "M-1234" not in str(refused.value)


def test_two_rules_of_one_id_are_refused() -> None:
    with pytest.raises(Refused, match="acme/member: declared 2 times"):
        accept_rules([SOUND, SOUND])


def test_a_pack_without_rules_is_refused() -> None:
    with pytest.raises(Refused, match="declares no rule"):
        accept_rules([])


def test_the_standard_rules_are_accepted() -> None:
    accept_rules(standard.rules())
