"""The command that prints the record of processing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mapkeeper.cli.options import AtOption, OutputOption, WorkspaceOption, clock, open_inventory, open_workspace
from mapkeeper.cli.output import put, refuse_terminal
from mapkeeper.errors import ConfigurationError, UsageError
from mapkeeper.report.record import RecordFormat, RecordView

if TYPE_CHECKING:
    from mapkeeper.config import Workspace
    from mapkeeper.inventory import Inventory


def register(
    client: Annotated[str | None, typer.Option("--client", "-c", metavar="ID", help="Whose record.")] = None,
    provider: Annotated[bool, typer.Option("--provider", help="The record of your own data.")] = False,
    view: Annotated[
        RecordView | None,
        typer.Option("--view", help="As controller or as processor; else what your role asks for."),
    ] = None,
    format: Annotated[
        RecordFormat, typer.Option("--format", "-f", help="How to print it; xlsx is a workbook to filter and print.")
    ] = RecordFormat.HTML,
    at: AtOption = None,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Print a client's record of processing: what is declared, what was observed, and the evidence.

    [dim]Examples:[/dim] mapkeeper register --client globex -o globex.html ·
    mapkeeper register --client globex --format xlsx -o globex.xlsx
    """
    from mapkeeper.report.formats import printed
    from mapkeeper.report.register import register as record_of

    if (client is None) == (not provider):
        raise UsageError("register needs either --client ID or --provider" + ("" if client is None else ", not both"))
    if format is RecordFormat.XLSX:
        refuse_terminal(format.value, output)
    opened = open_workspace(workspace)
    whose = client if client is not None else _own(opened)
    with open_inventory(opened, make=True) as inventory:
        scan = inventory.resolve(at) if at is not None else None
        now = clock()
        judged = inventory.moment(at, now) if at is not None else now
        record = record_of(opened, inventory, whose, now, view, scan, judged)
    put(printed(record, format), output)


def write_register(opened: Workspace, inventory: Inventory, client: str, path: Path, now: dt.datetime) -> None:
    """Write a client's record as a page of HTML."""
    from mapkeeper.report.formats import as_html
    from mapkeeper.report.register import register as record_of

    put(as_html(record_of(opened, inventory, client, now)), path)


def _own(opened: Workspace) -> str:
    if opened.own is None:
        raise ConfigurationError("clients/: no file says own = true; 'mapkeeper init' makes one for your own data")
    return opened.own.id


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("register")(register)
