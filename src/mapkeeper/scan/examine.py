"""Reads one asset and classifies it, leg by leg. Values live here, and die here."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from mapkeeper.classify import Counted, Engine, Judgement
from mapkeeper.errors import InventoryError, SourceError
from mapkeeper.model import Asset, AssetResult, Depth, Fact, Gap, Reason
from mapkeeper.plugin import Batch, Connector, Cut, Divisible, ReadPlan
from mapkeeper.readers.nested import Nested
from mapkeeper.scan.ledger import Ledger
from mapkeeper.scan.opening import guarded

SAMPLE_ROWS = 10_000
SAMPLE_BYTES = 16 << 20

LEG = 2.0
"""Seconds after which a reading tells how far it came."""

REST = 64 << 20
"""Bytes of columns between two rests: a minute's work at most, and where it is done hangs on the asset alone."""

PAUSES = (1.0, 5.0, 25.0, 60.0)
"""Seconds to wait before a lost connection is opened again: a server that starts anew is waited for."""

_LOST_CONNECTION = frozenset({Reason.UNREACHABLE, Reason.TIMEOUT})

_NOT_OURS = (KeyboardInterrupt, SystemExit, InventoryError)
"""What ends a scan; anything else costs one asset, also the panic of a library in Rust, which is no `Exception`."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an asset."""

    depth: Depth
    domains: tuple[str, ...] = ()  # the client's own, to tell its staff from others
    reveal: int = 0  # distinct true values to hand back a finding; only for inspect


@dataclass(frozen=True, slots=True)
class Rest:
    """How far the reading of an asset came, and all that was counted up to there.

    Another process, on another day, can go on from it as long as the asset has the same mark. It holds hashes of
    values, maybe a key, and texts: whoever keeps it makes it `bare` and seals it first.
    """

    resume: str = field(repr=False)
    mark: str | None
    counted: Counted = field(repr=False)
    ledger: Ledger
    facts: tuple[Fact, ...] = ()

    def bare(self) -> Rest:
        """The same without the texts that are held to look for names in, which are never kept."""
        return replace(self, counted=tuple((tally.bare(), comment, rules) for tally, comment, rules in self.counted))


@dataclass(frozen=True, slots=True)
class Span:
    """Which stretch of an asset to read."""

    size: int | None = None  # bytes of the source after which another may take over; None: nobody does
    end: str | None = None  # where it ends, if that was told before
    first: bool = True  # whether none comes before it


@dataclass(slots=True)
class Leg:
    """What a part of a reading came to."""

    rows: int = 0
    bytes: int = 0
    rest: Rest | None = None  # where this leg came by one
    result: AssetResult | None = None  # at the end of an asset that one has read
    cut: str | None = None  # where the next stretch begins, once that is known
    part: Rest | None = None  # at the end of a stretch: all that was counted of it
    short: bool = False  # whether the stretch was not read to its end,
    gap: Gap | None = None  # and why, where that is not in its ledger


def plan(asset: Asset, depth: Depth) -> ReadPlan:
    """How much to read. The seed hangs on the asset's id, so that a rescan of the same data draws the same."""
    if depth is Depth.FULL:
        return ReadPlan()
    seed = zlib.crc32(f"{asset.namespace} {asset.dataset}".encode(errors="surrogatepass"))
    return ReadPlan(rows=SAMPLE_ROWS, bytes=SAMPLE_BYTES, seed=seed)


class Line:
    """The connection to a source, which may get lost."""

    def __init__(self, connector: Connector, *, up: bool) -> None:
        """``up``: the connector is open."""
        self.connector = connector
        self.up = up
        self.pauses = iter(PAUSES)  # that are left; all of them again once something came through

    def came_through(self) -> None:
        """Note that it works: when it is lost the next time, it is waited for as long again."""
        self.pauses = iter(PAUSES)

    def again(self) -> None:
        """Open it anew. Raises `SourceError` where that fails; then it is down."""
        self.up = False
        with suppress(Exception):  # what is lost cannot be closed in good order
            self.connector.close()
        with guarded():
            self.connector.open()
        self.up = True


