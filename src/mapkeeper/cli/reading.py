"""Commands that read the inventory: findings, coverage, history."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import pairwise
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
    clock,
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


def _shown_known(letters: int, column: str, value: Any) -> str:
    """How a table shows a finding of the inventory: of ids as much as tells them apart."""
    if column == "id":
        return str(value)[:letters]
    if column == "verdict" and value is not None:
        return brief(value["state"])
    return shown_finding(column, value)


def _telling(ids: Iterable[str], least: int = 8) -> int:
    """How many characters tell ids apart."""
    ordered = sorted(ids)
    alike = (
        next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
        for one, other in pairwise(ordered)
    )
    return max(least, 1 + max(alike, default=0))


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
    dismissed: Annotated[bool, typer.Option("--dismissed", help="Also what a person dismissed.")] = False,
    at: AtOption = None,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List which fields hold which categories of personal data.

    A table shows how an id begins, as far as that tells it from others: `verdict` takes it so.

    [dim]Example:[/dim] mapkeeper findings --client globex --category health --format csv -o health.csv
    """
    from mapkeeper.report import listing as rows

    opened = open_workspace(workspace)
    known_words(opened, client, source, category, country)
    wanted = rows.Filter(client, source, asset, category, country, level, all, dismissed)
    now = clock()
    with open_inventory(opened) as inventory:
        moment = inventory.moment(at, now) if at is not None else now
        view = inventory.at(inventory.resolve(at) if at is not None else None, judged=moment)
        places = {one.id: one for one in view.sources()}
        known = view.findings()
    found = [row for row in rows.findings(known, places) if wanted.takes(row)]
    verdict = ("verdict",) if any(row["verdict"] for row in found) else ()
    columns = ("id", *FINDING_COLUMNS[:-1], *verdict, FINDING_COLUMNS[-1])
    listing(found, format, columns, output, "no findings", partial(_shown_known, _telling(one.id for one in known)))


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
