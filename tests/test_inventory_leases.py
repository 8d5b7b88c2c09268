"""One scan a source at a time, also between processes, and no dead scan keeps a source from the living."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from mapkeeper.errors import BusyError, InventoryError
from mapkeeper.inventory import Inventory
from mapkeeper.inventory.opening import open_database
from recording import NOON, begin, later, record, result, source


def another(place: str, code: str) -> subprocess.Popen[str]:
    """Another process with the inventory open as ``inventory``."""
    start = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from mapkeeper.errors import BusyError
        from mapkeeper.inventory import Inventory
        from recording import *
        inventory = Inventory.open({place!r})
    """
    program = textwrap.dedent(start) + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    pipe: IO[str] | None = process.stdin
    assert pipe is not None
    pipe.write("\n")
    pipe.flush()


def ended(process: subprocess.Popen[str]) -> int:
    with process:
        return process.wait()


HOLD = """
    scan = begin(inventory)
    inventory.lease(scan, "crm", NOON)
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_the_second_scan_of_a_source_is_told_who_holds_it_and_until_when(inventory: Inventory) -> None:
    first = begin(inventory)
    inventory.lease(first, "crm", NOON)
    second = begin(inventory, later(minutes=1))
    with pytest.raises(BusyError) as caught:
        inventory.lease(second, "crm", later(minutes=1))
    assert str(caught.value) == (
        f"source crm is being scanned by {socket.gethostname()}, process {os.getpid()}, since 2026-11-21 12:00 UTC; "
        "wait for it; if it died, this ends by itself at 2026-11-21 12:05 UTC"
    )
    inventory.lease(second, "siem", later(minutes=1))


def test_a_lease_can_be_taken_again_by_its_own_scan_and_is_free_after_release(inventory: Inventory) -> None:
    first, second = begin(inventory), begin(inventory)
    inventory.lease(first, "crm", NOON)
    inventory.lease(first, "crm", NOON)
    inventory.release(second, "crm")  # not its own: nothing happens
    with pytest.raises(BusyError):
        inventory.lease(second, "crm", NOON)
    inventory.release(first, "crm")
    inventory.lease(second, "crm", NOON)


def test_the_end_of_a_scan_frees_what_it_held(inventory: Inventory) -> None:
    first, second = begin(inventory), begin(inventory)
    inventory.lease(first, "crm", NOON)
    inventory.end(first, "done", NOON)
    inventory.lease(second, "crm", NOON)


def test_a_scan_without_a_sign_of_life_for_five_minutes_loses_its_sources(inventory: Inventory) -> None:
    first = begin(inventory)
    inventory.lease(first, "crm", NOON)
    second = begin(inventory, later(minutes=4))
    with pytest.raises(BusyError):
        inventory.lease(second, "crm", later(minutes=4.9))
    inventory.lease(second, "crm", later(minutes=5))
    with pytest.raises(BusyError, match="source crm is being scanned"):
        record(inventory, first, result(), later(minutes=6))
    assert inventory.at().assets() == []


def test_a_sign_of_life_keeps_a_source(inventory: Inventory) -> None:
    first = begin(inventory)
    inventory.lease(first, "crm", NOON)
    inventory.renew(first, later(minutes=4))
    second = begin(inventory, later(minutes=6))
    with pytest.raises(BusyError):
        inventory.lease(second, "crm", later(minutes=6))
    record(inventory, first, result(), later(minutes=8))  # a sign of life, too
    inventory.renew(second, later(minutes=8))
    with pytest.raises(BusyError):
        inventory.lease(second, "crm", later(minutes=12))


def test_a_scan_that_died_is_interrupted_at_the_next_begin_and_can_write_no_more(inventory: Inventory) -> None:
    first = begin(inventory)
    alive = begin(inventory, later(minutes=4))
    begin(inventory, later(minutes=6))
    states = {run.id: (run.state, run.ended) for run in inventory.scans()}
    assert states[first] == ("interrupted", NOON)  # its last sign of life
    assert states[alive] == ("running", None)
    over = r"scan 1 is over \(interrupted\)"
    with pytest.raises(InventoryError, match=over):
        inventory.renew(first, later(minutes=7))
    with pytest.raises(InventoryError, match=over):
        record(inventory, first, result(), later(minutes=7))
    with pytest.raises(InventoryError, match=over):
        inventory.lease(first, "crm", later(minutes=7))


def test_a_source_held_by_another_process_is_busy_until_that_process_is_killed(
    inventory: Inventory, place: str
) -> None:
    holder = another(place, HOLD)
    assert said(holder) == "held"
    mine = begin(inventory, later(minutes=1))
    with pytest.raises(BusyError, match=f"process {holder.pid},"):
        inventory.lease(mine, "crm", later(minutes=1))
    holder.send_signal(signal.SIGKILL)
    assert ended(holder) == -signal.SIGKILL
    inventory.lease(mine, "crm", later(minutes=1))  # long before the lease expires: its process is gone
    begin(inventory, later(minutes=1))
    assert [run.state for run in inventory.scans()] == ["interrupted", "running", "running"]


def test_a_holder_on_another_host_is_believed_until_it_expires(inventory: Inventory, place: str) -> None:
    first = begin(inventory)
    inventory.lease(first, "crm", NOON)
    with closing(open_database(place, create=False)) as database, database.writing() as connection:
        connection.exec_driver_sql("UPDATE scan SET host = 'far.example', pid = 2147483646")
    second = begin(inventory, later(minutes=1))
    with pytest.raises(BusyError, match=r"far\.example, process 2147483646"):
        inventory.lease(second, "crm", later(minutes=1))
    inventory.lease(second, "crm", later(minutes=5))


def test_of_many_processes_that_reach_for_a_source_at_once_one_gets_it(inventory: Inventory, place: str) -> None:
    inventory.put_sources([source()])
    race = """
        scan = begin(inventory)
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            inventory.lease(scan, "crm", NOON)
            print("got it", flush=True)
        except BusyError:
            print("busy", flush=True)
        sys.stdin.readline()
    """
    runners = [another(place, race) for _ in range(4)]
    assert [said(one) for one in runners] == ["ready"] * 4
    for one in runners:
        tell(one)
    assert sorted(said(one) for one in runners) == ["busy", "busy", "busy", "got it"]
    for one in runners:
        tell(one)
    assert [ended(one) for one in runners] == [0] * 4


def test_two_processes_record_at_the_same_time_and_lose_nothing(inventory: Inventory, place: str) -> None:
    work = """
        inventory.put_sources([source("siem")])
        scan = begin(inventory)
        inventory.lease(scan, "siem", NOON)
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(40):
            record(inventory, scan, result(f"t{number}"), source="siem")
        inventory.end(scan, "done", NOON)
    """
    other = another(place, work)
    scan = begin(inventory)
    assert said(other) == "ready"
    tell(other)
    for number in range(40):
        record(inventory, scan, result(f"t{number}"))
    assert ended(other) == 0
    assert len(inventory.at().findings()) == 80


def test_a_process_killed_while_it_records_leaves_whole_assets_only(inventory: Inventory, place: str) -> None:
    endless = """
        from itertools import count
        scan = begin(inventory)
        inventory.lease(scan, "crm", NOON)
        fifty = [finding(f"f{number}") for number in range(50)]
        for number in count():
            record(inventory, scan, result(f"t{number}", fifty))
            print(number, flush=True)
    """
    victim = another(place, endless)
    while said(victim) != "7":
        pass
    victim.send_signal(signal.SIGKILL)
    ended(victim)
    if place.startswith("sqlite"):
        with closing(open_database(place, create=False)) as database, database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
    assets = inventory.at().assets()
    assert len(assets) >= 8
    assert len(inventory.at().findings()) == 50 * len(assets)
    again = begin(inventory, later(minutes=1))
    inventory.lease(again, "crm", later(minutes=1))
    assert inventory.known("crm").keys() == {("globex", asset.name) for asset in assets}


def test_a_process_killed_in_the_middle_of_a_write_leaves_nothing_of_it_and_keeps_nobody_waiting(
    inventory: Inventory, place: str
) -> None:
    begin(inventory)
    half = """
        from mapkeeper.inventory.opening import open_database
        with open_database(inventory_url, create=False).writing() as connection:
            connection.exec_driver_sql("DELETE FROM source")
            print("half", flush=True)
            sys.stdin.readline()
    """
    victim = another(place, f"inventory_url = {place!r}\n" + textwrap.dedent(half))
    assert said(victim) == "half"
    assert [one.id for one in inventory.at().sources()] == ["crm"]  # a reader neither waits nor sees it
    victim.send_signal(signal.SIGKILL)
    ended(victim)
    begin(inventory)
    assert [one.id for one in inventory.at().sources()] == ["crm"]
