"""The SQL connector on a real MariaDB: what is listed, how it is read and sampled, and what becomes of trouble."""

from __future__ import annotations

import socket
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pyarrow as pa
import pymysql
import pytest
from sqlalchemy import Connection, make_url

from mapkeeper.plugin import Asset, Batch, Fact, Gap, Kind, ReadPlan, Reason, SourceError
from mapkeeper.testing import Check, Trial, checks
from mapkeeper_connectors.sql import Sql
from mapkeeper_connectors.sql.mariadb import reading, sample
from mapkeeper_connectors.sql.mariadb.catalog import Catalog
from readings import Yielded
from services.databases import DatabaseServer

MIB = 1 << 20

UUID4 = "INSERT(INSERT(MD5(seq), 13, 1, '4'), 17, 1, 'a')"  # random, of version 4


def _at(url: str) -> dict[str, Any]:
    at = make_url(url)
    return {
        "host": at.host,
        "port": at.port or 3306,
        "user": at.username,
        "password": at.password or "",
        "database": at.database,
        "charset": "utf8mb4",
        "autocommit": True,
    }


@contextmanager
def admin(url: str) -> Iterator[pymysql.cursors.Cursor]:
    with closing(pymysql.connect(**_at(url))) as connection:
        yield connection.cursor()


def run(url: str, *statements: str, many: Sequence[tuple[str, list[tuple[Any, ...]]]] = ()) -> None:
    with admin(url) as cursor:
        for statement in statements:
            cursor.execute(statement)
        for statement, rows in many:
            cursor.executemany(statement, rows)


def asked(url: str, statement: str) -> list[tuple[Any, ...]]:
    with admin(url) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def numbered(url: str, count: int, key: str = "seq", table: str = "people") -> None:
    run(
        url,
        f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, name VARCHAR(40))",
        f"INSERT INTO {table} SELECT {key}, CONCAT('name ', seq) FROM seq_1_to_{count}",
        f"ANALYZE TABLE {table}",
    )


OTHERS = "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"


def sessions(url: str) -> int:
    return len(asked(url, OTHERS))


def database(url: str) -> str:
    return str(make_url(url).database)


class Read(Yielded):
    """All that came of reading one asset."""

    def __init__(self, url: str | Sql, name: str = "people", plan: ReadPlan | None = None, resume: str | None = None):
        super().__init__()
        with url if isinstance(url, Sql) else Sql(url=url) as source:
            self.asset = found(source, name)
            self.take(source.read(self.asset, plan or ReadPlan(), resume))

    @property
    def reasons(self) -> list[Reason]:
        return [gap.reason for gap in self.gaps]


def found(source: Sql, name: str) -> Asset:
    (asset,) = [asset for asset in source.survey() if asset.name == f"{make_url(source.url).database}.{name}"]
    return asset


@contextmanager
def account(url: str, *grants: str) -> Iterator[str]:
    """The address for a new account with these rights: ``SELECT ON people``, or ``SELECT ON *``."""
    name, password = f"u_{database(url)}", "secret"
    run(
        url,
        f"CREATE USER {name}@'%' IDENTIFIED BY '{password}'",
        f"CREATE USER {name}@127.0.0.1 IDENTIFIED BY '{password}'",
    )
    try:
        for grant in grants:
            rights, _, where = grant.rpartition(" ON ")
            run(url, f"GRANT {rights} ON {database(url)}.{where} TO {name}@127.0.0.1")
        at = make_url(url).set(username=name, password=password)
        yield at.render_as_string(hide_password=False)
    finally:
        run(url, f"DROP USER {name}@'%'", f"DROP USER {name}@127.0.0.1")


def refused(source: Sql, name: str, plan: ReadPlan | None = None) -> SourceError:
    with source, pytest.raises(SourceError) as caught:
        list(source.read(found(source, name), plan or ReadPlan()))
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.__suppress_context__
    return caught.value


# What lies there


def test_tables_views_and_partitions_are_listed_in_order_of_name(mariadb_url: str) -> None:
    numbered(mariadb_url, 50)
    run(
        mariadb_url,
        "CREATE VIEW names AS SELECT name FROM people",
        "CREATE SEQUENCE counter",
        "CREATE TABLE history (id INT) WITH SYSTEM VERSIONING",
        "CREATE TABLE sales (id INT) PARTITION BY RANGE (id)"
        " (PARTITION a VALUES LESS THAN (9), PARTITION b VALUES LESS THAN (99), PARTITION c VALUES LESS THAN MAXVALUE)",
        "CREATE TABLE gone (a INT)",
        "CREATE VIEW broken AS SELECT a FROM gone",
        "DROP TABLE gone",
    )
    at, name = make_url(mariadb_url), database(mariadb_url)
    with Sql(url=mariadb_url) as source:
        assets = list(source.survey())
    assert [(asset.name, asset.kind, asset.objects) for asset in assets] == [
        (f"{name}.broken", Kind.VIEW, 1),
        (f"{name}.history", Kind.TABLE, 1),
        (f"{name}.names", Kind.VIEW, 1),
        (f"{name}.people", Kind.TABLE, 1),
        (f"{name}.sales", Kind.TABLE, 3),
    ]
    assert {(asset.namespace, asset.dataset == asset.name) for asset in assets} == {
        (f"mysql://{at.host}:{at.port}", True)
    }
    broken, _, _, people, _ = assets
    assert broken.gap is not None
    assert broken.gap.reason is Reason.UNREADABLE
    assert people.rows == 50
    assert people.bytes is not None
    assert people.bytes > 0


