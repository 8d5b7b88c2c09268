"""One session with PostgreSQL: read only, with time-outs, its rows as they come, its errors told without their text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Buffer, Loader
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from mapkeeper.plugin import Reason, SourceError
from mapkeeper_connectors.sql.connecting import Limits, connect

LOCK_WAIT = 5.0
"""Seconds to wait for a lock that another session holds."""

IDLE = 600
"""Seconds after which the server may end a transaction in which we ask for nothing more."""

_SLACK = 5.0  # seconds that we wait longer than the server may work

Row = tuple[Any, ...]

_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}  # or a dead network is waited for

_SETTINGS = {
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": f"{IDLE}s",
    "jit": "off",
    "enable_seqscan": "off",  # places of rows are asked for, and their number makes the planner shy of them
    "max_parallel_workers_per_gather": "0",  # one connection, one process
    "DateStyle": "ISO, YMD",
    "TimeZone": "UTC",
}

_SET = """
SELECT pg_catalog.set_config(s.key, s.value, false) FROM pg_catalog.json_each_text(%s::pg_catalog.json) AS s
"""

_KNOWN = """
SELECT pg_catalog.current_database()::pg_catalog.text, pg_catalog.pg_is_in_recovery(),
    pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version'),
    pg_catalog.current_setting('server_encoding'), pg_catalog.current_setting('block_size'),
    pg_catalog.current_setting('track_counts')
