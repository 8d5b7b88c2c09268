"""One large asset among several workers: the same result as from one."""

from __future__ import annotations

import gzip
import io
import random
import signal
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calling import Run, wait_until
from mapkeeper import discover, readers
from mapkeeper.classify import Counted, Engine, merged
from mapkeeper.classify.sketch import EXACT_TO, Distinct, hashes
from mapkeeper.model import Depth, Gap
from mapkeeper.plugin import Batch, Cut, ReadPlan
from mapkeeper.readers import block
from mapkeeper.scan import crew
from mapkeeper.scan.inspect import Inspection
from mapkeeper.scan.ledger import Ledger
from tape import Tape
from test_overnight import covered, found, limit, scan, start

MIB = 1 << 20
Row = tuple[str | None, int | None, dict[str, Any]]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 bytes, so that little text has many; a line is long from 24 on."""
    import_module("mapkeeper.readers.reading")  # which takes the true size over
    monkeypatch.setattr(block, "BLOCK", 64)
    monkeypatch.setattr(block, "LONGEST", 24)


def members(*contents: bytes, name: str = "{}.log") -> list[readers.Member]:
    def opened(content: bytes) -> BinaryIO:
        return io.BytesIO(content)

    return [
        readers.Member(name.format(number), len(content), partial(opened, content))
        for number, content in enumerate(contents)
    ]


class Passed:
    """What a reading gave out."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.bytes = 0
        self.resumes: list[tuple[int, str | None]] = []
        self.ledger = Ledger()  # holds the gaps

    def take(self, event: Batch | Gap) -> None:
        if isinstance(event, Gap):
            self.ledger.lost(event)
            return
        numbers = event.positions
        if numbers is None and event.first is not None:
            numbers = range(event.first, event.first + event.data.num_rows)
        at = list[int | None](numbers) if numbers else no_positions(event)
        cells = ({k: v for k, v in row.items() if v is not None} for row in event.data.to_pylist())
        self.rows += zip([event.member] * len(at), at, cells, strict=True)
        self.bytes += event.bytes
        self.resumes.append((len(self.rows), event.resume))

    def shown(self) -> tuple[list[Row], int, list[Gap]]:
        return self.rows, self.bytes, list(self.ledger.gaps.values())


def at_once(held: Sequence[readers.Member]) -> Passed:
    passed = Passed()
    for event in readers.read(held, ReadPlan()):
        passed.take(event)
    return passed


def no_positions(event: Batch) -> list[int | None]:
    return [None for _ in range(event.data.num_rows)]


def stretch(held: Sequence[readers.Member], begin: str | None, size: int, end: str | None = None) -> tuple[Passed, str]:
    passed, cut = Passed(), ""
    for event in readers.stretch(held, begin, size, end):
        if isinstance(event, Cut):
            assert not cut
            cut = event.resume
        else:
            passed.take(event)
    return passed, cut


def by_stretches(held: Sequence[readers.Member], size: int, most: int = 1000) -> tuple[Passed, int]:
    """All stretches put together, and how many they are; each is read again with its end told, and from its middle."""
    whole, begin, count = Passed(), None, 0
    while count < most:
        one, cut = stretch(held, begin, size)
        whole.rows += one.rows
        whole.bytes += one.bytes
        whole.ledger.join(one.ledger)
        count += 1
        if not cut:
            return whole, count
        assert stretch(held, begin, size, cut)[0].shown() == one.shown()
        for rows, resume in one.resumes[:-1]:
            assert stretch(held, resume, size, cut)[0].rows == one.rows[rows:]
        begin = cut
    raise AssertionError("it has no end")


def same(held: Sequence[readers.Member], size: int) -> int:
    """Both ways give the same; returns the number of stretches."""
    stretches, count = by_stretches(held, size)
    assert stretches.shown() == at_once(held).shown()
    return count


