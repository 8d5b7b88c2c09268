"""Servers and buckets that refuse, fail or change: one line of error or one gap each, and all the rest is read."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from csv import DictReader as reading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from sqlalchemy import URL, Connection, NullPool, create_engine, make_url

from calling import Ran, Run
from mapkeeper.scan import examine
from proxy import Act, Proxy
from services.ceph import CephServer
from services.processes import free_port
from services.s3 import S3Server
from test_inventory_postgres import SECRET
from test_inventory_postgres import guarded as guarded  # a server that asks for a password

PEOPLE = 60


def mails(count: int, start: int = 0) -> list[str]:
    return [f"ada.{number}@example.org" for number in range(start, start + count)]


def csv(*lines: str) -> str:
    return "email\n" + "\n".join(lines) + "\n"


SMALL, LARGE = csv(*mails(PEOPLE)), csv(*mails(60_000))  # the second is more than is fetched in one go


# What a test has at hand


class Estate:
    """A workspace whose sources are bad, and one beside them that is good."""

    def __init__(self, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._run = run
        self._set = monkeypatch.setenv
        self._sources: list[str] = []
        self._file = folder / "clients" / "globex.toml"
        self._before = self._file.read_text()

    def add(self, id: str, connector: str, **settings: Any) -> None:
        """Declare a source; whatever may hold a secret comes from the environment."""
        for name in settings.keys() & {"url", "access_key", "secret_key", "session_token"}:
            variable = f"{id}_{name}".upper()
            self._set(variable, settings[name])
            settings[name] = f"env:{variable}"
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        self._sources.append("\n".join(("[[source]]", f'id = "{id}"', f'connector = "{connector}"', *lines)) + "\n")

    def bucket(self, id: str, server: S3Server, bucket: str, **settings: Any) -> None:
        keys = {"access_key": server.access_key, "secret_key": server.secret_key}
        at = {"endpoint": server.endpoint_url, "region": server.region}
        self.add(id, "s3", **{"bucket": bucket, **at, **keys, **settings})

    def again(self, id: str, **settings: Any) -> None:
        """Declare a source with other settings."""
        (number,) = [number for number, source in enumerate(self._sources) if f'id = "{id}"' in source]
        kept = [line for line in self._sources[number].splitlines() if line.partition(" =")[0] not in settings]
        self._sources[number] = "\n".join((*kept, *(f"{key} = {json.dumps(settings[key])}" for key in settings))) + "\n"

    def call(self, command: str, *words: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        """Call a command on the workspace, behind whose bad sources a good one is declared."""
        store = self.folder / "stores"
        (store / "beside.csv").write_text(SMALL)
        beside = f'[[source]]\nid = "beside"\nconnector = "files"\npath = {json.dumps(str(store))}\n'
        self._file.write_text("\n".join((self._before, *self._sources, beside)))
        ran = self._run(command, *words, "--workspace", self.folder, env=env)
        hidden(ran)
        return ran

    def scan(self, *words: str | Path) -> Ran:
        """Scan wholly, and see that what lies beside was read."""
        ran = self.call("scan", "--depth", "full", *words)
        if ran.exit in (0, 1):
            assert self.covered("beside")["beside.csv"]["complete"]
            assert self.hits("beside")["beside.csv", "email"] == PEOPLE
        return ran

    def covered(self, source: str) -> dict[str, dict[str, Any]]:
        rows = self.call("coverage", "--source", source, "--format", "json").rows
        return {row["asset"]: row for row in rows}

    def gaps(self, source: str) -> dict[str, list[tuple[str, int]]]:
        """The gaps of every asset that has any."""
        covered = self.covered(source)
        return {
            name: [(gap["reason"], gap["count"]) for gap in row["gaps"]] for name, row in covered.items() if row["gaps"]
        }

    def hits(self, source: str) -> dict[tuple[str, str], int]:
        """Addresses found, by asset and field."""
        rows = self.call("findings", "--source", source, "--category", "contact.email", "--format", "json").rows
        return {(row["asset"], row["field"]): row["hits"] for row in rows}

    def states(self) -> dict[str, str]:
        return {row["source"]: row["state"] for row in self.call("sources", "--format", "json").rows}


def hidden(ran: Ran) -> None:
    """No secret is shown, no words of a driver, no traceback."""
    for word in (SECRET, "Traceback", "psycopg.", "pymysql.", "sqlalche.me", "botocore", "(Background on"):
        assert word not in ran.out + ran.err


@pytest.fixture
def estate(workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch) -> Estate:
    return Estate(workspace, mapkeeper, monkeypatch)


@contextmanager
def silent() -> Iterator[int]:
    """The port of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


