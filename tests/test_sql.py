"""The SQL connector: SQLite files as they are found in the wild, and whatever else a dialect reaches."""

from __future__ import annotations

import os
import pickle
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from mapkeeper.plugin import Asset, Batch, Gap, Kind, ReadPlan, Reason, SourceError
from mapkeeper.testing import Check, Trial, checks, contents
from mapkeeper_connectors.sql import Sql, sqlite
from mapkeeper_connectors.sql.sqlite import reading
from readings import Yielded

MIB = 1 << 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "crm.db"


def make(file: Path, *statements: str, many: Sequence[tuple[str, list[tuple[Any, ...]]]] = ()) -> Path:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        for statement, rows in many:
            connection.executemany(statement, rows)
        connection.commit()
    return file


def numbered(file: Path, count: int, *, keys: Callable[[int], int] = lambda n: n) -> Path:
    rows = [(keys(n), f"name {n}") for n in range(1, count + 1)]
    return make(
        file,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)",
        many=[("INSERT INTO people VALUES (?, ?)", rows)],
    )


def reach(file: Path) -> Sql:
    return Sql(url=f"sqlite:///{file}")


class Read(Yielded):
    """All that came of reading one asset."""

    def __init__(self, file: Path | Sql, name: str = "people", plan: ReadPlan | None = None, resume: str | None = None):
        super().__init__()
        with file if isinstance(file, Sql) else reach(file) as source:
            (self.asset,) = [asset for asset in source.survey() if asset.name == name]
            self.take(source.read(self.asset, plan or ReadPlan(), resume))

    @property
    def reasons(self) -> list[Reason]:
        return [gap.reason for gap in self.gaps]

    @property
    def positions(self) -> list[int]:
        found: list[int] = []
        for batch in self.batches:
            assert batch.positions is not None
            assert len(batch.positions) == batch.data.num_rows
            found += batch.positions
        return found


# What is ours


def test_a_sqlite_file_is_known_by_its_first_bytes_whatever_its_name(tmp_path: Path) -> None:
    file = numbered(tmp_path / "customers", 1)
    assert Sql.settings_for(str(file)) == {"url": f"sqlite:///{file}"}
    (tmp_path / "notes.db").write_text("SQLite format 2")
    assert Sql.settings_for(str(tmp_path / "notes.db")) is None
    assert Sql.settings_for(str(tmp_path)) is None
    assert Sql.settings_for(str(tmp_path / "missing.db")) is None


def test_a_relative_path_becomes_absolute(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbered(file, 1)
    monkeypatch.chdir(file.parent)
    assert Sql.settings_for("crm.db") == {"url": f"sqlite:///{file}"}


@pytest.mark.parametrize(
    ("target", "ours"),
    [
        ("postgresql+psycopg://u:p@h/crm", True),
        ("mysql+pymysql://h/crm", True),
        ("sqlite:////srv/crm.db", True),
        ("s3://bucket/prefix", False),
        ("file:///srv/crm.db", False),
        ("https://example.org/x", False),
        ("nonsense://x", False),
        ("postgresql+nonsense://x", False),
        ("postgresql://h:port/x", False),
        ("env:CRM_URL", False),
        ("\0", False),
        ("", False),
    ],
)
def test_urls_of_known_dialects_are_ours(target: str, ours: bool) -> None:
    assert Sql.settings_for(target) == ({"url": target} if ours else None)


def test_a_relative_path_in_a_url_starts_at_the_workspace(tmp_path: Path) -> None:
    def within(url: str) -> str:
        return str(Sql.within(tmp_path, {"url": url})["url"])

    assert within("sqlite:///stores/crm.db") == f"sqlite:///{tmp_path}/stores/crm.db"
    assert within("sqlite+pysqlite:///crm.db") == f"sqlite+pysqlite:///{tmp_path}/crm.db"
    for left in ("sqlite:////srv/crm.db", "postgresql://h/crm", "sqlite:///:memory:", "sqlite://", "env:CRM"):
        assert within(left) == left


def test_the_target_hides_secrets() -> None:
    source = Sql(url="postgresql+psycopg://keeper:hunter2@db.example:5432/crm?sslpassword=hunter3")
    assert source.target == "postgresql+psycopg://keeper@db.example:5432/crm"
    assert "hunter" not in repr(source)
    assert Sql(url="sqlite:////srv/crm.db").target == "/srv/crm.db"


# Opening


def refusal(url: str) -> SourceError:
    with pytest.raises(SourceError) as caught, Sql(url=url) as source:
        list(source.survey())
    assert caught.value.__cause__ is None
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_missing_file_is_not_made(file: Path) -> None:
    told = refusal(f"sqlite:///{file}")
    assert told.reason is Reason.MISSING
    assert str(file) in str(told)
    assert not file.exists()


def test_what_is_no_database_is_unreadable(file: Path, tmp_path: Path) -> None:
    file.write_bytes(os.urandom(8192))  # as an encrypted one looks
    assert refusal(f"sqlite:///{file}").reason is Reason.UNREADABLE
    assert refusal(f"sqlite:///{tmp_path}").reason is Reason.UNREADABLE


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "no url", "postgresql://u:hunter2@h:port/x"])
def test_a_url_without_a_database_is_missing_and_not_quoted(url: str) -> None:
    told = refusal(url)
    assert told.reason is Reason.MISSING
    assert "hunter2" not in f"{told} {told!r}"


