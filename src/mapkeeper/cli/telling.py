"""What the commands about verdicts print: what one touches, what was written down, what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapkeeper.cli.options import ListingFormat
from mapkeeper.cli.output import brief, listing, put
from mapkeeper.model import About, KnownFinding, Verdict, VerdictState

if TYPE_CHECKING:
    import datetime as dt

    from mapkeeper.inventory import Inventory

_TOUCHED = ("client", "source", "asset", "findings", "decided", "fields", "categories")


def list_touched(
    known: Sequence[KnownFinding], aims: Sequence[About], format: ListingFormat, output: Path | None = None
) -> None:
    """List what verdicts would touch, and below a table how much that is together."""
    from mapkeeper.inventory import Aim
    from mapkeeper.report.listing import touched

    ready = [Aim(aim) for aim in aims]
    there = [one for one in known if any(aim.takes(one) for aim in ready)]
    decided = sum(one.verdict is not None for one in there)
    listing(touched(there), format, _TOUCHED, output, below=[f"{_in_words(there)}; {decided:,} decided already"])


def write(inventory: Inventory, given: Sequence[Verdict], how: str) -> None:
    """Record verdicts, and say what each is about and which it replaces."""
    from mapkeeper.inventory import Aim

    now = given[0].at
    before: Mapping[str, Verdict] = {one.id: one for one in inventory.verdicts(now)}
    inventory.put_verdicts(given)
    known = inventory.at(judged=now).findings()
    for one in given:
        there = [each for each in known if Aim(one.about).takes(each)]
        kept = sum(each.verdict is not None and each.verdict.id != one.id for each in there)
        says = f"{one.state.value} {one.id}: {_in_words(there)}"
        if kept:
            says += f", {kept:,} of which keep a verdict that says more exactly what it is about"
        if one.id in before and one.state is not VerdictState.WITHDRAWN:
            says += f"; before: {before[one.id].state.value} by {before[one.id].author}"
        put(f"{says}; by {one.author} ({how})", None)


def fates(given: Sequence[Verdict], day: dt.date) -> list[tuple[Verdict, str]]:
    """Verdicts in the order in which they were given, each with what became of it."""
    from mapkeeper.inventory import counts

    last = {one.id: number for number, one in enumerate(given)}
    told = []
    for number, one in enumerate(given):
        if one.state is VerdictState.WITHDRAWN:
            told.append((one, "withdrawn"))
        elif number < last[one.id]:
            told.append((one, "replaced"))
        else:
            told.append((one, "in force" if counts(one, day) else "expired"))
    return told


def shown_verdict(column: str, value: Any) -> str:
    """How a table shows a verdict."""
    if column == "client" and value is None:
        return "every client"
    return str(value)[:10] if column == "at" else brief(value)


def _in_words(there: Sequence[KnownFinding]) -> str:
    """How many findings of which clients."""
    assets = len({(one.client, one.source, one.asset) for one in there})
    clients = ", ".join(sorted({one.client for one in there})) or "no client"
    return f"{_number(len(there), 'finding')} in {_number(assets, 'asset')} of {clients}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