# Sources that cannot be had


def bad_databases(url: URL, silence: int) -> dict[str, tuple[str, str]]:
    """Addresses at which nothing can be read, with what an error has to say."""
    return {
        "password": (text(url.set(password=f"{SECRET}-wrong")), "check user"),
        "host": (text(url.set(host="no-such-host.invalid", password=SECRET)), "check "),
        "port": (text(url.set(port=free_port(), password=SECRET)), "check host and port"),
        "database": (text(url.set(database="no_such_database")), "no such database; check the name"),
        "silence": (text(url.set(port=silence, password=SECRET)), "in time"),
    }


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_server_that_cannot_be_had_is_one_line_and_the_others_are_read(
    kind: str, request: pytest.FixtureRequest, estate: Estate, mapkeeper: Run
) -> None:
    at = request.getfixturevalue("guarded") if kind == "postgres" else make_url(request.getfixturevalue("mariadb_url"))
    with silent() as silence:
        bad = bad_databases(at, silence)
        for id, (url, _) in bad.items():
            estate.add(id, "sql", url=url, connect_timeout=1)
        ran = estate.scan()
        assert ran.exit == 1
        lines = ran.err.splitlines()
        assert len(lines) == len(bad)
        for line, (id, (_, says)) in zip(lines, bad.items(), strict=True):
            assert line.startswith(f"mapkeeper: source {id}: ")
            assert says in line
        assert estate.states() == {**dict.fromkeys(bad, "unreachable"), "beside": "ok"}
        ran = estate.call("sources", "--check", "--format", "json")
        assert ran.exit == 1
        for row in ran.rows:
            good = row["source"] == "beside"
            assert (row["reached"], row["error"] is None) == (good, good)
        (row,) = estate.call("scan", "--plan", "--source", "database", "--format", "json").rows
        assert bad["database"][1] in row["state"]
    for id in ("password", "database"):
        ran = mapkeeper("inspect", f"env:{id.upper()}_URL")
        hidden(ran)
        assert (ran.exit, ran.out, len(ran.err.splitlines())) == (3, "", 1)
        assert bad[id][1] in ran.err


def test_what_is_left_of_a_password_that_was_not_escaped_is_not_shown(estate: Estate, mapkeeper: Run) -> None:
    url = f"postgresql://ada:one@{SECRET}@127.0.0.1:1/crm"
    estate.add("crm", "sql", url=url)
    ran = estate.scan()
    assert (ran.exit, len(ran.err.splitlines())) == (1, 1)
    assert "write %40" in ran.err
    assert estate.call("sources").exit == 0
    ran = mapkeeper("inspect", url)
    hidden(ran)
    assert (ran.exit, ran.out, len(ran.err.splitlines())) == (2, "", 1)


class Pauses:
    """The pauses before a bucket is asked again and a lost connection is made anew; they take no time."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.meanwhile()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    made = Pauses()
    for module in (botocore.endpoint, examine):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=time.time, monotonic=time.monotonic, sleep=made.sleep))
    return made


def refusal(status: str, code: str, more: str = "") -> bytes:
    """How a store of S3 refuses."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{SECRET}</Message>{more}</Error>"
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def put(server: S3Server, bucket: str, objects: Mapping[str, str]) -> None:
    with closing(server.client()) as client:
        for key, body in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=body.encode())


def port_of(server: S3Server) -> int:
    return make_url(server.endpoint_url).port or 80


