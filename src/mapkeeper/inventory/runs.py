"""The life of a scan: it begins, holds leases of sources, gives signs of life, ends or is found dead."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import socket
from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, select

from mapkeeper.errors import BusyError, InventoryError
from mapkeeper.inventory.tables import client_file, client_text, lease, scan
from mapkeeper.model import Depth

SIGN_OF_LIFE = dt.timedelta(minutes=5)
"""A scan that gave none for so long counts as interrupted, and what it held is free."""


def begin(connection: Connection, depth: Depth, version: str, now: dt.datetime, files: Mapping[str, str]) -> int:
    """A new scan with the client files that it runs with; scans that died are marked as interrupted."""
    for row in connection.execute(select(scan).where(scan.c.state == "running")).mappings():
        if not _alive(row, now):
            end(connection, row["id"], "interrupted", row["expires"] - SIGN_OF_LIFE)
    running = {"state": "running", "host": socket.gethostname(), "pid": os.getpid(), "expires": now + SIGN_OF_LIFE}
    new = scan.insert().values(started=now, depth=str(depth), version=version, **running).returning(scan.c.id)
    number: int = connection.execute(new).scalar_one()
    for client, text in files.items():
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        if connection.execute(select(client_text.c.sha256).where(client_text.c.sha256 == sha256)).first() is None:
            connection.execute(client_text.insert().values(sha256=sha256, text=text))
        connection.execute(client_file.insert().values(scan=number, client=client, sha256=sha256))
    return number


def end(connection: Connection, number: int, state: str, when: dt.datetime) -> None:
    """The end of a scan and of its leases."""
    connection.execute(lease.delete().where(lease.c.scan == number))
    connection.execute(scan.update().where(scan.c.id == number).values(state=state, ended=when))


def take(connection: Connection, number: int, source: str, now: dt.datetime) -> None:
    """The lease of a source, from nobody or from a scan that died."""
    renew(connection, number, now)
    if held := _holder(connection, source):
        if held["id"] == number:
            return
        if _alive(held, now):
            raise _busy(source, held)
        connection.execute(lease.delete().where(lease.c.source == source))
    connection.execute(lease.insert().values(source=source, scan=number, acquired=now))


def drop(connection: Connection, number: int, source: str) -> None:
    """The lease given back; nothing happens where another scan has taken it since."""
    connection.execute(lease.delete().where(lease.c.source == source, lease.c.scan == number))


def renew(connection: Connection, number: int, now: dt.datetime) -> None:
    """A sign of life.

    Raises:
        InventoryError: the scan is unknown or over; another may have found it dead.
    """
    alive = scan.update().where(scan.c.id == number, scan.c.state == "running")
    if not connection.execute(alive.values(expires=now + SIGN_OF_LIFE)).rowcount:
        state = connection.execute(select(scan.c.state).where(scan.c.id == number)).scalar()
        was = "unknown" if state is None else f"over ({state})"
        raise InventoryError(f"scan {number} is {was} and can record nothing; start another scan")


def writes_to(connection: Connection, number: int, source: str, now: dt.datetime) -> None:
    """Make sure that a scan may write about a source; a sign of life as well.

    Raises:
        BusyError: the scan gave no sign of life for so long that another took the source over.
    """
    renew(connection, number, now)
    if (held := _holder(connection, source)) and held["id"] != number:
        raise _busy(source, held)


def _holder(connection: Connection, source: str) -> RowMapping | None:
    query = select(scan, lease.c.acquired).join(lease).where(lease.c.source == source)
    return connection.execute(query).mappings().first()


def _alive(row: RowMapping, now: dt.datetime) -> bool:
    if row["expires"] <= now:
        return False
    return row["host"] != socket.gethostname() or _process_exists(row["pid"])


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to somebody else
        return True
    return True


def _busy(source: str, held: RowMapping) -> BusyError:
    since, until = (f"{held[name]:%Y-%m-%d %H:%M} UTC" for name in ("acquired", "expires"))
    who = f"{held['host']}, process {held['pid']}, since {since}"
    return BusyError(
        f"source {source} is being scanned by {who}; wait for it; if it died, this ends by itself at {until}"
    )