def test_a_url_without_database_reaches_all_but_the_servers_own(mariadb_server: DatabaseServer) -> None:
    with mariadb_server.fresh() as one, mariadb_server.fresh() as two:
        for url in (one, two):
            numbered(url, 3)
        run(one, "CREATE TABLE `a.b` (id INT PRIMARY KEY)")
        whole = make_url(one).set(database="").render_as_string(hide_password=False)
        with Sql(url=whole) as source:
            names = [asset.name for asset in source.survey()]
            assert source.store == f"mysql://{make_url(one).host}:{make_url(one).port}"
        ours = {database(one), database(two)}
        assert [name for name in names if name.partition(".")[0] in ours] == sorted(
            [f"{database(one)}.a.b", f"{database(one)}.people", f"{database(two)}.people"]
        )
        assert not [name for name in names if name.startswith(("mysql.", "information_schema.", "sys."))]


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "dot.ted",
        "back`tick",
        "quo'te",
        'dou"ble',
        "per%cent %s",
        "käse 漢字",
        "new\nline",
        "semi;-- ",
        "`",
        "?:x",
    ],
)
def test_names_in_every_quoting_style_are_read(mariadb_url: str, name: str) -> None:
    name = name.strip()  # a name that ends in a space is refused by the server
    quoted, other = ("`" + text.replace("`", "``") + "`" for text in (name, f"a{name}"))
    run(mariadb_url, f"CREATE TABLE {quoted} ({quoted} INT PRIMARY KEY, {other} VARCHAR(9) COMMENT 'the name')")
    run(mariadb_url, f"INSERT INTO {quoted} SELECT seq, 'x' FROM seq_1_to_60")
    for plan in (None, ReadPlan(rows=20)):
        read = Read(mariadb_url, name, plan)
        assert read.rows == (60 if plan is None else 20)
        assert set(read.column(f"a{name}")) == {"x"}
    with Sql(url=mariadb_url) as source:
        asset = found(source, name)
        assert source.mark(asset)
        assert {fact.name for fact in source.facts(asset)} >= {"engine", "version"}
        assert all(access.granted for access in source.check())


def test_a_thousand_tables_are_listed_in_a_second_or_two(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "SET SESSION innodb_strict_mode = 0",
        *(f"CREATE TABLE t{n} (id INT) ENGINE=InnoDB" for n in range(1000)),
    )
    with Sql(url=mariadb_url) as source:
        start = time.monotonic()
        assert sum(1 for _ in source.survey()) == 1000
        assert time.monotonic() - start < 5


# Reading wholly


def test_a_table_is_read_by_its_key_in_order_with_positions(mariadb_url: str) -> None:
    numbered(mariadb_url, 20_000, key="seq * 3")
    read = Read(mariadb_url)
    assert read.column("id") == [3 * n for n in range(1, 20_001)]
    assert [batch.first for batch in read.batches] == [1, 501, 8693, 16885]
    assert read.how == {("all", False)}
    assert read.gaps == []


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("a INT UNSIGNED, PRIMARY KEY (a)", "seq * 1000000 + 1"),
        ("a BIGINT UNSIGNED, PRIMARY KEY (a)", "18446744073709551615 - seq"),
        ("a DECIMAL(20, 3), PRIMARY KEY (a)", "seq / 7"),
        ("a VARCHAR(40) COLLATE utf8mb4_general_ci, PRIMARY KEY (a)", r"CONCAT('Ü\'%\\ ', seq)"),
        ("a VARCHAR(40) CHARACTER SET latin1, PRIMARY KEY (a)", "CONCAT('é', seq)"),
        ("a BINARY(16), PRIMARY KEY (a)", "UNHEX(MD5(seq))"),
        ("a UUID, PRIMARY KEY (a)", UUID4),
        ("a INET6, PRIMARY KEY (a)", "CONCAT('fe80::', HEX(seq))"),
        ("a DATE, PRIMARY KEY (a)", "'2000-01-01' + INTERVAL seq DAY"),
        ("a DATETIME(3), PRIMARY KEY (a)", "'2000-01-01' + INTERVAL seq * 1001000 MICROSECOND"),
        ("a TIMESTAMP, PRIMARY KEY (a)", "'2020-01-01' + INTERVAL seq MINUTE"),
        ("a TIME, PRIMARY KEY (a)", "SEC_TO_TIME(CAST(seq AS SIGNED) * 600 - 90000)"),
        ("a INT NOT NULL, UNIQUE (a)", "seq"),
        ("a INT, b VARCHAR(9), c DATE, PRIMARY KEY (a, b, c)", "seq % 3, seq % 7, '2000-01-01' + INTERVAL seq DAY"),
        ("a INT, b BINARY(2), PRIMARY KEY (b, a)", "seq, seq % 5"),
    ],
)
def test_reading_goes_on_from_any_key(
    mariadb_url: str, declared: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_FIRST_STEP", 90)
    monkeypatch.setattr(reading, "ROWS", 90)
    run(
        mariadb_url,
        f"CREATE TABLE people ({declared}, n INT)",
        f"INSERT INTO people SELECT {value}, seq FROM seq_1_to_400",
    )
    whole = Read(mariadb_url)
    assert sorted(whole.column("n")) == list(range(1, 401))
    assert len(whole.batches) >= 4
    for batch in whole.batches:
        rest = Read(mariadb_url, resume=batch.resume)
        done = (batch.first or 0) - 1 + batch.data.num_rows
        assert rest.column("n") == whole.column("n")[done:]
        assert done == 400 or rest.batches[0].first == done + 1


def test_an_interrupted_reading_ends_as_an_undisturbed_one(mariadb_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BYTES", 4 * MIB)
    monkeypatch.setattr("mapkeeper_connectors.sql.mariadb.session.BYTES", 256 << 10)  # several batches a statement
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY, note LONGTEXT, name TEXT CHARACTER SET latin1)",
        "INSERT INTO people VALUES (1, REPEAT('x', 2000000), 'one')",
        "INSERT INTO people SELECT seq, REPEAT('a', seq % 900), 'n' FROM seq_2_to_12000",
        "UPDATE people SET note = REPEAT('y', 1500000) WHERE id IN (700, 11900)",
    )
    whole = Read(mariadb_url)
    assert [(gap.reason, gap.count) for gap in whole.gaps] == [(Reason.TOO_LARGE, 3)]
    sizes = [batch.data.num_rows for batch in whole.batches]
    assert len(sizes) > 10
    for at in (0, 1, 2, 3, 5, len(sizes) // 2, len(sizes) - 1):
        rest = Read(mariadb_url, resume=whole.batches[at].resume)
        assert rest.batches == whole.batches[at + 1 :]
        assert rest.gaps == whole.gaps


def interrupted(url: str) -> tuple[list[int], str]:
    """The ids that some batches gave, and the point after them."""
    ids: list[int] = []
    with Sql(url=url) as source:
        for part in source.read(found(source, "people"), ReadPlan()):
            assert isinstance(part, Batch)
            ids += part.data.column("id").to_pylist()
            if len(ids) > 500 and part.resume is not None:
                return ids, part.resume
    raise AssertionError("was read to its end")


def made(url: str) -> Any:
    where = "TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'people'"
    return asked(url, f"SELECT CREATE_TIME FROM information_schema.TABLES WHERE {where}")


KEYED = (
    "CREATE OR REPLACE TABLE people (id INT NOT NULL, k INT NOT NULL, UNIQUE b (id))",
    "INSERT INTO people SELECT seq, 3001 - seq FROM seq_1_to_3000",
)


def changed(url: str, point: str) -> None:
    with Sql(url=url) as source, pytest.raises(SourceError, match="scan again") as caught:
        list(source.read(found(source, "people"), ReadPlan(), point))
    assert caught.value.reason is Reason.CHANGED
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "between",
    [
        ("ALTER TABLE people DROP KEY b", "ALTER TABLE people ADD UNIQUE a (k)"),
        ("ALTER TABLE people DROP KEY b",),
        ("ALTER TABLE people DROP KEY b, ADD UNIQUE b (k)",),
        ("ALTER TABLE people DROP KEY b, ADD UNIQUE b (id, k)",),
        ("ALTER TABLE people MODIFY id VARCHAR(9) NOT NULL",),
    ],
)
def test_a_reading_does_not_go_on_by_another_key(mariadb_url: str, between: Sequence[str]) -> None:
    run(mariadb_url, *KEYED)
    _, point = interrupted(mariadb_url)
    run(mariadb_url, *between)
    changed(mariadb_url, point)


