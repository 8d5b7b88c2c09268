"""The files connector: what it takes for its own, which assets it sees, and what it says of them."""

from __future__ import annotations

import gzip
import os
import pickle
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapkeeper.plugin import Asset, Batch, Gap, Kind, ReadPlan, Reason, SourceError
from mapkeeper.readers.family import families
from mapkeeper_connectors.files import Files


def survey(path: Path, **settings: Any) -> dict[str, Asset]:
    with Files(str(path), **settings) as files:
        return {asset.name: asset for asset in files.survey()}


def read(path: Path, name: str, plan: ReadPlan | None = None) -> tuple[list[Batch], list[Gap]]:
    with Files(str(path)) as files:
        asset = next(asset for asset in files.survey() if asset.name == name)
        got = list(files.read(asset, plan or ReadPlan()))
    return [one for one in got if isinstance(one, Batch)], [one for one in got if isinstance(one, Gap)]


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"hello\n") if name.endswith(".gz") else b"hello\n")


# Targets


def test_folders_files_and_paths_to_nothing_are_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a b.csv")
    monkeypatch.chdir(tmp_path)
    assert Files.settings_for(str(tmp_path)) == {"path": str(tmp_path)}
    assert Files.settings_for("a b.csv") == {"path": "a b.csv"}
    assert Files.settings_for((tmp_path / "a b.csv").as_uri()) == {"path": str(tmp_path / "a b.csv")}
    assert Files.settings_for("gone/away.csv") == {"path": "gone/away.csv"}


def test_databases_addresses_and_words_are_not(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "some.db") as database:
        database.execute("create table t (a)")
    database.close()
    assert Files.settings_for(str(tmp_path / "some.db")) is None
    for target in ("s3://bucket/prefix", "sqlite:///x.db", "postgresql://h/db", "env:CRM_URL", "word", "a\0b/"):
        assert Files.settings_for(target) is None


def test_a_path_to_nothing_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", tmp_path / "gone" / "deeper"):
        with pytest.raises(SourceError, match="gone") as caught, Files(str(path)):
            pass
        assert caught.value.reason == Reason.MISSING


# Assets


def test_a_survey_lists_files_by_their_path_in_order(tmp_path: Path) -> None:
    fill(tmp_path, "b.txt", "a/c.txt", "a/.hidden", "z/y/x.txt")
    found = survey(tmp_path)
    assert list(found) == ["a/.hidden", "a/c.txt", "b.txt", "z/y/x.txt"]
    asset = found["z/y/x.txt"]
    assert (asset.kind, asset.namespace, asset.dataset) == (Kind.FILE, "file", str(tmp_path / "z/y/x.txt"))
    assert (asset.bytes, asset.objects, asset.gap) == (6, 1, None)
    assert list(survey(tmp_path, hidden=False)) == ["a/c.txt", "b.txt", "z/y/x.txt"]


def test_a_single_file_is_named_by_its_name(tmp_path: Path) -> None:
    fill(tmp_path, "b.txt")
    asset = survey(tmp_path / "b.txt")["b.txt"]
    assert asset.dataset == str(tmp_path / "b.txt")
    assert read(tmp_path / "b.txt", "b.txt")[0][0].data.to_pylist() == [{"text": "hello"}]


def test_rotated_logs_are_one_asset(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "auth.log",
        "auth.log.1",
        "auth.log.2.gz",
        "auth.log-20260101.gz",
        "kern.log",
        "messages",
        "messages.1",
    )
    found = survey(tmp_path)
    assert list(found) == ["auth.log*", "kern.log", "messages*"]
    asset = found["auth.log*"]
    assert (asset.kind, asset.objects, asset.dataset) == (Kind.FAMILY, 4, str(tmp_path / "auth.log*"))
    assert asset.bytes == 12 + 2 * (tmp_path / "auth.log.2.gz").stat().st_size
    batches, gaps = read(tmp_path, "auth.log*")
    assert gaps == []
    assert [batch.member for batch in batches] == ["auth.log", "auth.log-20260101.gz", "auth.log.1", "auth.log.2.gz"]


def test_dated_exports_and_partitions_are_one_asset(tmp_path: Path) -> None:
    fill(tmp_path, "patients_2026-01-01.csv", "patients_2026-01-02.csv.gz")
    for day in ("2026-01-01", "2026-01-02"):
        (tmp_path / "events" / f"dt={day}").mkdir(parents=True)
        pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "events" / f"dt={day}" / "part-0.parquet")
    found = survey(tmp_path)
    assert list(found) == ["events/dt=*/part-*.parquet", "patients_*.csv"]
    assert {asset.kind for asset in found.values()} == {Kind.FAMILY}
    batches, _ = read(tmp_path, "events/dt=*/part-*.parquet")
    assert [(batch.member, batch.data.num_rows) for batch in batches] == [
        ("events/dt=2026-01-01/part-0.parquet", 2),
        ("events/dt=2026-01-02/part-0.parquet", 2),
    ]


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["app-2026-01-01.0.log", "app-2026-01-01.1.log.gz", "app-2026-01-02.0.log"], "app-*.log"),
        (["messages-20260101", "messages-20260108", "messages"], "messages*"),
        (["dump_20260101T101112Z.sql", "dump_20260102T101112Z.sql"], "dump_*.sql"),
        (["x/2026/01/02/a.log", "x/2026/01/03/a.log"], "x/*/*/*/a.log"),
        (
            ["y/year=2026/month=01/part-00000-abc.c000.parquet", "y/year=2026/month=02/part-00001-d.parquet"],
            "y/year=*/month=*/part-*.parquet",
        ),
        (
            ["1_Trail_eu-west-1_20260101T0005Z_AbCd12efGH34.json.gz", "1_Trail_eu-west-1_20260101T0010Z_Zz99yyxx.json"],
            "1_Trail_eu-west-1_*.json",
        ),
        (["report 2026-01.xlsx", "report 2026-02.xlsx"], "report *.xlsx"),
    ],
)  # fmt: skip
def test_names_that_differ_in_a_date_or_a_number_of_rotation_are_a_family(names: list[str], pattern: str) -> None:
    assert families(names) == {pattern: sorted(names)}
    assert families(names[:1]) == {names[0]: names[:1]}


