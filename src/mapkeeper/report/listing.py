"""Listings: what the inventory or an inspection knows, as rows with the keys that scripts rely on.

The keys of each row are a contract: keys may be added, never changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mapkeeper.model import (
    AssetResult,
    Change,
    Coverage,
    Finding,
    KnownAsset,
    KnownFinding,
    KnownSource,
    Level,
    ScanRun,
    Verdict,
    VerdictState,
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows of a listing to show; ``None`` lets everything pass."""

    client: str | None = None
    source: str | None = None
    asset: str | None = None  # glob
    category: str | None = None  # prefix, whole words: "health" or "health.record"
    country: str | None = None  # "CA" takes "CA-QC" too
    level: Level | None = None
    all: bool = False  # also possible findings, which are hidden otherwise unless a person says that they are right
    dismissed: bool = False  # also findings that a person dismissed

    def takes(self, row: Row) -> bool:
        """Whether a row passes; a key that the row does not have is not asked for."""
        for key in ("client", "source"):
            if (wanted := getattr(self, key)) is not None and row.get(key, wanted) != wanted:
                return False
        if self.country is not None and not f"{row.get('country')}-".startswith(f"{self.country}-"):
            return False
        if self.asset is not None and not fnmatchcase(row.get("asset") or "", self.asset):
            return False
        if self.category is not None and not f"{row.get('category')}.".startswith(f"{self.category}."):
            return False
        if (level := row.get("level")) is None:
            return True
        state = (row.get("verdict") or {}).get("state")
        if state == VerdictState.DISMISSED and not self.dismissed:
            return False
        if self.level is not None:
            return bool(level == self.level)
        return self.all or level != Level.POSSIBLE or state not in (None, VerdictState.DISMISSED)


def finding_row(
    id: str,
    client: str | None,
    source: str,
    asset: str,
    finding: Finding,
    country: str | None = None,
    seen: tuple[dt.date, dt.date] | None = None,
    verdict: Verdict | None = None,
) -> Row:
    """A finding under the keys of ``inspect`` and ``findings``."""
    return {
        "id": id,
        "client": client,
        "source": source,
        "asset": asset,
        "field": finding.field,
        "category": finding.category,
        "entity": finding.entity,
        "confidence": round(finding.confidence, 3),
        "level": finding.level.value,
        "rows": finding.rows,
        "filled": finding.filled,
        "hits": finding.hits,
        "share": round(finding.share, 4),
        "valid": finding.valid,
        "chance": finding.chance,
        "distinct": finding.distinct,
        "why": list(finding.why),
        "sample": list(finding.sample),
        "where": list(finding.where),
        "special": finding.special,
        "subject": finding.subject,
        "source_role": finding.source_role.value if finding.source_role is not None else None,
        "country": country,
        "rule": finding.rule,
        "verdict": _decided(verdict) if verdict is not None else None,
        "first_seen": seen[0].isoformat() if seen is not None else None,
        "last_seen": seen[1].isoformat() if seen is not None else None,
    }


def _decided(verdict: Verdict) -> Row:
    return {
        "id": verdict.id,
        "state": verdict.state.value,
        "reason": verdict.reason,
        "author": verdict.author,
        "at": verdict.at.isoformat(timespec="seconds"),
        "expires": verdict.expires.isoformat() if verdict.expires is not None else None,
    }


def verdict_row(verdict: Verdict, standing: str, findings: int) -> Row:
    """A verdict under the keys of ``verdict list``.

    ``standing`` is "in force", "expired", "replaced" or "withdrawn"; ``findings`` how many it is about.
    """
    decided, about = _decided(verdict), verdict.about
    return {
        "id": decided.pop("id"),
        "state": decided.pop("state"),
        "standing": standing,
        "findings": findings,
        "client": about.client,
        "source": about.source,
        "asset": about.asset,
        "field": about.field,
        "rule": about.rule,
        "category": about.category,
        **decided,
    }


