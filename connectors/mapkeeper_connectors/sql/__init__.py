"""Databases: any that SQLAlchemy reaches by URL, and SQLite files by path.

SQLite is read in its own way (`mapkeeper_connectors.sql.sqlite`): nothing is written beside the file, no lock is held
between batches, a sample is drawn at random. Others are read as far as their dialect goes (``server``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mapkeeper.plugin import Asset, Batch, Connector, Fact, Gap, ReadPlan, Reason, SourceError, secret
from mapkeeper.readers.kinds import SQLITE

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["Sql"]

_SCHEME = re.compile(r"([a-z][a-z0-9_]*)(\+[a-z0-9_]+)?://", re.ASCII)
_NOT_OURS = frozenset({"file", "ftp", "gs", "http", "https", "s3"})


class _Store(Protocol):
    """How one kind of database is read; its methods are those of a connector."""

    def close(self) -> None: ...
    def survey(self) -> Iterator[Asset]: ...
    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None) -> Iterator[Batch | Gap]: ...
    def mark(self) -> str | None: ...
    def facts(self) -> Iterable[Fact]: ...


@dataclass
class Sql(Connector):
    """A database; ``url`` is a SQLAlchemy URL: ``sqlite:////srv/crm.db``, ``postgresql+psycopg://user@host/crm``."""

    url: str = secret()

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
        return url.set(query={}).render_as_string(hide_password=True)

    def open(self) -> None:
        """Connect, and look whether there is a database at all."""
        url = _parsed(self.url)
        if (path := _path(url)) is not None:
            from mapkeeper_connectors.sql.sqlite import Sqlite

            self._store = Sqlite(path)
        else:
            from mapkeeper_connectors.sql.server import Server

            self._store = Server(url, self.target)

    def close(self) -> None:
        """Disconnect."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def survey(self) -> Iterator[Asset]:
        """Every table and view, in order of name; those of a SQLite file with their rows counted."""
        return self._opened.survey()

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
        """Read a table or view; see the module of its kind for how a sample is drawn."""
        return self._opened.read(asset, plan, resume_from)

    def mark(self, asset: Asset) -> str | None:
        """What changes with the SQLite file; a server does not tell."""
        return self._opened.mark()

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """Who may read the SQLite file; a server's version."""
        return self._opened.facts()

    @property
    def _opened(self) -> _Store:
        if self._store is None:
            raise SourceError(Reason.UNREACHABLE, f"{self.target}: is not open; open it first")
        return self._store


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
        return make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number; its text would quote the URL
        raise SourceError(Reason.MISSING, "url is not a database URL; write dialect://user@host/database") from None


def _path(url: URL) -> Path | None:
    """The file of a SQLite URL, ``None`` for another database."""
    if url.get_backend_name() != "sqlite":
        return None
    database = (url.database or "").removeprefix("file:").partition("?")[0]
    if database in ("", ":memory:"):
        raise SourceError(Reason.MISSING, "url names no file; write sqlite:////path/to/file.db")
    return Path(database).absolute()