def test_a_reading_goes_on_by_its_own_key_though_another_comes_first(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 500)
    run(mariadb_url, *KEYED, "ALTER TABLE people ADD UNIQUE a (k)")
    with monkeypatch.context() as patched:
        keys = Catalog.keys
        patched.setattr(Catalog, "keys", lambda *asked: keys(*asked)[1:])  # the other is not there yet
        ids, point = interrupted(mariadb_url)
    assert ids == list(range(1, 1001))
    assert ids + Read(mariadb_url, resume=point).column("id") == list(range(1, 3001))


def test_a_reading_does_not_go_on_in_a_table_that_was_made_anew(mariadb_url: str) -> None:
    run(mariadb_url, *KEYED)
    _, point = interrupted(mariadb_url)
    before = made(mariadb_url)
    while made(mariadb_url) == before:  # the server counts in seconds
        run(mariadb_url, *KEYED)
    changed(mariadb_url, point)


@pytest.mark.parametrize(
    "point",
    [
        "",
        "500",
        "[]",
        "{}",
        '{"rows": 500, "key": ["500"]}',
        ('"rows": 1000', '"rows": "1000"'),
        ('"rows": 1000', '"rows": -1'),
        ('"rows": 1000', '"rows": true'),
        ('"rows": 1000', '"rows": 1000, "more": 1'),
        ('["1000"]', '["x"]'),
        ('["1000"]', "[1000]"),
        ('["1000"]', '["1000", "1"]'),
    ],
)
def test_what_is_no_point_to_go_on_from_is_told(
    mariadb_url: str, point: str | tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 500)
    run(mariadb_url, *KEYED)
    _, right = interrupted(mariadb_url)
    wrong = point if isinstance(point, str) else right.replace(*point)
    assert wrong != right
    changed(mariadb_url, wrong)


@pytest.mark.parametrize(
    "declared",
    [
        "id INT",
        "id INT, UNIQUE (id)",
        "id ENUM('b', 'a', 'c') PRIMARY KEY",
        "id FLOAT PRIMARY KEY",
        "id VARCHAR(40), PRIMARY KEY (id(2))",
        "id INT NOT NULL, UNIQUE (id) USING HASH",
        "id VARCHAR(9) CHARACTER SET ucs2 PRIMARY KEY",
    ],
)
def test_a_table_without_a_key_to_go_by_is_read_in_one_go(mariadb_url: str, declared: str) -> None:
    run(mariadb_url, f"CREATE TABLE people ({declared}) ENGINE=InnoDB")
    run(mariadb_url, "INSERT IGNORE INTO people SELECT MOD(seq, 3) + 1 FROM seq_1_to_3")
    read = Read(mariadb_url)
    assert read.rows in (1, 2, 3)
    if "USING HASH" not in declared:  # which InnoDB takes for its own kind
        assert {batch.resume for batch in read.batches} == {None}


def test_former_versions_of_rows_are_data_too(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9)) WITH SYSTEM VERSIONING",
        "INSERT INTO people VALUES (1, 'old')",
        "UPDATE people SET name = 'new'",
    )
    assert sorted(Read(mariadb_url).column("name")) == ["new", "old"]


def test_a_composite_key_costs_no_walk_from_the_start(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (a INT, b VARCHAR(9), c INT, PRIMARY KEY (a, b, c))",
        "INSERT INTO people SELECT seq DIV 9000, seq MOD 9, seq FROM seq_1_to_90000",
    )
    with Sql(url=mariadb_url) as source:
        before = reads(mariadb_url)
        rows = sum(
            part.data.num_rows for part in source.read(found(source, "people"), ReadPlan()) if isinstance(part, Batch)
        )
        after = reads(mariadb_url)
    assert rows == 90_000
    assert after["Handler_read_rnd_next"] - before["Handler_read_rnd_next"] < 5000  # those of the catalog
    assert after["Handler_read_next"] - before["Handler_read_next"] < 95_000


def test_memory_stays_flat_however_large_the_cells_are(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY, a LONGTEXT, b LONGBLOB)",
        "CREATE TABLE heap (a LONGTEXT, b LONGBLOB)",
        "INSERT INTO people SELECT seq, REPEAT('ä', 1500000), REPEAT('y', 900000) FROM seq_1_to_40",
        "INSERT INTO heap SELECT a, b FROM people",
    )
    for table in ("people", "heap"):
        with Sql(url=mariadb_url) as source:
            asset = found(source, table)
            for plan in (ReadPlan(), ReadPlan(rows=30, bytes=16 * MIB)):
                tracemalloc.start()
                rows, gaps = 0, []
                for part in source.read(asset, plan):
                    if isinstance(part, Batch):
                        rows += part.data.num_rows
                        longest = max(len(text or "") for text in part.data.column("a").to_pylist())
                        assert longest == MIB
                    else:
                        gaps.append((part.reason, part.count))
                    del part
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                assert rows >= 1
                assert (Reason.TOO_LARGE, rows) in gaps
                assert peak < 96 * MIB  # of 156 MB in the table