def test_a_bucket_that_cannot_be_had_is_one_line_and_the_others_are_read(
    ceph_s3: CephServer, estate: Estate, mapkeeper: Run, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"people.csv": csv(*mails(PEOPLE))})
    guest = ceph_s3.another()
    bad: dict[str, tuple[str, dict[str, Any], str]] = {
        "secret": (bucket, {"secret_key": f"{SECRET}-wrong"}, "correct secret_key"),
        "key": (bucket, {"access_key": f"AKIA{SECRET}"}, "correct access_key or profile"),
        "host": (bucket, {"endpoint": "http://no-such-host.invalid"}, "cannot be reached; correct 'endpoint'"),
        "port": (bucket, {"endpoint": f"http://127.0.0.1:{free_port()}"}, "cannot be reached; correct 'endpoint'"),
        "bucket": ("no-such-bucket-of-ours", {}, "there is no such bucket; correct 'bucket'"),
        "listing": (bucket, {"access_key": guest.access_key, "secret_key": guest.secret_key}, "grant s3:ListBucket"),
    }
    with silent() as silence, Proxy(port_of(ceph_s3)) as expired, Proxy(port_of(ceph_s3)) as elsewhere:
        expired.on(b"GET ", lambda _: refusal("400", "ExpiredToken"), times=None)
        elsewhere.on(b"GET ", lambda _: refusal("301", "PermanentRedirect"), times=None)
        bad["session"] = (bucket, {"endpoint": expired.endpoint, "session_token": SECRET}, "the session has expired")
        bad["region"] = (bucket, {"endpoint": elsewhere.endpoint}, "lies in another region; set 'region'")
        bad["silence"] = (bucket, {"endpoint": f"http://127.0.0.1:{silence}", "read_timeout": 0.2}, "no answer in time")
        for id, (name, settings, _) in bad.items():
            estate.bucket(id, ceph_s3, name, **settings)
        ran = estate.scan()
        assert ran.exit == 1
        lines = ran.err.splitlines()
        assert len(lines) == len(bad)
        for line, (id, (name, _, says)) in zip(lines, bad.items(), strict=True):
            assert line.startswith(f"mapkeeper: source {id}: s3://{name}: ")
            assert says in line
        assert estate.states() == {**dict.fromkeys(bad, "unreachable"), "beside": "ok"}
        ran = estate.call("sources", "--check", "--format", "json")
        assert ran.exit == 1
        for row in ran.rows:
            refused = [one for one in row["check"] if one["needed"] and one["granted"] is False]
            assert (row["error"] is None and not refused) == (row["source"] == "beside"), row
    for id in ("bucket", "listing"):
        name, settings, says = bad[id]
        given = {"endpoint": ceph_s3.endpoint_url, "access_key": ceph_s3.access_key, "secret_key": ceph_s3.secret_key}
        given |= settings
        monkeypatch.setenv("AWS_ENDPOINT_URL", given["endpoint"])
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["access_key"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["secret_key"])
        monkeypatch.setenv("AWS_DEFAULT_REGION", ceph_s3.region)
        ran = mapkeeper("inspect", f"s3://{name}")
        hidden(ran)
        assert (ran.exit, ran.out, len(ran.err.splitlines())) == (3, "", 1)
        assert says in ran.err


# What happens while a source is read


ROWS = 9_000  # several statements' worth
SERVERS = {"postgres": "postgres_url", "mariadb": "mariadb_url"}


@contextmanager
def connected(url: str, isolation_level: Any = "AUTOCOMMIT") -> Iterator[Connection]:
    """A connection of somebody else."""
    engine = create_engine(url, poolclass=NullPool, isolation_level=isolation_level)
    with engine.connect() as connection:
        yield connection


