"""Commands about rules: show what recognizes what, and prove that it does, and nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mapkeeper.cli.options import (
    ClientOption,
    FormatOption,
    ListingFormat,
    OutputOption,
    WorkspaceOption,
    known_words,
    open_workspace,
)
from mapkeeper.cli.output import Row, brief, listing, printable, put, remark
from mapkeeper.cli.sources import _telling

if TYPE_CHECKING:
    from mapkeeper.config import OwnRules, Workspace
    from mapkeeper.rules import Rule
    from mapkeeper.scan.rules import Scope

_LISTED = ("id", "title", "category", "runs", "check", "state", "client")
_WIDTH = 100

_Pattern = Annotated[str | None, typer.Argument(metavar="ID|GLOB", help="Only these; all if not given.")]

rules = typer.Typer(help="Rules: what recognizes personal data.", no_args_is_help=True)


@rules.command("show")
def show(
    pattern: _Pattern = None,
    client: ClientOption = None,
    format: FormatOption = ListingFormat.TABLE,
    output: OutputOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List the rules, those of the workspace with them; of one, given by its id, show everything.

    [dim]Example:[/dim] mapkeeper rules show standard/contact/email
    """
    scopes = _scopes(workspace, client, pattern)
    rows = [_row(rule, scope) for scope in scopes for rule in scope.told(pattern)]
    _remark_notes(scopes)
    if (
        format is ListingFormat.TABLE
        and pattern is not None
        and {row["id"] for row in rows} == {pattern.partition("@")[0]}
    ):
        put("\n".join(map(_page, rows)), output)
    else:
        listing(rows, format, _LISTED, output, shown=_shown)


@rules.command("prove")
def prove(pattern: _Pattern = None, client: ClientOption = None, workspace: WorkspaceOption = None) -> None:
    """Try rules: their own examples, hostile texts, and what other rules must miss.

    [dim]Example:[/dim] mapkeeper rules prove "globex/*"
    """
    from mapkeeper.scan.proof import faults

    scopes = _scopes(workspace, client, pattern)
    with _telling() as tell:
        failed = list(faults(scopes, pattern, lambda what: tell(f"proving {what}")))
    _remark_notes(scopes)
    tried = [rule for scope in scopes for rule in scope.told(pattern) if rule in scope.holding.on]
    mine = {id for scope in scopes for id in scope.holding.files}
    for rule in tried:
        if rule.id in mine and (names := _for_python_alone(rule)):
            remark(f"mapkeeper: {rule.id}: {', '.join(names)}: Python alone can run this, which takes longer")
    bare = sum(not rule.match and not rule.miss for rule in tried)
    total = f"{_count(len(tried), 'rule')}, {bare} without examples: {_count(len(failed), 'fault')}"
    put("\n".join([*map(str, failed), total]), None)
    if failed:
        raise typer.Exit(1)


def inspected_rules(workspace: Path | None, files: Iterable[Path]) -> OwnRules:
    """The rules for a look at something ad hoc: those of the workspace, if there is one, and those of some files.

    Raises:
        ConfigurationError: a file cannot be read, or the workspace is wrong.
    """
    from mapkeeper.config import OwnRules, rule_file
    from mapkeeper.errors import ConfigurationError

    opened = _workspace(workspace)
    wrong: list[str] = []
    read = [
        rule_file(path, str(path), "presidio" if path.suffix in (".yaml", ".yml") else "toml", "inspect", wrong)
        for path in files
    ]
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    return (OwnRules() if opened is None else opened.rules) + OwnRules(tuple(file for file in read if file is not None))


def _workspace(given: Path | None) -> Workspace | None:
    """The workspace that is given, or that one stands in; ``None`` elsewhere."""
    from mapkeeper import config
    from mapkeeper.errors import ConfigurationError

    if given is None:
        try:
            config.find(Path.cwd(), None)
        except ConfigurationError:
            return None
    return open_workspace(given)


def _scopes(given: Path | None, client: str | None, pattern: str | None) -> list[Scope]:
    from mapkeeper.config import nearest
    from mapkeeper.errors import UsageError
    from mapkeeper.scan.rules import scopes

    opened = _workspace(given)
    if client is not None and opened is None:
        raise UsageError(f"--client {client}: there is no workspace here; --workspace DIR names one")
    known_words(opened, client)
    found = scopes(opened, client)
    if not any(scope.told(pattern) for scope in found):
        known = {rule.id for scope in found for rule in scope.holding}
        raise UsageError(f"{pattern}: is no rule{nearest(str(pattern), known)}")
    return found