def test_a_table_of_1600_columns_is_read(mariadb_url: str) -> None:
    columns = ", ".join(f"c{n} VARCHAR(8)" for n in range(1600))
    values = ", ".join(["seq"] * 1600)
    run(
        mariadb_url,
        f"CREATE TABLE people (id INT PRIMARY KEY, {columns}) ENGINE=Aria",
        f"INSERT INTO people SELECT seq, {values} FROM seq_1_to_100",
    )
    read = Read(mariadb_url)
    assert read.column("c1599") == [str(n) for n in range(1, 101)]
    assert len(read.types) == 1601


# Types


def test_every_type_comes_as_what_it_is(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "SET SESSION sql_mode = ''",
        """CREATE TABLE people (
            tiny TINYINT(1), filled INT(6) ZEROFILL, big BIGINT, huge BIGINT UNSIGNED, exact DECIMAL(10, 2),
            count DECIMAL(12), long_count DECIMAL(30), real_ DOUBLE, bits BIT(9), year_ YEAR,
            day DATE, no_day DATE, moment DATETIME(3), no_moment DATETIME, stamp TIMESTAMP NULL, span TIME,
            kind ENUM('a', 'b'), kinds SET('x', 'y'), doc JSON, place POINT, id UUID, net INET6, old INET4,
            western VARCHAR(9) CHARACTER SET latin1, narrow VARCHAR(9) CHARACTER SET utf8mb3,
            wide VARCHAR(9) CHARACTER SET utf8mb4 COMMENT 'as spoken', raw_ VARBINARY(9), blob_ BLOB, none_ INT)""",
    )
    with admin(mariadb_url) as cursor:
        cursor.execute("SET SESSION sql_mode = '', time_zone = '+05:00'")
        cursor.execute(
            """INSERT INTO people VALUES (7, 42, -9223372036854775808, 18446744073709551615, 12.50,
            999999999999, 123456789012345678901234567890, 0.1, b'100000001', 1999,
            '2020-02-29', '0000-00-00', '2020-01-02 03:04:05.678', '0000-00-00 00:00:00', '2020-01-01 05:00:00',
            '-838:59:59',
            'b', 'x,y', '{"a": 1}', ST_GeomFromText('POINT(1 2)'), '123e4567-e89b-12d3-a456-426655440000', 'fe80::1',
            '192.0.2.1', 'é€', 'é', '漢😀', x'00ff', x'c3a9', NULL)"""
        )
    read = Read(mariadb_url)
    row = {name: read.column(name)[0] for name in read.types}
    assert row == {
        "tiny": 7,
        "filled": 42,
        "big": -(2**63),
        "huge": 2**64 - 1,
        "exact": 12.5,
        "count": 999_999_999_999,
        "long_count": "123456789012345678901234567890",
        "real_": 0.1,
        "bits": 257,
        "year_": 1999,
        "day": "2020-02-29",
        "no_day": "0000-00-00",
        "moment": "2020-01-02 03:04:05.678",
        "no_moment": "0000-00-00 00:00:00",
        "stamp": "2020-01-01 00:00:00",  # in UTC, whatever the server's own zone
        "span": "-838:59:59",
        "kind": "b",
        "kinds": "x,y",
        "doc": '{"a": 1}',
        "place": "POINT(1 2)",
        "id": "123e4567-e89b-12d3-a456-426655440000",
        "net": "fe80::1",
        "old": "192.0.2.1",
        "western": "é€",
        "narrow": "é",
        "wide": "漢😀",
        "raw_": b"\x00\xff",
        "blob_": b"\xc3\xa9",
        "none_": None,
    }
    assert read.types["none_"] == pa.int64()
    assert read.batches[0].data.schema.field("wide").metadata == {b"comment": b"as spoken"}
    assert read.gaps == []


def test_a_text_that_is_no_unicode_is_read_as_far_as_it_is(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9) CHARACTER SET ucs2)",
        "INSERT INTO people VALUES (1, x'0061D800'), (2, 'b')",  # half of a pair
    )
    read = Read(mariadb_url)
    assert [name[0] for name in read.column("name")] == ["a", "b"]
    assert [(gap.reason, gap.count) for gap in read.gaps] == [(Reason.UNREADABLE, 1)]


def test_an_invisible_column_is_data_too(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9) INVISIBLE)",
        "INSERT INTO people (id, name) VALUES (1, 'x')",
    )
    assert Read(mariadb_url).column("name") == ["x"]


# Samples


def test_a_sample_by_number_is_random_and_has_no_positions(mariadb_url: str) -> None:
    numbered(mariadb_url, 20_000, key="seq * 3 + 1000")
    read = Read(mariadb_url, plan=ReadPlan(rows=300))
    assert len(set(read.column("id"))) == read.rows == 300
    assert read.how == {("random rows", True)}
    assert {(batch.first, batch.positions, batch.resume) for batch in read.batches} == {(None, None, None)}
    assert read.reasons == [Reason.BUDGET]


def reads(url: str) -> dict[str, int]:
    return {name: int(value) for name, value in asked(url, "SHOW GLOBAL STATUS LIKE 'Handler%'")}