TEXT = st.lists(
    st.one_of(
        st.text("ab é😀\r", max_size=12),
        st.text("x\N{EURO SIGN}", min_size=20, max_size=200),
        st.sampled_from(['{"a": 1, "b": "é"}', "{bad", "", "Oct 10 13:55:01 host sshd[3]: no user jane"]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 400))
def test_wherever_lines_are_cut_they_are_the_same(
    small: None, lines: list[str], ending: str, ended: bool, size: int
) -> None:
    text = ending.join(lines) + ending * ended
    same(members(text.encode("utf-8", "replace")), size)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text('ab,"\n\ré', max_size=20), min_size=1, max_size=40), st.integers(1, 400))
def test_wherever_a_table_with_quoted_line_breaks_is_cut_its_rows_are_the_same(
    small: None, cells: list[str], size: int
) -> None:
    rows = ["id,note,city"] + ['{},"{}",x'.format(n, cell.replace('"', '""')) for n, cell in enumerate(cells)]
    same(members("\n".join(rows).encode(), name="{}.csv"), size)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=120), min_size=1, max_size=8), st.integers(1, 300))
def test_whatever_a_family_holds_it_is_the_same_by_stretches(small: None, contents: list[bytes], size: int) -> None:
    same(members(*contents), size)


def test_a_long_text_is_cut_into_stretches_of_about_the_size(small: None) -> None:
    lines = b"".join(b"line %d\r\n" % number for number in range(2000))
    assert 15 < same(members(lines), 1000) < 50


def test_a_line_longer_than_a_stretch_is_not_cut(small: None) -> None:
    assert same(members(b"a\n" * 100 + b"x" * 5000 + b"\n" + b"b\n" * 100), 300) > 1


def test_an_empty_file_has_no_stretches(small: None) -> None:
    assert same(members(b""), 1) == 1


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(f"Grüße {n}" for n in range(500)).encode("utf-16"),
        gzip.compress(random.Random(1).randbytes(3000).hex().encode()),
        b'[{"a": 1},\n' * 200 + b'{"a": 2}]',
        b"\n".join(b'{"k%d": 1}' % number for number in range(2000)),
    ],
    ids=["UTF-16", "gzip", "JSON document", "countless paths"],
)
def test_what_cannot_be_gone_into_is_not_cut(small: None, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "BLOCK", 4096)
    assert same(members(content), 1000) == 1


def test_a_family_of_compressed_files_is_cut_between_them(small: None) -> None:
    held = members(*(gzip.compress(f"file {number}\n".encode() * 50) for number in range(20)), name="{}.gz")
    size = held[0].size
    assert size is not None
    assert same(held, 3 * size) >= 6


def test_parquet_is_cut_between_row_groups(tmp_path: Path) -> None:
    table = pa.table({"n": range(10_000), "mail": [f"u{number}@mail.example.org" for number in range(10_000)]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=500)
    content = (tmp_path / "t.parquet").read_bytes()
    assert 3 <= same(members(content, name="{}.parquet"), len(content) // 5) <= 6


PARTS = st.lists(st.lists(st.text("abc", max_size=3), max_size=20), min_size=2, max_size=6)


@given(PARTS, st.data())
def test_counts_of_distinct_values_join_in_any_grouping(parts: list[list[str]], data: st.DataObject) -> None:
    def one(texts: list[str]) -> Distinct:
        made = Distinct()
        made.add(hashes(pl.Series("v", texts, dtype=pl.String)))
        return made

    left = [one(texts) for texts in parts]
    while len(left) > 1:
        at = data.draw(st.integers(0, len(left) - 2))
        left[at].merge(left.pop(at + 1))
    assert left[0].count() == len({text for texts in parts for text in texts})


def test_estimates_of_distinct_values_join_to_the_same_estimate() -> None:
    many = pl.Series("v", [f"value {number}" for number in range(3 * EXACT_TO)])
    whole, parts = Distinct(), [Distinct(), Distinct(), Distinct()]
    whole.add(hashes(many))
    for number, part in enumerate(parts):
        part.add(hashes(many.slice(number * 90_000, 150_000)))
    parts[1].merge(parts[2])
    parts[0].merge(parts[1])
    assert parts[0].count() == whole.count()


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(discover.rules())


def batch(first: int, rows: int) -> Batch:
    """Rows of mail, numbers that rise, and a column that is there now and then."""
    numbers = range(first, first + rows)
    columns = {
        "id": pa.array(numbers, pa.int64()),
        "text": pa.array([f"told u{number % 37}@mail.example.org of 10.1.{number % 256}.7" for number in numbers]),
    }
    if first % 3:
        columns["phone"] = pa.array([f"+33 1 42 68 {number % 90 + 10} 0{number % 7}" for number in numbers])
    return Batch(pa.record_batch(columns), first=first, unit="row")


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=6), st.data())
def test_what_was_counted_of_stretches_joins_to_what_one_counts(
    engine: Engine, sizes: list[int], data: st.DataObject
) -> None:
    edges = np.cumsum([1, *sizes]).tolist()
    batches = [batch(first, rows) for first, rows in zip(edges, sizes, strict=False)]

    def counted(some: Sequence[Batch]) -> Counted:
        made = engine.start("users", reveal=4)
        for one in some:
            made.add(one)
        return made.counted()

    parts = [counted([one]) for one in batches]
    while len(parts) > 1:
        at = data.draw(st.integers(0, len(parts) - 2))
        parts[at] = merged(parts[at], parts.pop(at + 1), 4)
    assert shown(parts[0]) == shown(counted(batches))


