"""The record of processing as data: sections of rows of cells, each value with its state and its evidence.

The words of `CellState` are the same in every format. What a cell is called and which item of the law asks for it
stands in ``columns.csv``.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mapkeeper.model import CellState, KnownFinding, ScanRun

NOT_DECLARED = "NOT DECLARED"  # somebody has to say it; "none" is something else, and an answer
NONE = "none"


class RecordView(StrEnum):
    """Whose record it is: the two of GDPR Art. 30."""

    CONTROLLER = "art30-1"
    PROCESSOR = "art30-2"


class RecordFormat(StrEnum):
    """How a record is printed."""

    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


STATES = {
    CellState.AGREED: "declared, and the scan found it",
    CellState.OBSERVED: "the scan found it, nobody declared it",
    CellState.DECLARED: "somebody declared it, the scan did not see it or cannot",
    CellState.CONTRADICTED: "declared one way, found another",
    CellState.COMPUTED: "worked out from what is declared and observed",
    CellState.MISSING: "nobody declared it and nothing was observed",
}
"""What each state of a value means."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a value rests on, to be opened."""

    kind: str  # "finding", "asset" (its facts and coverage), "source" or "declaration"
    ref: str  # a finding's id; "siem: globex/auth.log"; "siem"; "clients/globex.toml: agreement.categories"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a cell."""

    text: str
    state: CellState
    note: str | None = None
    evidence: tuple[Evidence, ...] = ()
    special: str | None = None  # "art9", "art10": what it names is set apart by the GDPR


UNSAID = Value(NOT_DECLARED, CellState.MISSING)
"""What somebody has to declare and nobody did."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What the record says in answer to one question."""

    key: str
    title: str
    law: str | None  # "GDPR Art. 30(2)(a)"; None: useful, but this article does not ask for it
    values: tuple[Value, ...]  # none where the question does not arise


@dataclass(frozen=True, slots=True)
class Row:
    """All cells about one thing: an activity, a category, a recipient, an asset."""

    about: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the record."""

    key: str
    title: str
    law: str | None
    rows: tuple[Row, ...]
    table: bool = False  # every row has the same cells: print them beside each other
    says: str = ""  # how to read it


@dataclass(frozen=True, slots=True)
class Basis:
    """What the record was printed from."""

    scan: ScanRun | None  # the last that ran with this client; None: never scanned
    client_file: str  # "clients/globex.toml"
    sha256: str  # of that file as it was used
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attention:
    """A value that somebody should look at before the record leaves the house."""

    kind: str  # one of ATTENTION
    section: Section
    row: Row
    cell: Cell
    value: Value


ATTENTION = (
    "contradicted",
    "special category that nobody declared",
    "transfer without a mechanism",
    "held for nobody known",
    "asked by law and missing",
)
"""Kinds of attention, the gravest first."""


@dataclass(frozen=True, slots=True)
class Record:
    """The record of processing of one client in one view."""

    title: str
    law: str
    view: RecordView
    client: str
    client_name: str
    provider: str
    role: str
    regimes: tuple[str, ...]
    printed: dt.datetime
    read: str  # how far the scans read, in one line
    basis: Basis
    sections: tuple[Section, ...]
    findings: tuple[KnownFinding, ...]  # the annex that evidence points to
    countries: Mapping[str, str | None]  # of the findings, by id

    def values(self) -> Iterator[tuple[Section, Row, Cell, Value]]:
        """Every value, with where it stands."""
        for section in self.sections:
            for row in section.rows:
                for cell in row.cells:
                    for value in cell.values:
                        yield section, row, cell, value

    def counts(self) -> dict[CellState, int]:
        """How many values have each state."""
        found = Counter(value.state for *_, value in self.values())
        return {state: found[state] for state in CellState}

    def attention(self) -> list[Attention]:
        """What somebody should look at, the gravest first."""
        found = [
            Attention(kind, section, row, cell, value)
            for section, row, cell, value in self.values()
            if (kind := _kind(cell, value)) is not None
        ]
        return sorted(found, key=lambda one: ATTENTION.index(one.kind))


def _kind(cell: Cell, value: Value) -> str | None:
    contradicted, special, transfer, nobody, missing = ATTENTION
    if value.state is CellState.CONTRADICTED:
        return contradicted
    if value.special is not None and value.state is CellState.OBSERVED:
        return special
    if cell.key == "transfer_mechanism" and (value.state is CellState.MISSING or value.text == NONE):
        return transfer
    if value.state is CellState.MISSING and cell.key == "client_id":
        return nobody
    if value.state is CellState.MISSING and cell.law is not None:
        return missing
    return None
