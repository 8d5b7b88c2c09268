"""Makes the record of processing of one client: what is held for it, section by section."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from mapkeeper.config import Workspace, nearest
from mapkeeper.errors import UsageError
from mapkeeper.inventory import Inventory
from mapkeeper.report.activities import activities
from mapkeeper.report.agreement import agreement
from mapkeeper.report.columns import article
from mapkeeper.report.holding import Holding, hold
from mapkeeper.report.measures import measures
from mapkeeper.report.parties import parties, role_of
from mapkeeper.report.personal_data import people, personal_data
from mapkeeper.report.recipients import recipients
from mapkeeper.report.record import Record, RecordView, Section
from mapkeeper.report.retention import retention
from mapkeeper.report.stores import assets, sources, unmapped
from mapkeeper.report.transfers import transfers
from mapkeeper.report.wording import counted


def register(
    opened: Workspace,
    inventory: Inventory,
    client: str,
    printed: dt.datetime,
    view: RecordView | None = None,
    at: int | None = None,
    judged: dt.datetime | None = None,
) -> Record:
    """The record of processing of a client.

    Args:
        opened: the workspace.
        inventory: what scans found; a client that was never scanned has a record too.
        client: its id; that of the provider's own file for the provider's own data.
        printed: the time of printing, aware.
        view: whose record; ``None``: the one that our role asks for.
        at: the scan after which to look, with the client's file as that scan ran with it; ``None``: now.
        judged: the moment whose verdicts count; ``None``: that of printing.

    Raises:
        UsageError: there is no such client, or the view does not go with our role.
    """
    if client not in opened.clients:
        raise UsageError(f"--client {client}: is no client of this workspace{nearest(client, opened.clients)}")
    holding = hold(opened, inventory, client, at, judged or printed)
    role = role_of(holding)
    view = _view(client, role, view)
    file = holding.file.client
    held = {"controller": "controller", "joint_controller": "joint controller"}
    whose = "controller" if view is RecordView.CONTROLLER else "processor"
    return Record(
        title=f"Record of processing activities of a {whose}",
        law=article(view),
        view=view,
        client=client,
        client_name=file.name,
        provider=opened.provider.name,
        role=held.get(role, role.replace("_", "-")),
        regimes=file.regimes,
        printed=printed,
        read=_read(holding),
        basis=replace(holding.basis, notes=(*holding.basis.notes, *_form(file.regimes, view))),
        sections=_sections(holding, view, printed.date()),
        findings=(*holding.findings, *holding.unmapped_findings),
        countries={one.id: ", ".join(holding.countries_of(one)) or None for one in holding.findings},
    )


def _form(regimes: tuple[str, ...], view: RecordView) -> tuple[str, ...]:
    """A remark where no law that the client names asks for a record of this form."""
    if not regimes or {"EU-GDPR", "UK-GDPR"} & set(regimes):
        return ()
    return (f"The form is that of {article(view)}, which {' and '.join(regimes)} does not prescribe.",)


def _read(holding: Holding) -> str:
    """How far the scans read."""
    if not (held := holding.assets):
        return "nothing"
    where = f"{counted(len(held), 'asset')} of {counted(len(holding.sources), 'source')}"
    partly = sum(not asset.coverage.complete for asset in held)
    return f"{where}, {partly:,} of them not wholly" if partly else f"{where}, wholly"


def _view(client: str, role: str, view: RecordView | None) -> RecordView:
    """The view asked for, where it goes with our role."""
    if view is None:
        return RecordView.CONTROLLER if role in ("controller", "joint_controller") else RecordView.PROCESSOR
    if view is RecordView.PROCESSOR and role == "controller":
        raise UsageError(
            f"--view art30-2: the provider is controller of its own data ({client}); art30-1 is its record"
        )
    if view is RecordView.CONTROLLER and role in ("processor", "sub_processor"):
        word = role.replace("_", "-")
        raise UsageError(f"--view art30-1: we are {word} for {client}; art30-2 is the record that a processor keeps")
    return view


def _sections(holding: Holding, view: RecordView, today: dt.date) -> tuple[Section, ...]:
    made = [
        parties(holding, view),
        activities(holding, view),
        people(holding, view),
        personal_data(holding, view),
        recipients(holding, view),
        transfers(holding, view),
        retention(holding, view),
        measures(holding, view),
        sources(holding, view),
        assets(holding, view),
    ]
    if holding.unmapped:
        made.append(unmapped(holding, view))
    if not holding.file.client.own:
        made.append(agreement(holding, view, today))
    return tuple(section for section in made if section.rows)
