"""A fault of a connector, or of a process, costs what it touches and no more, and shows no value."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from calling import Run, add_source, wait_until

MAIL = "canary.qzx7@nightingale-leak.example"

FAULTY = f"""
import multiprocessing, os, signal, time
from dataclasses import dataclass
from pathlib import Path
import pyarrow as pa
from mapkeeper.plugin import Asset, Batch, Connector, Fact, Gap, Kind, Reason, SourceError

MAIL = {MAIL!r}

class Panic(BaseException):
    "What a library in Rust raises."

@dataclass
class Faulty(Connector):
    "Fails in the way it is told to."
    how: str
    notes: str = ""
    target = "faulty"

    def __post_init__(self):
        if self.how == "settings":
            raise TypeError(MAIL)

    def open(self):
        if self.how == "open" or (self.how == "open in a worker" and multiprocessing.parent_process()):
            raise ValueError(MAIL)

    def close(self):
        if self.how == "close":
            raise ValueError(MAIL)

    def survey(self):
        if self.how == "closed folder":
            names = ["open/b"] if Path(self.notes).exists() else ["closed/a", "day=*/part-*", "open/b", "open/c"]
            if Path(self.notes).exists():
                for folder in ("closed/", "day=2026-01-02/"):
                    yield Asset(folder, Kind.FOLDER, "faulty", folder, gap=Gap(Reason.DENIED))
                yield Asset(".git/", Kind.FOLDER, "faulty", ".git/", gap=Gap(Reason.EXCLUDED))
            yield from (Asset(name, Kind.TABLE, "faulty", name, handle=name) for name in names)
            return
        for name in ("first", "second", "third"):
            if self.how == "survey" and name == "second":
                raise ValueError(MAIL)
            if self.how == "survey tells" and name == "second":
                raise SourceError(Reason.UNREACHABLE, f"faulty: {{MAIL}}: was lost; try again")
            kept = {{"twins": "same", "likes": {{"first": MAIL, "second": MAIL.upper()}}.get(name, name)}}
            large = 1 << 30 if "worker" in self.how else 10
            handle = (lambda: name) if self.how == "handle in a worker" and name == "second" else name
            yield Asset(kept.get(self.how, name), Kind.TABLE, "faulty", name, bytes=large, handle=handle)

    def mark(self, asset):
        if self.how == "mark" and asset.handle == "second" and Path(self.notes).exists():
            raise ValueError(MAIL)
        return f"changed by {{MAIL}}"

    def facts(self, asset):
        return [Fact("owner", MAIL, "metadata"), Fact(f"quota of {{MAIL}}", 5, f"as {{MAIL}} says")]

    def read(self, asset, plan, resume_from=None):
        here = asset.handle == "second"
        if self.how == "panic" and here:
            raise Panic(MAIL)
        if self.how == "killed worker" and here:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "slow worker":
            (Path(self.notes) / str(os.getpid())).touch()
            time.sleep(60)
        if self.how == "encoding" and here:
            broken = [None, pa.py_buffer(bytes(4) + b"\\2\\0\\0\\0"), pa.py_buffer(b"\\xff\\xfe")]
            yield Batch(pa.record_batch({{"email": pa.Array.from_buffers(pa.string(), 1, broken)}}))
            return
        emails = [f"ada.{{n}}@example.org" for n in range(9)]
        nested = pa.array([{{MAIL: n}} for n in range(9)])
        likes = {{MAIL: emails, MAIL.upper(): emails}}
        yield Batch(pa.record_batch({{"email": emails, "nested": nested, **likes}}), method=f"as {{MAIL}} likes")
"""


@pytest.fixture
def faulty(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace beside a connector that can be told how to fail."""
    package = tmp_path / "plugin"
    (package / "faulty-1.dist-info").mkdir(parents=True)
    (package / "faulty-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1\n")
    (package / "faulty-1.dist-info" / "entry_points.txt").write_text("[mapkeeper.connectors]\nfaulty = faulty:Faulty\n")
    (package / "faulty.py").write_text(FAULTY)
    monkeypatch.syspath_prepend(package)
    return workspace


def coverage(workspace: Path, mapkeeper: Run, source: str = "a") -> dict[str, list[str]]:
    """The reasons of the gaps of each asset."""
    rows = mapkeeper("coverage", "--workspace", workspace, "--source", source, "--format", "json").rows
    return {row["asset"]: [gap["reason"] for gap in row["gaps"]] for row in rows}


