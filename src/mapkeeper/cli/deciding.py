"""What a person typed about a verdict, made into what it is about, who gives it, why and until when."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mapkeeper.errors import UsageError
from mapkeeper.model import About, Kind, KnownAsset, KnownFinding, Verdict, VerdictState

if TYPE_CHECKING:
    from mapkeeper.config import Workspace
    from mapkeeper.inventory import Inventory

_LONGEST_REASON = 1_000
_LONGEST_AUTHOR = 200
_SHOWN = 3
_YEAR = dt.timedelta(days=365)
_KINDS = {"email": "an e-mail address", "phone": "a telephone number", "ip": "a network address"}


@dataclass(frozen=True, slots=True)
class Wider:
    """Options that make a verdict one about more than the field and rule of its finding."""

    source: str | None = None  # glob
    asset: str | None = None  # glob
    field: str | None = None  # glob
    category: str | None = None
    any_rule: bool = False
    all_clients: bool = False


def chosen_findings(known: Iterable[KnownFinding], typed: Sequence[str]) -> list[KnownFinding]:
    """The findings whose ids begin with what was typed; each word has to mean one."""
    by_id = {one.id: one for one in known}
    if not typed:
        raise UsageError("FINDING: give the id that `mapkeeper findings` prints")
    return [by_id[_one(word, by_id, "finding", "`mapkeeper findings --all --dismissed`")] for word in typed]


def chosen_verdicts(given: Iterable[Verdict], typed: Sequence[str]) -> list[Verdict]:
    """The verdicts whose ids begin with what was typed; each word has to mean one."""
    by_id = {one.id: one for one in given}
    if not typed:
        raise UsageError("VERDICT: give the id that `mapkeeper verdict list` prints")
    return [by_id[_one(word, by_id, "verdict", "`mapkeeper verdict list`")] for word in typed]


def _one(word: str, ids: Iterable[str], noun: str, where: str) -> str:
    found = sorted(id for id in ids if id.startswith(word))
    if not found or not word:
        raise UsageError(f"{word}: no {noun} has such an id; {where} lists them")
    if len(found) > 1 and word not in found:
        some = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        raise UsageError(f"{word}: {len(found)} {noun}s have such an id; write more of it: {some}")
    return word if word in found else found[0]


def about(known: KnownFinding, wider: Wider, assets: Mapping[tuple[str, str, str], KnownAsset]) -> About:
    """What a verdict on this finding is about."""
    from mapkeeper.inventory import Aim, literal

    if known.finding.added and known.verdict is not None:
        back = f"`mapkeeper verdict withdraw {known.verdict.id}` takes that back"
        raise UsageError(f"{known.id}: no scan found this, {known.verdict.author} added it; {back}")
    narrow = About(
        client=known.client,
        source=literal(known.source),
        asset=family(assets[known.client, known.source, known.asset]),
        field=literal(known.finding.field),
        rule=known.finding.rule.partition("@")[0],
        category=None,
    )
    if wider.category is not None or wider.any_rule:
        narrow = replace(narrow, rule=None, category=wider.category)
    if wider.all_clients:
        narrow = replace(narrow, client=None, source="*")
    globs = {"source": wider.source, "asset": wider.asset, "field": wider.field}
    given = {name: glob for name, glob in globs.items() if glob is not None}
    widened = replace(narrow, **given)
    if not Aim(widened).takes(known):
        options = ", ".join(f"--{name}" for name in (*given, *(["category"] if wider.category else [])))
        raise UsageError(f"{options}: {known.id} itself is not among these; widen them, or leave them out")
    return widened


def family(asset: KnownAsset) -> str:
    """The glob that takes an asset and what it is renamed to when files are rotated or a new day begins."""
    from mapkeeper.inventory import literal
    from mapkeeper.readers.family import file_pattern, folder_patterns

    if asset.kind is Kind.FAMILY:
        return asset.name
    if asset.kind is not Kind.FILE or literal(asset.name) != asset.name:
        return literal(asset.name)
    *folders, last = asset.name.split("/")
    pattern = file_pattern(last)
    if pattern != last and last.endswith((".gz", ".bz2", ".xz", ".zst")) and not pattern.endswith("*"):
        pattern += "*"  # a family is called without what compressed ones end with
    return "/".join([*folder_patterns(folders), pattern])


def until(typed: str | None, today: dt.date) -> dt.date | None:
    """The last day on which a verdict counts."""
    if typed is None:
        return None
    try:
        day = dt.date.fromisoformat(typed)
    except ValueError:
        raise UsageError(f"--expires {typed}: is no day; write it as in {today + _YEAR}") from None
    if day < today:
        raise UsageError(f"--expires {day}: is over; give the last day on which it counts, {today} or later")
    return day


def without_people(opened: Workspace, clients: Iterable[str | None], texts: Mapping[str, str | None]) -> None:
    """Refuse texts, by the name of their option, in which an identifying rule of these clients recognizes somebody."""
    from mapkeeper.scan.engines import Engines

    wanted = set(clients)
    own = {None: opened.rules} | {
        client: opened.rules_of(client) for client in opened.clients if wanted & {client, None}
    }
    engines = Engines(own)
    for option, text in texts.items():
        kinds: list[str] = []

        def seen(kind: str, _: str, kinds: list[str] = kinds) -> str:
            kinds.append(kind)
            return ""

        for client in own:
            engines.for_names(client).redact(text or "", seen)
        if kinds:
            what = _KINDS.get(kinds[0], f"something that identifies somebody ({kinds[0]})")
            raise UsageError(f"{option}: holds {what}, which is not kept; leave it out, or write it as `findings` does")


def reason(state: VerdictState, typed: str | None) -> str | None:
    """Why; whoever only confirms or withdraws may leave it out."""
    text = " ".join((typed or "").split())
    if not text and (typed is not None or state not in (VerdictState.CONFIRMED, VerdictState.WITHDRAWN)):
        raise UsageError('--reason: say why, for whoever reads it in a year: --reason "build numbers, not addresses"')
    if len(text) > _LONGEST_REASON:
        raise UsageError(f"--reason: has {len(text):,} characters; {_LONGEST_REASON:,} are kept, say it shorter")
    return text or None


def author(given: str | None, opened: Workspace) -> tuple[str, str]:
    """Who decides, and how that is known."""
    import getpass

    for name, how in ((given, "--author"), (os.environ.get("MAPKEEPER_AUTHOR") or None, "$MAPKEEPER_AUTHOR")):
        if name is not None:
            text = " ".join(name.split())
            if not text or len(text) > _LONGEST_AUTHOR:
                raise UsageError(f"{how}: give a name of up to {_LONGEST_AUTHOR} characters")
            return text, how
    if name := " ".join(_git_name(opened.folder).split()):
        return name[:_LONGEST_AUTHOR], "git config"
    try:
        return getpass.getuser(), "the system's user"
    except (KeyError, OSError):
        raise UsageError("--author: nothing says who you are; give your name") from None


def _git_name(folder: Path) -> str:
    command = ["git", "-C", str(folder), "config", "user.name"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, UnicodeError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def added(
    opened: Workspace, inventory: Inventory, client: str, source: str, asset: str, field: str, category: str
) -> tuple[About, list[str]]:
    """What is said to lie in a field, and in which assets: every word has to be known, the field may be there."""
    from mapkeeper.categories import categories
    from mapkeeper.config import nearest
    from mapkeeper.inventory import Aim, literal

    if client not in opened.clients:
        raise UsageError(f"CLIENT {client}: is no client{nearest(client, opened.clients)}")
    sources = opened.chosen(client, None)
    if source not in sources:
        raise UsageError(f"SOURCE {source}: is no source of {client}{nearest(source, sources)}")
    if category not in categories():
        raise UsageError(f"CATEGORY {category}: is no category{nearest(category, categories())}")
    if not field.strip():
        raise UsageError("FIELD: is empty; give the field's name as the store has it")
    assets = {one.name: one for one in inventory.at().assets() if (one.client, one.source) == (client, source)}
    there = assets.get(asset)
    wanted = About(client, literal(source), asset if there is None else family(there), literal(field), None, category)
    taken = [one for one in assets.values() if Aim(wanted).takes_asset(client, source, one.name)]
    if not taken:
        raise UsageError(f"ASSET: no scan saw such an asset in {source}{nearest(asset, assets)}")
    if all(one.coverage.complete and field not in {each.name for each in one.fields} for one in taken):
        fields = {each.name for one in taken for each in one.fields}
        raise UsageError(f"FIELD: this asset was read wholly and has no such field{nearest(field, fields)}")
    return wanted, [one.name for one in taken]
