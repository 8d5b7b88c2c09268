"""The inventory: what every scan found, kept so that any of them can be looked at again.

One truth in one database. `Inventory` is its only door; a `View` is the inventory as it is now or was after a scan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, select

from mapkeeper.inventory import assets, checkpoints, revisions, rows, runs, sources, tables, verdicts
from mapkeeper.inventory.assets import Marked
from mapkeeper.inventory.changes import changes
from mapkeeper.inventory.database import Database
from mapkeeper.inventory.intervals import reconcile
from mapkeeper.inventory.opening import open_database
from mapkeeper.inventory.rows import finding_id
from mapkeeper.inventory.verdicts import Aim, Verdicts, counts, literal, verdict_id
from mapkeeper.inventory.views import ClientFile, View, scan_day
from mapkeeper.model import AssetResult, Change, Depth, Flow, KnownSource, Place, ScanRun, Verdict

__all__ = [
    "Aim",
    "ClientFile",
    "Inventory",
    "Marked",
    "Verdicts",
    "View",
    "counts",
    "finding_id",
    "literal",
    "verdict_id",
]


class Inventory:
    """An open inventory. Every moment is handed in, aware; every error is an `InventoryError` or a `BusyError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str, *, upgrade: bool = True, create: bool = False) -> Self:
        """Open ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.

        ``upgrade`` makes the file and the tables, or brings them to the newest revision; ``create`` makes but the file.

        Raises:
            InventoryError: the database cannot be used, holds something else or was written by a newer mapkeeper.
        """
        inventory = cls(open_database(url, create=create or upgrade))
        try:
            if upgrade:
                inventory.upgrade()
            else:
                inventory.revision()
        except BaseException:
            inventory.close()
            raise
        return inventory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    # The revision

    def revision(self) -> str | None:
        """The revision of the tables; ``None``: there are none yet."""
        with self._database.reading() as connection:
            return revisions.revision(self._database, connection)

    @staticmethod
    def head() -> str:
        """The newest revision that this mapkeeper knows."""
        return tables.REVISION

    def upgrade(self) -> tuple[str | None, str]:
        """Bring the tables to the newest revision; returns the revisions before and after."""
        return revisions.upgrade(self._database)

    def backup(self, path: Path) -> None:
        """Write a consistent copy, also while a scan writes; never over another file.

        Raises:
            InventoryError: it cannot be written; for PostgreSQL, which has a tool of its own, says how that is called.
        """
        self._database.copy(path)

    # Scans

    def begin(self, depth: Depth, version: str, now: dt.datetime, client_files: Mapping[str, str]) -> int:
        """Begin a scan with the client files it runs with, by client; returns its number.

        Scans that gave no sign of life for five minutes, or whose process on this host is gone, become interrupted.
        """
        with self._database.writing() as connection:
            return runs.begin(connection, depth, version, now, client_files)

    def end(self, scan: int, state: str, now: dt.datetime) -> None:
        """End a scan as ``done`` or ``interrupted``; whatever it still leases is free."""
        with self._database.writing() as connection:
            runs.end(connection, scan, state, now)

    def lease(self, scan: int, source: str, now: dt.datetime) -> None:
        """Reserve a source for a scan.

        Raises:
            BusyError: another scan that is alive holds it; says who and until when.
        """
        with self._database.writing() as connection:
            runs.take(connection, scan, source, now)

    def renew(self, scan: int, now: dt.datetime) -> None:
        """Give a sign of life, good for five minutes; whatever a scan records is one as well."""
        with self._database.writing() as connection:
            runs.renew(connection, scan, now)

    def release(self, scan: int, source: str) -> None:
        """Give a source back."""
        with self._database.writing() as connection:
            runs.drop(connection, scan, source)

    # Writing, as a scan does

    def put_sources(self, configured: Iterable[KnownSource]) -> None:
        """Write down the configured sources; what is known of their last scan stays.

        A declared place replaces a declared one, never what the store itself said.
        """
        with self._database.writing() as connection:
            sources.put(connection, configured)

    def source_state(
        self,
        source: str,
        state: str,
        place: Place | None,
        now: dt.datetime,
        *,
        seconds: float | None = None,
        bytes_read: int | None = None,
    ) -> None:
        """Write down how a scan left a source, where it turned out to lie, and how long reading so much took.

        ``None`` leaves the place, the seconds or the bytes as they were.
        """
        with self._database.writing() as connection:
            sources.leave(connection, source, state, place, now, seconds, bytes_read)

    def speed(self, source: str) -> float | None:
        """Bytes a second of the last scan that read something of a source; ``None``: there was none."""
        with self._database.reading() as connection:
            return sources.speed(connection, source)

    def known(self, source: str) -> Mapping[tuple[str, str], Marked]:
        """Every current asset of a source, by client and name, as it was read the last time."""
        with self._database.reading() as connection:
            return assets.known(connection, source)

    def record(
        self,
        scan: int,
        client: str,
        source: str,
        result: AssetResult,
        *,
        rules: str,
        depth: Depth,
        unmapped: bool,
        now: dt.datetime,
    ) -> None:
        """Record all that a scan learned of an asset, as a whole or not at all; a repetition replaces it.

        ``rules`` is the fingerprint of the rules that looked. What a later scan has seen in the meantime is not
        turned back: the result is then booked to that one. A result that read nothing, for any reason but that it
        was excluded, leaves the fields and findings of the reading before. The asset's checkpoint is dropped.

        Raises:
            BusyError: another scan has taken the source over.
        """
        today = now.astimezone(dt.UTC).date()
        with self._writing(scan, source, now) as connection:
            assets.record(
                connection, scan, client, source, result, rules=rules, depth=depth, unmapped=unmapped, today=today
            )

    def seen(self, scan: int, client: str, source: str, names: Iterable[str], now: dt.datetime) -> None:
        """Note that assets were there and unchanged; writes no new state."""
        with self._writing(scan, source, now) as connection:
            assets.touch(connection, scan, client, source, list(names), now.astimezone(dt.UTC).date())

    def close_missing(
        self, scan: int, source: str, present: Set[tuple[str, str]], now: dt.datetime
    ) -> list[tuple[str, str]]:
        """Close every asset of a source that a complete survey did not find; returns their clients and names.

        Checkpoints of what was not found are dropped.
        """
        with self._writing(scan, source, now) as connection:
            return assets.close_missing(connection, scan, source, present)

    def put_flows(self, scan: int, source: str, flows: Iterable[Flow], now: dt.datetime) -> None:
        """Record every flow that a source tells of; those it no longer tells of are closed."""
        today = now.astimezone(dt.UTC).date()
        told, wanted = {"told_by": source}, rows.flow_rows(source, flows)
        with self._writing(scan, source, now) as connection:
            reconcile(connection, tables.flow, told, "id", wanted, scan=scan, today=today, last_seen=today)

    # What is half read

    def put_checkpoint(self, scan: int, client: str, source: str, name: str, sealed: bytes, now: dt.datetime) -> None:
        """Keep how far an asset was read, in the place of what was kept of it before.

        Raises:
            BusyError: another scan has taken the source over.
        """
        with self._writing(scan, source, now) as connection:
            checkpoints.put(connection, client, source, name, sealed, now)

    def checkpoints(self, source: str) -> frozenset[tuple[str, str]]:
        """Clients and names of the assets of a source that were read half."""
        with self._database.reading() as connection:
            return checkpoints.names(connection, source)

    def checkpoint(self, client: str, source: str, name: str) -> bytes | None:
        """How far an asset was read, as it was sealed; ``None``: nothing is kept."""
        with self._database.reading() as connection:
            return checkpoints.get(connection, client, source, name)

    # What people decide

    def put_verdicts(self, given: Iterable[Verdict]) -> None:
        """Add verdicts, all or none; one about the same as another counts instead of it, which stays as history."""
        with self._database.writing() as connection:
            verdicts.put(connection, given)

    def verdicts(self, moment: dt.datetime) -> list[Verdict]:
        """The verdicts that stood at a moment, also those that had expired; not those that were withdrawn."""
        return verdicts.standing(self.verdict_history(moment))

    def verdict_history(self, moment: dt.datetime) -> list[Verdict]:
        """Every verdict and withdrawal up to a moment, the oldest first."""
        with self._database.reading() as connection:
            return verdicts.history(connection, moment)

    @contextmanager
    def _writing(self, scan: int, source: str, now: dt.datetime) -> Iterator[Connection]:
        """One transaction of a scan about a source, if it may write about it."""
        with self._database.writing() as connection:
            runs.writes_to(connection, scan, source, now)
            if not sources.is_known(connection, source):
                raise self._database.refuse(f"knows no source {source}; put_sources comes before what is found in it")
            yield connection

    # Reading

    def scans(self) -> list[ScanRun]:
        """Every scan, the oldest first."""
        with self._database.reading() as connection:
            query = select(tables.scan).order_by(tables.scan.c.id)
            return [rows.scan_noun(row) for row in connection.execute(query).mappings()]

    def resolve(self, at: str) -> int:
        """The scan that is meant by a number, or by a day: the last that began on or before it, in UTC.

        Raises:
            InventoryError: it is neither, or there is no such scan; says what there is.
        """
        scans = self.scans()
        if not scans:
            raise self._database.refuse("nothing was scanned yet; run `mapkeeper scan`")
        if at.isascii() and at.isdigit():
            if int(at) in {scan.id for scan in scans}:
                return int(at)
            raise self._database.refuse(f"holds no scan {at}; there are scans {scans[0].id} to {scans[-1].id}")
        try:
            day = dt.date.fromisoformat(at)
        except ValueError:
            what = "is neither a scan nor a day; write a number as in 12, or a day as in 2026-11-21"
            raise self._database.refuse(f"{at!r} {what}") from None
        on_or_before = [scan for scan in scans if scan.started.date() <= day]
        if not on_or_before:
            first = f"the first is scan {scans[0].id} of {scans[0].started.date()}"
            raise self._database.refuse(f"no scan began on or before {day}; {first}")
        return max(on_or_before, key=lambda scan: (scan.started, scan.id)).id

    def moment(self, at: str, now: dt.datetime) -> dt.datetime:
        """The end of the scan, or of the day in UTC, that is meant; of a scan without an end ``now``.

        Raises:
            InventoryError: as ``resolve``.
        """
        number = self.resolve(at)
        if at.isascii() and at.isdigit():
            return next(scan.ended for scan in self.scans() if scan.id == number) or now
        return dt.datetime.combine(dt.date.fromisoformat(at), dt.time.max, dt.UTC)

    def at(self, scan: int | None = None, *, judged: dt.datetime | None = None) -> View:
        """The inventory as it was after a scan; ``None``: as it is now.

        Its findings bear the verdicts of the moment ``judged``; ``None``: no verdicts.
        """
        return View(self._database, scan, None if scan is None else scan_day(self._database, scan), judged)

    def changes(self, scan: int) -> list[Change]:
        """What a scan found different from the ones before."""
        scan_day(self._database, scan)
        with self._database.reading() as connection:
            return changes(connection, scan)
