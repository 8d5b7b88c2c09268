"""The record of processing as a workbook: every value with its state, ready to be filtered and printed, harmless."""

from __future__ import annotations

import datetime as dt
import io
import os
import pty
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from calling import Run, add_source
from mapkeeper.cli import app
from mapkeeper.model import CellState, Depth, KnownFinding, ScanRun
from mapkeeper.report import workbook as module
from mapkeeper.report.record import STATES, Basis, Cell, Evidence, Record, RecordView, Row, Section, Value
from mapkeeper.report.workbook import COLOURS, workbook
from recording import finding

PRINTED = dt.datetime(2026, 11, 22, 9, 5, tzinfo=dt.UTC)
FRONT, LEGEND, FIRST = "Record", "Legend", "Look first"
HEADER = ["About", "Question", "Value", "State", "Remark", "Asked by", "Evidence"]
HOSTILE = (
    "=HYPERLINK(A1)",
    "+1",
    "-1+cmd|'x'!A1",
    "@SUM(A1)",
    "{=1+1}",
    "\uff1dsum(1)",
    "\t=1",
    "https://evil.example/x",
    "internal:Legend!A1",
    "<r><t>markup</t></r>",
    "<r>&</r>",
    "</t></si>",
    "_x0041_",
    "\u202egnp\x00\x1b[2J\ufffe",
    "\udcff",
    "&C&8footer",
    " blanks ",
    "é'&\"",
    "00123",
)


def record(sections: Sequence[Section] = (), findings: Sequence[KnownFinding] = (), **besides: Any) -> Record:
    scan = ScanRun(7, dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC), None, "done", Depth.SAMPLE, "0.1.0")
    made = Record(
        title="Record of processing activities of a processor",
        law="GDPR Art. 30(2)",
        view=RecordView.PROCESSOR,
        client="globex",
        client_name="Globex SA",
        provider="Northlight Security",
        role="processor",
        regimes=("EU-GDPR",),
        printed=PRINTED,
        read="1 asset of 1 source, wholly",
        basis=Basis(scan, "clients/globex.toml", "ab" * 32, ("a remark",)),
        sections=tuple(sections),
        findings=tuple(findings),
        countries={one.id: "FR" for one in findings},
    )
    return replace(made, **besides)


def section(*values: Value, key: str = "parties", about: str = "Controller", law: str | None = None) -> Section:
    cells = tuple(Cell("purpose", "Purposes", law, (value,)) for value in values)
    return Section(key, "Who", law, (Row(about, cells),), says="how to read it")


def of_every_state() -> Section:
    return section(*(Value(f"value {state.value}", state, f"note {state.name}") for state in CellState))


def known(id: str = "f-1", **besides: Any) -> KnownFinding:
    found = replace(finding(), **besides)
    return KnownFinding(id, "globex", "crm", "customers", found, dt.date(2026, 11, 20), dt.date(2026, 11, 21))


def opened(made: Record | bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(made if isinstance(made, bytes) else workbook(made)))


def rows(book: Any, sheet: str) -> list[list[Any]]:
    return [list(row) for row in book[sheet].iter_rows(min_row=2, values_only=True)]


def cells(made: Record) -> list[Any]:
    """Every cell of a section's sheet that holds a value of the record."""
    book = opened(made)
    return [row[2] for section in made.sections for row in book[section.key.capitalize()].iter_rows(min_row=2)]


def colours(cell: Any) -> tuple[str, str]:
    return (f"#{cell.font.color.rgb[2:].lower()}", f"#{cell.fill.fgColor.rgb[2:].lower()}")


# What it holds