def shown(counted: Counted) -> list[tuple[str, str, list[tuple[int, str]]]]:
    """Every count, distinct values as their number. Which order rules were found in does not matter."""
    return [
        (
            repr(tally),
            comment,
            sorted((number, repr(replace(rule, scores=round(rule.scores, 9)))) for number, rule in rules.items()),
        )
        for tally, comment, rules in counted
    ]


def log(path: Path, size: int) -> None:
    """A log of several formats with mail, addresses, JSON, a long line, CRLF, and no line break at its end."""
    draw = random.Random(7)
    with path.open("wb") as file:
        number = 0
        while file.tell() < size:
            number += 1
            who, at = f"u{draw.randrange(4000)}@mail.example.org", f"81.2.{draw.randrange(256)}.{draw.randrange(256)}"
            kind = draw.randrange(40)
            if kind < 20:
                line = f'{at} - - [10/Oct/2026:13:55:01 +0000] "GET /{number} HTTP/1.1" 200 {number}'
            elif kind < 39:
                line = f'{{"n": {number}, "mail": "{who}", "note": "Grüße"}}'
            else:
                line = f"worker {number} told {who} that {'x' * draw.randrange(3000)} is over\r"
            file.write(line.encode() + b"\n")
        file.write(b"x" * (2 * MIB) + b"\nthe end, without a line break of last@mail.example.org")


def test_a_large_file_gives_the_same_with_one_worker_and_with_three_and_undivided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.log"
    log(path, 13 * MIB)
    monkeypatch.setattr(crew, "WORTH_A_PROCESS", 1)

    def looked(workers: int, size: int) -> Any:
        monkeypatch.setattr(crew, "STRETCH", size)
        ((_, result),) = Inspection(Depth.FULL, workers, reveal=3).look(str(path), lambda asset, bytes: None)
        return replace(result, mark=None)  # under a key that is drawn each time

    whole = looked(1, 1 << 40)
    assert whole.coverage.complete is False  # of a line that is read in pieces
    assert len(whole.findings) >= 3
    assert looked(3, 3 * MIB) == whole
    assert looked(1, 3 * MIB) == whole