def tell(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """What somebody else does at the server meanwhile; the rows of the last answer."""
    with connected(url) as connection:
        answers = [connection.exec_driver_sql(statement) for statement in statements]
        return [tuple(row) for row in answers[-1]] if answers[-1].returns_rows else []


def fill(url: str, *tables: str, rows: int = ROWS) -> None:
    """Tables of addresses."""
    numbers = f"generate_series(1, {rows}) seq" if url.startswith("postgres") else f"seq_1_to_{rows}"
    for table in tables:
        tell(
            url,
            f"CREATE TABLE {table} (id int PRIMARY KEY, email varchar(60))",
            f"INSERT INTO {table} SELECT seq, concat('ada.', seq, '@example.org') FROM {numbers}",
        )


@dataclass
class Store:
    """A database server of either kind, and a way to it that can be watched."""

    url: str  # straight to it
    way: Proxy
    schema: str  # before the names of assets

    def reads(self, table: str) -> bytes:
        """How a statement looks that reads some rows of a table."""
        if self.mariadb:
            return f"FROM `{self.schema}`.`{table}` FORCE INDEX".encode()
        return f'FROM ONLY "{self.schema}"."{table}" WHERE'.encode()

    @property
    def mariadb(self) -> bool:
        return self.url.startswith("mysql")

    def name(self, table: str) -> str:
        return f"{self.schema}.{table}"


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest, estate: Estate) -> Iterator[Store]:
    """An empty database, which is a source `crm`."""
    url = request.getfixturevalue(SERVERS[request.param])
    at = make_url(url)
    with Proxy(at.port or 0) as way:
        estate.add("crm", "sql", url=way.url(url), connect_timeout=1, statement_timeout=1)
        yield Store(url, way, "public" if request.param == "postgres" else str(at.database))


