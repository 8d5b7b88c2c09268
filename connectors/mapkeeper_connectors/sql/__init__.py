"""Databases: any that SQLAlchemy reaches by URL, and SQLite files by path.

SQLite, PostgreSQL and MariaDB (with MySQL) are read in ways of their own: a sample is drawn at random, nothing is
written, no lock is held for long. Others are read as far as their SQLAlchemy dialect goes. Each worker of a scan has
one connection to a server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mapkeeper.plugin import Access, Asset, Batch, Connector, Fact, Gap, ReadPlan, Reason, SourceError, Store, secret
from mapkeeper.readers.kinds import SQLITE

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["Sql"]

_SCHEME = re.compile(r"([a-z][a-z0-9_]*)(\+[a-z0-9_]+)?://", re.ASCII)
_NOT_OURS = frozenset({"file", "ftp", "gs", "http", "https", "s3"})
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""The driver where a URL names none."""


class _Store(Protocol):
    """How one kind of database is read. Its methods are those of a connector; ``name`` is a connector's ``store``."""

    def open(self) -> None: ...
    def close(self) -> None: ...
    def survey(self) -> Iterator[Asset]: ...
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None) -> Iterator[Batch | Gap]: ...
    def mark(self, asset: Asset) -> str | None: ...
    def facts(self, asset: Asset) -> Iterable[Fact]: ...
    def requests(self, asset: Asset, plan: ReadPlan) -> int | None: ...
    def check(self) -> Iterable[Access]: ...
    def rights(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    def stores(self) -> Iterable[Store]: ...


@dataclass
class Sql(Connector):
    """A database; ``url`` is a SQLAlchemy URL: ``sqlite:////srv/crm.db``, ``postgresql+psycopg://user@host/crm``.

    - Nothing is written: sessions and transactions are read-only. Each worker of a scan has one connection.
    - Of a table that is larger than the sample, rows are drawn at random; of a view, the first ones are read.
    - A long reading of a table is done piece by piece, so that it holds no lock, and goes on where it was interrupted.
    - Rows, sizes, owners, rights, keys, comments and the SQL of views are the server's own word; rows and sizes are as
      of its last statistics.
    - A PostgreSQL table with its partitions is one asset. Where row security hides rows, or SELECT is granted on some
      columns only, the first rows that may be seen are the sample.
    - A database of another kind is read from the start of each table, as far as its SQLAlchemy dialect goes.
    """

    url: str = secret()
    statement_timeout: float = 60.0  # seconds that a server may take for one statement; else a gap ``timeout``
    connect_timeout: float = 10.0  # seconds that a server may take to let us in

    def __post_init__(self) -> None:
        self._store: _Store | None = None

    @classmethod
    def settings_for(cls, target: str) -> Mapping[str, Any] | None:
        """A URL of a dialect that SQLAlchemy knows, or the path of a SQLite file."""
        if found := _SCHEME.match(target):
            return {"url": target} if found[1] not in _NOT_OURS and _is_dialect(target) else None
        path = Path(target)
        try:
            with path.open("rb") as file:
                magic = file.read(len(SQLITE))
        except (OSError, ValueError):  # ValueError: a NUL in the path
            return None
        return {"url": f"sqlite:///{path.absolute()}"} if magic == SQLITE else None

    @classmethod
    def within(cls, folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """A relative path in a SQLite URL starts at the folder of the workspace."""
        url = str(settings.get("url", ""))
        scheme, _, path = url.partition(":///")
        if not scheme.startswith("sqlite") or path[:1] in ("", "/", ":") or path.startswith("file:"):
            return settings
        return {**settings, "url": f"{scheme}:///{folder.absolute() / path}"}

    @property
    def target(self) -> str:
        """The path of a SQLite file; else the URL without password and options."""
        url = _parsed(self.url)
        if (path := _path(url)) is not None:
            return str(path)
        from sqlalchemy import URL

        shown = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
        return shown.render_as_string()

    def open(self) -> None:
        """Connect, and look whether there is a database at all."""
        self._store = self._reached()
        self._store.open()

    def close(self) -> None:
        """Disconnect."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def survey(self) -> Iterator[Asset]:
        """Every table and view, in order of name, with what the database knows of its size."""
        return self._opened.survey()

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        """Read a table or view; see the module of its kind for how a sample is drawn."""
        return self._opened.read(asset, plan, resume_from)

    def mark(self, asset: Asset) -> str | None:
        """What changes with the SQLite file, or with the table as far as the server counts its changes."""
        return self._opened.mark(asset)

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """Who may read it, how the connection is kept, and what the server says of itself."""
        return self._opened.facts(asset)

    def requests(self, asset: Asset, plan: ReadPlan) -> int | None:
        """About how many statements reading will take; ``None`` where no server is asked."""
        return self._opened.requests(asset, plan)

    def check(self) -> Iterable[Access]:
        """What this user may do at the server."""
        return self._opened.check()

    def rights(self) -> str | None:
        """The statements that let a user read and no more."""
        return self._reached().rights()

    @property
    def store(self) -> str | None:
        """The database of a server: ``postgresql://host:port/database``."""
        return self._reached().name

    def stores(self) -> Iterable[Store]:
        """The databases of the server."""
        return self._opened.stores()

    @property
    def _opened(self) -> _Store:
        if self._store is None:
            raise SourceError(Reason.UNREACHABLE, f"{self.target}: is not open; open it first")
        return self._store

    def _reached(self) -> _Store:
        """The store as its kind is read, not open."""
        url = _parsed(self.url)
        if (path := _path(url)) is not None:
            from mapkeeper_connectors.sql.sqlite import Sqlite

            return Sqlite(path)
        from mapkeeper_connectors.sql.connecting import Limits

        limits = Limits(self.connect_timeout, self.statement_timeout, self.pace)
        match url.get_backend_name():
            case "postgresql":
                from mapkeeper_connectors.sql.postgres import Postgres

                return Postgres(url, self.target, limits)
            case "mysql" | "mariadb":
                from mapkeeper_connectors.sql.mariadb import MariaDb

                return MariaDb(url, self.target, limits)
            case _:
                from mapkeeper_connectors.sql.server import Server

                return Server(url, self.target, limits)


def _is_dialect(target: str) -> bool:
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        _parsed(target).get_dialect()
    except (ArgumentError, NoSuchModuleError, SourceError):
        return False
    return True


def _parsed(url: str) -> URL:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number; its text would quote the URL
        raise SourceError(Reason.MISSING, "url is not a database URL; write dialect://user@host/database") from None
    if "@" in (parsed.host or ""):  # what stands before it is the end of a password
        raise SourceError(Reason.MISSING, "url has more than one '@'; write %40 for those in user and password")
    return parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))


def _path(url: URL) -> Path | None:
    """The file of a SQLite URL, ``None`` for another database."""
    if url.get_backend_name() != "sqlite":
        return None
    database = (url.database or "").removeprefix("file:").partition("?")[0]
    if database in ("", ":memory:"):
        raise SourceError(Reason.MISSING, "url names no file; write sqlite:////path/to/file.db")
    return Path(database).absolute()
