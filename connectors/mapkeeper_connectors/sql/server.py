"""Databases behind a server, read as far as their SQLAlchemy dialect goes: the first rows of each table and view.

An asset's OpenLineage id is namespace ``scheme://host:port`` and name ``database.schema.table``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import URL, Connection, Engine, Select, inspect, literal_column, select, table
from sqlalchemy.exc import SQLAlchemyError

from mapkeeper.plugin import Access, Asset, Batch, Fact, Gap, Kind, ReadPlan, Reason, SourceError, Store
from mapkeeper_connectors.sql.columns import BYTES, ROWS, cut, cut_cells, record_batch, size
from mapkeeper_connectors.sql.connecting import Limits, connect

_SYSTEM = frozenset({"information_schema", "mysql", "performance_schema", "pg_catalog", "sys"})


class Server:
    """A database, and one connection to it while it is open."""

    name = None  # other databases of the server are not listed

    def __init__(self, url: URL, target: str, limits: Limits) -> None:
        self._url = url
        self._target = target
        self._pace = limits.pace
        self._opened: tuple[Engine, Connection] | None = None

    def open(self) -> None:
        """Connect; how long that may take is for the driver to say."""
        self._opened = connect(self._url, self._target, lambda _: None)

    def close(self) -> None:
        """Disconnect."""
        if self._opened is not None:
            engine, connection = self._opened
            connection.close()
            engine.dispose()

    def survey(self) -> Iterator[Asset]:
        """Tables and views of every schema but the server's own."""
        try:
            yield from self._listed()
        except SQLAlchemyError as error:
            raise self._refuse(Reason.DENIED, f"the tables cannot be listed ({type(error).__name__})") from None

    def _listed(self) -> Iterator[Asset]:
        names = inspect(self._connection)
        url = self._url
        namespace = f"{url.get_backend_name()}://{url.host or ''}" + (f":{url.port}" if url.port else "")
        for schema in sorted(names.get_schema_names()):
            if schema in _SYSTEM:
                continue
            kinds = dict.fromkeys(names.get_table_names(schema), Kind.TABLE)
            kinds |= dict.fromkeys(names.get_view_names(schema), Kind.VIEW)
            for name, kind in sorted(kinds.items()):
                full = f"{schema}.{name}"
                yield Asset(full, kind, namespace, f"{url.database or ''}.{full}", handle=(schema, name))

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None) -> Iterator[Batch | Gap]:
        """Read from the start; there is no going on from the middle, as nothing orders the rows."""
        try:
            yield from self._read(asset, plan)
        except SQLAlchemyError as error:
            says = f"{asset.name}: cannot be read ({type(error).__name__}); check the right to SELECT"
            raise self._refuse(Reason.UNREADABLE, says) from None

    def _read(self, asset: Asset, plan: ReadPlan) -> Iterator[Batch | Gap]:
        schema, name = asset.handle if isinstance(asset.handle, tuple) else (None, asset.name)
        query: Select[Any] = select(literal_column("*")).select_from(table(name, schema=schema))
        if plan.rows is not None:
            query = query.limit(plan.rows + 1)  # one more tells whether there are more
        rows: list[tuple[Any, ...]] = []
        done = held = too_long = bytes_read = 0
        more, method = False, "all" if plan.rows is None and plan.bytes is None else "head"
        self._pace.requests()
        with self._connection.execution_options(stream_results=True, max_row_buffer=100).execute(query) as result:
            names = list(result.keys())
            types = [pa.string()] * len(names)
            for row in result:
                if done + len(rows) == plan.rows or (plan.bytes is not None and bytes_read >= plan.bytes):
                    more = True
                    break
                cells, long = cut(row)
                too_long += long
                rows.append(cells)
                held += size([cells])
                bytes_read += size([cells])
                if len(rows) >= ROWS or held >= BYTES:
                    yield Batch(record_batch(names, types, rows), method, bytes=held, first=done + 1)
                    done, rows, held = done + len(rows), [], 0
        if rows or not done:
            yield Batch(record_batch(names, types, rows), method, bytes=held, first=done + 1)
        if more:
            yield Gap(Reason.BUDGET, 1, "table read from its start only; its other rows were left out")
        if too_long:
            yield cut_cells(too_long)

    def mark(self, asset: Asset) -> str | None:
        """A server does not tell."""
        return None

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """The version of the server."""
        version = self._connection.dialect.server_version_info
        yield Fact("version", None if version is None else ".".join(map(str, version)), "api")

    def requests(self, asset: Asset, plan: ReadPlan) -> int:
        """One statement reads an asset."""
        return 1

    def check(self) -> Iterable[Access]:
        """Whether the tables can be listed; whether they can be read only reading tells."""
        try:
            found = sum(1 for _ in self._listed())
        except SQLAlchemyError as error:
            yield Access("the catalog", False, f"the tables cannot be listed ({type(error).__name__})")
            return
        yield Access("the catalog", True, f"{found:,} tables and views listed")
        yield Access("SELECT on each of them", None, "only reading tells")

    def rights(self) -> str | None:
        """What is granted how differs by dialect."""
        return None

    def stores(self) -> Iterable[Store]:
        """The server's other databases are not listed."""
        return ()

    @property
    def _connection(self) -> Connection:
        assert self._opened is not None
        return self._opened[1]

    def _refuse(self, reason: Reason, says: str) -> SourceError:
        return SourceError(reason, f"{self._target}: {says}")
