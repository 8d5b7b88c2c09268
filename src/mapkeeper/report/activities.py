"""The record's part on processing activities: what is done for the client, to what end, on what ground."""

from __future__ import annotations

import re

from mapkeeper.config.files import ActivityEntry
from mapkeeper.model import CellState, KnownFinding
from mapkeeper.report.columns import cell, law
from mapkeeper.report.comparison import compare, declarations
from mapkeeper.report.holding import Holding
from mapkeeper.report.personal_data import by_category, stands_for, subject_values
from mapkeeper.report.record import NONE, NOT_DECLARED, UNSAID, Cell, RecordView, Row, Section, Value
from mapkeeper.report.wording import category, special_of


def activities(holding: Holding, view: RecordView) -> Section:
    """One row an activity; what an activity leaves out is that of the agreement."""
    rows = tuple(Row(one.name, _cells(holding, view, one)) for one in holding.file.activity)
    if not rows:
        remark = Value(NOT_DECLARED, CellState.MISSING, f"{holding.basis.client_file} has no [[activity]]")
        rows = (
            Row(
                "No activity is declared",
                (cell("processing_categories", view, [remark]), _purposes(holding, view, None)),
            ),
        )
    own = view is RecordView.CONTROLLER
    title = "Purposes" if own else "Categories of processing"
    return Section("activities", title, law("purpose" if own else "processing_categories", view), rows)


def _cells(holding: Holding, view: RecordView, activity: ActivityEntry) -> tuple[Cell, ...]:
    key = f"activity {activity.id}"
    findings = tuple(one for one in holding.findings if one.source in activity.sources)
    note = f"template: {activity.template}" if activity.template else None
    named = Value(activity.name, CellState.DECLARED, note, holding.declares(key))
    cells = [
        cell("processing_categories", view, [named]),
        _purposes(holding, view, activity),
        cell("legal_basis_art6", view, [_article(holding, activity.legal_basis, f"{key}: legal_basis")]),
        cell("art9_condition", view, [_condition(holding, activity, findings)]),
        cell("data_subject_categories", view, _subjects(holding, activity, findings)),
        cell("assets", view, _sources(holding, activity)),
        cell("recipients_external", view, _recipients(holding, activity)),
    ]
    if activity.categories is not None:
        cells.insert(5, cell("personal_data_categories", view, _categories(holding, activity, findings)))
    return tuple(cells)


def _purposes(holding: Holding, view: RecordView, activity: ActivityEntry | None) -> Cell:
    agreement = holding.file.agreement
    if activity is not None and activity.purposes:
        told = holding.declares(f"activity {activity.id}: purposes")
        values = [Value(purpose, CellState.DECLARED, None, told) for purpose in activity.purposes]
    elif agreement is not None and agreement.purposes:
        told = holding.declares("agreement.purposes")
        values = [Value(purpose, CellState.DECLARED, "of the agreement", told) for purpose in agreement.purposes]
    else:
        values = [UNSAID]
    return cell("purpose", view, values)


def _article(holding: Holding, basis: str | None, key: str) -> Value:
    """ "A6-1-f" as people write it."""
    if basis is None:
        return UNSAID
    parts = re.fullmatch(r"A(\d+)((?:-\w+)*)", basis)
    text = (
        basis if parts is None else f"GDPR Art. {parts[1]}" + "".join(f"({part})" for part in parts[2].split("-")[1:])
    )
    note = None if holding.file.client.own else "as the client told us"
    return Value(text, CellState.DECLARED, note, holding.declares(key))


def _condition(holding: Holding, activity: ActivityEntry, findings: tuple[KnownFinding, ...]) -> Value:
    """Needed only where there are special categories."""
    if activity.special_condition is not None:
        return _article(holding, activity.special_condition, f"activity {activity.id}: special_condition")
    agreement = holding.file.agreement
    listed = activity.categories if activity.categories is not None else agreement.categories if agreement else None
    special = {key for key in listed or () if special_of(key)} | {
        one.finding.category for one in findings if one.finding.special or special_of(one.finding.category)
    }
    if special:
        return Value(NOT_DECLARED, CellState.MISSING, f"needed for {', '.join(sorted(special))}")
    return Value("not needed", CellState.COMPUTED, "no special category is declared or was found in its sources")


def _subjects(holding: Holding, activity: ActivityEntry, findings: tuple[KnownFinding, ...]) -> list[Value]:
    agreement = holding.file.agreement
    if activity.subjects is not None or agreement is None:
        told = [(activity.subjects, holding.declares(f"activity {activity.id}: subjects"))]
    else:
        told = [(agreement.subjects, holding.declares("agreement.subjects"))]
    return subject_values(holding, declarations(told), findings)


def _categories(holding: Holding, activity: ActivityEntry, findings: tuple[KnownFinding, ...]) -> list[Value]:
    """What the activity itself lists; what else its sources hold stands among the categories of the client."""
    declared = declarations([(activity.categories, holding.declares(f"activity {activity.id}: categories"))])
    return [
        Value(
            NONE if one.word == NONE else category(one.word),
            one.state,
            one.note,
            one.evidence,
            None if one.word == NONE else special_of(one.word),
        )
        for one in compare(declared, by_category(findings), "not seen in its sources", stands_for)
        if one.listed
    ]


def _sources(holding: Holding, activity: ActivityEntry) -> list[Value]:
    held = {source.id: source for source in holding.sources}
    told = holding.declares(f"activity {activity.id}: sources")
    values = []
    for id in activity.sources:
        if id not in held:
            note = "a source that is not this client's is left out; correct the activity"
            values.append(Value("not a source of this client", CellState.CONTRADICTED, note, told))
        elif held[id].assets:
            values.append(Value(id, CellState.AGREED, None, (*told, held[id].evidence)))
        else:
            note = "no asset was seen" if held[id].seen else "not scanned"
            values.append(Value(id, CellState.DECLARED, note, told))
    return values or [UNSAID]


def _recipients(holding: Holding, activity: ActivityEntry) -> list[Value]:
    told = holding.declares(f"activity {activity.id}: recipients")
    known = {recipient.id: recipient for recipient in holding.file.recipient}
    if activity.recipients is None:
        return [UNSAID]
    if activity.recipients:
        return [Value(known[id].name, CellState.DECLARED, None, told) for id in activity.recipients]
    claimed = {id for other in holding.file.activity for id in other.recipients or ()}
    flows = {
        known[flow.target].name
        for flow in holding.file.flow
        if flow.source.partition(":")[0] in activity.sources and flow.target in known and flow.target not in claimed
    }
    if flows:
        note = f"but a flow from its sources goes to {', '.join(sorted(flows))}, which no activity names"
        return [Value(NONE, CellState.CONTRADICTED, note, told + holding.declares("flow"))]
    return [Value(NONE, CellState.DECLARED, None, told)]
