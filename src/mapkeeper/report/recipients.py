"""The record's part on recipients and sub-processors."""

from __future__ import annotations

from mapkeeper.config.files import RecipientEntry
from mapkeeper.model import CellState
from mapkeeper.report.columns import cell, law
from mapkeeper.report.holding import Holding
from mapkeeper.report.record import NONE, UNSAID, Cell, RecordView, Row, Section, Value
from mapkeeper.report.wording import country, day

_WORKS_FOR_US = ("sub_processor", "processor")


def recipients(holding: Holding, view: RecordView) -> Section:
    """To whom data is disclosed: one row each."""
    rows = tuple(Row(one.name, _cells(holding, view, one)) for one in holding.file.recipient)
    if not rows:
        rows = (Row("Recipients", (cell("recipients_external", view, [_nobody(holding)]),)),)
    return Section("recipients", "Recipients", law("recipients_external", view), rows)


def _cells(holding: Holding, view: RecordView, one: RecipientEntry) -> tuple[Cell, ...]:
    told = holding.declares(f"recipient {one.id}")
    works = one.role in _WORKS_FOR_US

    def said(text: str | None) -> list[Value]:
        return [Value(text, CellState.DECLARED, None, told) if text else UNSAID]

    name = Value(one.name, CellState.DECLARED, one.role.replace("_", "-"), told)
    cells = [
        cell("sub_processors" if works else "recipients_external", view, [name]),
        cell("recipient_country", view, said(country(one.country))),
        cell("recipient_service", view, said(one.service)),
    ]
    if works:
        cells.append(cell("recipient_diligence", view, said(day(one.due_diligence) if one.due_diligence else None)))
        cells.append(cell("recipient_notified", view, said(day(one.notified) if one.notified else None)))
    return tuple(cells)


def _nobody(holding: Holding) -> Value:
    """Nobody is "none" only where every activity says so."""
    activities = holding.file.activity
    if activities and all(one.recipients is not None for one in activities):
        return Value(NONE, CellState.DECLARED, None, holding.declares("activity: recipients"))
    return UNSAID
