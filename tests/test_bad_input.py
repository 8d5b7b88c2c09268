"""Bad input costs one clear error or one gap with the right reason code, and nothing else."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from calling import Run, add_source

EMAILS = [f"ada.{n}@example.org" for n in range(60)]
GOOD = "email,word\n" + "".join(f"{email},x\n" for email in EMAILS)


def truncated_parquet(path: Path) -> None:
    pq.write_table(pa.table({"email": EMAILS}), path)
    path.write_bytes(path.read_bytes()[:-9])


def ragged_csv_with_a_nul(path: Path) -> None:
    path.write_text(GOOD + "too,many,cells\nfew\n" + "nul\0byte@example.org,x\n" + "last@example.org,x\n")


def gzip_cut_in_half(path: Path) -> None:
    rows = "".join(f"{os.urandom(9).hex()}@example.org,x\n" for _ in range(4000))
    packed = gzip.compress(f"email,word\n{rows}".encode())
    path.write_bytes(packed[: len(packed) // 2])


def invalid_utf8(path: Path) -> None:
    path.write_bytes(GOOD.encode() + b"zo\xeb@example.org,caf\xe9\n")


def empty(path: Path) -> None:
    path.touch()


def only_a_header(path: Path) -> None:
    path.write_text("email,word\n")


def odd_column_names(path: Path) -> None:
    head = '"e""mail","new\nline","sp ace\'s",""\n'
    path.write_text(head + "".join(f"{email},b,c,d\n" for email in EMAILS))


def one_long_line(path: Path, megabytes: int = 9) -> None:
    with path.open("w") as file:
        file.write("".join(f"{email}\n" for email in EMAILS))
        for _ in range(megabytes):
            file.write("lorem ipsum " * (1_000_000 // 12))
        file.write("\nlast@example.org\n")


CASES: dict[str, tuple[Callable[[Path], None], list[str], int]] = {
    # file: how it is made, the reason codes of its gaps, how many e-mail addresses are found all the same (at least)
    "truncated.parquet": (truncated_parquet, ["unreadable"], 0),
    "ragged.csv": (ragged_csv_with_a_nul, ["unreadable"], 61),
    "half.csv.gz": (gzip_cut_in_half, ["unreadable"], 1000),
    "latin.csv": (invalid_utf8, ["unreadable"], 60),
    "empty.log": (empty, [], 0),
    "header.csv": (only_a_header, [], 0),
    "odd-names.csv": (odd_column_names, [], 60),
    "long-line.txt": (one_long_line, ["too_large"], 61),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_one_gap_and_the_rest_of_it_is_read(name: str, tmp_path: Path, mapkeeper: Run) -> None:
    make, reasons, at_least = CASES[name]
    path = tmp_path / name
    make(path)
    ran = mapkeeper("inspect", path, "--depth", "full", "--coverage", "--format", "json")
    assert ran.exit == 0, ran.err
    (row,) = ran.rows
    assert [gap["reason"] for gap in row["gaps"]] == reasons
    assert row["complete"] == (not reasons)
    found = mapkeeper("inspect", path, "--depth", "full", "--format", "json", "--all")
    assert sum(row["hits"] for row in found.rows if row["category"] == "contact.email") >= at_least
    assert mapkeeper("inspect", path, "--depth", "full", "--strict").exit == (1 if reasons else 0)


def test_one_bad_file_of_many_does_not_cost_the_others(tmp_path: Path, mapkeeper: Run) -> None:
    for name, (make, _, _) in CASES.items():
        make(tmp_path / name)
    (tmp_path / "good.csv").write_text(GOOD)
    rows = {row["asset"]: row for row in mapkeeper("inspect", tmp_path, "--coverage", "--format", "json").rows}
    assert set(rows) == {*CASES, "good.csv"}
    assert rows["good.csv"]["complete"]


def test_a_line_of_fifty_megabytes_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long-line.txt"
    small = tmp_path / "small.txt"
    small.write_text("ada@example.org\n" * 9)
    one_long_line(path, megabytes=50)
    peaks = []
    for target in (small, path):
        code = (
            "import sys, resource, io, contextlib\n"
            "from mapkeeper.cli import app\n"
            "with contextlib.redirect_stdout(io.StringIO()):\n"
            f"    app(['inspect', {str(target)!r}, '--depth', 'full'], standalone_mode=False)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] - peaks[0] < 200_000  # KiB


def test_a_path_or_database_that_is_not_there_is_one_line_and_nothing_could_be_done(
    tmp_path: Path, mapkeeper: Run
) -> None:
    for target in (tmp_path / "nowhere", tmp_path / "nowhere.csv", f"sqlite:///{tmp_path}/nowhere.db"):
        ran = mapkeeper("inspect", target)
        assert ran.exit == 3
        assert ran.out == ""
        assert len(ran.err.splitlines()) == 1
        assert "nowhere" in ran.err
    assert not (tmp_path / "nowhere.db").exists()


def test_a_target_that_no_connector_knows_is_a_usage_error_without_its_password(mapkeeper: Run) -> None:
    for target in ("gopher://ada:hunter2@host/x", "gopher://host/x?password=hunter2", "ada:hunter2@host"):
        ran = mapkeeper("inspect", target)
        assert ran.exit == 2
        assert "no installed connector reads this" in ran.err
        assert "hunter2" not in ran.err


def test_an_address_with_a_password_where_a_name_belongs_is_refused_without_it(workspace: Path, mapkeeper: Run) -> None:
    add_source(workspace, "globex", "crm", "postgresql://ada:hunter2@host/crm")
    ran = mapkeeper("scan", "--debug", "--workspace", workspace)
    assert ran.exit == 2
    assert "clients/globex.toml: source[0].connector" in ran.err
    assert "hunter2" not in ran.out + ran.err


def test_a_locked_database_is_unreachable_and_says_so(
    workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapkeeper_connectors.sql.sqlite.BUSY_WAIT", 0.05)
    path = workspace / "stores" / "shop.db"
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("create table people (email text)")
    store.execute("begin exclusive")
    add_source(workspace, "globex", "shop", "sql", url="sqlite:///stores/shop.db")
    ran = mapkeeper("scan", "--workspace", workspace)
    store.close()
    assert ran.exit == 3
    assert "lock" in ran.err
    (source,) = mapkeeper("sources", "--workspace", workspace, "--format", "json").rows
    assert source["state"] == "unreachable"


def test_a_table_without_rows_is_read_wholly(tmp_path: Path, mapkeeper: Run) -> None:
    store = sqlite3.connect(tmp_path / "shop.db")
    store.execute('create table people (email text, "qu""oted\nname" text)')
    store.commit()
    store.close()
    (row,) = mapkeeper("inspect", tmp_path / "shop.db", "--coverage", "--format", "json").rows
    assert (row["rows_total"], row["rows_read"], row["complete"], row["bound_95"]) == (0, 0, True, 0.0)


def test_a_file_that_only_looks_like_a_database_is_unreadable(tmp_path: Path, mapkeeper: Run) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)
    ran = mapkeeper("inspect", path)
    assert ran.exit == 3
    assert len(ran.err.splitlines()) == 1


def test_a_folder_without_permission_is_a_gap_denied() -> None:
    """Root may read everything, so the reading is done as nobody where the tests run as root."""
    code = """
import json, os, sys
import mapkeeper_connectors.files as files, mapkeeper.readers
os.getuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534))
with files.Files(path=sys.argv[1]) as connector:
    print(json.dumps({asset.name: asset.gap and asset.gap.reason for asset in connector.survey()}))
"""
    with tempfile.TemporaryDirectory() as name:  # not pytest's, which nobody may enter
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("open", "closed"):
            (folder / part).mkdir()
            (folder / part / "people.csv").write_text(GOOD)
        (folder / "closed").chmod(0o000)
        done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=False)
        (folder / "closed").chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '{"closed/": "denied", "open/people.csv": null}'


def test_a_table_in_windows_1252_keeps_the_names_of_its_columns(tmp_path: Path, mapkeeper: Run) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes("prénom;tél;ville\n".encode("cp1252") + "Zoë;+33199001234;Alès\n".encode("cp1252") * 9)
    rows = mapkeeper("inspect", path, "--format", "json").rows
    assert {"prénom", "tél"} <= {row["field"] for row in rows}
