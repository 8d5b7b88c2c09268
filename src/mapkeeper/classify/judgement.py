"""Judge an asset: which categories each field holds, after every rule has made its case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mapkeeper.classify.case import Case
from mapkeeper.classify.evidence import Around, Seen
from mapkeeper.classify.in_text import CATEGORY, in_text
from mapkeeper.classify.table import Table
from mapkeeper.classify.tally import RuleTally
from mapkeeper.classify.weights import Weights
from mapkeeper.model import LIKELY_FROM, Field, Finding, Gap
from mapkeeper.rules import Rule


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an asset holds."""

    fields: tuple[Field, ...]
    findings: tuple[Finding, ...]  # in order of fields, the most certain first
    values: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Distinct true values by (field, category); only where they were asked for."""
    gaps: tuple[Gap, ...] = ()  # what could not be looked for


def judge(fields: Sequence[Seen], table: Table, rules: Sequence[Rule], weights: Weights) -> Judgement:
    """Weigh everything that was counted of an asset."""
    findings: list[Finding] = []
    values: dict[tuple[str, str], tuple[str, ...]] = {}
    by_values = _by_values(rules, weights)
    partners = _partners(fields, table, rules, weights)
    for seen in fields:
        for case in _Field(seen, table, rules, weights, partners.get(seen.tally.name, frozenset()), by_values).cases():
            findings.append(case.finding())
            if case.values:
                values[seen.tally.name, case.rule.category] = case.values
    return Judgement(tuple(Field(seen.tally.name, seen.tally.type) for seen in fields), tuple(findings), values)


def _by_values(rules: Sequence[Rule], weights: Weights) -> Mapping[str, Sequence[int]]:
    """By category, the rules (by number) that know values from lists, whatever the field is called."""
    found: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        weak = max((pattern.score for pattern in rule.find), default=1.0) < weights["values", "weak"]
        if weak and not rule.names and not rule.context and rule.check is not None and rule.chance is not None:
            found.setdefault(rule.category, []).append(number)
    return found


def _partners(
    fields: Sequence[Seen], table: Table, rules: Sequence[Rule], weights: Weights
) -> Mapping[str, frozenset[int]]:
    """By field, the rules (by number) whose other half a neighbour holds."""
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    found: dict[str, set[int]] = {}
    for pair in table.words.pairs:
        left, right = (numbers.get(id) for id in pair)
        if left is None or right is None:
            continue
        sides: dict[str, dict[int, list[str]]] = {}
        for seen in fields:
            side = _side(seen, left, right, rules, weights)
            if side is not None:
                sides.setdefault(seen.name.parent, {}).setdefault(side, []).append(seen.tally.name)
        for family in sides.values():
            if len(family) == len(pair):
                for side, names in family.items():
                    for name in names:
                        found.setdefault(name, set()).add(side)
    return {name: frozenset(held) for name, held in found.items()}


def _side(seen: Seen, left: int, right: int, rules: Sequence[Rule], weights: Weights) -> int | None:
    """Which of two rules that belong together a field is for, by its name or by most of its values."""
    if rules[left].names:
        return next((number for number in (left, right) if number in seen.speeches), None)
    rate, number = max((seen.rate(left), left), (seen.rate(right), right))
    return number if rate >= weights["tables", "witness_rate"] else None


class _Field:
    """One field, with every rule that matched or that its name speaks for."""

    def __init__(
        self,
        seen: Seen,
        table: Table,
        rules: Sequence[Rule],
        weights: Weights,
        partnered: frozenset[int],
        by_values: Mapping[str, Sequence[int]],
    ) -> None:
        self.seen, self.table, self.rules, self.weights = seen, table, rules, weights
        self.partnered, self.by_values = partnered, by_values
        contents = table.words.contents
        self.categories = {
            number: rules[number].category
            for number in seen.speeches
            if not rules[number].category.startswith(contents)
        }

    def cases(self) -> list[Case]:
        """What is claimed of the field: one case a category, rivals put in their place."""
        numbers = {*self.seen.rules, *self.seen.speeches}
        cases = [case for number in sorted(numbers) if (case := self._case(number)) is not None]
        if (people := self.seen.tally.people) is not None and people.likely:
            otherwise = self.seen.speaks_otherwise(CATEGORY, self.categories, self.weights)
            cases.append(in_text(people, self.seen, self.table, self.weights, otherwise))
        cases.sort(key=lambda case: -case.nats)
        best: dict[str, Case] = {}
        for case in cases:
            first = best.setdefault(case.rule.category, case)
            if first is not case and case.confidence >= LIKELY_FROM:
                first.others.append(case)
        kept = list(best.values())
        owner = next((case for case in kept if case.owns and case.confidence >= LIKELY_FROM), None)
        for case in kept:
            if owner is not None and case is not owner and case.rivals(owner):
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
        around = Around(
            self.seen.speaks_otherwise(rule.category, self.categories, self.weights),
            number in self.partnered,
            self._witness(rule.category),
        )
        case = Case(rule, tally, self.seen, self.table, self.weights)
        case.weigh(number, speech, around)
        return case

    def _witness(self, category: str) -> float | None:
        """The share of distinct values that the category's rules without names know; ``None`` where there are none."""
        return max((self.seen.rate(number) for number in self.by_values.get(category, ())), default=None)

    def _list_speaks(self, rule: Rule, tally: RuleTally) -> bool:
        """Whether a closed list explains the field without its name: all of many cells, and words, not codes."""
        limit, filled = self.weights, self.seen.told
        length = self.seen.tally.characters / max(1, self.seen.tally.values)
        least, many = limit["limits", "list_distinct"], limit["limits", "list_many"]
        distinct = tally.distinct.count()
        # The more different values are listed, the less can it be by accident.
        variety = min(1.0, max(0, distinct - least) / (many - least))
        share = limit["limits", "list_share"]
        share -= variety * (share - limit["limits", "list_share_many"])
        return (
            bool(rule.values)
            and filled >= limit["limits", "list_cells"]
            and tally.whole >= share * filled
            and distinct >= least
            and length >= limit["limits", "list_length"]
        )