@pytest.mark.parametrize(
    "names",
    [
        ["ada@example.org.csv", "bo@example.org.csv"],
        ["patient_12345.csv", "patient_12346.csv"],
        ["ada_2026-01-01.csv", "bo_2026-01-01.csv"],
        ["v1.2", "v1.3"],
        ["a.csv", "b.csv", "a.json"],
        ["2026-99-99.csv", "2026-99-98.csv"],
        ["region=eu/a.csv", "region=us/a.csv"],
    ],
)
def test_names_that_differ_in_words_are_no_family(names: list[str]) -> None:
    assert families(names) == {name: [name] for name in sorted(names)}


@given(st.sets(st.text("ab2016-_.=/logcsvgz@T", min_size=1, max_size=24)))
def test_families_hold_every_name_once(names: set[str]) -> None:
    found = families(names)
    assert sorted(name for members in found.values() for name in members) == sorted(names)
    assert all(len(members) > 1 or members == [pattern] for pattern, members in found.items())


# Marks, facts and handles


def test_the_mark_changes_with_contents_and_members_only(tmp_path: Path) -> None:
    fill(tmp_path, "a.log", "a.log.1", "other.txt")

    def mark() -> str | None:
        with Files(str(tmp_path)) as files:
            return files.mark(next(asset for asset in files.survey() if asset.name == "a.log*"))

    first = mark()
    fill(tmp_path, "other.txt", "third.txt")
    assert mark() == first is not None
    os.utime(tmp_path / "a.log", ns=(1, 1))
    second = mark()
    assert second != first
    fill(tmp_path, "a.log.2")
    assert mark() not in (first, second)


def test_facts_come_from_the_file_system(tmp_path: Path) -> None:
    fill(tmp_path, "a.log", "a.log.1")
    (tmp_path / "a.log").chmod(0o640)
    (tmp_path / "a.log.1").chmod(0o640)
    os.utime(tmp_path / "a.log", (1_767_225_600, 1_767_225_600))
    os.utime(tmp_path / "a.log.1", (1_735_689_600, 1_735_689_600))
    with Files(str(tmp_path)) as files:
        asset = next(files.survey())
        facts = {fact.name: fact.value for fact in files.facts(asset)}
        assert {fact.method for fact in files.facts(asset)} == {"metadata"}
        assert {name: facts[name] for name in ("permissions", "public", "oldest", "newest")} == {
            "permissions": "0640", "public": False, "oldest": "2025-01-01", "newest": "2026-01-01",
        }  # fmt: skip
        assert facts["owner"] == str(tmp_path.stat().st_uid)  # a number: names are of people
        (tmp_path / "a.log").chmod(0o644)
        assert {fact.name: fact.value for fact in files.facts(asset)}["public"] is True


def test_a_time_that_no_calendar_holds_is_not_told_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems give out times of any year; the one that the tests run on may not."""
    fill(tmp_path, "a.log")
    with Files(str(tmp_path)) as files:
        asset = next(files.survey())
        status = list((tmp_path / "a.log").stat())
        monkeypatch.setattr(Path, "stat", lambda _: os.stat_result([*status[:8], 1 << 60, 1 << 60]))
        facts = {fact.name: fact.value for fact in files.facts(asset)}
        monkeypatch.undo()
    assert (facts["oldest"], facts["newest"]) == (None, None)
    assert facts["permissions"] is not None


def test_an_asset_may_be_read_in_another_process(tmp_path: Path) -> None:
    fill(tmp_path, "a.log", "a.log.1")
    asset = survey(tmp_path)["a.log*"]
    files, asset = pickle.loads(pickle.dumps((Files(str(tmp_path)), asset)))
    assert [batch.data.to_pylist() for batch in files.read(asset, ReadPlan())] == [[{"text": "hello"}]] * 2


def test_a_relative_path_starts_at_the_workspace(tmp_path: Path) -> None:
    fill(tmp_path, "stores/a.txt")
    settings = Files.within(tmp_path, {"path": "stores"})
    with Files(**settings) as files:
        assert [asset.name for asset in files.survey()] == ["a.txt"]
