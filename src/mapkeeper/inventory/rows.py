"""The nouns as rows of the inventory, and back."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import RowMapping

from mapkeeper.inventory.database import plain
from mapkeeper.model import (
    AssetResult,
    Coverage,
    Depth,
    Fact,
    Field,
    Finding,
    Flow,
    Gap,
    Kind,
    KnownAsset,
    KnownFinding,
    KnownSource,
    Place,
    Reason,
    ScanRun,
    SourceRole,
)

_COVERAGE = tuple(field.name for field in fields(Coverage) if field.name != "gaps")
_FINDING = tuple(field.name for field in fields(Finding))
"""The columns that these nouns fill are called as their fields are."""


def finding_id(client: str | None, source: str, asset: str, field: str, category: str, entity: str) -> str:
    """The id of a finding: the same in every scan, and on every machine."""
    return f"f-{short_digest(client, source, asset, field, category, entity)}"


def name_digest(name: str) -> str:
    """What stands in unique keys for the name of an asset; the name is ``plain``."""
    return hashlib.sha256(name.encode()).hexdigest()


def short_digest(*names: str | None) -> str:
    """65 bits of a digest of names, as ids carry them."""
    return base64.b32encode(hashlib.sha256(json.dumps(names).encode()).digest()).decode()[:13].lower()


def source_row(source: KnownSource) -> dict[str, Any]:
    """A source as the configuration tells it."""
    named = {"id": source.id, "client": source.client, "connector": source.connector, "target": plain(source.target)}
    return {**named, **place_row(source.place), "last_scan": source.last_scan, "state": source.state}


def place_row(place: Place) -> dict[str, str | None]:
    """Where a source lies, and how that is known."""
    return _clean(asdict(place))


def source_noun(row: RowMapping) -> KnownSource:
    """A source as the inventory knows it."""
    place = Place(row["country"], row["region"], row["operator"], row["known_by"])
    named = (row["id"], row["client"], row["connector"], row["target"])
    return KnownSource(*named, place, row["last_scan"], row["state"])


def scan_noun(row: RowMapping) -> ScanRun:
    """A scan."""
    return ScanRun(row["id"], row["started"], row["ended"], row["state"], Depth(row["depth"]), row["version"])


def state_row(result: AssetResult, depth: Depth, unmapped: bool) -> dict[str, Any]:
    """What a scan learned of an asset, without its findings."""
    asset, coverage = result.asset, result.coverage
    return {
        "kind": str(asset.kind),
        "namespace": plain(asset.namespace),
        "dataset": plain(asset.dataset),
        "unmapped": unmapped,
        "depth": str(depth),
        "fields": [_clean(asdict(field)) for field in result.fields],
        "facts": [_clean(asdict(fact)) for fact in result.facts],
        "gaps": [_clean(asdict(gap)) for gap in coverage.gaps],
        "last_read": None,
        **_clean({name: getattr(coverage, name) for name in _COVERAGE}),
    }


def asset_noun(row: RowMapping) -> KnownAsset:
    """An asset from its state, its name and when it was seen."""
    return KnownAsset(
        client=row["client"],
        source=row["source"],
        name=row["name"],
        kind=Kind(row["kind"]),
        namespace=row["namespace"],
        dataset=row["dataset"],
        unmapped=row["unmapped"],
        fields=tuple(Field(**field) for field in row["fields"]),
        facts=tuple(Fact(**fact) for fact in row["facts"]),
        coverage=Coverage(
            **{name: row[name] for name in _COVERAGE},
            gaps=tuple(Gap(**{**gap, "reason": Reason(gap["reason"])}) for gap in row["gaps"]),
        ),
        depth=Depth(row["depth"]),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
    )


def finding_rows(client: str, source: str, result: AssetResult) -> list[dict[str, Any]]:
    """The findings of an asset. Of two with one id the surer one counts."""
    rows: dict[str, dict[str, Any]] = {}
    for finding in sorted(result.findings, key=lambda finding: (finding.confidence, finding.hits)):
        row = _clean(asdict(finding))
        row["id"] = finding_id(client, source, plain(result.asset.name), row["field"], row["category"], row["entity"])
        rows[row["id"]] = row
    return list(rows.values())


def finding(row: RowMapping) -> Finding:
    """A finding from its row."""
    told: dict[str, Any] = {name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in _FINDING}
    role = told.pop("source_role")
    return Finding(**told, source_role=role and SourceRole(role))


def finding_noun(row: RowMapping) -> KnownFinding:
    """A finding from its row, the name of its asset, and when it was seen."""
    named = (row["id"], row["client"], row["source"], row["name"])
    return KnownFinding(*named, finding(row), row["first_seen"], row["last_seen"])


def flow_rows(told_by: str, flows: Iterable[Flow]) -> list[dict[str, Any]]:
    """The flows that one source tells of; of two of one kind between the same ends the surer one counts."""
    rows: dict[str, dict[str, Any]] = {}
    for flow in sorted(flows, key=lambda flow: flow.confidence):
        row = _clean(asdict(flow))
        row["id"] = f"w-{short_digest(told_by, row['source'], row['target'], row['kind'])}"
        rows[row["id"]] = row
    return list(rows.values())


def flow_noun(row: RowMapping) -> Flow:
    """A flow."""
    why, categories = tuple(row["why"]), tuple(row["categories"])
    return Flow(row["source"], row["target"], row["kind"], row["confidence"], categories, why)


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    """Values as every database and JSON give them back: plain texts and lists; what is no number is unknown."""
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, str):
            cleaned[name] = plain(str(value))
        elif isinstance(value, tuple):
            cleaned[name] = [plain(text) for text in value]
        elif isinstance(value, float) and not math.isfinite(value):
            cleaned[name] = None
        else:
            cleaned[name] = value
    return cleaned
