"""How tests record into an inventory on either database: assets with findings, made up here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from mapkeeper.inventory import Inventory, tables
from mapkeeper.inventory.opening import open_database
from mapkeeper.model import (
    Asset,
    AssetResult,
    Coverage,
    Depth,
    Fact,
    Field,
    Finding,
    Gap,
    Kind,
    KnownSource,
    Place,
    Reason,
)

DATABASES = ("sqlite", "postgres")
"""Where an inventory can lie."""

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def later(days: int = 0, minutes: float = 0) -> dt.datetime:
    """A moment after noon of the first day."""
    return NOON + dt.timedelta(days=days, minutes=minutes)


def url(path: Path) -> str:
    """The URL of an inventory in a file."""
    return f"sqlite:///{path}"


def empty(place: str) -> None:
    """Take away all that an inventory on a server holds; numbers count from 1 again."""
    engine = create_engine(place, poolclass=NullPool)
    with engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
        connection.exec_driver_sql("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")


def rows_of(place: str, table: str) -> list[tuple[object, ...]]:
    """All that a table of an inventory holds."""
    of = tables.metadata.tables[table]
    with closing(open_database(place, create=False)) as database, database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(of).order_by(*of.primary_key))]


def source(id: str = "crm", client: str | None = "globex", place: Place | None = None) -> KnownSource:
    """A source that was never scanned."""
    return KnownSource(
        id, client, "sql", f"/srv/{id}.db", place or Place("FR", known_by="declared"), None, "never scanned"
    )


def finding(field: str = "email", hits: int = 312, confidence: float = 0.98, why: str = "name fits") -> Finding:
    """A finding of 400 cells."""
    return Finding(
        field=field,
        category="contact.email",
        entity="EMAIL_ADDRESS",
        rule="standard/contact/email@1",
        confidence=confidence,
        rows=400,
        filled=400,
        hits=hits,
        valid=hits,
        chance=0.25,
        distinct=hits,
        why=(why, f"{hits} of 400 values fit"),
        sample=("j***@g***.example",),
        where=("row 17", "row 20"),
    )


def result(
    name: str = "customers",
    findings: Sequence[Finding] = (finding(),),
    *,
    rows: int = 400,
    gaps: Sequence[Gap] = (),
    facts: Sequence[Fact] = (),
    mark: str | None = "m1",
    kind: Kind = Kind.TABLE,
) -> AssetResult:
    """What a scan may have learned of an asset."""
    return AssetResult(
        asset=Asset(name, kind, "file", f"/srv/crm.db#{name}", rows=rows),
        fields=tuple(Field(name, "string") for name in dict.fromkeys(finding.field for finding in findings)),
        findings=tuple(findings),
        coverage=Coverage(rows, rows, None, 4096, 1, 1, "all", not gaps, tuple(gaps), 0.0),
        facts=tuple(facts),
        mark=mark,
    )


def lost(name: str = "customers", reason: Reason = Reason.TIMEOUT, *, mark: str | None = "m1") -> AssetResult:
    """What a scan has of an asset of which it could read nothing."""
    return AssetResult(
        asset=Asset(name, Kind.TABLE, "file", f"/srv/crm.db#{name}", rows=400),
        fields=(),
        findings=(),
        coverage=Coverage(400, 0, None, 0, 1, 0, "nothing", False, (Gap(reason),), 1.0),
        mark=mark,
    )


def begin(inventory: Inventory, now: dt.datetime = NOON, **client_files: str) -> int:
    """A scan that has begun, of a source that is known."""
    inventory.put_sources([source()])
    return inventory.begin(Depth.SAMPLE, "0.1.0", now, client_files)


def record(
    inventory: Inventory,
    scan: int,
    what: AssetResult,
    now: dt.datetime = NOON,
    *,
    client: str = "globex",
    source: str = "crm",
    rules: str = "r1",
) -> None:
    """Record an asset at a sample's depth."""
    inventory.record(scan, client, source, what, rules=rules, depth=Depth.SAMPLE, unmapped=False, now=now)


def scanned(inventory: Inventory, *results: AssetResult, days: int = 0) -> int:
    """A whole scan of one source that found exactly these assets."""
    now = later(days)
    scan = begin(inventory, now)
    inventory.lease(scan, "crm", now)
    for what in results:
        record(inventory, scan, what, now)
    inventory.close_missing(scan, "crm", {("globex", what.asset.name) for what in results}, now)
    inventory.release(scan, "crm")
    inventory.end(scan, "done", now)
    return scan
