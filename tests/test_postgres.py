"""The SQL connector on PostgreSQL: what is listed, how it is read and drawn from, and what goes wrong."""

from __future__ import annotations

import pickle
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pyarrow as pa
import pytest
from sqlalchemy import make_url

from mapkeeper.plugin import Asset, Batch, Gap, Kind, Pace, ReadPlan, Reason, SourceError
from mapkeeper.testing import Check, Trial, checks
from mapkeeper_connectors.sql import Sql
from mapkeeper_connectors.sql.postgres import mark, reading, sample, session
from readings import Yielded

if TYPE_CHECKING:
    from services.postgres_tls import TlsServer

MIB = 1 << 20
CANARY = "jane.canary@globex.example"


def connected(url: str) -> psycopg.Connection[Any]:
    where = make_url(url).set(drivername="postgresql")
    return psycopg.connect(where.render_as_string(hide_password=False), autocommit=True)


def make(url: str, *statements: str) -> None:
    with closing(connected(url)) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with closing(connected(url)) as connection:
        return connection.execute(query.encode()).fetchall()


def people(url: str, count: int = 900, name: str = "people", filler: int = 0) -> None:
    """A table with a canary in every seventh row."""
    make(
        url,
        f"CREATE TABLE {name} (id int, name text, filler text)",
        f"INSERT INTO {name} SELECT g, CASE WHEN g % 7 = 0 THEN '{CANARY}' ELSE 'name ' || g END, repeat('x', {filler})"
        f" FROM generate_series(1, {count}) g",
        f"ANALYZE {name}",
    )


