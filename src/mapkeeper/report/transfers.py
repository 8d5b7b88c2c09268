"""The record's part on transfers: what lies, goes or is reached from outside the client's area.

Which of them may take place is for an assessment to say; here they are only worked out and listed.
"""

from __future__ import annotations

from dataclasses import dataclass

from mapkeeper.config import permitted
from mapkeeper.config.files import Assessment
from mapkeeper.model import CellState
from mapkeeper.places import EEA
from mapkeeper.report.columns import cell, law
from mapkeeper.report.holding import Holding
from mapkeeper.report.record import NONE, UNSAID, Cell, Evidence, RecordView, Row, Section, Value
from mapkeeper.report.wording import counted, country, day

_UNKNOWN = "place not known"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Data of the client in, or within reach of, another country."""

    destination: str
    how: str  # "storage", "recipient" or "access"
    by: str  # the source, the recipient, who has access
    evidence: tuple[Evidence, ...]
    mechanism: str | None = None
    assessment: Assessment | None = None
    mechanism_told: tuple[Evidence, ...] = ()
    note: str | None = None


def transfers(holding: Holding, view: RecordView) -> Section:
    """One row a way across a border."""
    rows = []
    for one in _places(holding):
        laws = crossed(holding.file.client.regimes, holding.file.client.country, one.destination)
        if laws:
            rows.append(Row(f"{one.how}: {one.by} ({one.destination})", _cells(holding, view, one, laws)))
    for source in holding.sources:
        if not source.countries:
            unknown = Value(_UNKNOWN, CellState.MISSING, "neither declared nor told by the store", (source.evidence,))
            rows.append(Row(f"storage: {source.id}", _only(view, unknown)))
    if not rows:
        seen = f"{counted(len(holding.sources), 'source')}, {counted(len(holding.file.recipient), 'recipient')}"
        nothing = Value(NONE, CellState.COMPUTED, f"from {seen} and {counted(len(holding.file.access), 'access')}")
        rows.append(Row("Everything declared or observed", _only(view, nothing)))
    says = f"Outside {_area(holding)}. What may go there is not assessed here."
    return Section("transfers", "Transfers to other countries", law("transfers", view), tuple(rows), True, says)


def crossed(regimes: tuple[str, ...], home: str, destination: str) -> list[str]:
    """The laws under which a destination lies outside; "?" where the destination is not told precisely enough."""
    laws = []
    for regime in regimes or ("",):
        if regime == "QC-L25":  # another province is a destination too
            if destination != "CA-QC":
                laws.append(f"{regime}?" if destination == "CA" else regime)
        elif regime == "EU-GDPR" and home[:2] in EEA:
            if destination[:2] not in EEA:
                laws.append(regime)
        elif destination[:2] != home[:2]:
            laws.append(regime or "no law is named")
    return laws


def _area(holding: Holding) -> str:
    client = holding.file.client
    areas = {
        "Quebec" if regime == "QC-L25" else "the EEA" if regime == "EU-GDPR" and client.country[:2] in EEA else ""
        for regime in client.regimes
    } or {""}
    return " or ".join(sorted(area or country(client.country[:2]) for area in areas))


def _places(holding: Holding) -> list[Transfer]:
    """Wherever data of the client is, may go or is reached from."""
    found = []
    for source in holding.sources:
        held = sum(one.source == source.id for one in holding.findings)
        note = f"holds {counted(held, 'finding')}" if held else "no personal data was seen there"
        for code in source.countries:
            told = source.observed.get(code) or source.place_told
            found.append(Transfer(code, "storage", source.id, told, note=note if source.seen else "not scanned"))
    for one in holding.file.recipient:
        told = holding.declares(f"recipient {one.id}")
        found.append(Transfer(one.country, "recipient", one.name, told, one.mechanism, one.assessment, told))
    told = holding.declares("access")
    return found + [Transfer(access.country, "access", access.who, told) for access in holding.file.access]


def _cells(holding: Holding, view: RecordView, one: Transfer, laws: list[str]) -> tuple[Cell, ...]:
    note = "; ".join(part for part in (", ".join(laws), one.note) if part)
    destination = Value(country(one.destination), CellState.COMPUTED, note, one.evidence)
    if all(law.endswith("?") for law in laws):
        destination = Value(country(one.destination), CellState.MISSING, "the province is not known", one.evidence)
    return (
        cell("transfers", view, [destination]),
        cell("transfer_mechanism", view, [_mechanism(one)]),
        cell("transfer_assessment", view, [_assessment(one)]),
        cell("transfer_permitted", view, [_permitted(holding, one.destination)]),
        cell("transfer_verdict", view, [Value("not assessed", CellState.MISSING)]),
    )


def _only(view: RecordView, value: Value) -> tuple[Cell, ...]:
    """The cells of a row that has nothing but a destination."""
    left = ("transfer_mechanism", "transfer_assessment", "transfer_permitted", "transfer_verdict")
    return (cell("transfers", view, [value]), *(cell(key, view, []) for key in left))


def _mechanism(one: Transfer) -> Value:
    if one.mechanism is None:
        return Value("no mechanism on file", CellState.MISSING)
    text = NONE if one.mechanism == "NONE" else one.mechanism
    return Value(text, CellState.DECLARED, "declared: there is none" if text == NONE else None, one.mechanism_told)


def _assessment(one: Transfer) -> Value:
    if (found := one.assessment) is None:
        return Value("no assessment on file", CellState.MISSING)
    text = ", ".join(part for part in (found.kind, found.reference, day(found.date)) if part)
    return Value(text, CellState.DECLARED, None, one.mechanism_told)


def _permitted(holding: Holding, destination: str) -> Value:
    agreement = holding.file.agreement
    if holding.file.client.own:
        return Value("not needed", CellState.COMPUTED, "the provider's own data")
    if agreement is None or agreement.transfers_permitted is None:
        return UNSAID
    told = holding.declares("agreement.transfers_permitted")
    if permitted(agreement.transfers_permitted, destination):
        return Value("yes", CellState.COMPUTED, None, told)
    listed = ", ".join(agreement.transfers_permitted) or NONE
    return Value("no", CellState.CONTRADICTED, f"the agreement permits {listed}", told)