def test_a_file_that_another_process_locks_is_unreachable_after_a_wait(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 1 <= sqlite.BUSY_WAIT <= 5
    monkeypatch.setattr(sqlite, "BUSY_WAIT", 0.05)
    numbered(file, 1)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        told = refusal(f"sqlite:///{file}")
    assert told.reason is Reason.UNREACHABLE
    assert "is locked by another process" in str(told)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mssql+pymssql://h/x", Reason.UNSUPPORTED),
        ("postgresql+asyncpg://h/x", Reason.UNSUPPORTED),
    ],
)
def test_a_driver_that_is_not_installed_is_unsupported(url: str, reason: Reason) -> None:
    told = refusal(url)
    assert told.reason is reason
    assert "driver" in str(told)


def test_nothing_is_written_to_or_beside_the_file(file: Path) -> None:
    numbered(file, 3)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = file.read_bytes(), file.stat().st_mtime_ns
    assert Read(file).rows == 3
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert list(file.parent.iterdir()) == [file]


def test_what_a_writer_has_only_written_ahead_is_read(file: Path) -> None:
    numbered(file, 3)
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("INSERT INTO people VALUES (4, 'late')")
        writer.commit()
        assert Read(file).column("name")[-1] == "late"


def test_a_writer_never_waits_for_a_reading(file: Path) -> None:
    numbered(file, 20_000)
    with reach(file) as source:
        (asset,) = source.survey()
        parts = source.read(asset, ReadPlan())
        next(parts)
        with closing(sqlite3.connect(file, timeout=0)) as writer:
            writer.execute("DELETE FROM people WHERE id = 20000")
            writer.commit()
        assert sum(part.data.num_rows for part in parts if isinstance(part, Batch)) == 20_000 - 8192 - 1


def test_a_resting_file_that_is_written_to_meanwhile_is_a_gap(file: Path) -> None:
    numbered(file, 20_000)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    with reach(file) as source:
        (asset,) = source.survey()
        parts = source.read(asset, ReadPlan())
        next(parts)
        with closing(sqlite3.connect(file)) as writer:
            writer.execute("INSERT INTO people VALUES (30000, 'late')")
            writer.commit()
            gaps = [part.reason for part in parts if isinstance(part, Gap)]
    assert gaps == [Reason.CHANGED]


# Survey


def test_tables_and_views_are_listed_in_order_with_rows_and_sizes(file: Path) -> None:
    numbered(file, 300)
    make(
        file,
        "CREATE VIEW adults AS SELECT * FROM people WHERE id > 18",
        "CREATE TABLE empty (a)",
        "CREATE INDEX by_name ON people (name)",
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)",  # makes sqlite_sequence
    )
    with reach(file) as source:
        assets = list(source.survey())
        assert pickle.loads(pickle.dumps(assets)) == assets
    assert [(asset.name, asset.kind, asset.rows) for asset in assets] == [
        ("adults", Kind.VIEW, None),
        ("counted", Kind.TABLE, 0),
        ("empty", Kind.TABLE, 0),
        ("people", Kind.TABLE, 300),
    ]
    people = assets[-1]
    assert (people.namespace, people.dataset) == ("file", f"{file}#people")
    assert people.bytes is None or 4096 <= people.bytes <= file.stat().st_size
    assert people.gap is None


def test_a_broken_view_is_a_gap_of_its_own(file: Path) -> None:
    numbered(file, 3)
    make(
        file,
        "CREATE TABLE gone (a)",
        "CREATE VIEW broken AS SELECT a FROM gone",
        "PRAGMA legacy_alter_table=ON",
        "DROP TABLE gone",
    )
    with reach(file) as source:
        broken, people = source.survey()
    assert broken.gap is not None
    assert broken.gap.reason is Reason.UNREADABLE
    assert people.gap is None
    assert Read(file).rows == 3


