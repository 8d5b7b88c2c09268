"""Commands that set up and keep up: init, client, plugins, db."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mapkeeper.cli.options import FormatOption, ListingFormat, OutputOption, WorkspaceOption, open_workspace
from mapkeeper.cli.output import listing, put


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; the current folder if not given.")] = Path(),
    name: Annotated[str, typer.Option("--name", help="Your organisation.")] = "Your organisation",
    country: Annotated[str, typer.Option("--country", help="Where it sits: FR, CA-QC, …")] = "CA-QC",
) -> None:
    """Make a workspace with commented examples.

    [dim]Example:[/dim] mapkeeper init registers --name "Northlight Security" --country CA-QC
    """
    from mapkeeper import config
    from mapkeeper.errors import UsageError
    from mapkeeper.places import is_country

    if not is_country(country):
        raise UsageError(f"--country {country}: is no country code; give ISO 3166-1 such as FR, or CA-QC, US-CA")
    written = config.start(folder, name, country)
    put("".join(f"wrote {path}\n" for path in written), None)
    put(f"next: mapkeeper client add ID --workspace {folder}, then tell in its file where its data is held", None)


client = typer.Typer(help="Clients: whom data is held for.", no_args_is_help=True)


@client.command("add")
def client_add(
    id: Annotated[str, typer.Argument(help="A short word, used everywhere: globex.")],
    name: Annotated[str | None, typer.Option("--name", help="Its full name.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Where it sits; else yours.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a client's file with commented examples, and make its key.

    [dim]Example:[/dim] mapkeeper client add globex --name "Globex SA" --country FR
    """
    from mapkeeper import config
    from mapkeeper.errors import UsageError

    opened = open_workspace(workspace)
    try:
        written = config.add_client(opened.folder, id, name or id, country or opened.provider.country)
    except ValueError as error:
        raise UsageError(f"client {id!r}: {_reason(error)}") from None
    put("".join(f"wrote {path}\n" for path in written), None)
    put("next: tell in its file where its data is held, then mapkeeper scan --client " + id, None)


def _reason(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    return f"{first['loc'][0]} {first['ctx']['error'] if 'ctx' in first else first['msg']}"


def plugins(format: FormatOption = ListingFormat.TABLE, output: OutputOption = None) -> None:
    """List the installed connectors and classifiers.

    [dim]Example:[/dim] mapkeeper plugins --format json
    """
    from mapkeeper import discover

    rows = [
        {
            "kind": one.kind,
            "name": one.name,
            "distribution": one.distribution,
            "version": one.version,
            "module": one.module,
            "works": one.works,
            "says": one.says,
        }
        for one in discover.plugins()
    ]
    listing(rows, format, ("kind", "name", "distribution", "version", "works", "says"), output)
    if not all(row["works"] for row in rows):
        raise typer.Exit(1)


db = typer.Typer(help="The inventory's database.", no_args_is_help=True)


@db.command("upgrade")
def db_upgrade(workspace: WorkspaceOption = None) -> None:
    """Make the inventory, or bring it to the revision of this version."""
    from mapkeeper.inventory import Inventory

    with Inventory.open(open_workspace(workspace).inventory_url, upgrade=False, create=True) as inventory:
        before, after = inventory.upgrade()
    put(
        f"inventory is at {after}" if before == after else f"inventory went from {before or 'nothing'} to {after}", None
    )


@db.command("current")
def db_current(workspace: WorkspaceOption = None) -> None:
    """Tell the inventory's revision, and that of this version."""
    from mapkeeper.inventory import Inventory

    with Inventory.open(open_workspace(workspace).inventory_url, upgrade=False) as inventory:
        put(f"inventory {inventory.revision() or 'without tables'}, this version {inventory.head()}", None)


@db.command("backup")
def db_backup(
    file: Annotated[Path, typer.Argument(help="The file to write; must not exist.")], workspace: WorkspaceOption = None
) -> None:
    """Write a consistent copy of the inventory, also while a scan is running."""
    from mapkeeper.inventory import Inventory

    with Inventory.open(open_workspace(workspace).inventory_url, upgrade=False) as inventory:
        inventory.backup(file)
    put(f"wrote {file}", None)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("init")(init)
    app.add_typer(client, name="client")
    app.command("plugins")(plugins)
    app.add_typer(db, name="db")
