"""An inventory in a SQLite file: made for its owner alone, written by one at a time, copied whole."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from mapkeeper.errors import InventoryError
from mapkeeper.inventory import database
from mapkeeper.inventory.database import DAMAGED, LACKS_TABLES, LOCKED, TOO_LARGE, Database, json_text

_UNWRITABLE = "cannot be written; give this user the right to write the file and its folder"

_MOMENT = 0.01
"""Seconds between two tries to change the mode of a file."""

_MEANINGS = {
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_NOTADB": "is not a SQLite database, or is encrypted; name another file in [inventory] url",
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_READONLY": _UNWRITABLE,
    "SQLITE_PERM": _UNWRITABLE,
    "SQLITE_CANTOPEN": "cannot be opened; give this user the right to read and write the file and its folder",
    "SQLITE_FULL": "cannot grow: the disk is full; make room and try again",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error; check it and restore a backup if needed",
    "SQLITE_ERROR": LACKS_TABLES,
    "SQLITE_TOOBIG": TOO_LARGE,
}
"""Beginnings of SQLite's names of errors (https://sqlite.org/rescode.html), and what each comes to."""


class SqliteFile(Database):
    """One file, in WAL mode."""

    def __init__(self, url: URL, *, create: bool) -> None:
        self.path = Path(str(url.database)).absolute()
        engine = create_engine(
            url.set(drivername="sqlite", database=str(self.path)),
            hide_parameters=True,  # or errors would quote what was to be written
            connect_args={"timeout": database.WAIT},
            json_serializer=json_text,
        )
        event.listen(engine, "connect", _configure)
        super().__init__(str(self.path), engine)
        self._prepare(create)
        self._file = self._here()

    def _prepare(self, create: bool) -> None:
        """Make the file, readable by its owner alone, or say why it cannot be used."""
        if not self.path.parent.is_dir():
            raise self.refuse(f"the folder {self.path.parent} does not exist; make it or change [inventory] url")
        if self.path.is_dir():
            raise self.refuse("is a folder; name a file in [inventory] url")
        if self.path.exists():
            return
        if not create:
            raise self.refuse("does not exist; `mapkeeper scan` or `mapkeeper db upgrade` makes it")
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

    def _read(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    def _write(self, connection: Connection) -> None:
        if self._here() != self._file:  # SQLite would go on writing where nobody can read any more
            raise self.refuse(
                "was moved, replaced or deleted while in use; what was recorded since is lost: scan again"
            )
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @contextmanager
    def altering(self) -> Iterator[Connection]:
        """As ``writing()``; what refers to a table that is made anew may refer to nothing for the while.

        The procedure of https://sqlite.org/lang_altertable.html#otheralter: foreign keys are checked at the end.
        """
        with self._transaction(self._loosen) as connection:
            yield connection
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise self.refuse(DAMAGED)

    def _loosen(self, connection: Connection) -> None:
        connection.detach()  # it is closed at the end: no other use meets it with foreign keys off
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        self._write(connection)

    def _meaning(self, error: DBAPIError) -> str | None:
        name = getattr(error.orig, "sqlite_errorname", "")
        meaning = next((says for code, says in _MEANINGS.items() if name.startswith(code)), None)
        return meaning or (f"refused ({type(error).__name__} {name})" if name else None)

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


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # a transaction begins where we say so, not where the driver guesses
    _into_wal_mode(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _into_wal_mode(connection: sqlite3.Connection) -> None:
    """Once for a new file. Of several that try at one moment SQLite refuses some at once, whatever their time-out."""
    patience = time.monotonic() + database.WAIT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > patience:
                raise
            time.sleep(_MOMENT)