def ended(store: Store) -> None:
    """Somebody ends our sessions at the server."""
    if not store.mariadb:
        tell(store.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mapkeeper'")
        return
    ours = f"SELECT id FROM information_schema.processlist WHERE db = '{store.schema}' AND id <> connection_id()"
    for (id,) in tell(store.url, ours):
        tell(store.url, f"KILL {id}")


@pytest.mark.parametrize("how", ["cut", "ended"])
def test_a_connection_lost_within_a_table_is_made_anew_and_every_row_counts_once(
    how: str, store: Store, estate: Estate, pauses: Pauses
) -> None:
    fill(store.url, "accounts", "people", "visits")
    lose: Act = (lambda link: link.cut(after=50_000)) if how == "cut" else (lambda link: ended(store))
    watch = store.way.on(store.reads("people"), lose, skip=1)
    ran = estate.scan()
    assert (ran.exit, ran.err, watch.done, pauses.taken) == (0, "", 1, [1.0])
    disturbed = estate.covered("crm"), estate.hits("crm")
    assert estate.scan("--fresh").exit == 0
    assert disturbed == (estate.covered("crm"), estate.hits("crm"))
    assert set(disturbed[1].values()) == {ROWS}


def test_a_connection_lost_within_a_view_costs_the_view_and_what_comes_after_is_read(
    store: Store, estate: Estate, pauses: Pauses
) -> None:
    fill(store.url, "accounts", "visits", rows=20_000)
    tell(store.url, "CREATE VIEW people AS SELECT id, email FROM accounts")  # nothing numbers its rows
    sight = f"FROM `{store.schema}`.`people`  " if store.mariadb else "FETCH 800 FROM rows"
    watch = store.way.on(sight.encode(), lambda link: link.cut(after=500_000))
    ran = estate.scan()
    assert (ran.exit, ran.err, watch.done) == (0, "", 1)
    assert estate.gaps("crm") == {store.name("people"): [("unreachable", 1)]}
    assert estate.hits("crm")[store.name("visits"), "email"] == 20_000
    assert estate.scan().exit == 0  # what could not be read is read the next time
    assert estate.gaps("crm") == {}


def test_a_server_that_starts_anew_is_waited_for_and_every_row_counts_once(
    store: Store, estate: Estate, pauses: Pauses
) -> None:
    fill(store.url, "accounts", "people", "visits")
    watch = store.way.on(store.reads("people"), lambda link: store.way.close(), skip=1)
    pauses.meanwhile = lambda: store.way.open() if len(pauses.taken) == 3 else None
    ran = estate.scan()
    assert (ran.exit, ran.err, watch.done) == (0, "", 1)
    assert pauses.taken == [1.0, 5.0, 25.0]
    assert estate.gaps("crm") == {}
    assert set(estate.hits("crm").values()) == {ROWS}


def test_a_server_that_stays_away_costs_what_was_not_read_and_the_next_scan_reads_it(
    store: Store, estate: Estate, pauses: Pauses
) -> None:
    fill(store.url, "accounts", "people", "visits")
    store.way.on(store.reads("people"), lambda link: store.way.close(), skip=1)
    ran = estate.scan()
    assert (ran.exit, ran.err) == (0, "")
    assert pauses.taken == [1.0, 5.0, 25.0, 60.0]
    hits = estate.hits("crm")
    assert hits[store.name("accounts"), "email"] == ROWS
    assert 0 < hits[store.name("people"), "email"] < ROWS
    assert estate.gaps("crm") == {store.name(name): [("unreachable", 1)] for name in ("people", "visits")}
    assert estate.states()["crm"] == "partial"
    store.way.open()
    assert estate.scan().exit == 0
    assert estate.gaps("crm") == {}
    assert set(estate.hits("crm").values()) == {ROWS}


def test_a_connection_lost_by_a_worker_is_made_anew_by_it(
    postgres_url: str, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapkeeper.scan.crew.WORTH_A_PROCESS", 0)
    fill(postgres_url, "accounts", "people", "visits")
    with Proxy(make_url(postgres_url).port or 0) as way:
        store = Store(postgres_url, way, "public")
        estate.add("crm", "sql", url=way.url(postgres_url))
        watch = way.on(store.reads("people"), lambda link: link.cut(after=50_000), skip=1)
        ran = estate.scan("--workers", "1")
    assert (ran.exit, ran.err, watch.done) == (0, "", 1)
    assert estate.gaps("crm") == {}
    assert set(estate.hits("crm").values()) == {ROWS}


@pytest.mark.parametrize(
    ("statement", "postgres", "mariadb"),
    [
        ("ALTER TABLE people DROP COLUMN email", "changed", "changed"),
        ("ALTER TABLE people ADD COLUMN age int", "changed", None),
        ("DROP TABLE people", "changed", "missing"),
    ],
)
def test_a_table_altered_while_it_is_read_is_one_gap(
    statement: str, postgres: str, mariadb: str | None, store: Store, estate: Estate, pauses: Pauses
) -> None:
    fill(store.url, "accounts", "people", "visits")
    watch = store.way.on(store.reads("people"), lambda link: tell(store.url, statement), skip=1)
    ran = estate.scan()
    assert (ran.exit, ran.err, watch.done, pauses.taken) == (0, "", 1, [])
    reason = mariadb if store.mariadb else postgres
    assert estate.gaps("crm") == ({store.name("people"): [(reason, 1)]} if reason else {})
    hits = estate.hits("crm")
    assert {hits[store.name(name), "email"] for name in ("accounts", "visits")} == {ROWS}
    assert 0 < hits[store.name("people"), "email"] <= ROWS


def test_a_server_that_falls_silent_within_a_table_is_not_waited_for_without_end(
    store: Store, estate: Estate, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in SERVERS:
        monkeypatch.setattr(f"mapkeeper_connectors.sql.{kind}.session._SLACK", 0.2)
    fill(store.url, "accounts", "people", "visits")
    watch = store.way.on(store.reads("people"), lambda link: link.hush(), skip=1)
    ran = estate.scan()
    assert (ran.exit, ran.err, watch.done) == (0, "", 1)
    assert estate.gaps("crm") == {}
    assert set(estate.hits("crm").values()) == {ROWS}


# What is wrong with some of a database


NAMES = [
    'say "hi"',
    "back`tick",
    "it's",
    "per%cent %s",
    "semi;colon--",
    "dot.ted",
    "space d",
    "Ünï-©ödé",
    "select",
    "a\\b",
]


def quoted(name: str, mark: str) -> str:
    return (mark + name.replace(mark, 2 * mark) + mark).replace("%", "%%")


def odd_tables(url: str, columns: int) -> None:
    """Tables and columns of odd names, and one of so many columns."""
    mark = "`" if url.startswith("mysql") else '"'
    names = [quoted(name, mark) for name in NAMES]
    wide = ", ".join(f"column_{number} int" for number in range(columns - 1))
    tell(
        url,
        f"CREATE TABLE wide (email varchar(60), {wide})",
        "INSERT INTO wide (email) SELECT email FROM people",
        *(f"CREATE TABLE {name} ({name} varchar(60))" for name in names),
        *(f"INSERT INTO {name} SELECT email FROM people" for name in names),
    )


def all_but_bad_is_read(estate: Estate) -> None:
    found = estate.hits("crm")
    assert set(found.values()) == {PEOPLE}
    assert sorted(field for _, field in found) == sorted([*NAMES, "email", "email"])  # people and wide
    assert estate.call("scan", "--strict").exit == 1


def test_what_cannot_be_read_of_a_postgres_is_one_gap_each(postgres_url: str, estate: Estate, pauses: Pauses) -> None:
    at = make_url(postgres_url)
    role = f"reader_{at.database}"
    fill(postgres_url, "people", "closed", "locked", rows=PEOPLE)
    odd_tables(postgres_url, 1600)
    tell(
        postgres_url,
        "CREATE VIEW ratio AS SELECT email, 1 / (id - 50) AS r FROM people",
        f"CREATE ROLE {role} LOGIN",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        f"REVOKE SELECT ON closed FROM {role}",
    )
    estate.add("crm", "sql", url=text(at.set(username=role)), statement_timeout=1)
    with connected(postgres_url, isolation_level="READ COMMITTED") as other:
        other.exec_driver_sql("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        ran = estate.scan()
    assert (ran.exit, ran.err) == (0, "")
    assert estate.gaps("crm") == {
        "public.closed": [("denied", 1)],
        "public.locked": [("timeout", 1)],
        "public.ratio": [("unreadable", 1)],
    }
    assert pauses.taken == [1.0]
    tell(postgres_url, "TRUNCATE locked")
    all_but_bad_is_read(estate)
    tell(postgres_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_what_cannot_be_read_of_a_mariadb_is_one_gap_each(mariadb_url: str, estate: Estate, pauses: Pauses) -> None:
    fill(mariadb_url, "people", "gone", "locked", rows=PEOPLE)
    odd_tables(mariadb_url, 1000)  # InnoDB has no more than 1,017
    tell(
        mariadb_url,
        "CREATE VIEW broken AS SELECT email FROM gone",
        "DROP TABLE gone",
        "CREATE VIEW ratio AS SELECT id, 1 / (id - 50) AS r FROM people",  # it has NULL for it
        "CREATE VIEW twofold AS SELECT (SELECT email FROM people WHERE id > p.id) AS other FROM people p",
    )
    estate.add("crm", "sql", url=mariadb_url, statement_timeout=1)
    with connected(mariadb_url) as other:
        other.exec_driver_sql("LOCK TABLES locked WRITE")
        ran = estate.scan()
    assert (ran.exit, ran.err) == (0, "")
    assert {name.partition(".")[2]: gaps for name, gaps in estate.gaps("crm").items()} == {
        "broken": [("unreadable", 1)],
        "locked": [("timeout", 1)],
        "twofold": [("unreadable", 1)],
    }
    assert pauses.taken == [1.0]
    tell(mariadb_url, "DELETE FROM locked")
    all_but_bad_is_read(estate)


# What is wrong with some of a bucket


@pytest.fixture
def behind(ceph_s3: CephServer, estate: Estate) -> Iterator[tuple[str, Proxy]]:
    """A bucket with three objects, which is a source `crm`, and a way to it that can be watched."""
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"accounts.csv": SMALL, "people.csv": LARGE, "visits.csv": SMALL})
    with Proxy(port_of(ceph_s3)) as way:
        estate.bucket("crm", ceph_s3, bucket, endpoint=way.endpoint)
        yield bucket, way


def asks(bucket: str, key: str = "") -> bytes:
    """How a request looks for contents, or without key for the listing."""
    return f"GET /{bucket}/{key} ".encode() if key else f"GET /{bucket}?".encode()


def test_a_connection_that_breaks_within_an_object_is_made_anew_and_every_row_counts_once(
    behind: tuple[str, Proxy], estate: Estate, pauses: Pauses
) -> None:
    bucket, way = behind
    watch = way.on(asks(bucket, "people.csv"), lambda link: link.cut(after=400_000), times=3)
    ran = estate.scan()
    assert (ran.exit, ran.err, watch.done) == (0, "", 3)
    assert estate.gaps("crm") == {}
    assert estate.hits("crm")["people.csv", "email"] == 60_000


@pytest.mark.parametrize("meanwhile", ["replaced", "deleted"])
def test_an_object_that_is_replaced_or_deleted_during_the_scan_is_one_gap(
    meanwhile: str, behind: tuple[str, Proxy], ceph_s3: CephServer, estate: Estate, pauses: Pauses
) -> None:
    bucket, way = behind

    def change(_: object) -> None:
        if meanwhile == "replaced":
            put(ceph_s3, bucket, {"people.csv": csv(*mails(60_000, start=7))})
        else:
            ceph_s3.client().delete_object(Bucket=bucket, Key="people.csv")

    watch = way.on(asks(bucket, "people.csv"), change)
    ran = estate.scan()
    assert (ran.exit, ran.err, watch.done, pauses.taken) == (0, "", 1, [])
    assert estate.gaps("crm") == {"people.csv": [("changed" if meanwhile == "replaced" else "missing", 1)]}
    hits = estate.hits("crm")
    assert hits["accounts.csv", "email"] == hits["visits.csv", "email"] == PEOPLE
    assert estate.scan().exit == 0
    assert estate.gaps("crm") == {}


def test_a_minute_of_slow_down_costs_nothing(behind: tuple[str, Proxy], estate: Estate, pauses: Pauses) -> None:
    _, way = behind
    way.on(b"GET ", lambda _: refusal("503", "SlowDown") if sum(pauses.taken) < 60 else None, times=None)
    ran = estate.scan()
    assert (ran.exit, ran.err) == (0, "")
    assert sum(pauses.taken) >= 60
    assert estate.gaps("crm") == {}
    assert estate.hits("crm")["people.csv", "email"] == 60_000


def test_an_object_for_which_the_store_is_too_slow_for_good_is_one_gap(
    behind: tuple[str, Proxy], estate: Estate, pauses: Pauses
) -> None:
    bucket, way = behind
    way.on(asks(bucket, "people.csv"), lambda _: refusal("503", "SlowDown"), times=None)
    ran = estate.scan()
    assert (ran.exit, ran.err) == (0, "")
    assert estate.gaps("crm") == {"people.csv": [("timeout", 1)]}
    assert estate.hits("crm") == {("accounts.csv", "email"): PEOPLE, ("visits.csv", "email"): PEOPLE}
    assert len(pauses.taken) < 40


def test_a_session_that_expires_during_the_scan_costs_what_was_not_read(
    behind: tuple[str, Proxy], estate: Estate, pauses: Pauses
) -> None:
    bucket, way = behind
    way.on(asks(bucket, "people.csv"), lambda _: refusal("400", "ExpiredToken"), times=None)
    way.on(asks(bucket, "visits.csv"), lambda _: refusal("400", "ExpiredToken"), times=None)
    ran = estate.scan()
    assert (ran.exit, ran.err, pauses.taken) == (0, "", [])
    assert estate.gaps("crm") == {"people.csv": [("denied", 1)], "visits.csv": [("denied", 1)]}
    assert estate.hits("crm") == {("accounts.csv", "email"): PEOPLE}


def test_a_bucket_in_another_region_is_followed_there(
    behind: tuple[str, Proxy], estate: Estate, pauses: Pauses, ceph_s3: CephServer
) -> None:
    _, way = behind
    region = f"<Region>{ceph_s3.region}</Region>"
    wrong = way.on(b"/us-west-9/s3/aws4", lambda _: refusal("400", "AuthorizationHeaderMalformed", region), times=None)
    estate.again("crm", region="us-west-9")
    ran = estate.scan()
    assert (ran.exit, ran.err, wrong.done > 0) == (0, "", True)
    assert estate.gaps("crm") == {}


def test_a_denied_prefix_is_a_gap_and_a_public_bucket_a_fact_with_its_evidence(
    ceph_s3: CephServer, estate: Estate, pauses: Pauses
) -> None:
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"open/people.csv": SMALL, "closed/people.csv": SMALL})
    every = {"Principal": "*", "Action": ["s3:ListBucket", "s3:GetObject", "s3:GetBucketPolicy"]}
    arn = f"arn:aws:s3:::{bucket}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "ForAll", "Effect": "Allow", **every, "Resource": [arn, f"{arn}/*"]},
            {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [f"{arn}/closed/*"]},
        ],
    }
    ceph_s3.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    guest = ceph_s3.another()
    estate.bucket("crm", guest, bucket)
    ran = estate.scan()
    assert (ran.exit, ran.err) == (0, "")
    assert estate.gaps("crm") == {"closed/people.csv": [("denied", 1)]}
    assert estate.hits("crm") == {("open/people.csv", "email"): PEOPLE}
    cells = reading(estate.call("register", "--client", "globex", "--format", "csv").out.splitlines())
    (facts,) = [row["value"] for row in cells if (row["cell"], row["about"]) == ("facts", "crm: open/people.csv")]
    assert "public: yes" in facts
    assert "statement ForAll lets everybody read objects, list names" in facts


# The inventory's own server


@pytest.fixture
def inventory(postgres_url: str, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The way to a server that holds the inventory; there are four files to scan."""
    for name in ("a", "b", "c"):
        (estate.folder / "stores" / f"{name}.csv").write_text(SMALL)
    main = estate.folder / "mapkeeper.toml"
    main.write_text(main.read_text().replace("sqlite:///inventory.db", "env:INVENTORY"))
    with Proxy(make_url(postgres_url).port or 0) as way:
        monkeypatch.setenv("INVENTORY", way.url(postgres_url))
        estate.call("sources")
        yield way


def test_an_inventory_whose_server_stays_away_is_one_line_and_the_next_scan_goes_on(
    inventory: Proxy, estate: Estate
) -> None:
    watch = inventory.on(b"INSERT INTO finding", lambda _: inventory.close(), skip=1)
    ran = estate.call("scan", env={})  # in a process of its own, which is gone in the end
    assert (ran.exit, ran.out, len(ran.err.splitlines()), watch.done) == (3, "", 1, 1)
    assert "inventory" in ran.err
    assert "see that the server runs" in ran.err
    inventory.open()
    assert len(estate.hits("beside")) == 1
    ran = estate.call("scan")
    assert (ran.exit, ran.err) == (0, "")
    assert ran.out.splitlines()[1].split()[:4] == ["beside", "ok", "3", "1"]
    assert len(estate.hits("beside")) == 4


def test_an_inventory_whose_server_starts_anew_between_two_writes_is_written_on(
    inventory: Proxy, estate: Estate, ceph_s3: CephServer
) -> None:
    bucket = ceph_s3.create_bucket()
    put(ceph_s3, bucket, {"people.csv": SMALL, "visits.csv": SMALL})

    def start_anew(_: object) -> None:
        inventory.close()
        inventory.open()

    with Proxy(port_of(ceph_s3)) as way:
        estate.bucket("crm", ceph_s3, bucket, endpoint=way.endpoint)
        watch = way.on(asks(bucket, "visits.csv"), start_anew)
        ran = estate.scan()
    assert (ran.exit, ran.err, watch.done) == (0, "", 1)
    assert len(estate.hits("crm")) == 2
