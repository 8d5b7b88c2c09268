"""The demo's estate: that it is as it says, and that its scan finds what is there and nothing else."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import ipaddress
import json
import re
import sqlite3
import stat
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import stdnum.ca.sin
import stdnum.iban
import stdnum.luhn

from mapkeeper import config
from mapkeeper.categories import categories
from mapkeeper.demo import SEED, build
from mapkeeper.errors import UsageError

DAY = dt.date(2026, 11, 21)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("estate")
    build(folder, DAY)
    return folder


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("demo_truth.toml").read_text(encoding="utf-8"))


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def text_of(estate: Path) -> Iterator[tuple[str, str]]:
    """Every file's contents as text, and the database's cells."""
    for name, raw in files_of(estate).items():
        if name.endswith(("referrals.csv.gz", ".pdf", ".parquet", ".db", ".key")):
            continue
        yield name, (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    with closing(sqlite3.connect(estate / "stores/lumen.db")) as shop:
        yield "lumen.db", "\n".join(shop.iterdump())
    patients = pq.read_table(estate / "stores/boreal/patients.parquet").to_pylist()
    yield "patients.parquet", "\n".join(" ".join(map(str, patient.values())) for patient in patients)


def shop_rows(estate: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(estate / "stores/lumen.db")) as shop:
        return shop.execute(query).fetchall()


# --- the estate -------------------------------------------------------------------------------------------------


def test_same_seed_and_day_give_the_same_bytes_and_times_but_for_the_keys(estate: Path, tmp_path: Path) -> None:
    build(tmp_path, DAY, SEED)
    first, second = files_of(estate), files_of(tmp_path)
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} == {
        f"keys/{client}.key" for client in ("boreal", "globex", "lumen", "northlight")
    }
    for name in first:
        if name.startswith("stores/"):
            assert (estate / name).stat().st_mtime == (tmp_path / name).stat().st_mtime


def test_another_seed_gives_other_people(estate: Path, tmp_path: Path) -> None:
    build(tmp_path, DAY, SEED + 1)
    query = "SELECT email FROM customers LIMIT 20"
    assert shop_rows(estate, query) != shop_rows(tmp_path, query)


@pytest.mark.parametrize("day", [dt.date(2028, 2, 29), dt.date(2027, 1, 1)])
def test_every_date_is_counted_back_from_the_day(tmp_path: Path, day: dt.date) -> None:
    build(tmp_path, day)
    [[last]] = shop_rows(tmp_path, "SELECT max(ordered_at) FROM orders")
    assert 0 < (dt.datetime.combine(day, dt.time()) - dt.datetime.fromisoformat(last)).total_seconds() < 2 * 86_400
    assert (tmp_path / f"stores/boreal/appointments_{day}.csv").is_file()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        build(tmp_path, DAY)
    assert files_of(tmp_path) == {"mine.txt": b"mine"}


def test_it_is_made_in_under_three_seconds_and_fifteen_megabytes(tmp_path: Path) -> None:
    started = time.process_time()
    build(tmp_path, DAY)
    assert time.process_time() - started < 3
    assert sum(map(len, files_of(tmp_path).values())) <= 15_000_000


def test_keys_are_the_owner_s_alone_and_hold_32_bytes_each(estate: Path) -> None:
    keys = [*(estate / "keys").iterdir()]
    assert stat.S_IMODE((estate / "keys").stat().st_mode) == 0o700
    assert [stat.S_IMODE(key.stat().st_mode) for key in keys] == [0o600] * 4
    assert len({bytes.fromhex(key.read_text()) for key in keys}) == 4
    assert {len(bytes.fromhex(key.read_text())) for key in keys} == {32}


def test_the_configuration_is_right_to_the_last_key(estate: Path) -> None:
    workspace = config.load(estate, {"files": lambda: {"path": False}, "sql": lambda: {"url": True}})
    assert set(workspace.clients) == {"lumen", "boreal", "globex", "northlight"}
    assert workspace.own is not None
    assert workspace.own.id == "northlight"
    assert workspace.client_of("siem", "unsorted/vpn-sessions.csv") == ("northlight", True)
    for client in workspace.clients:
        assert len(workspace.key_of(client)) == 64
    for entry in workspace.sources.values():
        where = str(entry.settings.get("path") or entry.settings["url"]).removeprefix("sqlite:///")
        assert (estate / where).exists()


def test_every_name_of_a_host_is_one_that_is_kept_for_examples(estate: Path) -> None:
    mail = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
    web = re.compile(r"https?://([^/\s\"')]+)")
    seen = 0
    for name, text in text_of(estate):
        for host in (*mail.findall(text), *web.findall(text)):
            seen += 1
            assert host.removesuffix(".json").endswith((".example", "example.com")), f"a host in {name}"
    assert seen > 10_000


def test_every_address_of_the_network_is_private_or_for_documentation(estate: Path) -> None:
    kept = [
        ipaddress.ip_network(net)
        for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "10.0.0.0/8")
    ]
    firewall = (estate / "stores/siem/globex/firewall.log").read_text()
    texts = [row[0] for row in shop_rows(estate, "SELECT ip FROM sessions UNION SELECT client_ip FROM orders")]
    texts += re.findall(r'(?:src|dst)="([^"]+)"', firewall)
    texts += [line.split(" ", 1)[0] for line in (estate / "stores/siem/lumen/access.log").read_text().splitlines()]
    assert len(texts) > 5_000
    for text in texts:
        address = ipaddress.ip_address(text)
        assert any(address in net for net in kept if net.version == address.version)


def test_every_card_account_and_insurance_number_passes_its_check(estate: Path) -> None:
    cards = re.findall(r"card (\d+)", (estate / "stores/siem/lumen/payment.log").read_text())
    assert len(cards) > 30
    assert all(map(stdnum.luhn.is_valid, cards))
    refunds = [row[0] for row in shop_rows(estate, "SELECT refund_iban FROM payments WHERE refund_iban IS NOT NULL")]
    leaked = re.findall(r"iban=(\w+)", (estate / "stores/siem/globex/app.log").read_text())
    assert {iban[:2] for iban in refunds} == {"FR", "DE", "GB"}
    assert len(leaked) == 1
    assert all(map(stdnum.iban.is_valid, [*refunds, *leaked]))
    for path in (estate / "stores/boreal").glob("payroll_*.csv"):
        with path.open(newline="") as file:
            assert all(stdnum.ca.sin.is_valid(row["nas"]) for row in csv.DictReader(file))
    for patient in pq.read_table(estate / "stores/boreal/patients.parquet").to_pylist():
        found = re.fullmatch(r"[A-Z]{4}(\d\d)(\d\d)(\d\d)\d\d", patient["ramq"])
        assert found is not None
        born, month = patient["birth_date"], int(found[2]) - (50 if patient["sex"] == "F" else 0)
        assert (int(found[1]), month, int(found[3])) == (born.year % 100, born.month, born.day)


def test_the_traps_are_set(estate: Path) -> None:
    numbers = [row[0] for row in shop_rows(estate, "SELECT order_number FROM orders")]
    passing = sum(map(stdnum.luhn.is_valid, numbers))
    assert {len(number) for number in numbers} == {16}
    assert 0.05 < passing / len(numbers) < 0.15
    versions = [row[0] for row in shop_rows(estate, "SELECT version FROM app_releases")]
    assert all(ipaddress.ip_address(version) for version in versions)
    notes = shop_rows(estate, "SELECT id FROM support_tickets WHERE note LIKE '%@%'")
    assert [row[0] for row in notes] == [*range(50, 601, 50)]
    with (estate / "stores/siem/globex/exports/fair_contacts.csv").open(newline="") as file:
        strays = {row["email"] for row in csv.DictReader(file)}
    assert len(strays & {row[0] for row in shop_rows(estate, "SELECT email FROM customers")}) == 40
    assert (estate / "stores/boreal/allergies.csv").read_bytes() == b""
    with pytest.raises(EOFError), gzip.open(estate / "stores/boreal/referrals.csv.gz") as cut:
        cut.read()
    [exported] = (estate / "stores/siem/globex/mail-exports").iterdir()
    assert re.fullmatch(r"[a-z]+\.[a-z]+@globex\.example\.json", exported.name)


# --- the truth --------------------------------------------------------------------------------------------------


def words(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_truth_speaks_of_known_categories_and_of_columns_that_are_there(
    estate: Path, truth: dict[str, Any]
) -> None:
    for asset in truth["asset"]:
        for table in ("must", "may", "traps"):
            for value in asset.get(table, {}).values():
                assert {word for text in words(value) for word in text.split("|")} <= categories().keys()
        if asset["source"] == "shop":
            columns = {row[1] for row in shop_rows(estate, f"PRAGMA table_info({asset['name']})")}
            named = {field for table in ("must", "may", "traps") for field in asset.get(table, {})}
            assert named <= columns


@dataclass
class Scan:
    """What the demo's own scan left: findings with every level, and what was read."""

    findings: list[dict[str, Any]]
    coverage: list[dict[str, Any]]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    from typer.testing import CliRunner

    from mapkeeper.cli import app

    folder = tmp_path_factory.mktemp("scanned") / "demo"
    runner = CliRunner()
    made = runner.invoke(app, ["demo", str(folder)])
    assert made.exit_code in (0, 1), made.output
    answers = []
    for command in (["findings", "--all"], ["coverage"]):
        shown = runner.invoke(app, [*command, "--workspace", str(folder), "--format", "json"])
        assert shown.exit_code == 0, shown.output
        answers.append(json.loads(shown.stdout))
    return Scan(*answers)


