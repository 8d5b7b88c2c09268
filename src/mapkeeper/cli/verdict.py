"""Commands about verdicts: what people decide about findings, and what that touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mapkeeper.cli.options import (
    AtOption,
    ClientOption,
    FormatOption,
    ListingFormat,
    OutputOption,
    WorkspaceOption,
    clock,
    known_words,
    open_inventory,
    open_workspace,
)
from mapkeeper.cli.output import listing
from mapkeeper.cli.telling import fates, list_touched, shown_verdict, write
from mapkeeper.model import About, KnownFinding, Verdict, VerdictState

if TYPE_CHECKING:
    import datetime as dt

    from mapkeeper.cli.deciding import Wider
    from mapkeeper.inventory import Inventory

_LISTED = (
    "id", "state", "standing", "findings", "client", "source", "asset", "field", "rule", "category", "reason",
    "author", "at", "expires",
)  # fmt: skip

_FindingIds = Annotated[
    list[str] | None, typer.Argument(metavar="FINDING", help="Ids as `findings` prints them, or how they begin.")
]
_VerdictIds = Annotated[
    list[str] | None, typer.Argument(metavar="VERDICT", help="Ids as `verdict list` prints them, or how they begin.")
]
_Reason = Annotated[
    str | None, typer.Option("--reason", "-m", metavar="TEXT", help="Why, in words that name nobody whose data it is.")
]
_Author = Annotated[
    str | None,
    typer.Option("--author", metavar="NAME", help="Who decides; else $MAPKEEPER_AUTHOR, git's user.name, your login."),
]
_Expires = Annotated[str | None, typer.Option("--expires", metavar="DATE", help="The last day on which it counts.")]
_Source = Annotated[str | None, typer.Option("--source", "-s", metavar="GLOB", help="In all such sources.")]
_Asset = Annotated[str | None, typer.Option("--asset", metavar="GLOB", help="In all such assets.")]
_Field = Annotated[str | None, typer.Option("--field", metavar="GLOB", help="In all such fields.")]
_Category = Annotated[
    str | None, typer.Option("--category", metavar="PREFIX", help="By any rule, where it is of this category.")
]
_AnyRule = Annotated[bool, typer.Option("--any-rule", help="By any rule, of whatever category.")]
_AllClients = Annotated[bool, typer.Option("--all-clients", help="For every client, in every source.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would touch.")]

verdict = typer.Typer(help="Verdicts: what people decide about findings.", no_args_is_help=True)


def _deciding(state: VerdictState) -> Callable[..., None]:
    """A command that decides about findings."""

    def command(
        findings: _FindingIds = None,
        reason: _Reason = None,
        author: _Author = None,
        expires: _Expires = None,
        source: _Source = None,
        asset: _Asset = None,
        field: _Field = None,
        category: _Category = None,
        any_rule: _AnyRule = False,
        all_clients: _AllClients = False,
        dry_run: _DryRun = False,
        workspace: WorkspaceOption = None,
    ) -> None:
        from mapkeeper.cli import deciding

        opened, now = open_workspace(workspace), clock()
        wider = _wider(source, asset, field, category, any_rule, all_clients)
        with open_inventory(opened) as inventory:
            if dry_run:
                known, aims = _aims(inventory, now, findings, wider)
                list_touched(known, aims, ListingFormat.TABLE)
                return
            why, until = deciding.reason(state, reason), deciding.until(expires, now.date())
            who, how = deciding.author(author, opened)
            known, aims = _aims(inventory, now, findings, wider)
            texts = {"--reason": why, "--source": source, "--asset": asset, "--field": field}
            deciding.without_people(opened, [aim.client for aim in aims], texts)
            write(inventory, [_verdict(state, aim, why, who, now, until) for aim in aims], how)

    return command


_CONFIRM = """Say that findings are right: the register prints them as certain.

[dim]Example:[/dim] mapkeeper verdict confirm f-3k9xab
"""
_DISMISS = """Say that findings are wrong: they are hidden, and left out of the register.

It holds for the same rule in the same field of the same asset, whatever its files are called tomorrow.

[dim]Examples:[/dim] mapkeeper verdict dismiss f-3k9xab --reason "build numbers" ·
mapkeeper verdict dismiss f-3k9xab --asset 'logs/*' --any-rule --reason "ids of requests" --dry-run
"""
_ACCEPT = """Say that findings are right and may stay as they are: why, and until when.

[dim]Example:[/dim] mapkeeper verdict accept f-3k9xab --reason "kept for the audit" --expires 2027-03-31
"""

verdict.command("confirm", help=_CONFIRM)(_deciding(VerdictState.CONFIRMED))
verdict.command("dismiss", help=_DISMISS)(_deciding(VerdictState.DISMISSED))
verdict.command("accept", help=_ACCEPT)(_deciding(VerdictState.ACCEPTED))


@verdict.command("preview")
def preview(
    findings: _FindingIds = None,
    source: _Source = None,
    asset: _Asset = None,
    field: _Field = None,
    category: _Category = None,
    any_rule: _AnyRule = False,
    all_clients: _AllClients = False,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List what a verdict with these options would touch, asset by asset, and how much of that is decided already.

    [dim]Example:[/dim] mapkeeper verdict preview f-3k9xab --category online --asset '*.log*'
    """
    opened = open_workspace(workspace)
    wider = _wider(source, asset, field, category, any_rule, all_clients)
    with open_inventory(opened) as inventory:
        known, aims = _aims(inventory, clock(), findings, wider)
    list_touched(known, aims, format, output)