class Examination:
    """One asset while it is read and classified; names in its result are still as read.

    Whatever goes wrong is a gap of this asset, never an error: the scan goes on with the next.
    """

    def __init__(
        self,
        line: Line,
        engine: Engine,
        asset: Asset,
        question: Question,
        rest: Rest | None = None,
        span: Span | None = None,
    ) -> None:
        """``rest`` is where an earlier reading came to, or the stretch begins."""
        self._line, self._engine, self._asset, self._question = line, engine, asset, question
        self._from = rest
        self._span = span or Span()
        self._end = self._span.end
        self._mark: str | None = None
        self._facts: tuple[Fact, ...] = ()
        self._events = self._read()
        self._begin(rest)

    def __repr__(self) -> str:
        return f"Examination({self._asset.namespace})"

    def _begin(self, rest: Rest | None) -> None:
        counted = () if rest is None else rest.counted
        question = self._question
        self._ledger = Ledger() if rest is None else rest.ledger
        self._resume = None if rest is None else rest.resume
        self._nested = Nested()
        self._batches = 0
        self._points = rest is not None  # whether the asset has places to go on from
        self._since = 0  # the last rest, in bytes
        self._classification = self._engine.start(
            self._asset.name, client_domains=question.domains, reveal=question.reveal, counted=counted
        )

    def go(self, seconds: float = math.inf, rows: float = math.inf, bytes: float = math.inf) -> Leg:
        """Read on for about so long, or so much, or to the next rest, or to the end."""
        until = time.monotonic() + seconds
        leg = Leg()
        try:
            if self._wait(until):
                return leg
            for event in self._events:
                if isinstance(event, Cut):
                    self._end = leg.cut = event.resume
                    return leg
                if not isinstance(event, Batch):
                    self._ledger.lost(event)
                    continue
                self._take(event)
                leg.rows += event.data.num_rows
                leg.bytes += event.bytes
                if self._since >= REST and (rest := self._rest()) is not None:
                    leg.rest = rest
                    return leg
                over = self._wait(until) or leg.rows >= rows or leg.bytes >= bytes
                if over and (self._resume is not None or not self._points):
                    return leg
        except _NOT_OURS:
            raise
        except BaseException as error:
            if isinstance(error, SourceError) and error.reason in _LOST_CONNECTION:
                leg.rest = self._rest()  # another day it may be there again
            self._ledger.lost(_lost(error))
            leg.short = True
        if self._divided:
            leg.part = self._part()
        else:
            leg.result = self._finish()
        return leg

    def stop(self, gap: Gap) -> Leg:
        """Read no further: the result of what was read, with this gap, and where another day can go on."""
        self._events.close()
        rest = self._rest()
        if self._divided:
            return Leg(rest=rest, part=self._part(), short=True, gap=gap)
        self._ledger.lost(gap)
        result = self._finish()
        return Leg(rest=rest, result=replace(result, mark=None))  # no mark: it is to be read again

    def _wait(self, until: float) -> bool:
        """Keep to the pace, but no longer than to a moment; whether that has come."""
        owed = self._line.connector.pace.owed
        if owed > 0:
            time.sleep(max(0.0, min(owed, until - time.monotonic())))
        return time.monotonic() >= until

    def _take(self, batch: Batch) -> None:
        batch.data.validate(full=True)  # what counts the cells trusts its input, down to the last byte
        for opened in self._nested.opened(batch):
            self._classification.add(opened)
        self._ledger.read(batch)
        self._batches += 1
        self._resume = batch.resume
        self._points |= batch.resume is not None
        self._since += batch.data.nbytes
        self._line.connector.pace.rows(batch.data.num_rows)

    def _rest(self) -> Rest | None:
        if self._resume is None:
            return None
        self._since = 0
        return Rest(self._resume, self._mark, self._classification.counted(), self._ledger.copy(), self._facts)

    @property
    def _divided(self) -> bool:
        """Whether it reads no more than a stretch."""
        return self._end is not None or not self._span.first

    def _part(self) -> Rest:
        return Rest(self._end or "", self._mark, self._classification.counted(), self._ledger.copy(), self._facts)

    def _events_from(self, connector: Connector) -> Iterator[Batch | Gap | Cut]:
        if self._span.size is not None and isinstance(connector, Divisible):
            return connector.stretch(self._asset, self._resume, self._span.size, self._end)
        return connector.read(self._asset, plan(self._asset, self._question.depth), self._resume)

    def _read(self) -> Generator[Batch | Gap | Cut]:
        """What the connector reads; a connection that is lost is opened again, and reading goes on where it was."""
        asset, line = self._asset, self._line
        if asset.gap is not None:
            return
        begun = slow = False
        while True:
            try:
                if not line.up:
                    line.again()
                if not begun:
                    self._look()
                    begun = True
                for event in self._events_from(line.connector):
                    yield event
                    line.came_through()
                    slow = False
                return
            except SourceError as error:
                anew = self._resume is not None and not self._batches and not self._divided
                if error.reason is Reason.CHANGED and anew:
                    self._begin(None)  # it is no longer what was half read, although its mark says so
                    continue
                if error.reason not in _LOST_CONNECTION:
                    raise
                late = line.up and error.reason is Reason.TIMEOUT  # it was waited for already
                line.up = False
                astray = self._batches > 0 and self._resume is None  # nothing tells how to go on
                if astray or (late and slow) or (pause := next(line.pauses, None)) is None:
                    raise
                slow = late
                time.sleep(pause)

    def _look(self) -> None:
        """Ask what the source tells of the asset. A rest of an asset that has changed since does not count."""
        if not self._span.first:
            return  # that was asked for the first stretch
        self._mark = self._line.connector.mark(self._asset)  # before reading: what changes meanwhile is read again
        self._facts = tuple(self._line.connector.facts(self._asset))
        if self._from is not None and self._from.mark != self._mark:
            self._begin(None)

    def _finish(self) -> AssetResult:
        judged = Judgement((), ())
        try:
            judged = self._engine.judge(self._classification, self._question.reveal)
        except _NOT_OURS:
            raise
        except BaseException as error:
            self._ledger.lost(_lost(error))
        for gap in judged.gaps:
            self._ledger.lost(gap)
        coverage = self._ledger.close(self._asset)
        return AssetResult(
            self._asset, judged.fields, judged.findings, coverage, self._facts, self._mark, judged.values
        )