def touched(known: Iterable[KnownFinding]) -> list[Row]:
    """What a verdict would touch, under the keys of ``verdict preview``: an asset a row."""
    found: dict[tuple[str, str, str], list[KnownFinding]] = {}
    for one in known:
        found.setdefault((one.client, one.source, one.asset), []).append(one)
    return [
        {
            "client": client,
            "source": source,
            "asset": asset,
            "findings": len(there),
            "decided": sum(one.verdict is not None for one in there),
            "fields": sorted({one.finding.field for one in there}),
            "categories": sorted({one.finding.category for one in there}),
        }
        for (client, source, asset), there in sorted(found.items())
    ]


def findings(known: Iterable[KnownFinding], sources: Mapping[str, KnownSource]) -> Iterator[Row]:
    """What the inventory found, a row a finding."""
    for one in known:
        yield finding_row(
            one.id,
            one.client,
            one.source,
            one.asset,
            one.finding,
            sources[one.source].place.country if one.source in sources else None,
            (one.first_seen, one.last_seen),
            one.verdict,
        )


def coverage_row(client: str | None, source: str, asset: str, kind: str, coverage: Coverage) -> Row:
    """What was read of an asset, under the keys of ``coverage``."""
    return {
        "client": client,
        "source": source,
        "asset": asset,
        "kind": kind,
        "rows_total": coverage.rows_total,
        "rows_read": coverage.rows_read,
        "bytes_total": coverage.bytes_total,
        "bytes_read": coverage.bytes_read,
        "objects_total": coverage.objects_total,
        "objects_read": coverage.objects_read,
        "method": coverage.method,
        "complete": coverage.complete,
        "gaps": [
            {"reason": gap.reason.value, "count": gap.count, "example": gap.example, "says": gap.says}
            for gap in coverage.gaps
        ],
        "bound_95": round(coverage.bound_95, 6) if coverage.bound_95 is not None else None,
    }


def coverages(known: Iterable[KnownAsset]) -> Iterator[Row]:
    """What was read of each asset of the inventory."""
    for one in known:
        yield coverage_row(one.client, one.source, one.name, one.kind.value, one.coverage)


def inspected(id: str, source: str, result: AssetResult, finding: Finding) -> Row:
    """A finding of an inspection; with its revealed values where there are any."""
    row = finding_row(id, None, source, result.asset.name, finding)
    if (values := result.values.get((finding.field, finding.category))) is not None:
        row["values"] = list(values)
    return row


def sources(known: Iterable[KnownSource]) -> Iterator[Row]:
    """The sources, under the keys of ``sources``."""
    for one in known:
        yield {
            "client": one.client,
            "source": one.id,
            "connector": one.connector,
            "target": one.target,
            "country": one.place.country,
            "region": one.place.region,
            "known_by": one.place.known_by,
            "last_scan": one.last_scan.isoformat() if one.last_scan is not None else None,
            "state": one.state,
        }


def scans(runs: Iterable[ScanRun], changes: Mapping[int, list[Change]]) -> Iterator[Row]:
    """The scans, each with how many assets and findings appeared, changed and vanished."""
    for run in runs:
        row: Row = {
            "scan": run.id,
            "started": run.started.isoformat(),
            "ended": run.ended.isoformat() if run.ended is not None else None,
            "state": run.state,
            "depth": run.depth.value,
            "version": run.version,
        }
        for kind in ("appeared", "changed", "vanished"):
            for what in ("asset", "finding"):
                of_kind = [one for one in changes.get(run.id, ()) if one.change == kind and one.what == what]
                row[f"{what}s_{kind}"] = len(of_kind)
        yield row


def changes(found: Iterable[Change]) -> Iterator[Row]:
    """What one scan found different from the one before."""
    for one in found:
        yield {
            "scan": one.scan,
            "change": one.change,
            "what": one.what,
            "client": one.client,
            "source": one.source,
            "asset": one.asset,
            "field": one.field,
            "category": one.category,
            "says": one.says,
        }
