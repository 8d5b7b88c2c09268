"""The assets of the inventory, as a scan writes them: recorded whole, seen again, or gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Connection, select

from mapkeeper.inventory import rows, tables
from mapkeeper.inventory.database import plain
from mapkeeper.inventory.intervals import CHUNK, reconcile
from mapkeeper.model import AssetResult, Depth, Reason

_TABLES = ((tables.asset_state, "asset"), (tables.finding, "id"))  # what holds intervals of an asset, and by which key


@dataclass(frozen=True, slots=True)
class Marked:
    """How an asset was read the last time, to tell whether it need be read again."""

    mark: str | None
    rules: str
    depth: Depth
    complete: bool
    gaps: frozenset[Reason]


def known(connection: Connection, source: str) -> Mapping[tuple[str, str], Marked]:
    """Every current asset of a source, by client and name."""
    asset, state = tables.asset, tables.asset_state
    columns = (asset.c.client, asset.c.name, asset.c.mark, asset.c.rules)
    query = select(*columns, state.c.depth, state.c.complete, state.c.gaps).join(state)
    found = connection.execute(query.where(asset.c.source == source, state.c.to_scan.is_(None)))
    return {
        (client, name): Marked(mark, rules, Depth(depth), complete, frozenset(Reason(gap["reason"]) for gap in gaps))
        for client, name, mark, rules, depth, complete, gaps in found
    }


def record(
    connection: Connection,
    scan: int,
    client: str,
    source: str,
    result: AssetResult,
    *,
    rules: str,
    depth: Depth,
    unmapped: bool,
    today: dt.date,
) -> None:
    """All that a scan learned of an asset; where a later scan has seen it since, it is booked to that one."""
    asset = tables.asset
    named = {"client": client, "source": source, "name": plain(result.asset.name)}
    moving = {"mark": result.mark, "rules": rules, "scan": scan, "last_seen": today}
    query = select(asset).where(*(asset.c[name] == value for name, value in named.items()))
    if before := connection.execute(query).mappings().first():
        moving["scan"] = scan = max(scan, before["scan"])
        moving["last_seen"] = max(today, before["last_seen"])
        connection.execute(asset.update().where(asset.c.id == before["id"]).values(moving))
        id, last_seen = before["id"], before["last_seen"]
    else:
        made = connection.execute(asset.insert().values(**named, **moving).returning(asset.c.id))
        id, last_seen = made.scalar_one(), today
    found = ([rows.state_row(result, depth, unmapped)], rows.finding_rows(client, source, result))
    for (table, key), wanted in zip(_TABLES, found, strict=True):
        reconcile(connection, table, {"asset": id}, key, wanted, scan=scan, today=today, last_seen=last_seen)


def touch(connection: Connection, scan: int, client: str, source: str, names: Sequence[str], today: dt.date) -> None:
    """Move on when assets were seen last; their rows stay as they are."""
    asset = tables.asset
    for start in range(0, len(names), CHUNK):
        named = asset.c.name.in_([plain(name) for name in names[start : start + CHUNK]])
        these = (asset.c.source == source, asset.c.client == client, named)
        connection.execute(asset.update().where(*these, asset.c.scan < scan).values(scan=scan))
        connection.execute(asset.update().where(*these, asset.c.last_seen < today).values(last_seen=today))


def close_missing(
    connection: Connection, scan: int, source: str, present: Set[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Close what a complete survey did not find; returns clients and names."""
    asset, state = tables.asset, tables.asset_state
    there = {(client, plain(name)) for client, name in present}
    query = select(asset).join(state).where(asset.c.source == source, state.c.to_scan.is_(None))
    vanished = []
    for row in connection.execute(query).mappings().all():
        if (row["client"], row["name"]) in there:
            continue
        as_of, day = max(scan, row["scan"]), row["last_seen"]
        for table, key in _TABLES:
            reconcile(connection, table, {"asset": row["id"]}, key, (), scan=as_of, today=day, last_seen=day)
        connection.execute(asset.update().where(asset.c.id == row["id"]).values(scan=as_of))
        vanished.append((row["client"], row["name"]))
    return sorted(vanished)
