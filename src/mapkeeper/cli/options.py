"""Options that several commands share, and what opens what they name."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mapkeeper.model import Depth, Level

if TYPE_CHECKING:
    from mapkeeper.config import Workspace
    from mapkeeper.inventory import Inventory


class ListingFormat(StrEnum):
    """How a listing is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        envvar="MAPKEEPER_WORKSPACE",
        metavar="DIR",
        help="The folder with mapkeeper.toml; else the current folder or the nearest above it.",
    ),
]
FormatOption = Annotated[ListingFormat, typer.Option("--format", "-f", help="How to print the listing.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout.")
]
ClientOption = Annotated[str | None, typer.Option("--client", "-c", metavar="ID", help="Only this client.")]
SourceOption = Annotated[str | None, typer.Option("--source", "-s", metavar="ID", help="Only this source.")]
AssetOption = Annotated[str | None, typer.Option("--asset", metavar="GLOB", help="Only assets with such a name.")]
CategoryOption = Annotated[
    str | None, typer.Option("--category", metavar="PREFIX", help="Only this category: health, contact.email, …")
]
CountryOption = Annotated[str | None, typer.Option("--country", metavar="CODE", help="Only what lies there.")]
LevelOption = Annotated[Level | None, typer.Option("--level", help="Only findings of this level.")]
AllOption = Annotated[bool, typer.Option("--all", help="Also what is merely possible.")]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="DATE|SCAN", help="As it was: 2026-11-21, or the number of a scan.")
]
DepthOption = Annotated[Depth | None, typer.Option("--depth", help="How much of each asset to read.")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, max=64, metavar="N", help="Up to so many processes.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit with 1 on any gap.")]


def clock() -> dt.datetime:
    """The time in UTC: the only place that asks for it."""
    return dt.datetime.now(dt.UTC)


def known_words(
    workspace: Workspace | None,
    client: str | None = None,
    source: str | None = None,
    category: str | None = None,
    country: str | None = None,
) -> None:
    """Refuse a filter that nothing can ever pass: "no findings" would be taken for good news."""
    from mapkeeper.categories import categories
    from mapkeeper.config import nearest
    from mapkeeper.errors import UsageError
    from mapkeeper.places import is_country

    if workspace is not None and client is not None and client not in workspace.clients:
        raise UsageError(f"--client {client}: is no client{nearest(client, workspace.clients)}")
    if workspace is not None and source is not None and source not in workspace.sources:
        raise UsageError(f"--source {source}: is no source{nearest(source, workspace.sources)}")
    if category is not None:
        known = set(categories()) | {key.partition(".")[0] for key in categories()}
        if category not in known:
            raise UsageError(f"--category {category}: is no category{nearest(category, known)}")
    if country is not None and not is_country(country):
        raise UsageError(f"--country {country}: is no country code; give ISO 3166-1 such as FR, or CA-QC, US-CA")


def open_workspace(given: Path | None) -> Workspace:
    """The workspace that is meant, read and checked."""
    from mapkeeper import config, discover

    return config.load(config.find(Path.cwd(), given), discover.catalogue())


def open_inventory(workspace: Workspace, *, make: bool = False) -> Inventory:
    """The workspace's inventory; an error where it is not there yet, unless it is to be made."""
    from mapkeeper.errors import InventoryError
    from mapkeeper.inventory import Inventory

    if not make:
        with Inventory.open(workspace.inventory_url, upgrade=False) as there:
            if there.revision() is None:
                raise InventoryError("no inventory yet in the database of [inventory] url; 'mapkeeper scan' makes it")
    return Inventory.open(workspace.inventory_url)
