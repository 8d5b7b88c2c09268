"""The sources of the inventory: as configured, and as a scan left them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Connection, select

from mapkeeper.inventory import rows
from mapkeeper.inventory.tables import source
from mapkeeper.model import KnownSource, Place

_PLACE = frozenset({"country", "region", "operator", "known_by"})


def put(connection: Connection, configured: Iterable[KnownSource]) -> None:
    """Write down sources; what is known of their last scan stays, and so does a place that the store itself said."""
    known_by = {row.id: row.known_by for row in connection.execute(select(source.c.id, source.c.known_by))}
    for one in configured:
        row = rows.source_row(one)
        if one.id not in known_by:
            connection.execute(source.insert().values(row))
            continue
        kept = {"last_scan", "state"} | (_PLACE if known_by[one.id] not in (None, "declared") else frozenset())
        changed = {name: value for name, value in row.items() if name not in kept}
        connection.execute(source.update().where(source.c.id == one.id).values(changed))


def leave(
    connection: Connection,
    id: str,
    state: str,
    place: Place | None,
    now: dt.datetime,
    seconds: float | None,
    bytes_read: int | None,
) -> None:
    """Write down how a scan left a source; ``None`` is nothing new."""
    values: dict[str, object] = {"state": state}
    if place is not None:
        values |= rows.place_row(place)
    if seconds is not None:
        values["seconds"] = seconds
    if bytes_read is not None:
        values["bytes_read"] = bytes_read
    if state != "unreachable":
        values["last_scan"] = now
    connection.execute(source.update().where(source.c.id == id).values(values))


def is_known(connection: Connection, id: str) -> bool:
    """Whether a source was ever written down."""
    return connection.execute(select(source.c.id).where(source.c.id == id)).first() is not None


def speed(connection: Connection, id: str) -> float | None:
    """Bytes a second of the last scan that read something; ``None``: there was none."""
    of = select(source.c.bytes_read, source.c.seconds).where(source.c.id == id)
    found = connection.execute(of).first()
    return found.bytes_read / found.seconds if found and found.bytes_read and found.seconds else None
