"""What people decide about findings holds over rescans, for what it is about and nothing else, and nothing is lost."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calling import Run, add_source
from canaries import IBAN, MAIL, Search
from mapkeeper import config
from mapkeeper.cli import deciding, reading, verdict
from mapkeeper.inventory import Aim, Inventory, literal, verdict_id
from mapkeeper.model import About, Gap, Kind, KnownFinding, Reason, Verdict, VerdictState
from mapkeeper.report.cells import csv_text
from recording import NOON, begin, finding, later, lost, record, result, rows_of, scanned, url

EMAIL = About("globex", "crm", "customers", "email", "standard/contact/email", None)


def decided(about: About = EMAIL, state: str = "dismissed", at: dt.datetime = NOON, **more: object) -> Verdict:
    made = Verdict(verdict_id(about), VerdictState(state), about, "a reason", "Ada", at)
    return replace(made, **more)  # type: ignore[arg-type]


def states(inventory: Inventory, at: dt.datetime = NOON, scan: int | None = None) -> dict[tuple[str, str], str | None]:
    found = inventory.at(scan, judged=at).findings()
    return {(one.asset, one.finding.field): None if one.verdict is None else one.verdict.state.value for one in found}


# In the inventory, on either database


def test_a_verdict_is_of_its_field_and_rule_and_no_other(inventory: Inventory) -> None:
    other_rule = replace(finding(), entity="IBAN_CODE", category="financial.bank_account", rule="standard/x/iban@1")
    scanned(inventory, result("customers", [finding(), finding("name"), other_rule]), result("suppliers"))
    inventory.put_verdicts([decided()])
    found = {
        (one.asset, one.finding.field, one.finding.entity): one.verdict
        for one in inventory.at(judged=NOON).findings()
        if one.verdict is not None
    }
    assert found == {("customers", "email", "EMAIL_ADDRESS"): decided()}
    assert {one.verdict for one in inventory.at().findings()} == {None}, "who asks for no moment gets no verdicts"


def test_a_verdict_survives_rescans_and_another_version_of_its_rule(inventory: Inventory) -> None:
    scanned(inventory, result())
    inventory.put_verdicts([decided()])
    scanned(inventory, result("customers", [replace(finding(hits=7), rule="standard/contact/email@2")]), days=1)
    assert states(inventory, later(1)) == {("customers", "email"): "dismissed"}


def test_verdicts_are_shown_as_they_were_then(inventory: Inventory) -> None:
    first = scanned(inventory, result())
    inventory.put_verdicts([decided(at=later(minutes=30))])
    second = scanned(inventory, result(), days=1)
    inventory.put_verdicts([decided(state="confirmed", at=later(2))])
    now = later(3)
    field = ("customers", "email")
    assert states(inventory, inventory.moment(str(first), now), first) == {field: None}
    assert states(inventory, inventory.moment(str(second), now), second) == {field: "dismissed"}
    assert states(inventory, inventory.moment("2026-11-21", now), first) == {field: "dismissed"}, "of the day its end"
    assert states(inventory, now) == {field: "confirmed"}


def test_of_a_scan_that_still_runs_the_moment_is_now(inventory: Inventory) -> None:
    assert inventory.moment(str(begin(inventory)), later(minutes=1)) == later(minutes=1)


def test_an_expired_verdict_no_longer_counts_from_the_day_after(inventory: Inventory) -> None:
    scanned(inventory, result())
    inventory.put_verdicts([decided(expires=NOON.date())])
    assert states(inventory, later(minutes=60)) == {("customers", "email"): "dismissed"}
    assert states(inventory, later(days=1)) == {("customers", "email"): None}
    assert [one.expires for one in inventory.verdicts(later(days=1))] == [NOON.date()]


def test_the_last_verdict_about_the_same_counts_and_every_one_is_kept(inventory: Inventory, place: str) -> None:
    scanned(inventory, result())
    row = [decided(), decided(state="accepted", author="Bob"), decided(state="withdrawn", author="Eve", reason=None)]
    for number, one in enumerate(row):
        inventory.put_verdicts([one])
        assert inventory.verdict_history(NOON) == row[: number + 1]
        assert inventory.verdicts(NOON) == ([one] if number < 2 else [])
    assert states(inventory) == {("customers", "email"): None}
    assert len(rows_of(place, "verdict")) == 3


def test_the_order_of_writing_decides_and_not_the_clocks_of_those_who_write(inventory: Inventory) -> None:
    inventory.put_verdicts([decided(at=later(minutes=5))])
    inventory.put_verdicts([decided(state="confirmed", at=NOON)])
    assert [one.state for one in inventory.verdicts(later(days=1))] == ["confirmed"]


def test_the_narrower_verdict_counts_whichever_came_first(inventory: Inventory) -> None:
    scanned(inventory, result("customers", [finding(), finding("mail")]), result("suppliers"))
    wide = replace(EMAIL, client=None, source="*", asset="*", field="*", rule=None)
    inventory.put_verdicts([decided(state="confirmed"), decided(wide, at=later(minutes=1))])
    found = {
        ("customers", "email"): "confirmed",
        ("customers", "mail"): "dismissed",
        ("suppliers", "email"): "dismissed",
    }
    assert states(inventory, later(minutes=2)) == found


def test_a_verdict_of_a_category_takes_every_rule_of_it(inventory: Inventory) -> None:
    ip = replace(finding(), entity="IP", category="online.ip", rule="standard/online/ip@1")
    scanned(inventory, result("customers", [finding(), ip]))
    inventory.put_verdicts([decided(replace(EMAIL, rule=None, category="contact"))])
    known = inventory.at(judged=NOON).findings()
    assert {one.finding.category: one.verdict is not None for one in known} == {
        "contact.email": True,
        "online.ip": False,
    }


ADDED = About("globex", "crm", "customers", "remarks", None, "health.record")


def test_what_a_person_adds_is_a_finding_while_its_asset_is_there(inventory: Inventory) -> None:
    scanned(inventory, result("customers"), result("suppliers"))
    inventory.put_verdicts([decided(ADDED, "added", later(1))])
    (one,) = [one for one in inventory.at(judged=later(1)).findings() if one.finding.added]
    assert (one.asset, one.finding.field, one.finding.category) == ("customers", "remarks", "health.record")
    assert (one.finding.rule, one.finding.hits, one.finding.special) == ("verdict/added", 0, "art9")
    assert (one.first_seen, one.last_seen) == (later(1).date(), later(1).date())
    assert one.verdict is not None
    assert one.verdict.state is VerdictState.ADDED
    scanned(inventory, result("suppliers"), days=2)
    assert not [one for one in inventory.at(judged=later(2)).findings() if one.finding.added]
    assert inventory.verdicts(later(2)) != []


def test_what_a_scan_finds_after_all_is_not_said_twice(inventory: Inventory) -> None:
    inventory.put_verdicts([decided(ADDED, "added")])
    found = replace(finding("remarks", confidence=0.3), category="health.record", entity="ICD", rule="standard/h/icd@1")
    scanned(inventory, result("customers", [found]))
    (one,) = inventory.at(judged=NOON).findings()
    assert (one.finding.added, one.verdict and one.verdict.state) == (False, VerdictState.ADDED)


def test_what_somebody_added_stays_where_somebody_else_dismisses_a_rule(inventory: Inventory) -> None:
    found = replace(finding("remarks"), category="health.record", entity="ICD", rule="standard/h/icd@1")
    scanned(inventory, result("customers", [found]))
    rule = replace(ADDED, rule="standard/h/icd", category=None)
    inventory.put_verdicts([decided(ADDED, "added"), decided(rule, at=later(minutes=1))])
    known = inventory.at(judged=later(minutes=2)).findings()
    assert {one.finding.added: one.verdict and one.verdict.state.value for one in known} == {
        False: "dismissed",
        True: "added",
    }


def test_many_who_decide_at_once_lose_nothing(inventory: Inventory, place: str) -> None:
    code = f"""
