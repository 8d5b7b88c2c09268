"""Commands about the sources: list them, try the access to them, discover stores that none of them covers."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mapkeeper.cli.options import (
    ClientOption,
    CountryOption,
    FormatOption,
    ListingFormat,
    OutputOption,
    SourceOption,
    WorkspaceOption,
    known_words,
    open_inventory,
    open_workspace,
)
from mapkeeper.cli.output import Row, brief, listing, printable, remark, stderr
from mapkeeper.cli.progress import PATIENCE
from mapkeeper.errors import UsageError

if TYPE_CHECKING:
    from mapkeeper.config import Workspace
    from mapkeeper.scan import Checked, SeenStore

_NONE = "no sources; add one to mapkeeper.toml or a client's file"
_SOURCE = ("client", "source", "target", "country", "last_scan", "state")  # fit 80 columns
_CHECK = ("reached", "error", "check", "rights")
_STORE = ("store", "connector", "says", "covered_by")
_GRANTED = {True: "✓ granted", False: "✗ refused", None: "? unknown"}

sources = typer.Typer(invoke_without_command=True)


@sources.callback()
def list_sources(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Try the access that a scan needs, without reading contents.")
    ] = False,
    rights: Annotated[
        bool, typer.Option("--rights", help="With --check: print the least rights for every source.")
    ] = False,
    client: ClientOption = None,
    source: SourceOption = None,
    country: CountryOption = None,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List the sources, where they lie and when they were last scanned; try the access to them.

    With --check the exit status is 1 where a source cannot be reached or something that a scan needs is refused.

    Below the table stand the least rights that would do: an IAM policy, GRANT statements.

    [dim]Examples:[/dim] mapkeeper sources --client globex · mapkeeper sources --check --source crm --rights
    """
    if context.invoked_subcommand is not None:
        _nothing_before(context)
        return
    if rights and not check:
        raise UsageError("--rights says more of --check; give both")
    opened = open_workspace(workspace)
    known_words(opened, client, source, country=country)
    rows = _sources(opened, client, source, country)
    if not check:
        listing(rows, format, _SOURCE, output, _NONE, _shown)
        return
    rows = [row for row in rows if row["source"] in opened.sources]  # the inventory remembers others
    checked = _checked(opened, [row["source"] for row in rows])
    if format is not ListingFormat.TABLE:
        listing([row | _row(checked[row["source"]]) for row in rows], format, (*_SOURCE, *_CHECK), output)
    else:
        shown = [one for one in checked.values() if one.rights is not None and (rights or one.refused)]
        below = [f"The least rights for {one.source}:\n\n{_lines(one.rights)}" for one in shown]
        lines = [line for row in rows for line in _access(row, checked[row["source"]])]
        listing(lines, format, ("source", "access", "needs", "says"), output, _NONE, below=below)
    if not all(one.sufficient for one in checked.values()):
        raise typer.Exit(1)


