"""The inventory keeps what every scan found, and shows it as it was after any of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapkeeper.errors import InventoryError
from mapkeeper.inventory import Inventory, finding_id
from mapkeeper.model import Depth, Fact, Flow, Gap, Kind, KnownAsset, KnownFinding, Place, Reason
from recording import NOON, begin, finding, later, record, result, scanned, source, url


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    with Inventory.open(url(tmp_path / "inventory.db")) as opened:
        yield opened


def rows_of(tmp_path: Path, table: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(tmp_path / "inventory.db")
    try:
        return connection.execute(f"SELECT * FROM {table}").fetchall()
    finally:
        connection.close()


def test_a_result_comes_back_as_it_was_recorded(inventory: Inventory) -> None:
    gaps = [Gap(Reason.BUDGET, 3, "rows left out", "line 17"), Gap(Reason.UNREADABLE)]
    facts = [Fact("public", True, "metadata"), Fact("retention", None, "api"), Fact("size", 1.5, "api")]
    what = result(findings=[finding("email"), finding("a.b", hits=3)], gaps=gaps, facts=facts)
    scanned(inventory, what)
    (asset,) = inventory.at().assets()
    assert (asset.kind, asset.namespace, asset.dataset) == (Kind.TABLE, "file", "/srv/crm.db#customers")
    assert (asset.fields, asset.facts, asset.coverage) == (what.fields, what.facts, what.coverage)
    assert (asset.depth, asset.unmapped, asset.first_seen, asset.last_seen) == (
        Depth.SAMPLE,
        False,
        NOON.date(),
        NOON.date(),
    )
    known = inventory.at().findings()
    assert [one.finding for one in known] == [what.findings[1], what.findings[0]]  # in order of field
    assert {(one.client, one.source, one.asset) for one in known} == {("globex", "crm", "customers")}


def test_a_second_scan_that_finds_the_same_writes_no_row_and_moves_last_seen(
    inventory: Inventory, tmp_path: Path
) -> None:
    scanned(inventory, result())
    before = rows_of(tmp_path, "finding"), rows_of(tmp_path, "asset_state")
    scan = scanned(inventory, result(mark="m2"), days=3)
    assert (rows_of(tmp_path, "finding"), rows_of(tmp_path, "asset_state")) == before
    (known,) = inventory.at().findings()
    assert (known.first_seen, known.last_seen) == (NOON.date(), later(3).date())
    assert inventory.changes(scan) == []
    assert inventory.known("crm")["globex", "customers"].mark == "m2"


def test_what_was_seen_later_had_not_been_seen_yet(inventory: Inventory) -> None:
    first = scanned(inventory, result())
    scanned(inventory, result(), days=3)
    assert inventory.at(first).findings()[0].last_seen == NOON.date()
    assert inventory.at(first).assets()[0].last_seen == NOON.date()


def test_nothing_was_last_seen_before_it_was_first_seen_though_the_clock_is_turned_back(inventory: Inventory) -> None:
    scanned(inventory, result(), days=5)
    scanned(inventory, result(), days=2)
    for view in (inventory.at(), inventory.at(1), inventory.at(2)):
        (asset,) = view.assets()
        assert asset.first_seen == asset.last_seen == later(5).date()


def test_other_figures_close_a_row_and_open_one_that_keeps_its_first_day_and_id(inventory: Inventory) -> None:
    first = scanned(inventory, result())
    second = scanned(inventory, result(findings=[finding(hits=315)]), days=1)
    (old,), (new,) = inventory.at(first).findings(), inventory.at(second).findings()
    assert (old.finding.hits, new.finding.hits) == (312, 315)
    assert old.id == new.id
    assert (new.first_seen, new.last_seen) == (NOON.date(), later(1).date())
    assert old.last_seen == NOON.date()
    (change,) = inventory.changes(second)
    assert (change.change, change.what, change.field, change.category) == (
        "changed",
        "finding",
        "email",
        "contact.email",
    )
    assert change.says.startswith("312 -> 315 of 400 cells")


def test_what_vanishes_is_closed_and_keeps_its_first_day_when_it_comes_back(inventory: Inventory) -> None:
    scanned(inventory, result())
    gone = scanned(inventory, days=1)
    back = scanned(inventory, result(), days=2)
    assert inventory.at(gone).assets() == []
    assert inventory.at(gone).findings() == []
    assert [(change.change, change.what) for change in inventory.changes(gone)] == [
        ("vanished", "asset"),
        ("vanished", "finding"),
    ]
    assert [(change.change, change.what) for change in inventory.changes(back)] == [
        ("appeared", "asset"),
        ("appeared", "finding"),
    ]
    (known,) = inventory.at().findings()
    assert (known.first_seen, known.last_seen) == (NOON.date(), later(2).date())
    assert inventory.at(1).findings()[0].last_seen == NOON.date()


def test_close_missing_names_what_vanished_and_leaves_other_sources_alone(inventory: Inventory) -> None:
    scan = begin(inventory)
    inventory.put_sources([source("siem", None)])
    for name in ("a", "b"):
        record(inventory, scan, result(name))
        record(inventory, scan, result(name), source="siem")
    record(inventory, scan, result("a"), client="initech")
    assert inventory.close_missing(scan, "crm", {("globex", "b")}, NOON) == [("globex", "a"), ("initech", "a")]
    assert [(one.source, one.name) for one in inventory.at().assets()] == [("crm", "b"), ("siem", "a"), ("siem", "b")]


def test_recording_an_asset_again_in_the_same_scan_replaces_it_without_a_trace(
    inventory: Inventory, tmp_path: Path
) -> None:
    first = scanned(inventory, result(findings=[finding("email"), finding("name")]))
    once = rows_of(tmp_path, "finding")
    scan = begin(inventory, later(1))
    record(inventory, scan, result(findings=[finding("email", hits=9), finding("phone")]), later(1))
    record(inventory, scan, result(findings=[finding("email"), finding("name")]), later(1))
    assert rows_of(tmp_path, "finding") == once
    assert inventory.changes(scan) == []
    record(inventory, scan, result(findings=[finding("email", hits=9)]), later(1))
    record(inventory, scan, result(findings=[finding("email", hits=8)]), later(1))
    assert [(one.field, one.change) for one in inventory.changes(scan) if one.what == "finding"] == [
        ("email", "changed"),
        ("name", "vanished"),
    ]
    assert [one.finding.hits for one in inventory.at(scan).findings()] == [8]
    assert [one.finding.hits for one in inventory.at(first).findings()] == [312, 312]


def test_seen_moves_only_the_days_of_what_it_names(inventory: Inventory) -> None:
    scanned(inventory, result("a"), result("b"))
    scan = begin(inventory, later(2))
    inventory.seen(scan, "globex", "crm", ["a", "unknown"], later(2))
    assert [asset.last_seen for asset in inventory.at().assets()] == [later(2).date(), NOON.date()]
    assert [one.last_seen for one in inventory.at().findings()] == [later(2).date(), NOON.date()]
    inventory.seen(scan, "globex", "crm", ["a"], later(1))
    assert inventory.at().assets()[0].last_seen == later(2).date()


def test_a_slow_scan_does_not_turn_back_what_a_later_one_saw(inventory: Inventory) -> None:
    slow = begin(inventory)
    quick = begin(inventory, later(minutes=1))
    record(inventory, quick, result(findings=[finding(hits=1)]), later(minutes=1))
    record(inventory, slow, result(findings=[finding(hits=2)]), later(minutes=2))
    assert [one.finding.hits for one in inventory.at(quick).findings()] == [2]
    assert [one.finding.hits for one in inventory.at().findings()] == [2]
    assert inventory.at(slow).findings() == []


def test_other_masked_samples_are_kept_but_are_no_change(inventory: Inventory) -> None:
    first = scanned(inventory, result())
    second = scanned(inventory, result(findings=[finding(why="name fits well")]), days=1)
    assert inventory.at(first).findings()[0].finding.why[0] == "name fits"
    assert inventory.at(second).findings()[0].finding.why[0] == "name fits well"
    assert inventory.changes(second) == []


def test_changes_say_what_is_different_and_come_in_order(inventory: Inventory) -> None:
    before = result(findings=[finding("b"), finding("a", confidence=0.6)], facts=[Fact("public", False, "api")])
    after = result(
        findings=[finding("b"), finding("a", confidence=0.9), finding("c", hits=1)],
        rows=1500,
        facts=[Fact("public", True, "api")],
        gaps=[Gap(Reason.DENIED, 2)],
    )
    scanned(inventory, before, result("z"))
    scan = scanned(inventory, after, result("z"), days=1)
    told = [(one.change, one.what, one.field, one.says) for one in inventory.changes(scan)]
    assert told[1:] == [
        ("changed", "finding", "a", "likely -> certain"),
        ("appeared", "finding", "c", "1 of 400 cells"),
    ]
    assert told[0][:3] == ("changed", "asset", None)
    for part in ("rows 400 -> 1,500", "field c appeared", "fact public false -> true", "gap denied appeared"):
        assert part in told[0][3]


def test_known_tells_what_decides_whether_an_asset_is_read_again(inventory: Inventory) -> None:
    scanned(inventory, result("a"), result("b", mark=None, gaps=[Gap(Reason.BUDGET), Gap(Reason.DENIED)]))
    known = inventory.known("crm")
    assert known.keys() == {("globex", "a"), ("globex", "b")}
    assert dataclasses.astuple(known["globex", "a"]) == ("m1", "r1", Depth.SAMPLE, True, frozenset())
    assert known["globex", "b"].gaps == {Reason.BUDGET, Reason.DENIED}
    assert (known["globex", "b"].mark, known["globex", "b"].complete) == (None, False)
    scanned(inventory, days=1)
    assert inventory.known("crm") == {}


def test_of_two_findings_with_one_id_the_surer_one_counts(inventory: Inventory) -> None:
    scanned(inventory, result(findings=[finding(confidence=0.9), finding(confidence=0.6)]))
    assert [one.finding.confidence for one in inventory.at().findings()] == [0.9]


def test_an_id_is_the_same_everywhere_and_different_for_each_part() -> None:
    parts = ["globex", "crm", "customers", "email", "contact.email", "EMAIL_ADDRESS"]
    id = finding_id(*parts)
    assert id == "f-alo3i2ravwiio"
    others = {finding_id(*[*parts[:index], "x", *parts[index + 1 :]]) for index in range(6)}
    assert len(others | {id, finding_id(None, *parts[1:])}) == 8


def test_views_are_in_order_of_client_source_asset_and_field(inventory: Inventory) -> None:
    scan = begin(inventory)
    inventory.put_sources([source("siem", None)])
    for client, store in (("initech", "siem"), ("globex", "siem"), ("globex", "crm")):
        for name in ("b", "a", "B"):
            record(inventory, scan, result(name, [finding("y"), finding("x")]), client=client, source=store)
    assets = [(one.client, one.source, one.name) for one in inventory.at().assets()]
    assert assets == sorted(assets)
    findings = [(one.client, one.source, one.asset, one.finding.field) for one in inventory.at().findings()]
    assert findings == sorted(findings)
    assert len(findings) == 18


def test_a_source_keeps_its_last_scan_when_it_is_configured_again(inventory: Inventory) -> None:
    inventory.put_sources([source()])
    inventory.source_state("crm", "partial", None, NOON)
    moved = dataclasses.replace(source(place=Place("DE", known_by="declared")), target="/srv/new.db")
    inventory.put_sources([moved, source("siem", None)])
    siem, crm = inventory.at().sources()
    assert (siem.id, siem.client, siem.last_scan, siem.state) == ("siem", None, None, "never scanned")
    assert (crm.last_scan, crm.state, crm.place.country, crm.target) == (NOON, "partial", "DE", "/srv/new.db")


def test_an_unreachable_source_keeps_the_time_of_the_scan_that_reached_it(inventory: Inventory) -> None:
    inventory.put_sources([source()])
    inventory.source_state("crm", "ok", None, NOON)
    inventory.source_state("crm", "unreachable", None, later(1))
    (crm,) = inventory.at().sources()
    assert (crm.state, crm.last_scan) == ("unreachable", NOON)


def test_a_declared_place_does_not_replace_what_the_store_itself_said(inventory: Inventory) -> None:
    inventory.put_sources([source()])
    said = Place("IE", "eu-west-1", "AWS", "api")
    inventory.source_state("crm", "ok", said, NOON)
    inventory.put_sources([source(place=Place("FR", known_by="declared"))])
    assert inventory.at().sources()[0].place == said


def test_each_scan_keeps_the_client_files_it_ran_with_and_a_text_only_once(
    inventory: Inventory, tmp_path: Path
) -> None:
    first = begin(inventory, globex="a = 1", initech="b = 1")
    inventory.end(first, "done", NOON)
    second = begin(inventory, later(1), globex="a = 2")
    third = begin(inventory, later(2), globex="a = 2")
    assert {(one.client, one.scan, one.text) for one in inventory.at(first).client_files()} == {
        ("globex", first, "a = 1"),
        ("initech", first, "b = 1"),
    }
    now = inventory.at().client_files()
    assert [(one.client, one.scan, one.text) for one in now] == [
        ("globex", third, "a = 2"),
        ("initech", first, "b = 1"),
    ]
    assert inventory.at(second).client_files()[0].sha256 == now[0].sha256
    assert len(rows_of(tmp_path, "client_text")) == 3


def test_flows_are_kept_like_findings(inventory: Inventory) -> None:
    first = begin(inventory)
    flows = [
        Flow("crm:a", "siem:b", "configured", 1.0, ("online.ip",), ("replication",)),
        Flow("crm:a", "x", "derived", 0.5),
    ]
    inventory.put_flows(first, "crm", flows, NOON)
    second = begin(inventory, later(1))
    inventory.put_flows(second, "crm", flows[:1], later(1))
    assert inventory.at(first).flows() == flows
    assert inventory.at(second).flows() == inventory.at().flows() == flows[:1]


def test_a_scan_is_named_by_its_number_or_by_a_day(inventory: Inventory) -> None:
    with pytest.raises(InventoryError, match="nothing was scanned yet; run `mapkeeper scan`"):
        inventory.resolve("1")
    for day in (0, 0, 2):
        scanned(inventory, days=day)
    assert inventory.resolve("1") == 1
    assert inventory.resolve("2026-11-21") == 2
    assert inventory.resolve("2026-11-22") == 2
    assert inventory.resolve("2026-11-23") == 3
    assert inventory.resolve("2030-01-01") == 3


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("12", "holds no scan 12; there are scans 1 to 1"),
        ("0", "holds no scan 0"),
        ("2026-11-20", "no scan began on or before 2026-11-20; the first is scan 1 of 2026-11-21"),
        ("last week", "'last week' is neither a scan nor a day"),
        ("", "'' is neither a scan nor a day"),
        ("²", "'²' is neither a scan nor a day"),
    ],
)
def test_a_scan_that_does_not_exist_is_told_with_what_does(inventory: Inventory, at: str, says: str) -> None:
    scanned(inventory)
    with pytest.raises(InventoryError, match=says) as caught:
        inventory.resolve(at)
    assert "\n" not in str(caught.value)


def test_a_view_and_changes_of_an_unknown_scan_are_refused(inventory: Inventory) -> None:
    with pytest.raises(InventoryError, match="holds no scan 7; nothing was scanned yet"):
        inventory.at(7)
    with pytest.raises(InventoryError, match="holds no scan 7"):
        inventory.changes(7)


def test_scans_are_listed_with_when_and_how_they_ended(inventory: Inventory) -> None:
    scanned(inventory)
    begin(inventory, later(1))
    done, running = inventory.scans()
    assert (done.state, done.started, done.ended, done.depth, done.version) == (
        "done",
        NOON,
        NOON,
        Depth.SAMPLE,
        "0.1.0",
    )
    assert (running.state, running.started, running.ended) == ("running", later(1), None)


def test_moments_are_utc_whatever_zone_they_were_handed_in_with(inventory: Inventory) -> None:
    evening = dt.datetime(2026, 11, 21, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    scan = begin(inventory, evening)
    record(inventory, scan, result(), evening)
    assert inventory.scans()[0].started == evening
    assert inventory.scans()[0].started.utcoffset() == dt.timedelta(0)
    assert inventory.at().assets()[0].first_seen == dt.date(2026, 11, 22)


def test_a_naive_moment_is_refused(inventory: Inventory) -> None:
    with pytest.raises(InventoryError, match="refused"):
        begin(inventory, NOON.replace(tzinfo=None))


def test_names_that_no_database_takes_are_spelt_out(inventory: Inventory) -> None:
    scan = scanned(inventory, result("caf\udce9.csv", [finding("a\x00b", why="caf\udce9")]))
    assert [one.name for one in inventory.at(scan).assets()] == ["caf\\udce9.csv"]
    (known,) = inventory.at().findings()
    assert (known.finding.field, known.finding.why[0]) == ("a\\u0000b", "caf\\udce9")
    again = scanned(inventory, result("caf\udce9.csv", [finding("a\x00b", why="caf\udce9")]), days=1)
    assert inventory.changes(again) == []


def test_what_is_found_needs_a_source_and_a_scan_that_runs(inventory: Inventory) -> None:
    scan = begin(inventory)
    with pytest.raises(InventoryError, match="knows no source elsewhere"):
        record(inventory, scan, result(), source="elsewhere")
    inventory.end(scan, "done", NOON)
    with pytest.raises(InventoryError, match=r"scan 1 is over \(done\)"):
        record(inventory, scan, result())
    with pytest.raises(InventoryError, match="scan 99 is unknown"):
        record(inventory, 99, result())
    assert inventory.at().assets() == []


def test_a_refused_write_leaves_nothing_of_its_asset_and_quotes_nothing(inventory: Inventory) -> None:
    scan = begin(inventory)
    canary = "jane.canary@globex.example"
    broken = dataclasses.replace(finding("other", why=canary), hits=2**70)
    with pytest.raises(InventoryError) as caught:
        record(inventory, scan, result(canary, [finding(), broken]))
    told = caught.value
    assert canary not in f"{told!r} {told.__cause__!r} {told.args}"
    assert told.__suppress_context__
    assert inventory.at().assets() == []
    record(inventory, scan, result())
    assert len(inventory.at().findings()) == 1


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty inventory, to be copied: quicker than made."""
    file = tmp_path_factory.mktemp("template") / "inventory.db"
    Inventory.open(url(file)).close()
    return file