import sys, datetime as dt
from mapkeeper.inventory import Inventory, verdict_id
from mapkeeper.model import About, Verdict, VerdictState
who, number = sys.argv[1], 0
def decided(field):
    about = About("globex", "crm", "customers", field, "r", None)
    return Verdict(verdict_id(about), VerdictState.DISMISSED, about, str(number), who, dt.datetime.now(dt.UTC))
with Inventory.open({place!r}) as inventory:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(10):
        inventory.put_verdicts([decided("email"), decided(who + str(number))])
"""
    command = [sys.executable, "-c", code]
    runners = [
        subprocess.Popen([*command, who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for who in "ab"
    ]
    for one in runners:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in runners:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for one in runners:
        one.communicate()
        assert one.returncode == 0
    given = inventory.verdict_history(dt.datetime.now(dt.UTC))
    for who in "ab":
        same = [one.reason for one in given if (one.author, one.about.field) == (who, "email")]
        assert same == [str(number) for number in range(10)]
    assert len(given) == 40
    assert len(inventory.verdicts(dt.datetime.now(dt.UTC))) == 21


def test_names_that_no_database_takes_are_kept_spelt_out(inventory: Inventory) -> None:
    inventory.put_verdicts([decided(replace(EMAIL, field="a\x00b\ud800"))])
    assert [one.about.field for one in inventory.verdicts(NOON)] == [r"a\u0000b\ud800"]


def test_a_backup_keeps_verdicts(tmp_path: Path) -> None:
    with Inventory.open(url(tmp_path / "i.db")) as inventory:
        scanned(inventory, result())
        inventory.put_verdicts([decided()])
        inventory.backup(tmp_path / "copy.db")
    with Inventory.open(url(tmp_path / "copy.db")) as restored:
        assert states(restored) == {("customers", "email"): "dismissed"}
        assert restored.verdict_history(NOON) == [decided()]


# What one is about

_names = st.text(alphabet=st.sampled_from("ab*?\\[].é\n/"), max_size=8)


@given(_names, _names)
def test_the_glob_of_a_name_takes_it_and_no_other(name: str, other: str) -> None:
    aim = Aim(About(None, "*", "*", literal(name), None, None))
    for field in (name, other):
        known = KnownFinding("f", "c", "s", "a", finding(field), NOON.date(), NOON.date())
        assert aim.takes(known) == (field == name)


@pytest.mark.parametrize(
    ("glob", "name", "taken"),
    [
        ("logs/*.csv", "logs/a/b.csv", True),
        ("logs/*.csv", "logs/a.csv.gz", False),
        ("items[].e?ail", "items[].email", True),
        ("items[].e?ail", "items[0].email", False),
        ("auth.log", "auth.log*", True),
        ("auth.log", "auth.log.1", False),
        ("auth.log*", "auth.log", True),
        ("Auth*", "auth.log", False),
    ],
)
def test_a_glob_takes_names_as_written(glob: str, name: str, taken: bool) -> None:
    assert Aim(About("c", "s", glob, "*", None, None)).takes_asset("c", "s", name) is taken


@pytest.mark.parametrize(
    ("kind", "first", "tomorrow", "strangers"),
    [
        (Kind.FILE, "auth.log", ["auth.log*"], ["auth.log.bak", "auth.logs"]),
        (Kind.FILE, "pay_2026-01.csv", ["pay_2026-02.csv", "pay_*.csv"], ["pay.csv"]),
        (Kind.FILE, "pay_2026-01.csv.gz", ["pay_2026-02.csv", "pay_*.csv"], ["pays.csv"]),
        (Kind.FILE, "dt=2026-01-01/part-0.parquet", ["dt=*/part-*.parquet", "dt=2026-01-02/part-1.parquet"], ["dt=x"]),
        (Kind.FAMILY, "auth.log*", ["auth.log", "auth.log.1"], ["auth"]),
        (Kind.TABLE, "public.events_2026_01", [], ["public.events_2026_02"]),
        (Kind.FILE, "what*is?this.csv", [], ["what-is-this.csv"]),
    ],
)
def test_a_verdict_on_an_asset_holds_for_its_family(
    kind: Kind, first: str, tomorrow: Sequence[str], strangers: Sequence[str], tmp_path: Path
) -> None:
    with Inventory.open(url(tmp_path / "i.db")) as inventory:
        scanned(inventory, result(first, kind=kind))
        (asset,) = inventory.at().assets()
    aim = Aim(replace(EMAIL, asset=deciding.family(asset)))
    for name in (first, *tomorrow):
        assert aim.takes_asset("globex", "crm", name), name
    for name in strangers:
        assert not aim.takes_asset("globex", "crm", name), name


# On the command line

NUMBERS = [{"build": f"10.2.0.{n}", "email": f"ada.{n}@example.org"} for n in range(40)]


def write(path: Path, rows: Sequence[dict[str, str]] = NUMBERS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


IP = replace(finding("build", confidence=0.6), category="online.ip", entity="IP", rule="standard/online/ip@1")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two assets, recorded as a scan would; to be copied, which is quicker than to be made."""
    folder = tmp_path_factory.mktemp("template") / "workspace"
    config.start(folder, "Northlight Security", "CA-QC")
    config.add_client(folder, "globex", "Globex SA", "FR")
    add_source(folder, "globex", "crm", "files", path="stores/crm")
    with Inventory.open(url(folder / "inventory.db")) as inventory:
        scanned(inventory, result("people.csv", [finding(), IP], kind=Kind.FILE), result("other.csv", kind=Kind.FILE))
    return folder