def test_every_value_stands_in_its_section_with_its_state_its_note_and_its_evidence() -> None:
    evidence = (Evidence("declaration", "clients/globex.toml: agreement"), Evidence("finding", "f-1"))
    first = section(Value("Globex SA", CellState.AGREED, "to confirm", evidence), law="GDPR Art. 30(2)(a)")
    second = section(Value("yes", CellState.COMPUTED), Value("no", CellState.MISSING), key="transfers", about="US")
    book = opened(record([first, second]))
    assert rows(book, "Parties") == [
        ["Controller", "Purposes", "Globex SA", "agreed", "to confirm", "GDPR Art. 30(2)(a)",
         "clients/globex.toml: agreement\nf-1"],
    ]  # fmt: skip
    assert [row[:4] for row in rows(book, "Transfers")] == [
        ["US", "Purposes", "yes", "computed"],
        ["US", "Purposes", "no", "missing"],
    ]
    assert [cell.value for cell in book["Parties"][1]] == HEADER


@pytest.mark.parametrize("state", list(CellState))
def test_a_state_is_told_in_words_and_in_the_colour_of_the_legend(state: CellState) -> None:
    book = opened(record([of_every_state()]))
    (row,) = [row for row in book["Parties"].iter_rows(min_row=2) if row[3].value == state.value]
    (told,) = [row for row in book[LEGEND].iter_rows(min_row=2) if row[0].value == state.value]
    assert colours(row[2]) == colours(row[3]) == colours(told[0]) == COLOURS[state]
    assert (told[1].value, told[2].value) == (STATES[state], 1)


def test_no_two_states_have_one_colour() -> None:
    assert len({ground for _, ground in COLOURS.values()}) == len(CellState)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("state", list(CellState))
