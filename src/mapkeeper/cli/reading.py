"""Commands that read the inventory: findings, coverage, history."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mapkeeper.cli.options import (
    AllOption,
    AssetOption,
    AtOption,
    CategoryOption,
    ClientOption,
    CountryOption,
    FormatOption,
    LevelOption,
    ListingFormat,
    OutputOption,
    SourceOption,
    StrictOption,
    WorkspaceOption,
    known_words,
    open_inventory,
    open_workspace,
)
from mapkeeper.cli.output import brief, listing, size

FINDING_COLUMNS = ("client", "source", "asset", "field", "category", "level", "share", "hits", "why")


def shown_finding(column: str, value: Any) -> str:
    """How a table shows a finding."""
    if column == "share":
        return f"{value:.1%}"
    return brief(value)


def shown_coverage(column: str, value: Any) -> str:
    """How a table shows coverage."""
    if column == "gaps":
        return ", ".join(f"{gap['reason']} ({gap['count']:,})" for gap in value) or "·"
    if column in ("bytes_read", "bytes_total") and value is not None:
        return size(value)
    if column == "bound_95" and value is not None:
        return f"{value:.2%}"
    return brief(value)


COVERAGE_COLUMNS = (
    "client", "source", "asset", "kind", "rows_read", "rows_total", "bytes_read", "bytes_total", "method",
    "bound_95", "gaps",
)  # fmt: skip


def findings(
    client: ClientOption = None,
    source: SourceOption = None,
    asset: AssetOption = None,
    category: CategoryOption = None,
    country: CountryOption = None,
    level: LevelOption = None,
    all: AllOption = False,
    at: AtOption = None,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List which fields hold which categories of personal data.

    [dim]Example:[/dim] mapkeeper findings --client globex --category health --format csv -o health.csv
    """
    from mapkeeper.report import listing as rows

    opened = open_workspace(workspace)
    known_words(opened, client, source, category, country)
    wanted = rows.Filter(client, source, asset, category, country, level, all)
    with open_inventory(opened) as inventory:
        view = inventory.at(inventory.resolve(at) if at is not None else None)
        places = {one.id: one for one in view.sources()}
        found = [row for row in rows.findings(view.findings(), places) if wanted.takes(row)]
    listing(found, format, FINDING_COLUMNS, output, "no findings", shown_finding)


def coverage(
    client: ClientOption = None,
    source: SourceOption = None,
    asset: AssetOption = None,
    at: AtOption = None,
    strict: StrictOption = False,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List what was read of each asset, what was not, and what the rest may hide.

    [dim]Example:[/dim] mapkeeper coverage --source siem --strict
    """
    from mapkeeper.report import listing as rows

    opened = open_workspace(workspace)
    known_words(opened, client, source)
    wanted = rows.Filter(client, source, asset)
    with open_inventory(opened) as inventory:
        view = inventory.at(inventory.resolve(at) if at is not None else None)
        found = [row for row in rows.coverages(view.assets()) if wanted.takes(row)]
    listing(found, format, COVERAGE_COLUMNS, output, "no assets", shown_coverage)
    if strict and any(row["gaps"] for row in found):
        raise typer.Exit(1)


def history(
    scan: Annotated[
        int | None, typer.Argument(metavar="SCAN", help="A scan's number: what it found different.")
    ] = None,
    client: ClientOption = None,
    source: SourceOption = None,
    asset: AssetOption = None,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List the scans, or what one scan found different from the one before.

    [dim]Examples:[/dim] mapkeeper history · mapkeeper history 12 --client globex
    """
    from mapkeeper.report import listing as rows

    opened = open_workspace(workspace)
    known_words(opened, client, source)
    wanted = rows.Filter(client, source, asset)
    with open_inventory(opened) as inventory:
        if scan is not None:
            inventory.resolve(str(scan))
            found = [row for row in rows.changes(inventory.changes(scan)) if wanted.takes(row)]
            shown = ("change", "what", "client", "source", "asset", "field", "category", "says")
            listing(found, format, shown, output, f"scan {scan} found nothing different")
            return
        runs = inventory.scans()
        made = {run.id: inventory.changes(run.id) for run in runs}
        columns = (
            "scan", "started", "state", "depth", "assets_appeared", "assets_changed", "assets_vanished",
            "findings_appeared", "findings_changed", "findings_vanished",
        )  # fmt: skip
        listing(rows.scans(runs, made), format, columns, output, "no scans yet")


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("findings")(findings)
    app.command("coverage")(coverage)
    app.command("history")(history)
