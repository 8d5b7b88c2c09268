"""The journey of a scan: lease a source, survey it, read and classify what changed, record it.

One source that cannot be reached, or one asset that cannot be read, is recorded as such, and the scan goes on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from mapkeeper import __version__
from mapkeeper.classify.ner import is_installed
from mapkeeper.config import Workspace
from mapkeeper.errors import BusyError, ConfigurationError, MapkeeperError, PluginError, SourceError
from mapkeeper.inventory import Inventory, Marked
from mapkeeper.model import LIKELY_FROM, Asset, AssetResult, Depth, Reason
from mapkeeper.plugin import Connector
from mapkeeper.scan.budget import Budget
from mapkeeper.scan.checkpoint import Checkpoints
from mapkeeper.scan.crew import Beat, Crew, Terms
from mapkeeper.scan.engines import Engines
from mapkeeper.scan.examine import Question, Rest
from mapkeeper.scan.forecast import Forecast, forecast
from mapkeeper.scan.hand import Job
from mapkeeper.scan.naming import Names
from mapkeeper.scan.opening import guarded, open_source, opened
from mapkeeper.scan.sources import known_sources, place_of
from mapkeeper.scan.survey import Known, Planned, survey, unlisted

_WORTH_ANOTHER_TRY = frozenset(
    {Reason.UNREACHABLE, Reason.DENIED, Reason.MISSING, Reason.TIMEOUT, Reason.CRASHED, Reason.CHANGED}
)
"""Gaps that may be gone although the asset's mark is the same."""

_AS_ASKED = frozenset({Reason.BUDGET, Reason.EXCLUDED, Reason.NO_MODEL})
"""Gaps that the configuration, the depth or what is installed asks for."""

_OF_A_SOURCE = (SourceError, ConfigurationError, PluginError)
"""What costs one source: it cannot be reached, a secret of it is not there, its connector refuses its settings."""

_RENEW_AFTER = dt.timedelta(seconds=60)

Clock = Callable[[], dt.datetime]
"""Gives the time in UTC; handed in, so that a scan can be placed in time by whoever starts it."""


class Progress(Protocol):
    """What a scan tells while it runs."""

    def surveyed(self, source: str, assets: int, bytes: int | None) -> None:
        """A source was surveyed; so many assets are to be read."""

    def read(self, source: str, asset: str, bytes: int) -> None:
        """So many bytes of an asset were read."""

    def recorded(self, source: str, asset: str, findings: int, gaps: int) -> None:
        """An asset is in the inventory."""


@dataclass
class SourceOutcome:
    """What became of one source."""

    source: str
    state: str  # "ok", "partial", "unreachable", "busy"
    says: str = ""
    read: int = 0  # assets
    unchanged: int = 0
    vanished: int = 0
    findings: int = 0
    gaps: int = 0  # what could not be read
    left_out: int = 0  # assets left out, wholly by exclude or partly by sampling: as asked, but not read
    rows: int = 0
    bytes: int = 0
    unmapped: list[str] = field(default_factory=list)  # assets that map to no client


@dataclass
class ScanOutcome:
    """What became of a scan."""

    scan: int
    sources: list[SourceOutcome]


@dataclass(frozen=True, slots=True)
class Choice:
    """What to scan, and how."""

    sources: tuple[str, ...]
    client: str | None = None
    depth: Depth = Depth.SAMPLE
    workers: int = 1
    fresh: bool = False  # read also what has not changed


