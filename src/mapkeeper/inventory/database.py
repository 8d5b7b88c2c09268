"""The database under the inventory: opened, shared politely, its errors told in one line.

Whatever differs between SQLite and another database is in this module.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from mapkeeper.errors import InventoryError

WAIT = 30.0
"""Seconds that one writer waits for another."""

_MEANINGS = {
    "SQLITE_BUSY": "is locked by another process; try again when that one has finished",
    "SQLITE_LOCKED": "is locked by another process; try again when that one has finished",
    "SQLITE_NOTADB": "is not a SQLite database, or is encrypted; name another file in [inventory] url",
    "SQLITE_CORRUPT": "is damaged; restore a backup",
    "SQLITE_READONLY": "cannot be written; give this user the right to write the file and its folder",
    "SQLITE_PERM": "cannot be written; give this user the right to write the file and its folder",
    "SQLITE_CANTOPEN": "cannot be opened; give this user the right to read and write the file and its folder",
    "SQLITE_FULL": "cannot grow: the disk is full; make room and try again",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error; check it and restore a backup if needed",
    "SQLITE_ERROR": "lacks tables that are needed; run `mapkeeper db upgrade`",
    "SQLITE_TOOBIG": "does not take a text of this size",
}


class Database:
    """One database file and the two ways to use it: ``reading()`` and ``writing()``.

    What goes wrong in either is an `InventoryError`.
    """

    def __init__(self, url: str, *, create: bool) -> None:
        parsed = _parse(url)
        self.path = Path(str(parsed.database)).absolute()
        self._prepare(create)
        self._file = self._here()
        self._engine = _engine(parsed.set(database=str(self.path)))

    def _prepare(self, create: bool) -> None:
        """Make the file, readable by its owner alone, or say why it cannot be used."""
        if not self.path.parent.is_dir():
            raise self.refuse(f"the folder {self.path.parent} does not exist; make it or change [inventory] url")
        if self.path.is_dir():
            raise self.refuse("is a folder; name a file in [inventory] url")
        if self.path.exists():
            return
        if not create:
            raise self.refuse("does not exist; `mapkeeper scan` makes it")
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise self.refuse(f"cannot be made ({error.strerror}); give this user the right to write there") from None

    def _here(self) -> tuple[int, int] | None:
        """Which file lies at the path; ``None``: there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def refuse(self, what: str) -> InventoryError:
        """An error that names this inventory."""
        return InventoryError(f"inventory {self.path}: {what}")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose reads all see one moment."""
        with self._told(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that holds the write lock from the start; committed as a whole or not at all."""
        if self._here() != self._file:  # SQLite would go on writing where nobody can read any more
            raise self.refuse(
                "was moved, replaced or deleted while in use; what was recorded since is lost: scan again"
            )
        with self._told(), self._engine.connect() as connection:
            connection = connection.execution_options(mapkeeper_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            name = getattr(error.orig, "sqlite_errorname", "")
            meaning = next((says for code, says in _MEANINGS.items() if name.startswith(code)), None)
            raise self.refuse(meaning or f"refused ({type(error).__name__} {name}".rstrip() + ")") from None
        except (SQLAlchemyError, OverflowError) as error:
            raise self.refuse(f"refused ({type(error).__name__}); a figure or text does not fit") from None

    def copy(self, target: Path) -> None:
        """Write a consistent copy, also while others write; never over another file."""
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            raise InventoryError(f"backup {target}: exists already; name another file") from None
        except OSError as error:
            raise InventoryError(f"backup {target}: cannot be made ({error.strerror}); name another file") from None
        try:
            with self.reading() as connection, closing(sqlite3.connect(target)) as copy:
                driver: Any = connection.connection.driver_connection
                driver.backup(copy)
        except BaseException as error:
            target.unlink()
            if isinstance(error, sqlite3.Error):
                raise InventoryError(f"backup {target}: cannot be written ({type(error).__name__})") from None
            raise

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InventoryError("[inventory] url is not a database URL; write sqlite:///inventory.db") from None
    if parsed.get_backend_name() != "sqlite":
        name = parsed.get_backend_name()
        raise InventoryError(f"[inventory] url: {name} is not supported yet; write sqlite:///inventory.db")
    if parsed.database in (None, "", ":memory:"):
        raise InventoryError("[inventory] url names no file; write sqlite:///inventory.db")
    return parsed.set(drivername="sqlite")


def _engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # or errors would quote what was to be written
        connect_args={"timeout": WAIT},
        json_serializer=_json,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin in _begin, not where the driver guesses
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("mapkeeper_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def plain(text: str) -> str:
    """A text as every database takes it: NUL and lone surrogates, as in names that are not UTF-8, are spelt out."""
    if _UNSTORABLE.search(text):
        return _UNSTORABLE.sub(lambda found: rf"\u{ord(found.group()):04x}", text)
    return text