@verdict.command("add")
def add(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Whose data it is.")],
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source's id.")],
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="As `coverage` prints it, or a glob.")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="As the store calls it.")],
    category: Annotated[str, typer.Argument(metavar="CATEGORY", help="What it holds: health.record, …")],
    reason: _Reason = None,
    author: _Author = None,
    expires: _Expires = None,
    dry_run: _DryRun = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say what a field holds that no scan found: it is listed and printed, as declared.

    [dim]Example:[/dim] mapkeeper verdict add globex crm public.cases remarks health.record --reason "the owner said so"
    """
    from mapkeeper.cli import deciding

    opened, now = open_workspace(workspace), clock()
    with open_inventory(opened) as inventory:
        aim, assets = deciding.added(opened, inventory, client, source, asset, field, category)
        if dry_run:
            rows = [{"client": client, "source": source, "asset": one, "field": field} for one in assets]
            listing(rows, ListingFormat.TABLE, ("client", "source", "asset", "field"))
            return
        why, until = deciding.reason(VerdictState.ADDED, reason), deciding.until(expires, now.date())
        who, how = deciding.author(author, opened)
        deciding.without_people(opened, [client], {"--reason": why, "ASSET": asset, "FIELD": field})
        write(inventory, [_verdict(VerdictState.ADDED, aim, why, who, now, until)], how)


@verdict.command("withdraw")
def withdraw(
    verdicts: _VerdictIds = None,
    reason: _Reason = None,
    author: _Author = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Take verdicts back: what they were about is as scans found it. They stay in the history.

    [dim]Example:[/dim] mapkeeper verdict withdraw v-7q2mcd
    """
    from mapkeeper.cli import deciding

    opened, now = open_workspace(workspace), clock()
    why = deciding.reason(VerdictState.WITHDRAWN, reason)
    who, how = deciding.author(author, opened)
    with open_inventory(opened) as inventory:
        chosen = deciding.chosen_verdicts(inventory.verdicts(now), verdicts or [])
        deciding.without_people(opened, [one.about.client for one in chosen], {"--reason": why})
        write(inventory, [_verdict(VerdictState.WITHDRAWN, one.about, why, who, now, None) for one in chosen], how)


@verdict.command("list")
def list_verdicts(
    client: ClientOption = None,
    history: Annotated[
        bool, typer.Option("--history", help="Also those that were replaced or withdrawn, the oldest first.")
    ] = False,
    at: AtOption = None,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List the verdicts, whether they are in force, and how many findings each is about.

    One that is about none any more may be withdrawn: its field or asset is gone, or no rule finds it now.

    [dim]Examples:[/dim] mapkeeper verdict list --client globex · mapkeeper verdict list --history --format csv
    """
    from mapkeeper.inventory import Verdicts
    from mapkeeper.report import listing as rows

    opened, now = open_workspace(workspace), clock()
    known_words(opened, client)
    with open_inventory(opened) as inventory:
        moment = inventory.moment(at, now) if at is not None else now
        given, standing = inventory.verdict_history(moment), inventory.verdicts(moment)
        known = inventory.at(inventory.resolve(at) if at is not None else None, judged=moment).findings()
    every = Verdicts({one.id: one for one in given}.values())
    counts = Counter(one.id for finding in known for one in every.on(finding))
    found = [
        rows.verdict_row(one, fate, counts[one.id])
        for one, fate in fates(given if history else standing, moment.date())
        if client is None or one.about.client in (None, client)
    ]
    told = [name for name in _LISTED if any(row[name] not in (None, "*") for row in found)]
    listing(found, format, told, output, "no verdicts", shown_verdict)


def _wider(
    source: str | None, asset: str | None, field: str | None, category: str | None, any_rule: bool, all_clients: bool
) -> Wider:
    from mapkeeper.cli.deciding import Wider

    known_words(None, category=category)
    return Wider(source, asset, field, category, any_rule, all_clients)


def _aims(
    inventory: Inventory, now: dt.datetime, typed: Sequence[str] | None, wider: Wider
) -> tuple[list[KnownFinding], list[About]]:
    """All findings, and what a verdict on those that were typed is about."""
    from mapkeeper.cli import deciding

    view = inventory.at(judged=now)
    known = view.findings()
    assets = {(one.client, one.source, one.name): one for one in view.assets()}
    chosen = deciding.chosen_findings(known, typed or [])
    return known, list(dict.fromkeys(deciding.about(one, wider, assets) for one in chosen))


def _verdict(
    state: VerdictState, aim: About, why: str | None, who: str, now: dt.datetime, until: dt.date | None
) -> Verdict:
    from mapkeeper.inventory import verdict_id

    return Verdict(verdict_id(aim), state, aim, why, who, now, until)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(verdict, name="verdict")
