"""Checkpoints: assets that a scan has read half, sealed by it so that another scan may go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, and_, bindparam, select

from mapkeeper.inventory.database import plain
from mapkeeper.inventory.rows import name_digest
from mapkeeper.inventory.tables import checkpoint


def put(connection: Connection, client: str, source: str, name: str, sealed: bytes, now: dt.datetime) -> None:
    """Keep the newest checkpoint of an asset."""
    row = {"saved": now, "sealed": sealed}
    if not connection.execute(checkpoint.update().where(_of(client, source, name)).values(row)).rowcount:
        named = {"client": client, "source": source, "name": plain(name), "digest": name_digest(plain(name))}
        connection.execute(checkpoint.insert().values(**named, **row))


def get(connection: Connection, client: str, source: str, name: str) -> bytes | None:
    """What was sealed of an asset; ``None``: nothing is kept."""
    found = connection.execute(select(checkpoint.c.sealed).where(_of(client, source, name)))
    sealed: bytes | None = found.scalar()
    return sealed


def names(connection: Connection, source: str) -> frozenset[tuple[str, str]]:
    """Clients and names of the assets of a source that have one."""
    found = connection.execute(select(checkpoint.c.client, checkpoint.c.name).where(checkpoint.c.source == source))
    return frozenset((client, name) for client, name in found)


def drop(connection: Connection, client: str, source: str, name: str) -> None:
    """Keep none of an asset."""
    connection.execute(checkpoint.delete().where(_of(client, source, name)))


def drop_all(connection: Connection, source: str, named: Iterable[tuple[str, str]]) -> None:
    """Keep none of these clients and names."""
    each: list[Mapping[str, str]] = [{"of": client, "called": name_digest(plain(name))} for client, name in named]
    if each:
        one = (checkpoint.c.client == bindparam("of")) & (checkpoint.c.digest == bindparam("called"))
        connection.execute(checkpoint.delete().where(checkpoint.c.source == source, one), each)


def _of(client: str, source: str, name: str) -> ColumnElement[bool]:
    row = checkpoint.c
    return and_(row.client == client, row.source == source, row.digest == name_digest(plain(name)))
