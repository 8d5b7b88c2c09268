"""The files connector against hostile and broken stores: one gap each, and nothing else is lost."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mapkeeper.plugin import Asset, Batch, Gap, Kind, ReadPlan, Reason, SourceError
from mapkeeper_connectors.files import Files


def survey(path: Path, follow_links: bool = False) -> dict[str, Asset]:
    with Files(str(path), follow_links=follow_links) as files:
        return {asset.name: asset for asset in files.survey()}


def gap_of(asset: Asset) -> Reason | None:
    return asset.gap.reason if asset.gap is not None else None


def test_pipes_and_sockets_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.txt").write_text("hello\n")
    found = survey(tmp_path)
    assert {name: gap_of(asset) for name, asset in found.items()} == {"a.txt": None, "pipe": Reason.UNSUPPORTED}
    assert Files.settings_for(str(tmp_path / "pipe")) == {"path": str(tmp_path / "pipe")}
    assert gap_of(survey(tmp_path / "pipe")["pipe"]) == Reason.UNSUPPORTED


def test_a_file_that_became_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    with Files(str(tmp_path)) as files:
        asset = next(files.survey())
        (tmp_path / "a.txt").unlink()
        os.mkfifo(tmp_path / "a.txt")
        with pytest.raises(SourceError) as caught:
            list(files.read(asset, ReadPlan()))
    assert caught.value.reason == Reason.CHANGED


def test_folders_of_version_control_are_a_gap(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    found = survey(tmp_path)
    assert [(name, asset.kind, gap_of(asset)) for name, asset in found.items()] == [
        (".git/", Kind.FOLDER, Reason.EXCLUDED)
    ]


def test_links_are_followed_only_when_asked_and_loops_end(tmp_path: Path) -> None:
    store, outside = tmp_path / "store", tmp_path / "outside"
    (store / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "far.txt").write_text("far\n")
    (outside / "back").symlink_to(outside)
    (store / "near.txt").write_text("near\n")
    (store / "loop").symlink_to(store)
    (store / "sub" / "again").symlink_to(store / "near.txt")
    (store / "way").symlink_to(outside)
    (store / "file").symlink_to(outside / "far.txt")
    (store / "dangling").symlink_to(tmp_path / "nothing")
    (store / "itself").symlink_to(store / "itself")
    assert {name: gap_of(asset) for name, asset in survey(store).items()} == {
        "dangling": Reason.MISSING,
        "file": Reason.EXCLUDED,
        "itself": Reason.MISSING,
        "near.txt": None,
        "way": Reason.EXCLUDED,
    }
    assert {name: gap_of(asset) for name, asset in survey(store, follow_links=True).items()} == {
        "dangling": Reason.MISSING,
        "file": None,
        "itself": Reason.MISSING,
        "near.txt": None,
        "way/far.txt": None,
    }


START = """
import os, resource, sys
from mapkeeper.plugin import Batch, ReadPlan, SourceError
from mapkeeper_connectors.files import Files

with Files(sys.argv[2]) as files:  # loads all there is to load while everything may still be looked at
    for asset in files.survey():
        list(files.read(asset, ReadPlan()))
"""
DROP = """
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