Fault = tuple[str, str, str]
"""Asset as the truth names it (``client source:name``), field, category."""


@dataclass
class Verdict:
    """A scan held against the truth."""

    missed: set[Fault]  # in must, and not found at certain or likely
    false: set[Fault]  # found at certain or likely, and neither in must nor in may
    demanded: int

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / self.demanded


def belongs(row: Mapping[str, Any], asset: Mapping[str, Any]) -> bool:
    same = (row["client"], row["source"]) == (asset["client"], asset["source"])
    return same and fnmatchcase(row["asset"], asset["name"])


def label(asset: Mapping[str, Any]) -> str:
    return f"{asset['client']} {asset['source']}:{asset['name']}"


def hold(findings: Iterable[Mapping[str, Any]], truth: Mapping[str, Any]) -> Verdict:
    """Hold findings against the truth, asset by asset."""
    shown = [row for row in findings if row["level"] in ("certain", "likely")]
    verdict = Verdict(set(), set(), 0)
    for asset in truth["asset"]:
        found = {(row["field"], row["category"]) for row in shown if belongs(row, asset)}
        right = {(field, key) for field, value in asset.get("may", {}).items() for key in words(value)}
        for field, value in asset.get("must", {}).items():
            for demand in words(value):
                either = {(field, key) for key in demand.split("|")}
                verdict.demanded += 1
                right |= either
                if not either & found:
                    verdict.missed.add((label(asset), field, demand))
        verdict.false |= {(label(asset), field, category) for field, category in found - right}
    return verdict


