"""A session with a MariaDB or MySQL server that can only read, within limits of time, and survives a lost stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pymysql
from pymysql.constants import CR, ER
from pymysql.cursors import DictCursor, SSCursor
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from mapkeeper.plugin import Reason, SourceError
from mapkeeper_connectors.sql.columns import BYTES, ROWS
from mapkeeper_connectors.sql.connecting import Limits, connect

Row = tuple[bytes | None, ...]
"""A row as the server spells it: numbers and days in digits, text in UTF-8."""

LOCK_WAIT = 5
"""Seconds to wait for a lock, such as that of an ALTER TABLE."""

_SLACK = 5  # seconds that the driver waits longer than the server works
_SEND = 3600  # seconds that the server waits for us to take what it sends

_LOST = "the connection was lost; scan again, reading goes on from there"
_SLOW = "the server does not answer in time; look at its load, or raise the time-out"
_LOGIN = "the login is refused; check user, password, and the hosts from which the server lets the user in"
_RIGHT = "may not be read; grant SELECT on it"
_GONE = "is not there; check the name, or scan again"
_CHANGED = "was altered while it was read; scan again"
_FULL = "the server lets no more connections in; allow this user more of them, or use fewer workers"
_LONG = "takes longer than one statement may; raise statement_timeout"
_LOCKED = "is locked by somebody else; scan again later"
_BROKEN_VIEW = "the view refers to something that is not there, or that its definer may not read"
_WRONG_VIEW = "the view cannot be computed for some row"
_DAMAGED = "is damaged or lacks its file; check it with CHECK TABLE"

_MEANINGS: dict[int, tuple[Reason, str]] = {
    ER.ACCESS_DENIED_ERROR: (Reason.DENIED, _LOGIN),
    1698: (Reason.DENIED, _LOGIN),  # no password
    ER.HOST_NOT_PRIVILEGED: (Reason.DENIED, _LOGIN),
    ER.HOST_IS_BLOCKED: (Reason.DENIED, _LOGIN),
    ER.DBACCESS_DENIED_ERROR: (Reason.DENIED, "the database may not be read; grant SELECT on it"),
    ER.TABLEACCESS_DENIED_ERROR: (Reason.DENIED, _RIGHT),
    ER.COLUMNACCESS_DENIED_ERROR: (Reason.DENIED, _RIGHT),
    ER.SPECIFIC_ACCESS_DENIED_ERROR: (Reason.DENIED, _RIGHT),
    ER.PROCACCESS_DENIED_ERROR: (Reason.DENIED, "calls a function that may not be executed; grant EXECUTE on it"),
    ER.BAD_DB_ERROR: (Reason.MISSING, "there is no such database; check the name"),
    ER.NO_SUCH_TABLE: (Reason.MISSING, _GONE),
    ER.BAD_TABLE_ERROR: (Reason.MISSING, _GONE),
    ER.BAD_FIELD_ERROR: (Reason.CHANGED, _CHANGED),
    ER.TABLE_DEF_CHANGED: (Reason.CHANGED, _CHANGED),
    ER.KEY_DOES_NOT_EXITS: (Reason.CHANGED, _CHANGED),
    ER.VIEW_INVALID: (Reason.UNREADABLE, _BROKEN_VIEW),
    ER.NO_SUCH_USER: (Reason.UNREADABLE, _BROKEN_VIEW),
    ER.SUBQUERY_NO_1_ROW: (Reason.UNREADABLE, _WRONG_VIEW),
    ER.DIVISION_BY_ZERO: (Reason.UNREADABLE, _WRONG_VIEW),
    1690: (Reason.UNREADABLE, _WRONG_VIEW),  # a number out of range
    ER.CRASHED_ON_USAGE: (Reason.UNREADABLE, _DAMAGED),
    ER.NOT_KEYFILE: (Reason.UNREADABLE, _DAMAGED),
    1712: (Reason.UNREADABLE, _DAMAGED),  # an index is corrupt
    1932: (Reason.UNREADABLE, _DAMAGED),  # not in its engine
    1969: (Reason.TIMEOUT, _LONG),  # MariaDB's max_statement_time
    3024: (Reason.TIMEOUT, _LONG),  # MySQL's max_execution_time
    ER.LOCK_WAIT_TIMEOUT: (Reason.TIMEOUT, _LOCKED),
    ER.LOCK_DEADLOCK: (Reason.UNREACHABLE, _LOCKED),
    ER.CON_COUNT_ERROR: (Reason.UNREACHABLE, _FULL),
    ER.TOO_MANY_USER_CONNECTIONS: (Reason.UNREACHABLE, _FULL),
    ER.USER_LIMIT_REACHED: (Reason.UNREACHABLE, _FULL),
    ER.QUERY_INTERRUPTED: (Reason.UNREACHABLE, "somebody stopped the statement at the server; scan again"),
    ER.SERVER_SHUTDOWN: (Reason.UNREACHABLE, _LOST),
    1927: (Reason.UNREACHABLE, _LOST),  # somebody killed the connection
    0: (Reason.UNREACHABLE, _LOST),  # the driver found its connection closed
    CR.CR_SERVER_GONE_ERROR: (Reason.UNREACHABLE, _LOST),
    CR.CR_SERVER_LOST: (Reason.UNREACHABLE, _LOST),
    CR.CR_CONN_HOST_ERROR: (Reason.UNREACHABLE, "no server answers there; check host and port"),
}

_UNKNOWN_VARIABLE = 1193


class Session:
    """One connection, made anew where a stream was left before its end."""

    def __init__(self, url: URL, target: str, limits: Limits) -> None:
        self._url = url.set(drivername="mysql+pymysql")
        self._target = target
        self._limits = limits
        self._opened: tuple[Engine, Connection] | None = None
        self.mariadb = True
        self.version: tuple[int, ...] = ()
        self._known: int | None = None  # the number of this connection, by the server's own word

    def open(self) -> None:
        """Connect, and forbid this session to write."""
        self._opened = self._connect()
        try:
            self._settle()
        except pymysql.Error as error:
            self.close()
            raise self.refused(error) from None

    def close(self) -> None:
        """Disconnect."""
        if self._opened is not None:
            engine, connection = self._opened
            self._opened = None
            with suppress(DBAPIError, pymysql.Error):
                connection.close()
            engine.dispose()

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a small answer, as Python values; for catalogs, not for contents.

        Raises:
            pymysql.Error: see `refused`.
        """
        self._limits.pace.requests()
        with self._driver.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def named(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """The same by name of column, in capitals, as servers differ in which they have."""
        self._limits.pace.requests()
        with self._driver.cursor(DictCursor) as cursor:
            cursor.execute(sql, values)
            return [{name.upper(): cell for name, cell in row.items()} for row in cursor.fetchall()]

    def stream(
        self, sql: str, values: Sequence[object] = (), *, at_once: int = 1, endless: bool = False
    ) -> Iterator[list[Row]]:
        """Rows of contents, never more than `ROWS` or about `BYTES` at a time.

        Args:
            sql: A SELECT.
            values: Of its places.
            at_once: How many rows memory bears, should each be as large as can be.
            endless: It may take longer than one statement, as long as rows keep coming in that time.

        Raises:
            pymysql.Error: see `refused`.
        """
        self._limits.pace.requests()
        if endless:
            sql = f"SET STATEMENT max_statement_time = 0 FOR {sql}" if self.mariadb else _unhurried(sql)
        thread = self._thread
        rows: list[Row] = []
        held, done, lost = 0, False, False
        cursor = SSCursor(self._driver)
        try:
            self._start(cursor, sql, values, endless=endless)
            while few := cursor.fetchmany(at_once):
                rows += few
                held += size(few)
                if len(rows) >= ROWS or held >= BYTES:
                    yield rows
                    rows, held = [], 0
            done = True
        except pymysql.Error as error:
            known = meaning(error)
            lost = known is None or known[0] is not Reason.TIMEOUT
            raise
        finally:
            if not done:
                self._leave(cursor)
            if endless and thread is not None and not (done or lost):
                self._stop(thread)
        if rows:
            yield rows

    def refused(self, error: BaseException, name: str | None = None) -> SourceError:
        """What a driver's error means for the whole server or for the asset of this name; without the error's text."""
        reason, says = meaning(error) or (Reason.UNREADABLE, f"cannot be read (error {_code(error)} of the server)")
        return self.refusal(reason, says, name)

    def refusal(self, reason: Reason, says: str, name: str | None = None) -> SourceError:
        """What is wrong with the whole server or with the asset of this name, and where."""
        return SourceError(reason, f"{self._target}: {'' if name is None else f'{name}: '}{says}")

    @property
    def _driver(self) -> Any:
        if self._opened is None:
            self.open()
        assert self._opened is not None
        return self._opened[1].connection.dbapi_connection

    @property
    def _thread(self) -> int | None:
        """The number by which the server can be asked to stop our statement; ``None``: it may be somebody else's.

        A proxy greets with a number of its own.
        """
        number: int = self._driver.thread_id()
        return number if number == self._known else None

    def _start(self, cursor: SSCursor, sql: str, values: Sequence[object], *, endless: bool) -> None:
        """Start a stream whose cells stay bytes: Arrow reads them faster, and a text that is no UTF-8 is no error."""
        driver = self._driver
        kept = driver.use_unicode, driver.decoders
        driver.use_unicode, driver.decoders = False, {}
        # One time-out is all that the driver has, for the greeting of a server and for its work, set when it connects.
        driver._read_timeout = self._limits.statement_timeout + (0 if endless else _SLACK)
        try:
            cursor.execute(sql, values)
        finally:
            driver.use_unicode, driver.decoders = kept

    def _leave(self, cursor: Any) -> None:
        """Leave a stream before its end: a new connection costs less than to take all that the server still sends."""
        result, cursor.connection = cursor._result, None  # or it would be read to its end when it is forgotten
        if result is not None:
            result.unbuffered_active = False
        self.close()

    def _connect(self) -> tuple[Engine, Connection]:
        wait = self._limits.connect_timeout
        return connect(
            self._url,
            self._target,
            lambda error: meaning(error.orig),
            charset="utf8mb4",
            connect_timeout=max(1, round(wait)),
            read_timeout=wait,
            write_timeout=wait,
            autocommit=True,
        )

    def _stop(self, thread: int) -> None:
        """Let the server give up what it computes for a stream of ours that nobody reads any more."""
        with suppress(SourceError, DBAPIError, pymysql.Error):
            engine, connection = self._connect()
            try:
                connection.exec_driver_sql(f"KILL QUERY {thread}")
            finally:
                connection.close()
                engine.dispose()

    def _settle(self) -> None:
        driver, seconds = self._driver, self._limits.statement_timeout
        driver._read_timeout = driver._write_timeout = seconds + _SLACK
        ((spelled, self._known),) = self.select("SELECT VERSION(), CONNECTION_ID()")
        self.mariadb = "mariadb" in spelled.lower()
        self.version = tuple(int(number) for number in spelled.partition("-")[0].split(".") if number.isdigit())
        self.select("SET SESSION TRANSACTION READ ONLY")
        for name, value in (
            ("sql_mode", ""),  # what names, texts and days mean is then the same at every server
            ("time_zone", "+00:00"),
            ("lock_wait_timeout", LOCK_WAIT),
            ("innodb_lock_wait_timeout", LOCK_WAIT),
            ("net_write_timeout", _SEND),
            ("max_statement_time", seconds),  # MariaDB's
            ("max_execution_time", max(1, round(seconds * 1000))),  # MySQL's
            ("information_schema_stats_expiry", 0),  # MySQL's; a day otherwise, too old for a mark
        ):
            try:
                self.select(f"SET SESSION {name} = %s", value)
            except pymysql.Error as error:
                if _code(error) != _UNKNOWN_VARIABLE:
                    raise


def quoted(*names: str) -> str:
    """An identifier in SQL, whatever characters it has; the driver takes a lone percent sign for a value's place."""
    return ".".join("`" + name.replace("`", "``").replace("%", "%%") + "`" for name in names)


def _unhurried(sql: str) -> str:
    return sql.replace("SELECT ", "SELECT /*+ MAX_EXECUTION_TIME(0) */ ", 1)


def size(rows: Sequence[Row]) -> int:
    """The bytes of the cells of rows."""
    return sum([len(cell) for row in rows for cell in row if cell is not None])


def meaning(error: BaseException | None) -> tuple[Reason, str] | None:
    """What an error of the driver means; ``None``: nothing that is known."""
    code = _code(error)
    if code in (CR.CR_SERVER_LOST, CR.CR_CONN_HOST_ERROR) and "timed out" in str(error):
        return Reason.TIMEOUT, _SLOW
    return _MEANINGS.get(code)


def _code(error: BaseException | None) -> int:
    code = error.args[0] if error is not None and error.args else -1
    return code if isinstance(code, int) else -1