@pytest.mark.parametrize("key", ["seq", "seq * 100000", "MD5(seq)", "CONCAT('user', LPAD(seq, 9, '0'))"])
def test_no_sample_of_a_large_table_reads_it_from_end_to_end(
    mariadb_url: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "SMALL", 1 << 20)
    kind = "VARCHAR(40)" if "(" in key else "BIGINT"
    run(
        mariadb_url,
        f"CREATE TABLE people (id {kind} PRIMARY KEY, name VARCHAR(100))",
        f"INSERT INTO people SELECT {key}, REPEAT('x', 90) FROM seq_1_to_100000",
        "ANALYZE TABLE people",
    )
    with Sql(url=mariadb_url) as source:
        asset = found(source, "people")
        before = reads(mariadb_url)
        parts = list(source.read(asset, ReadPlan(rows=1000)))
        after = reads(mariadb_url)
    ids = [id for part in parts if isinstance(part, Batch) for id in part.data.column("id").to_pylist()]
    assert len(set(ids)) == len(ids) == 1000
    grown = {name: after[name] - before[name] for name in after}
    assert grown["Handler_read_rnd_next"] < 5000  # those of the catalog
    assert sum(grown[name] for name in grown if name.startswith("Handler_read")) < 20_000
    assert grown["Handler_update"] == grown["Handler_delete"] == 0
    fair = key == "seq"
    assert {(part.method, part.random) for part in parts if isinstance(part, Batch)} == {
        ("random rows" if fair else "ranges of rows at random keys", fair)
    }
    order = {id: place for place, (id,) in enumerate(asked(mariadb_url, "SELECT id FROM people ORDER BY id"))}
    tenths = {order[id] // 10_000 for id in ids}
    assert len(tenths) >= 6  # from all over


@pytest.mark.parametrize("kind", ["dense", "holes", "sparse", "text", "heap", "view", "versioned"])
def test_every_row_has_the_same_chance(mariadb_url: str, kind: str) -> None:
    key = {"holes": "seq * 3 - seq % 2", "sparse": "seq * 1000 + seq % 7"}.get(kind, "seq")
    numbered(mariadb_url, 500, key=key)
    run(
        mariadb_url,
        "CREATE TABLE text (id VARCHAR(20) PRIMARY KEY)",
        "INSERT INTO text SELECT id FROM people",
        "CREATE TABLE heap (id INT)",
        "INSERT INTO heap SELECT id FROM people ORDER BY id",
        "CREATE VIEW view AS SELECT id FROM people",
        "CREATE TABLE versioned (id INT PRIMARY KEY) WITH SYSTEM VERSIONING",
        "INSERT INTO versioned SELECT id FROM people",
    )
    name = kind if kind in ("text", "heap", "view", "versioned") else "people"
    counts = {int(id): 0 for id in sorted(Read(mariadb_url, name).column("id"), key=int)}
    with Sql(url=mariadb_url) as source:
        asset = found(source, name)
        for seed in range(60):
            batches = [part for part in source.read(asset, ReadPlan(rows=50, seed=seed)) if isinstance(part, Batch)]
            seen = [int(id) for batch in batches for id in batch.data.column("id").to_pylist()]
            assert len(set(seen)) == len(seen) == 50
            assert all(batch.random for batch in batches)
            for id in seen:
                counts[id] += 1
    tenths = [sum(list(counts.values())[start : start + 50]) for start in range(0, 500, 50)]
    expected = 60 * 50 / 10
    assert sum((count - expected) ** 2 / expected for count in tenths) < 33.7  # chi-square, 9 degrees, p = 0.0001


def test_the_same_seed_draws_the_same_rows_and_another_others(mariadb_url: str) -> None:
    numbered(mariadb_url, 2000)
    drawn = [Read(mariadb_url, plan=ReadPlan(rows=50, seed=seed)).column("id") for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert sorted(drawn[0]) != sorted(drawn[2])


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("id BINARY(16) PRIMARY KEY", "UNHEX(MD5(seq))"),
        ("id UUID PRIMARY KEY", UUID4),
        ("id DATETIME PRIMARY KEY", "'2000-01-01' + INTERVAL seq MINUTE"),
        ("id DECIMAL(20, 2) PRIMARY KEY", "seq / 2"),
        ("t INT, id INT, PRIMARY KEY (t, id)", "seq % 3, seq"),
        ("t VARCHAR(9), id BIGINT UNSIGNED, PRIMARY KEY (t, id)", "'globex', 18446744073709551615 - seq"),
    ],
)
def test_ranges_of_any_key_come_from_all_over(
    mariadb_url: str, declared: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "SMALL", 0)
    run(
        mariadb_url,
        f"CREATE TABLE people ({declared}, n INT)",
        f"INSERT INTO people SELECT {value}, seq FROM seq_1_to_5000",
        "ANALYZE TABLE people",
    )
    read = Read(mariadb_url, plan=ReadPlan(rows=500))
    assert len(set(read.column("n"))) == read.rows == 500
    assert read.how == {("ranges of rows at random keys", False)}
    assert len({n // 501 for n in read.column("n")}) >= 8
    again = Read(mariadb_url, plan=ReadPlan(rows=500))
    assert again.column("n") == read.column("n")


def test_a_large_table_without_key_and_an_unclear_view_give_their_first_rows(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "SMALL", 0)
    run(
        mariadb_url,
        "CREATE TABLE people (id INT)",
        "INSERT INTO people SELECT seq FROM seq_1_to_5000",
        "CREATE VIEW now_ AS SELECT id, NOW() AS at FROM people",
    )
    for name in ("people", "now_"):
        read = Read(mariadb_url, name, ReadPlan(rows=100))
        assert read.column("id") == list(range(1, 101))
        assert read.how == {("head", False)}
        assert read.reasons == [Reason.BUDGET]


def test_statistics_that_are_out_of_date_do_no_harm(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY, name TEXT) STATS_AUTO_RECALC=0 STATS_PERSISTENT=1",
        "ANALYZE TABLE people",
        "INSERT INTO people SELECT seq, REPEAT('x', 2000) FROM seq_1_to_4000",
    )
    read = Read(mariadb_url, plan=ReadPlan(rows=3000, bytes=MIB))
    assert read.asset.bytes == 16384
    assert 0.9 * MIB < 2000 * read.rows < 1.1 * MIB
    assert read.reasons == [Reason.BUDGET]
    assert read.how == {("random rows", True)}
    assert Read(mariadb_url, plan=ReadPlan(rows=4000, bytes=16 * MIB)).gaps == []


def test_what_fits_the_plan_is_read_wholly(mariadb_url: str) -> None:
    numbered(mariadb_url, 500)
    read = Read(mariadb_url, plan=ReadPlan(rows=500, bytes=MIB))
    assert (read.rows, read.gaps, read.batches[0].first, read.how) == (500, [], 1, {("all", False)})


# Views


def test_a_view_that_divides_by_zero_has_nothing_there(mariadb_url: str) -> None:
    numbered(mariadb_url, 20)
    run(mariadb_url, "CREATE VIEW shares AS SELECT id, 1 / (id - 5) AS share FROM people")
    read = Read(mariadb_url, "shares")
    assert read.rows == 20
    assert read.column("share").count(None) == 1


def test_a_view_that_cannot_be_computed_is_told(mariadb_url: str) -> None:
    numbered(mariadb_url, 20)
    run(
        mariadb_url,
        "CREATE VIEW many AS SELECT id, (SELECT name FROM people p WHERE p.id >= people.id) AS one FROM people",
        "CREATE VIEW deep AS SELECT id, CAST(id AS UNSIGNED) - 10 AS less FROM people",
    )
    assert refused(Sql(url=mariadb_url), "many").reason is Reason.UNREADABLE
    assert refused(Sql(url=mariadb_url), "deep").reason is Reason.UNREADABLE


def test_a_statement_that_takes_too_long_is_a_timeout(mariadb_url: str) -> None:
    numbered(mariadb_url, 1000)
    run(mariadb_url, "CREATE VIEW slow AS SELECT COUNT(*) AS n FROM people a, people b, people c, people d")
    start = time.monotonic()
    for plan in (ReadPlan(), ReadPlan(rows=10)):
        error = refused(Sql(url=mariadb_url, statement_timeout=0.3), "slow", plan)
        assert error.reason is Reason.TIMEOUT
    assert time.monotonic() - start < 15
    while sessions(mariadb_url):  # the server stops to compute what nobody waits for
        assert time.monotonic() - start < 20


@pytest.mark.parametrize("proxied", [False, True])
def test_only_a_statement_of_our_own_is_stopped_at_the_server(
    mariadb_url: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sql(url=mariadb_url) as source, closing(pymysql.connect(**_at(mariadb_url))) as other:
        run(mariadb_url, "CREATE TABLE people (id INT)", "INSERT INTO people SELECT seq FROM seq_1_to_50000")
        asset = found(source, "people")
        stopped: list[str] = []
        exec_driver_sql = Connection.exec_driver_sql

        def seen(self: Connection, statement: str, *rest: Any) -> Any:
            if statement.startswith("KILL"):
                stopped.append(statement)
            return exec_driver_sql(self, statement, *rest)

        monkeypatch.setattr(Connection, "exec_driver_sql", seen)
        elsewhere = other.thread_id()
        ours = [id for (id,) in asked(mariadb_url, OTHERS) if id != elsewhere]
        if proxied:  # a proxy greets with a number of its own, which at the server is somebody else's
            monkeypatch.setattr(pymysql.connections.Connection, "thread_id", lambda self: elsewhere)
        parts = source.read(asset, ReadPlan())
        next(parts)
        parts.close()  # type: ignore[attr-defined]
        assert stopped == ([] if proxied else [f"KILL QUERY {ours[0]}"])
        other.ping(reconnect=False)


# Marks


def marks(url: str) -> dict[str, str | None]:
    with Sql(url=url) as source:
        return {asset.name.partition(".")[2]: source.mark(asset) for asset in source.survey() if asset.gap is None}


def settle(url: str) -> None:
    """Let two seconds of the server's clock pass: the time of a change has no finer measure."""
    asked(url, "SELECT SLEEP(3.1)")


def test_a_mark_moves_with_the_contents_and_only_with_them(mariadb_url: str) -> None:
    numbered(mariadb_url, 10)
    numbered(mariadb_url, 10, table="others")
    run(
        mariadb_url,
        "CREATE VIEW names AS SELECT p.name FROM people p JOIN others o ON o.id = p.id",
        "CREATE VIEW nested AS SELECT COUNT(*) AS n FROM names",
        "CREATE VIEW fickle AS SELECT NOW() AS at, id FROM people",
        "CREATE TABLE crashsafe (id INT) ENGINE=Aria",
        "CREATE TABLE parts (id INT) PARTITION BY HASH (id) PARTITIONS 2",
        "INSERT INTO parts VALUES (1), (2)",
    )
    settle(mariadb_url)
    first = marks(mariadb_url)
    Read(mariadb_url)
    assert marks(mariadb_url) == first
    assert {name for name, mark in first.items() if mark is None} == {"fickle", "crashsafe"}
    for statement, moved in (
        ("UPDATE people SET name = 'x' WHERE id = 1", {"people", "names", "nested"}),
        ("INSERT INTO parts VALUES (3)", {"parts"}),
        ("ALTER TABLE others ADD COLUMN age INT", {"others", "names", "nested"}),
        ("CREATE OR REPLACE VIEW names AS SELECT name AS full FROM people", {"names", "nested"}),
    ):
        before = marks(mariadb_url)
        run(mariadb_url, statement)
        after = marks(mariadb_url)
        assert all(after[name] != before[name] for name in moved)
    settle(mariadb_url)
    assert marks(mariadb_url)["people"] != first["people"]


def test_two_changes_within_a_second_have_two_marks(mariadb_url: str) -> None:
    numbered(mariadb_url, 10)
    seen = set()
    for number in range(20):
        run(mariadb_url, f"UPDATE people SET name = 'x{number}' WHERE id = 1")
        seen.add(marks(mariadb_url)["people"])
    assert len(seen) == 20


# Facts


def facts(url: str, name: str) -> dict[str, Any]:
    with Sql(url=url) as source:
        told: list[Fact] = list(source.facts(found(source, name)))
    assert {fact.method for fact in told} <= {"api", "catalog", "table of 2026-11-23"}
    return {fact.name: fact.value for fact in told}


def test_facts_tell_keys_engine_encryption_and_versions(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY)",
        "CREATE TABLE orders (id INT PRIMARY KEY, customer INT, FOREIGN KEY (customer) REFERENCES people (id))"
        " COMMENT 'of goods' COLLATE utf8mb4_bin ENCRYPTED=NO",
        "CREATE TABLE parts (id INT) PARTITION BY HASH (id) PARTITIONS 4",
    )
    told = facts(mariadb_url, "orders")
    assert told["foreign_key"] == f"customer -> {database(mariadb_url)}.people.id"
    assert told["comment"] == "of goods"
    assert (told["engine"], told["collation"]) == ("InnoDB", "utf8mb4_bin")
    assert (told["encryption_at_rest"], told["encryption_in_transit"]) == (False, False)
    assert told["version"].startswith("10.11.")
    assert told["end_of_life"] == "2028-02-16"
    assert facts(mariadb_url, "parts")["partitions"] == 4
    assert facts(mariadb_url, "parts")["encryption_at_rest"] is None  # not told is not "no"


def test_a_view_tells_its_definition_without_the_values_in_it(mariadb_url: str) -> None:
    numbered(mariadb_url, 3)
    run(
        mariadb_url,
        "CREATE SQL SECURITY INVOKER VIEW jane AS SELECT id FROM people"
        " WHERE name = 'jane@globex.example' OR id = 4111111111111111 OR name LIKE 'it''s \\' %'",
        "CREATE VIEW long_ AS SELECT id FROM people WHERE id IN (" + ", ".join(str(n) for n in range(20_000)) + ")",
    )
    told = facts(mariadb_url, "jane")
    assert f"from `{database(mariadb_url)}`.`people`" in told["definition"]
    assert not [word for word in ("jane@", "4111", "it''s", " %") if word in told["definition"]]
    assert told["security"] == "invoker"
    assert "@" in told["definer"]
    assert len(facts(mariadb_url, "long_")["definition"]) == 64 << 10


def test_facts_name_who_may_read(mariadb_url: str) -> None:
    numbered(mariadb_url, 3)
    numbered(mariadb_url, 3, table="others")
    with account(mariadb_url, "SELECT (id) ON people") as url, Sql(url=mariadb_url) as source:
        grantee = f"'{make_url(url).username}'@'127.0.0.1'"
        readers = [
            {fact.value for fact in source.facts(found(source, name)) if fact.name == "reader"}
            for name in ("people", "others")
        ]
    assert [grantee in names for names in readers] == [True, False]
    assert any("root" in str(name) for name in readers[1])


# Rights


def test_the_rights_it_asks_for_are_enough(mariadb_url: str, mariadb_server: DatabaseServer) -> None:
    numbered(mariadb_url, 30)
    run(mariadb_url, "CREATE VIEW names AS SELECT name FROM people")
    name = f"r_{database(mariadb_url)}"
    at = make_url(mariadb_url).set(username=name, password="<password>")
    url = at.render_as_string(hide_password=False)
    granted = Sql(url=url).rights()
    assert granted is not None
    try:
        run(mariadb_url, *filter(str.strip, granted.split(";")))
        with Sql(url=url) as source:
            answers = {access.needs: access.granted for access in source.check()}
            assert answers == {f"SELECT on {database(url)}.*": True, f"SHOW VIEW on {database(url)}.*": True}
            assert facts(url, "names")["definition"]
        assert Read(url).rows == 30
    finally:
        run(mariadb_url, f"DROP USER '{name}'@'%'")


def test_check_lists_what_is_refused(mariadb_url: str) -> None:
    run(mariadb_url, *(f"CREATE TABLE t{n:02} (id INT)" for n in range(30)))
    with account(mariadb_url, "INSERT ON *", "SELECT ON t00") as url, Sql(url=url) as source:
        answers = list(source.check())
    name = database(mariadb_url)
    assert (answers[0].needs, answers[0].granted) == (f"SELECT on {name}.*", False)
    assert answers[0].says == "1 of 30 tables and views can be read"
    assert [answer.needs for answer in answers[1:3]] == [f"SELECT on {name}.t01", f"SELECT on {name}.t02"]
    assert len(answers) == 22
    assert answers[-1].needs == f"SELECT on 9 more of {name}.*"


def test_stores_are_the_databases_of_the_server_without_password(mariadb_server: DatabaseServer) -> None:
    with mariadb_server.fresh() as one, mariadb_server.fresh() as two:
        with Sql(url=one) as source:
            stores = {store.name: store.settings for store in source.stores()}
            name = str(source.store)
        at = make_url(one)
        assert name == f"mysql://{at.host}:{at.port}/{at.database}"
        assert {name, f"mysql://{at.host}:{at.port}/{database(two)}"} <= set(stores)
        assert stores[name] == {
            "connector": "sql",
            "url": f"mysql+pymysql://{at.username}@{at.host}:{at.port}/{at.database}",
        }
        assert not [name for name in stores if name.endswith(("/mysql", "/information_schema"))]


# Bad input


def opening(source: Sql) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.open()
    source.close()
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def test_a_wrong_password_is_denied(mariadb_url: str) -> None:
    url = make_url(mariadb_url).set(password="wr0ng-canary").render_as_string(hide_password=False)
    error = opening(Sql(url=url))
    assert error.reason is Reason.DENIED
    assert "canary" not in str(error)


def test_a_missing_database_and_a_missing_server_are_told(mariadb_url: str) -> None:
    at = make_url(mariadb_url)
    cases = [
        (at.set(database="nowhere"), Reason.MISSING),
        (at.set(host="nowhere.invalid"), Reason.UNREACHABLE),
        (at.set(port=1), Reason.UNREACHABLE),
        (at.set(drivername="mysql+mysqldb"), Reason.UNSUPPORTED),
    ]
    for url, reason in cases:
        assert opening(Sql(url=url.render_as_string(hide_password=False))).reason is reason


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_any_way_to_write_the_url_reaches_it(mariadb_url: str, scheme: str) -> None:
    numbered(mariadb_url, 3)
    url = make_url(mariadb_url).set(drivername=scheme, query={}).render_as_string(hide_password=False)
    assert Read(url).rows == 3


def test_a_server_that_accepts_and_never_answers_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        error = opening(Sql(url=f"mysql+pymysql://u:p@127.0.0.1:{silent.getsockname()[1]}/d", connect_timeout=1))
        assert error.reason is Reason.TIMEOUT
        assert time.monotonic() - start < 4


def test_a_connection_that_is_killed_is_unreachable_and_the_next_goes_on(mariadb_url: str) -> None:
    numbered(mariadb_url, 20_000)
    with Sql(url=mariadb_url) as source:
        asset = found(source, "people")
        parts = source.read(asset, ReadPlan())
        first = next(parts)
        assert isinstance(first, Batch)
        assert sessions(mariadb_url) == 1
        for (id,) in asked(mariadb_url, OTHERS):
            run(mariadb_url, f"KILL {id}")
        with pytest.raises(SourceError) as caught:
            list(parts)
        assert caught.value.reason is Reason.UNREACHABLE
        source.close()
        source.open()
        rest = [part for part in source.read(asset, ReadPlan(), first.resume) if isinstance(part, Batch)]
    assert first.data.num_rows + sum(batch.data.num_rows for batch in rest) == 20_000


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DROP TABLE people", Reason.MISSING),
        ("ALTER TABLE people DROP COLUMN name", Reason.CHANGED),
        ("ALTER TABLE people DROP PRIMARY KEY", Reason.CHANGED),
    ],
)
def test_a_table_that_is_altered_while_it_is_read_is_told(mariadb_url: str, statement: str, reason: Reason) -> None:
    numbered(mariadb_url, 20_000)
    with Sql(url=mariadb_url) as source:
        parts = source.read(found(source, "people"), ReadPlan())
        next(parts)
        run(mariadb_url, statement)  # no lock of ours is in its way
        with pytest.raises(SourceError) as caught:
            list(parts)
    assert caught.value.reason is reason


