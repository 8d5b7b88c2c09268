"""The file of the inventory: made for its owner alone, told about in one line where it cannot be used, copied whole."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mapkeeper.errors import InventoryError
from mapkeeper.inventory import Inventory, database
from mapkeeper.inventory.database import Database
from mapkeeper.inventory.opening import open_database
from recording import NOON, begin, record, result, scanned, url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "inventory.db"


@pytest.fixture
def under(file: Path) -> Iterator[Database]:
    """The database under the inventory, for what the inventory lets nobody do."""
    with closing(open_database(url(file), create=True)) as opened:
        yield opened


def refusal(url: str, *, upgrade: bool = True) -> str:
    with pytest.raises(InventoryError) as caught:
        Inventory.open(url, upgrade=upgrade)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_new_inventory_is_for_its_owner_alone_and_waits_for_writers(file: Path) -> None:
    before = os.umask(0)
    try:
        with Inventory.open(url(file)) as inventory:
            begin(inventory)
            assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
            assert (file.parent / "inventory.db-wal").exists()
    finally:
        os.umask(before)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("instead", [False, True])
def test_an_inventory_that_is_deleted_or_replaced_while_in_use_is_told_at_the_next_write(
    file: Path, instead: bool
) -> None:
    with Inventory.open(url(file)) as inventory:
        scan = begin(inventory)
        inventory.lease(scan, "crm", NOON)
        record(inventory, scan, result())
        file.rename(file.with_name("away.db"))
        if instead:
            Inventory.open(url(file)).close()
        with pytest.raises(InventoryError, match="was moved, replaced or deleted while in use"):
            record(inventory, scan, result("orders"))


def test_foreign_keys_are_enforced(file: Path, under: Database) -> None:
    with Inventory.open(url(file)) as inventory:
        scanned(inventory, result())
        with pytest.raises(InventoryError, match="IntegrityError"), under.writing() as connection:
            connection.exec_driver_sql("DELETE FROM scan")
        assert len(inventory.scans()) == 1


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    says = refusal(url(tmp_path / "nowhere" / "i.db"))
    assert f"the folder {tmp_path / 'nowhere'} does not exist; make it" in says


def test_a_missing_file_is_not_made_by_those_who_only_read(file: Path) -> None:
    assert "does not exist; `mapkeeper scan` or `mapkeeper db upgrade` makes it" in refusal(url(file), upgrade=False)
    assert not file.exists()


def test_a_folder_is_no_inventory(tmp_path: Path) -> None:
    assert "is a folder" in refusal(url(tmp_path))


@pytest.mark.parametrize("upgrade", [True, False])
def test_a_file_that_is_no_database_stays_as_it_is(file: Path, upgrade: bool) -> None:
    file.write_bytes(b"Dear diary, " * 1000)
    assert "is not a SQLite database, or is encrypted" in refusal(url(file), upgrade=upgrade)
    assert file.read_bytes() == b"Dear diary, " * 1000


@pytest.mark.parametrize("upgrade", [True, False])
def test_the_database_of_something_else_stays_as_it_is(file: Path, upgrade: bool) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        connection.commit()
    assert "is the database of something else" in refusal(url(file), upgrade=upgrade)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("alembic_version",)]


def test_a_damaged_file_asks_for_a_backup(file: Path) -> None:
    with Inventory.open(url(file)) as inventory:
        for number in range(40):
            scanned(inventory, result(f"t{number}"))
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * (file.stat().st_size - 4096))
    with pytest.raises(InventoryError, match="is damaged; restore a backup"):  # noqa: SIM117
        with Inventory.open(url(file)) as inventory:
            inventory.at().findings()


def test_a_locked_inventory_is_told_after_a_wait(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT", 0.05)
    with Inventory.open(url(file)) as inventory, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InventoryError, match="is locked by another process; try again"):
            begin(inventory)
        assert inventory.scans() == []  # readers do not wait
        other.execute("ROLLBACK")
        begin(inventory)


def test_an_inventory_that_may_only_be_read_says_so(under: Database) -> None:
    with Inventory(under) as inventory:
        inventory.upgrade()
        scan = begin(inventory)
        with under.reading() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")  # what a file without the right to write comes to
        with pytest.raises(InventoryError, match="cannot be written; give this user the right"):
            record(inventory, scan, result())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("inventory.db", "is not a database URL"),
        ("", "is not a database URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite+aiosqlite:///inventory.db", "sqlite+aiosqlite is not supported; write sqlite:///inventory.db"),
        ("mysql+pymysql://keeper:hunter2@db/x", "is not supported"),
        ("postgresql+asyncpg://keeper:hunter2@db/x", "is not supported"),
        ("postgresql://keeper:hunter2@db:port/x", "is not a database URL"),
        ("postgresql://keeper:hunter2@db", "names no database; write postgresql://user@host/name"),
    ],
)
def test_a_url_that_cannot_be_an_inventory_is_refused_without_quoting_it(url: str, says: str) -> None:
    told = refusal(url)
    assert says in told
    assert "hunter2" not in told


def test_a_path_with_odd_characters_is_an_inventory_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "données 100%? #1.db"
    with Inventory.open(f"sqlite:///{str(file).replace('%', '%25').replace('?', '%3F')}") as inventory:
        begin(inventory)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_backup_is_whole_while_another_writes_and_is_never_written_over(
    file: Path, tmp_path: Path, under: Database
) -> None:
    copy = tmp_path / "copy.db"
    with Inventory.open(url(file)) as inventory:
        scanned(inventory, result("a"))
        with under.writing() as connection:
            connection.exec_driver_sql("DELETE FROM finding")
            inventory.backup(copy)
            connection.rollback()
        scanned(inventory, result("a"), result("b"))
        with pytest.raises(InventoryError, match="exists already; name another file"):
            inventory.backup(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Inventory.open(url(copy)) as restored:
        assert [one.asset for one in restored.at().findings()] == ["a"]
        assert restored.revision() == Inventory.head()
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_backup_to_nowhere_says_so(file: Path, tmp_path: Path) -> None:
    with (
        Inventory.open(url(file)) as inventory,
        pytest.raises(InventoryError, match=r"cannot be made .+; name another file"),
    ):
        inventory.backup(tmp_path / "nowhere" / "copy.db")


def test_opening_an_inventory_of_today_needs_no_alembic(file: Path) -> None:
    Inventory.open(url(file)).close()
    code = f"import sys; from mapkeeper.inventory import Inventory; Inventory.open({url(file)!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "sqlalchemy" in done.stdout.split()
    assert "alembic" not in done.stdout.split()
