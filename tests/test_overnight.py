"""Scans that are left alone: whatever happens to them, nothing is lost and the next goes on."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from calling import Run, wait_until
from mapkeeper import config, discover
from mapkeeper.inventory import Inventory
from mapkeeper.model import Depth
from mapkeeper.plugin import Pace
from mapkeeper.scan import Choice, Scan, crew, examine
from tape import Tape

LARGE = 24
"""Batches of 8 MiB: three rests, and more than is read without processes of its own."""


@pytest.fixture
def tape(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tape:
    made = Tape(workspace, tmp_path / "tape")
    monkeypatch.syspath_prepend(made.folder)
    return made


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scans read in the process of the test, however large the assets, where it does not matter who reads them."""
    read_here(monkeypatch)


def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on: each process that is not started saves the seconds in which it loads the rules."""
    monkeypatch.setattr(crew, "WORTH_A_PROCESS", 1 << 40)


def scan(mapkeeper: Run, workspace: Path, *options: str) -> Any:
    return mapkeeper("scan", "--depth", "full", *options, "--workspace", workspace)


def found(mapkeeper: Run, workspace: Path) -> list[dict[str, Any]]:
    rows = mapkeeper("findings", "--all", "--workspace", workspace, "--format", "json").rows
    return [{key: value for key, value in row.items() if key not in ("first_seen", "last_seen")} for row in rows]


def covered(mapkeeper: Run, workspace: Path) -> dict[str, dict[str, Any]]:
    rows = mapkeeper("coverage", "--workspace", workspace, "--format", "json").rows
    return {row["asset"]: row for row in rows}


def limit(workspace: Path, **limits: float) -> None:
    """Give the last source, which is the tape, limits."""
    with (workspace / "clients" / "globex.toml").open("a") as file:
        file.write(f"limits = {{ {', '.join(f'{key} = {value}' for key, value in limits.items())} }}\n")


def hold(workspace: Path, **terms: str) -> None:
    """Set terms for the workers."""
    path = workspace / "mapkeeper.toml"
    lines = "".join(f"{key} = {value}\n" for key, value in terms.items())
    path.write_text(path.read_text().replace("[scan]\n", f"[scan]\n{lines}", 1))
    assert lines in path.read_text()


def start(workspace: Path, tape: Tape) -> subprocess.Popen[str]:
    """A scan, with workers, that has come to where the script makes it wait."""
    command = [sys.executable, "-m", "mapkeeper", "scan", "--depth", "full", "--workspace", str(workspace)]
    process = subprocess.Popen(command, env={**os.environ, **tape.env}, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: tape.waits, process)
    return process


def test_a_scan_killed_within_an_asset_goes_on_there_and_finds_what_an_undisturbed_one_does(
    workspace: Path, tape: Tape, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape.write({"users": {"batches": LARGE, "waits_at": 20}})
    killed = start(workspace, tape)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    tape.go()
    tape.write({"users": {"batches": LARGE}})
    assert scan(mapkeeper, workspace).exit == 0
    assert tape.read("users") == list(range(16, LARGE))  # behind the second rest
    resumed = found(mapkeeper, workspace)
    assert covered(mapkeeper, workspace)["users"]["rows_read"] == LARGE * 1000
    read_here(monkeypatch)
    assert scan(mapkeeper, workspace, "--fresh").exit == 0
    assert tape.read("users")[LARGE - 16 :] == list(range(LARGE))
    assert found(mapkeeper, workspace) == resumed
    assert [row["hits"] for row in resumed if row["category"] == "contact.email"] == [LARGE * 1000]


def test_ctrl_c_ends_a_scan_with_its_workers_and_keeps_how_far_it_came(
    workspace: Path, tape: Tape, mapkeeper: Run
) -> None:
    tape.write({"users": {"batches": LARGE, "waits_at": 20}})
    ended = start(workspace, tape)
    workers = psutil.Process(ended.pid).children(recursive=True)
    ended.send_signal(signal.SIGINT)
    _, err = ended.communicate(timeout=30)
    assert (ended.returncode, err) == (1, "mapkeeper: interrupted; what was recorded stays\n")
    assert len(workers) > 0
    assert psutil.wait_procs(workers, timeout=10)[1] == []
    tape.write({"users": {"batches": LARGE}})
    scan(mapkeeper, workspace)
    assert tape.read("users") == list(range(16, LARGE))


def test_what_changed_since_it_was_half_read_is_read_from_its_start(
    workspace: Path, tape: Tape, here: None, mapkeeper: Run
) -> None:
    limit(workspace, rows=10_000)
    tape.write({"users": {"batches": LARGE}})
    scan(mapkeeper, workspace)
    tape.write({"users": {"batches": LARGE, "mark": "2"}})
    scan(mapkeeper, workspace)
    assert tape.read("users")[0] == 0


def test_an_asset_whose_source_cannot_tell_changes_is_not_taken_up_in_the_middle(
    workspace: Path, tape: Tape, here: None, mapkeeper: Run
) -> None:
    limit(workspace, rows=10_000)
    tape.write({"users": {"batches": LARGE, "mark": None}})
    scan(mapkeeper, workspace)
    tape.write({"users": {"batches": LARGE, "mark": None}})
    scan(mapkeeper, workspace)
    assert tape.read("users")[0] == 0


def test_a_budget_ends_a_scan_and_the_next_goes_on_until_all_is_read(
    workspace: Path, tape: Tape, here: None, mapkeeper: Run
) -> None:
    tape.write({"logins": {"batches": 3}, "users": {"batches": 10}})
    assert scan(mapkeeper, workspace).exit == 0
    undisturbed = found(mapkeeper, workspace)
    limit(workspace, rows=6_000)
    tape.write({"logins": {"batches": 3, "mark": "2"}, "users": {"batches": 10, "mark": "2"}})
    read: list[int] = []
    for _ in range(3):
        ran = scan(mapkeeper, workspace)
        assert ran.exit == 0, ran.err
        users = covered(mapkeeper, workspace)["users"]
        read.append(len(tape.read("users")))
        assert {gap["reason"] for gap in users["gaps"]} <= {"budget"}
    assert covered(mapkeeper, workspace)["users"]["complete"]
    assert (len(tape.read("logins")), tape.read("users")) == (3, list(range(10)))
    assert read[0] < read[1] <= 10
    assert found(mapkeeper, workspace) == undisturbed


def test_an_asset_that_the_budget_did_not_reach_keeps_its_findings(
    workspace: Path, tape: Tape, here: None, mapkeeper: Run
) -> None:
    tape.write({"logins": {"batches": 3}, "users": {"batches": 3}})
    scan(mapkeeper, workspace)
    before = found(mapkeeper, workspace)
    limit(workspace, rows=1)
    tape.write({"logins": {"batches": 3, "mark": "2"}, "users": {"batches": 3, "mark": "2"}})
    scan(mapkeeper, workspace)
    assert {row["asset"] for row in found(mapkeeper, workspace)} == {row["asset"] for row in before}


def test_a_slow_pace_is_not_taken_for_silence(workspace: Path, tape: Tape, mapkeeper: Run) -> None:
    hold(workspace, timeout="3")
    limit(workspace, rows_per_second=200)
    tape.write({"users": {"batches": 2}, "large": {"batches": 1, "says": 200}})
    assert scan(mapkeeper, workspace).exit == 0
    rows = covered(mapkeeper, workspace)
    assert rows["users"]["complete"]
    assert rows["large"]["complete"]


class Unwatched:
    """Nobody looks on."""

    def surveyed(self, source: str, assets: int, bytes: int | None) -> None: ...
    def read(self, source: str, asset: str, bytes: int) -> None: ...
    def recorded(self, source: str, asset: str, findings: int, gaps: int) -> None: ...


def test_a_budget_that_does_not_last_comes_to_every_asset_in_turn(workspace: Path, tape: Tape, here: None) -> None:
    limit(workspace, rows=2_000)
    reached: set[str] = set()
    for night in range(1, 5):
        tape.write({name: {"batches": 2, "mark": str(night)} for name in "abcd"})  # all change by day
        opened = config.load(workspace, discover.catalogue())
        moment = dt.datetime(2026, 11, night, tzinfo=dt.UTC)
        with Inventory.open(opened.inventory_url) as inventory:
            Scan(opened, inventory, Choice(("tape",), depth=Depth.FULL), lambda: moment, Unwatched()).run()  # noqa: B023
        reached |= {name for name in "abcd" if tape.read(name)}
    assert reached == set("abcd")


def test_a_source_that_is_lost_for_good_keeps_how_far_it_came(
    workspace: Path, tape: Tape, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine, "PAUSES", ())
    tape.write({"users": {"batches": 3, "drops_at": 2}})
    scan(mapkeeper, workspace)
    assert [gap["reason"] for gap in covered(mapkeeper, workspace)["users"]["gaps"]] == ["unreachable"]
    tape.write({"users": {"batches": 3}})
    assert scan(mapkeeper, workspace).exit == 0
    assert tape.read("users") == [2]
    users = covered(mapkeeper, workspace)["users"]
    assert (users["complete"], users["rows_read"]) == (True, 3000)


def test_what_was_half_read_stays_so_when_the_budget_does_not_reach_it(
    workspace: Path, tape: Tape, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape.write({name: {"batches": 9, "waits_at": 1} for name in "ab"})
    limit(workspace, rows=4_000)
    two_workers = start(workspace, tape)
    wait_until(lambda: all(map(tape.read, "ab")), two_workers)
    tape.go()
    two_workers.communicate()
    both = {name: tape.read(name) for name in "ab"}
    assert all(0 < len(batches) < 9 for batches in both.values())
    read_here(monkeypatch)  # one asset after the other
    scan(mapkeeper, workspace)
    assert sum(tape.read(name) == both[name] for name in "ab") == 1
    for _ in range(4):
        scan(mapkeeper, workspace)
    assert (tape.read("a"), tape.read("b")) == (list(range(9)), list(range(9)))


def test_a_reader_that_hangs_costs_what_lies_behind_and_nothing_else(
    workspace: Path, tape: Tape, mapkeeper: Run
) -> None:
    hold(workspace, timeout="10")
    tape.write({"good": {"batches": 5}, "stuck": {"batches": LARGE, "hangs_at": 10}})
    assert scan(mapkeeper, workspace).exit == 0
    rows = covered(mapkeeper, workspace)
    assert rows["good"]["complete"]
    assert [(gap["reason"], rows["stuck"]["rows_read"]) for gap in rows["stuck"]["gaps"]] == [("timeout", 8000)]
    assert {row["asset"]: row["hits"] for row in found(mapkeeper, workspace) if row["level"] == "certain"} == {
        "good": 5000,
        "stuck": 8000,
    }
    tape.write({"good": {"batches": 5}, "stuck": {"batches": LARGE}})
    assert scan(mapkeeper, workspace).exit == 0
    assert (tape.read("good"), tape.read("stuck")) == ([], list(range(8, LARGE)))
    assert covered(mapkeeper, workspace)["stuck"]["complete"]


def test_a_reader_that_takes_too_much_memory_is_ended(workspace: Path, tape: Tape, mapkeeper: Run) -> None:
    tape.write({"good": {"batches": 5}, "swollen": {"batches": 5, "swells_at": 2}})
    assert scan(mapkeeper, workspace).exit == 0
    rows = covered(mapkeeper, workspace)
    assert rows["good"]["complete"]
    assert [gap["reason"] for gap in rows["swollen"]["gaps"]] == ["too_large"]


def test_a_worker_that_dies_once_costs_nothing_and_one_that_always_dies_one_asset(
    workspace: Path, tape: Tape, mapkeeper: Run
) -> None:
    tape.write(
        {
            "cursed": {"batches": 12, "dies_at": 10},
            "good": {"batches": 5},
            "unlucky": {"batches": 12, "dies_once_at": 9},
        }
    )
    assert scan(mapkeeper, workspace).exit == 0
    rows = covered(mapkeeper, workspace)
    assert rows["good"]["complete"]
    assert rows["unlucky"]["complete"]
    assert tape.read("unlucky") == [*range(9), *range(8, 12)]
    assert [(gap["reason"], rows["cursed"]["rows_read"]) for gap in rows["cursed"]["gaps"]] == [("crashed", 8000)]


def test_a_lost_connection_is_opened_again_and_reading_goes_on(workspace: Path, tape: Tape, mapkeeper: Run) -> None:
    tape.write({"users": {"batches": 3, "drops_once_at": 2}})
    assert scan(mapkeeper, workspace).exit == 0
    assert covered(mapkeeper, workspace)["users"]["complete"]
    assert tape.read("users") == [0, 1, 2]


def test_a_connection_lost_where_nothing_tells_how_to_go_on_is_a_gap(
    workspace: Path, tape: Tape, mapkeeper: Run
) -> None:
    tape.write({"users": {"batches": 3, "drops_once_at": 2, "resumes": False}})
    assert scan(mapkeeper, workspace).exit == 0
    users = covered(mapkeeper, workspace)["users"]
    assert [(gap["reason"], users["rows_read"]) for gap in users["gaps"]] == [("unreachable", 2000)]


def test_a_pace_waits_for_what_goes_beyond_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waited = [100.0], []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    pace = Pace(requests=2, rows=1000).shared(2)
    pace.requests()
    assert waited == []
    pace.requests()
    assert waited == [1.0]
    pace.rows(4000)
    assert pace.owed == 8.0
    pace.rows(1000)
    assert pace.owed == 10.0
    now[0] += 60
    pace.requests()
    Pace().requests(1_000_000)
    Pace().rows(1_000_000)
    assert (waited, pace.owed, Pace().owed) == ([1.0], 0.0, 0.0)


def test_rows_a_second_are_kept_to_while_reading(workspace: Path, tape: Tape, mapkeeper: Run) -> None:
    limit(workspace, rows_per_second=500, seconds=1)
    tape.write({"users": {"batches": 9}})
    scan(mapkeeper, workspace)
    assert len(tape.read("users")) <= 2  # the second waits for two seconds


def test_a_checkpoint_tells_nothing_without_the_clients_key(
    workspace: Path, tape: Tape, here: None, mapkeeper: Run
) -> None:
    limit(workspace, rows=10_000)
    tape.write({"users": {"batches": LARGE}})
    scan(mapkeeper, workspace)
    content = b"".join(path.read_bytes() for path in workspace.glob("inventory.db*"))
    assert b"Distinct" not in content
    assert b"FieldTally" not in content  # nor in the open
    (workspace / "keys" / "globex.key").write_text("0" * 64)
    tape.write({"users": {"batches": LARGE}})
    scan(mapkeeper, workspace)
    assert tape.read("users")[0] == 0


def test_a_plan_says_how_much_would_be_read_and_how_long_that_takes(
    workspace: Path, tape: Tape, here: None, mapkeeper: Run
) -> None:
    tape.write({"logins": {"batches": 2}, "users": {"batches": 2}})
    plan = ["scan", "--plan", "--depth", "full", "--workspace", workspace, "--format", "json"]
    (row,) = mapkeeper(*plan).rows
    assert (row["assets"], row["rows"], row["bytes"], row["requests"]) == (2, 4000, 4 << 23, 4)
    assert row["by"] == "guess"
    assert not tape.log.exists()
    scan(mapkeeper, workspace)
    tape.write({"logins": {"batches": 2}, "users": {"batches": 2, "mark": "2"}})
    (row,) = mapkeeper(*plan).rows
    assert (row["assets"], row["rows"], row["by"]) == (1, 2000, "its last scan")
    limit(workspace, requests_per_second=0.01)
    (row,) = mapkeeper(*plan).rows
    assert row["seconds"] == 200
