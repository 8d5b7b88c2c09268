"""Commands that read sources: inspect, scan, demo."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mapkeeper.cli.options import (
    AllOption,
    AssetOption,
    CategoryOption,
    ClientOption,
    DepthOption,
    FormatOption,
    LevelOption,
    ListingFormat,
    OutputOption,
    SourceOption,
    StrictOption,
    WorkersOption,
    WorkspaceOption,
    clock,
    known_words,
    open_inventory,
    open_workspace,
)
from mapkeeper.cli.output import brief, duration, listing, put, remark, size
from mapkeeper.cli.progress import watching
from mapkeeper.cli.reading import COVERAGE_COLUMNS, FINDING_COLUMNS, shown_coverage, shown_finding
from mapkeeper.cli.rules import inspected_rules
from mapkeeper.model import Depth

if TYPE_CHECKING:
    from mapkeeper.config import Workspace
    from mapkeeper.scan import ScanOutcome


def inspect(
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET", help="A file, a folder, a SQLAlchemy URL, or env:NAME.")
    ],
    depth: DepthOption = None,
    workers: WorkersOption = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Print what was read and what not instead.")] = False,
    reveal: Annotated[
        int, typer.Option("--reveal", min=0, metavar="N", help="Show up to N distinct true values a finding.")
    ] = 0,
    rules: Annotated[
        list[Path] | None,
        typer.Option("--rules", metavar="FILE", help="Rules of your own: a pack, or Presidio's YAML. Repeatable."),
    ] = None,
    all: AllOption = False,
    asset: AssetOption = None,
    category: CategoryOption = None,
    level: LevelOption = None,
    strict: StrictOption = False,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Look at something ad hoc: which fields hold personal data. Nothing is stored.

    [dim]Examples:[/dim] mapkeeper inspect exports/ · mapkeeper inspect shop.db --all · mapkeeper inspect env:CRM_URL
    """
    from mapkeeper.errors import SourceError, UsageError
    from mapkeeper.inventory import finding_id
    from mapkeeper.report import listing as rows
    from mapkeeper.scan import Inspection

    if reveal and output is not None:
        raise UsageError("--reveal prints true values to stdout only; leave --output out")
    if reveal:
        remark("mapkeeper: what follows holds true values of personal data; do not keep it")
    known_words(None, category=category)
    wanted = rows.Filter(asset=asset, category=category, level=level, all=all)
    found: list[dict[str, Any]] = []
    covered: list[dict[str, Any]] = []
    failed = 0
    with watching() as progress:
        inspection = Inspection(depth or Depth.SAMPLE, workers or 2, reveal, inspected_rules(workspace, rules or ()))
        for target in targets:
            called = target.partition("://")[0]  # what stands behind it may be a password
            try:
                for shown, result in inspection.look(target, partial(progress.read, called)):
                    name, kind = result.asset.name, result.asset.kind.value
                    covered.append(rows.coverage_row(None, shown, name, kind, result.coverage))
                    for one in result.findings:
                        id = finding_id("", shown, name, one.field, one.category, one.entity)
                        found.append(rows.inspected(id, shown, result, one))
            except SourceError as error:
                failed += 1
                remark(f"mapkeeper: {error}")
    if failed == len(targets):
        raise typer.Exit(3)
    gaps = sum(len(row["gaps"]) for row in covered)
    if coverage:
        listing(
            [row for row in covered if wanted.takes(row)], format, COVERAGE_COLUMNS[1:], output, "nothing to read",
            shown_coverage,
        )  # fmt: skip
    else:
        columns = (*FINDING_COLUMNS[2:], "values") if reveal else FINDING_COLUMNS[2:]
        listing(
            [row for row in found if wanted.takes(row)], format, columns, output, "no personal data found",
            shown_finding,
        )  # fmt: skip
        if gaps:
            remark(f"mapkeeper: {_gaps_in_words(covered)}; --coverage tells which")
    if failed or (strict and gaps):
        raise typer.Exit(1)


_UNNAMED = "no_model"
"""Why names are not looked for in what was read wholly."""


def _gaps_in_words(covered: Iterable[dict[str, Any]]) -> str:
    reasons = [{gap["reason"] for gap in row["gaps"]} for row in covered if row["gaps"]]
    partial = [found for found in reasons if found != {_UNNAMED}]
    words = []
    if partial:
        told = ", ".join(sorted(set().union(*partial)))
        words.append(f"{len(partial)} asset{'s' if len(partial) != 1 else ''} not read wholly ({told})")
    if len(partial) < len(reasons):
        words.append("names of people in running text not looked for (no_model)")
    return "; ".join(words)


def scan(
    client: ClientOption = None,
    source: SourceOption = None,
    depth: DepthOption = None,
    workers: WorkersOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what would be read, and how long that may take.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Read also what has not changed.")] = False,
    strict: StrictOption = False,
    format: FormatOption = ListingFormat.TABLE,
    workspace: WorkspaceOption = None,
) -> None:
    """Read the sources, classify what is new or changed, and record it in the inventory.

    What was recorded when a scan is interrupted stays, and the next scan goes on from there.

    [dim]Example:[/dim] mapkeeper scan --client globex --depth full
    """
    opened = open_workspace(workspace)
    if plan:
        _plan(opened, client, source, depth, workers, fresh, format)
        return
    outcome = run(opened, client, source, depth, workers, fresh)
    _report(outcome)
    bad = any(one.state in ("unreachable", "busy") or one.unmapped for one in outcome.sources)
    if outcome.sources and all(one.state in ("unreachable", "busy") for one in outcome.sources):
        raise typer.Exit(3)
    if bad or (strict and any(one.gaps or one.left_out for one in outcome.sources)):
        raise typer.Exit(1)


