"""The assets of the inventory, as a scan writes them: recorded whole, seen again, or gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from mapkeeper.inventory import checkpoints, rows, tables
from mapkeeper.inventory.database import plain
from mapkeeper.inventory.intervals import CHUNK, reconcile
from mapkeeper.inventory.rows import name_digest
from mapkeeper.model import AssetResult, Coverage, Depth, Reason

_NOT_A_FAILURE = frozenset({Reason.EXCLUDED, Reason.NO_MODEL})
"""Gaps of what the configuration leaves out, or of what was read and could not be judged."""


@dataclass(frozen=True, slots=True)
class Marked:
    """How an asset was read the last time, to tell whether it need be read again."""

    mark: str | None
    rules: str
    depth: Depth
    complete: bool
    gaps: frozenset[Reason]
    last_read: dt.date | None  # the day of its findings; None: it could never be read


def known(connection: Connection, source: str) -> Mapping[tuple[str, str], Marked]:
    """Every current asset of a source, by client and name."""
    asset, state = tables.asset, tables.asset_state
    columns = (asset.c.client, asset.c.name, asset.c.mark, asset.c.rules)
    read = (state.c.rows_read, state.c.last_read, asset.c.last_seen)
    query = select(*columns, state.c.depth, state.c.complete, state.c.gaps, *read).join(state)
    found = connection.execute(query.where(asset.c.source == source, state.c.to_scan.is_(None)))
    return {
        (row.client, row.name): Marked(
            row.mark,
            row.rules,
            Depth(row.depth),
            row.complete,
            frozenset(Reason(gap["reason"]) for gap in row.gaps),
            row.last_read or (row.last_seen if row.complete or row.rows_read else None),
        )
        for row in found
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
    """All that a scan learned of an asset; where a later scan has seen it since, it is booked to that one.

    Where nothing could be read this time, the fields and findings of the reading before stay.
    """
    asset = tables.asset
    name = plain(result.asset.name)
    named = {"client": client, "source": source, "digest": name_digest(name)}
    moving = {"mark": result.mark, "rules": rules, "scan": scan, "last_seen": today}
    query = select(asset).where(*(asset.c[column] == value for column, value in named.items()))
    before = connection.execute(query).mappings().first()
    held = None if before is None else _state(connection, before["id"])
    if before is not None:
        moving["scan"] = scan = max(scan, before["scan"])
        moving["last_seen"] = max(today, before["last_seen"])
        connection.execute(asset.update().where(asset.c.id == before["id"]).values(moving))
        id, last_seen = before["id"], before["last_seen"]
    else:
        made = connection.execute(asset.insert().values(**named, name=name, **moving).returning(asset.c.id))
        id, last_seen = made.scalar_one(), today
    state = rows.state_row(result, depth, unmapped)
    kept = held is not None and _is_of_a_reading(held) and _failed(result.coverage)
    last_read = (held["last_read"] if held is not None else None) or last_seen
    if kept:
        assert held is not None
        state |= {"fields": held["fields"], "last_read": last_read, "facts": state["facts"] or held["facts"]}
    within = {"asset": id}
    reconcile(connection, tables.asset_state, within, "asset", [state], scan=scan, today=today, last_seen=last_seen)
    if not kept:
        found = rows.finding_rows(client, source, result)
        reconcile(connection, tables.finding, within, "id", found, scan=scan, today=today, last_seen=last_read)
    checkpoints.drop(connection, client, source, name)


def _state(connection: Connection, asset: int) -> RowMapping | None:
    """What is current of an asset; ``None``: it has vanished."""
    state = tables.asset_state
    query = select(state).where(state.c.asset == asset, state.c.to_scan.is_(None))
    return connection.execute(query).mappings().first()


def _is_of_a_reading(state: RowMapping) -> bool:
    """Whether its fields and findings are what something that was read holds."""
    return bool(state["complete"] or state["rows_read"] > 0 or state["last_read"] is not None)


def _failed(coverage: Coverage) -> bool:
    """Whether nothing could be read, although it was to be."""
    lost = any(gap.reason not in _NOT_A_FAILURE for gap in coverage.gaps)
    return lost and coverage.rows_read == 0 and not coverage.complete


def touch(connection: Connection, scan: int, client: str, source: str, names: Sequence[str], today: dt.date) -> None:
    """Move on when assets were seen last; their rows stay as they are."""
    asset = tables.asset
    for start in range(0, len(names), CHUNK):
        named = asset.c.digest.in_([name_digest(plain(name)) for name in names[start : start + CHUNK]])
        these = (asset.c.source == source, asset.c.client == client, named)
        connection.execute(asset.update().where(*these, asset.c.scan < scan).values(scan=scan))
        connection.execute(asset.update().where(*these, asset.c.last_seen < today).values(last_seen=today))


def close_missing(
    connection: Connection, scan: int, source: str, present: Set[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Close what a complete survey did not find; returns clients and names."""
    asset, state, finding = tables.asset, tables.asset_state, tables.finding
    there = {(client, plain(name)) for client, name in present}
    query = select(asset, state.c.last_read).join(state).where(asset.c.source == source, state.c.to_scan.is_(None))
    vanished = []
    for row in connection.execute(query).mappings().all():
        if (row["client"], row["name"]) in there:
            continue
        as_of, day, within = max(scan, row["scan"]), row["last_seen"], {"asset": row["id"]}
        reconcile(connection, state, within, "asset", (), scan=as_of, today=day, last_seen=day)
        last_read = row["last_read"] or day
        reconcile(connection, finding, within, "id", (), scan=as_of, today=day, last_seen=last_read)
        connection.execute(asset.update().where(asset.c.id == row["id"]).values(scan=as_of))
        vanished.append((row["client"], row["name"]))
    checkpoints.drop_all(connection, source, checkpoints.names(connection, source) - there)
    return sorted(vanished)