def test_a_damaged_table_is_a_gap_of_its_own(file: Path) -> None:
    make(
        file,
        "CREATE TABLE bad (a TEXT)",
        "CREATE TABLE good (a TEXT)",
        many=[(f"INSERT INTO {table} VALUES (?)", [("x" * 500,)] * 200) for table in ("bad", "good")],
    )
    with closing(sqlite3.connect(file)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bad'").fetchone()[0]
    with file.open("r+b") as raw:
        raw.seek((root - 1) * 4096)
        raw.write(b"\xee" * 4096)
    with reach(file) as source:
        bad, _ = source.survey()
    assert bad.gap is not None
    assert bad.gap.reason is Reason.UNREADABLE
    assert "damaged" in bad.gap.says
    assert Read(file, "good").rows == 200


def test_damage_in_the_middle_of_a_table_ends_it_after_what_could_be_read(file: Path) -> None:
    make(file, "CREATE TABLE people (name TEXT)", many=[("INSERT INTO people VALUES (?)", [("x" * 900,)] * 40_000)])
    with reach(file) as source:
        (asset,) = source.survey()
    with file.open("r+b") as raw:
        raw.seek(file.stat().st_size * 3 // 4 // 4096 * 4096)
        raw.write(b"\xee" * 4096 * 50)
    batches: list[Batch | Gap] = []
    with reach(file) as source, pytest.raises(SourceError) as caught:
        batches.extend(source.read(asset, ReadPlan()))
    assert caught.value.reason is Reason.UNREADABLE
    assert sum(part.data.num_rows for part in batches if isinstance(part, Batch)) > 20_000


def test_virtual_tables_and_those_whose_extension_is_missing_do_not_stop_a_survey(file: Path) -> None:
    numbered(file, 3)
    make(
        file,
        "CREATE VIRTUAL TABLE notes USING fts5(body)",
        "INSERT INTO notes VALUES ('hello')",
        "PRAGMA writable_schema=ON",
        "INSERT INTO sqlite_master VALUES ('table', 'far', 'far', 0, 'CREATE VIRTUAL TABLE far USING nowhere(a)')",
    )
    with reach(file) as source:
        found = {asset.name: asset for asset in source.survey()}
    assert found["far"].gap is not None
    assert found["far"].gap.reason is Reason.UNREADABLE
    assert Read(file, "notes").column("body") == ["hello"]
    assert Read(file).rows == 3


# Names and types


@given(
    names=st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
        unique_by=lambda name: name.lower(),
    )
)
@settings(max_examples=60, deadline=None)
def test_tables_and_columns_may_have_any_name(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("names") / "n.db"
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    table = '"t' + names[0].replace('"', '""') + '"'
    make(
        file,
        f"CREATE TABLE {table} ({', '.join(quoted)})",
        many=[(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", [tuple(range(len(names)))])],
    )
    read = Read(file, "t" + names[0])
    assert read.batches[0].data.to_pylist() == [dict(zip(names, range(len(names)), strict=True))]
    sampled = Read(file, "t" + names[0], ReadPlan(rows=10, bytes=1))
    assert sampled.rows == 1


def test_every_kind_of_cell_has_its_arrow_type(file: Path) -> None:
    make(
        file,
        "CREATE TABLE people (i INTEGER, r REAL, t TEXT, b BLOB, d DATE, n, u UUID, "
        "g INTEGER GENERATED ALWAYS AS (i * 2) VIRTUAL, s TEXT AS (t || '!') STORED)",
        "INSERT INTO people VALUES (9223372036854775807, 0.5, 'é', x'00ff', '2026-11-21', NULL, 'a-b')",
        "INSERT INTO people VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    read = Read(file)
    assert read.types == {
        "i": pa.int64(),
        "r": pa.float64(),
        "t": pa.string(),
        "b": pa.binary(),
        "d": pa.string(),
        "n": pa.string(),
        "u": pa.string(),
        "g": pa.float64(),  # twice the largest whole number is none
        "s": pa.string(),
    }
    assert read.batches[0].data.slice(1).to_pylist() == [dict.fromkeys(read.types)]
    assert read.column("b")[0] == b"\x00\xff"
    assert read.column("s")[0] == "é!"


@pytest.mark.parametrize(
    ("cells", "type", "seen"),
    [
        ([1, "two"], pa.string(), ["1", "two"]),
        ([1, 2.5], pa.float64(), [1.0, 2.5]),
        ([1, None], pa.int64(), [1, None]),
        (["a", b"b\xff"], pa.string(), ["a", "b\ufffd"]),
        ([None, None], pa.string(), [None, None]),
        ([b"x", 1.5, "y", None], pa.string(), ["x", "1.5", "y", None]),
        ([float("inf"), 1], pa.float64(), [float("inf"), 1.0]),
    ],
)
def test_a_column_of_several_types_is_text(file: Path, cells: list[Any], type: pa.DataType, seen: list[Any]) -> None:
    make(file, "CREATE TABLE people (a)", many=[("INSERT INTO people VALUES (?)", [(cell,) for cell in cells])])
    read = Read(file)
    assert read.types["a"] == type
    assert read.column("a") == seen


def test_a_table_without_rows_still_tells_its_fields(file: Path) -> None:
    make(file, "CREATE TABLE people (i BIGINT, t VARCHAR(9), r DOUBLE, b BLOB)")
    for plan in (ReadPlan(), ReadPlan(rows=10, bytes=MIB), ReadPlan(bytes=1)):
        read = Read(file, plan=plan)
        assert read.types == {"i": pa.int64(), "t": pa.string(), "r": pa.float64(), "b": pa.binary()}
        assert (read.rows, read.gaps) == (0, [])


def test_text_that_is_not_utf8_is_read_as_far_as_it_is_and_counted(file: Path) -> None:
    make(file, "CREATE TABLE people (a TEXT)")
    make(
        file,
        "INSERT INTO people VALUES (CAST(x'636166e9' AS TEXT))",
        "INSERT INTO people VALUES ('café')",
        "INSERT INTO people VALUES (CAST(x'ff' AS TEXT))",
    )
    read = Read(file)
    assert read.column("a") == ["caf\ufffd", "café", "\ufffd"]
    assert [(gap.reason, gap.count) for gap in read.gaps] == [(Reason.UNREADABLE, 2)]


# Whole readings


def test_a_whole_table_comes_in_order_in_batches_with_positions(file: Path) -> None:
    read = Read(numbered(file, 20_000, keys=lambda n: n * 3))
    assert read.column("id") == [n * 3 for n in range(1, 20_001)]
    assert [(batch.first, batch.data.num_rows) for batch in read.batches] == [(1, 8192), (8193, 8192), (16385, 3616)]
    assert {(batch.method, batch.random, batch.unit) for batch in read.batches} == {("all", False, "row")}
    assert read.gaps == []
    if read.asset.bytes is not None:
        assert 0.99 * read.asset.bytes < sum(batch.bytes for batch in read.batches) <= read.asset.bytes


@pytest.mark.parametrize("without", ["", " WITHOUT ROWID"])
def test_a_reading_goes_on_where_it_stopped(file: Path, without: str) -> None:
    create = f"CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT){without}"
    rows = [(-(2**63),), *[(n,) for n in range(20_000)]]
    make(file, create, many=[("INSERT INTO people (id) VALUES (?)", rows)])
    first = Read(file).batches[0]
    rest = Read(file, resume=first.resume)
    assert rest.batches[0].first == 8193
    assert first.data.column("id").to_pylist() + rest.column("id") == [row[0] for row in rows]
    assert Read(file, resume=rest.batches[-1].resume).rows == 0


@pytest.mark.parametrize("without", ["", " WITHOUT ROWID"])
def test_an_interrupted_reading_ends_as_an_undisturbed_one(
    file: Path, without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("reading", "table"):
        monkeypatch.setattr(f"mapkeeper_connectors.sql.sqlite.{module}.BYTES", MIB // 4)
    rows = [(n, "x" * (n * 7 % 900)) for n in range(6000)]
    huge = [(n, "y" * (2 * MIB)) for n in (7, 2345, 5990)]
    make(
        file,
        f"CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT){without}",
        many=[("INSERT INTO people VALUES (?, ?)", rows), ("REPLACE INTO people VALUES (?, ?)", huge)],
    )
    make(file, "UPDATE people SET name = CAST(x'ff' AS TEXT) WHERE id IN (5, 2300, 5995)")
    whole = Read(file)
    assert [(gap.reason, gap.count) for gap in whole.gaps] == [(Reason.TOO_LARGE, 3), (Reason.UNREADABLE, 3)]
    assert len(whole.batches) > 5
    for at in (0, 1, 2, len(whole.batches) // 2, len(whole.batches) - 1):
        rest = Read(file, resume=whole.batches[at].resume)
        assert rest.batches == whole.batches[at + 1 :]
        assert rest.gaps == whole.gaps


def test_a_view_that_turned_out_small_enough_has_no_points_to_resume_from(file: Path) -> None:
    make(numbered(file, 10_000), "CREATE VIEW names AS SELECT name FROM people")
    read = Read(file, "names", ReadPlan(rows=20_000))
    assert [(batch.first, batch.method, batch.resume) for batch in read.batches] == [
        (1, "all", None),
        (8193, "all", None),
    ]


@pytest.mark.parametrize(
    "point",
    [
        "",
        "8192",
        "[]",
        "{}",
        '{"rows": 1}',
        '{"rows": "1", "cut": 0, "garbled": 0}',
        '{"rows": -1, "cut": 0, "garbled": 0}',
        '{"rows": 1, "cut": 0, "garbled": 0, "more": 0}',
    ],
)
def test_what_is_no_point_to_go_on_from_is_told(file: Path, point: str) -> None:
    with pytest.raises(SourceError, match="scan again") as caught:
        Read(numbered(file, 10), resume=point)
    assert caught.value.reason is Reason.CHANGED


def test_a_name_that_is_not_utf_8_costs_its_table_and_no_other(file: Path) -> None:
    """Other programs write names in their own encoding, which no statement can spell."""
    make(
        file,
        "CREATE TABLE good (email TEXT)",
        "INSERT INTO good VALUES ('jane@globex.com')",
        "CREATE TABLE kunde (email TEXT)",
        "CREATE TABLE staff (email TEXT)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET name = cast(x'6be4756665' AS TEXT), tbl_name = cast(x'6be4756665' AS TEXT),"
        " sql = cast(x'435245415445205441424c4520226be475666522202861205445585429' AS TEXT) WHERE name = 'kunde'",
        "UPDATE sqlite_master SET sql = cast(x'435245415445205441424c452073746166662028226be4756665222054455854"
        "29' AS TEXT) WHERE name = 'staff'",
    )
    with reach(file) as source:
        assets = {asset.name: asset for asset in source.survey()}
        assert list(source.read(assets["good"], ReadPlan()))
    assert {name: asset.gap and asset.gap.reason for name, asset in assets.items()} == {
        "good": None, "k\\xe4ufe": Reason.UNREADABLE, "staff": Reason.UNREADABLE,
    }  # fmt: skip


def test_columns_named_like_the_rowid_are_columns(file: Path) -> None:
    make(
        file,
        "CREATE TABLE people (rowid TEXT, oid TEXT)",
        "CREATE TABLE worse (ROWID TEXT, OID TEXT, _rowid_ TEXT)",
        "INSERT INTO people VALUES ('b', 'x'), ('a', 'y')",
        "INSERT INTO worse VALUES ('b', 'x', 'p'), ('a', 'y', 'q')",
    )
    assert Read(file).column("rowid") == ["b", "a"]
    assert Read(file, "worse").column("_rowid_") == ["p", "q"]
    assert Read(file, "worse", ReadPlan(rows=1)).rows == 1


def test_huge_cells_are_cut_and_counted_and_their_neighbours_are_whole(file: Path) -> None:
    make(
        file,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, a TEXT, b BLOB)",
        many=[
            (
                "INSERT INTO people VALUES (?, ?, ?)",
                [
                    (1, "short", b"s"),
                    (2, "é" * (3 * MIB), b"s"),
                    (3, "short", b"x" * (2 * MIB)),
                    (4, "m" * (MIB // 2), b"s"),
                    (5, "z", b"s"),
                ],
            )
        ],
    )
    for plan in (ReadPlan(), ReadPlan(rows=5, bytes=1 << 40), ReadPlan(rows=5, bytes=100 * MIB)):
        read = Read(file, plan=plan)
        assert read.column("id") == [1, 2, 3, 4, 5]
        assert [len(text) for text in read.column("a")] == [5, MIB, 5, MIB // 2, 1]
        assert [len(blob) for blob in read.column("b")] == [1, 1, MIB, 1, 1]
        assert [(gap.reason, gap.count) for gap in read.gaps] == [(Reason.TOO_LARGE, 2)]


def test_a_cell_too_huge_to_be_loaded_is_missing_and_its_row_is_there(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapkeeper_connectors.sql.sqlite.table.HUGE", 4 * MIB)
    make(
        file,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, a TEXT, b BLOB)",
        "CREATE TABLE keyed (id TEXT PRIMARY KEY, b BLOB) WITHOUT ROWID",
        "INSERT INTO people VALUES (1, 'one', zeroblob(9000000)), (2, 'two', NULL)",
        "INSERT INTO keyed VALUES ('0', NULL), ('1', NULL), ('2', zeroblob(9000000)), ('3', NULL)",
    )
    read = Read(file)
    assert read.column("a") == ["one", "two"]
    assert read.column("b") == [None, None]
    assert [(gap.reason, gap.count) for gap in read.gaps] == [(Reason.TOO_LARGE, 1)]
    keyed = Read(file, "keyed")
    assert keyed.column("id") in (["0"], ["0", "1"])  # no way round it where there is no rowid
    assert keyed.reasons == [Reason.TOO_LARGE]


@pytest.mark.parametrize("without", ["", " WITHOUT ROWID"])
def test_memory_stays_flat_however_large_the_cells_are(file: Path, without: str) -> None:
    make(
        file,
        f"CREATE TABLE people (id INTEGER PRIMARY KEY, a TEXT, b BLOB){without}",
        many=[("INSERT INTO people VALUES (?, ?, ?)", [(n, "x" * 90_000, b"y" * 900_000) for n in range(150)])],
    )
    with reach(file) as source:
        (asset,) = source.survey()
        for plan in (ReadPlan(), ReadPlan(rows=100, bytes=16 * MIB)):
            tracemalloc.start()
            rows = sum(part.data.num_rows for part in source.read(asset, plan) if isinstance(part, Batch))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert rows >= 10
            assert peak < 64 * MIB  # of 150 MiB in the table


# Samples


def test_a_sample_of_a_dense_table_knows_its_positions(file: Path) -> None:
    read = Read(numbered(file, 5000, keys=lambda n: n + 70), plan=ReadPlan(rows=300))
    assert read.rows == 300
    assert [n - 70 for n in read.column("id")] == read.positions
    assert len(set(read.positions)) == 300
    assert {(batch.method, batch.random, batch.first) for batch in read.batches} == {("random rows", True, None)}
    assert [(gap.reason, gap.count) for gap in read.gaps] == [(Reason.BUDGET, 4700)]


@pytest.mark.parametrize("keys", [lambda n: n * n, lambda n: n * 2, lambda n: n * 3_000_000_000_000_000])
def test_a_sample_of_a_table_with_holes_knows_its_positions(file: Path, keys: Callable[[int], int]) -> None:
    read = Read(numbered(file, 3000, keys=keys), plan=ReadPlan(rows=200))
    assert len(set(read.positions)) == read.rows == 200
    assert read.column("id") == [keys(position) for position in read.positions]


def test_a_sample_of_a_large_table_with_holes_has_no_positions(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WALKED", 100)
    read = Read(numbered(file, 3000, keys=lambda n: n * 4), plan=ReadPlan(rows=200))
    assert len(set(read.column("id"))) == read.rows == 200
    assert {(batch.positions, batch.first, batch.random) for batch in read.batches} == {(None, None, True)}


@pytest.mark.parametrize("kind", ["dense", "walked", "guessed", "keyed", "view"])
def test_every_row_has_the_same_chance(file: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    numbered(file, 500, keys=lambda n: n if kind == "dense" else n * 3 - n % 2)
    make(
        file,
        "CREATE TABLE keyed (id INTEGER PRIMARY KEY, name TEXT) WITHOUT ROWID",
        "INSERT INTO keyed SELECT * FROM people",
        "CREATE VIEW view AS SELECT * FROM people",
    )
    if kind == "guessed":
        monkeypatch.setattr(reading, "WALKED", 10)
    name = kind if kind in ("keyed", "view") else "people"
    counts = dict.fromkeys(Read(file, name).column("id"), 0)
    with reach(file) as source:
        (asset,) = [asset for asset in source.survey() if asset.name == name]
        for seed in range(60):
            seen = [
                id
                for part in source.read(asset, ReadPlan(rows=50, seed=seed))
                if isinstance(part, Batch)
                for id in part.data.column("id").to_pylist()
            ]
            assert len(set(seen)) == len(seen) == 50
            for id in seen:
                counts[id] += 1
    tenths = [sum(list(counts.values())[start : start + 50]) for start in range(0, 500, 50)]
    expected = 60 * 50 / 10
    assert sum((count - expected) ** 2 / expected for count in tenths) < 33.7  # chi-square, 9 degrees, p = 0.0001


def test_the_same_seed_draws_the_same_rows_and_another_others(file: Path) -> None:
    numbered(file, 2000)
    drawn = [Read(file, plan=ReadPlan(rows=50, seed=seed)).column("id") for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert sorted(drawn[0]) != sorted(drawn[2])


def test_what_fits_the_plan_is_read_wholly(file: Path) -> None:
    read = Read(numbered(file, 500), plan=ReadPlan(rows=500, bytes=MIB))
    assert (read.rows, read.gaps, read.batches[0].first) == (500, [], 1)


@pytest.mark.parametrize("name", ["people", "keyed", "view"])
def test_a_limit_of_bytes_is_kept_and_what_is_read_is_from_everywhere(file: Path, name: str) -> None:
    make(
        file,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, a TEXT)",
        "CREATE TABLE keyed (id INTEGER PRIMARY KEY, a TEXT) WITHOUT ROWID",
        "CREATE VIEW view AS SELECT * FROM people",
        many=[("INSERT INTO people VALUES (?, ?)", [(n, "x" * 2000) for n in range(4000)])],
    )
    make(file, "INSERT INTO keyed SELECT * FROM people")
    read = Read(file, name, ReadPlan(rows=3000, bytes=MIB))
    assert 0.2 * MIB < 2000 * read.rows < 2 * MIB
    ids = read.column("id")
    assert min(ids) < 400
    assert max(ids) > 3600
    assert read.reasons == [Reason.BUDGET]
    assert all(batch.random for batch in read.batches)


def test_a_table_that_shrank_since_the_survey_ends_the_sample(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WALKED", 10)
    numbered(file, 1000, keys=lambda n: n * 2)
    with reach(file) as source:
        (asset,) = source.survey()
        make(file, "DELETE FROM people WHERE id > 100")
        parts = list(source.read(asset, ReadPlan(rows=500)))
        assert sum(part.data.num_rows for part in parts if isinstance(part, Batch)) == 50
        make(file, "DELETE FROM people")
        parts = list(source.read(asset, ReadPlan(rows=500)))
        assert sum(part.data.num_rows for part in parts if isinstance(part, Batch)) == 0


def test_a_view_is_sampled_with_positions(file: Path) -> None:
    numbered(file, 2000)
    make(file, "CREATE VIEW view AS SELECT id, name, id AS id2 FROM people ORDER BY id DESC")
    read = Read(file, "view", ReadPlan(rows=100))
    assert read.column("id") == [2001 - position for position in read.positions]
    assert [(gap.reason, gap.count) for gap in read.gaps] == [(Reason.BUDGET, 1900)]
    whole = Read(file, "view", ReadPlan(rows=2000, bytes=MIB))
    assert (whole.rows, whole.gaps, whole.batches[0].method, whole.batches[0].first) == (2000, [], "all", 1)


def test_a_view_that_takes_too_long_to_be_counted_gives_its_first_rows(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STEPS", 1_000_000)
    numbered(file, 2000)
    make(file, "CREATE VIEW view AS SELECT a.id, b.name FROM people a, people b, people c, people d")
    read = Read(file, "view", ReadPlan(rows=100, bytes=MIB))
    assert read.rows == 100
    assert {(batch.method, batch.random) for batch in read.batches} == {("head", False)}
    assert read.reasons == [Reason.BUDGET]
    assert read.column("id") == [1] * 100


def test_a_view_that_takes_too_long_at_all_is_a_timeout(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STEPS", 1_000_000)
    monkeypatch.setattr(reading, "HEAD_STEPS", 2_000_000)
    numbered(file, 2000)
    make(file, "CREATE VIEW view AS SELECT count(*) AS n FROM people a, people b, people c")
    with reach(file) as source:
        (asset,) = [asset for asset in source.survey() if asset.name == "view"]
        with pytest.raises(SourceError) as caught:
            list(source.read(asset, ReadPlan(rows=100)))
    assert caught.value.reason is Reason.TIMEOUT


# Mark, facts, flows


def test_the_mark_changes_with_the_contents_and_only_with_them(file: Path) -> None:
    numbered(file, 3)

    def mark() -> str | None:
        with reach(file) as source:
            (asset,) = source.survey()
            return source.mark(asset)

    first = mark()
    Read(file)
    assert mark() == first is not None
    stamp = file.stat()
    make(file, "UPDATE people SET name = 'other' WHERE id = 1")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # as a copy that keeps times
    second = mark()
    assert second != first
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("UPDATE people SET name = 'third' WHERE id = 1")
        writer.commit()
        ahead = mark()
        writer.execute("UPDATE people SET name = 'fourth' WHERE id = 1")
        writer.commit()
        assert len({first, second, ahead, mark()}) == 4


def test_facts_tell_who_may_read_the_file(file: Path) -> None:
    numbered(file, 3)
    for mode, permissions, public in ((0o644, "0644", True), (0o600, "0600", False)):
        file.chmod(mode)
        with reach(file) as source:
            (asset,) = source.survey()
            facts = {fact.name: (fact.value, fact.method) for fact in source.facts(asset)}
            assert list(source.flows()) == []
        assert facts["permissions"] == (permissions, "metadata")
        assert facts["public"] == (public, "metadata")
        assert facts["owner"] == (str(file.stat().st_uid), "metadata")


# What nobody may see


def test_no_value_is_in_an_error_a_gap_or_a_repr(file: Path) -> None:
    canary = "jane.canary@globex.example"
    make(
        file,
        "CREATE TABLE people (a TEXT)",
        f"CREATE VIEW view AS SELECT abs(a) AS a, json_extract(a, '$') AS b FROM people WHERE a <> '{canary}'",
        many=[("INSERT INTO people VALUES (?)", [(canary + "!",)] * 50)],
    )
    make(file, f"INSERT INTO people VALUES (CAST(CAST('{canary}' AS BLOB) || x'ff' AS TEXT))")
    seen = [repr(Read(file).batches), repr(Read(file).gaps), repr(Read(file, plan=ReadPlan(rows=3)).batches)]
    with reach(file) as source:
        (view,) = [asset for asset in source.survey() if asset.name == "view"]
        with pytest.raises(SourceError) as caught:
            list(source.read(view, ReadPlan()))
    error: BaseException | None = caught.value
    assert error is not None
    assert error.__cause__ is None
    assert error.__suppress_context__
    seen += [repr(error), str(error), repr(source), repr(view)]
    assert canary not in "".join(seen)


# Other dialects


class _Other(SQLiteDialect_pysqlite):
    """SQLite under another name, so that it is read as a server's dialect would be."""

    name = "other"
    supports_statement_cache = True


@pytest.fixture
def other(file: Path) -> Iterator[Callable[[], Sql]]:
    registry.register("other", __name__, "_Other")
    registry.impls["other"] = lambda: _Other
    yield lambda: Sql(url=f"other:///{file}")
    del registry.impls["other"]


def test_another_dialect_is_read_from_its_start(file: Path, other: Callable[[], Sql]) -> None:
    numbered(file, 9000)
    make(file, "CREATE VIEW view AS SELECT id, name, id AS id2 FROM people")
    with other() as source:
        found = [(asset.name, asset.kind, asset.rows, asset.dataset) for asset in source.survey()]
        assert found == [
            ("main.people", Kind.TABLE, None, f"{file}.main.people"),
            ("main.view", Kind.VIEW, None, f"{file}.main.view"),
        ]
        (asset, _) = source.survey()
        assert source.mark(asset) is None
        assert [fact.name for fact in source.facts(asset)] == ["version"]
    whole = Read(other(), "main.people")
    assert (whole.rows, whole.gaps) == (9000, [])
    assert [batch.first for batch in whole.batches] == [1, 8193]
    assert {batch.method for batch in whole.batches} == {"all"}
    head = Read(other(), "main.view", ReadPlan(rows=100))
    assert (head.rows, head.reasons, head.batches[0].method) == (100, [Reason.BUDGET], "head")
    exact = Read(other(), "main.people", ReadPlan(rows=9000))
    assert (exact.rows, exact.gaps) == (9000, [])
    few = Read(other(), "main.people", ReadPlan(bytes=1000))
    assert 0 < few.rows < 200
    assert few.reasons == [Reason.BUDGET]


def test_an_asset_that_another_dialect_cannot_read_is_told_without_its_values(
    file: Path, other: Callable[[], Sql]
) -> None:
    numbered(file, 3)
    with other() as source:
        (asset,) = source.survey()
        gone = Asset("main.gone", Kind.TABLE, asset.namespace, "gone", handle=("main", "gone"))
        with pytest.raises(SourceError, match=r"main\.gone: cannot be read \(OperationalError\)") as caught:
            list(source.read(gone, ReadPlan()))
    assert caught.value.reason is Reason.UNREADABLE
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.__name__)
def test_the_contract_of_connectors(check: Check, file: Path) -> None:
    canary = "jane.canary@globex.example"
    rows = [(n, canary if n % 7 == 0 else f"name {n}") for n in range(1, 901)]
    make(
        file,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE keyed (id INTEGER PRIMARY KEY, name TEXT) WITHOUT ROWID",
        "CREATE TABLE holes (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE VIEW view AS SELECT * FROM people",
        many=[("INSERT INTO people VALUES (?, ?)", rows), ("INSERT INTO keyed VALUES (?, ?)", rows)],
    )
    make(file, "INSERT INTO holes SELECT * FROM people WHERE id % 3 = 1")
    make(
        file,
        "CREATE TABLE gone (a)",
        "CREATE VIEW broken AS SELECT a FROM gone",
        "PRAGMA legacy_alter_table=ON",
        "DROP TABLE gone",
    )

    def change(name: str) -> None:
        make(file, f"UPDATE {'people' if name == 'view' else name} SET name = 'x' WHERE id = 1")

    def vanish(name: str) -> None:
        make(file, f"DROP {'VIEW' if name == 'view' else 'TABLE'} {name}")

    trial = Trial(
        lambda: reach(file),
        expect={"people": 900, "keyed": 900, "holes": 300, "view": 900},
        unreadable=["broken"],
        canary=canary,
        target=str(file),
        missing=lambda: reach(file.with_name("missing.db")),
        change=change,
        vanish=vanish,
        fingerprint=lambda: contents(file.parent),
    )
    check(trial)
