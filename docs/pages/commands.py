"""The command line as it prints: help, errors, keys of listings."""

from __future__ import annotations

import os

# Before typer is imported: help of one width and without colours, wherever it is made.
os.environ |= {"TERMINAL_WIDTH": "100", "COLUMNS": "100", "_TYPER_FORCE_DISABLE_TERMINAL": "1", "NO_COLOR": "1"}

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mapkeeper.model import Reason
from pages.markdown import code


def run(*words: str) -> str:
    """What a command prints, on both streams."""
    from typer.testing import CliRunner

    from mapkeeper.cli import app

    output = CliRunner().invoke(app, list(words), color=False).output
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n") + "\n"


def commands() -> str:
    """The help of every command."""
    return "".join(
        f"### {' '.join(('mapkeeper', *words))}\n\n```text\n{run(*words, '--help')}```\n\n" for words in command_names()
    )


def command_names() -> list[tuple[str, ...]]:
    """Every command as the words that call it; the first is mapkeeper itself."""
    import typer

    from mapkeeper.cli import app

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield words
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*words, name))

    return list(walk(typer.main.get_command(app), ()))


def keys(name: str) -> str:
    """The keys of a listing, from a row that the code itself makes of an empty noun."""
    return ", ".join(map(code, listing_keys()[name])) + "\n"


@cache
def listing_keys() -> Mapping[str, tuple[str, ...]]:
    """The keys of the JSON objects of every listing."""
    from mapkeeper import model
    from mapkeeper.report import listing

    day = dt.date(2026, 11, 21)
    moment = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    finding = model.Finding("f", "c", "E", "r@1", 1.0, 1, 1, 1, None, None, 1, ())
    coverage = model.Coverage(1, 1, 1, 1, 1, 1, "all", True, (model.Gap(Reason.BUDGET),), 0.0)
    asset = model.KnownAsset(
        "c", "s", "a", model.Kind.FILE, "n", "d", False, (), (), coverage, model.Depth.FULL, day, day
    )
    source = model.KnownSource("s", "c", "files", "t", model.Place("FR"), None, "ok")
    change = model.Change(1, "appeared", "asset", "c", "s", "a", None, None, "")
    run = model.ScanRun(1, moment, None, "done", model.Depth.FULL, "0")
    rows = {
        "findings": listing.findings([model.KnownFinding("f-1", "c", "s", "a", finding, day, day)], {}),
        "coverage": listing.coverages([asset]),
        "sources": listing.sources([source]),
        "history": listing.scans([run], {}),
        "history N": listing.changes([change]),
    }
    return {name: tuple(next(iter(found))) for name, found in rows.items()}


def configuration_errors() -> str:
    """What is said of a workspace with mistakes in it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "clients").mkdir()
        (folder / "mapkeeper.toml").write_text('[provider]\nname = "Northlight"\ncountry = "Quebec"\n')
        (folder / "clients" / "globex.toml").write_text(
            '[client]\nid = "globex"\nname = "Globex SA"\ncountry = "FR"\nkey = "env:K"\nregime = ["EU-GDPR"]\n'
            '[agreement]\nreference = "DPA-1"\ncategories = ["contact.mail"]\n'
        )
        shown = run("findings", "--workspace", name)
    return f"```text\n{shown}```\n"
