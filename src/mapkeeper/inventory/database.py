"""The database under the inventory, whatever it is: shared politely, its errors told in one line.

How each kind of database does that is in `sqlite_file` and `postgres`; `opening` chooses by the URL.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from mapkeeper.errors import InventoryError

WAIT = 30.0
"""Seconds that one writer waits for another."""

LOCKED = "is locked by another process; try again when that one has finished"
LACKS_TABLES = "lacks tables that are needed; run `mapkeeper db upgrade`"
DAMAGED = "is damaged; restore a backup"
TOO_LARGE = "does not take a text of this size"
DOES_NOT_FIT = "a figure or text does not fit"


class Database(ABC):
    """One database and the ways to use it: ``reading()``, ``writing()`` and ``altering()``.

    What goes wrong in any of them is an `InventoryError`.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name  # as people know it, without secrets
        self._engine = engine

    def refuse(self, what: str) -> InventoryError:
        """An error that names this inventory."""
        return _refusal(self.name, what)

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection whose reads all see one moment."""
        return self._transaction(self._read)

    def writing(self) -> AbstractContextManager[Connection]:
        """A connection that holds the write lock from the start; committed as a whole or not at all."""
        return self._transaction(self._write)

    def altering(self) -> AbstractContextManager[Connection]:
        """As ``writing()``, to make and alter tables."""
        return self._transaction(self._write)

    @abstractmethod
    def copy(self, target: Path) -> None:
        """Write a consistent copy, also while others write; never over another file."""

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, begin: Callable[[Connection], None]) -> Iterator[Connection]:
        with self._told(), self._engine.connect() as connection, connection.begin():
            begin(connection)
            yield connection

    @abstractmethod
    def _read(self, connection: Connection) -> None:
        """Begin to read."""

    @abstractmethod
    def _write(self, connection: Connection) -> None:
        """Begin to write, alone."""

    @abstractmethod
    def _meaning(self, error: DBAPIError) -> str | None:
        """What the driver's error comes to, with the remedy; ``None``: nothing that is known."""

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self.refuse(self._meaning(error) or f"refused ({type(error).__name__})") from None
        except (SQLAlchemyError, OverflowError, UnicodeError) as error:
            raise self.refuse(f"refused ({type(error).__name__}); {DOES_NOT_FIT}") from None


def _refusal(name: str, what: str) -> InventoryError:
    return InventoryError(f"inventory {name}: {what}")


def json_text(value: object) -> str:
    """A value as JSON columns hold it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def plain(text: str) -> str:
    """A text as every database takes it: NUL and lone surrogates, as in names that are not UTF-8, are spelt out."""
    if _UNSTORABLE.search(text):
        return _UNSTORABLE.sub(lambda found: rf"\u{ord(found.group()):04x}", text)
    return text
