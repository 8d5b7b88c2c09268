"""Judge an asset: which categories each field holds, after every rule has made its case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mapkeeper.classify.case import Case
from mapkeeper.classify.evidence import Seen
from mapkeeper.classify.table import Table
from mapkeeper.classify.tally import RuleTally
from mapkeeper.classify.weights import Weights
from mapkeeper.model import LIKELY_FROM, Field, Finding
from mapkeeper.rules import Rule


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an asset holds."""

    fields: tuple[Field, ...]
    findings: tuple[Finding, ...]  # in order of fields, the most certain first
    values: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Distinct true values by (field, category); only where they were asked for."""


def judge(fields: Sequence[Seen], table: Table, rules: Sequence[Rule], weights: Weights) -> Judgement:
    """Weigh everything that was counted of an asset."""
    findings: list[Finding] = []
    values: dict[tuple[str, str], tuple[str, ...]] = {}
    for seen in fields:
        for case in _Field(seen, table, rules, weights).cases():
            findings.append(case.finding())
            if case.values:
                values[seen.tally.name, case.rule.category] = case.values
    return Judgement(tuple(Field(seen.tally.name, seen.tally.type) for seen in fields), tuple(findings), values)


class _Field:
    """One field, with every rule that matched or that its name speaks for."""

    def __init__(self, seen: Seen, table: Table, rules: Sequence[Rule], weights: Weights) -> None:
        self.seen, self.table, self.rules, self.weights = seen, table, rules, weights
        self.categories = {number: rules[number].category for number in seen.speeches}

    def cases(self) -> list[Case]:
        """What is claimed of the field: one case a category, rivals put in their place."""
        numbers = {*self.seen.rules, *self.seen.speeches}
        cases = [case for number in sorted(numbers) if (case := self._case(number)) is not None]
        cases.sort(key=lambda case: -case.nats)
        best: dict[str, Case] = {}
        for case in cases:
            first = best.setdefault(case.rule.category, case)
            if first is not case and case.confidence >= LIKELY_FROM:
                first.others.append(case)
        kept = list(best.values())
        owner = next((case for case in kept if case.owns), None)
        for case in kept:
            if owner is not None and case is not owner and case.of_cells:
                case.limit = min(case.limit, self.weights["limits", "rival"])
                case.why.append(f"the values are rather {owner.rule.title[0].lower()}{owner.rule.title[1:]}")
        floor = self.weights["limits", "floor"]
        return sorted((case for case in kept if case.confidence >= floor), key=lambda case: -case.confidence)

    def _case(self, number: int) -> Case | None:
        tally = self.seen.rules.get(number, RuleTally())
        speech = self.seen.speeches.get(number)
        field = self.seen.tally
        rule = self.rules[number]
        if speech is not None and field.filled and field.kind in ("binary", "other", "time"):
            if field.kind not in rule.types:
                return None
            count = field.filled
            tally = RuleTally(hits=count, whole=count, tried=count, valid=count, whole_valid=count, proved=count)
        elif field.filled and not round(tally.valid):
            return None
        if speech is None and not rule.find and not self._list_speaks(rule, tally):
            return None
        otherwise = self.seen.speaks_otherwise(rule.category, self.categories, self.weights)
        case = Case(rule, tally, self.seen, self.table, self.weights)
        case.weigh(number, speech, otherwise)
        return case

    def _list_speaks(self, rule: Rule, tally: RuleTally) -> bool:
        """Whether a closed list explains the field without its name: all of many cells, and words, not codes."""
        limit, filled = self.weights, self.seen.tally.filled
        length = self.seen.tally.characters / max(1, self.seen.tally.values)
        return (
            bool(rule.values)
            and filled >= limit["limits", "list_cells"]
            and tally.whole >= limit["limits", "list_share"] * filled
            and tally.distinct.count() >= limit["limits", "list_distinct"]
            and length >= limit["limits", "list_length"]
        )
