"""`mapkeeper db`: make, bring up to date, tell and copy the inventory, on either database."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from calling import Run
from mapkeeper.inventory import Inventory, tables
from mapkeeper.inventory.opening import open_database
from recording import DATABASES, begin

HEAD = Inventory.head()


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the workspace's inventory, which is still to be made; the workspace finds it in the environment."""
    if request.param == "sqlite":
        return f"sqlite:///{workspace / 'inventory.db'}"
    url: str = request.getfixturevalue("postgres_url")
    monkeypatch.setenv("INVENTORY_URL", url)
    main = workspace / "mapkeeper.toml"
    written = main.read_text()
    assert 'url = "sqlite:///inventory.db"' in written
    main.write_text(written.replace('url = "sqlite:///inventory.db"', 'url = "env:INVENTORY_URL"'))
    return url


def age(place: str) -> None:
    """Make the inventory one that is behind."""
    with closing(open_database(place, create=False)) as database, database.writing() as connection:
        connection.execute(text(f"UPDATE {tables.VERSION_TABLE} SET version_num = '0000'"))


def test_upgrade_makes_the_inventory_that_is_not_there_and_does_nothing_twice(
    place: str, workspace: Path, mapkeeper: Run
) -> None:
    made = mapkeeper("db", "upgrade", "--workspace", workspace)
    assert (made.exit, made.out) == (0, f"inventory went from nothing to {HEAD}\n")
    again = mapkeeper("db", "upgrade", "--workspace", workspace)
    assert (again.exit, again.out) == (0, f"inventory is at {HEAD}\n")
    with Inventory.open(place, upgrade=False) as inventory:
        assert inventory.scans() == []


def test_current_tells_both_revisions_and_changes_nothing(place: str, workspace: Path, mapkeeper: Run) -> None:
    Inventory.open(place).close()
    age(place)
    for _ in range(2):
        told = mapkeeper("db", "current", "--workspace", workspace)
        assert (told.exit, told.out) == (0, f"inventory 0000, this version {HEAD}\n")


def test_current_of_what_was_never_made_makes_nothing(place: str, workspace: Path, mapkeeper: Run) -> None:
    told = mapkeeper("db", "current", "--workspace", workspace)
    if "sqlite" in place:
        assert told.exit == 3
        assert told.err.endswith("does not exist; `mapkeeper scan` or `mapkeeper db upgrade` makes it\n")
        assert not (workspace / "inventory.db").exists()
    else:
        assert (told.exit, told.out) == (0, f"inventory without tables, this version {HEAD}\n")


def test_a_backup_copies_a_file_as_it_is_and_names_the_tool_of_a_server(
    place: str, workspace: Path, tmp_path: Path, mapkeeper: Run
) -> None:
    with Inventory.open(place) as inventory:
        begin(inventory)
    age(place)
    copy = tmp_path / "copy.db"
    done = mapkeeper("db", "backup", copy, "--workspace", workspace)
    if "sqlite" in place:
        assert (done.exit, done.out) == (0, f"wrote {copy}\n")
        with Inventory.open(f"sqlite:///{copy}", upgrade=False) as inventory:
            assert (inventory.revision(), len(inventory.scans())) == ("0000", 1)
    else:
        assert done.exit == 3
        assert "run `pg_dump --host 127.0.0.1" in done.err
        assert done.err.endswith(f"--format custom --file {copy} {make_url(place).database}`\n")
        assert done.err.count("\n") == 1
        assert not copy.exists()
