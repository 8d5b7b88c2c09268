"""MariaDB and MySQL servers, by PyMySQL: listed from the catalog, read in short read-only transactions.

An asset's OpenLineage id is namespace ``mysql://host:port`` and name ``database.table``. The assets of a URL with a
database are those of it; of one without, those of every database but the server's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import ceil

import pymysql
from sqlalchemy import URL

from mapkeeper.plugin import Access, Asset, Batch, Fact, Gap, ReadPlan, Reason, SourceError, Store
from mapkeeper_connectors.sql.columns import BYTES, ROWS
from mapkeeper_connectors.sql.connecting import Limits
from mapkeeper_connectors.sql.mariadb import facts as telling
from mapkeeper_connectors.sql.mariadb import marks
from mapkeeper_connectors.sql.mariadb import rights as granting
from mapkeeper_connectors.sql.mariadb.catalog import Catalog, Relation
from mapkeeper_connectors.sql.mariadb.reading import Reading
from mapkeeper_connectors.sql.mariadb.session import Session

_PORT = 3306
_SCHEME = "mysql+pymysql"
_ASKED = 12  # statements before the first row
_DRAWN = 500  # rows of a sample that one statement fetches


class MariaDb:
    """A database of a server, or all of its databases, and one connection while it is open."""

    def __init__(self, url: URL, target: str, limits: Limits) -> None:
        self._url = url
        self._target = target
        self._server = f"mysql://{url.host or 'localhost'}:{url.port or _PORT}"
        self._session = Session(url, target, limits)
        self._catalog = Catalog(self._session, url.database or None, self._server)

    def open(self) -> None:
        """Connect.

        Raises:
            SourceError: ``unsupported`` for another driver than PyMySQL; ``unreachable``, ``timeout``, ``denied``,
                ``missing`` as the server answers.
        """
        if self._url.get_driver_name() != "pymysql":
            says = f"{self._url.drivername} is a driver that is not supported; write {_SCHEME}:// in the URL"
            raise SourceError(Reason.UNSUPPORTED, f"{self._target}: {says}")
        self._session.open()
        with self._refusing():
            ((database,),) = self._session.select("SELECT DATABASE()")
        self._catalog = Catalog(self._session, database, self._server)  # as the server spells it

    def close(self) -> None:
        """Disconnect."""
        self._session.close()

    def survey(self) -> Iterator[Asset]:
        """Tables and views in order of name; rows and bytes are the server's estimates."""
        with self._refusing():
            yield from self._catalog.assets()

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None) -> Iterator[Batch | Gap]:
        """Read a table or view; ``resume_from`` says how far it was read, and by which key."""
        with self._refusing(asset.name):
            yield from Reading(self._session, self._catalog, asset, plan).run(resume_from)

    def mark(self, asset: Asset) -> str | None:
        """When the table last changed, as far as the server can tell; see `mapkeeper_connectors.sql.mariadb.marks`."""
        with self._refusing(asset.name):
            return marks.mark(self._session, self._catalog, _relation(asset))

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """Readers, keys, engine, encryption, versions; the definition of a view."""
        with self._refusing(asset.name):
            return list(telling.facts(self._session, self._catalog, _relation(asset)))

    def requests(self, asset: Asset, plan: ReadPlan) -> int:
        """About how many statements reading takes."""
        rows = asset.rows or 0
        if plan.rows is not None and plan.rows < rows:
            return _ASKED + ceil(plan.rows / _DRAWN)
        return _ASKED + ceil(max(rows / ROWS, (asset.bytes or 0) / BYTES))

    def check(self) -> Iterable[Access]:
        """Whether this account may read each table, and see the definitions of views."""
        with self._refusing():
            return list(granting.check(self._session, self._catalog))

    def rights(self) -> str:
        """The statements that make an account which can read and no more."""
        return granting.rights(self._url.database or None, self._url.username)

    @property
    def name(self) -> str:
        """``mysql://host:port/database``, or without database the server."""
        return f"{self._server}/{self._url.database}" if self._url.database else self._server

    def stores(self) -> Iterable[Store]:
        """The databases that this account sees, without the server's own."""
        with self._refusing():
            databases = self._catalog.databases()
        user = self._url.username
        return [
            Store(
                f"{self._server}/{database}",
                {
                    "connector": "sql",
                    "url": URL.create(_SCHEME, user, None, self._url.host, self._url.port, database).render_as_string(),
                },
                "database",
            )
            for database in databases
        ]

    @contextmanager
    def _refusing(self, name: str | None = None) -> Iterator[None]:
        try:
            yield
        except pymysql.Error as error:
            raise self._session.refused(error, name) from None


def _relation(asset: Asset) -> Relation:
    assert isinstance(asset.handle, Relation)
    return asset.handle
