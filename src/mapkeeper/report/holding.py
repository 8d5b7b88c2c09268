"""What is held for one client: its file, its sources, assets and findings, and nothing of any other client.

The record is made of this and of nothing else, so that it cannot tell one client about another.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from mapkeeper.config import ClientFile, SourceEntry, Workspace
from mapkeeper.config.files import Provider
from mapkeeper.errors import ConfigurationError
from mapkeeper.inventory import Inventory, View
from mapkeeper.model import KnownAsset, KnownFinding, KnownSource, Level, Place
from mapkeeper.report.record import Basis, Evidence
from mapkeeper.report.wording import day, moment


@dataclass(frozen=True, slots=True)
class HeldSource:
    """A source in which data of the client lies, or should."""

    id: str
    entry: SourceEntry | None  # as configured; None: it is not any more
    known: KnownSource | None  # as the inventory knows it; None: not at all
    file: str  # that configures it: "mapkeeper.toml" for a shared one
    shared: bool
    seen: str | None  # when it was last scanned, in words; None: never
    assets: tuple[KnownAsset, ...]

    @property
    def declared(self) -> Place | None:
        """Where it lies, as its entry says."""
        if self.entry is not None and (place := self.entry.place) is not None:
            return Place(place.country, place.region, place.operator, "declared")
        return None

    @property
    def evidence(self) -> Evidence:
        """The source as evidence."""
        return Evidence("source", self.id)

    @property
    def place_told(self) -> tuple[Evidence, ...]:
        """Where its place is declared."""
        return (Evidence("declaration", f"{self.file}: source {self.id}: place"),) if self.declared else ()

    @property
    def observed(self) -> dict[str, tuple[Evidence, ...]]:
        """The countries that the store itself tells, with the assets that do."""
        found: dict[str, list[Evidence]] = {}
        for asset in self.assets:
            for fact in asset.facts:
                if fact.name == "country" and fact.method != "declared" and isinstance(fact.value, str):
                    found.setdefault(fact.value, []).append(asset_evidence(asset))
        place = self.known.place if self.known is not None else Place(None)
        if place.country is not None and place.known_by not in (None, "declared"):
            found.setdefault(place.country, [self.evidence])
        return {country: tuple(evidence) for country, evidence in found.items()}

    @property
    def countries(self) -> tuple[str, ...]:
        """Everywhere it may lie, declared or observed."""
        declared = {self.declared.country} if self.declared is not None and self.declared.country else set()
        return tuple(sorted({*declared, *self.observed}))


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held for one client, now or as it was after a scan."""

    file: ClientFile
    provider: Provider
    basis: Basis
    sources: tuple[HeldSource, ...]
    findings: tuple[KnownFinding, ...]  # certain and likely, or right by a verdict; none that was dismissed
    unmapped: tuple[KnownAsset, ...]  # booked to the provider, because nobody claims them
    unmapped_findings: tuple[KnownFinding, ...]
    places: Mapping[tuple[str, str], tuple[str, ...]]  # countries of an asset, by source and name

    @property
    def scanned(self) -> bool:
        """Whether a scan reached any of the sources."""
        return any(source.assets or source.seen for source in self.sources)

    @property
    def assets(self) -> tuple[KnownAsset, ...]:
        """Every asset."""
        return tuple(asset for source in self.sources for asset in source.assets)

    def declares(self, key: str) -> tuple[Evidence, ...]:
        """The key of the client's file that says something."""
        return (Evidence("declaration", f"{self.basis.client_file}: {key}"),)

    def countries_of(self, finding: KnownFinding) -> tuple[str, ...]:
        """Where the asset of a finding lies."""
        return self.places.get((finding.source, finding.asset), ())


def asset_evidence(asset: KnownAsset) -> Evidence:
    """An asset with its facts and coverage, as evidence."""
    return Evidence("asset", f"{asset.source}: {asset.name}")


def finding_evidence(findings: Iterable[KnownFinding]) -> tuple[Evidence, ...]:
    """Findings as evidence, the surest first."""
    return tuple(Evidence("finding", one.id) for one in sorted(findings, key=lambda one: -one.finding.confidence))