"""

_AT_LOGIN: tuple[tuple[str, Reason, str], ...] = (
    (
        r"failed to resolve host|could not translate host name",
        Reason.UNREACHABLE,
        "no such host; check the host in the URL",
    ),
    (r"Connection refused", Reason.UNREACHABLE, "nothing answers at this address; check host and port"),
    (r"timeout expired|timed out", Reason.TIMEOUT, "gave no answer in time; check host, port and network"),
    (
        r"too many clients|too many connections|connection slots",
        Reason.UNREACHABLE,
        "all connections of the server are taken; scan later, or raise its max_connections",
    ),
    (
        r"authentication failed|no password supplied|no pg_hba.conf entry|pg_hba.conf rejects"
        r'|role ".*" (does not exist|is not permitted)|permission denied for database',
        Reason.DENIED,
        "refused this user, its password or its address; check user and password, and pg_hba.conf",
    ),
    (
        r'database ".*" (does not exist|is not currently accepting)',
        Reason.MISSING,
        "no such database; check the name at the end of the URL",
    ),
    (
        r"not support SSL|SSL error|SSL connection|certificate",
        Reason.UNREACHABLE,
        "no agreement about TLS; check sslmode and sslrootcert in the URL",
    ),
)
"""What libpq and the server say in English before there is a session; no code comes with it."""

_MEANINGS: tuple[tuple[str, Reason, str], ...] = (
    ("42501", Reason.DENIED, "may not be read; GRANT SELECT on it, and on what it reads, to this user"),
    ("42P01", Reason.CHANGED, "is no longer there; scan again"),
    ("3F000", Reason.CHANGED, "is no longer there; scan again"),
    ("42", Reason.CHANGED, "has other columns than before; scan again"),
    ("XX000", Reason.UNREADABLE, "cannot be read by the server; look at its log"),
    ("XX", Reason.UNREADABLE, "is damaged; run pg_amcheck on it"),
    ("22012", Reason.UNREADABLE, "divides by zero; mend its definition"),
    ("22", Reason.UNREADABLE, "fails on a value; mend its definition or that value"),
    ("55P03", Reason.TIMEOUT, "is locked by another session; scan again when that one has finished"),
    ("55000", Reason.UNREADABLE, "is not in a state to be read; REFRESH it if it is a materialized view"),
    (
        "57014",
        Reason.TIMEOUT,
        "took longer than statement_timeout, or was cancelled; raise it, or scan at a calmer time",
    ),
    ("57P", Reason.UNREACHABLE, "the server ended the connection; scan again"),
    ("25P03", Reason.UNREACHABLE, "the server ended the connection as idle; scan again"),
    ("08", Reason.UNREACHABLE, "the connection was lost; scan again"),
    ("40", Reason.UNREACHABLE, "the server gave way to others; scan again"),
    ("53", Reason.UNREACHABLE, "the server is out of memory, disk or connections; scan at a calmer time"),
    ("54", Reason.TOO_LARGE, "is too large or too deep for the server to show"),
    ("HV", Reason.UNREACHABLE, "its foreign server cannot be read; check the foreign server"),
)


class Session:
    """An open connection. What its methods raise is a `psycopg.Error`, which `meaning` explains, or `SourceError`."""

    def __init__(self, url: URL, target: str, limits: Limits) -> None:
        self._pace = limits.pace
        self.bad_texts = 0
        args: dict[str, Any] = {"application_name": "mapkeeper", "client_encoding": "utf8", **_ALIVE}
        args["prepare_threshold"] = None  # a pooler between us and the server would mix them up
        if "connect_timeout" not in url.query:
            args["connect_timeout"] = max(2, round(limits.connect_timeout))  # psycopg has no less
        self._engine, self._held = connect(url, target, _meaning_at_login, **args)
        driver: Any = self._held.connection.driver_connection
        self.raw: psycopg.Connection[Row] = driver
        self._wait_at_most(limits.statement_timeout + _SLACK)
        try:
            self.raw.autocommit = True
            wait = f"{round(min(LOCK_WAIT, limits.statement_timeout) * 1000)}ms"
            own = {"statement_timeout": f"{round(limits.statement_timeout * 1000)}ms", "lock_timeout": wait}
            self.rows(_SET, json.dumps(_SETTINGS | own))
            ((self.database, self.standby, version, self.version_text, encoding, size, counts),) = self.rows(_KNOWN)
        except psycopg.Error as error:
            self.close()
            reason, says = meaning(error)
            raise SourceError(reason, f"{target}: {says}") from None
        self.version = int(version)
        self.block_size = int(size)
        self.counts = counts == "on"
        self.reads_ranges = self.version >= 140000  # reads a range of blocks without looking at the others
        if encoding == "SQL_ASCII":  # nobody sees to it that texts are in any encoding
            self._read_any_text()

    def close(self) -> None:
        """Disconnect."""
        self._held.close()
        self._engine.dispose()

    def rows(self, query: str, *values: object) -> list[Row]:
        """All rows of a query that has few; ``%s`` stands for a value, where there are any."""
        self._pace.requests()
        return self.raw.execute(query.encode(), values or None).fetchall()

    def run(self, statement: str) -> None:
        """A statement that has no rows."""
        self._pace.requests()
        self.raw.execute(statement.encode())

    def stream(self, query: str, chunk: int) -> Iterator[list[Row]]:
        """The rows of a query as the server sends them, a chunk at a time; no more than that is in memory."""
        self._pace.requests()
        size = chunk if pq.version() >= 170000 else 1
        with self.raw.cursor() as cursor:
            rows: Any = cursor.stream(query.encode(), size=size)
            with closing(rows):
                while some := list(islice(rows, chunk)):
                    yield some

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several statements that see the same, planned in the server's usual way; nothing is left of it in the end."""
        self.raw.execute("BEGIN READ ONLY")
        try:
            self.raw.execute("SET LOCAL enable_seqscan = on")
            yield
        finally:
            if not self.raw.closed:
                self.raw.execute("ROLLBACK")

    def _wait_at_most(self, seconds: float) -> None:
        """Take a server for lost that says nothing for so long: psycopg would wait for it without end."""
        waited: Any = self.raw.wait

        def wait(*arguments: Any, **options: Any) -> Any:
            try:
                return waited(*arguments, **{**options, "timeout": seconds})
            except psycopg.OperationalError as error:
                if error.sqlstate is None:
                    self.raw.close()  # or psycopg would ask the server to cancel, and wait for that
                raise

        self.raw.wait = wait  # type: ignore[method-assign]

    def _read_any_text(self) -> None:
        session = self

        class AnyText(Loader):
            """Reads a text as UTF-8 as far as it is."""

            def load(self, data: Buffer) -> str:
                try:
                    return bytes(data).decode()
                except UnicodeDecodeError:
                    session.bad_texts += 1
                    return bytes(data).decode("utf-8", "replace")

        self.run("SET client_encoding TO 'SQL_ASCII'")  # or the server refuses to send what is not UTF-8
        for name in ("text", "varchar", "bpchar", "name", "tid"):
            self.raw.adapters.register_loader(name, AnyText)


def meaning(error: psycopg.Error) -> tuple[Reason, str]:
    """Why something could not be read, and what to do; never in the server's words."""
    code = error.sqlstate
    if code is None:
        return Reason.UNREACHABLE, "the connection was lost; scan again"
    for start, reason, says in _MEANINGS:
        if code.startswith(start):
            return reason, says
    return Reason.UNREADABLE, f"cannot be read (SQLSTATE {code})"


def _meaning_at_login(error: DBAPIError) -> tuple[Reason, str] | None:
    driver: Any = error.orig
    if isinstance(driver, psycopg.ProgrammingError) and driver.sqlstate is None:
        return Reason.UNSUPPORTED, "the URL has an option that libpq does not know; correct it"
    if driver.sqlstate is not None:
        return meaning(driver)
    text = str(driver)
    for words, reason, says in _AT_LOGIN:
        if re.search(words, text):
            return reason, says
    asked = driver.pgconn is not None and (driver.pgconn.needs_password or driver.pgconn.used_password)
    return (Reason.DENIED, "refused this user or password; check both") if asked else None