@sources.command("discover")
def discover_sources(
    target: Annotated[
        str | None,
        typer.Argument(metavar="TARGET", help="An account or server: s3://, a SQLAlchemy URL, or env:NAME."),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Also stores that a source covers.")] = False,
    client: ClientOption = None,
    source: SourceOption = None,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List buckets and databases that no source covers, with an entry to paste for each.

    Asks the account or server given, else that of every source. An entry holds env:NAME in place of each secret.

    [dim]Examples:[/dim] mapkeeper sources discover --client globex · mapkeeper sources discover env:GLOBEX_SERVER_URL
    """
    from mapkeeper.scan import discover_stores

    if target is not None and (client is not None or source is not None):
        raise UsageError("TARGET is asked instead of the sources; leave --client and --source out")
    opened = open_workspace(workspace)
    known_words(opened, client, source)
    with _telling() as tell:
        found = discover_stores(opened, opened.chosen(client, source), target, lambda whom: tell(f"asking {whom}"))
    for one in found.failed:
        remark(f"mapkeeper: {one}")
    if not found.asked:
        remark("mapkeeper: no account or server could be asked; give one as TARGET, or see --help")
        raise typer.Exit(3)
    rows = _stores(opened, [one for one in found.stores if all or not one.covered_by])
    if format is not ListingFormat.TABLE:
        listing(rows, format, (*_STORE, "entry"), output)
    else:
        entries = [row["entry"] for row in rows if row["entry"] is not None]
        into = "Paste into the file of the client whose data it holds, or with clients = { … } into mapkeeper.toml:"
        below = [into, *entries] if entries else []
        columns = _STORE if all else _STORE[:-1]
        listing(rows, format, columns, output, "every store that could be seen is covered", below=below)
    if found.failed:
        raise typer.Exit(1)


def _nothing_before(context: typer.Context) -> None:
    """Options before the name of a command within would be lost without a word."""
    given = [name for name in context.params if str(context.get_parameter_source(name)).endswith("COMMANDLINE")]
    if given:
        raise UsageError(f"put --{given[0]} behind '{context.invoked_subcommand}'")


def _sources(opened: Workspace, client: str | None, source: str | None, country: str | None) -> list[Row]:
    from mapkeeper.report import listing as rows
    from mapkeeper.scan import known_sources

    wanted = rows.Filter(source=source, country=country)
    with open_inventory(opened, make=True) as inventory:
        inventory.put_sources(known_sources(opened))
        return [
            row
            for row in rows.sources(inventory.at().sources())
            if wanted.takes(row) and (client is None or opened.concerns(row["source"], client))
        ]


def _shown(column: str, value: Any) -> str:
    """How a table shows a source: of the last scan the day."""
    return value[:10] if column == "last_scan" and value else brief(value)


def _checked(opened: Workspace, ids: Iterable[str]) -> Mapping[str, Checked]:
    from mapkeeper.scan import check_access

    with _telling() as tell:
        return {one.source: one for one in check_access(opened, ids, lambda id: tell(f"trying {id}"))}


def _row(checked: Checked) -> Row:
    return {
        "reached": checked.reached,
        "error": checked.error,
        "check": [
            {"needs": one.needs, "granted": one.granted, "needed": one.needed, "says": one.says}
            for one in checked.access
        ],
        "rights": checked.rights,
    }


def _access(row: Row, checked: Checked) -> Iterator[Row]:
    """The lines of one source: whether it is reached, then each thing that a scan needs."""
    if checked.reached:
        yield {"source": checked.source, "access": "✓ reached", "needs": row["target"]}
    for one in checked.access:
        says = one.says if one.needed else f"optional: {one.says}"
        yield {"source": checked.source, "access": _GRANTED[one.granted], "needs": one.needs, "says": says}
    if checked.error is not None:
        state = "✗ failed" if checked.reached else "✗ not reached"
        yield {"source": checked.source, "access": state, "needs": row["target"], "says": checked.error}


def _stores(opened: Workspace, seen: Iterable[SeenStore]) -> list[Row]:
    import dataclasses

    from mapkeeper import discover
    from mapkeeper.report.entry import entry, suggested_id

    rows: list[Row] = []
    taken = set(opened.sources)
    for one in seen:
        text = None
        if not one.covered_by:
            id = suggested_id(one.store, one.connector, taken)
            taken.add(id)
            cls: Any = discover.connector(one.connector)  # a dataclass
            like = opened.sources[one.seen_from].settings if one.seen_from is not None else {}
            text = entry(id, one.connector, dataclasses.fields(cls), one.store, like)
        rows.append(
            {
                "store": one.store.name,
                "connector": one.connector,
                "says": one.store.says,
                "covered_by": list(one.covered_by),
                "seen_from": one.seen_from,
                "entry": text,
            }
        )
    return rows


def _lines(text: str | None) -> str:
    return "\n".join(map(printable, (text or "").strip("\n").split("\n")))


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Say on a terminal what is waited for, once that takes longer than a moment."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    status = stderr().status("")
    late = threading.Timer(PATIENCE, status.start)
    late.daemon = True
    late.start()
    try:
        yield lambda text: status.update(printable(text))
    finally:
        late.cancel()
        late.join()
        status.stop()


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(sources, name="sources")