def hold(opened: Workspace, inventory: Inventory, client: str, at: int | None, judged: dt.datetime) -> Holding:
    """Gather what is held for a client; ``at`` is the scan after which, else now.

    Of verdicts those count that did at the moment ``judged``.

    Raises:
        ConfigurationError: the client's file as that scan kept it is not understood any more.
    """
    view = inventory.at(at, judged=judged)
    file, basis = _file(opened, inventory, view, client, at)
    assets = [asset for asset in view.assets() if asset.client == client]
    sources = _sources(opened, view, client, file, basis, [asset for asset in assets if not asset.unmapped])
    unmapped = tuple(asset for asset in assets if asset.unmapped)
    nobodys = {(asset.source, asset.name) for asset in unmapped}
    findings = [one for one in view.findings() if one.client == client and _counts(one)]
    places = {
        (source.id, asset.name): _told(asset) or source.countries for source in sources for asset in source.assets
    }
    return Holding(
        file=file,
        provider=opened.provider,
        basis=basis,
        sources=tuple(sources),
        findings=tuple(one for one in findings if (one.source, one.asset) not in nobodys),
        unmapped=unmapped,
        unmapped_findings=tuple(one for one in findings if (one.source, one.asset) in nobodys),
        places=places,
    )


def _counts(known: KnownFinding) -> bool:
    """Whether a finding belongs in the record: as a person says, else by its level."""
    return known.finding.level is not Level.POSSIBLE if known.verdict is None else known.verdict.right


def _told(asset: KnownAsset) -> tuple[str, ...]:
    """The countries that the store tells for this very asset."""
    return tuple(sorted(fact.value for fact in asset.facts if fact.name == "country" and isinstance(fact.value, str)))


def _file(opened: Workspace, inventory: Inventory, view: View, client: str, at: int | None) -> tuple[ClientFile, Basis]:
    """The client's file: as that scan ran with it, else as it is now; and what the record rests on."""
    now = opened.clients[client]
    name = f"clients/{now.path.name}"
    kept = next((one for one in view.client_files() if one.client == client), None)
    scan = next((one for one in inventory.scans() if kept is not None and one.id == kept.scan), None)
    text, file, notes = now.text, now.file, []
    if at is not None and kept is None:
        notes.append(f"Scan {at} and those before it did not know this client: declarations are those of today.")
    elif at is not None and kept is not None:
        text, file = kept.text, _parse(kept.text, f"{name} as scan {kept.scan} kept it")
        notes.append(f"Declarations of the client are those that scan {kept.scan} ran with.")
        notes.append(
            "What mapkeeper.toml declares (the provider, shared sources) is that of today: scans keep no copy."
        )
    elif kept is not None and kept.sha256 != _sha256(text):
        notes.append(f"{name} was changed after scan {kept.scan}: declarations are newer than what was observed.")
    if scan is not None and scan.state != "done":
        notes.append(f"Scan {scan.id} is {scan.state}: some of what was observed may be older.")
    return file, Basis(scan, name, _sha256(text), tuple(notes))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _parse(text: str, name: str) -> ClientFile:
    try:
        return ClientFile.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError):
        raise ConfigurationError(
            f"{name}: this version does not understand it any more; print that record with the version of that scan"
        ) from None


def _sources(
    opened: Workspace, view: View, client: str, file: ClientFile, basis: Basis, assets: list[KnownAsset]
) -> list[HeldSource]:
    known = {source.id: source for source in view.sources() if source.client in (None, client)}
    own = {entry.id: entry for entry in file.source}
    shared = {
        id: entry
        for id, entry in opened.sources.items()
        if entry.clients is not None and client in entry.clients.map.values()
    }
    held = []
    for id in sorted({*own, *shared, *(asset.source for asset in assets)}):
        there = tuple(asset for asset in assets if asset.source == id)
        entry = own.get(id) or shared.get(id)
        told = known.get(id)
        is_shared = id not in own and (id in shared or told is None or told.client is None)
        where = "mapkeeper.toml" if is_shared else basis.client_file
        seen = _seen(view, told, there)
        held.append(HeldSource(id, entry=entry, known=told, file=where, shared=is_shared, seen=seen, assets=there))
    return held


def _seen(view: View, source: KnownSource | None, assets: Sequence[KnownAsset]) -> str | None:
    """When the client's part of a source was last scanned.

    The inventory keeps the last scan of a source; of the past, and of one client's part of a shared source,
    the days on which its assets were seen tell.
    """
    if source is not None and source.last_scan is not None and source.client is not None and view.scan is None:
        return moment(source.last_scan)
    if days := [asset.last_seen for asset in assets]:
        return day(max(days))
    return moment(source.last_scan) if source is not None and source.last_scan and view.scan is None else None
