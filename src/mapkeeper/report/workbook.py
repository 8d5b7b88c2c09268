"""The record of processing as a workbook: a sheet a section, a row a value, to be filtered, printed and worked on.

Every sheet is a table under one frozen header. A value's state stands there in words and in colour, as the legend
says. Nothing is a formula, and no link leaves the file. The limits are those of Microsoft's "Excel specifications
and limits".
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mapkeeper.model import CellState, KnownFinding
from mapkeeper.report.cells import cell, visible
from mapkeeper.report.record import STATES, Record, Section, Value
from mapkeeper.report.wording import category, day, decided

COLOURS = {
    CellState.AGREED: ("#0b5a39", "#e0f2e8"),
    CellState.OBSERVED: ("#7a4a00", "#fdf1d8"),
    CellState.DECLARED: ("#3d4a5a", "#e9edf2"),
    CellState.CONTRADICTED: ("#ffffff", "#a32020"),
    CellState.COMPUTED: ("#34487f", "#e6ebfa"),
    CellState.MISSING: ("#8c2f6b", "#f9e4f0"),
}
"""Of each state the colour of its words, and of what they stand on."""

ROWS = 1_048_575
"""Rows of a sheet below its header; what is more goes on in a further sheet."""

_LONGEST = 16_000  # characters; a cell takes 32,767 UTF-16 units
_SHOWN_EVIDENCE = 12
_FIRST_DAY = dt.date(1900, 3, 1)  # before it, spreadsheets count a day that never was

_PLAIN: dict[str, Any] = {"font_name": "Calibri", "font_size": 10, "valign": "top", "text_wrap": True}
_HEAD = {"bold": True, "font_color": "#ffffff", "bg_color": "#1c2430", "valign": "vcenter"}
_DAY = {"num_format": "d mmmm yyyy", "align": "left"}
_MOMENT = {"num_format": 'd mmmm yyyy, hh:mm "UTC"', "align": "left"}
_RULE = {"top": 1, "top_color": "#9aa5b3"}  # above the first row of what a section tells apart
_ABOUT = {"bold": True}
_AGAIN = {"font_color": "#7b8694"}

_Cell = tuple[Any, dict[str, Any]]
"""What a cell holds, and what its format has beside that of every cell."""

_SECTION = (
    ("About", 24), ("Question", 23), ("Value", 36), ("State", 14), ("Remark", 32), ("Asked by", 18), ("Evidence", 34),
)  # fmt: skip
_ATTENTION = (("Why", 26), ("Sheet", 14), ("About", 28), ("Question", 24), ("Value", 36), ("State", 14), ("Remark", 34))
_EVIDENCE = (
    ("Finding", 17), ("Source", 12), ("Asset", 24), ("Field", 17), ("Category", 18), ("Key", 18), ("Level", 9),
    ("Hits", 9), ("Filled", 9), ("Share", 8), ("Set apart", 9), ("Whose", 11), ("Country", 11), ("Masked sample", 18),
    ("Why", 32), ("Rule", 20), ("First seen", 12), ("Last seen", 12), ("Verdict", 32),
)  # fmt: skip


def workbook(record: Record) -> bytes:
    """The whole record as an ``.xlsx`` file; the same record gives the same bytes."""
    from xlsxwriter import Workbook

    out = io.BytesIO()
    made = Workbook(out, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False})
    made.set_properties(
        {
            "title": f"{record.title}: {visible(record.client_name)}"[:255],
            "subject": record.law,
            "author": visible(record.provider)[:255],
            "company": visible(record.provider)[:255],
            "comments": "Made by mapkeeper.",
            "created": _utc(record.printed),
        }
    )
    sheets = _Sheets(made, record)
    sheets.add("Record", (("What", 22), ("Says", 100)), _front(record))
    sheets.add("Legend", (("State", 18), ("What it means", 70), ("Values", 10)), _legend(record))
    if record.attention():
        sheets.add("Look first", _ATTENTION, _attention(record))
    for section in record.sections:
        sheets.add(_name(section), _SECTION, _section(section))
    if record.findings:
        sheets.add("Evidence", _EVIDENCE, (_finding(record, one) for one in record.findings))
    made.close()
    return out.getvalue()


class _Sheets:
    """The sheets of a workbook, each a table that is ready to be filtered and printed."""

    def __init__(self, made: Any, record: Record) -> None:
        self._made = made
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._foot = f"&L{_printed(record.client_name)}&C&A&RPage &P of &N"

    def add(self, name: str, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[_Cell]]) -> None:
        """A sheet with these rows; what one cannot hold goes on in others of its name, numbered."""
        sheet, number, at = self._start(name, columns), 1, 0
        for row in rows:
            if at == ROWS:
                self._end(sheet, columns, at)
                number += 1
                sheet, at = self._start(f"{name} ({number})", columns), 0
            at += 1
            for column, (what, style) in enumerate(row):
                self._put(sheet, at, column, what, style)
        self._end(sheet, columns, at)

    def _start(self, name: str, columns: Sequence[tuple[str, int]]) -> Any:
        sheet = self._made.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.repeat_rows(0)
        sheet.set_footer(self._foot)
        sheet.freeze_panes(1, 0)
        sheet.set_row(0, 22)
        for column, (title, width) in enumerate(columns):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, self._format(_HEAD))
        return sheet

    def _end(self, sheet: Any, columns: Sequence[tuple[str, int]], rows: int) -> None:
        sheet.autofilter(0, 0, max(rows, 1), len(columns) - 1)

    def _put(self, sheet: Any, row: int, column: int, what: Any, style: dict[str, Any]) -> None:
        if what is None or what == "":
            sheet.write_blank(row, column, None, self._format(style))
        elif isinstance(what, dt.datetime):
            sheet.write_datetime(row, column, _utc(what), self._format({**style, **_MOMENT}))
        elif isinstance(what, dt.date):
            sheet.write_datetime(row, column, what, self._format({**style, **_DAY}))
        elif isinstance(what, int | float):
            sheet.write_number(row, column, what, self._format(style))
        else:
            text = _text(what)
            if cell(text) != text:  # stays a text when somebody edits the cell
                style = {**style, "quote_prefix": True}
            sheet.write_string(row, column, text, self._format(style))

    def _format(self, style: dict[str, Any]) -> Any:
        key = tuple(style.items())
        if key not in self._formats:
            self._formats[key] = self._made.add_format({**_PLAIN, **style})
        return self._formats[key]


def _front(record: Record) -> Iterator[Sequence[_Cell]]:
    scan = record.basis.scan
    told: list[tuple[str, Any]] = [
        ("Title", record.title),
        ("Law", record.law),
        ("Client", record.client_name),
        ("Kept by", record.provider),
        ("Our role", record.role),
        ("Laws that the client names", ", ".join(record.regimes) or "none"),
        ("Printed", record.printed),
        ("Rests on", f"scan {scan.id}" if scan is not None else "no scan: this client was never scanned"),
        *([("Scan started", scan.started)] if scan is not None else []),
        ("Read", record.read),
        ("Declared in", record.basis.client_file),
        ("Its SHA-256", record.basis.sha256),
        *(("Remark", note) for note in record.basis.notes),
        *((f"Sheet {_name(section)}", _about(section)) for section in record.sections),
    ]
    for key, what in told:
        yield (key, _ABOUT), (what, {})


def _about(section: Section) -> str:
    return ". ".join(part.rstrip(".") for part in (section.title, section.law, section.says) if part) + "."


def _legend(record: Record) -> Iterator[Sequence[_Cell]]:
    counts = record.counts()
    for state, says in STATES.items():
        yield (state.value, _colours(state)), (says, {}), (counts[state], {})


def _attention(record: Record) -> Iterator[Sequence[_Cell]]:
    for one in record.attention():
        state = _colours(one.value.state)
        yield (
            (one.kind, _ABOUT),
            (_name(one.section), {}),
            (one.row.about, {}),
            (one.cell.title, {}),
            (_typed(one.value.text), state),
            (one.value.state.value, state),
            (one.value.note, {}),
        )


def _section(section: Section) -> Iterator[Sequence[_Cell]]:
    for row in section.rows:
        rule: dict[str, Any] = _RULE
        about: dict[str, Any] = _ABOUT
        for one in row.cells:
            for value in one.values:
                state = {**_colours(value.state), **rule}
                yield (
                    (row.about, {**about, **rule}),
                    (one.title, rule),
                    (_typed(value.text), state),
                    (value.state.value, state),
                    (value.note, rule),
                    (one.law, rule),
                    (_evidence(value), rule),
                )
                rule, about = {}, _AGAIN


def _evidence(value: Value) -> str:
    more = len(value.evidence) - _SHOWN_EVIDENCE
    refs = [visible(one.ref) for one in value.evidence[:_SHOWN_EVIDENCE]]
    return "\n".join([*refs, f"and {more:,} more"] if more > 0 else refs)


def _finding(record: Record, one: KnownFinding) -> Sequence[_Cell]:
    found = one.finding
    told: Sequence[Any] = (
        one.id, one.source, one.asset, found.field, category(found.category), found.category, found.level.value,
        found.hits, found.filled, found.share, found.special, found.subject, record.countries.get(one.id),
        "\n".join(map(visible, found.sample)), "\n".join(map(visible, found.why)), found.rule,
        one.first_seen, one.last_seen, decided(one.verdict) if one.verdict is not None else None,
    )  # fmt: skip
    return [(what, {"num_format": "0.0%"} if isinstance(what, float) else {}) for what in told]


def _colours(state: CellState) -> dict[str, Any]:
    words, ground = COLOURS[state]
    return {"font_color": words, "bg_color": ground}


def _name(section: Section) -> str:
    """What the sheet of a section is called: sheets take 31 characters, which titles do not keep to."""
    return section.key.capitalize()


def _typed(text: str) -> str | dt.date:
    """A day where the text is one and nothing else."""
    try:
        date = dt.datetime.strptime(text, "%d %B %Y").date()
    except ValueError:
        return text
    return date if day(date) == text and date >= _FIRST_DAY else text


def _text(what: object) -> str:
    text = visible(what, "\n")
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} … (cut)"
    # xlsxwriter takes what stands between these two for its own markup.
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def _printed(text: str) -> str:
    """A text for a footer, where "&" begins a code; the whole takes 255 characters."""
    return visible(text)[:80].replace("&", "&&")


def _utc(when: dt.datetime) -> dt.datetime:
    """Spreadsheets know no time zones."""
    return when.astimezone(dt.UTC).replace(tzinfo=None)
