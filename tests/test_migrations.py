"""The migrations make the tables that the inventory uses, from inside the package, and go only forwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from mapkeeper.errors import InventoryError
from mapkeeper.inventory import Inventory, tables
from mapkeeper.inventory.database import Database
from recording import begin, url


def test_an_upgraded_database_has_exactly_the_tables_that_are_used(tmp_path: Path) -> None:
    options = {"version_table": tables.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
    with closing(Database(url(tmp_path / "i.db"), create=True)) as database:
        Inventory(database).upgrade()
        with database.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata) == []


def test_upgraded_tables_have_the_same_keys_and_constraints_as_made_ones(tmp_path: Path) -> None:
    """What the comparison does not see: primary keys, partial indexes, columns that count up."""
    with Inventory.open(url(tmp_path / "migrated.db")):
        pass
    with closing(Database(url(tmp_path / "made.db"), create=True)) as database:
        Inventory(database).upgrade()
        with database.writing() as connection:
            tables.metadata.drop_all(connection)
            tables.metadata.create_all(connection)
    shapes = []
    for name in ("migrated.db", "made.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
            shapes.append({name: sorted(_words(sql)) for name, sql in found})
    assert shapes[0] == shapes[1]


def _words(sql: str) -> list[str]:
    return [
        part.strip(" ,").replace('"', "").casefold() for part in sql.replace("\t", "").split("\n") if part.strip(" )(")
    ]


def test_the_newest_migration_is_the_revision_that_the_inventory_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(files("mapkeeper_migrations")))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [Inventory.head()]
    assert [one.revision for one in script.walk_revisions()] == sorted(
        (one.revision for one in script.walk_revisions()), reverse=True
    )  # they are compared as texts


def test_upgrade_says_from_where_to_where_and_does_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "i.db").touch()
    with Inventory.open(url(tmp_path / "i.db"), upgrade=False) as inventory:
        assert inventory.revision() is None
        with pytest.raises(InventoryError, match="run `mapkeeper db upgrade`"):
            inventory.scans()
        assert inventory.upgrade() == (None, Inventory.head())
        assert inventory.upgrade() == (Inventory.head(), Inventory.head())
        assert inventory.revision() == Inventory.head()
        assert inventory.scans() == []


@pytest.mark.parametrize("upgrade", [True, False])
def test_an_inventory_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path, upgrade: bool) -> None:
    file = tmp_path / "i.db"
    with Inventory.open(url(file)) as inventory:
        begin(inventory)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"UPDATE {tables.VERSION_TABLE} SET version_num = '9999'")
        connection.commit()
    with pytest.raises(InventoryError, match="is of revision 9999 and this mapkeeper knows up to") as caught:
        Inventory.open(url(file), upgrade=upgrade)
    assert "update mapkeeper, or restore a backup" in str(caught.value)


def test_an_upgrade_that_fails_leaves_no_table_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "i.db"
    monkeypatch.setattr("alembic.operations.Operations.create_index", _fail)
    with pytest.raises(RuntimeError, match="half way"):
        Inventory.open(url(file))
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    monkeypatch.undo()
    Inventory.open(url(file)).close()


def _fail(*_: object, **__: object) -> None:
    raise RuntimeError("half way")


def test_many_processes_that_make_the_same_inventory_at_once_all_find_it_made(tmp_path: Path) -> None:
    target = url(tmp_path / "i.db")
    code = (
        "import sys; from mapkeeper.inventory import Inventory; import alembic.command; print('ready', flush=True);"
        f"sys.stdin.readline(); i = Inventory.open({target!r}); print(i.revision(), len(i.scans()))"
    )
    runners = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for one in runners:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in runners:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.communicate()[0] for one in runners] == [f"{Inventory.head()} 0\n"] * 3


def test_the_tables_are_of_types_that_postgresql_has(tmp_path: Path) -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in tables.metadata.sorted_tables]
    made += [
        str(CreateIndex(index).compile(dialect=dialect))
        for table in tables.metadata.tables.values()
        for index in table.indexes
    ]
    everything = "\n".join(made)
    assert "id BIGSERIAL NOT NULL" in everything
    assert "started TIMESTAMP WITH TIME ZONE NOT NULL" in everything
    assert "one_current_finding ON finding (id) WHERE to_scan IS NULL" in everything
