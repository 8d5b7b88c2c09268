"""Rows that are valid from one scan to another: closed and opened by what a scan found, read as they were at one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Table, and_, bindparam, func, or_, select

Row = Mapping[str, Any]

CHUNK = 500
"""Keys in one ``IN (...)``."""

_BOOKKEEPING = frozenset({"row", "from_scan", "to_scan", "first_seen", "last_seen"})


def valid_at(table: Table, scan: int | None) -> ColumnElement[bool]:
    """Which rows held after a scan; ``None``: which hold now."""
    if scan is None:
        return table.c.to_scan.is_(None)
    return and_(table.c.from_scan <= scan, or_(table.c.to_scan.is_(None), table.c.to_scan > scan))


def touched_by(table: Table, scan: int) -> ColumnElement[bool]:
    """Which rows a scan opened or closed."""
    return or_(table.c.from_scan == scan, table.c.to_scan == scan)


def reconcile(
    connection: Connection,
    table: Table,
    within: Mapping[str, Any],
    key: str,
    wanted: Sequence[Row],
    *,
    scan: int,
    today: dt.date,
    last_seen: dt.date,
) -> None:
    """Make ``wanted`` what is current, by closing and opening only what differs.

    Doing it again in the same scan replaces what that scan had opened and leaves no trace of it.

    Args:
        connection: Holds the write lock.
        table: One with intervals.
        within: The columns, equal in all rows, that say which part of the table this is about.
        key: The column that tells its rows apart.
        wanted: Every row that holds now, without the columns of ``within`` and without those of the interval.
        scan: Which found it; no row of this part was opened or closed by a later one.
        today: When.
        last_seen: When what is closed now was seen for the last time.
    """
    scope = and_(*(table.c[name] == value for name, value in within.items()))
    known = connection.execute(select(table).where(scope, or_(table.c.to_scan.is_(None), table.c.to_scan == scan)))
    steps = _steps(known.mappings().all(), [{**within, **row} for row in wanted], key, scan)
    rows = table.c.row == bindparam("old")
    if steps.delete:
        connection.execute(table.delete().where(rows), [{"old": row} for row in steps.delete])
    if steps.close:
        gone = table.update().where(rows).values(to_scan=scan, last_seen=last_seen)
        connection.execute(gone, [{"old": row} for row in steps.close])
    if steps.reopen:
        back = table.update().where(rows).values(to_scan=None, last_seen=None)
        connection.execute(back, [{"old": row} for row in steps.reopen])
    if steps.insert:
        unseen = [name for name, row in steps.insert.items() if row["first_seen"] is None]
        first = _first_seen(connection, scope, table, table.c[key], unseen)
        for name in unseen:
            steps.insert[name]["first_seen"] = first.get(name, today)
        connection.execute(table.insert(), list(steps.insert.values()))


@dataclass(slots=True)
class _Steps:
    """What makes of the rows that are there those that are wanted."""

    delete: list[int] = field(default_factory=list)
    close: list[int] = field(default_factory=list)
    reopen: list[int] = field(default_factory=list)
    insert: dict[Hashable, dict[str, Any]] = field(default_factory=dict)  # "first_seen" is None of what is not current


def _steps(known: Sequence[RowMapping], wanted: Sequence[Row], key: str, scan: int) -> _Steps:
    """The steps from the rows that are current, or were closed by an earlier attempt of this same scan."""
    current = {row[key]: row for row in known if row["to_scan"] is None}
    before = {row[key]: row for row in known if row["to_scan"] is not None}
    new = {row[key]: row for row in wanted}
    steps = _Steps()
    for name in {**current, **new}:
        have, want, previous = current.get(name), new.get(name), before.get(name)
        if have is not None and want is not None and _same(have, want):
            continue
        if have is not None:
            (steps.delete if have["from_scan"] == scan else steps.close).append(have["row"])
        if want is None:
            continue
        if previous is not None and _same(previous, want):
            steps.reopen.append(previous["row"])
        else:
            seen = have if have is not None else previous
            steps.insert[name] = {**want, "from_scan": scan, "first_seen": seen and seen["first_seen"]}
    return steps


def _same(have: RowMapping, want: Row) -> bool:
    return all(have[name] == value for name, value in want.items() if name not in _BOOKKEEPING)


def _first_seen(
    connection: Connection, scope: ColumnElement[bool], table: Table, key: Column[Any], names: Sequence[Hashable]
) -> dict[Hashable, dt.date]:
    """When something that had vanished was seen for the first time."""
    found: dict[Hashable, dt.date] = {}
    for start in range(0, len(names), CHUNK):
        chosen = key.in_(names[start : start + CHUNK])
        query = select(key, func.min(table.c.first_seen)).where(scope, chosen).group_by(key)
        found.update((name, day) for name, day in connection.execute(query))
    return found
