"""The inventory keeps what every scan found, and shows it as it was after any of them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from mapkeeper.errors import InventoryError
from mapkeeper.inventory import Inventory, finding_id
from mapkeeper.model import Depth, Fact, Flow, Gap, Kind, Place, Reason
from recording import (
    NOON,
    begin,
    finding,
    later,
    record,
    result,
    rows_of,
    scanned,
    source,
)


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


def test_a_second_scan_that_finds_the_same_writes_no_row_and_moves_last_seen(inventory: Inventory, place: str) -> None:
    scanned(inventory, result())
    before = rows_of(place, "finding"), rows_of(place, "asset_state")
    scan = scanned(inventory, result(mark="m2"), days=3)
    assert (rows_of(place, "finding"), rows_of(place, "asset_state")) == before
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
    inventory: Inventory, place: str
) -> None:
    first = scanned(inventory, result(findings=[finding("email"), finding("name")]))
    once = rows_of(place, "finding")
    scan = begin(inventory, later(1))
    record(inventory, scan, result(findings=[finding("email", hits=9), finding("phone")]), later(1))
    record(inventory, scan, result(findings=[finding("email"), finding("name")]), later(1))
    assert rows_of(place, "finding") == once
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
    assert dataclasses.astuple(known["globex", "a"]) == ("m1", "r1", Depth.SAMPLE, True, frozenset(), NOON.date())
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


def test_each_scan_keeps_the_client_files_it_ran_with_and_a_text_only_once(inventory: Inventory, place: str) -> None:
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
    assert len(rows_of(place, "client_text")) == 3


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


def test_names_of_any_length_are_kept_apart_and_found_again(inventory: Inventory) -> None:
    noise = "".join(f"{number:x}/" for number in range(20_000))  # more than a page of an index takes, also compressed
    names = [noise, noise + "a", noise + "b"]
    scanned(inventory, *map(result, names))
    scan = begin(inventory, later(1))
    record(inventory, scan, result(names[0]), later(1))
    inventory.seen(scan, "globex", "crm", names[1:2], later(1))
    gone = inventory.close_missing(scan, "crm", {("globex", name) for name in names[:2]}, later(1))
    assert gone == [("globex", names[2])]
    assert [(one.name, one.last_seen) for one in inventory.at().assets()] == [
        (name, later(1).date()) for name in names[:2]
    ]


def test_names_that_differ_only_in_case_accents_or_form_are_different_and_in_order_of_code_points(
    inventory: Inventory,
) -> None:
    names = ["a", "A", "ä", "a\u0308", "ß", "ss", "ß ", "", " ", "Z", "_", "😀", "a%", "a_", "a\\", "\u0130", "\u0131"]
    scanned(inventory, *map(result, names))
    assert [one.name for one in inventory.at().assets()] == sorted(names)
    assert len({one.id for one in inventory.at().findings()}) == len(names)
    scan = begin(inventory, later(1))
    inventory.seen(scan, "globex", "crm", ["A", "a%"], later(1))
    assert [one.name for one in inventory.at().assets() if one.last_seen == later(1).date()] == ["A", "a%"]


def test_figures_are_kept_to_the_last_bit_and_what_is_no_number_is_unknown(inventory: Inventory) -> None:
    largest = 2**63 - 1
    facts = [Fact("size", 2**100, "api"), Fact("ratio", 0.1 + 0.2, "api"), Fact("rate", float("nan"), "api")]
    what = dataclasses.replace(finding(hits=largest, confidence=1 / 3), chance=float("inf"))
    scanned(inventory, result(findings=[what], rows=largest, facts=facts))
    (asset,), (known,) = inventory.at().assets(), inventory.at().findings()
    assert asset.coverage.rows_read == known.finding.hits == largest
    assert (known.finding.confidence, known.finding.chance) == (1 / 3, None)
    assert [fact.value for fact in asset.facts] == [2**100, 0.1 + 0.2, None]
    again = scanned(inventory, result(findings=[what], rows=largest, facts=facts), days=1)
    assert inventory.changes(again) == []


@pytest.mark.parametrize("rows", [2**63, -(2**63) - 1, 2**200])
def test_a_figure_that_does_not_fit_is_refused(inventory: Inventory, rows: int) -> None:
    scan = begin(inventory)
    with pytest.raises(InventoryError, match="a figure or text does not fit"):
        record(inventory, scan, result(rows=rows))
    assert inventory.at().assets() == []


def test_a_text_of_many_megabytes_is_kept(inventory: Inventory) -> None:
    long = "é😀 'quoted' \\ \n\t\x7f" * 200_000
    scanned(inventory, result(findings=[finding(why=long)]))
    assert inventory.at().findings()[0].finding.why[0] == long


def test_a_place_that_a_store_spells_oddly_is_kept(inventory: Inventory) -> None:
    inventory.put_sources([source()])
    inventory.source_state("crm", "ok", Place("IE", "\n  eu\x00\ud800", None, "api"), NOON)
    assert inventory.at().sources()[0].place.region == "\n  eu\\u0000\\ud800"


@pytest.mark.parametrize("moment", [dt.datetime.max, dt.datetime(1, 1, 2), dt.datetime(1900, 1, 1, 0, 0, 0, 1)])
def test_moments_of_any_year_come_back_to_the_microsecond(inventory: Inventory, moment: dt.datetime) -> None:
    moment = moment.replace(tzinfo=dt.UTC)
    inventory.put_sources([source()])
    inventory.source_state("crm", "ok", None, moment)
    assert inventory.at().sources()[0].last_scan == moment