@pytest.fixture
def house(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with two assets, on the day after their scan."""
    for module in (reading, verdict):
        monkeypatch.setattr(module, "clock", lambda: later(1))
    monkeypatch.setattr(deciding, "without_people", lambda *_: None)  # takes a second; see those who ask for `strict`
    monkeypatch.setenv("MAPKEEPER_AUTHOR", "Ada")
    folder = Path(shutil.copytree(template, tmp_path / "workspace"))
    monkeypatch.setenv("MAPKEEPER_WORKSPACE", str(folder))
    return folder


WITHOUT_PEOPLE = deciding.without_people


@pytest.fixture
def strict(house: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, where texts are searched for people."""
    monkeypatch.setattr(deciding, "without_people", WITHOUT_PEOPLE)
    return house


def ids(mapkeeper: Run, *options: str) -> dict[tuple[str, str], str]:
    rows = mapkeeper("findings", "--format", "json", *options).rows
    return {(row["asset"], row["field"]): row["id"] for row in rows}


BUILD = ("people.csv", "build")


def test_a_false_alarm_is_dismissed_by_the_id_that_the_table_shows(house: Path, mapkeeper: Run) -> None:
    whole = ids(mapkeeper)[BUILD]
    printed = mapkeeper("findings", "--all").out
    (line,) = [line for line in printed.splitlines() if "online.ip" in line]
    short = line.split()[0]
    assert whole.startswith(short)
    assert len(short) < len(whole)
    done = mapkeeper("verdict", "dismiss", short, "--reason", "build numbers")
    assert done.exit == 0, done.err
    assert done.out.startswith("dismissed v-")
    assert done.out.endswith(": 1 finding in 1 asset of globex; by Ada ($MAPKEEPER_AUTHOR)\n")
    assert BUILD not in ids(mapkeeper, "--all")
    assert ("people.csv", "email") in ids(mapkeeper)
    assert ids(mapkeeper, "--dismissed")[BUILD] == whole
    shown = next(row for row in mapkeeper("findings", "--dismissed", "--format", "json").rows if row["id"] == whole)
    assert shown["verdict"] == {
        "id": done.out.split()[1].rstrip(":"),
        "state": "dismissed",
        "reason": "build numbers",
        "author": "Ada",
        "at": "2026-11-22T12:00:00+00:00",
        "expires": None,
    }
    assert "state dismissed, reason build numbers" in mapkeeper("findings", "--dismissed", "--format", "csv").out


def test_a_dismissed_finding_stays_so_and_out_of_the_register_when_all_is_read_again(
    workspace: Path, mapkeeper: Run
) -> None:
    at = ["--workspace", str(workspace)]
    add_source(workspace, "globex", "crm", "files", path="stores/crm")
    for name in ("people.csv", "staff.csv"):
        write(workspace / "stores" / "crm" / name)
    assert mapkeeper("scan", "--workers", "1", *at).exit == 0
    found = ids(mapkeeper, *at)
    why = ["--reason", "of no person", "--author", "Ada", *at]
    for name in ("people.csv", "staff.csv"):
        assert mapkeeper("verdict", "dismiss", found[name, "email"], *why).exit == 0

    write(workspace / "stores" / "crm" / "people.csv.1")
    assert mapkeeper("scan", "--fresh", "--workers", "1", *at).exit == 0
    shown, dismissed = ids(mapkeeper, "--all", *at), ids(mapkeeper, "--dismissed", *at)
    for name in ("people.csv*", "staff.csv"):
        assert (name, "email") not in shown
        assert (name, "email") in dismissed
    assert dismissed["staff.csv", "email"] == found["staff.csv", "email"]
    printed = mapkeeper("register", "--client", "globex", "--format", "json", *at)
    assert printed.exit == 0, printed.err
    assert found["staff.csv", "email"] not in printed.out


def test_the_register_leaves_out_what_was_dismissed_and_prints_what_was_added(house: Path, mapkeeper: Run) -> None:
    def record() -> tuple[set[str], str]:
        printed = mapkeeper("register", "--client", "globex", "--format", "json")
        assert printed.exit == 0, printed.err
        return {one["category"] for one in json.loads(printed.out)["findings"]}, printed.out

    assert "to confirm" in record()[1]
    confirmed = mapkeeper("verdict", "confirm", ids(mapkeeper)[BUILD])
    assert confirmed.exit == 0, confirmed.err
    assert "to confirm" not in record()[1]
    mapkeeper("verdict", "dismiss", ids(mapkeeper)[BUILD], "--reason", "build numbers")
    assert record()[0] == {"contact.email"}
    added = mapkeeper("verdict", "add", "globex", "crm", "people.csv", "email", "health.record", "--reason", "asked")
    assert added.exit == 0, added.err
    categories, printed = record()
    assert categories == {"contact.email", "health.record"}
    row = next(
        row
        for section in json.loads(printed)["sections"]
        if section["key"] == "categories"
        for row in section["rows"]
        if row["about"] == "health.record"
    )
    values = {cell["key"]: cell["values"] for cell in row["cells"]}
    assert values["personal_data_categories"][0]["state"] == "declared only"
    assert values["personal_data_categories"][0]["note"] == "added by a person"
    assert values["record_count"][0]["text"] == "1 field of 1 asset, rows not counted"
    html = mapkeeper("register", "--client", "globex").out
    assert "added by Ada on 22 November 2026: asked" in html
    assert mapkeeper("register", "--client", "globex", "--format", "xlsx", "-o", house / "r.xlsx").exit == 0


def test_a_possible_finding_that_is_confirmed_is_shown_and_printed(house: Path, mapkeeper: Run) -> None:
    with Inventory.open(url(house / "inventory.db")) as inventory:
        scanned(inventory, result("people.csv", [finding(confidence=0.2)], kind=Kind.FILE))
    email = ("people.csv", "email")
    assert email not in ids(mapkeeper)
    assert mapkeeper("verdict", "confirm", ids(mapkeeper, "--all")[email]).exit == 0
    assert email in ids(mapkeeper)
    printed = json.loads(mapkeeper("register", "--client", "globex", "--format", "json").out)
    assert [one["asset"] for one in printed["findings"]] == ["people.csv"]


def test_options_widen_a_verdict_and_a_preview_says_what_it_would_touch(house: Path, mapkeeper: Run) -> None:
    email = ids(mapkeeper)["people.csv", "email"]
    assert [row["findings"] for row in mapkeeper("verdict", "preview", email, "--format", "json").rows] == [1]
    wide = ["--asset", "*.csv", "--field", "*", "--any-rule"]
    rows = mapkeeper("verdict", "preview", email, *wide, "--format", "json").rows
    assert [(row["client"], row["asset"], row["findings"], row["decided"]) for row in rows] == [
        ("globex", "other.csv", 1, 0),
        ("globex", "people.csv", 2, 0),
    ]
    tried = mapkeeper("verdict", "dismiss", email, *wide, "--dry-run")
    assert tried.out.endswith("3 findings in 2 assets of globex; 0 decided already\n")
    assert mapkeeper("verdict", "list", "--format", "json").rows == []
    done = mapkeeper("verdict", "dismiss", email, *wide, "--reason", "test data")
    assert "3 findings in 2 assets" in done.out
    assert ids(mapkeeper, "--all") == {}
    by_category = mapkeeper("verdict", "confirm", email, "--category", "contact", "--asset", "*")
    assert "2 findings in 2 assets of globex" in by_category.out
    assert set(ids(mapkeeper)) == {("other.csv", "email"), ("people.csv", "email")}


def test_a_verdict_for_all_clients_takes_those_of_others(house: Path, mapkeeper: Run) -> None:
    with Inventory.open(url(house / "inventory.db")) as inventory:
        scan = begin(inventory, later(1))
        record(inventory, scan, result("people.csv", kind=Kind.FILE), later(1), client="initech")
        inventory.end(scan, "done", later(1))
    email = next(
        row["id"] for row in mapkeeper("findings", "--format", "json").rows if row["client"] == "globex"
        and (row["asset"], row["field"]) == ("people.csv", "email")
    )  # fmt: skip
    one = mapkeeper("verdict", "preview", email, "--format", "json").rows
    every = mapkeeper("verdict", "preview", email, "--all-clients", "--format", "json").rows
    assert ([row["client"] for row in one], [row["client"] for row in every]) == (["globex"], ["globex", "initech"])
    mapkeeper("verdict", "dismiss", email, "--all-clients", "--reason", "role addresses")
    assert mapkeeper("verdict", "list", "--client", "globex", "--format", "json").rows[0]["client"] is None


def test_the_list_says_what_expired_what_matches_nothing_and_what_was_replaced(
    house: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ids(mapkeeper)
    mapkeeper("verdict", "accept", found[BUILD], "--reason", "audit", "--expires", "2026-11-22", "--author", "Bob")
    mapkeeper("verdict", "dismiss", found["people.csv", "email"], "--reason", "one")
    mapkeeper("verdict", "dismiss", found["people.csv", "email"], "--reason", "another")
    mapkeeper("verdict", "dismiss", found["other.csv", "email"], "--reason", "gone soon")
    with Inventory.open(url(house / "inventory.db")) as inventory:
        scanned(inventory, result("people.csv", [finding(), IP], kind=Kind.FILE), days=2)
    for module in (reading, verdict):
        monkeypatch.setattr(module, "clock", lambda: later(3))
    told = [
        (row["state"], row["standing"], row["asset"], row["findings"], row["author"])
        for row in mapkeeper("verdict", "list", "--format", "json").rows
    ]
    assert told == [
        ("accepted", "expired", "people.csv", 1, "Bob"),
        ("dismissed", "in force", "people.csv", 1, "Ada"),
        ("dismissed", "in force", "other.csv", 0, "Ada"),
    ]
    email = mapkeeper("verdict", "list", "--format", "json").rows[1]["id"]
    taken = mapkeeper("verdict", "withdraw", email[:9])
    assert taken.exit == 0, taken.err
    assert taken.out.startswith(f"withdrawn {email}: 1 finding")
    assert ("people.csv", "email") in ids(mapkeeper)
    history = mapkeeper("verdict", "list", "--history", "--format", "json").rows
    assert [(row["state"], row["standing"], row["reason"]) for row in history] == [
        ("accepted", "expired", "audit"),
        ("dismissed", "replaced", "one"),
        ("dismissed", "replaced", "another"),
        ("dismissed", "in force", "gone soon"),
        ("withdrawn", "withdrawn", None),
    ]
    then = mapkeeper("verdict", "list", "--at", "2026-11-22", "--format", "json").rows
    assert [row["standing"] for row in then] == ["in force"] * 3
    assert mapkeeper("verdict", "list", "--at", "1", "--format", "json").rows == []
    for format in ("table", "csv"):
        assert "gone soon" in mapkeeper("verdict", "list", "--history", "--format", format).out


def test_findings_and_register_show_verdicts_as_they_were(house: Path, mapkeeper: Run) -> None:
    mapkeeper("verdict", "dismiss", ids(mapkeeper)[BUILD], "--reason", "build numbers")
    assert BUILD not in ids(mapkeeper)
    assert BUILD in ids(mapkeeper, "--at", "1")
    assert BUILD in ids(mapkeeper, "--at", "2026-11-21")
    assert BUILD not in ids(mapkeeper, "--at", "2026-11-22")
    for at, seen in (("1", True), ("2026-11-22", False)):
        printed = json.loads(mapkeeper("register", "--client", "globex", "--format", "json", "--at", at).out)
        assert (BUILD[1] in {one["field"] for one in printed["findings"]}) is seen


def test_who_decides_is_said_and_how_that_is_known(
    house: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = ids(mapkeeper)[BUILD]

    def by(*options: str) -> str:
        return mapkeeper("verdict", "confirm", build, *options).out.partition("; by ")[2].strip()

    assert by("--author", " Eve  Moneypenny ") == "Eve Moneypenny (--author)"
    assert by() == "Ada ($MAPKEEPER_AUTHOR)"
    monkeypatch.delenv("MAPKEEPER_AUTHOR")
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(house))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "eve")
    assert by() == "eve (the system's user)"
    (house / ".gitconfig").write_text("[user]\n\tname = Eve M.\n")
    assert by() == "Eve M. (git config)"
    monkeypatch.setenv("PATH", str(house))
    assert by() == "eve (the system's user)"


WRONG = [
    (["dismiss", "f-nothing", "--reason", "x"], "f-nothing: no finding has such an id; "),
    (["dismiss", "f-", "--reason", "x"], "f-: 3 findings have such an id; write more of it: f-"),
    (["dismiss", "--reason", "x"], "FINDING: give the id that `mapkeeper findings` prints"),
    (["dismiss", "EMAIL"], "--reason: say why"),
    (["accept", "EMAIL", "--reason", "  "], "--reason: say why"),
    (["confirm", "EMAIL", "--reason", ""], "--reason: say why"),
    (["dismiss", "EMAIL", "--reason", "x" * 1001], "--reason: has 1,001 characters"),
    (["dismiss", "EMAIL", "--reason", "x", "--author", " "], "--author: give a name"),
    (["dismiss", "EMAIL", "--reason", "x", "--expires", "2026-11-21"], "--expires 2026-11-21: is over; give "),
    (
        ["dismiss", "EMAIL", "--reason", "x", "--expires", "soon"],
        "--expires soon: is no day; write it as in 2027-11-22",
    ),
    (["dismiss", "EMAIL", "--reason", "x", "--category", "contct"], "contct: is no category; did you mean 'contact'?"),
    (["dismiss", "EMAIL", "--reason", "x", "--category", "online"], "--category: f-"),
    (["preview", "EMAIL", "--asset", "logs/*"], "--asset: f-"),
    (["add", "globx", "crm", "people.csv", "email", "online.ip"], "CLIENT globx: is no client; did you mean 'globex'?"),
    (["add", "globex", "cmr", "people.csv", "email", "online.ip"], "SOURCE cmr: is no source of globex"),
    (
        ["add", "globex", "crm", "person.csv", "email", "online.ip"],
        "ASSET: no scan saw such an asset in crm",
    ),
    (["add", "globex", "crm", "people.csv", "emial", "online.ip"], "no such field; did you mean 'email'?"),
    (["add", "globex", "crm", "people.csv", "email", "online.up"], "CATEGORY online.up: is no category"),
    (["add", "globex", "crm", "people.csv", " ", "online.ip"], "FIELD: is empty"),
    (["add", "globex", "crm", "people.csv", "email", "online.ip"], "--reason: say why"),
    (["withdraw", "v-nothing"], "v-nothing: no verdict has such an id; `mapkeeper verdict list` lists them"),
    (["withdraw"], "VERDICT: give the id"),
    (["list", "--client", "globx"], "--client globx: is no client"),
]


@pytest.mark.parametrize(("words", "says"), WRONG, ids=[" ".join(words)[:60] for words, _ in WRONG])
def test_what_cannot_be_is_one_line_that_says_what_to_do(
    words: list[str], says: str, house: Path, mapkeeper: Run
) -> None:
    email = ids(mapkeeper)["people.csv", "email"]
    ran = mapkeeper("verdict", *(email if word == "EMAIL" else word for word in words))
    assert (ran.exit, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert says in ran.err
    assert mapkeeper("verdict", "list", "--history", "--format", "json").rows == []


def test_what_a_person_added_is_taken_back_and_not_decided_upon(house: Path, mapkeeper: Run) -> None:
    add = ["verdict", "add", "globex", "crm", "*.csv", "email", "health.record", "--reason", "asked"]
    assert mapkeeper(*add, "--dry-run").out.count(".csv") == 2
    assert "2 findings in 2 assets of globex" in mapkeeper(*add).out
    row = next(row for row in mapkeeper("findings", "--format", "json").rows if row["category"] == "health.record")
    ran = mapkeeper("verdict", "confirm", row["id"])
    assert ran.exit == 2
    assert f"`mapkeeper verdict withdraw {row['verdict']['id']}` takes that back" in ran.err


def test_what_lies_in_no_asset_that_was_read_wholly_may_still_be_there(house: Path, mapkeeper: Run) -> None:
    with Inventory.open(url(house / "inventory.db")) as inventory:
        scanned(inventory, result("people.csv", gaps=[Gap(Reason.BUDGET)], kind=Kind.FILE))
    words = [
        "verdict",
        "add",
        "globex",
        "crm",
        "people.csv",
        "unseen",
        "health.record",
        "--reason",
        "the owner said so",
    ]
    assert mapkeeper(*words).exit == 0


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["dismiss", "EMAIL", "--reason", f"asked {MAIL} today"], "--reason"),
        (["dismiss", "EMAIL", "--reason", "x", "--asset", f"*{MAIL}*"], "--asset"),
        (["add", "globex", "crm", "people.csv", "email", "online.ip", "--reason", f"of {IBAN}"], "--reason"),
        (["add", "globex", "crm", f"{MAIL}.csv", "email", "online.ip", "--reason", "x"], "ASSET"),
        (["add", "globex", "crm", "people.csv", MAIL, "online.ip", "--reason", "x"], "FIELD"),
    ],
)
def test_nobody_is_named_in_what_is_kept_of_a_verdict(
    words: list[str], option: str, strict: Path, mapkeeper: Run
) -> None:
    email = ids(mapkeeper)["people.csv", "email"]
    ran = mapkeeper("verdict", *(email if word == "EMAIL" else word for word in words))
    assert (ran.exit, ran.out) == (2, "")
    assert ran.err.startswith(f"mapkeeper: {option}: ")
    search = Search()
    search.look(ran.err, "stderr")
    for path in strict.rglob("inventory.db*"):
        search.look(path.read_bytes(), path.name)
    assert search.nothing()


def test_a_name_that_a_person_types_is_searched_before_it_is_kept(strict: Path, mapkeeper: Run) -> None:
    with Inventory.open(url(strict / "inventory.db")) as inventory:
        scanned(inventory, lost("people.csv"))
    ran = mapkeeper("verdict", "add", "globex", "crm", "people.csv", MAIL, "online.ip", "--reason", "asked")
    assert (ran.exit, ran.err[:42]) == (2, "mapkeeper: FIELD: holds an e-mail address,")


def test_a_reason_may_speak_of_tickets_days_and_builds(strict: Path, mapkeeper: Run) -> None:
    why = "ticket SOC-20261 of 2026-11-20: builds 10432 to 10999 (CI), décidé avec l'équipe, voir #4711"
    assert mapkeeper("verdict", "dismiss", ids(mapkeeper)[BUILD], "--reason", why).exit == 0


def test_a_verdict_in_a_spreadsheet_is_words() -> None:
    told = {"state": "dismissed", "reason": "=1+1", "expires": None}
    assert csv_text(["verdict"], [[told]]).splitlines()[1] == '"state dismissed, reason =1+1"'