def test_a_locked_table_is_a_timeout(mariadb_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapkeeper_connectors.sql.mariadb.session.LOCK_WAIT", 1)
    numbered(mariadb_url, 10)
    with Sql(url=mariadb_url) as source, admin(mariadb_url) as other:
        asset = found(source, "people")
        other.execute("LOCK TABLES people WRITE")
        with pytest.raises(SourceError) as caught:
            list(source.read(asset, ReadPlan()))
    assert caught.value.reason is Reason.TIMEOUT


def test_a_table_that_may_not_be_read_is_denied(mariadb_url: str) -> None:
    numbered(mariadb_url, 30)
    with account(mariadb_url, "INSERT ON people") as url:
        assert refused(Sql(url=url), "people").reason is Reason.DENIED


def test_columns_that_may_not_be_read_are_a_gap(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9), salary INT)",
        "INSERT INTO people SELECT seq, 'x', 9 FROM seq_1_to_60",
    )
    for grant in ("SELECT (id, name), INSERT (salary) ON people", "SELECT (name) ON people"):
        with account(mariadb_url, grant) as url:
            for plan in (ReadPlan(), ReadPlan(rows=20)):
                read = Read(url, plan=plan)
                assert set(read.types) == {"id", "name"} if "id" in grant else {"name"}
                assert read.rows == (60 if plan.rows is None else 20)
                assert Reason.DENIED in read.reasons


