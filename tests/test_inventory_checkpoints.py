"""What a scan has read half is kept sealed, until the asset is read to its end or is gone; and how fast a source is."""

from __future__ import annotations

import pytest

from mapkeeper.errors import BusyError, InventoryError
from mapkeeper.inventory import Inventory
from recording import NOON, begin, later, lost, record, result, rows_of, source

SEALED = bytes(range(256)) * 5000


def put(inventory: Inventory, scan: int, name: str, sealed: bytes = b"half", *, client: str = "globex") -> None:
    inventory.put_checkpoint(scan, client, "crm", name, sealed, NOON)


def test_the_newest_checkpoint_of_an_asset_comes_back_as_it_was_sealed(inventory: Inventory, place: str) -> None:
    scan = begin(inventory)
    for sealed in (b"", b"first", SEALED):
        put(inventory, scan, "a", sealed)
    put(inventory, scan, "a", b"of another", client="initech")
    assert inventory.checkpoint("globex", "crm", "a") == SEALED
    assert inventory.checkpoint("initech", "crm", "a") == b"of another"
    assert inventory.checkpoints("crm") == {("globex", "a"), ("initech", "a")}
    assert len(rows_of(place, "checkpoint")) == 2


def test_what_has_none_gives_none(inventory: Inventory) -> None:
    begin(inventory)
    assert inventory.checkpoint("globex", "crm", "a") is None
    assert inventory.checkpoints("crm") == inventory.checkpoints("elsewhere") == frozenset()


def test_names_of_any_length_and_kind_have_checkpoints(inventory: Inventory) -> None:
    scan = begin(inventory)
    for name in ("caf\udce9\x00.csv", "x" * 100_000):
        put(inventory, scan, name, name.encode(errors="replace"))
        assert inventory.checkpoint("globex", "crm", name) == name.encode(errors="replace")
    assert ("globex", "caf\\udce9\\u0000.csv") in inventory.checkpoints("crm")


def test_an_asset_that_is_recorded_has_none_any_more(inventory: Inventory) -> None:
    scan = begin(inventory)
    for name in ("a", "b", "c"):
        put(inventory, scan, name)
    record(inventory, scan, result("a"))
    record(inventory, scan, lost("b"))
    assert inventory.checkpoints("crm") == {("globex", "c")}


def test_an_asset_whose_record_is_refused_keeps_its_own(inventory: Inventory) -> None:
    scan = begin(inventory)
    put(inventory, scan, "a")
    with pytest.raises(InventoryError):
        record(inventory, scan, result("a", rows=2**63))
    assert inventory.checkpoints("crm") == {("globex", "a")}


def test_what_vanished_has_none_any_more_though_it_was_never_recorded(inventory: Inventory) -> None:
    scan = begin(inventory)
    inventory.put_sources([source("siem")])
    record(inventory, scan, result("known"))
    for name in ("known", "new", "there"):
        put(inventory, scan, name)
    inventory.put_checkpoint(scan, "globex", "siem", "new", b"half", NOON)
    assert inventory.close_missing(scan, "crm", {("globex", "there")}, NOON) == [("globex", "known")]
    assert inventory.checkpoints("crm") == {("globex", "there")}
    assert inventory.checkpoints("siem") == {("globex", "new")}


def test_only_the_scan_that_holds_the_source_writes_them(inventory: Inventory) -> None:
    first = begin(inventory)
    inventory.lease(first, "crm", NOON)
    put(inventory, first, "a")
    second = begin(inventory, later(minutes=6))
    inventory.lease(second, "crm", later(minutes=6))
    with pytest.raises(InventoryError, match="scan 1 is over"):
        put(inventory, first, "a", b"late")
    third = begin(inventory, later(minutes=7))
    with pytest.raises(BusyError):
        inventory.put_checkpoint(third, "globex", "crm", "a", b"late", later(minutes=7))
    assert inventory.checkpoint("globex", "crm", "a") == b"half"  # it outlives the scan that put it
    with pytest.raises(InventoryError, match="knows no source elsewhere"):
        inventory.put_checkpoint(second, "globex", "elsewhere", "a", b"half", later(minutes=7))


def test_the_speed_of_a_source_is_that_of_the_last_scan_that_read_something(inventory: Inventory) -> None:
    inventory.put_sources([source()])
    assert inventory.speed("crm") is inventory.speed("elsewhere") is None
    inventory.source_state("crm", "ok", None, NOON, seconds=2.5, bytes_read=10**12)
    assert inventory.speed("crm") == 4e11
    inventory.source_state("crm", "unreachable", None, NOON)
    inventory.put_sources([source()])
    assert inventory.speed("crm") == 4e11
    inventory.source_state("crm", "ok", None, NOON, seconds=4.0, bytes_read=2)
    assert inventory.speed("crm") == 0.5


@pytest.mark.parametrize(("seconds", "bytes_read"), [(0.0, 10), (1.0, 0)])
def test_what_took_no_time_or_read_nothing_has_no_speed(inventory: Inventory, seconds: float, bytes_read: int) -> None:
    inventory.put_sources([source()])
    inventory.source_state("crm", "ok", None, NOON, seconds=seconds, bytes_read=bytes_read)
    assert inventory.speed("crm") is None