class Scan:
    """One run over some sources of a workspace, recorded in its inventory."""

    def __init__(
        self, workspace: Workspace, inventory: Inventory, choice: Choice, clock: Clock, progress: Progress
    ) -> None:
        self._workspace = workspace
        self._inventory = inventory
        self._choice = choice
        self._clock = clock
        self._progress = progress
        self._engines = Engines({client: workspace.rules_of(client) for client in workspace.clients})
        keys = {client: workspace.key_of(client) for client in workspace.clients}
        self._names = {client: Names(self._engines.for_names(client), key) for client, key in keys.items()}
        self._domains = {id: client.file.client.domains for id, client in workspace.clients.items()}
        self._rules = {id: _digest(self._engines[id].fingerprint, *domains) for id, domains in self._domains.items()}
        terms = {id: f"{__version__}\n{rules}\n{choice.depth}" for id, rules in self._rules.items()}
        self._checkpoints = Checkpoints(inventory, keys, terms)

    def run(self) -> ScanOutcome:
        """Scan every chosen source, one after the other."""
        files = {client.id: client.text for client in self._workspace.clients.values()}
        self._inventory.put_sources(known_sources(self._workspace))
        scan = self._inventory.begin(self._choice.depth, __version__, self._clock(), files)
        state = "interrupted"
        try:
            outcomes = [self._source(scan, source) for source in self._choice.sources]
            state = "done"
        finally:
            self._inventory.end(scan, state, self._clock())
        return ScanOutcome(scan, outcomes)

    def plan(self) -> Iterator[Forecast]:
        """Survey every chosen source and say what a scan would read; reads no contents, records nothing."""
        for source in self._choice.sources:
            connector: Connector | None = None
            try:
                with opened(connector := open_source(self._workspace, source)):
                    planned = survey(self._workspace, self._names, source, connector, _silent)
                    known = self._inventory.known(source)
                    unchanged = self._unchanged(connector, planned, known, _silent)
                    todo = [one.asset for one in planned if self._chosen(one) and one not in unchanged]
                    limits, speed = self._workspace.sources[source].limits, self._inventory.speed(source)
                    todo = [asset for asset in todo if asset.gap is None]
                    yield forecast(source, connector, todo, self._choice.depth, self._choice.workers, limits, speed)
            except _OF_A_SOURCE as error:
                yield Forecast(source, error=self._told(source, connector, error))

    def _source(self, scan: int, source: str) -> SourceOutcome:
        try:
            self._inventory.lease(scan, source, self._clock())
            outcome = self._leased(scan, source)
        except BusyError as error:
            return SourceOutcome(source, "busy", str(error))
        self._inventory.release(scan, source)
        return outcome

    def _leased(self, scan: int, source: str) -> SourceOutcome:
        outcome = SourceOutcome(source, "ok")
        limits = self._workspace.sources[source].limits
        begun, budget = self._clock(), Budget()
        beat = self._heartbeat(scan, source)
        connector: Connector | None = None
        try:
            with opened(connector := open_source(self._workspace, source)):
                planned = survey(self._workspace, self._names, source, connector, beat)
                known = self._inventory.known(source)
                unchanged = self._unchanged(connector, planned, known, beat)
                todo = [one for one in planned if self._chosen(one) and one not in unchanged]
                begun = self._clock()
                budget = Budget(limits.rows or inf, limits.bytes or inf, limits.seconds or inf)
                self._recall([one for one in unchanged if self._chosen(one)], known, outcome)
                self._progress.surveyed(source, len(todo), sum(one.asset.bytes or 0 for one in todo))
                for client in {one.client for one in unchanged}:
                    names = [one.kept for one in unchanged if one.client == client]
                    self._inventory.seen(scan, client, source, names, self._clock())
                for one, result in self._results(scan, source, connector, todo, known, budget, beat):
                    self._record(scan, source, one, result, outcome)
                present = {(one.client, one.kept) for one in planned}
                present |= unlisted(planned, known)
                outcome.vanished = len(self._inventory.close_missing(scan, source, present, self._clock()))
        except _OF_A_SOURCE as error:
            outcome.state, outcome.says = "unreachable", self._told(source, connector, error)
        else:
            outcome.state = "partial" if outcome.gaps else "ok"
        now = self._clock()
        seconds = (now - begun).total_seconds() if budget.taken else None
        place, size = place_of(self._workspace, source), budget.taken or None
        self._inventory.source_state(source, outcome.state, place, now, seconds=seconds, bytes_read=size)
        return outcome

    def _chosen(self, one: Planned) -> bool:
        return self._choice.client in (None, one.client)

    def _told(self, source: str, connector: Connector | None, error: MapkeeperError) -> str:
        """What went wrong with a source, without what identifies somebody: a connector may name what it found."""
        target: str | None = None
        with suppress(Exception):  # without it the address is redacted as well
            target = None if connector is None else connector.target
        return self._names[self._workspace.holder_of(source)].told(str(error), target)

    def _unchanged(
        self, connector: Connector, planned: Iterable[Planned], known: Mapping[Known, Marked], beat: Beat
    ) -> dict[Planned, None]:
        """What the inventory holds already, as read with the same rules and at least as deeply."""
        if self._choice.fresh:
            return {}
        again = _WORTH_ANOTHER_TRY | ({Reason.NO_MODEL} if is_installed() else set())
        unchanged: dict[Planned, None] = {}
        for one in planned:
            beat("", 0)
            before = known.get((one.client, one.kept))
            if (
                before is not None
                and before.rules == self._rules[one.client]
                and before.depth in (self._choice.depth, Depth.FULL)
                and not before.gaps & again
                and before.mark is not None
                and one.asset.gap is None
                and before.mark == self._names[one.client].mark(_mark(connector, one.asset))
            ):
                unchanged[one] = None
        return unchanged

    def _recall(self, unchanged: Sequence[Planned], known: Mapping[Known, Marked], outcome: SourceOutcome) -> None:
        """What was not read before and is not read now asks for attention again."""
        outcome.unchanged = len(unchanged)
        for one in unchanged:
            gaps = known[one.client, one.kept].gaps
            outcome.gaps += len(gaps - _AS_ASKED)
            outcome.left_out += bool(gaps & _AS_ASKED)
            if one.unmapped:
                outcome.unmapped.append(one.kept)

    def _results(
        self,
        scan: int,
        source: str,
        connector: Connector,
        todo: Sequence[Planned],
        known: Mapping[Known, Marked],
        budget: Budget,
        beat: Beat,
    ) -> Iterator[tuple[Planned, AssetResult]]:
        rests = {} if self._choice.fresh else self._checkpoints.rests(source, todo)
        rests = {one: rest for one, rest in rests.items() if rest.mark == _mark(connector, one.asset)}
        # What was begun is ended first; then comes what was never read, or longest ago: a budget may not last for all.
        days = {named: before.last_read for named, before in known.items()}
        todo = sorted(todo, key=lambda one: (one not in rests, days.get((one.client, one.kept)) or dt.date.min))
        questions = {client: Question(self._choice.depth, domains) for client, domains in self._domains.items()}
        jobs = [Job(one.asset, questions[one.client], one.kept, one.client, rests.get(one)) for one in todo]
        settings = self._workspace.scan
        terms = Terms(self._choice.workers, settings.timeout, settings.memory)

        def keep(number: int, rest: Rest) -> None:
            self._checkpoints.keep(scan, source, todo[number], rest, self._clock())

        crew = Crew(self._engines, terms, lambda: open_source(self._workspace, source))
        for index, result in crew.work(connector, jobs, beat, keep, budget):
            yield todo[index], result

    def _heartbeat(self, scan: int, source: str) -> Beat:
        last = self._clock()

        def beat(asset: str, bytes: int) -> None:
            nonlocal last
            if asset:
                self._progress.read(source, asset, bytes)
            if (now := self._clock()) - last > _RENEW_AFTER:
                self._inventory.renew(scan, now)
                last = now

        return beat

    def _record(self, scan: int, source: str, one: Planned, result: AssetResult, outcome: SourceOutcome) -> None:
        kept = self._names[one.client].result(result, one.kept)
        self._inventory.record(
            scan,
            one.client,
            source,
            kept,
            rules=self._rules[one.client],
            depth=self._choice.depth,
            unmapped=one.unmapped,
            now=self._clock(),
        )
        shown = sum(finding.confidence >= LIKELY_FROM for finding in kept.findings)
        lost = sum(gap.reason not in _AS_ASKED for gap in kept.coverage.gaps)
        outcome.read += 1
        outcome.findings += shown
        outcome.gaps += lost
        outcome.left_out += any(gap.reason in _AS_ASKED for gap in kept.coverage.gaps)
        outcome.rows += kept.coverage.rows_read
        outcome.bytes += kept.coverage.bytes_read
        if one.unmapped:
            outcome.unmapped.append(one.kept)
        self._progress.recorded(source, kept.asset.name, shown, lost)


def _digest(*words: str) -> str:
    """What changes with any of some words."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _mark(connector: Connector, asset: Asset) -> str | None:
    """The mark of an asset; ``None`` where that cannot be told: reading it will say why."""
    try:
        with guarded():
            return connector.mark(asset)
    except SourceError:
        return None


def _silent(asset: str, bytes: int) -> None:
    """Nobody asks for a sign of life."""