class Read(Yielded):
    """All that came of reading one asset."""

    def __init__(
        self,
        url: str | Sql,
        name: str = "public.people",
        plan: ReadPlan | None = None,
        resume: str | None = None,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        with url if isinstance(url, Sql) else Sql(url) as source:
            self.asset = asset(source, name)
            for part in source.read(self.asset, plan or ReadPlan(), resume):
                self.take([part])
                between()

    @property
    def reasons(self) -> list[tuple[Reason, int]]:
        return [(gap.reason, gap.count) for gap in self.gaps]


def asset(source: Sql, name: str) -> Asset:
    (found,) = [asset for asset in source.survey() if asset.name == name]
    return found


def surveyed(url: str) -> dict[str, Asset]:
    with Sql(url) as source:
        return {asset.name: asset for asset in source.survey()}


def facts(url: str, name: str) -> dict[str, list[Any]]:
    with Sql(url) as source:
        found: dict[str, list[Any]] = {}
        for fact in source.facts(asset(source, name)):
            found.setdefault(fact.name, []).append(fact.value)
        return found


def refusal(url: str, name: str | None = None, **settings: Any) -> SourceError:
    def read() -> None:
        with Sql(url, **settings) as source:
            if name is not None:
                list(source.read(asset(source, name), ReadPlan()))

    with pytest.raises(SourceError) as caught:
        read()
    told = caught.value
    assert told.__cause__ is None
    assert told.__suppress_context__ or told.__context__ is None
    assert "\n" not in str(told)
    return told


class Counting(Pace):
    """Counts the statements."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def requests(self, count: int = 1) -> None:
        self.count += count


@pytest.fixture
def user(postgres_url: str) -> Iterator[str]:
    """The address for a user without rights of its own."""
    role = f"reader_{uuid4().hex[:12]}"
    make(postgres_url, f"CREATE ROLE {role} LOGIN")
    yield make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
    make(postgres_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def role_of(url: str) -> str:
    return str(make_url(url).username)


# Survey


def test_tables_views_and_what_else_has_rows_are_listed_in_order(postgres_url: str) -> None:
    people(postgres_url)
    make(
        postgres_url,
        "CREATE SCHEMA crm",
        "CREATE TABLE crm.empty (a int)",
        "CREATE VIEW adults AS SELECT * FROM people WHERE id > 18",
        "CREATE MATERIALIZED VIEW frozen AS SELECT * FROM people",
        "CREATE TABLE parent (id int)",
        "CREATE TABLE child (extra text) INHERITS (parent)",
        "CREATE UNLOGGED TABLE unlogged (a int)",
        "CREATE TEMP TABLE passing (a int)",
        "CREATE SEQUENCE numbers",
        "CREATE INDEX by_name ON people (name)",
        "CREATE TYPE pair AS (a int, b int)",
        "CREATE EXTENSION postgres_fdw",
        "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db.invalid')",
        "CREATE FOREIGN TABLE distant (a int) SERVER far",
    )
    found = surveyed(postgres_url)
    assert pickle.loads(pickle.dumps(found)) == found
    assert [(name, asset.kind) for name, asset in found.items()] == [
        ("crm.empty", Kind.TABLE),
        ("public.adults", Kind.VIEW),
        ("public.child", Kind.TABLE),
        ("public.distant", Kind.TABLE),
        ("public.frozen", Kind.VIEW),
        ("public.parent", Kind.TABLE),
        ("public.people", Kind.TABLE),
        ("public.unlogged", Kind.TABLE),
    ]
    url = make_url(postgres_url)
    table = found["public.people"]
    assert (table.namespace, table.dataset) == (f"postgres://{url.host}:{url.port}", f"{url.database}.public.people")
    assert (table.rows, table.objects, table.gap) == (900, 1, None)
    assert table.bytes is not None
    assert 40_000 < table.bytes < 200_000
    assert (found["public.adults"].rows, found["public.adults"].bytes) == (None, None)
    assert found["crm.empty"].rows is None  # nobody counted yet


def test_a_partitioned_table_is_one_asset(postgres_url: str) -> None:
    partitioned(postgres_url)
    (found,) = surveyed(postgres_url).values()
    assert (found.name, found.objects, found.rows) == ("public.events", 4, 900)
    make(postgres_url, "CREATE TABLE none (id int) PARTITION BY LIST (id)")
    assert Read(postgres_url, "public.none").rows == 0


def partitioned(url: str, count: int = 900) -> None:
    make(
        url,
        "CREATE TABLE events (id int, name text) PARTITION BY RANGE (id)",
        "CREATE TABLE early PARTITION OF events FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE middle PARTITION OF events FOR VALUES FROM (100) TO (500)",
        "CREATE TABLE late PARTITION OF events DEFAULT PARTITION BY RANGE (id)",
        "CREATE TABLE late1 PARTITION OF late FOR VALUES FROM (500) TO (700)",
        "CREATE TABLE late2 PARTITION OF late DEFAULT",
        f"INSERT INTO events SELECT g, CASE WHEN g % 7 = 0 THEN '{CANARY}' ELSE 'name ' || g END"
        f" FROM generate_series(1, {count}) g",
        "ANALYZE events",
    )


@pytest.mark.parametrize(
    "name", ["plain", "Upper", "two words", 'quo"ted', "a.b", "naïve", "select", "per%cent", "' ;--"]
)
def test_a_name_may_have_any_characters(postgres_url: str, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    make(
        postgres_url,
        f"CREATE SCHEMA {quoted}",
        f'CREATE TABLE {quoted}.{quoted} ({quoted} text, "{name.swapcase().replace(chr(34), chr(34) * 2)}{{}}" int)',
        f"INSERT INTO {quoted}.{quoted} VALUES ('{CANARY}', 7)",
        f"CREATE VIEW {quoted}.view AS SELECT * FROM {quoted}.{quoted}",
    )
    shown = quoted if "." in name or '"' in name else name
    for asset_name in (f"{shown}.{shown}", f"{shown}.view"):
        read = Read(postgres_url, asset_name)
        assert read.batches[0].data.to_pylist() == [{name: CANARY, f"{name.swapcase()}{{}}": 7}]
        assert facts(postgres_url, asset_name)["public"] == [False]
    with Sql(postgres_url) as source:
        assert all(source.mark(one) is not None for one in source.survey())


def test_two_names_that_look_alike_are_two_assets(postgres_url: str) -> None:
    make(
        postgres_url,
        'CREATE SCHEMA "a.b"',
        "CREATE SCHEMA a",
        'CREATE TABLE "a.b".c (x int)',
        'CREATE TABLE a."b.c" (y int, "Y" int)',
        "CREATE TABLE a.t (x int)",
        'CREATE TABLE a."T" (x int)',
    )
    assert list(surveyed(postgres_url)) == ["a.T", 'a."b.c"', "a.t", '"a.b".c']
    assert Read(postgres_url, 'a."b.c"').batches[0].data.schema.names == ["y", "Y"]


def test_a_thousand_tables_are_listed_by_one_statement(postgres_url: str) -> None:
    make(postgres_url, *(f"CREATE TABLE t{n} (id int, name text)" for n in range(1000)))
    source = Sql(postgres_url)
    source.pace = pace = Counting()
    with source:
        opening = pace.count
        assert len(list(source.survey())) == 1000
        assert pace.count == opening + 1
        before = pace.count
        for number, one in enumerate(source.survey()):
            assert source.mark(one)
            if number > 100:
                break
        assert pace.count - before < 20


def test_what_a_user_may_not_read_is_an_asset_with_a_gap(postgres_url: str, user: str) -> None:
    people(postgres_url)
    make(
        postgres_url,
        "CREATE TABLE hidden (a int)",
        "CREATE SCHEMA closed",
        "CREATE TABLE closed.t (a int)",
        f"GRANT SELECT ON people, closed.t TO {role_of(user)}",
        f"GRANT USAGE ON SCHEMA public TO {role_of(user)}",
        "CREATE MATERIALIZED VIEW unfilled AS SELECT * FROM people WITH NO DATA",
        f"GRANT SELECT ON unfilled TO {role_of(user)}",
    )
    gaps = {name: asset.gap and asset.gap.reason for name, asset in surveyed(user).items()}
    assert gaps == {
        "closed.t": Reason.DENIED,
        "public.hidden": Reason.DENIED,
        "public.people": None,
        "public.unfilled": Reason.UNREADABLE,
    }
    assert Read(user).rows == 900


def test_a_table_that_its_owner_locks_is_listed_without_its_size(postgres_url: str) -> None:
    people(postgres_url)
    with closing(connected(postgres_url)) as other, other.transaction():
        other.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        table = surveyed(postgres_url)["public.people"]
        assert (table.rows, table.bytes) == (900, None)


# Types


ODD = {
    "small": ("smallint", "-7", pa.int64(), -7),
    "whole": ("bigint", "9223372036854775807", pa.int64(), 2**63 - 1),
    "broken": ("real", "0.5", pa.float64(), 0.5),
    "double": ("double precision", "'-infinity'", pa.float64(), float("-inf")),
    "price": ("numeric(12,2)", "12.50", pa.float64(), 12.5),
    "card": ("numeric(18)", "411111111111111111", pa.int64(), 411111111111111111),
    "any_number": ("numeric", "12345678901234567890.5", pa.string(), "12345678901234567890.5"),
    "endless": ("numeric", "'infinity'", pa.float64(), float("inf")),
    "truth": ("boolean", "true", pa.bool_(), True),
    "letters": ("varchar(10)", "'é'", pa.string(), "é"),
    "padded": ("char(5)", "'ab'", pa.string(), "ab"),
    "bytes": ("bytea", r"'\x00ff'", pa.binary(), b"\x00\xff"),
    "day": ("date", "'2026-11-21'", pa.string(), "2026-11-21"),
    "forever": ("date", "'infinity'", pa.string(), "infinity"),
    "long_ago": ("date", "'0044-03-15 BC'", pa.string(), "0044-03-15 BC"),
    "moment": ("timestamp", "'2026-11-21 10:00'", pa.string(), "2026-11-21 10:00:00"),
    "moment_there": ("timestamptz", "'2026-11-21 10:00+02'", pa.string(), "2026-11-21 08:00:00+00"),
    "far_moment": ("timestamptz", "'294276-01-01'", pa.string(), "294276-01-01 00:00:00+00"),
    "hour": ("time", "'24:00'", pa.string(), "24:00:00"),
    "span": ("interval", "'1 year 2 days'", pa.string(), "1 year 2 days"),
    "uuid": ("uuid", "'00000000-0000-0000-0000-000000000001'", pa.string(), "00000000-0000-0000-0000-000000000001"),
    "address": ("inet", "'10.0.0.1'", pa.string(), "10.0.0.1/32"),
    "network": ("cidr", "'10.0.0.0/8'", pa.string(), "10.0.0.0/8"),
    "card_address": ("macaddr", "'08:00:2b:01:02:03'", pa.string(), "08:00:2b:01:02:03"),
    "document": ("json", """'{"a": [1]}'""", pa.string(), '{"a": [1]}'),
    "binary_document": ("jsonb", """'{"a":1}'""", pa.string(), '{"a": 1}'),
    "numbers": ("int[]", "'{1,NULL,3}'", pa.list_(pa.string()), ["1", None, "3"]),
    "texts": ("text[]", """'{a,"b c",""}'""", pa.list_(pa.string()), ["a", "b c", ""]),
    "table_of": ("int[]", "'{{1,2},{3,4}}'", pa.list_(pa.string()), ["1", "2", "3", "4"]),
    "days": ("date[]", "'{infinity}'", pa.list_(pa.string()), ["infinity"]),
    "mood": ("mood", "'sad'", pa.string(), "sad"),
    "moods": ("mood[]", "'{sad,glad}'", pa.list_(pa.string()), ["sad", "glad"]),
    "mail": ("mail", f"'{CANARY}'", pa.string(), CANARY),
    "age": ("age", "7", pa.int64(), 7),
    "pair": ("pair", "(1,'x')", pa.string(), "(1,x)"),
    "range": ("int4range", "'[1,5)'", pa.string(), "[1,5)"),
    "ranges": ("datemultirange", "'{[2026-01-01,2026-02-01)}'", pa.string(), "{[2026-01-01,2026-02-01)}"),
    "words": ("tsvector", "'fat cat'", pa.string(), "'cat' 'fat'"),
    "money": ("money", "12.5", pa.string(), "$12.50"),
    "bits": ("bit(3)", "B'101'", pa.string(), "101"),
    "point": ("point", "'(1,2)'", pa.string(), "(1,2)"),
    "store": ("hstore", "'a=>1'", pa.string(), '"a"=>"1"'),
    "folded": ("citext", "'Ab'", pa.string(), "Ab"),
    "made": ("text", None, pa.string(), "é!"),
}  # fmt: skip


def odd(url: str) -> None:
    columns = [
        f"{name} {type}" + (" GENERATED ALWAYS AS (letters || '!') STORED" if value is None else "")
        for name, (type, value, _, _) in ODD.items()
    ]
    given = {name: value for name, (_, value, _, _) in ODD.items() if value is not None}
    make(
        url,
        "CREATE EXTENSION hstore",
        "CREATE EXTENSION citext",
        "CREATE TYPE mood AS ENUM ('sad', 'glad')",
        "CREATE DOMAIN contact AS text CHECK (value LIKE '%@%')",
        "CREATE DOMAIN mail AS contact",
        "CREATE DOMAIN age AS int CHECK (value < 200)",
        "CREATE TYPE pair AS (a int, b text)",
        "SET lc_monetary = 'C'",
        f"CREATE TABLE odd ({', '.join(columns)})",
        f"INSERT INTO odd ({', '.join(given)}) VALUES ({', '.join(given.values())})",
        "INSERT INTO odd DEFAULT VALUES",
        "COMMENT ON COLUMN odd.mail IS 'how to reach them'",
        "CREATE VIEW seen AS SELECT * FROM odd",
    )


@pytest.mark.parametrize("plan", [ReadPlan(), ReadPlan(rows=1), ReadPlan(rows=2)])
@pytest.mark.parametrize("name", ["odd", "seen"])
def test_every_type_comes_through(postgres_url: str, name: str, plan: ReadPlan) -> None:
    odd(postgres_url)
    drawn = Read(postgres_url, f"public.{name}", plan)
    data = pa.Table.from_batches([drawn.batches[0].data]) if drawn.rows else None
    assert data is not None
    rows = [row for row in data.to_pylist() if row["whole"] is not None]
    if plan.rows != 1:
        assert rows == [{name: seen for name, (_, _, _, seen) in ODD.items()}]
        types = dict(zip(data.schema.names, data.schema.types, strict=True))
        assert types == {name: type for name, (_, _, type, _) in ODD.items()}
    if name == "odd":
        assert data.schema.field("mail").metadata == {b"comment": b"how to reach them"}
        assert data.schema.field("whole").metadata is None


def test_an_empty_table_still_tells_its_fields(postgres_url: str) -> None:
    odd(postgres_url)
    make(postgres_url, "TRUNCATE odd")
    for plan in (ReadPlan(), ReadPlan(rows=10, bytes=MIB)):
        for name in ("public.odd", "public.seen"):
            read = Read(postgres_url, name, plan)
            assert (read.rows, read.gaps) == (0, [])
            assert read.batches[0].data.schema.names == list(ODD)


def test_a_table_without_columns_costs_nothing(postgres_url: str) -> None:
    make(postgres_url, "CREATE TABLE people ()", "INSERT INTO people DEFAULT VALUES")
    for plan in (ReadPlan(), ReadPlan(rows=10), ReadPlan(bytes=1)):
        assert Read(postgres_url, plan=plan).batches[0].data.num_columns == 0


def test_a_table_of_1600_columns_is_read(postgres_url: str) -> None:
    columns = [f"c{n} {'text' if n % 2 else 'int'}" for n in range(1600)]
    make(
        postgres_url,
        f"CREATE TABLE people ({', '.join(columns)})",
        "INSERT INTO people (c0, c1, c1599) SELECT g, 'a', 'z' FROM generate_series(1, 50) g",
    )
    for plan in (ReadPlan(), ReadPlan(rows=20)):
        read = Read(postgres_url, plan=plan)
        assert (read.rows, read.batches[0].data.num_columns) == (plan.rows or 50, 1600)
        assert set(read.column("c1599")) == {"z"}


def test_a_database_of_no_encoding_is_read_as_far_as_it_is_utf8(postgres_url: str) -> None:
    name = f"ascii_{uuid4().hex[:8]}"
    make(postgres_url, f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    url = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    try:
        make(
            url,
            "CREATE TABLE people (name text)",
            r"INSERT INTO people VALUES ('café'), (convert_from('\x636166e9', 'SQL_ASCII'))",
        )
        read = Read(url)
        assert sorted(read.column("name")) == ["café", "caf\ufffd"]
        assert read.reasons == [(Reason.UNREADABLE, 1)]
        assert Read(url, plan=ReadPlan(rows=1)).rows == 1
    finally:
        make(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def test_huge_cells_are_cut_before_they_cross(postgres_url: str) -> None:
    make(
        postgres_url,
        "CREATE TABLE people (id int, a text, b bytea, c jsonb, d text[])",
        "ALTER TABLE people ALTER a SET STORAGE EXTERNAL",
        f"INSERT INTO people SELECT 1, repeat('é', {3 * MIB}), convert_to(repeat('x', {2 * MIB}), 'UTF8'),"
        f" to_jsonb(repeat('y', {2 * MIB})), ARRAY[repeat('z', {2 * MIB}), 'end']",
        "INSERT INTO people SELECT 2, 'a', 'b', '1', '{d}'",
        "CREATE VIEW seen AS SELECT * FROM people",
    )
    for name in ("public.people", "public.seen"):
        for plan in (ReadPlan(), ReadPlan(rows=5), ReadPlan(rows=5, bytes=1 << 40)):
            read = Read(postgres_url, name, plan)
            long, short = sorted(
                (row for batch in read.batches for row in batch.data.to_pylist()), key=lambda row: row["id"]
            )
            assert short == {"id": 2, "a": "a", "b": b"b", "c": "1", "d": ["d"]}
            assert [len(long["a"]), len(long["b"]), len(long["c"]), len(long["d"][0])] == [MIB] * 4
            assert read.reasons == [(Reason.TOO_LARGE, 4)]


def test_memory_stays_flat_however_large_the_cells_are(postgres_url: str) -> None:
    make(
        postgres_url,
        "CREATE TABLE people (id int, name text)",
        f"INSERT INTO people SELECT g, repeat('x', {MIB}) FROM generate_series(1, 400) g",
        "CREATE VIEW seen AS SELECT * FROM people",
    )
    with Sql(postgres_url) as source:
        for one in source.survey():
            for plan in (ReadPlan(), ReadPlan(rows=100, bytes=16 * MIB)):
                tracemalloc.start()
                rows = sum(part.data.num_rows for part in source.read(one, plan) if isinstance(part, Batch))
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                assert rows >= 10
                assert peak < 250 * MIB  # of 400 MiB in the table


# Whole readings


@pytest.mark.parametrize("make_it", [lambda url: people(url, 30_000), lambda url: partitioned(url, 30_000)])
def test_a_whole_table_comes_in_order_and_goes_on_where_it_stopped(
    postgres_url: str, make_it: Callable[[str], None]
) -> None:
    make_it(postgres_url)
    (name,) = surveyed(postgres_url)
    read = Read(postgres_url, name)
    assert sorted(read.column("id")) == list(range(1, 30_001))
    assert read.how == {("all", False)}
    assert read.gaps == []
    assert len(read.batches) > 3
    for number, batch in enumerate(read.batches[:-1]):
        rest = Read(postgres_url, name, resume=batch.resume)
        assert rest.column("id") == [
            value for later in read.batches[number + 1 :] for value in later.data.column("id").to_pylist()
        ]
        assert rest.batches[0].first == read.batches[number + 1].first
    assert Read(postgres_url, name, resume=read.batches[-1].resume).rows == 0


def cuts(read: Read) -> list[tuple[int | None, int, str | None]]:
    return [(batch.first, batch.data.num_rows, batch.resume) for batch in read.batches]


def small_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 500)
    monkeypatch.setattr(reading, "BYTES", 64 << 10)


def test_a_resumed_reading_cuts_the_same_batches_and_tells_the_same_gaps(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_range(monkeypatch)
    make(
        postgres_url,
        "CREATE TABLE people (id int, r int GENERATED ALWAYS AS (1 / (id - 15000)) VIRTUAL, name text)",
        f"INSERT INTO people (id, name) SELECT 1, repeat('x', {2 * MIB})",
        "INSERT INTO people (id, name) SELECT g, repeat('y', CASE WHEN g % 3000 < 300 THEN 2000 ELSE 5 END)"
        " FROM generate_series(2, 20000) g",
        "DELETE FROM people WHERE id BETWEEN 4000 AND 9000",
    )
    whole = Read(postgres_url)
    assert whole.reasons == [(Reason.UNREADABLE, 1), (Reason.TOO_LARGE, 1)]
    assert len(whole.batches) > 20
    for number in (0, 1, 2, 5, len(whole.batches) // 2, len(whole.batches) - 3, len(whole.batches) - 1):
        rest = Read(postgres_url, resume=whole.batches[number].resume)
        assert cuts(rest) == cuts(whole)[number + 1 :]
        assert rest.gaps == whole.gaps


def test_texts_that_are_not_utf8_are_counted_across_an_interruption(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_range(monkeypatch)
    url = make_url(postgres_url)
    name = f"{url.database}_ascii"
    make(postgres_url, f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    ascii_url = url.set(database=name).render_as_string(hide_password=False)
    try:
        make(
            ascii_url,
            "CREATE TABLE people (id int, name text)",
            "INSERT INTO people SELECT g, CASE WHEN g % 100 = 0 THEN E'\\xFF' ELSE 'a' END"
            " FROM generate_series(1, 20000) g",
        )
        whole = Read(ascii_url)
        assert whole.reasons == [(Reason.UNREADABLE, 200)]
        for batch in whole.batches:
            assert Read(ascii_url, resume=batch.resume).gaps == whole.gaps
    finally:
        make(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def test_every_batch_of_a_heap_can_be_gone_on_from(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small_range(monkeypatch)
    people(postgres_url, 20_000)
    make(postgres_url, "DELETE FROM people WHERE id <= 12000")
    whole = Read(postgres_url)
    assert max(batch.data.num_rows for batch in whole.batches) >= 1000  # a range was cut into several
    assert all(batch.resume for batch in whole.batches)
    for number, batch in enumerate(whole.batches):
        rest = Read(postgres_url, resume=batch.resume)
        assert cuts(rest) == cuts(whole)[number + 1 :]
        assert rest.column("id") == whole.column("id")[sum(map(len, (b.data for b in whole.batches[: number + 1]))) :]


def test_partitions_read_through_their_parent_go_on_at_every_point_that_is_given(
    postgres_url: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_range(monkeypatch)
    partitioned(postgres_url, 10_000)
    make(postgres_url, f"GRANT SELECT ON events TO {role_of(user)}")
    whole = Read(user, "public.events")
    assert sorted(whole.column("id")) == list(range(1, 10_001))
    points = [number for number, batch in enumerate(whole.batches) if batch.resume]
    assert points[-1] == len(whole.batches) - 1
    for number in points:
        assert cuts(Read(user, "public.events", resume=whole.batches[number].resume)) == cuts(whole)[number + 1 :]


def test_rows_that_were_read_and_deleted_before_a_reading_goes_on_hide_no_others(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_range(monkeypatch)
    people(postgres_url, 20_000)
    first = Read(postgres_url).batches[0]
    assert first.resume is not None
    make(postgres_url, "DELETE FROM people WHERE id < 500", "VACUUM people")
    seen = first.data.column("id").to_pylist() + Read(postgres_url, resume=first.resume).column("id")
    assert seen == list(range(1, 20_001))


@pytest.mark.parametrize("kind", ["rewritten", "truncated", "parent", "dropped", "no point"])
def test_a_table_written_anew_before_its_reading_goes_on_is_changed(postgres_url: str, user: str, kind: str) -> None:
    if kind in ("parent", "dropped"):
        partitioned(postgres_url, 30_000)
        name = "public.events"
        make(postgres_url, f"GRANT SELECT ON events TO {role_of(user)}")
    else:
        people(postgres_url, 30_000)
        make(postgres_url, "CREATE INDEX by_name ON people (name)")
        name = "public.people"
    url = user if kind == "parent" else postgres_url
    resume = Read(url, name).batches[0].resume
    assert resume is not None
    if kind in ("parent", "dropped"):
        parts = [part for (part,) in ask(postgres_url, "SELECT inhrelid::regclass::text FROM pg_inherits ORDER BY 1")]
        make(
            postgres_url, *(f"{'VACUUM FULL' if kind == 'parent' else 'DROP TABLE IF EXISTS'} {part}" for part in parts)
        )
    elif kind == "rewritten":
        make(postgres_url, "CLUSTER people USING by_name")
    elif kind == "truncated":
        make(postgres_url, "TRUNCATE people")
    else:
        resume = "1:2:x"
    with pytest.raises(SourceError) as caught:
        Read(url, name, resume=resume)
    assert caught.value.reason is Reason.CHANGED
    assert "\n" not in str(caught.value)


def test_a_table_altered_before_its_reading_goes_on_is_a_gap(postgres_url: str) -> None:
    people(postgres_url, 30_000)
    first = Read(postgres_url).batches[0]
    make(postgres_url, "ALTER TABLE people ADD extra int")
    rest = Read(postgres_url, resume=first.resume)
    assert rest.reasons == [(Reason.CHANGED, 1)]
    assert rest.column("id")[-1] == 30_000


def test_the_partition_of_each_row_is_told(postgres_url: str) -> None:
    partitioned(postgres_url)
    read = Read(postgres_url, "public.events")
    assert [(batch.member, batch.data.num_rows) for batch in read.batches] == [
        ("early", 99), ("late1", 200), ("late2", 201), ("middle", 400),
    ]  # fmt: skip


def test_partitions_are_read_through_a_parent_on_which_alone_select_is_granted(postgres_url: str, user: str) -> None:
    partitioned(postgres_url)
    make(postgres_url, f"GRANT SELECT ON events TO {role_of(user)}")
    whole = Read(user, "public.events")
    assert sorted(whole.column("id")) == list(range(1, 901))
    some = Read(user, "public.events", ReadPlan(rows=200))
    assert (some.rows, some.how, some.reasons) == (200, {("random rows", True)}, [(Reason.BUDGET, 700)])
    assert len(set(some.column("id"))) == 200


def test_columns_that_may_not_be_read_are_a_gap_and_the_others_are_read(postgres_url: str, user: str) -> None:
    people(postgres_url)
    make(postgres_url, f"GRANT SELECT (id) ON people TO {role_of(user)}")
    read = Read(user)
    assert sorted(read.column("id")) == list(range(1, 901))
    assert read.batches[0].data.schema.names == ["id"]
    assert read.reasons == [(Reason.DENIED, 2)]


def test_rows_that_row_security_hides_are_not_read(postgres_url: str, user: str) -> None:
    people(postgres_url)
    make(
        postgres_url,
        "ALTER TABLE people ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY first ON people TO {role_of(user)} USING (id <= 300)",
        f"GRANT SELECT ON people TO {role_of(user)}",
    )
    assert sorted(Read(user).column("id")) == list(range(1, 301))
    assert facts(user, "public.people")["row_security"] == [True]
    with Sql(user) as source:
        assert source.mark(asset(source, "public.people")) is None


def test_a_foreign_table_is_read_from_its_start(postgres_url: str) -> None:
    people(postgres_url)
    url = make_url(postgres_url)
    make(
        postgres_url,
        "CREATE EXTENSION postgres_fdw",
        f"CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS"
        f" (host '{url.host}', port '{url.port}', dbname '{url.database}')",
        "CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'postgres', password 'hunter2')",
        "CREATE FOREIGN TABLE distant (id int, name text) SERVER far OPTIONS (table_name 'people')",
        "CREATE FOREIGN TABLE nowhere (id int) SERVER far OPTIONS (table_name 'gone')",
    )
    assert Read(postgres_url, "public.distant").rows == 900
    some = Read(postgres_url, "public.distant", ReadPlan(rows=50))
    assert (some.rows, some.how, some.reasons) == (50, {("head", False)}, [(Reason.BUDGET, 1)])
    told = facts(postgres_url, "public.distant")
    assert told["foreign_server"] == [
        f"far (postgres_fdw) dbname={url.database} host={url.host} port={url.port} table_name=people"
    ]
    assert "hunter2" not in str(told)
    assert refusal(postgres_url, "public.nowhere").reason in (Reason.CHANGED, Reason.UNREACHABLE)


# Samples


def drawn_by_seed(source: Sql, one: Asset, seed: int, rows: int) -> list[int]:
    parts = list(source.read(one, ReadPlan(rows=rows, seed=seed)))
    assert [part.reason for part in parts if isinstance(part, Gap)] == [Reason.BUDGET]
    batches = [part for part in parts if isinstance(part, Batch)]
    assert all(batch.random and batch.method == "random rows" for batch in batches)
    return [id for batch in batches for id in batch.data.column("id").to_pylist()]


@pytest.mark.parametrize("kind", ["listed", "drawn", "uneven", "holes", "partitions", "parent"])
def test_every_row_has_the_same_chance(
    postgres_url: str, user: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, name = postgres_url, "public.people"
    if kind in ("partitions", "parent"):
        partitioned(url, 3000)
        name = "public.events"
    else:
        make(
            url,
            "CREATE TABLE people (id int, name text)",
            # blocks of few long rows, and blocks of many short ones
            "INSERT INTO people SELECT g, repeat('x', CASE WHEN g > 2500 THEN 1500 ELSE 10 END)"
            " FROM generate_series(1, 3000) g"
            if kind == "uneven"
            else f"INSERT INTO people SELECT g, 'x' FROM generate_series(1, {12_000 if kind == 'holes' else 3000}) g",
        )
    if kind == "holes":
        make(url, "DELETE FROM people WHERE id % 4 <> 0", "UPDATE people SET id = id / 4", "ANALYZE people")
    if kind == "parent":
        make(url, f"GRANT SELECT ON events TO {role_of(user)}")
        url = user
    if kind != "listed":
        monkeypatch.setattr(sample, "WALKED", 0)
        monkeypatch.setattr(sample, "WALKED_SPARSE", 0)
    counts = dict.fromkeys(range(1, 3001), 0)
    with Sql(url) as source:
        one = asset(source, name)
        for seed in range(60):
            seen = drawn_by_seed(source, one, seed, 100)
            assert len(set(seen)) == len(seen) == 100
            for id in seen:
                counts[id] += 1
    tenths = [sum(list(counts.values())[start : start + 300]) for start in range(0, 3000, 300)]
    expected = 60 * 100 / 10
    assert sum((count - expected) ** 2 / expected for count in tenths) < 33.7  # chi-square, 9 degrees, p = 0.0001


@pytest.mark.parametrize("walked", [2048, 0])
@pytest.mark.parametrize("plan", [ReadPlan(rows=1000, bytes=MIB // 2), ReadPlan(rows=24)])
def test_a_sample_of_wide_rows_that_a_limit_ends_favours_no_part_of_the_table(
    postgres_url: str, walked: int, plan: ReadPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "WALKED", walked)
    monkeypatch.setattr(sample, "WALKED_SPARSE", walked)
    monkeypatch.setattr(sample, "BYTES", 20_000)  # a part of a chunk is two rows
    make(
        postgres_url,
        "CREATE TABLE people (id int, a text, b text)",
        "ALTER TABLE people ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL",
        "INSERT INTO people SELECT g, repeat('x', 10000), repeat('y', 10000) FROM generate_series(1, 200) g",
    )
    quarters = [0] * 4
    with Sql(postgres_url) as source:
        one = asset(source, "public.people")
        for seed in range(40):
            for part in source.read(one, ReadPlan(plan.rows, plan.bytes, seed)):
                if isinstance(part, Batch):
                    assert part.random
                    for id in part.data.column("id").to_pylist():
                        quarters[(id - 1) // 50] += 1
    expected = sum(quarters) / 4
    assert 40 * 20 < sum(quarters) < 40 * 100
    assert sum((count - expected) ** 2 / expected for count in quarters) < 21.1  # chi-square, 3 degrees, p = 0.0001


def test_a_sample_of_wide_rows_stays_near_its_limit(postgres_url: str) -> None:
    make(
        postgres_url,
        "CREATE TABLE people (id int, a text)",
        "ALTER TABLE people ALTER a SET STORAGE EXTERNAL",
        "INSERT INTO people SELECT g, repeat('x', 900000) FROM generate_series(1, 60) g",
        "ANALYZE people",
    )
    read = Read(postgres_url, plan=ReadPlan(rows=1000, bytes=8 * MIB))
    assert 8 * MIB <= 900_000 * read.rows < 10 * MIB


def test_the_same_seed_draws_the_same_rows_and_another_others(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(postgres_url, 5000)
    for walked in (sample.WALKED, 0):
        monkeypatch.setattr(sample, "WALKED", walked)
        monkeypatch.setattr(sample, "WALKED_SPARSE", walked)
        drawn = [Read(postgres_url, plan=ReadPlan(rows=50, seed=seed)).column("id") for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1]
        assert sorted(drawn[0]) != sorted(drawn[2])


def test_a_sample_knows_the_positions_that_rows_have_in_the_whole(postgres_url: str) -> None:
    people(postgres_url, 5000)
    whole = Read(postgres_url).column("id")
    read = Read(postgres_url, plan=ReadPlan(rows=300))
    positions = [position for batch in read.batches for position in batch.positions or ()]
    assert read.column("id") == [whole[position - 1] for position in positions]
    assert read.reasons == [(Reason.BUDGET, 4700)]


def test_what_fits_the_plan_is_read_wholly(postgres_url: str) -> None:
    people(postgres_url)
    read = Read(postgres_url, plan=ReadPlan(rows=900, bytes=MIB))
    assert (read.rows, read.gaps, read.how) == (900, [], {("all", False)})


@pytest.mark.parametrize("walked", [2048, 0])
def test_a_limit_of_bytes_is_kept_and_what_is_read_is_from_everywhere(
    postgres_url: str, walked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "WALKED", walked)
    monkeypatch.setattr(sample, "WALKED_SPARSE", walked)
    people(postgres_url, 4000, filler=1500)
    read = Read(postgres_url, plan=ReadPlan(rows=3000, bytes=MIB))
    assert 0.9 * MIB < 1500 * read.rows < 3 * MIB
    assert min(read.column("id")) < 400
    assert max(read.column("id")) > 3600
    assert [reason for reason, _ in read.reasons] == [Reason.BUDGET]


def test_a_large_table_is_sampled_without_a_sequential_scan_and_without_a_write(postgres_url: str) -> None:
    people(postgres_url, 400_000, filler=60)
    make(postgres_url, "VACUUM ANALYZE people")
    before = written(postgres_url)
    read = Read(postgres_url, plan=ReadPlan(rows=10_000, bytes=16 * MIB))
    assert read.asset.bytes is not None
    assert read.asset.bytes > sample.WALKED * 8192
    assert (read.rows, read.how) == (10_000, {("random rows", True)})
    assert len(set(read.column("id"))) == 10_000
    assert Read(postgres_url).rows == 400_000
    settled(postgres_url)
    scans = "SELECT seq_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables"
    assert ask(postgres_url, scans) == [(0, 400_000, 0, 0)]
    assert written(postgres_url) == before


def written(url: str) -> list[tuple[Any, ...]]:
    """What changes with any write to this database."""
    settled(url)
    return ask(
        url,
        "SELECT tup_inserted, tup_updated, tup_deleted, temp_files, temp_bytes,"
        " (SELECT count(*) FROM pg_class), (SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relkind = 'r')"
        " FROM pg_stat_database WHERE datname = current_database()",
    )


def settled(url: str) -> None:
    """Until the sessions of the connector have ended, and with that told what they counted."""
    with closing(connected(url)) as connection:
        left = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'mapkeeper' AND datname = current_database()"
        while connection.execute(left).fetchall():
            pass


def test_a_table_that_is_nearly_empty_is_sampled_by_neighbouring_blocks(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "WALKED", 10)
    monkeypatch.setattr(sample, "WALKED_SPARSE", 10)
    people(postgres_url, 30_000, filler=400)
    make(postgres_url, "ALTER TABLE people SET (autovacuum_enabled = off)", "DELETE FROM people WHERE id % 3000 <> 1")
    read = Read(postgres_url, plan=ReadPlan(rows=20))
    assert sorted(read.column("id")) == list(range(1, 30_000, 3000))  # all blocks were looked at in the end
    assert read.gaps == []
    monkeypatch.setattr(sample, "WINDOWS", 10)
    read = Read(postgres_url, plan=ReadPlan(rows=20))
    assert 1 <= read.rows < 10
    assert ("blocks spread over the table", False) in read.how
    assert [reason for reason, _ in read.reasons] == [Reason.BUDGET]
    make(postgres_url, "DELETE FROM people")
    read = Read(postgres_url, plan=ReadPlan(rows=20))
    assert (read.rows, len(read.batches)) == (0, 1)


def test_a_view_gives_its_first_rows(postgres_url: str) -> None:
    people(postgres_url, 5000)
    make(postgres_url, "CREATE VIEW seen AS SELECT * FROM people ORDER BY id DESC")
    read = Read(postgres_url, "public.seen", ReadPlan(rows=100))
    assert read.column("id") == list(range(5000, 4900, -1))
    assert (read.how, read.reasons) == ({("head", False)}, [(Reason.BUDGET, 1)])
    exact = Read(postgres_url, "public.seen", ReadPlan(rows=5000, bytes=MIB))
    assert (exact.rows, exact.gaps) == (5000, [])
    few = Read(postgres_url, "public.seen", ReadPlan(bytes=1000))
    assert 0 < few.rows < 1000
    assert few.reasons == [(Reason.BUDGET, 1)]
    assert Read(postgres_url, "public.seen").column("id") == list(range(5000, 0, -1))


# Marks


def test_a_mark_that_is_asked_for_alone_looks_at_its_own_tables_and_is_the_same(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(postgres_url)
    partitioned(postgres_url)
    make(postgres_url, "CREATE TABLE other (id int)", "CREATE VIEW seen AS SELECT e.id FROM events e, people")
    asked: list[int] = []
    rows = session.Session.rows

    def counted(self: session.Session, query: str, *values: object) -> list[tuple[Any, ...]]:
        found = rows(self, query, *values)
        if "tuples_inserted" in query:
            asked.append(len({oid for _, _, oid, _ in found}))
        return found

    monkeypatch.setattr(session.Session, "rows", counted)
    settled(postgres_url)
    with Sql(postgres_url) as source:
        assets = list(source.survey())
        together = [source.mark(one) for one in assets]
        assert None not in together
        assert len(asked) == 1
        assert len(set(together)) == len(assets)
        monkeypatch.setattr(mark, "_FRESH", -1.0)
        list(source.survey())
        source.mark(assets[0])
        partitions = asked.pop() - len([one for one in assets if one.name != "public.seen"])
        asked.clear()
        assert [source.mark(one) for one in assets] == together
        parts = {"public.events": [1 + partitions], "public.seen": [0, 2 + partitions]}
        assert asked == [count for one in assets for count in parts.get(one.name, [1])]


def test_the_mark_changes_with_the_contents_and_only_with_them(postgres_url: str) -> None:
    people(postgres_url)
    partitioned(postgres_url)
    make(
        postgres_url,
        "CREATE TABLE other (a int)",
        "CREATE VIEW seen AS SELECT lower(name) AS name FROM people WHERE id > 7",
        "CREATE VIEW again AS SELECT * FROM seen",
        "CREATE MATERIALIZED VIEW frozen AS SELECT * FROM people",
    )

    def marks() -> dict[str, str | None]:
        settled(postgres_url)
        with Sql(postgres_url) as source:
            found = {one.name.removeprefix("public."): source.mark(one) for one in source.survey()}
            for one in source.survey():
                list(source.read(one, ReadPlan(rows=5)))
        return found

    first = marks()
    assert None not in first.values()
    assert marks() == first
    for statement, changed in (
        ("UPDATE people SET name = 'other' WHERE id = 1", {"people", "seen", "again"}),
        ("INSERT INTO events VALUES (950, 'late')", {"events"}),
        ("DELETE FROM late1", {"events"}),
        ("TRUNCATE other", {"other"}),
        ("REFRESH MATERIALIZED VIEW frozen", {"frozen"}),
        ("ALTER TABLE other ADD b int DEFAULT 7", {"other"}),
        ("CREATE OR REPLACE VIEW seen AS SELECT upper(name) AS name FROM people", {"seen", "again"}),
        ("ANALYZE", set()),
        ("VACUUM", set()),
        ("CREATE INDEX ON people (name)", set()),
    ):
        make(postgres_url, statement)
        now = marks()
        assert {name for name in now if now[name] != first[name]} == changed, statement
        first = now


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM people WHERE now() > '2026-01-01'",
        "SELECT * FROM people WHERE current_date > '2026-01-01'",
        "SELECT random() AS r FROM people",
        "SELECT *, current_user AS me FROM people",
        "SELECT relname FROM pg_class",
        "SELECT last_value FROM numbers",
        "SELECT * FROM inner_view",
        "SELECT id FROM people WHERE EXISTS (SELECT FROM events WHERE clock_timestamp() > '2026-01-01')",
    ],
)
def test_a_view_that_shows_more_than_rows_of_tables_has_no_mark(postgres_url: str, query: str) -> None:
    people(postgres_url)
    partitioned(postgres_url)
    make(
        postgres_url,
        "CREATE SEQUENCE numbers",
        "CREATE VIEW inner_view AS SELECT *, now() AS now FROM people",
        f"CREATE VIEW seen AS {query}",
    )
    with Sql(postgres_url) as source:
        assert source.mark(asset(source, "public.seen")) is None


# Facts, rights, stores


def test_facts_tell_who_may_read_and_what_a_table_is_made_of(postgres_url: str, user: str) -> None:
    people(postgres_url)
    partitioned(postgres_url)
    make(
        postgres_url,
        "ALTER TABLE people ADD PRIMARY KEY (id)",
        "CREATE TABLE orders (number int, customer_id int REFERENCES people (id), a int, b int)",
        "CREATE UNIQUE INDEX ON people (id, name)",
        "COMMENT ON TABLE people IS 'who buys'",
        "GRANT SELECT ON orders TO PUBLIC",
        f"GRANT SELECT ON people TO {role_of(user)}",
        f"""CREATE VIEW seen AS SELECT name AS "a'b", E'x\\\\y it''s' AS e FROM people
            WHERE name <> '{CANARY}' AND name <> 'it''s' AND id::numeric <> 4111111111111111.5""",
        "CREATE MATERIALIZED VIEW frozen AS SELECT name FROM people",
    )
    table = facts(postgres_url, "public.people")
    assert table["owner"] == ["postgres"]
    assert table["reader"] == ["postgres", role_of(user)]
    assert (table["public"], table["comment"], table["row_security"]) == ([False], ["who buys"], [False])
    assert table["encryption_in_transit"] == [False]
    assert table["encryption_at_rest"] == [None]
    assert str(table["version"][0]).partition(".")[0] == str(server_version(postgres_url))
    assert all(end is None or len(str(end)) == 10 for end in table["end_of_life"])
    orders = facts(postgres_url, "public.orders")
    assert (orders["public"], orders["foreign_key"]) == ([True], ["customer_id -> public.people.id"])
    events = facts(postgres_url, "public.events")
    assert (events["partitions"], events["partition_key"]) == ([4], ["RANGE (id)"])
    assert facts(postgres_url, "public.frozen")["materialized"] == [True]
    (definition,) = facts(postgres_url, "public.seen")["definition"]
    assert "FROM people" in definition
    assert """"a'b",""" in definition
    assert [word for word in (CANARY, "it''s", "4111") if word in definition] == []


def server_version(url: str) -> int:
    return int(ask(url, "SELECT current_setting('server_version_num')::int / 10000")[0][0])


def test_the_encryption_of_the_connection_is_a_fact(postgres_tls: TlsServer) -> None:
    make(postgres_tls.url, "DROP TABLE IF EXISTS secured", "CREATE TABLE secured (id int, name text)")
    make(postgres_tls.url, "INSERT INTO secured SELECT g, 'name ' || g FROM generate_series(1, 500) g")
    assert facts(postgres_tls.url, "public.secured")["encryption_in_transit"][0] in ("TLSv1.2", "TLSv1.3")
    assert Read(postgres_tls.url, "public.secured").rows == 500
    assert Read(postgres_tls.url, "public.secured", ReadPlan(rows=100)).how == {("random rows", True)}
    told = refusal(make_url(postgres_tls.url).update_query_dict({"sslrootcert": "/nowhere.pem"}).render_as_string())
    assert (told.reason, "sslrootcert" in str(told)) == (Reason.UNREACHABLE, True)


def test_check_tells_what_is_granted_and_reads_no_rows(postgres_url: str, user: str) -> None:
    people(postgres_url)
    make(postgres_url, *(f"CREATE TABLE t{n:02} (a int)" for n in range(22)))
    make(postgres_url, "CREATE SCHEMA closed", "CREATE TABLE closed.t (a int)")
    make(postgres_url, f"GRANT SELECT ON people TO {role_of(user)}")
    with Sql(user) as source:
        found = {access.needs: (access.granted, access.says) for access in source.check()}
    assert found["SELECT on all tables in schema public"] == (False, "1 of 23 tables and views")
    assert found["USAGE on schema closed"] == (False, "")
    assert found["SELECT on public.t19"] == (False, "")
    assert found["SELECT on other tables"] == (False, "2 more are refused")
    with Sql(postgres_url) as source:
        assert all(access.granted for access in source.check())
    settled(postgres_url)
    assert ask(postgres_url, "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = 'people'") == [(0,)]


def test_the_rights_that_are_told_are_enough_and_let_nothing_be_written(postgres_url: str) -> None:
    people(postgres_url)
    role = f"keeper_{uuid4().hex[:12]}"
    url = make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
    rights = Sql(url).rights()
    assert rights is not None
    make(postgres_url, rights, "CREATE TABLE later (a int)")
    try:
        with Sql(url) as source:
            assert all(access.granted for access in source.check())
        assert Read(url).rows == 900
        for statement in ("INSERT INTO people VALUES (1)", "CREATE TEMP TABLE t (a int)", "CREATE TABLE t (a int)"):
            with pytest.raises(psycopg.Error):
                make(url, statement)
    finally:
        make(postgres_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_the_databases_of_a_server_are_its_stores(postgres_url: str) -> None:
    url = make_url(postgres_url)
    source = Sql(
        url.set(password="hunter2").update_query_dict({"sslmode": "prefer"}).render_as_string(hide_password=False)
    )
    with source:
        stores = {store.name: store for store in source.stores()}
    mine = stores[str(source.store)]
    assert mine.name == f"postgresql://{url.host}:{url.port}/{url.database}"
    assert f"postgresql://{url.host}:{url.port}/template1" not in stores
    assert "hunter2" not in str(stores)
    assert mine.settings == {"connector": "sql", "url": postgres_url + "?sslmode=prefer"}
    assert len(stores) >= 2


# What goes wrong


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """A server that gives one answer to whoever logs in, or none."""
    clients: list[socket.socket] = []

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                clients.append(client)
                while said := client.recv(4096):
                    if said[4:8] in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"):  # asks for TLS or GSSAPI
                        client.sendall(b"N" if answer else b"")
                    elif answer:
                        client.sendall(answer)
                        client.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        try:
            yield f"postgresql+psycopg://keeper:hunter2@127.0.0.1:{server.getsockname()[1]}/crm"
        finally:
            for one in (server, *clients):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)
            for client in clients:
                client.close()


def fatal(code: str, text: str) -> bytes:
    fields = b"".join(
        tag.encode() + value.encode() + b"\0" for tag, value in (("S", "FATAL"), ("C", code), ("M", text))
    )
    return b"E" + (len(fields) + 5).to_bytes(4, "big") + fields + b"\0"


@pytest.mark.parametrize(
    ("code", "text", "reason", "remedy"),
    [
        ("28P01", 'password authentication failed for user "keeper"', Reason.DENIED, "password"),
        ("28000", 'no pg_hba.conf entry for host "h", user "u", database "crm", SSL off', Reason.DENIED, "pg_hba"),
        ("42501", 'permission denied for database "crm"', Reason.DENIED, "user"),
        ("3D000", 'database "crm" does not exist', Reason.MISSING, "name"),
        ("53300", "sorry, too many clients already", Reason.UNREACHABLE, "max_connections"),
        ("57P03", "the database system is starting up", Reason.UNREACHABLE, "check"),
    ],
)  # fmt: skip
def test_a_refused_login_says_why(code: str, text: str, reason: Reason, remedy: str) -> None:
    with listening(fatal(code, text)) as url:
        told = refusal(url)
    assert told.reason is reason
    assert remedy in str(told)
    assert "hunter2" not in f"{told} {told!r}"
    assert str(told).startswith("postgresql+psycopg://keeper@127.0.0.1:")


def test_a_server_that_accepts_and_never_answers_is_a_timeout() -> None:
    with listening(None) as url:
        assert refusal(url, connect_timeout=2).reason is Reason.TIMEOUT


def test_what_is_not_there_is_told_apart(postgres_url: str) -> None:
    url = make_url(postgres_url)

    def reason(**other: Any) -> Reason:
        return refusal(url.set(**other).render_as_string(hide_password=False)).reason

    assert reason(database="nowhere") is Reason.MISSING
    assert reason(username="nobody") is Reason.DENIED
    assert reason(host="no-such-host.invalid") is Reason.UNREACHABLE
    assert reason(port=1) is Reason.UNREACHABLE
    assert reason(drivername="postgresql+psycopg2") is Reason.UNSUPPORTED
    assert reason(query={"nonsense": "1"}) is Reason.UNSUPPORTED


def test_the_session_says_who_it_is_and_can_only_read(postgres_url: str) -> None:
    people(postgres_url)
    make(postgres_url, "CREATE VIEW settings AS SELECT name, setting FROM pg_settings")
    read = Read(postgres_url, "public.settings")
    settings = dict(zip(read.column("name"), read.column("setting"), strict=True))
    assert settings["application_name"] == "mapkeeper"
    assert settings["transaction_read_only"] == settings["default_transaction_read_only"] == "on"
    assert (settings["statement_timeout"], settings["lock_timeout"]) == ("60000", "5000")
    make(
        postgres_url,
        "CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS 'DELETE FROM people RETURNING 1'",
        "CREATE VIEW trap AS SELECT spoil()",
    )
    refusal(postgres_url, "public.trap")
    assert ask(postgres_url, "SELECT count(*) FROM people") == [(900,)]


def test_a_connection_that_is_dropped_is_unreachable_and_reading_goes_on(postgres_url: str) -> None:
    people(postgres_url, 30_000)
    with Sql(postgres_url) as source:
        parts = source.read(asset(source, "public.people"), ReadPlan())
        first = next(parts)
        assert isinstance(first, Batch)
        make(
            postgres_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'mapkeeper' AND datname = current_database()",
        )
        with pytest.raises(SourceError) as caught:
            list(parts)
    assert caught.value.reason is Reason.UNREACHABLE
    assert caught.value.__suppress_context__
    rest = Read(postgres_url, resume=first.resume)
    assert first.data.column("id").to_pylist() + rest.column("id") == list(range(1, 30_001))


def test_a_table_that_is_dropped_while_it_is_read_is_changed(postgres_url: str) -> None:
    people(postgres_url, 30_000)
    with Sql(postgres_url) as source:
        one = asset(source, "public.people")
        parts = source.read(one, ReadPlan())
        next(parts)
        make(postgres_url, "DROP TABLE people")
        with pytest.raises(SourceError) as caught:
            list(parts)
        assert caught.value.reason is Reason.CHANGED
        assert source.mark(one) is None
        assert next(iter(source.facts(one))).name == "encryption_in_transit"


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("ALTER TABLE people ADD extra int", 30_000),
        ("ALTER TABLE people ALTER id TYPE bigint", None),
        ("TRUNCATE people", None),
    ],
)
def test_a_table_that_is_altered_while_it_is_read_is_a_gap_and_is_read_on(
    postgres_url: str, statement: str, rows: int | None
) -> None:
    people(postgres_url, 30_000)
    done: list[str] = []

    def alter() -> None:
        if not done:
            done.append(statement)
            make(postgres_url, statement)

    read = Read(postgres_url, between=alter)
    assert read.reasons == [(Reason.CHANGED, 1)]
    if rows is not None:
        assert read.rows == rows


def test_a_view_that_divides_by_zero_is_one_gap(postgres_url: str) -> None:
    people(postgres_url)
    make(postgres_url, "CREATE VIEW ratio AS SELECT name, 1 / (id - 500) AS r FROM people")
    told = refusal(postgres_url, "public.ratio")
    assert (told.reason, "divides by zero" in str(told)) == (Reason.UNREADABLE, True)
    with Sql(postgres_url) as source:
        for name in ("public.ratio", "public.people"):  # the session is still good
            one = asset(source, name)
            if name.endswith("ratio"):
                with pytest.raises(SourceError):
                    list(source.read(one, ReadPlan()))
            else:
                assert [part for part in source.read(one, ReadPlan()) if isinstance(part, Batch)]


def test_a_view_whose_own_rights_are_gone_is_denied(postgres_url: str, user: str) -> None:
    people(postgres_url)
    make(
        postgres_url,
        f"GRANT CREATE, USAGE ON SCHEMA public TO {role_of(user)}",
        "CREATE VIEW seen AS SELECT * FROM people",
        f"ALTER VIEW seen OWNER TO {role_of(user)}",
    )
    assert refusal(user, "public.seen").reason is Reason.DENIED


def test_a_block_that_cannot_be_read_costs_its_own_rows(postgres_url: str) -> None:
    if server_version(postgres_url) < 18:
        pytest.fail("needs generated columns that are not stored")
    make(
        postgres_url,
        "CREATE TABLE people (id int, r int GENERATED ALWAYS AS (1 / (id - 5000)) VIRTUAL)",
        "INSERT INTO people SELECT g FROM generate_series(1, 20000) g",
    )
    read = Read(postgres_url)
    assert 19_700 < read.rows < 20_000
    assert len(set(read.column("id"))) == read.rows
    assert read.reasons == [(Reason.UNREADABLE, 1)]


def test_a_table_that_cannot_be_read_at_all_is_given_up(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BAD_BLOCKS", 5)
    make(
        postgres_url,
        "CREATE TABLE people (id int, r int GENERATED ALWAYS AS (1 / (id - id)) VIRTUAL)",
        "INSERT INTO people SELECT g FROM generate_series(1, 20000) g",
    )
    assert refusal(postgres_url, "public.people").reason is Reason.UNREADABLE


def test_a_statement_that_takes_too_long_is_a_timeout(postgres_url: str) -> None:
    make(postgres_url, "CREATE VIEW slow AS SELECT pg_sleep(60)::text AS s")
    assert refusal(postgres_url, "public.slow", statement_timeout=0.2).reason is Reason.TIMEOUT


def test_a_table_that_another_session_locks_is_a_timeout(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= session.LOCK_WAIT <= 10
    monkeypatch.setattr(session, "LOCK_WAIT", 0.1)
    people(postgres_url)
    with closing(connected(postgres_url)) as other, other.transaction():
        other.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        told = refusal(postgres_url, "public.people")
    assert (told.reason, "locked" in str(told)) == (Reason.TIMEOUT, True)
    assert Read(postgres_url).rows == 900


def test_no_value_is_in_an_error_a_gap_or_a_repr(postgres_url: str) -> None:
    people(postgres_url)
    make(
        postgres_url,
        "CREATE VIEW broken AS SELECT name::int AS n FROM people WHERE id = 7",
        f"CREATE TABLE spelled (a text GENERATED ALWAYS AS (id || ' {CANARY}') VIRTUAL, id int,"
        " b int GENERATED ALWAYS AS (name::int) VIRTUAL, name text)",
        f"INSERT INTO spelled (id, name) VALUES (1, '{CANARY}')",
    )
    seen = [str(refusal(postgres_url, "public.broken")), repr(refusal(postgres_url, "public.broken"))]
    with Sql(postgres_url) as source:
        spelled = asset(source, "public.spelled")
        seen += [repr(source), repr(spelled), *(repr(part) for part in source.read(spelled, ReadPlan()))]
    assert CANARY not in "".join(seen)


# The kit


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("walked", [2048, 0])
def test_the_contract_of_connectors(
    check: Check, walked: int, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "WALKED", walked)
    monkeypatch.setattr(sample, "WALKED_SPARSE", walked)
    people(postgres_url)
    partitioned(postgres_url)
    make(
        postgres_url,
        "CREATE VIEW seen AS SELECT * FROM people",
        "CREATE MATERIALIZED VIEW frozen AS SELECT * FROM people",
        f"CREATE VIEW broken AS SELECT name::int AS n FROM people WHERE name = '{CANARY}'",
        "CREATE MATERIALIZED VIEW unfilled AS SELECT * FROM people WITH NO DATA",
    )
    url = make_url(postgres_url)
    trial = Trial(
        lambda: Sql(postgres_url),
        expect={f"public.{name}": 900 for name in ("people", "events", "seen", "frozen")},
        unreadable=["public.broken", "public.unfilled"],
        canary=CANARY,
        target=postgres_url,
        missing=lambda: Sql(url.set(database="nowhere").render_as_string(hide_password=False)),
        change=lambda name: make(postgres_url, f"UPDATE {name} SET name = 'x' WHERE id = 1"),
        vanish=lambda name: make(postgres_url, f"DROP TABLE {name} CASCADE"),
        fingerprint=lambda: written(postgres_url),
    )
    check(trial)
