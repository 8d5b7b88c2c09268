"""Worked examples: the judgement of two fields, step by step, as the code takes the steps; the demo as it prints."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pyarrow as pa

from mapkeeper import discover
from mapkeeper.classify import Engine
from mapkeeper.classify.case import Case
from mapkeeper.plugin import Batch
from pages.commands import run
from pages.markdown import code, table

DAY = dt.date(2026, 11, 21)
"""The day of the demo on these pages: the same day gives the same data."""

WIDTH = 118

Step = tuple[float, str]


def judged() -> str:
    """A customer's name, and a reference that looks like a card."""
    lot = random.Random(7)  # noqa: S311 - an example, no secret
    rows = 1000
    names = [f"{lot.choice(('Anna', 'Bernd', 'Carla'))} {lot.choice(('Muster', 'Beispiel'))}" for _ in range(rows)]
    columns = {
        "email": [f"person{number}@mail.example" for number in range(rows)],
        "name": names,
        "reference": [f"4{lot.randrange(10**15):015d}" for _ in range(rows)],
    }
    steps: dict[tuple[str, str], list[Step]] = {}
    add = Case.add

    def noted(case: Case, nats: float, why: str | None = None) -> None:
        add(case, nats, why)
        before = steps.setdefault((case.seen.tally.name, case.rule.ref), [])
        said = why or (case.why[-1] if before and case.why else "where this rule starts")
        before.append((nats, said))

    with patch.object(Case, "add", noted):
        classification = Engine(discover.rules()).start("customers")
        classification.add(Batch(pa.record_batch(columns)))
        findings = {(one.field, one.rule): one for one in classification.finish().findings}
    out = []
    for field, kind in (("name", "identity/name"), ("reference", "financial/")):
        ref = max((rule for at, rule in steps if at == field and kind in rule), key=lambda ref: _sum(steps[field, ref]))
        finding = findings.get((field, ref))
        result = f"confidence {finding.confidence}, `{finding.level}`" if finding else "no finding"
        nats = _sum(steps[field, ref])
        out.append(f"`customers.{field}`, rule {code(ref)}:\n\n")
        out.append(table(("nats", "why"), [(f"{nats:+.2f}", why) for nats, why in steps[field, ref]]))
        chance = f"1 / (1 + e^({-nats:.2f})) = {1 / (1 + math.exp(-nats)):.4f}"
        out.append(f"\nTogether {nats:+.2f}: {chance}. The result: {result}.\n\n")
    return "".join(out)


def _sum(steps: list[Step]) -> float:
    return sum(nats for nats, _ in steps)


def demo() -> str:
    """What the demo prints of one client's database; where rows or ends of lines are left out, dots say so."""
    from mapkeeper import demo as estate

    with TemporaryDirectory() as name:
        folder = str(Path(name) / "mapkeeper-demo")
        estate.build(Path(folder), DAY)
        run("scan", "--workspace", folder, "--source", "shop")
        shown = ("email", "password_hash", "client_ip", "refund_iban", "note")
        found = run("findings", "--workspace", folder, "--client", "lumen")
        covered = run("coverage", "--workspace", folder, "--client", "lumen")
    return (
        "```text\n$ mapkeeper findings --client lumen\n"
        + _cut(found, lambda row: any(f"  {field}  " in row for field in shown))
        + "\n$ mapkeeper coverage --client lumen\n"
        + _cut(covered, lambda row: any(f"  {asset}  " in row for asset in ("customers", "sessions")))
        + "```\n"
    )


def _cut(printed: str, wanted: Callable[[str], bool]) -> str:
    """A printed table from its column ``asset`` on, as far as a page is wide, without the ends of folded lines."""
    head, *rows = printed.splitlines()
    start = head.index("asset")
    kept = [head, *(row for row in rows if row[0] != " " and wanted(row))]
    lines = [line[start:].rstrip() for line in kept]
    return "".join(f"{line if len(line) <= WIDTH else line[: WIDTH - 1].rstrip() + '…'}\n" for line in lines) + "…\n"
