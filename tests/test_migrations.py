"""The migrations make the tables that the inventory uses, from inside the package, and go only forwards."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, text

from mapkeeper.errors import InventoryError
from mapkeeper.inventory import Inventory, tables
from mapkeeper.inventory.opening import open_database
from recording import DATABASES, NOON, begin, result, rows_of, scanned, url


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an inventory that is still to be made."""
    made: str = url(tmp_path / "i.db") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    return made


def scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("mapkeeper_migrations")))
    return config


def at_revision(place: str, revision: str) -> None:
    """Make the tables as a mapkeeper of that revision made them."""
    config = scripts()
    with closing(open_database(place, create=True)) as database, database.altering() as connection:
        config.attributes.update(connection=connection, metadata=tables.metadata, version_table=tables.VERSION_TABLE)
        command.upgrade(config, revision)


def test_an_upgraded_database_has_exactly_the_tables_that_are_used(place: str) -> None:
    options = {"version_table": tables.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
    Inventory.open(place).close()
    with closing(open_database(place, create=False)) as database, database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata) == []


def test_upgraded_tables_have_the_same_keys_and_constraints_as_made_ones(place: str) -> None:
    """What the comparison does not see: primary keys, partial indexes, columns that count up."""
    Inventory.open(place).close()
    with closing(open_database(place, create=False)) as database:
        with database.reading() as connection:
            migrated = shape(connection)
        with database.altering() as connection:
            tables.metadata.drop_all(connection)
            tables.metadata.create_all(connection)
            made = shape(connection)
    assert migrated == made
    assert len(migrated) > 20


def shape(connection: Connection) -> dict[str, list[str]]:
    """Every table and index, as the database itself writes them down."""
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        return {name: sorted(_words(sql)) for name, sql in found}
    ours = "connamespace = 'public'::regnamespace"
    constraints = f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE {ours}"
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    columns = (
        "SELECT table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable, column_default)"
        " FROM information_schema.columns WHERE table_schema = 'public'"
    )
    return {
        name: [says] for query in (constraints, indexes, columns) for name, says in connection.exec_driver_sql(query)
    }


def _words(sql: str) -> list[str]:
    """The head, the items in brackets and the tail of a statement: one added later is like the others."""
    head, _, rest = sql.partition("(")
    body, _, tail = rest.rpartition(")")
    items = re.split(r",(?![^()]*\))", body)
    return [" ".join(part.replace('"', "").split()).casefold() for part in (head, *items, tail)]


def test_the_newest_migration_is_the_revision_that_the_inventory_expects() -> None:
    script = ScriptDirectory.from_config(scripts())
    assert script.get_heads() == [Inventory.head()]
    assert [one.revision for one in script.walk_revisions()] == sorted(
        (one.revision for one in script.walk_revisions()), reverse=True
    )  # they are compared as texts


def test_upgrade_says_from_where_to_where_and_does_nothing_twice(place: str) -> None:
    with Inventory.open(place, upgrade=False, create=True) as inventory:
        assert inventory.revision() is None
        with pytest.raises(InventoryError, match="run `mapkeeper db upgrade`"):
            inventory.scans()
        assert inventory.upgrade() == (None, Inventory.head())
        assert inventory.upgrade() == (Inventory.head(), Inventory.head())
        assert inventory.revision() == Inventory.head()
        assert inventory.scans() == []


@pytest.mark.parametrize("upgrade", [True, False])
def test_an_inventory_of_a_newer_version_is_refused_and_left_alone(place: str, upgrade: bool) -> None:
    with Inventory.open(place) as inventory:
        begin(inventory)
    with closing(open_database(place, create=False)) as database, database.writing() as connection:
        connection.execute(text(f"UPDATE {tables.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(InventoryError, match="is of revision 9999 and this mapkeeper knows up to") as caught:
        Inventory.open(place, upgrade=upgrade)
    assert "update mapkeeper, or restore a backup" in str(caught.value)


def test_an_upgrade_that_fails_leaves_no_table_behind(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alembic.operations.Operations.create_index", _fail)
    with pytest.raises(RuntimeError, match="half way"):
        Inventory.open(place)
    with closing(open_database(place, create=False)) as database, database.reading() as connection:
        assert inspect(connection).get_table_names() == []
    monkeypatch.undo()
    Inventory.open(place).close()


def _fail(*_: object, **__: object) -> None:
    raise RuntimeError("half way")


def test_many_processes_that_make_the_same_inventory_at_once_all_find_it_made(place: str) -> None:
    code = (
        "import sys; from mapkeeper.inventory import Inventory; import alembic.command; print('ready', flush=True);"
        f"sys.stdin.readline(); i = Inventory.open({place!r}); print(i.revision(), len(i.scans()))"
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


def test_an_inventory_of_the_first_release_is_brought_up_to_date_with_all_that_it_holds(place: str) -> None:
    at_revision(place, "0001")
    first_release(place)
    with Inventory.open(place, upgrade=False) as inventory:
        assert inventory.upgrade() == ("0001", Inventory.head())
        (asset,), (known,) = inventory.at().assets(), inventory.at().findings()
        assert (asset.name, known.asset, known.finding.field) == ("customers é", "customers é", "email")
        assert (known.first_seen, known.last_seen) == (NOON.date(), NOON.date())
        assert inventory.speed("crm") is None
        again = scanned(inventory, result("customers é"), days=1)
        told = {(one.what, one.change) for one in inventory.changes(again)}
        assert told == {("asset", "changed"), ("finding", "vanished"), ("finding", "appeared")}  # not another asset
    assert len(rows_of(place, "asset")) == 1
    if "sqlite" in place:
        with closing(sqlite3.connect(place.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def first_release(place: str) -> None:
    """What a scan of the first release wrote of one asset with one finding."""
    seen = {"from_scan": 1, "first_seen": NOON.date(), "asset": 1}
    figures = dict.fromkeys(("rows", "filled", "hits", "distinct"), 400)
    lists: dict[str, list[str]] = {"why": ["name fits"], "sample": [], "where": []}
    found = {"field": "email", "category": "contact.email", "entity": "EMAIL_ADDRESS", "rule": "r@1", "confidence": 0.9}
    read = {"rows_read": 400, "bytes_read": 1, "objects_total": 1, "objects_read": 1, "method": "all", "complete": True}
    state = {"kind": "table", "namespace": "file", "dataset": "d", "unmapped": False, "depth": "sample"}
    asset = {"client": "globex", "source": "crm", "name": "customers é", "mark": "m1", "rules": "r1", "scan": 1}
    run = {"started": NOON, "ended": NOON, "expires": NOON, "state": "done", "depth": "sample", "version": "0.1.0"}
    rows: dict[str, dict[str, Any]] = {
        "scan": {**run, "host": "h", "pid": 1},
        "source": {"id": "crm", "client": "globex", "connector": "sql", "target": "crm.db", "state": "ok"},
        "asset": {**asset, "last_seen": NOON.date()},
        "asset_state": {**seen, **state, **read, "fields": [], "facts": [], "gaps": []},
        "finding": {**seen, **found, **figures, **lists, "id": "f-from-before"},
    }
    old = MetaData()
    with closing(open_database(place, create=False)) as database, database.writing() as connection:
        old.reflect(connection)
        for table, row in rows.items():
            connection.execute(old.tables[table].insert().values(row))
