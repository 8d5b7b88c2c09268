"""PostgreSQL: surveyed from its catalog, read in short read-only transactions, sampled at random.

An asset's OpenLineage id is namespace ``postgres://host:port`` and name ``database.schema.table``. A partitioned table
is one asset, with its partitions as objects; what inherits in the old way is an asset of its own. Proved on versions 15
and 18; before 14, whole tables are read by a cursor, and not gone on with after an interruption.

No table is read by a sequential scan but the one of a view, of a foreign table, of a table of which only some columns
may be read, and of one with row security: these are read from their start, and a sample of them is their head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import URL

from mapkeeper.plugin import Access, Asset, Batch, Fact, Gap, ReadPlan, Reason, SourceError, Store
from mapkeeper_connectors.sql.columns import BYTES
from mapkeeper_connectors.sql.connecting import Limits
from mapkeeper_connectors.sql.postgres import rights as granting
from mapkeeper_connectors.sql.postgres.facts import facts
from mapkeeper_connectors.sql.postgres.mark import Marks
from mapkeeper_connectors.sql.postgres.reading import Reading
from mapkeeper_connectors.sql.postgres.session import Session, meaning
from mapkeeper_connectors.sql.postgres.survey import survey


class Postgres:
    """A database, and one session with it while it is open."""

    def __init__(self, url: URL, target: str, limits: Limits) -> None:
        self._url = url
        self._target = target
        self._limits = limits
        self._session: Session | None = None
        self._marks: Marks | None = None

    def open(self) -> None:
        """Connect. Only psycopg will do, as rows are taken from it directly."""
        if self._url.get_driver_name() != "psycopg":
            says = f"{self._target}: PostgreSQL is read by the driver psycopg; write postgresql+psycopg:// in the URL"
            raise SourceError(Reason.UNSUPPORTED, says)
        self._session = Session(self._url, self._target, self._limits)
        self._marks = Marks(self._session)

    def close(self) -> None:
        """Disconnect."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def survey(self) -> Iterator[Asset]:
        """Tables, views, materialized views and foreign tables of every schema but the server's own."""
        with self._told():
            self._marks = Marks(self._opened, after_survey=True)
            yield from survey(self._opened, f"postgres://{granting.address(self._url)}")

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None) -> Iterator[Batch | Gap]:
        """Read a relation; one that can be read by blocks goes on where it stopped."""
        with self._told(asset):
            yield from Reading(self._opened, asset, plan).run(resume_from)

    def mark(self, asset: Asset) -> str | None:
        """What changes with the rows; see ``mark`` for when the server cannot tell."""
        assert self._marks is not None
        with self._told(asset):
            return self._marks.of(asset)

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """Who may read it, what it is made of, how the connection is kept, until when the server is mended."""
        with self._told(asset):
            return list(facts(self._opened, asset))

    def requests(self, asset: Asset, plan: ReadPlan) -> int:
        """About how many statements reading takes."""
        whole = 10 + (asset.bytes or 0) // BYTES
        return whole if plan.rows is None else min(whole, 10 + 2 * plan.rows // 1000)

    def check(self) -> Iterable[Access]:
        """What this user may read."""
        with self._told():
            return list(granting.check(self._opened))

    def rights(self) -> str:
        """Statements for the owner of the database."""
        return granting.rights(self._url)

    @property
    def name(self) -> str:
        """``postgresql://host:port/database``."""
        return granting.name(self._url)

    def stores(self) -> Iterable[Store]:
        """The databases of the server."""
        with self._told():
            return list(granting.stores(self._opened, self._url))

    @property
    def _opened(self) -> Session:
        assert self._session is not None
        return self._session

    @contextmanager
    def _told(self, asset: Asset | None = None) -> Iterator[None]:
        """What psycopg raises inside is told without its text."""
        try:
            yield
        except psycopg.Error as error:
            reason, says = meaning(error)
            about = "" if asset is None else f"{asset.name}: "
            raise SourceError(reason, f"{self._target}: {about}{says}") from None
