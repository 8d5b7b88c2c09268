"""No value from a source is ever kept: canaries are planted everywhere, and searched for everywhere."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from calling import Run, add_source
from canaries import CARD, IBAN, MAIL, PERSON, PHONE, ROW, SECRET, WORD, Search


def plant(stores: Path) -> None:
    """One of every kind of file, with the canaries in every place that a value can stand."""
    folder = stores / "files"
    (folder / f"mails of {MAIL}").mkdir(parents=True)
    with (folder / "people.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROW))
        writer.writeheader()
        writer.writerows([ROW] * 3)
        file.write(f"ragged,{MAIL},{WORD}\n")
    (folder / "bad-bytes.csv").write_bytes(
        f"email,word\n{MAIL},{WORD}\n".encode() + b"\xff\xfe" + WORD.encode() + b",x\n"
    )
    lines = [json.dumps({"user": ROW, MAIL: {IBAN: WORD}}), f'{{"broken": "{MAIL}", ', json.dumps({"user": ROW})]
    (folder / f"{MAIL}.jsonl").write_text("\n".join(lines))
    (folder / f"mails of {MAIL}" / f"call-{PHONE}.txt").write_text(f"{PERSON} <{MAIL}> {IBAN} {WORD}\n" * 5)
    pq.write_table(pa.table({key: [value] * 3 for key, value in ROW.items()}), folder / "people.parquet")
    whole = (folder / "people.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) * 2 // 3])
    packed = gzip.compress(
        f"Jan  1 10:00:00 host sshd[1]: Failed password for {MAIL} from 192.0.2.7 {WORD}\n".encode() * 500
    )
    (folder / "auth.log.1.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "auth.log").write_text(f"Jan  1 10:00:00 host app: token={SECRET} card={CARD} {WORD}\n" * 3)
    (folder / "access.log").write_text(
        f'192.0.2.9 - {WORD} [01/Jan/2026:10:00:00 +0000] "GET /u/{MAIL} HTTP/1.1" 200 5 "-" "Mozilla/5.0"\n' * 3
    )
    (folder / "one-line.txt").write_text(f"{WORD} {MAIL} " * 80_000)
    (folder / f"{quote(MAIL)}.json").write_text(
        json.dumps([{quote(MAIL): n, f"_{IBAN}_": {MAIL: n}} for n in range(3)])
    )
    pq.write_table(pa.table({"nested": [{MAIL: {IBAN: WORD}}] * 3}), folder / f"of {quote(quote(MAIL))}.parquet")
    (folder / "odd.bin").write_bytes(b"\x7fELF" + WORD.encode() * 9)
    store = sqlite3.connect(stores / "shop.db")
    columns = ", ".join(f'"{key}"' for key in ROW)
    store.execute(f"create table people ({columns})")
    store.execute(f'create table "table of {MAIL}" ({columns})')
    for table in ("people", f"table of {MAIL}"):
        store.executemany(f'insert into "{table}" values ({", ".join("?" * len(ROW))})', [tuple(ROW.values())] * 3)
    store.execute(f"create view broken as select '{WORD}' as word, * from gone where email = '{MAIL}'")
    store.execute("create table mixed (value integer)")
    store.executemany("insert into mixed values (?)", [(17,), (WORD,), (MAIL.encode(),), (b"\xff" + WORD.encode(),)])
    store.commit()
    store.close()


@pytest.fixture
def planted(workspace: Path) -> Path:
    plant(workspace / "stores")
    add_source(workspace, "globex", "files", "files", path="stores/files")
    add_source(workspace, "globex", "shop", "sql", url="sqlite:///stores/shop.db")
    return workspace


def test_no_canary_is_in_the_inventory_a_listing_a_register_a_log_or_a_traceback(planted: Path, mapkeeper: Run) -> None:
    search = Search()
    reports = planted.parent / "reports"
    reports.mkdir()
    commands: list[list[str]] = [
        ["scan", "--depth", "full", "--workers", "1"],
        ["scan", "--fresh", "--depth", "full", "--workers", "2"],
        ["scan", "--plan", "--fresh"],
        ["findings", "--all", "--format", "json"],
        ["findings", "--all"],
        ["findings", "--all", "--format", "csv"],
        ["coverage", "--format", "json"],
        ["coverage"],
        ["sources", "--format", "json"],
        ["history", "--format", "json"],
        ["history", "1", "--format", "json"],
        ["db", "backup", str(reports / "backup.db")],
        *(["register", "--client", "globex", "--format", f, "-o", str(reports / f)] for f in ("html", "csv", "json")),
    ]
    for command in commands:
        ran = mapkeeper(*command, "--debug", "--workspace", planted)
        assert ran.exit in (0, 1), ran.err
        search.look(ran.out, f"stdout of {command}")
        search.look(ran.err, f"stderr of {command}")
    search.look_in(planted, besides=planted / "stores")
    search.look_in(reports)
    assert search.nothing()
    assert mapkeeper("findings", "--workspace", planted, "--format", "json", "--category", "contact.email").rows


def test_no_canary_is_in_what_an_inspection_prints(planted: Path, mapkeeper: Run) -> None:
    search = Search()
    for target in (planted / "stores" / "files", planted / "stores" / "shop.db"):
        for options in (["--format", "json", "--all"], ["--coverage", "--format", "json"], ["--format", "csv"]):
            ran = mapkeeper("inspect", target, "--depth", "full", "--debug", *options)
            assert ran.exit == 0, ran.err
            search.look(ran.out, f"stdout of inspect {target.name} {options}")
            search.look(ran.err, f"stderr of inspect {target.name} {options}")
    assert search.nothing()


def test_true_values_are_shown_on_stdout_when_asked_for_and_only_there(planted: Path, mapkeeper: Run) -> None:
    people = planted / "stores" / "files" / "people.parquet"
    ran = mapkeeper("inspect", people, "--reveal", "2", "--format", "json")
    emails = [row for row in ran.rows if row["field"] == "email"]
    assert emails[0]["values"] == [MAIL]
    assert "true values" in ran.err
    search = Search()
    search.look(ran.err, "stderr")
    assert search.nothing()
    refused = mapkeeper("inspect", people, "--reveal", "2", "--output", planted / "out.txt")
    assert refused.exit == 2
    assert not (planted / "out.txt").exists()


def test_a_token_hangs_on_the_clients_key(planted: Path, mapkeeper: Run) -> None:
    """The same name under another key is another token: without the key it means nothing."""
    mapkeeper("scan", "--workspace", planted)
    before = {row["asset"] for row in mapkeeper("coverage", "--workspace", planted, "--format", "json").rows}
    (planted / "keys" / "globex.key").write_text("1" * 64)
    mapkeeper("scan", "--workspace", planted)
    after = {row["asset"] for row in mapkeeper("coverage", "--workspace", planted, "--format", "json").rows}
    tokens = {name for name in before if "{email:" in name}
    assert len(tokens) == 5
    assert len(after) == len(before)
    assert tokens.isdisjoint(after)


def test_a_fault_of_a_plugin_that_quotes_a_value_is_a_gap_without_it(
    workspace: Path, mapkeeper: Run, tmp_path: Path
) -> None:
    """An exception that a connector did not mean to raise may hold anything."""
    package = tmp_path / "plugin"
    (package / "clumsy-1.dist-info").mkdir(parents=True)
    (package / "clumsy-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: clumsy\nVersion: 1\n")
    (package / "clumsy-1.dist-info" / "entry_points.txt").write_text("[mapkeeper.connectors]\nclumsy = clumsy:Clumsy\n")
    (package / "clumsy.py").write_text(
        "from dataclasses import dataclass\n"
        "from mapkeeper.plugin import Asset, Connector, Kind\n"
        "@dataclass\n"
        "class Clumsy(Connector):\n"
        "    'Raises with a value in its text.'\n"
        "    target = 'clumsy'\n"
        "    def survey(self):\n"
        "        yield Asset('a', Kind.FILE, 'clumsy', 'a')\n"
        "    def read(self, asset, plan, resume_from=None):\n"
        f"        raise ValueError('could not parse {MAIL}')\n"
        "        yield\n"
    )
    add_source(workspace, "globex", "clumsy", "clumsy")
    ran = mapkeeper("scan", "--debug", "--workspace", workspace, env={"PYTHONPATH": str(package)})
    assert ran.exit == 0, ran.err
    rows = mapkeeper("coverage", "--workspace", workspace, "--format", "json", env={"PYTHONPATH": str(package)}).rows
    assert [gap["reason"] for row in rows for gap in row["gaps"]] == ["crashed"]
    search = Search()
    search.look(ran.out + ran.err, "what a scan says")
    search.look_in(workspace)
    assert search.nothing()