def test_the_words_of_every_state_can_be_read(state: CellState) -> None:
    light, dark = sorted(map(luminance, COLOURS[state]), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_the_first_sheet_says_what_the_record_rests_on() -> None:
    told = {row[0]: row[1] for row in rows(opened(record([of_every_state()])), FRONT)}
    assert told["Client"] == "Globex SA"
    assert told["Printed"] == dt.datetime(2026, 11, 22, 9, 5)
    assert told["Rests on"] == "scan 7"
    assert told["Its SHA-256"] == "ab" * 32
    assert told["Remark"] == "a remark"
    assert told["Sheet Parties"] == "Who. how to read it."


def test_a_client_that_was_never_scanned_has_a_workbook() -> None:
    made = record(basis=Basis(None, "clients/globex.toml", "ab" * 32))
    assert {row[0]: row[1] for row in rows(opened(made), FRONT)}["Rests on"].startswith("no scan")
    assert opened(made).sheetnames == [FRONT, LEGEND]


def test_what_to_look_at_first_has_a_sheet_where_there_is_such() -> None:
    fine = section(Value("yes", CellState.AGREED))
    bad = section(Value("no", CellState.CONTRADICTED, "the agreement permits EEA"), key="transfers", about="US")
    assert FIRST not in opened(record([fine])).sheetnames
    assert rows(opened(record([fine, bad])), FIRST) == [
        ["contradicted", "Transfers", "US", "Purposes", "no", "contradicted", "the agreement permits EEA"]
    ]


def test_days_are_days_and_what_holds_more_than_a_day_is_text() -> None:
    texts = [
        "1 January 2027",
        "22 November 2026",
        "last on 1 January 2027",
        "1 January 1850",
        "2026-11-21",
        "31 June 2026",
    ]
    made = record([section(*(Value(text, CellState.DECLARED) for text in texts))])
    assert [cell.value for cell in cells(made)] == [dt.datetime(2027, 1, 1), dt.datetime(2026, 11, 22), *texts[2:]]
    assert cells(made)[0].number_format == "d mmmm yyyy"


def test_findings_are_evidence_with_numbers_and_days() -> None:
    book = opened(record(findings=[known()]))
    head = [cell.value for cell in book["Evidence"][1]]
    told = dict(zip(head, rows(book, "Evidence")[0], strict=True))
    assert (told["Finding"], told["Source"], told["Asset"], told["Field"]) == ("f-1", "crm", "customers", "email")
    assert (told["Category"], told["Key"], told["Level"]) == ("E-mail address", "contact.email", "certain")
    assert (told["Hits"], told["Share"], told["Country"]) == (312, 0.78, "FR")
    assert (told["First seen"], told["Last seen"]) == (dt.datetime(2026, 11, 20), dt.datetime(2026, 11, 21))


def test_a_value_that_rests_on_much_names_some_of_it_and_counts_the_rest() -> None:
    evidence = tuple(Evidence("finding", f"f-{number}") for number in range(30))
    told = rows(opened(record([section(Value("x", CellState.AGREED, None, evidence))])), "Parties")[0][6]
    assert told.splitlines() == [*(f"f-{number}" for number in range(12)), "and 18 more"]


# How it looks


@pytest.mark.parametrize("sheet", [FRONT, LEGEND, FIRST, "Parties", "Evidence"])
def test_every_sheet_can_be_filtered_and_printed_under_its_header(sheet: str) -> None:
    made = opened(record([of_every_state()], [known()]))[sheet]
    assert made.freeze_panes == "A2"
    assert made.auto_filter.ref == made.dimensions
    assert made.page_setup.orientation == "landscape"
    assert (made.page_setup.fitToWidth or 1, made.page_setup.fitToHeight) == (1, 0)
    assert made.sheet_properties.pageSetUpPr.fitToPage
    assert made.print_title_rows == "$1:$1"
    assert "&P" in made.oddFooter.right.text
    assert "Globex SA" in made.oddFooter.left.text
    assert all(cell.alignment.wrap_text for row in made.iter_rows() for cell in row)
    widths = [made.column_dimensions[cell.column_letter].width for cell in made[1]]
    assert all(7 <= width <= 101 for width in widths)


def test_the_file_says_what_it_is_and_when_it_was_made() -> None:
    told = opened(record()).properties
    assert told.title == "Record of processing activities of a processor: Globex SA"
    assert (told.subject, told.creator) == ("GDPR Art. 30(2)", "Northlight Security")
    assert told.created == dt.datetime(2026, 11, 22, 9, 5)


def test_the_same_record_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = record([of_every_state()], [known()])
    before = workbook(made)
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert workbook(made) == before
    assert workbook(replace(made, printed=PRINTED.astimezone(dt.timezone(dt.timedelta(hours=9))))) == before


# Harmless, whole


def everywhere(text: str) -> Record:
    """A record that has a text in every position that may come from a stranger."""
    value = Value(text, CellState.CONTRADICTED, text, (Evidence("asset", text),))
    field = known(field=text, why=(text,), sample=(text,), where=(text,), subject=text)
    basis = Basis(None, text, "ab" * 32, (text,))
    return record([section(value, about=text)], [field], client_name=text, provider=text, basis=basis)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_a_link_or_markup(text: str) -> None:
    made = workbook(everywhere(text))
    for sheet in opened(made):
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            assert cell.data_type != "f"
            assert cell.hyperlink is None
    with zipfile.ZipFile(io.BytesIO(made)) as packed:
        for name in packed.namelist():
            part = packed.read(name)
            tree = ElementTree.fromstring(part)
            assert "externalLink" not in name
            assert all(one.get("TargetMode") != "External" for one in tree.iter())
            assert not [one.tag for one in tree.iter() if re.search(r"\}(f|hyperlink|r|externalReference)$", one.tag)]


@pytest.mark.parametrize("text", [one for one in HOSTILE if one.isprintable() and one != "_x0041_"])
def test_a_hostile_text_is_told_as_it_is(text: str) -> None:
    told = rows(opened(everywhere(text)), "Parties")[0][2]
    assert told.removesuffix(" ") == text.removesuffix(" ")


def test_what_looks_like_an_escape_of_the_format_is_escaped_itself() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook(everywhere("_x0041_")))) as packed:
        assert b"_x005F_x0041_" in packed.read("xl/sharedStrings.xml")