def _remark_notes(scopes: Iterable[Scope]) -> None:
    for note in dict.fromkeys(note for scope in scopes for note in scope.holding.notes):
        remark(f"mapkeeper: {note}")


def _row(rule: Rule, scope: Scope) -> Row:
    origin, (runs, why) = scope.holding.origins.get(rule.id), _runs(rule)
    return {
        "id": rule.id,
        "version": rule.version,
        "title": rule.title,
        "category": rule.category,
        "entity": rule.entity,
        "runs": runs,
        "why": why,
        "find": [{"regex": pattern.regex, "score": pattern.score} for pattern in rule.find],
        "fit": rule.fit,
        "values": sorted(rule.values),
        "names": list(rule.names),
        "context": list(rule.context),
        "check": rule.check_name,
        "chance": rule.chance,
        "types": sorted(rule.types),
        "countries": list(rule.countries),
        "identifying": rule.identifying,
        "match": list(rule.match),
        "miss": list(rule.miss),
        "state": "on" if rule in scope.holding.on else "off",
        "client": scope.client,
        "classifier": origin.classifier if origin else None,
        "distribution": f"{origin.distribution} {origin.version}" if origin else None,
        "file": origin.file if origin else scope.holding.files[rule.id],
    }


def _runs(rule: Rule) -> tuple[str, str]:
    """Where a rule is run, and why only there."""
    if not rule.find:
        spoken = "it knows what a whole value looks like, and no text tells by itself"
        return (
            ("whole values", "its list is closed") if rule.values and not rule.fit else ("where a name speaks", spoken)
        )
    believed = f"a lone match is believed to {max(pattern.score for pattern in rule.find):g}"
    if rule.weak:
        return "in context", f"{believed} only, and {'its check proves little' if rule.check else 'nothing checks it'}"
    return "everywhere", f"{believed}, and its check holds or not" if rule.check else believed


def _shown(column: str, value: Any) -> str:
    return value.replace("_", " ") if column == "check" and value else brief(value)


def _page(row: Row) -> str:
    """All about one rule, for people."""
    source = f"classifier {row['classifier']} of {row['distribution']}" if row["classifier"] else "your own"
    chance = "" if row["chance"] is None else f", which {row['chance']:.2%} of random values pass"
    lines: list[tuple[str, Sequence[str]]] = [
        ("category", [row["category"]]),
        ("entity", [row["entity"]]),
        ("runs", [f"{row['runs']}: {row['why']}"]),
        ("find", [f"{one['regex']}  (score {one['score']:g})" for one in row["find"]]),
        ("fit", [row["fit"]] if row["fit"] else []),
        ("values", _wrapped(row["values"])),
        ("names", _wrapped(row["names"])),
        ("context", _wrapped(row["context"])),
        ("check", [row["check"].replace("_", " ") + chance] if row["check"] else []),
        ("types", _wrapped(row["types"])),
        ("countries", _wrapped(row["countries"])),
        ("identifying", ["replaced by a token where a name or path holds it"] if row["identifying"] else []),
        ("match", row["match"]),
        ("miss", row["miss"]),
        ("source", [f"{source}, {row['file']}"]),
        ("state", [row["state"] + (f" for {row['client']}" if row["client"] else "")]),
    ]
    out = [f"{row['id']}@{row['version']}  {row['title']}", ""]
    for label, texts in lines:
        out += [f"{label if not number else '':13}{printable(text)}" for number, text in enumerate(texts)]
    return "\n".join(out) + "\n"


def _wrapped(words: Sequence[str]) -> list[str]:
    return textwrap.wrap(", ".join(words), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _for_python_alone(rule: Rule) -> list[str]:
    """Which expressions of a rule the machine cannot run."""
    from mapkeeper.classify.program import program

    named = [(f"find {number}", pattern.regex) for number, pattern in enumerate(rule.find, 1)]
    forms = [("fit", rule.fit)] if rule.fit else []
    return [name for name, expression in (*named, *forms) if program(expression, whole=name == "fit") is None]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(rules, name="rules")