@pytest.fixture
def tape(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tape:
    """A tape that is read in stretches of four batches, which are 32 MiB."""
    made = Tape(workspace, tmp_path / "tape")
    # Under a name of its own: the plain tape may have been imported by an earlier test.
    plain = (made.folder / "tape_connector.py").read_text()
    (made.folder / "divided_tape.py").write_text(plain + DIVIDED)
    entry = made.folder / "tape-1.dist-info" / "entry_points.txt"
    entry.write_text("[mapkeeper.connectors]\ntape = divided_tape:Divided\n")
    monkeypatch.syspath_prepend(made.folder)
    return made


DIVIDED = """
from mapkeeper.plugin import Cut, ReadPlan

@dataclass
class Divided(Tape):
    "A tape that several may read."

    def stretch(self, asset, start, size, end=None):
        script = self.assets[asset.name]
        stop = int(end) if end else min(int(start or 0) + (size >> 23), script["batches"])
        if end is None and stop < script["batches"]:
            yield Cut(str(stop))
        self.assets = {**self.assets, asset.name: {**script, "batches": stop}}
        try:
            yield from self.read(asset, ReadPlan(), start)
        finally:
            self.assets = {**self.assets, asset.name: script}
"""

LARGE = 24


def mails(mapkeeper: Run, workspace: Path) -> int:
    (row,) = [row for row in found(mapkeeper, workspace) if row["category"] == "contact.email"]
    assert row["where"] == [f"row {number}" for number in range(1, 6)]
    return int(row["hits"])


def test_a_scan_killed_while_several_read_an_asset_goes_on_and_finds_what_an_undisturbed_one_does(
    workspace: Path, tape: Tape, mapkeeper: Run
) -> None:
    tape.write({"users": {"batches": LARGE, "waits_at": 14}})
    killed = start(workspace, tape)
    wait_until(lambda: kept(workspace), killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    tape.go()
    tape.write({"users": {"batches": LARGE}})
    assert scan(mapkeeper, workspace).exit == 0
    assert sorted(tape.read("users")) == list(range(min(tape.read("users")), LARGE))
    assert min(tape.read("users")) in (8, 12)  # what was read without a hole, once it is 64 MiB
    resumed = found(mapkeeper, workspace)
    tape.write({"users": {"batches": LARGE}})
    assert scan(mapkeeper, workspace, "--fresh", "--workers", "1").exit == 0
    assert sorted(tape.read("users")) == list(range(LARGE))
    assert found(mapkeeper, workspace) == resumed
    assert mails(mapkeeper, workspace) == LARGE * 1000


def kept(workspace: Path) -> bool:
    with sqlite3.connect(f"file:{workspace / 'inventory.db'}?mode=ro", uri=True) as inventory:
        return bool(inventory.execute("SELECT count(*) FROM checkpoint").fetchone()[0])


def test_workers_that_die_at_a_stretch_cost_that_one_and_the_next_scan_goes_on_there(
    workspace: Path, tape: Tape, mapkeeper: Run
) -> None:
    tape.write({"users": {"batches": LARGE, "dies_at": 9, "mark": "2"}})
    scan(mapkeeper, workspace)
    coverage = covered(mapkeeper, workspace)["users"]
    assert [gap["reason"] for gap in coverage["gaps"]] == ["crashed"]
    assert 8000 <= coverage["rows_read"] < LARGE * 1000
    assert mails(mapkeeper, workspace) == coverage["rows_read"]
    tape.write({"users": {"batches": LARGE, "mark": "2"}})
    scan(mapkeeper, workspace)
    assert sorted(tape.read("users")) == list(range(8, LARGE))
    assert covered(mapkeeper, workspace)["users"]["complete"]
    assert mails(mapkeeper, workspace) == LARGE * 1000


def test_a_budget_ends_the_reading_of_all_and_the_next_scan_goes_on_until_all_is_read_whoever_dies_once(
    workspace: Path, tape: Tape, mapkeeper: Run
) -> None:
    limit(workspace, rows=14_000)
    tape.write({"users": {"batches": LARGE, "dies_once_at": 6}})
    for _ in range(8):
        scan(mapkeeper, workspace)
        coverage = covered(mapkeeper, workspace)["users"]
        assert mails(mapkeeper, workspace) == coverage["rows_read"]
        if coverage["complete"]:
            break
        assert [(gap["reason"], gap["count"]) for gap in coverage["gaps"]] == [("budget", 1)]
    assert mails(mapkeeper, workspace) == LARGE * 1000
