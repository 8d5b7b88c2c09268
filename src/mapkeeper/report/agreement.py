"""The record's part on the agreement with the client."""

from __future__ import annotations

import datetime as dt

from mapkeeper.model import CellState
from mapkeeper.report.columns import cell
from mapkeeper.report.holding import Holding
from mapkeeper.report.record import NONE, NOT_DECLARED, UNSAID, Cell, RecordView, Row, Section, Value
from mapkeeper.report.wording import counted, country, day


def agreement(holding: Holding, view: RecordView, today: dt.date) -> Section:
    """What the agreement with the client says about the processing."""
    title = "The agreement with the client"
    if (told := holding.file.agreement) is None:
        nothing = Value(NOT_DECLARED, CellState.MISSING, f"{holding.basis.client_file} has no [agreement]")
        return Section("agreement", title, None, (Row("Agreement", (cell("contract_ref", view, [nothing]),)),))

    def said(key: str, name: str, text: str | None, note: str | None = None) -> Cell:
        evidence = holding.declares(f"agreement.{name}")
        value = Value(text, CellState.DECLARED, note, evidence) if text else UNSAID
        return cell(key, view, [value])

    end, audit, subs = told.at_end, told.audit, told.sub_processors
    over = f"over for {counted((today - told.ends).days, 'day')}" if told.ends and told.ends < today else None
    at_end = f"{end.action} within {counted(end.within_days, 'day')}" if end else None
    hours = f"{told.breach_notice_hours:g} hours" if told.breach_notice_hours else None
    rights = last = None
    if audit:
        often = f"every {counted(audit.every_months, 'month')}" if audit.every_months else None
        notice = f"with {counted(audit.notice_days, 'day')} of notice" if audit.notice_days is not None else None
        rights = ", ".join(part for part in (often, notice) if part) or "agreed"
        last = f"last on {day(audit.last)}" if audit.last else "none so far"
    authorised = objects = None
    if subs:
        authorised = NONE if subs.authorisation == NONE else f"{subs.authorisation} authorisation"
        objects = f"{counted(subs.objection_days, 'day')} to object" if subs.objection_days is not None else None
    areas = None if told.transfers_permitted is None else ", ".join(map(country, told.transfers_permitted)) or NONE
    cells = (
        said("contract_ref", "reference", told.reference),
        said("contract_signed", "signed", day(told.signed) if told.signed else None),
        said("contract_ends", "ends", day(told.ends) if told.ends else None, over),
        said("contract_at_end", "at_end", at_end),
        said("contract_breach_notice", "breach_notice_hours", hours),
        said("contract_audit", "audit", rights, last),
        said("contract_sub_processors", "sub_processors", authorised, objects),
        said("contract_transfers", "transfers_permitted", areas),
        said("contract_liability", "liability_cap", told.liability_cap),
    )
    return Section("agreement", title, None, (Row(told.reference, cells),))
