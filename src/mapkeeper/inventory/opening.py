"""Open the database that a URL names."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mapkeeper.errors import InventoryError
from mapkeeper.inventory.database import Database

_WRITE = "write sqlite:///inventory.db or postgresql://user@host/name"


def open_database(url: str, *, create: bool) -> Database:
    """Open ``sqlite:///FILE`` or ``postgresql://…``; ``create`` makes the file where it is missing.

    Raises:
        InventoryError: the URL cannot be an inventory's, its file cannot be used, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InventoryError(f"[inventory] url is not a database URL; {_WRITE}") from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            from mapkeeper.inventory.sqlite_file import SqliteFile

            if parsed.database in (None, "", ":memory:"):
                raise InventoryError("[inventory] url names no file; write sqlite:///inventory.db")
            return SqliteFile(parsed, create=create)
        case "postgresql" | "postgresql+psycopg":
            from mapkeeper.inventory.postgres import Postgres

            if not parsed.database:
                raise InventoryError("[inventory] url names no database; write postgresql://user@host/name")
            return Postgres(parsed)
        case other:
            raise InventoryError(f"[inventory] url: {other} is not supported; {_WRITE}")