def _choice(
    opened: Workspace, client: str | None, source: str | None, depth: Depth | None, workers: int | None, fresh: bool
) -> Any:
    from mapkeeper.errors import UsageError
    from mapkeeper.scan import Choice

    known_words(opened, client, source)
    chosen = opened.chosen(client, source)
    if not chosen:
        raise UsageError("no source to scan; add one to mapkeeper.toml or to a client's file")
    return Choice(chosen, client, depth or opened.scan.depth, workers or opened.scan.workers, fresh)


def run(
    opened: Workspace,
    client: str | None = None,
    source: str | None = None,
    depth: Depth | None = None,
    workers: int | None = None,
    fresh: bool = False,
) -> ScanOutcome:
    """Scan with progress on stderr."""
    from mapkeeper.scan import Scan

    choice = _choice(opened, client, source, depth, workers, fresh)
    with open_inventory(opened, make=True) as inventory, watching() as progress:
        return Scan(opened, inventory, choice, clock, progress).run()


def _plan(
    opened: Workspace,
    client: str | None,
    source: str | None,
    depth: Depth | None,
    workers: int | None,
    fresh: bool,
    format: ListingFormat,
) -> None:
    from mapkeeper.scan import Scan

    choice = _choice(opened, client, source, depth, workers, fresh)
    rows: list[dict[str, Any]] = []
    with open_inventory(opened, make=True) as inventory, watching() as progress:
        for one in Scan(opened, inventory, choice, clock, progress).plan():
            known = one.error is None
            state = f"to read, {choice.depth.value}" if one.assets else "unchanged"
            rows.append(
                {
                    "source": one.source,
                    "assets": one.assets if known else None,
                    "rows": one.rows,
                    "bytes": one.bytes if known else None,
                    "requests": one.requests,
                    "seconds": round(one.seconds) if known else None,
                    "by": ("guess" if one.guessed else "its last scan") if one.assets else None,
                    "state": state if known else one.error,
                }
            )
    listing(rows, format, tuple(rows[0]), shown=_shown_plan)
    if failed := [row for row in rows if row["assets"] is None]:
        raise typer.Exit(3 if len(failed) == len(rows) else 1)


def _shown_plan(column: str, value: Any) -> str:
    """A plan as people read it: sizes and times in words."""
    if column == "bytes" and value is not None:
        return size(value)
    return duration(value) if column == "seconds" and value is not None else brief(value)


def _report(outcome: ScanOutcome) -> None:
    rows = [
        {
            "source": one.source,
            "state": one.state,
            "read": one.read,
            "unchanged": one.unchanged,
            "vanished": one.vanished,
            "rows": one.rows,
            "bytes": size(one.bytes),
            "findings": one.findings,
            "gaps": one.gaps,
        }
        for one in outcome.sources
    ]
    columns = ("source", "state", "read", "unchanged", "vanished", "rows", "bytes", "findings", "gaps")
    listing(rows, ListingFormat.TABLE, columns)
    for one in outcome.sources:
        if one.says:
            remark(f"mapkeeper: source {one.source}: {one.says}")
        if one.unmapped:
            count = len(one.unmapped)
            remark(
                f"mapkeeper: source {one.source}: {count} asset{'s' if count > 1 else ''} of no client, booked to the"
                f" provider (PD-SEP-002): {', '.join(one.unmapped[:3])}{' …' if count > 3 else ''}"
            )
    put(f"scan {outcome.scan}: 'mapkeeper history {outcome.scan}' tells what it found different", None)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")] = Path("mapkeeper-demo"),
) -> None:
    """Make a workspace of generated clients, scan it, and say what to open next. No server, no network.

    [dim]Example:[/dim] mapkeeper demo /tmp/tour
    """
    from mapkeeper import demo as estate
    from mapkeeper.cli.register import write_register

    estate.build(folder, clock().date())
    opened = open_workspace(folder)
    outcome = run(opened)
    _report(outcome)
    put("", None)
    with open_inventory(opened) as inventory:
        _summary(opened, inventory)
        for id in opened.clients:
            write_register(opened, inventory, id, folder / f"register-{id}.html", clock())
    put("", None)
    put("Open next:", None)
    for id, client in opened.clients.items():
        view = "Art. 30(1), your own" if client.file.client.own else "Art. 30(2)"
        put(
            f"  {folder / f'register-{id}.html'}   the record of processing for {client.file.client.name}, {view}", None
        )
    put(f"  mapkeeper findings --workspace {folder} --client {next(iter(opened.clients))}", None)
    put(f"  mapkeeper coverage --workspace {folder}", None)


def _summary(opened: Workspace, inventory: Any) -> None:
    view = inventory.at()
    assets, found = view.assets(), [one for one in view.findings() if one.finding.level != "possible"]
    rows = []
    for id, client in opened.clients.items():
        own = [one for one in found if one.client == id]
        rows.append(
            {
                "client": client.file.client.name,
                "country": client.file.client.country,
                "assets": sum(one.client == id for one in assets),
                "with personal data": len({(one.source, one.asset) for one in own}),
                "fields": len({(one.source, one.asset, one.finding.field) for one in own}),
                "categories": len({one.finding.category for one in own}),
                "special": sum(one.finding.special is not None for one in own),
                "not read wholly": sum(one.client == id and not one.coverage.complete for one in assets),
            }
        )
    listing(rows, ListingFormat.TABLE, list(rows[0]))


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("demo")(demo)
    app.command("inspect")(inspect)
    app.command("scan")(scan)
