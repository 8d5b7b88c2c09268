"""The inventory as it is now, or as it was after a scan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, RowMapping, Table, case, func, literal, select

from mapkeeper.inventory import rows, verdicts
from mapkeeper.inventory.database import Database
from mapkeeper.inventory.intervals import valid_at
from mapkeeper.inventory.tables import asset, asset_state, client_file, client_text, finding, flow, scan, source
from mapkeeper.model import Flow, KnownAsset, KnownFinding, KnownSource

_Noun = TypeVar("_Noun")


@dataclass(frozen=True, slots=True)
class ClientFile:
    """The configuration of a client, as the last scan of that client ran with it."""

    client: str
    scan: int
    sha256: str
    text: str


class View:
    """What the inventory knows; every list is in order of client, source, asset and field."""

    def __init__(self, database: Database, number: int | None, day: dt.date | None, judged: dt.datetime | None) -> None:
        self._database = database
        self.scan = number
        self._day = day  # of the end of that scan: what was seen later had not been seen yet
        self._judged = judged  # the moment whose verdicts count; None: none does

    def sources(self) -> list[KnownSource]:
        """Every source that was ever configured, as it is now."""
        with self._database.reading() as connection:
            known = [rows.source_noun(row) for row in connection.execute(select(source)).mappings()]
        return sorted(known, key=lambda source: (source.client or "", source.id))

    def assets(self) -> list[KnownAsset]:
        """Every asset, with what was read of it and what not."""
        known = self._rows(asset_state, rows.asset_noun)
        return sorted(known, key=lambda asset: (asset.client, asset.source, asset.name))

    def findings(self) -> list[KnownFinding]:
        """Every finding with the verdict that counts for it, and what people added."""
        known = self._rows(finding, rows.finding_noun)
        if self._judged is not None:
            known = self._verdicts(self._judged).judge(known, self.assets)
        return sorted(
            known,
            key=lambda known: (
                known.client,
                known.source,
                known.asset,
                known.finding.field,
                known.finding.category,
                known.finding.entity,
            ),
        )

    def _verdicts(self, moment: dt.datetime) -> verdicts.Verdicts:
        with self._database.reading() as connection:
            standing = verdicts.standing(verdicts.history(connection, moment))
        day = moment.astimezone(dt.UTC).date()
        return verdicts.Verdicts(one for one in standing if verdicts.counts(one, day))

    def flows(self) -> list[Flow]:
        """Every flow that a source tells of."""
        with self._database.reading() as connection:
            query = select(flow).where(valid_at(flow, self.scan))
            known = [rows.flow_noun(row) for row in connection.execute(query).mappings()]
        return sorted(known, key=lambda flow: (flow.source, flow.target, flow.kind))

    def client_files(self) -> list[ClientFile]:
        """For every client the file that its last scan ran with."""
        last = select(client_file.c.client, func.max(client_file.c.scan).label("scan")).group_by(client_file.c.client)
        if self.scan is not None:
            last = last.where(client_file.c.scan <= self.scan)
        newest = last.subquery()
        same = (client_file.c.client == newest.c.client) & (client_file.c.scan == newest.c.scan)
        wanted = (client_file.c.client, client_file.c.scan, client_file.c.sha256, client_text.c.text)
        query = select(*wanted).select_from(client_file.join(newest, same).join(client_text))
        with self._database.reading() as connection:
            return sorted((ClientFile(*row) for row in connection.execute(query)), key=lambda file: file.client)

    def _rows(self, table: Table, noun: Callable[[RowMapping], _Noun]) -> list[_Noun]:
        columns = [column for column in table.c if column.name != "last_seen"]
        columns += (asset.c.client, asset.c.source, asset.c.name)
        query = select(*columns, self._last_seen(table)).join(asset, table.c.asset == asset.c.id)
        query = query.where(valid_at(table, self.scan))
        if table is finding:
            same = asset_state.c.asset == finding.c.asset
            query = query.join(asset_state, same & valid_at(asset_state, self.scan))
        with self._database.reading() as connection:
            return [noun(row) for row in connection.execute(query).mappings()]

    def _last_seen(self, table: Table) -> ColumnElement[dt.date]:
        seen: ColumnElement[dt.date] = func.coalesce(table.c.last_seen, asset.c.last_seen)
        if table is finding:  # it is as old as the reading that found it
            seen = func.coalesce(asset_state.c.last_read, seen)
        if self._day is not None:  # where the clock was turned back, no earlier than it was first seen
            day = case((table.c.first_seen > self._day, table.c.first_seen), else_=literal(self._day))
            seen = case((seen > self._day, day), else_=seen)
        return seen.label("last_seen")


def scan_day(database: Database, number: int) -> dt.date | None:
    """The day on which a scan ended.

    Raises:
        InventoryError: there is no such scan.
    """
    with database.reading() as connection:
        found = connection.execute(select(scan.c.ended).where(scan.c.id == number)).first()
        last = connection.execute(select(func.max(scan.c.id))).scalar()
    if found is None:
        there_are = "nothing was scanned yet" if last is None else f"there are scans 1 to {last}"
        raise database.refuse(f"holds no scan {number}; {there_are}")
    ended: dt.datetime | None = found.ended
    return ended and ended.date()
