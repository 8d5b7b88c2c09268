"""Whatever a row of scans finds, loses and cannot read, each is seen afterwards as it was."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapkeeper.inventory import Inventory
from mapkeeper.model import KnownAsset, KnownFinding
from recording import NOON, begin, empty, finding, later, lost, record, result, url

UNCHANGED, UNREAD = "unchanged", "unread"

Hits = dict[str, int]
"""How often each field of an asset hit."""

Found = dict[str, Hits | str]
"""What a scan finds: assets that it reads, sees to be unchanged, or cannot read."""

_hits = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 3), max_size=3)
_found = st.dictionaries(st.sampled_from(["t", "u", "v"]), st.sampled_from([UNCHANGED, UNREAD]) | _hits, max_size=3)
_scans = st.lists(_found, max_size=6)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Inventory]:
    """Gives an empty inventory in a file, copied: quicker than made."""
    folder = tmp_path_factory.mktemp("inventories")
    Inventory.open(url(folder / "template.db")).close()

    def copied() -> Inventory:
        file = Path(shutil.copy(folder / "template.db", folder / "inventory.db"))
        for beside in ("-wal", "-shm"):
            file.with_name(file.name + beside).unlink(missing_ok=True)
        return Inventory.open(url(file))

    return copied


@settings(max_examples=60, deadline=None)
@given(history=_scans)
def test_every_scan_is_seen_as_it_was_and_changes_are_the_difference(
    history: list[Found], copies: Callable[[], Inventory]
) -> None:
    with copies() as inventory:
        _check(inventory, history)


@settings(max_examples=15, deadline=None)
@given(history=_scans)
def test_every_scan_is_seen_as_it_was_on_a_server_too(history: list[Found], on_a_server: str) -> None:
    empty(on_a_server)
    with Inventory.open(on_a_server) as inventory:
        _check(inventory, history)


def _check(inventory: Inventory, history: list[Found]) -> None:
    now: dict[str, Hits] = {}
    read: dict[str, dt.date | None] = {}  # when each asset was last read; None: never, or as last seen
    first: dict[tuple[str, str], dt.date] = {}
    truth = []
    for day, found in enumerate(history):
        scan, today = begin(inventory, later(day)), later(day).date()
        before, now, was_read, read = now, {}, read, {}
        for name, what in found.items():
            if what == UNCHANGED and name in before:
                inventory.seen(scan, "globex", "crm", [name], later(day))
                now[name], read[name] = before[name], was_read[name]
            elif what == UNREAD:
                record(inventory, scan, lost(name), later(day))
                now[name], read[name] = before.get(name, {}), was_read.get(name) or later(day - 1).date()
            elif isinstance(what, dict):
                record(inventory, scan, result(name, [finding(f, h) for f, h in what.items()]), later(day))
                now[name], read[name] = what, None
        gone = inventory.close_missing(scan, "crm", {("globex", name) for name in now}, later(day))
        inventory.end(scan, "done", later(day))
        assert gone == [("globex", name) for name in sorted(before.keys() - now.keys())]
        _check_changes(inventory, scan, before, now)
        for name, hits in now.items():
            for field in hits:
                first.setdefault((name, field), today)
        truth.append((scan, now, {name: when or today for name, when in read.items()}))
    for scan, then, read_then in truth:
        view = inventory.at(scan)
        ended = later(scan - 1).date()
        assert [(asset.name, asset.last_seen) for asset in view.assets()] == [(name, ended) for name in sorted(then)]
        flat = _flat(then)
        assert {(one.asset, one.finding.field): one.finding.hits for one in view.findings()} == flat
        for one in view.findings():
            assert one.first_seen == first[one.asset, one.finding.field]
            assert one.last_seen == read_then[one.asset]
        held = {asset.name: {field.name for field in asset.fields} for asset in view.assets()}
        assert held == {name: set(hits) for name, hits in then.items()}
    if truth:
        assert _stripped(inventory.at().findings()) == _stripped(inventory.at(truth[-1][0]).findings())


def _flat(assets: dict[str, Hits]) -> dict[tuple[str, str], int]:
    return {(name, field): hits for name, fields in assets.items() for field, hits in fields.items()}


def _stripped(known: list[KnownFinding] | list[KnownAsset]) -> list[object]:
    return [dataclasses.replace(one, last_seen=NOON.date()) for one in known]


def _check_changes(inventory: Inventory, scan: int, before: dict[str, Hits], now: dict[str, Hits]) -> None:
    old, new = _flat(before), _flat(now)
    expected = {(*key, "appeared") for key in new.keys() - old.keys()}
    expected |= {(*key, "vanished") for key in old.keys() - new.keys()}
    expected |= {(*key, "changed") for key in old.keys() & new.keys() if old[key] != new[key]}
    made = inventory.changes(scan)
    assert {(one.asset, one.field, one.change) for one in made if one.what == "finding"} == expected
    assets = {(one.asset, one.change) for one in made if one.what == "asset" and one.change != "changed"}
    assert assets == {(name, "appeared") for name in now.keys() - before.keys()} | {
        (name, "vanished") for name in before.keys() - now.keys()
    }