def kept(workspace: Path) -> bytes:
    return b"".join(path.read_bytes() for path in workspace.glob("inventory.db*"))


@pytest.mark.parametrize("how", ["open", "survey", "settings"])
def test_a_connector_that_fails_costs_its_source_and_no_other(how: str, faulty: Path, mapkeeper: Run) -> None:
    add_source(faulty, "globex", "a", "faulty", how=how)
    add_source(faulty, "globex", "b", "faulty", how="not")
    ran = mapkeeper("scan", "--workspace", faulty)
    assert ran.exit == 1
    assert "source a: " in ran.err
    assert MAIL not in ran.out + ran.err
    assert set(coverage(faulty, mapkeeper, "b")) == {"first", "second", "third"}
    states = {row["source"]: row["state"] for row in mapkeeper("sources", "-w", faulty, "--format", "json").rows}
    assert states == {"a": "unreachable", "b": "ok"}
    assert MAIL.encode() not in kept(faulty)


def test_what_a_connector_says_of_its_source_is_shown_without_names(faulty: Path, mapkeeper: Run) -> None:
    add_source(faulty, "globex", "a", "faulty", how="survey tells")
    for words in (["scan"], ["scan", "--plan"], ["scan", "--plan", "--format", "json"], ["sources", "--check"]):
        ran = mapkeeper(*words, "--workspace", faulty)
        assert MAIL not in ran.out + ran.err, words
        assert "was lost; try again" in ran.out + ran.err or words[0] == "sources"


def test_a_missing_secret_costs_its_source_and_no_other(faulty: Path, mapkeeper: Run) -> None:
    add_source(faulty, "globex", "a", "sql", url="env:MAPKEEPER_TEST_NOT_SET")
    add_source(faulty, "globex", "b", "faulty", how="not")
    ran = mapkeeper("scan", "--workspace", faulty)
    assert ran.exit == 1
    assert ran.err.startswith("mapkeeper: source a: url: environment variable MAPKEEPER_TEST_NOT_SET is not set")
    assert set(coverage(faulty, mapkeeper, "b")) == {"first", "second", "third"}


def test_a_survey_that_breaks_off_lets_nothing_vanish(faulty: Path, mapkeeper: Run) -> None:
    file = faulty / "clients" / "globex.toml"
    add_source(faulty, "globex", "a", "faulty", how="not")
    assert mapkeeper("scan", "--workspace", faulty).exit == 0
    file.write_text(file.read_text().replace('how = "not"', 'how = "survey"'))
    assert mapkeeper("scan", "--workspace", faulty).exit == 3
    assert set(coverage(faulty, mapkeeper)) == {"first", "second", "third"}
    assert mapkeeper("history", "2", "--workspace", faulty, "--format", "json").rows == []


def test_what_lies_in_a_folder_that_cannot_be_listed_stays_and_what_is_gone_elsewhere_vanishes(
    faulty: Path, mapkeeper: Run, tmp_path: Path
) -> None:
    """Not what is listed but of a family, either, that has objects there."""
    add_source(faulty, "globex", "a", "faulty", how="closed folder", notes=str(tmp_path / "now"), include="*/?*")
    file = faulty / "clients" / "globex.toml"
    file.write_text(file.read_text().replace('include = "*/?*"', 'include = ["*/?*"]'))
    mapkeeper("scan", "--workspace", faulty)
    (tmp_path / "now").touch()
    assert mapkeeper("scan", "--workspace", faulty).exit == 0
    found = coverage(faulty, mapkeeper)
    assert {name for name in found if not name.endswith("/")} == {"closed/a", "day=*/part-*", "open/b"}
    assert found["closed/"] == ["denied"]
    rows = mapkeeper("history", "2", "--workspace", faulty, "--format", "json").rows
    assert [row["asset"] for row in rows if row["change"] == "vanished" and row["what"] == "asset"] == ["open/c"]


