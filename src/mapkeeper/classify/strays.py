"""Strays: what a rule claims for certain although another rule's author says that it only looks alike.

The misses of every rule are run through the engine, each as a table of one column whose name says nothing: once as
it is and with its digits drawn anew, and all misses of a rule together, in turn. A finding that is certain and of
another category than the rule's is a stray, unless what was found in the miss is what it is taken for, an IP address
among the misses of phone numbers. Of that there are two proofs: a rule of that category finds the same, word for word,
in an example of its own, or the check of the rule that claims it holds and hardly ever does by chance.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mapkeeper.classify.engine import Engine
from mapkeeper.model import Finding, Level
from mapkeeper.plugin import Batch
from mapkeeper.rules import Rule, found, recognizes

CELLS = 40
"""Cells of a column that several misses share: enough for a closed list to speak by itself."""

DRAWN = 16
"""Cells of a column whose digits are drawn: enough for the engine to be as sure of them as it gets."""


FEW = 20
"""Rules that are asked one by one whether they find anything at all, which is quicker than the engine."""

RARELY = 0.05
"""Share of random values up to which passing a check is a proof."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A claim that should not have been made."""

    rule: Rule  # that makes it
    of: Rule  # whose miss it is
    miss: int | None  # its number, from 1; None: all of them together


def strays(rules: Sequence[Rule], finders: Collection[str], of: Iterable[Rule]) -> Iterator[Stray]:
    """Run misses through the engine.

    Args:
        rules: All the rules that hold together.
        finders: Ids of those whose claims are looked at.
        of: The rules whose misses are run.
    """
    engine: Engine | None = None  # made where it is needed: often nothing is found at all
    known = {rule.ref: rule for rule in rules if rule.id in finders}
    examples: dict[str, set[str]] = {}
    for rule in rules:
        examples.setdefault(rule.category, set()).update(value for text in rule.match for value in found(rule, text))
    for rule in of:
        for number, texts in _columns(rule):
            cells = _cells(texts)
            if len(known) <= FEW and not any(recognizes(one, cell) for one in known.values() for cell in cells):
                continue
            engine = engine or Engine(rules)
            for finding in _certain(engine, cells):
                finder = known.get(finding.rule)
                if finder is None or finder.category == rule.category:
                    continue
                values = {value for text in texts for value in found(finder, text)}
                proved = finder.check is not None and finder.chance is not None and finder.chance <= RARELY
                if not values or not (proved or values <= examples[finder.category]):
                    yield Stray(finder, rule, number)


def _columns(rule: Rule) -> Iterator[tuple[int | None, tuple[str, ...]]]:
    """The misses of a rule by number, and all of them, as far as there is something in them."""
    misses = [(number, (text,)) for number, text in enumerate(rule.miss, 1) if text.strip()]
    yield from misses
    if len(misses) > 1:
        yield None, tuple(text for _, (text,) in misses)


def _cells(texts: Sequence[str]) -> list[str]:
    """Cells of a column: one miss and others that differ from it in their digits, or several in turn."""
    if len(texts) > 1:
        return [texts[number % len(texts)] for number in range(CELLS)]
    draw = random.Random(texts[0])  # noqa: S311 - the same cells in every run, no secret
    return [texts[0], *(re.sub("[0-9]", lambda _: draw.choice("0123456789"), texts[0]) for _ in range(DRAWN - 1))]


def _certain(engine: Engine, cells: Sequence[str]) -> Iterator[Finding]:
    classification = engine.start("t")
    classification.add(Batch(pa.record_batch({"value": pa.array(cells)})))
    return (finding for finding in classification.finish().findings if finding.level is Level.CERTAIN)
