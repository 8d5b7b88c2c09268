"""The record's part on who is who: controller, processor, their officers and representatives, our role."""

from __future__ import annotations

from collections.abc import Iterable

from mapkeeper.config.files import Person
from mapkeeper.model import CellState
from mapkeeper.places import EEA
from mapkeeper.report.columns import cell, law
from mapkeeper.report.holding import Holding
from mapkeeper.report.record import NONE, NOT_DECLARED, UNSAID, Cell, Evidence, RecordView, Row, Section, Value
from mapkeeper.report.wording import country

_ROLES = {
    "processor": "processor on behalf of the client",
    "sub_processor": "sub-processor: the client is itself a processor",
    "joint_controller": "joint controller together with the client",
}


def parties(holding: Holding, view: RecordView) -> Section:
    """Who answers for the processing."""
    client, rows = holding.file.client, []
    if client.own:
        tell = _client if client.contacts.privacy_officer is not None else _provider
        rows.append(Row("Controller", tell(holding, view, "controller_name_contact")))
    elif view is RecordView.CONTROLLER:
        rows.append(Row("Controller", _client(holding, view, "controller_name_contact")))
        rows.append(Row("Joint controller: us", _provider(holding, view, "controller_name_contact")))
    else:
        rows.append(Row("Processor: us", _provider(holding, view, "processor_name_contact")))
        if role_of(holding) == "sub_processor":
            rows.append(Row("Processor we work for", _client(holding, view, "processor_name_contact")))
            unknown = Value(NOT_DECLARED, CellState.MISSING, f"the controllers that {client.name} works for")
            rows.append(Row("Controller", (cell("controller_name_contact", view, [unknown]),)))
        else:
            rows.append(Row("Controller", _client(holding, view, "controller_name_contact")))
    rows.append(Row("Relation", _relation(holding, view)))
    return Section("parties", "Who", law("controller_name_contact", view), tuple(rows))


def role_of(holding: Holding) -> str:
    """Our role: "controller" for the provider's own data, else as the agreement says; "processor" without one."""
    if holding.file.client.own:
        return "controller"
    return holding.file.agreement.our_role if holding.file.agreement is not None else "processor"


def _relation(holding: Holding, view: RecordView) -> tuple[Cell, ...]:
    client = holding.file.client
    if client.own:
        role = Value("controller of its own data", CellState.DECLARED, None, holding.declares("client.own"))
    elif holding.file.agreement is None:
        role = Value(NOT_DECLARED, CellState.MISSING, "no agreement is declared; taken for a processor's")
    else:
        role = Value(_ROLES[role_of(holding)], CellState.DECLARED, None, holding.declares("agreement.our_role"))
    cells = [cell("register_role", view, [role])]
    if view is RecordView.CONTROLLER or client.joint_controllers is not None:
        told = holding.declares("client.joint_controllers")
        cells.append(cell("joint_controllers", view, _people(client.joint_controllers, told)))
    regimes = [Value(name, CellState.DECLARED, None, holding.declares("client.regimes")) for name in client.regimes]
    cells.append(cell("regimes", view, regimes or [UNSAID]))
    return tuple(cells)


def _people(people: Iterable[Person] | None, told: tuple[Evidence, ...]) -> list[Value]:
    if people is None:
        return [UNSAID]
    values = [Value(_contact(one), CellState.DECLARED, None, told) for one in people]
    return values or [Value(NONE, CellState.DECLARED, None, told)]


def _contact(person: Person) -> str:
    return ", ".join(part for part in (person.name, person.address, person.email, person.phone) if part)


def _client(holding: Holding, view: RecordView, key: str) -> tuple[Cell, ...]:
    client = holding.file.client
    name = ", ".join(part for part in (client.name, client.address, country(client.country)) if part)
    contacts = client.contacts
    return (
        cell(key, view, [Value(name, CellState.DECLARED, None, holding.declares("client"))]),
        _officer(contacts.privacy_officer, view, holding.declares("client.contacts.privacy_officer")),
        _representative(
            contacts.representative,
            client.regimes,
            client.country,
            view,
            holding.declares("client.contacts.representative"),
        ),
    )


def _provider(holding: Holding, view: RecordView, key: str) -> tuple[Cell, ...]:
    provider = holding.provider

    def told(key: str) -> tuple[Evidence, ...]:
        return (Evidence("declaration", f"mapkeeper.toml: {key}"),)

    name = ", ".join(part for part in (provider.name, provider.address, country(provider.country)) if part)
    return (
        cell(key, view, [Value(name, CellState.DECLARED, None, told("provider"))]),
        _officer(provider.privacy_officer, view, told("provider.privacy_officer")),
        _representative(
            provider.representative,
            holding.file.client.regimes,
            provider.country,
            view,
            told("provider.representative"),
        ),
    )


def _officer(person: Person | None, view: RecordView, told: tuple[Evidence, ...]) -> Cell:
    return cell("dpo_or_privacy_officer", view, _people(None if person is None else (person,), told))


def _representative(
    person: Person | None, regimes: tuple[str, ...], home: str, view: RecordView, told: tuple[Evidence, ...]
) -> Cell:
    """Art. 27 asks for one only of those who are not established where the law comes from."""
    at_home = {"EU-GDPR": home[:2] in EEA, "UK-GDPR": home[:2] == "GB"}
    laws = [at_home[regime] for regime in regimes if regime in at_home]
    if person is None and regimes and all(laws):
        why = f"established in {country(home)}" if laws else "no law that the client names asks for one"
        return cell("representative", view, [Value("not needed", CellState.COMPUTED, why)])
    return cell("representative", view, _people(None if person is None else (person,), told))