def excused(truth: Mapping[str, Any], table: str) -> set[Fault]:
    return {(row["asset"], row["field"], row["category"]) for row in truth.get(table, ())}


def test_holding_tells_what_is_missed_from_what_is_false() -> None:
    truth = {
        "asset": [
            {
                "client": "c",
                "source": "s",
                "name": "log*",
                "must": {"a": "contact.email", "b": ["online.ip", "identity.name|credential.username"]},
                "may": {"b": "location.coarse"},
            }
        ]
    }

    def finding(field: str, category: str, level: str = "likely") -> dict[str, str]:
        return {"client": "c", "source": "s", "asset": "log*", "field": field, "category": category, "level": level}

    verdict = hold(
        [
            finding("a", "contact.email", "possible"),
            finding("b", "credential.username"),
            finding("b", "location.coarse"),
            finding("b", "contact.phone"),
            finding("c", "financial.card", "possible"),
        ],
        truth,
    )
    assert verdict.missed == {("c s:log*", "a", "contact.email"), ("c s:log*", "b", "online.ip")}
    assert verdict.false == {("c s:log*", "b", "contact.phone")}
    assert verdict.demanded == 3


def test_the_scan_lists_every_asset_once_and_no_other(scan: Scan, truth: dict[str, Any]) -> None:
    for asset in truth["asset"]:
        assert len([row for row in scan.coverage if belongs(row, asset)]) == 1, label(asset)
    strangers = [row for row in scan.coverage if not any(belongs(row, asset) for asset in truth["asset"])]
    assert strangers == []


def test_the_scan_finds_what_is_there_but_for_the_known_misses(scan: Scan, truth: dict[str, Any]) -> None:
    assert hold(scan.findings, truth).missed == excused(truth, "known_miss")


def test_the_scan_finds_nothing_that_is_not_there_but_for_what_is_known(scan: Scan, truth: dict[str, Any]) -> None:
    assert hold(scan.findings, truth).false == excused(truth, "known_false")


def test_the_scan_steps_into_no_trap(scan: Scan, truth: dict[str, Any]) -> None:
    traps = {
        (label(asset), field, category)
        for asset in truth["asset"]
        for field, value in asset.get("traps", {}).items()
        for category in words(value)
    }
    stepped_into = hold(scan.findings, truth).false & traps
    assert stepped_into <= excused(truth, "known_false")
    assert traps.isdisjoint(excused(truth, "known_miss"))


def test_the_scan_says_what_it_could_not_read_and_why(scan: Scan, truth: dict[str, Any]) -> None:
    tolerated = set(truth["tolerated_gaps"])
    for asset in truth["asset"]:
        [row] = [row for row in scan.coverage if belongs(row, asset)]
        reasons = {gap["reason"] for gap in row["gaps"]}
        wanted = [set(text.split("|")) for text in asset.get("gaps", ())]
        for either in wanted:
            assert either & reasons, label(asset)
        assert reasons - set().union(*wanted) <= tolerated | set(asset.get("may_gaps", ())), label(asset)
        assert not (wanted and row["complete"]), label(asset)


def test_no_value_of_the_estate_is_in_what_the_scan_shows(scan: Scan, estate: Path) -> None:
    shown = json.dumps([scan.findings, scan.coverage], ensure_ascii=False)
    people = shop_rows(estate, "SELECT email, phone, password_hash FROM customers")
    people += shop_rows(estate, "SELECT refund_iban, gateway_ref, holder_name FROM payments")
    assert not [value for row in people for value in row if value is not None and value in shown]
    assert "@globex.example" not in shown


def test_an_excuse_gives_its_reason_and_is_never_for_what_is_not_demanded(truth: dict[str, Any]) -> None:
    nothing_found = hold([], truth)
    assert excused(truth, "known_miss") <= nothing_found.missed
    assert all(row["reason"] for table in ("known_miss", "known_false") for row in truth.get(table, ()))