def test_what_begins_like_a_formula_stays_a_text_when_the_cell_is_edited() -> None:
    first, second = cells(record([section(Value("=1+1", CellState.DECLARED), Value("1+1", CellState.DECLARED))]))
    assert (first.quotePrefix, second.quotePrefix) == (True, False)


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=40))
def test_any_words_make_a_workbook_that_can_be_opened(text: str) -> None:
    book = opened(everywhere(text))
    assert book.sheetnames == [FRONT, LEGEND, FIRST, "Parties", "Evidence"]
    assert len(rows(book, "Parties")) == 1


def test_a_text_that_no_cell_holds_is_cut_and_says_so() -> None:
    (cell,) = cells(record([section(Value("😀" * 40_000, CellState.DECLARED))]))
    assert cell.value.endswith("… (cut)")
    assert len(cell.value.encode("utf-16-le")) // 2 <= 32_767


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 4)
    book = opened(record([of_every_state()]))
    told = [row[3] for name in ("Parties", "Parties (2)") for row in rows(book, name)]
    assert told == [state.value for state in CellState]
    assert book["Parties (2)"].auto_filter.ref == "A1:G3"


# The command


@pytest.fixture
def scanned(workspace: Path, mapkeeper: Run) -> Path:
    """A workspace with a client's folder, scanned."""
    people = "".join(f"{number},person{number}@mail.example\n" for number in range(50))
    (workspace / "stores" / "people.csv").write_text(f"number,email\n{people}")
    add_source(workspace, "globex", "exports", "files", path="stores")
    assert mapkeeper("scan", "-w", workspace).exit == 0
    return workspace


def test_a_workbook_is_written_and_holds_what_the_table_holds(scanned: Path, mapkeeper: Run) -> None:
    file = scanned / "globex.xlsx"
    ran = mapkeeper("register", "--client", "globex", "--format", "xlsx", "-o", file, "-w", scanned)
    assert (ran.exit, ran.out, ran.err) == (0, "", "")
    book = openpyxl.load_workbook(file)
    table = mapkeeper("register", "--client", "globex", "--format", "csv", "-w", scanned).out
    told = [
        row[3] for name in book.sheetnames if name not in (FRONT, LEGEND, FIRST, "Evidence") for row in rows(book, name)
    ]
    assert told == re.findall(rf",({'|'.join(state.value for state in CellState)}),", table)
    assert [row[3] for row in rows(book, "Evidence")] == ["email"]
    assert not [path for path in scanned.iterdir() if path.name.startswith(".")]


def test_the_mode_of_the_file_is_that_of_any_other(scanned: Path, mapkeeper: Run) -> None:
    for format in ("xlsx", "csv"):
        file = scanned / f"globex.{format}"
        assert mapkeeper("register", "--client", "globex", "-f", format, "-o", file, "-w", scanned).exit == 0
    assert (scanned / "globex.xlsx").stat().st_mode == (scanned / "globex.csv").stat().st_mode


def test_a_pipe_gets_the_bytes(scanned: Path) -> None:
    called = CliRunner().invoke(app, ["register", "--provider", "--format", "xlsx", "-w", str(scanned)])
    assert called.exit_code == 0
    assert opened(called.stdout_bytes).sheetnames[:2] == [FRONT, LEGEND]


def test_a_terminal_gets_none_and_is_told_what_to_do(scanned: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mapkeeper", "register", "--client", "globex", "-f", "xlsx", "-w", str(scanned)]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False)
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):
        os.read(ours, 1)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert "-o FILE" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_one_line(scanned: Path, mapkeeper: Run) -> None:
    ran = mapkeeper("register", "--client", "globex", "-f", "xlsx", "-o", scanned / "no" / "x.xlsx", "-w", scanned)
    assert ran.exit == 2
    assert "cannot be written" in ran.err
    assert len(ran.err.splitlines()) == 1
