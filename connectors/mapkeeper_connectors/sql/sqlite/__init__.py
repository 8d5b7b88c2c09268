"""SQLite files: opened so that nothing is written beside them, listed, and told about.

An asset's OpenLineage id is namespace ``file`` and name ``PATH#TABLE``, after the specification's local files.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, NullPool, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from mapkeeper.plugin import Access, Asset, Batch, Fact, Gap, Kind, ReadPlan, Reason, SourceError, Store
from mapkeeper_connectors.sql.sqlite.point import Point
from mapkeeper_connectors.sql.sqlite.reading import Reading
from mapkeeper_connectors.sql.sqlite.table import quoted

BUSY_WAIT = 5.0
"""Seconds to wait for a lock."""

_MEASURED = 1 << 30  # bytes; in a larger file the sizes of the tables are not looked up: that reads every page

_MEANINGS = {
    "SQLITE_BUSY": (Reason.UNREACHABLE, "is locked by another process; scan again when that one has finished"),
    "SQLITE_LOCKED": (Reason.UNREACHABLE, "is locked by another process; scan again when that one has finished"),
    "SQLITE_NOTADB": (Reason.UNREADABLE, "is not a SQLite database, or is encrypted"),
    "SQLITE_CORRUPT": (Reason.UNREADABLE, "is damaged; run `PRAGMA integrity_check` on it"),
    "SQLITE_CANTOPEN": (Reason.DENIED, "cannot be opened; give this user the right to read it and its folder"),
    "SQLITE_PERM": (Reason.DENIED, "may not be read; give this user the right to"),
    "SQLITE_READONLY": (Reason.DENIED, "has unfinished changes of a writer; open it once with its own application"),
    "SQLITE_TOOBIG": (Reason.TOO_LARGE, "holds a cell too large to be read"),
    "SQLITE_INTERRUPT": (Reason.TIMEOUT, "takes too long to be computed"),
    "SQLITE_ERROR": (Reason.UNREADABLE, "refers to something that is not there, or needs an extension"),
}


class Sqlite:
    """One file; its tables share mark and facts, no rights are granted, and no server lists it."""

    name = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: tuple[sqlite3.Connection, Engine] | None = None
        self._immutable = False

    def open(self) -> None:
        """Open the file, and look whether it is a database.

        Raises:
            SourceError: it is not there, not one, locked, or may not be read.
        """
        path = self._path
        if not path.exists():
            raise SourceError(Reason.MISSING, f"{path}: no such file; check the path")
        if not path.is_file():
            raise SourceError(Reason.UNREADABLE, f"{path}: is not a file; name a SQLite file")
        try:
            self._immutable = _is_quiet(path)
        except PermissionError:
            raise SourceError(Reason.DENIED, f"{path}: may not be read; give this user the right to") from None
        except OSError as error:
            raise SourceError(Reason.UNREADABLE, f"{path}: cannot be read ({error.strerror})") from None
        connection = self._connect()
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            connection.close()
            raise self._refused(error) from None
        engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True)
        self._open = connection, engine

    @property
    def _connection(self) -> sqlite3.Connection:
        assert self._open is not None
        return self._open[0]

    @property
    def _engine(self) -> Engine:
        assert self._open is not None
        return self._open[1]

    def _connect(self) -> sqlite3.Connection:
        uri = f"file:{quote(str(self._path))}?mode=ro" + "&immutable=1" * self._immutable
        try:
            connection = sqlite3.connect(
                uri, uri=True, timeout=BUSY_WAIT, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._refused(error) from None
        connection.execute("PRAGMA query_only=ON")
        connection.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")  # names may be in any encoding
        return connection

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            connection, engine = self._open
            connection.close()
            engine.dispose()
            self._open = None

    def survey(self) -> Iterator[Asset]:
        """Tables and views in order of name; what cannot be read is an asset with a gap."""
        try:
            names = inspect(self._engine)
            kinds = dict.fromkeys(names.get_table_names(), Kind.TABLE) | dict.fromkeys(
                names.get_view_names(), Kind.VIEW
            )
        except SQLAlchemyError as error:
            raise self._refused(getattr(error, "orig", error)) from None
        sizes = self._sizes()
        for name, kind in sorted(kinds.items()):
            rows, gap = None, None
            try:
                self._connection.execute(f"SELECT * FROM {quoted(name)} LIMIT 0")  # noqa: S608 - quoted
                if kind is Kind.TABLE:
                    counted = self._connection.execute(f"SELECT count(*) FROM {quoted(name)}")  # noqa: S608 - quoted
                    rows = counted.fetchone()[0]
            except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter for the name of a column
                reason, says = _meaning(error)
                gap = Gap(reason, says=f"the {kind} {says}")
            dataset = f"{self._path}#{name}"
            yield Asset(name, kind, "file", dataset, rows=rows, bytes=sizes.get(name), gap=gap, handle=name)

    def read(self, asset: Asset, plan: ReadPlan, resume_from: str | None) -> Iterator[Batch | Gap]:
        """Read one table or view; ``resume_from`` says how many rows were read."""
        try:
            point = None if resume_from is None else Point.load(resume_from)
        except ValueError:
            says = f"{self._path}: {asset.name}: the resume point is not one; scan again"
            raise SourceError(Reason.CHANGED, says) from None
        before = self.mark(asset)
        try:
            yield from Reading(self._connection, asset, plan).run(point)
        except sqlite3.Error as error:
            if self._immutable and self.mark(asset) != before:
                raise SourceError(Reason.CHANGED, f"{self._path}: was written to while read; scan again") from None
            raise self._refused(error, asset.name) from None
        if self._immutable and self.mark(asset) != before:
            yield Gap(Reason.CHANGED, 1, "the file was written to while it was read")

    def mark(self, asset: Asset) -> str | None:
        """Size, time and change counter of the file, and size and time of what is written ahead of it."""
        try:
            file = self._path.stat()
            with self._path.open("rb") as header:
                counter = header.read(28)[24:].hex()
        except OSError:
            return None
        ahead = _size_and_time(_beside(self._path, "-wal"))
        return f"{file.st_size}-{file.st_mtime_ns}-{counter}-{ahead}"

    def facts(self, asset: Asset) -> Iterable[Fact]:
        """The number of who owns the file, as names are of people, and who may read it."""
        try:
            status = self._path.stat()
        except OSError:
            return
        yield Fact("owner", str(status.st_uid), "metadata")
        yield Fact("permissions", f"{stat.S_IMODE(status.st_mode):04o}", "metadata")
        yield Fact("public", bool(status.st_mode & stat.S_IROTH), "metadata")

    def requests(self, asset: Asset, plan: ReadPlan) -> None:
        """No server is asked."""

    def check(self) -> Iterable[Access]:
        """It is open: that was all."""
        return (Access(f"read {self._path}", True),)

    def rights(self) -> None:
        """Whoever may read the file may read it all."""

    def stores(self) -> Iterable[Store]:
        """No server lists it."""
        return ()

    def _sizes(self) -> dict[str, int]:
        """The bytes that each table takes, where SQLite was built to tell."""
        if self._path.stat().st_size > _MEASURED:
            return {}
        try:
            return dict(self._connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE"))
        except sqlite3.Error:
            return {}

    def _refused(self, error: BaseException | None, name: str | None = None) -> SourceError:
        reason, says = _meaning(error)
        return SourceError(reason, f"{self._path}: {'' if name is None else f'{name}: '}{says}")


def _meaning(error: BaseException | None) -> tuple[Reason, str]:
    code = getattr(error, "sqlite_errorname", "")
    for known, meaning in _MEANINGS.items():
        if code.startswith(known):
            return meaning
    return Reason.UNREADABLE, f"cannot be read ({type(error).__name__} {code}".rstrip() + ")"


def _is_quiet(path: Path) -> bool:
    """Whether a file in write-ahead mode has no writer and nothing written ahead.

    Opening such a file in the usual way leaves two files beside it, which its own application may then be unable to
    write. As it is at rest, it can be opened as one that never changes; whether it did is looked up after each reading.
    """
    with path.open("rb") as file:
        write_ahead = file.read(20)[18:] == b"\2\2"
    ahead, shared = _beside(path, "-wal"), _beside(path, "-shm")
    in_use = ahead.exists() and (shared.exists() or ahead.stat().st_size > 0)
    return write_ahead and not in_use


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _size_and_time(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "0"
    return f"{found.st_size}-{found.st_mtime_ns}" if found.st_size else "0"