def test_nothing_can_be_written_through_the_session(mariadb_url: str) -> None:
    numbered(mariadb_url, 3)
    with Sql(url=mariadb_url) as source:
        session = source._store._session  # type: ignore[union-attr]
        for statement in ("DELETE FROM people", "CREATE TABLE x (id INT)", "DROP TABLE people", "TRUNCATE people"):
            with pytest.raises(pymysql.Error):
                session.select(statement)
    assert Read(mariadb_url).rows == 3


def test_a_reading_that_is_given_up_holds_nothing(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE people (name VARCHAR(200))",
        "INSERT INTO people SELECT REPEAT('x', 200) FROM seq_1_to_200000",
    )
    with Sql(url=mariadb_url) as source:
        asset = found(source, "people")
        for _ in range(3):
            parts = source.read(asset, ReadPlan())
            next(parts)
            parts.close()  # type: ignore[attr-defined]
        run(mariadb_url, "SET SESSION lock_wait_timeout = 5", "ALTER TABLE people ADD COLUMN age INT")
        assert sum(part.data.num_rows for part in source.read(asset, ReadPlan()) if isinstance(part, Batch)) == 200_000


def test_no_value_is_in_an_error_a_gap_or_a_repr(mariadb_url: str) -> None:
    canary = "jane.canary@globex.example"
    run(
        mariadb_url,
        "CREATE TABLE people (name VARCHAR(60) PRIMARY KEY, n INT)",
        f"INSERT INTO people SELECT CONCAT('{canary}', seq), seq FROM seq_1_to_9000",
        f"CREATE VIEW wrong AS SELECT (SELECT n FROM people p WHERE p.name >= '{canary}') AS x FROM people",
    )
    with Sql(url=mariadb_url) as source:
        seen = [repr(source), source.target, *map(repr, source.survey())]
        parts = list(source.read(found(source, "people"), ReadPlan()))
        seen += map(repr, [part for part in parts if isinstance(part, Gap)])
        parts = source.read(found(source, "people"), ReadPlan())  # type: ignore[assignment]
        next(parts)  # type: ignore[call-overload]
        run(mariadb_url, "ALTER TABLE people CHANGE n m INT")
        with pytest.raises(SourceError) as caught:
            list(parts)
        seen.append(repr(caught.value))
    seen.append(repr(refused(Sql(url=mariadb_url), "wrong")))
    assert canary not in "".join(seen)


