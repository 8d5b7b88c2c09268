"""A scan from end to end: what is found is recorded, what changed is said, and no fault costs the rest."""

from __future__ import annotations

import csv
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from calling import Run, add_source, wait_until

PEOPLE = [{"name": f"Ada Lovelace{n}", "email": f"ada.{n}@example.org", "plan": "basic"} for n in range(40)]


def write(path: Path, rows: Sequence[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def crm(workspace: Path) -> Path:
    write(workspace / "stores" / "crm" / "people.csv", PEOPLE)
    write(workspace / "stores" / "crm" / "plans.csv", [{"plan": "basic", "seats": "5"}] * 9)
    add_source(workspace, "globex", "crm", "files", path="stores/crm")
    return workspace


def test_a_scan_records_what_each_field_holds(crm: Path, mapkeeper: Run) -> None:
    assert mapkeeper("scan", "--workspace", crm).exit == 0
    rows = mapkeeper("findings", "--workspace", crm, "--format", "json").rows
    emails = [row for row in rows if row["field"] == "email"]
    assert len(emails) == 1
    found = emails[0]
    assert found["id"].startswith("f-")
    assert (found["client"], found["source"], found["asset"]) == ("globex", "crm", "people.csv")
    assert (found["category"], found["level"], found["hits"], found["filled"]) == ("contact.email", "certain", 40, 40)
    assert found["first_seen"] == found["last_seen"]
    assert {row["asset"] for row in rows} == {"people.csv"}


def test_a_second_scan_reads_nothing_again_and_finds_nothing_different(crm: Path, mapkeeper: Run) -> None:
    mapkeeper("scan", "--workspace", crm)
    mapkeeper("scan", "--workspace", crm)
    scans = mapkeeper("history", "--workspace", crm, "--format", "json").rows
    assert [scan["findings_appeared"] > 0 for scan in scans] == [True, False]
    assert mapkeeper("history", "2", "--workspace", crm, "--format", "json").rows == []


def test_a_second_scan_says_what_appeared_changed_and_vanished(crm: Path, mapkeeper: Run) -> None:
    mapkeeper("scan", "--workspace", crm)
    stores = crm / "stores" / "crm"
    write(stores / "people.csv", PEOPLE[:30])
    write(stores / "staff.csv", [{"login_ip": f"192.0.2.{n}"} for n in range(20)])
    (stores / "plans.csv").unlink()
    mapkeeper("scan", "--workspace", crm)
    rows = mapkeeper("history", "2", "--workspace", crm, "--format", "json").rows
    assets = {(row["change"], row["asset"]) for row in rows if row["what"] == "asset"}
    assert ("appeared", "staff.csv") in assets
    assert ("vanished", "plans.csv") in assets
    findings = {(row["change"], row["asset"], row["category"]) for row in rows if row["what"] == "finding"}
    assert ("changed", "people.csv", "contact.email") in findings
    assert ("appeared", "staff.csv", "online.ip") in findings


def test_the_inventory_can_be_read_as_it_was(crm: Path, mapkeeper: Run) -> None:
    mapkeeper("scan", "--workspace", crm)
    (crm / "stores" / "crm" / "people.csv").unlink()
    mapkeeper("scan", "--workspace", crm)
    assert mapkeeper("findings", "--workspace", crm, "--format", "json").rows == []
    then = mapkeeper("findings", "--workspace", crm, "--at", "1", "--format", "json").rows
    assert any(row["category"] == "contact.email" for row in then)
    refused = mapkeeper("findings", "--workspace", crm, "--at", "7")
    assert refused.exit == 3
    assert "no scan 7" in refused.err


def test_ids_of_findings_stay_over_rescans(crm: Path, mapkeeper: Run) -> None:
    mapkeeper("scan", "--workspace", crm)
    before = {row["id"] for row in mapkeeper("findings", "--workspace", crm, "--all", "--format", "json").rows}
    mapkeeper("scan", "--fresh", "--workspace", crm)
    after = {row["id"] for row in mapkeeper("findings", "--workspace", crm, "--all", "--format", "json").rows}
    assert before == after != set()


def test_several_processes_find_the_same_as_one(workspace: Path, mapkeeper: Run) -> None:
    for n in range(3):
        rows = [{"email": f"p{n}.{i}@example.org", "pad": "x" * 6000} for i in range(2200)]
        write(workspace / "stores" / "big" / f"part{chr(97 + n)}.csv", rows)
    add_source(workspace, "globex", "big", "files", path="stores/big")
    found = []
    for workers in ("1", "2"):
        assert mapkeeper("scan", "--fresh", "--depth", "full", "--workers", workers, "--workspace", workspace).exit == 0
        found.append(mapkeeper("findings", "--workspace", workspace, "--all", "--format", "json").rows)
    assert found[0] == found[1]
    assert [row["hits"] for row in found[0] if row["category"] == "contact.email"] == [2200] * 3


def test_a_shared_source_is_booked_to_its_clients_and_the_rest_to_the_provider(workspace: Path, mapkeeper: Run) -> None:
    with (workspace / "mapkeeper.toml").open("a") as file:
        file.write(
            '\n[[source]]\nid = "siem"\nconnector = "files"\npath = "stores/siem"\n'
            'clients = { by = "prefix", map = { "globex/" = "globex" } }\n'
        )
    for name in ("globex/people.csv", "stray.csv"):
        write(workspace / "stores" / "siem" / name, PEOPLE)
    ran = mapkeeper("scan", "--workspace", workspace)
    assert ran.exit == 1
    assert "PD-SEP-002" in ran.err
    assert "stray.csv" in ran.err
    rows = mapkeeper("findings", "--workspace", workspace, "--format", "json").rows
    assert {(row["client"], row["asset"]) for row in rows} == {
        ("globex", "globex/people.csv"),
        ("provider", "stray.csv"),
    }


def test_what_is_excluded_is_a_gap_and_is_not_read(workspace: Path, mapkeeper: Run) -> None:
    write(workspace / "stores" / "crm" / "people.csv", PEOPLE)
    write(workspace / "stores" / "crm" / "tmp_people.csv", PEOPLE)
    with (workspace / "clients" / "globex.toml").open("a") as file:
        file.write('\n[[source]]\nid="crm"\nconnector="files"\npath="stores/crm"\ninclude=["*"]\nexclude=["tmp_*"]\n')
    assert mapkeeper("scan", "--workspace", workspace).exit == 0
    rows = {row["asset"]: row for row in mapkeeper("coverage", "--workspace", workspace, "--format", "json").rows}
    assert [gap["reason"] for gap in rows["tmp_people.csv"]["gaps"]] == ["excluded"]
    assert rows["tmp_people.csv"]["rows_read"] == 0
    assert rows["people.csv"]["complete"]
    assert mapkeeper("scan", "--strict", "--fresh", "--workspace", workspace).exit == 1


def test_a_source_that_cannot_be_reached_does_not_cost_the_others(crm: Path, mapkeeper: Run) -> None:
    add_source(crm, "globex", "gone", "sql", url="sqlite:///stores/gone.db")
    ran = mapkeeper("scan", "--workspace", crm)
    assert ran.exit == 1
    assert "source gone" in ran.err
    states = {row["source"]: row["state"] for row in mapkeeper("sources", "--workspace", crm, "--format", "json").rows}
    assert states == {"crm": "ok", "gone": "unreachable"}
    assert mapkeeper("findings", "--workspace", crm, "--format", "json").rows


def test_nothing_is_scanned_when_the_configuration_is_wrong(crm: Path, mapkeeper: Run) -> None:
    with (crm / "clients" / "globex.toml").open("a") as file:
        file.write("\n[agrement]\n")
    ran = mapkeeper("scan", "--workspace", crm)
    assert ran.exit == 2
    assert ran.err == "mapkeeper: clients/globex.toml: agrement: unknown key; did you mean 'agreement'?\n"
    assert not (crm / "inventory.db").exists()


SLOW = """
import sys, time
from dataclasses import dataclass
from pathlib import Path
import pyarrow as pa
from mapkeeper.plugin import Asset, Batch, Connector, Kind

@dataclass
class Slow(Connector):
    "Reads an asset only once a file says so."
    gate: str
    target = "slow"

    def survey(self):
        for name in ("first", "second", "third"):
            yield Asset(name, Kind.TABLE, "slow", name)

    def mark(self, asset):
        return "1"

    def read(self, asset, plan, resume_from=None):
        gate = Path(self.gate)
        if asset.name == "second":
            gate.with_suffix(".reached").touch()
            while not gate.exists():
                time.sleep(0.02)
        yield Batch(pa.record_batch({"email": ["ada@example.org"] * 9}))
"""


@pytest.fixture
def slow(workspace: Path, tmp_path: Path) -> dict[str, str]:
    """A connector that stops at its second asset until a file appears."""
    package = tmp_path / "plugin"
    (package / "slow-1.dist-info").mkdir(parents=True)
    (package / "slow-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1\n")
    (package / "slow-1.dist-info" / "entry_points.txt").write_text("[mapkeeper.connectors]\nslow = slow:Slow\n")
    (package / "slow.py").write_text(SLOW)
    add_source(workspace, "globex", "slow", "slow", gate=str(tmp_path / "gate"))
    return {"PYTHONPATH": str(package)}


def start(workspace: Path, env: dict[str, str], gate: Path) -> subprocess.Popen[str]:
    """A scan that has come to its second asset."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mapkeeper", "scan", "--workspace", str(workspace)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env},
    )  # fmt: skip
    wait_until(gate.with_suffix(".reached").exists, process)
    return process


def test_of_two_scans_of_one_source_the_second_says_who_holds_it(
    workspace: Path, slow: dict[str, str], mapkeeper: Run, tmp_path: Path
) -> None:
    first = start(workspace, slow, tmp_path / "gate")
    second = mapkeeper("scan", "--workspace", workspace, env=slow)
    (tmp_path / "gate").touch()
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    assert second.exit == 3
    assert f"process {first.pid}" in second.err
    assert "source slow is being scanned by" in second.err


def test_a_killed_scan_leaves_whole_assets_and_the_next_goes_on_from_there(
    workspace: Path, slow: dict[str, str], mapkeeper: Run, tmp_path: Path
) -> None:
    first = start(workspace, slow, tmp_path / "gate")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    with sqlite3.connect(workspace / "inventory.db") as inventory:
        assert inventory.execute("pragma integrity_check").fetchone() == ("ok",)
    inventory.close()
    (tmp_path / "gate").touch()
    ran = mapkeeper("scan", "--workspace", workspace, env=slow)
    assert ran.exit == 0, ran.err
    states = [row["state"] for row in mapkeeper("history", "--workspace", workspace, "--format", "json", env=slow).rows]
    assert sorted(states) == ["done", "interrupted"]
    changed = mapkeeper("history", "2", "--workspace", workspace, "--format", "json", env=slow).rows
    assert {row["asset"] for row in changed if row["what"] == "asset"} == {"second", "third"}


def test_ctrl_c_ends_a_scan_in_one_line_and_keeps_what_was_recorded(
    workspace: Path, slow: dict[str, str], mapkeeper: Run, tmp_path: Path
) -> None:
    first = start(workspace, slow, tmp_path / "gate")
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=60)
    assert first.returncode == 1
    assert err == "mapkeeper: interrupted; what was recorded stays\n"
    rows = mapkeeper("coverage", "--workspace", workspace, "--format", "json", env=slow).rows
    assert [row["asset"] for row in rows] == ["first"]


def test_a_scan_plans_without_reading_or_recording(crm: Path, mapkeeper: Run) -> None:
    ran = mapkeeper("scan", "--plan", "--workspace", crm)
    assert ran.exit == 0
    assert "to read, sample" in ran.out
    assert mapkeeper("history", "--workspace", crm, "--format", "json").rows == []
    mapkeeper("scan", "--workspace", crm)
    assert "unchanged" in mapkeeper("scan", "--plan", "--workspace", crm).out


BLOCKED = """
import os, socket
def refuse(*args, **kwargs):
    with open(os.environ["ATTEMPTS"], "a") as file:
        file.write("attempt\\n")
    raise OSError("the network is cut")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
"""


def test_a_scan_works_with_the_network_cut_and_does_not_even_try(crm: Path, mapkeeper: Run, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "sitecustomize.py").write_text(BLOCKED)
    attempts = tmp_path / "attempts"
    env = {"PYTHONPATH": str(cut), "ATTEMPTS": str(attempts)}
    assert mapkeeper("scan", "--workspace", crm, env=env).exit == 0
    assert mapkeeper("findings", "--workspace", crm, "--category", "contact", "--format", "json", env=env).rows
    assert mapkeeper("inspect", crm / "stores", env=env).exit == 0
    assert not attempts.exists()


def test_what_was_not_read_before_asks_for_attention_again(workspace: Path, mapkeeper: Run) -> None:
    store = workspace / "stores" / "siem"
    write(store / "stray.csv", PEOPLE)
    (store / "globex").mkdir()
    (store / "globex" / "cut.parquet").write_bytes(b"PAR1 and no more")
    with (workspace / "mapkeeper.toml").open("a") as file:
        file.write(
            '\n[[source]]\nid = "siem"\nconnector = "files"\npath = "stores/siem"\n'
            'clients = { by = "prefix", map = { "globex/" = "globex" } }\n'
        )
    for _ in range(2):
        ran = mapkeeper("scan", "--workspace", workspace)
        assert ran.exit == 1
        assert "PD-SEP-002" in ran.err
        (source,) = mapkeeper("sources", "--workspace", workspace, "--format", "json").rows
        assert source["state"] == "partial"


def test_a_filter_that_nothing_can_pass_is_refused(crm: Path, mapkeeper: Run) -> None:
    """ "No findings" for a word with a typo would be taken for good news."""
    mapkeeper("scan", "--workspace", crm)
    for wrong, said in (
        (["--client", "globx"], "did you mean 'globex'?"),
        (["--source", "crn"], "did you mean 'crm'?"),
        (["--category", "contat"], "did you mean 'contact'?"),
        (["--country", "Frnce"], "is no country code"),
    ):
        ran = mapkeeper("findings", *wrong, "--workspace", crm)
        assert ran.exit == 2
        assert said in ran.err


def test_the_sources_of_a_client_include_the_shared_ones(crm: Path, mapkeeper: Run) -> None:
    (crm / "stores" / "siem").mkdir()
    with (crm / "mapkeeper.toml").open("a") as file:
        file.write(
            '\n[[source]]\nid = "siem"\nconnector = "files"\npath = "stores/siem"\n'
            'clients = { by = "prefix", map = { "globex/" = "globex" } }\n'
        )
    rows = mapkeeper("sources", "--client", "globex", "--workspace", crm, "--format", "json").rows
    assert {row["source"] for row in rows} == {"crm", "siem"}