_findings = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 3), max_size=3)
_scans = st.lists(st.dictionaries(st.sampled_from(["t", "u", "v"]), st.none() | _findings, max_size=3), max_size=6)


@settings(max_examples=60, deadline=None)
@given(history=_scans)
def test_every_scan_is_seen_as_it_was_and_changes_are_the_difference(
    history: list[dict[str, dict[str, int] | None]], template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """``None`` is an asset that is there and was seen to be unchanged."""
    file = tmp_path_factory.mktemp("inventory") / "inventory.db"
    shutil.copy(template, file)
    with Inventory.open(url(file)) as inventory:
        now: dict[str, dict[str, int]] = {}
        first: dict[tuple[str, str], dt.date] = {}
        truth = []
        for day, found in enumerate(history):
            scan = begin(inventory, later(day))
            before, now = now, {}
            for name, hits in found.items():
                if hits is None and name not in before:
                    continue
                if hits is None:
                    inventory.seen(scan, "globex", "crm", [name], later(day))
                else:
                    record(inventory, scan, result(name, [finding(f, h) for f, h in hits.items()]), later(day))
                now[name] = before[name] if hits is None else hits
            gone = inventory.close_missing(scan, "crm", {("globex", name) for name in now}, later(day))
            inventory.end(scan, "done", later(day))
            assert gone == [("globex", name) for name in sorted(before.keys() - now.keys())]
            _check_changes(inventory, scan, before, now)
            for name, hits in now.items():
                for field in hits:
                    first.setdefault((name, field), later(day).date())
            truth.append((scan, now))
        for scan, then in truth:
            view = inventory.at(scan)
            assert [asset.name for asset in view.assets()] == sorted(then)
            flat = _flat(then)
            assert {(one.asset, one.finding.field): one.finding.hits for one in view.findings()} == flat
            ended = later(scan - 1).date()
            for one in view.findings():
                assert one.first_seen == first[one.asset, one.finding.field]
                assert one.first_seen <= one.last_seen <= ended
                assert one.last_seen == ended  # every scan here looked at everything
        if truth:
            assert _stripped(inventory.at().findings()) == _stripped(inventory.at(truth[-1][0]).findings())


def _flat(assets: dict[str, dict[str, int]]) -> dict[tuple[str, str], int]:
    return {(name, field): hits for name, fields in assets.items() for field, hits in fields.items()}


def _stripped(known: list[KnownFinding] | list[KnownAsset]) -> list[object]:
    return [dataclasses.replace(one, last_seen=NOON.date()) for one in known]


def _check_changes(
    inventory: Inventory, scan: int, before: dict[str, dict[str, int]], now: dict[str, dict[str, int]]
) -> None:
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