def elsewhere(code: str, path: Path) -> str:
    """Run code in a process of its own and return what it prints."""
    warm = path.parent / "warm"
    warm.mkdir(exist_ok=True)
    (warm / "a.log").write_text('{"a": 1}\nhello\nNov  1 10:11:12 h p[1]: m\n')
    (warm / "b.json").write_text("[\n{}\n]")
    done = subprocess.run(
        [sys.executable, "-c", START + textwrap.dedent(code), str(path), str(warm)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_nobody(code: str, path: Path) -> str:
    """The same without rights, for root may read everything."""
    return elsewhere(DROP + textwrap.dedent(code), path)


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that everybody may look into."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/") and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    store = tmp_path / "store"
    store.mkdir(mode=0o755)
    return store


def test_what_may_not_be_read_is_a_gap_denied(open_folder: Path) -> None:
    (open_folder / "a.txt").write_text("hello\n")
    (open_folder / "shut").mkdir()
    (open_folder / "shut" / "b.txt").write_text("hidden\n")
    (open_folder / "mine.txt").write_text("hidden\n")
    (open_folder / "shut").chmod(0)
    (open_folder / "mine.txt").chmod(0)
    out = as_nobody(
        """
        with Files(sys.argv[1]) as files:
            for asset in files.survey():
                print(asset.name, asset.kind, asset.gap and asset.gap.reason, end=" ")
                if asset.gap is None:
                    try:
                        print([batch.data.num_rows for batch in files.read(asset, ReadPlan())])
                    except SourceError as error:
                        print(error.reason)
                else:
                    print()
        """,
        open_folder,
    )
    (open_folder / "shut").chmod(0o755)
    assert [line.split() for line in out.splitlines()] == [
        ["a.txt", "file", "None", "[1]"],
        ["mine.txt", "file", "None", "denied"],
        ["shut/", "folder", "denied"],
    ]


def test_a_folder_that_may_not_be_listed_is_denied_at_once(open_folder: Path) -> None:
    open_folder.chmod(0)
    out = as_nobody(
        """
        try:
            Files(sys.argv[1]).open()
        except SourceError as error:
            print(error.reason, sys.argv[1] in str(error))
        """,
        open_folder,
    )
    open_folder.chmod(0o755)
    assert out.split() == ["denied", "True"]


def test_a_member_that_vanished_costs_a_gap_and_not_the_family(tmp_path: Path) -> None:
    for name in ("a.log", "a.log.1", "a.log.2"):
        (tmp_path / name).write_text("hello\n")
    with Files(str(tmp_path)) as files:
        asset = next(files.survey())
        (tmp_path / "a.log.1").unlink()
        got = list(files.read(asset, ReadPlan()))
    assert [one.member for one in got if isinstance(one, Batch)] == ["a.log", "a.log.2"]
    assert [(one.reason, one.count, one.example) for one in got if isinstance(one, Gap)] == [
        (Reason.MISSING, 1, "a.log.1")
    ]


def test_a_file_that_changed_since_the_survey_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("hello\n")
    with Files(str(tmp_path)) as files:
        asset = next(files.survey())
        with (tmp_path / "a.log").open("a") as file:
            file.write("more\n")
        got = list(files.read(asset, ReadPlan()))
    assert [one.reason for one in got if isinstance(one, Gap)] == [Reason.CHANGED]
    assert [row["text"] for one in got if isinstance(one, Batch) for row in one.data.to_pylist()] == ["hello", "more"]


def test_names_that_are_no_text_are_borne(tmp_path: Path) -> None:
    for name in (b"na\xffme.txt", b"new\nline.txt", b"a|b*?.txt"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("hello\n")
    found = survey(tmp_path)
    assert list(found) == ["a|b*?.txt", "na\\xffme.txt", "new\nline.txt"]
    with Files(str(tmp_path)) as files:
        for asset in files.survey():
            asset.dataset.encode()
            assert [one.data.num_rows for one in files.read(asset, ReadPlan()) if isinstance(one, Batch)] == [1]


PEAK = """
    with Files(sys.argv[1]) as files:
        for asset in files.survey():
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            rows, gaps = 0, []
            for one in files.read(asset, ReadPlan()):
                if isinstance(one, Batch):
                    rows += one.data.num_rows
                else:
                    gaps.append(str(one.reason))
            print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, *gaps)
"""


def test_a_line_of_50_megabytes_is_read_in_bounded_memory(open_folder: Path) -> None:
    with (open_folder / "one.log").open("wb") as file:
        file.write(b"before\n")
        for _ in range(50):
            file.write(b"word and " * 110_000)
        file.write(b"\nafter\n")
    rows, grown, gap = elsewhere(PEAK, open_folder).split()
    assert (int(rows) > 48, gap) == (True, "too_large")
    assert int(grown) < 150_000


@pytest.mark.parametrize("size", [8, 80])
def test_memory_does_not_grow_with_the_file(open_folder: Path, size: int) -> None:
    line = b'{"user": {"mail": "ada@example.org"}, "at": "2026-01-01T00:00:00Z", "n": 1}\n'
    with gzip.open(open_folder / "a.json.gz", "wb", 1) as file:
        for _ in range(size):
            file.write(line * (1_000_000 // len(line)))
    rows, grown = elsewhere(PEAK, open_folder).split()
    assert int(rows) == size * (1_000_000 // len(line))
    assert int(grown) < 200_000
