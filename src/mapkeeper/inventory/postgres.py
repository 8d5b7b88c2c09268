"""An inventory on a PostgreSQL server: one schema of one database, written by one process at a time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from mapkeeper.errors import InventoryError
from mapkeeper.inventory import database
from mapkeeper.inventory.database import DAMAGED, DOES_NOT_FIT, LACKS_TABLES, LOCKED, TOO_LARGE, Database, json_text

OLDEST = 14
"""The oldest major version that is supported: the oldest that the PostgreSQL project itself maintains in 2026."""

_CONNECTING = {"connect_timeout": 10, "tcp_user_timeout": 60_000, "application_name": "mapkeeper"}
"""What libpq is told where the URL does not: seconds, milliseconds (a server that vanished is noticed), a name."""

_IDLE = 60
"""Seconds after which the server ends a write that stands still: its process may lie on a host that vanished."""

# Only the first schema of the search path is ours. What lies in the others is neither seen nor touched.
_OURS = "SELECT set_config('search_path', quote_ident(current_schema()), true)"

_READ = f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; {_OURS}"

# Each statement sees what was committed before it, and only who holds the lock commits.
_WRITE = (
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
    " SET LOCAL lock_timeout = {wait}; SET LOCAL idle_in_transaction_session_timeout = {idle};"
    f" {_OURS}; SELECT pg_advisory_xact_lock(hashtextextended('mapkeeper ' || current_schema(), 0))"
)

_CLOSED = "closed the connection; see that the server runs, then try again"
_STRANGER = "refuses this user or its password; correct them in [inventory] url"
_NO_DATABASE = "does not exist; make the database with `createdb`, or name another in [inventory] url"
_BUSY = "has no connection left; try again, or raise max_connections of the server"

_MEANINGS = {
    "08": _CLOSED,
    "22": f"refused; {DOES_NOT_FIT}",
    "25006": "cannot be written: the server is read-only; name one that takes writes in [inventory] url",
    "25P03": "ended a write that stood still for a minute; try again",
    "28": _STRANGER,
    "3D000": _NO_DATABASE,
    "3F000": "has no schema that this user may use; make one, or correct search_path in [inventory] url",
    "40": "was interrupted by the server; try again",
    "42501": "refuses it to this user; grant USAGE and CREATE on its schema and all rights on its tables and sequences",
    "42703": LACKS_TABLES,
    "42P01": LACKS_TABLES,
    "53": "has no memory or disk left for it; see to the server, then try again",
    "53100": "cannot grow: the disk of the server is full; make room and try again",
    "53300": _BUSY,
    "54": TOO_LARGE,
    "55P03": LOCKED,
    "57014": "took longer than statement_timeout allows; raise it for this user",
    "57P": "is starting or stopping; try again when the server runs",
    "58": "cannot be read or written: the server's disk reports an error; check it and restore a backup if needed",
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
"""SQLSTATEs, or how they begin, and what each comes to: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

_WITHOUT_STATE = (
    (r'database ".*" does not exist', _NO_DATABASE),
    (r'password|authentication|role ".*" does not exist|pg_hba|not permitted to log in', _STRANGER),
    (r"resolve host|translate host", "cannot be reached: no such host; correct it in [inventory] url"),
    (r"certificate|\bSSL\b|\bTLS\b", "cannot be reached by TLS; check sslmode and sslrootcert in [inventory] url"),
    (r"too many (clients|connections)|connection slots", _BUSY),
    (r"starting up|shutting down|not accepting connections", "is starting or stopping; try again when the server runs"),
    (r"URI query parameter|connection option", "is told an option that PostgreSQL lacks; correct [inventory] url"),
    (
        r"unrecognized configuration parameter|invalid value for parameter",
        "is told an unknown option in [inventory] url",
    ),
    (r"connection failed|timeout expired", "cannot be reached; see that the server runs, and check host and port"),
    (r"closed|lost|consuming input|could not (send|receive)|terminat", _CLOSED),
)
"""What libpq says, which has no SQLSTATE for a connection that fails, and what it comes to; never quoted."""


class Postgres(Database):
    """One schema of one database: the first of the search path, which the URL may set as libpq's ``options``."""

    def __init__(self, url: URL) -> None:
        self._url = url
        shown = URL.create("postgresql", username=url.username, host=url.host, port=url.port, database=url.database)
        try:
            engine = create_engine(
                url.set(drivername="postgresql+psycopg"),
                hide_parameters=True,  # or errors would quote what was to be written
                pool_pre_ping=True,  # the server may have been started anew since
                connect_args={name: value for name, value in _CONNECTING.items() if name not in url.query},
                json_serializer=json_text,
            )
        except ImportError:
            raise InventoryError(
                "[inventory] url: PostgreSQL needs a driver; install it with pip install 'mapkeeper[postgres]'"
            ) from None
        super().__init__(shown.render_as_string(), engine)
        event.listen(engine, "connect", self._check)

    def _check(self, connection: Any, _record: object) -> None:
        """Refuse a server that is too old, and a database that cannot hold every text."""
        version, encoding = connection.info.server_version, connection.info.parameter_status("server_encoding")
        if version < OLDEST * 10_000:
            raise self.refuse(f"is PostgreSQL {version // 10_000}; {OLDEST} or later is needed")
        if encoding != "UTF8":
            raise self.refuse(f"is encoded in {encoding}; make a database with ENCODING 'UTF8'")

    def _read(self, connection: Connection) -> None:
        connection.exec_driver_sql(_READ)

    def _write(self, connection: Connection) -> None:
        connection.exec_driver_sql(_WRITE.format(wait=round(database.WAIT * 1000), idle=round(_IDLE * 1000)))

    def _meaning(self, error: DBAPIError) -> str | None:
        if (state := getattr(error.orig, "sqlstate", None)) is None:
            said = str(error.orig)
            return next((says for words, says in _WITHOUT_STATE if re.search(words, said)), None)
        beginnings = (state[:length] for length in (5, 3, 2))
        meaning = next((_MEANINGS[begin] for begin in beginnings if begin in _MEANINGS), None)
        return meaning or f"refused ({type(error).__name__} {state})"

    def copy(self, target: Path) -> None:
        """Say what writes a copy: PostgreSQL's own tool."""
        at = [("--host", self._url.host), ("--port", self._url.port), ("--username", self._url.username)]
        where = "".join(f"{option} {value} " for option, value in at if value is not None)
        dump = f"pg_dump {where}--format custom --file {target} {self._url.database}"
        raise self.refuse(f"PostgreSQL backs it up itself; run `{dump}`")