def conclude(engine: Engine, asset: Asset, question: Question, rest: Rest | None, gap: Gap) -> AssetResult:
    """The result of an asset that nobody can read on: what was counted up to its last rest, and why not more."""
    if rest is None:
        return unread(asset, gap)
    ledger = rest.ledger.copy()
    ledger.lost(gap)
    judged = engine.judge(engine.start(asset.name, client_domains=question.domains, counted=rest.counted))
    for missing in judged.gaps:
        ledger.lost(missing)
    return AssetResult(asset, judged.fields, judged.findings, ledger.close(asset), rest.facts)


def unread(asset: Asset, gap: Gap | None) -> AssetResult:
    """The result of an asset of which nothing was read; ``gap`` says why, beside the asset's own."""
    ledger = Ledger()
    if gap is not None:
        ledger.lost(gap)
    return AssetResult(asset, (), (), ledger.close(asset))


def _lost(error: BaseException) -> Gap:
    """What an error costs. That of a plug-in must not cost the scan, and its text may quote values."""
    if isinstance(error, SourceError):
        return Gap(error.reason, says=str(error))
    if isinstance(error, MemoryError):
        return Gap(Reason.TOO_LARGE, says="needs more memory than there is")
    return Gap(Reason.CRASHED, says=f"{type(error).__name__} while reading")
