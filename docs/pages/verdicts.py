"""Verdicts as they are given and listed, in the demo."""

from __future__ import annotations

import datetime as dt
import json
import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from mapkeeper.cli import reading, verdict
from mapkeeper.model import About, Verdict, VerdictState
from pages.commands import run
from pages.markdown import code
from pages.worked import DAY

_NOON = dt.datetime.combine(DAY, dt.time(12), dt.UTC)
_FALSE = ("lumen/access.log*", "referer")  # the shop's own pages, taken for what somebody browsed


def transcript() -> str:
    """A false alarm of the demo, dismissed; everything read again; the list."""
    from mapkeeper import demo

    with TemporaryDirectory() as name, ExitStack() as held:
        demo.build(Path(name), DAY)
        held.enter_context(patch.dict(os.environ, {"MAPKEEPER_WORKSPACE": name, "MAPKEEPER_AUTHOR": "A. Roy"}))
        for module in (reading, verdict):
            held.enter_context(patch.object(module, "clock", lambda: _NOON))
        run("scan", "--source", "siem")
        known = json.loads(run("findings", "--format", "json"))
        id = next(one["id"] for one in known if (one["asset"], one["field"]) == _FALSE)[:8]
        findings = ["findings", "--asset", "lumen/access*"]
        told = [
            _told(findings, cut=True),
            _told(["verdict", "dismiss", id, "--reason", "pages of the shop itself"]),
            "$ mapkeeper scan --fresh\n…\n",
        ]
        run("scan", "--source", "siem", "--fresh")
        told.append(_told(findings, cut=True))
        told.append(_told([*findings, "--dismissed"], cut=True))
        told.append(_told(["verdict", "list", "--format", "csv"]))
    return "```text\n" + "\n".join(told) + "```\n"


def _told(words: list[str], cut: bool = False) -> str:
    """A command and what it prints; of a table the first lines of its rows, as far as to their figures."""
    lines = run(*words).splitlines()
    if cut:
        end = lines[0].index("why")
        lines = [line[:end].rstrip() for line in lines if line[:1] != " "]
    typed = " ".join(f"'{word}'" if {" ", "*"} & set(word) else word for word in words)
    return "\n".join([f"$ mapkeeper {typed}", *lines, ""])


def keys() -> str:
    """The keys of ``verdict`` in a finding, of ``verdict list`` and of ``verdict preview``."""
    from mapkeeper import model
    from mapkeeper.report import listing

    about = About("c", "s", "a", "f", "r", None)
    given = Verdict("v-1", VerdictState.CONFIRMED, about, None, "A", _NOON)
    finding = model.Finding("f", "c", "E", "r@1", 1.0, 1, 1, 1, None, None, 1, ())
    known = model.KnownFinding("f-1", "c", "s", "a", finding, DAY, DAY, given)
    rows = {
        "`verdict` of `findings`": listing.finding_row("f-1", "c", "s", "a", finding, verdict=given)["verdict"],
        "`verdict list`": listing.verdict_row(given, "in force", 1),
        "`verdict preview`": listing.touched([known])[0],
    }
    return "".join(f"{name}: {', '.join(map(code, row))}.\n\n" for name, row in rows.items())
