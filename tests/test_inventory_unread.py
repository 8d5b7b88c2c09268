"""An asset that could not be read this time keeps what the last reading found in it."""

from __future__ import annotations

import dataclasses

import pytest

from mapkeeper.inventory import Inventory
from mapkeeper.model import Fact, Gap, Reason
from recording import NOON, begin, finding, later, lost, record, result, rows_of, scanned

FAILURES = [reason for reason in Reason if reason not in (Reason.EXCLUDED, Reason.NO_MODEL)]


def test_an_asset_that_could_not_be_read_keeps_its_findings_and_fields_and_tells_the_gap(inventory: Inventory) -> None:
    read = scanned(inventory, result(facts=[Fact("public", False, "api")]))
    what = dataclasses.replace(lost(reason=Reason.DENIED), facts=(Fact("public", True, "api"),))
    failed = scanned(inventory, what, days=3)
    (asset,), (known,) = inventory.at().assets(), inventory.at().findings()
    assert (asset.coverage, asset.facts) == (what.coverage, what.facts)
    assert [field.name for field in asset.fields] == ["email"]
    assert known.finding == finding()
    assert asset.last_seen == later(3).date()
    assert (known.first_seen, known.last_seen) == (NOON.date(), NOON.date())
    assert [one.finding for one in inventory.at(read).findings()] == [finding()]
    (change,) = inventory.changes(failed)
    assert (change.change, change.what) == ("changed", "asset")
    for part in ("rows read 400 -> 0", "fact public false -> true", "gap denied appeared"):
        assert part in change.says
    assert "field" not in change.says


@pytest.mark.parametrize("reason", FAILURES)
def test_whatever_the_failure_is_called_nothing_is_lost(inventory: Inventory, reason: Reason) -> None:
    scanned(inventory, result())
    scanned(inventory, lost(reason=reason), days=1)
    assert len(inventory.at().findings()) == 1


@pytest.mark.parametrize("reason", [Reason.EXCLUDED, Reason.NO_MODEL])
def test_what_is_excluded_or_was_read_and_found_empty_loses_its_findings(inventory: Inventory, reason: Reason) -> None:
    scanned(inventory, result())
    scan = scanned(inventory, lost(reason=reason), days=1)
    assert inventory.at().findings() == []
    assert ("vanished", "finding") in {(one.change, one.what) for one in inventory.changes(scan)}
    scanned(inventory, lost(), days=2)
    assert inventory.at().findings() == []


def test_an_asset_that_was_emptied_loses_its_findings(inventory: Inventory) -> None:
    scanned(inventory, result())
    scanned(inventory, result(findings=[], rows=0), days=1)
    assert inventory.at().findings() == []


def test_a_part_that_could_be_read_counts_as_a_reading(inventory: Inventory) -> None:
    scanned(inventory, result(findings=[finding("email"), finding("phone")]))
    scanned(inventory, result(findings=[finding("email")], rows=10, gaps=[Gap(Reason.TIMEOUT)]), days=1)
    assert [one.finding.field for one in inventory.at().findings()] == ["email"]


def test_every_view_tells_when_what_it_shows_was_read(inventory: Inventory) -> None:
    days = (
        (0, result(), 0),
        (2, lost(), 0),
        (4, lost(reason=Reason.DENIED), 0),
        (6, result(), 6),
        (8, lost(), 6),
        (10, result(findings=[]), None),
    )
    for day, what, _ in days:
        scanned(inventory, what, days=day)
    for scan, (day, _, read) in enumerate(days, 1):
        view = inventory.at(scan)
        assert [one.last_seen for one in view.assets()] == [later(day).date()]
        assert [one.last_seen for one in view.findings()] == ([] if read is None else [later(read).date()])
        assert all(one.first_seen == NOON.date() for one in view.findings())


def test_an_asset_that_is_unchanged_since_it_could_not_be_read_was_not_read(inventory: Inventory) -> None:
    scanned(inventory, result())
    scanned(inventory, lost(reason=Reason.ARCHIVED), days=1)
    scan = begin(inventory, later(2))
    inventory.seen(scan, "globex", "crm", ["customers"], later(2))
    assert inventory.at().assets()[0].last_seen == later(2).date()
    assert inventory.at().findings()[0].last_seen == NOON.date()
    assert inventory.known("crm")["globex", "customers"].last_read == NOON.date()


def test_an_asset_that_fails_again_and_again_writes_no_row(inventory: Inventory, place: str) -> None:
    scanned(inventory, result())
    scanned(inventory, lost(), days=1)
    before = rows_of(place, "asset_state"), rows_of(place, "finding")
    scan = scanned(inventory, lost(), days=2)
    assert (rows_of(place, "asset_state"), rows_of(place, "finding")) == before
    assert inventory.changes(scan) == []


def test_a_second_try_in_the_same_scan_leaves_no_trace_of_the_failure(inventory: Inventory, place: str) -> None:
    scanned(inventory, result())
    once = rows_of(place, "asset_state"), rows_of(place, "finding")
    scan = begin(inventory, later(1))
    record(inventory, scan, lost(), later(1))
    record(inventory, scan, result(), later(1))
    assert (rows_of(place, "asset_state"), rows_of(place, "finding")) == once
    assert inventory.changes(scan) == []
    assert inventory.at().findings()[0].last_seen == later(1).date()


def test_what_vanishes_after_a_failure_was_last_seen_when_it_was_read(inventory: Inventory) -> None:
    scanned(inventory, result("a"), result("b"))
    failed = scanned(inventory, lost("a"), lost("b"), days=1)
    scanned(inventory, result("a", findings=[]), days=2)  # read, and the finding is gone; b itself is gone
    assert inventory.at().findings() == []
    assert [one.last_seen for one in inventory.at(failed).findings()] == [NOON.date(), NOON.date()]
    assert [one.last_seen for one in inventory.at(failed).assets()] == [later(1).date(), later(1).date()]


def test_an_asset_that_was_never_read_has_nothing_to_keep(inventory: Inventory) -> None:
    scanned(inventory, lost())
    scanned(inventory, lost(reason=Reason.DENIED), days=1)
    assert inventory.at().findings() == []
    assert inventory.at().assets()[0].fields == ()
    scanned(inventory, result(), days=2)
    (known,) = inventory.at().findings()
    assert (known.first_seen, known.last_seen) == (later(2).date(), later(2).date())
