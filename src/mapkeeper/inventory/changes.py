"""What a scan changed, told from the rows that it opened and closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select

from mapkeeper.inventory import rows
from mapkeeper.inventory.intervals import touched_by
from mapkeeper.inventory.tables import asset, asset_state, finding
from mapkeeper.model import Change

_OF_ASSETS = ("kind", "depth", "method", "objects_total")
_OF_FINDINGS = ("rows", "valid", "chance", "distinct", "rule", "special", "subject", "source_role")
"""Columns of which a change tells the old and the new value; the others have words of their own, or say nothing."""


def changes(connection: Connection, scan: int) -> list[Change]:
    """Every asset and finding that appeared, changed or vanished, in order of client, source, asset and field.

    Of a finding only its figures count: that other masked samples or positions were drawn is no change.
    """
    found = [*_told(connection, scan, asset_state, "asset"), *_told(connection, scan, finding, "id")]
    return sorted(found, key=lambda it: (it.client, it.source, it.asset, it.field or "", it.category or "", it.says))


def _told(connection: Connection, scan: int, table: Table, key: str) -> Iterator[Change]:
    names = (asset.c.client, asset.c.source.label("of_source"), asset.c.name.label("of_asset"))
    query = select(table, *names).join(asset, table.c.asset == asset.c.id).where(touched_by(table, scan))
    pairs: dict[Any, list[RowMapping | None]] = {}
    for touched in connection.execute(query).mappings():
        pairs.setdefault(touched[key], [None, None])[touched["from_scan"] == scan] = touched
    says = _finding if table is finding else _asset
    for old, new in pairs.values():
        text = says(old, new)
        if not text:
            continue
        row = new or old
        assert row is not None
        yield Change(
            scan=scan,
            change="changed" if old and new else "appeared" if new else "vanished",
            what="finding" if table is finding else "asset",
            client=row["client"],
            source=row["of_source"],
            asset=row["of_asset"],
            field=row.get("field"),
            category=row.get("category"),
            says=text,
        )


def _asset(old: RowMapping | None, new: RowMapping | None) -> str:
    if old is None or new is None:
        row = old or new
        assert row is not None
        total = "" if row["rows_total"] is None else f", {_counted(row['rows_total'], 'row')}"
        return f"{row['kind']}{total}"
    says = [f"{name} {_shown(old[name])} -> {_shown(new[name])}" for name in _OF_ASSETS if old[name] != new[name]]
    if old["rows_total"] != new["rows_total"]:
        says.append(f"rows {_shown(old['rows_total'])} -> {_shown(new['rows_total'])}")
    if old["rows_read"] != new["rows_read"]:
        says.append(f"rows read {_shown(old['rows_read'])} -> {_shown(new['rows_read'])}")
    says += _listed("field", _by(old["fields"], "name", "type"), _by(new["fields"], "name", "type"))
    says += _listed("fact", _by(old["facts"], "name", "value"), _by(new["facts"], "name", "value"))
    says += _listed("gap", _gaps(old), _gaps(new))
    return "; ".join(says) or "read otherwise"


def _finding(old: RowMapping | None, new: RowMapping | None) -> str:
    if old is None or new is None:
        row = old or new
        assert row is not None
        return f"{row['hits']:,} of {_counted(row['filled'], 'cell')}"
    says = []
    if old["filled"] == new["filled"]:
        if old["hits"] != new["hits"]:
            says.append(f"{old['hits']:,} -> {new['hits']:,} of {_counted(new['filled'], 'cell')}")
    else:
        says.append(f"{old['hits']:,} of {old['filled']:,} -> {new['hits']:,} of {_counted(new['filled'], 'cell')}")
    levels = [rows.finding(row).level for row in (old, new)]
    if levels[0] != levels[1]:
        says.append(f"{levels[0]} -> {levels[1]}")
    elif old["confidence"] != new["confidence"]:
        says.append(f"confidence {old['confidence']:.2f} -> {new['confidence']:.2f}")
    says += [f"{name} {_shown(old[name])} -> {_shown(new[name])}" for name in _OF_FINDINGS if old[name] != new[name]]
    return "; ".join(says)


def _listed(what: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for name in {**old, **new}:
        if name not in old:
            yield f"{what} {name} appeared"
        elif name not in new:
            yield f"{what} {name} vanished"
        elif old[name] != new[name]:
            yield f"{what} {name} {_shown(old[name])} -> {_shown(new[name])}"


def _by(items: list[dict[str, object]], name: str, value: str) -> dict[str, object]:
    """The items by name; several of one name, as a table has several foreign keys, are one, in words."""
    found: dict[str, list[object]] = {}
    for item in items:
        found.setdefault(str(item[name]), []).append(item[value])
    return {
        name: values[0] if len(values) == 1 else ", ".join(sorted(map(_shown, values)))
        for name, values in found.items()
    }


def _gaps(row: RowMapping) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for gap in row["gaps"]:
        counts[gap["reason"]] += gap["count"]
    return counts


def _shown(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else str(value)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
