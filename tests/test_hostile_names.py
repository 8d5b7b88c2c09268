"""Names come from strangers' stores: they steer no terminal, no page, no spreadsheet, and break no document."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from calling import Run

NAMES = (
    b"!escape\x1b]0;owned\x07\x1b[2J.csv",
    "c1\x9b2J.csv".encode(),
    "bidi\u202egnp.csv".encode(),
    b"line\nbreak\rback.csv",
    b"[bold red]rich[-] [link=x]y.csv",
    b"=cmd|'x'!A1.csv",
    "\uff1dsum(1).csv".encode(),
    b"<img src=x onerror=alert(1)>.csv",
    b"\xff\xfe.csv",
    b"\xed\xa0\x80.csv",
    "zero\u200bwidth.csv".encode(),
)
HEAD = "email,\x1b[31mred\x1b[0m,=1+1,<b>bold</b>,{{ 7*7 }}\n"
STEERING = {*map(chr, range(32)), *map(chr, range(127, 160)), "\u202e", "\u200b"} - {"\n"}


@pytest.fixture
def hostile(workspace: Path) -> Path:
    """A shared source of files with such names, all of which map to no client."""
    stores = workspace / "stores"
    for name in NAMES:
        rows = "".join(",".join([f"ada.{n}@example.org"] * 5) + "\n" for n in range(9))
        Path(os.fsdecode(os.fsencode(stores) + b"/" + name)).write_text(HEAD + rows)
    with (workspace / "mapkeeper.toml").open("a") as file:
        file.write(
            '\n[[source]]\nid = "siem"\nconnector = "files"\npath = "stores"\n'
            'clients = { by = "prefix", map = { "globex/" = "globex" } }\n'
        )
    return workspace


def test_nothing_that_is_printed_steers_a_terminal(hostile: Path, mapkeeper: Run) -> None:
    commands = [
        ["scan"],
        ["findings", "--all"],
        ["coverage"],
        ["history", "1"],
        *([word, "--format", format] for word in ("findings", "coverage", "sources") for format in ("json", "csv")),
        *(["register", "--provider", "--format", format] for format in ("html", "json", "csv")),
    ]
    for command in commands:
        ran = mapkeeper(*command, "--workspace", hostile)
        assert ran.exit in (0, 1), ran.err
        besides = {"\r"} if "csv" in command else set()  # ends a row there
        assert set(ran.out) & (STEERING - besides) == set(), command
        assert set(ran.err) & STEERING == set(), command
    for target in (hostile / "stores", "\x1b[2Jnowhere/x", f"sqlite:///{hostile}/\x1b[2J.db"):
        ran = mapkeeper("inspect", target, "--coverage", "--format", "json")
        assert set(ran.out + ran.err) & STEERING == set()


def test_every_such_name_is_an_asset_whose_findings_are_told_in_every_format(hostile: Path, mapkeeper: Run) -> None:
    assert mapkeeper("scan", "--workspace", hostile).exit == 1  # of no client
    rows = mapkeeper("findings", "--workspace", hostile, "--format", "json").rows
    assert len({row["asset"] for row in rows}) == len(NAMES)
    table = mapkeeper("findings", "--workspace", hostile, "--format", "csv").out
    assert len(list(csv.DictReader(io.StringIO(table, newline="")))) == len(rows)
    assert "[bold red]rich[-] [link=x]y.csv" in mapkeeper("coverage", "--workspace", hostile).out
    record = json.loads(mapkeeper("register", "--provider", "--workspace", hostile, "--format", "json").out)
    assert {row["asset"] for row in record["findings"]} == {row["asset"] for row in rows}


def test_no_cell_is_a_formula_and_no_name_is_markup(hostile: Path, mapkeeper: Run) -> None:
    mapkeeper("scan", "--workspace", hostile)
    for command in (["findings", "--all"], ["coverage"], ["register", "--provider"], ["history", "1"]):
        table = mapkeeper(*command, "--workspace", hostile, "--format", "csv").out
        cells = [cell for row in csv.reader(io.StringIO(table, newline="")) for cell in row]
        assert [cell for cell in cells if cell[:1] in ("=", "+", "@", "\uff1d", "\t", "\r", "\n")] == []
    page = mapkeeper("register", "--provider", "--workspace", hostile).out
    assert "<img" not in page
    assert "<b>bold" not in page
    assert "{{ 7*7 }}" in page


def test_a_folder_whose_name_is_no_text_can_be_inspected_and_scanned(workspace: Path, mapkeeper: Run) -> None:
    folder = Path(os.fsdecode(os.fsencode(workspace) + b"/\xff\xfe"))
    folder.mkdir()
    (folder / "people.csv").write_text("email\n" + "ada@example.org\n" * 9)
    for format in ("json", "csv", "table"):
        ran = mapkeeper("inspect", folder, "--format", format)
        assert ran.exit == 0, ran.err
        ran.out.encode()
    assert mapkeeper("inspect", folder / "no", "--format", "json").exit == 3