# The contract


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.__name__)
def test_the_contract_of_connectors(check: Check, mariadb_url: str) -> None:
    canary, name = "jane.canary@globex.example", database(mariadb_url)
    rows = [(n, canary if n % 7 == 0 else f"name {n}") for n in range(1, 901)]
    run(
        mariadb_url,
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(60))",
        "CREATE TABLE keyed (id VARCHAR(20) PRIMARY KEY, name VARCHAR(60))",
        "CREATE TABLE heap (id INT, name VARCHAR(60))",
        "CREATE TABLE holes (id INT PRIMARY KEY, name VARCHAR(60))",
        f"CREATE VIEW view AS SELECT * FROM people WHERE name <> '{canary}!'",
        "CREATE TABLE gone (a INT)",
        "CREATE VIEW broken AS SELECT a FROM gone",
        "DROP TABLE gone",
        many=[(f"INSERT INTO {table} VALUES (%s, %s)", rows) for table in ("people", "keyed", "heap")],
    )
    run(mariadb_url, "INSERT INTO holes SELECT * FROM people WHERE id % 3 = 1")
    if "mark" in check.__name__ or "process" in check.__name__:
        settle(mariadb_url)
    tables = ["people", "keyed", "heap", "holes"]
    user = f"c_{name}"
    run(mariadb_url, f"CREATE USER {user}@127.0.0.1", f"GRANT SELECT, SHOW VIEW ON {name}.* TO {user}@127.0.0.1")
    at = make_url(mariadb_url)
    url = f"mysql+pymysql://{user}@{at.host}:{at.port}/{name}"

    def change(asset: str) -> None:
        run(mariadb_url, f"UPDATE {asset} SET name = 'x' WHERE id = 1")

    def vanish(asset: str) -> None:
        run(mariadb_url, f"DROP TABLE {asset}")

    check(
        Trial(
            lambda: Sql(url=url),
            expect={f"{name}.{table}": 300 if table == "holes" else 900 for table in [*tables, "view"]},
            unreadable=[f"{name}.broken"],
            canary=canary,
            target=url,
            missing=lambda: Sql(url=url.replace(name, "nowhere")),
            change=change,
            vanish=vanish,
            fingerprint=lambda: [
                asked(mariadb_url, "SHOW TABLES"),
                asked(mariadb_url, f"CHECKSUM TABLE {', '.join(tables)}"),
            ],
        )
    )
    run(mariadb_url, f"DROP USER {user}@127.0.0.1")