@pytest.mark.parametrize("how", ["panic", "encoding"])
def test_an_asset_that_makes_a_library_panic_costs_itself(
    how: str, faulty: Path, mapkeeper: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    add_source(faulty, "globex", "a", "faulty", how=how)
    ran = mapkeeper("scan", "--workspace", faulty)
    assert ran.exit == 0, ran.err
    assert coverage(faulty, mapkeeper) == {"first": [], "second": ["crashed"], "third": []}
    assert "".join(capfd.readouterr()) == ""
    assert MAIL not in ran.out + ran.err


def test_a_connector_that_fails_to_close_loses_nothing(faulty: Path, mapkeeper: Run) -> None:
    add_source(faulty, "globex", "a", "faulty", how="close")
    assert mapkeeper("scan", "--workspace", faulty).exit == 0
    assert coverage(faulty, mapkeeper) == {"first": [], "second": [], "third": []}


def test_an_asset_whose_mark_cannot_be_told_is_read_again_and_says_why(
    faulty: Path, mapkeeper: Run, tmp_path: Path
) -> None:
    add_source(faulty, "globex", "a", "faulty", how="mark", notes=str(tmp_path / "now"))
    mapkeeper("scan", "--workspace", faulty)
    (tmp_path / "now").touch()
    assert mapkeeper("scan", "--workspace", faulty).exit == 0
    assert coverage(faulty, mapkeeper) == {"first": [], "second": ["crashed"], "third": []}


@pytest.mark.parametrize(
    ("how", "names"), [("twins", ["same", "same (2)", "same (3)"]), ("likes", ["T", "T (2)", "third"])]
)
def test_assets_of_one_name_are_all_kept_and_found_again(
    how: str, names: list[str], faulty: Path, mapkeeper: Run
) -> None:
    """Of one name in the source, or of names that are the same once what identifies somebody is replaced."""
    add_source(faulty, "globex", "a", "faulty", how=how)
    mapkeeper("scan", "--workspace", faulty)
    found = coverage(faulty, mapkeeper)
    token = next((name for name in found if name.startswith("{email:") and name.endswith("}")), "")
    assert sorted(name.replace(token, "T") if token else name for name in found) == names
    mapkeeper("scan", "--workspace", faulty)
    assert mapkeeper("history", "2", "--workspace", faulty, "--format", "json").rows == []


def test_fields_of_one_name_are_all_kept(faulty: Path, mapkeeper: Run) -> None:
    add_source(faulty, "globex", "a", "faulty", how="not")
    mapkeeper("scan", "--workspace", faulty)
    rows = mapkeeper("findings", "--workspace", faulty, "--asset", "first", "--format", "json").rows
    token = next(row["field"] for row in rows if row["field"].endswith("}"))
    assert {row["field"] for row in rows} >= {"email", token, f"{token} (2)"}


def test_nothing_that_a_connector_says_of_an_asset_is_kept_with_a_value_in_it(faulty: Path, mapkeeper: Run) -> None:
    """Marks, facts, methods, and the types of nested fields."""
    add_source(faulty, "globex", "a", "faulty", how="not")
    mapkeeper("scan", "--workspace", faulty)
    assert b"as {email:" in kept(faulty)
    assert b"struct<{email:" in kept(faulty)
    assert MAIL.encode() not in kept(faulty).lower()


@pytest.mark.parametrize(
    ("how", "lost"),
    [
        ("killed worker", ["second"]),
        ("handle in a worker", ["second"]),
        ("open in a worker", ["first", "second", "third"]),
    ],
)
def test_a_process_that_fails_costs_the_assets_it_failed_at(
    how: str, lost: list[str], faulty: Path, mapkeeper: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    add_source(faulty, "globex", "a", "faulty", how=how)
    ran = mapkeeper("scan", "--workers", "2", "--workspace", faulty)
    assert ran.exit == 0, ran.err
    found = coverage(faulty, mapkeeper)
    assert found == {name: ["crashed"] if name in lost else [] for name in ("first", "second", "third")}
    assert MAIL not in "".join(capfd.readouterr())


def test_the_processes_of_a_scan_that_is_killed_end_with_it(faulty: Path, tmp_path: Path) -> None:
    (tmp_path / "begun").mkdir()
    add_source(faulty, "globex", "a", "faulty", how="slow worker", notes=str(tmp_path / "begun"))
    scan = subprocess.Popen(
        [sys.executable, "-m", "mapkeeper", "scan", "--workers", "2", "--workspace", str(faulty)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: len(list((tmp_path / "begun").iterdir())) == 2, scan)
    workers = [int(path.name) for path in (tmp_path / "begun").iterdir()]
    scan.send_signal(signal.SIGKILL)
    scan.wait()
    deadline = time.monotonic() + 60
    while any(map(runs, workers)):
        assert time.monotonic() < deadline, "a process outlived its scan"


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
