"""The one place where evidence is weighed: what was counted, what names say, what stands beside; with reasons."""

from __future__ import annotations

import math

from mapkeeper.categories import categories
from mapkeeper.classify.evidence import Seen
from mapkeeper.classify.names import Speech
from mapkeeper.classify.table import Table
from mapkeeper.classify.tally import RuleTally
from mapkeeper.classify.weights import Weights
from mapkeeper.model import Finding
from mapkeeper.rules import Rule


class Case:
    """One rule's claim on a field, and what speaks for and against it."""

    def __init__(self, rule: Rule, tally: RuleTally, seen: Seen, table: Table, weights: Weights) -> None:
        self.rule, self.tally, self.seen, self.table, self.weights = rule, tally, seen, table, weights
        self.is_text = seen.is_text(weights)
        self.nats = 0.0
        self.limit = weights.most(rule.category)
        self.why: list[str] = []
        self.said = False
        self.others: list[Case] = []
        """Likely claims of other rules of the same category: their values are shown with this one's."""

    @property
    def values(self) -> tuple[str, ...]:
        """The true values that were kept to be revealed."""
        return tuple(dict.fromkeys(value for case in (self, *self.others) for value in case.tally.values))

    @property
    def confidence(self) -> float:
        """How sure the claim is, 0 to 1."""
        return round(min(self.limit, 1 / (1 + math.exp(-max(-30.0, self.nats)))), 3)

    @property
    def of_cells(self) -> bool:
        """Whether the rule's values are cells from end to end, not parts of texts."""
        return self.tally.whole_valid >= self.weights["values", "cells"] * self.tally.valid

    @property
    def owns(self) -> bool:
        """Whether the rule's values are the cells of the field, so that there can be no other kind in it."""
        return self.of_cells and self.tally.whole_valid >= self.weights["limits", "owner"] * self.seen.tally.filled

    def add(self, nats: float, why: str | None = None) -> None:
        """Add a piece of evidence, in nats, with its reason in words."""
        self.nats += nats
        if why is not None:
            self.why.append(why)

    def weigh(self, number: int, speech: Speech | None, otherwise: bool) -> None:
        """Add up all that is known; ``otherwise``: the field's name clearly speaks for something else."""
        weights, seen = self.weights, self.seen
        scores = [pattern.score for pattern in self.rule.find]
        mean = self.tally.scores / self.tally.scored if self.tally.scored else max(scores, default=0.0)
        start = weights.by_score(mean) if scores else weights["start", "by_name"]
        if speech is not None:
            start = max(start, weights["start", "by_name"])
        elif not scores:
            start = weights["start", "by_list"]
            self.limit = weights["limits", "lone_list"]
        self.add(start)
        if speech is not None:
            self._name(number, speech)
        else:
            self._other_name(number, otherwise)
        if not seen.tally.filled:
            self.limit = weights["limits", "empty"] * (speech.strength if speech else 1.0)
            self.why.append("no value to look at")
            return
        self._share(speech)
        if self.rule.check is not None:
            self._check(speech)
        self._shape(speech)

    def _name(self, number: int, speech: Speech) -> None:
        weights, table, name = self.weights, self.table, self.seen.name
        if not speech.vague:
            self.add(weights["names", "speaks"] * speech.strength, f"name '{speech.phrase}'")
        else:
            self.add(weights["names", "vague"] * speech.strength, f"name '{speech.phrase}', which alone says little")
            settled = self.rule.category.startswith(table.words.settled)
            if settled and (neighbour := table.people(name)) is not None:
                self.add(weights["tables", "people"], f"beside '{neighbour}'")
            if settled and table.subject is not None:
                self.add(weights["tables", "subject"], f"in a table of a {table.subject}")
            elif table.thing is not None and self.rule.category.startswith(table.words.things_bar):
                self.add(weights["tables", "things"], f"in a table of {table.thing}")
        if (listed := table.lists(self.rule.category)) is not None:
            self.add(weights["tables", "as_such"], f"in a list of each {listed} there is")
        if (word := table.supports(number, name)) is not None:
            self.add(weights["tables", "wanted" if speech.vague else "context"], f"near '{word}'")

    def _other_name(self, number: int, otherwise: bool) -> None:
        against = self.table.words.against.get(self.rule.category, ())
        if any(word in self.seen.name.words for word in against):
            self.add(self.weights["names", "against"], "the name says otherwise")
        elif otherwise:
            self.add(self.weights["names", "other"], "the name says something else")
        elif (word := self.table.said(number, self.seen.name)) is not None:
            self.said = True
            self.add(self.weights["names", "context"], f"'{word}' in the name")
        elif (word := self.table.supports(number, self.seen.name)) is not None:
            self.add(self.weights["names", "near"], f"near '{word}'")

    def _share(self, speech: Speech | None) -> None:
        weights, tally, field = self.weights, self.tally, self.seen.tally
        filled, valid = field.filled, round(tally.valid)
        nearly = weights["values", "nearly"]
        share = valid / filled
        if speech is not None:
            self.why.append(f"{valid} of {filled} values fit")
            if share >= nearly:
                self.add(weights["values", "fit"])
                if self.rule.values:
                    self.add(weights["values", "listed"])
            else:
                misfit = weights["values", "misfit"]
                self.add(misfit + (weights["values", "fit"] - misfit) * (share / nearly) ** 2)
        elif tally.whole_valid >= nearly * filled:
            self.why.append(f"{valid} of {filled} values fit")
            enough = min(1.0, filled / weights["values", "few_cells"])
            trust = min(1.0, max(0.0, (self.nats - weights["start", "by_name"]) / -weights["start", "by_name"]))
            self.add(weights["values", "consistent"] * enough * trust)
        elif self.is_text:
            self.why.append(f"found in {valid} of {filled} texts")
        else:
            self.why.append(f"found in {valid} of {filled} cells")
            if share < weights["values", "sparse_share"]:
                self.add(weights["values", "sparse"])

    def _check(self, speech: Speech | None) -> None:
        """What a check is worth: how much oftener it holds than random values would let it.

        The gain is the exponent of Chernoff's bound: random values reach such a rate with a probability of e^-gain
        at the most.
        """
        weights, tally = self.weights, self.tally
        chance = weights["values", "unknown_chance"] if self.rule.chance is None else self.rule.chance
        chance = min(max(chance, 1e-4), 0.9999)  # so that no logarithm is infinite
        # Each distinct value is one trial, however many cells hold it and however many a cell holds.
        trials = max(1, tally.trials.count())
        rate = min(1.0, tally.proofs.count() / trials)
        gain = trials * _divergence(rate, chance) if rate > chance else 0.0
        name = (self.rule.check_name or "check").replace("_", " ")
        told = f"check '{name}' holds for {tally.proofs.count()} of {trials} values"
        if self.rule.chance is not None:
            told += f", chance would give {round(trials * self.rule.chance)}"
        lift = (rate - chance) / (1 - chance)
        crowd = lift < weights["values", "least_lift"] and not tally.supported
        crowd = crowd and chance >= weights["values", "lift_chance"]
        enough = trials > weights["values", "few_trials"] or rate <= chance
        if crowd or (enough and gain < weights["values", "least_gain"]):
            self.add(weights["values", "beaten"] if speech is None else 0.0, told)
        else:
            # A check that most values pass says little, however many they are: counters that begin alike all pass it.
            self.add(min(weights["values", "check"] * (1 - chance), gain), told)

    def _shape(self, speech: Speech | None) -> None:
        weights, tally, field = self.weights, self.tally, self.seen.tally
        distinct = tally.distinct.count()
        if tally.proved and tally.usual == tally.proved:
            self.add(weights["values", "constant"], "nothing but known constants")
            self.limit = min(self.limit, weights["limits", "constant"])
        if self.is_text and speech is None:
            digits = self.rule.check is not None and (self.rule.chance or 0.0) >= weights["text", "digits_chance"]
            if tally.supported and not self.said:
                self.add(
                    weights["text", "supported"] * tally.supported / tally.proved, "beside words that speak for it"
                )
            elif digits:
                self.add(weights["text", "unsupported"])
        if speech is not None:
            return
        if distinct < weights["values", "few_distinct"] and self.rule.find:
            self.add(weights["values", "few_values"])
            if self.rule.check is None or (tally.proved == 1 and field.filled >= weights["values", "few_cells"]):
                self.limit = min(self.limit, weights["limits", "few_values"])
        elif not self.is_text and distinct == 1 and field.filled >= weights["values", "few_cells"]:
            self.add(weights["values", "one_value"], "one value in all cells")
        if self.seen.counts_up(weights):
            self.add(weights["values", "sequence"], "the numbers count upwards, like a key")

    def finding(self) -> Finding:
        """The claim as a finding."""
        field, tally, rule, table = self.seen.tally, self.tally, self.rule, self.table
        category = categories().get(rule.category)
        checked = rule.check is not None and field.filled > 0
        # "client_ip" speaks of a machine's role, not of a person's.
        whom = (None if rule.category.startswith("online.") else table.of(self.seen.name)) or table.subject
        if tally.own and tally.own >= self.weights["tables", "own"] * tally.proved:
            whom = "employee"
        return Finding(
            field=field.name,
            category=rule.category,
            entity=rule.entity,
            rule=rule.ref,
            confidence=self.confidence,
            rows=field.rows,
            filled=field.filled,
            hits=tally.hits,
            valid=min(tally.hits, round(tally.valid)) if checked else None,
            chance=rule.chance if checked else None,
            distinct=tally.distinct.count(),
            why=tuple(self.why),
            sample=tuple(tally.samples),
            where=tuple(tally.where),
            special=category.special if category else None,
            subject=whom,
            source_role=table.role,
        )


def _divergence(rate: float, chance: float) -> float:
    """Kullback-Leibler divergence of two rates, in nats a trial."""
    gain = rate * math.log(rate / chance) if rate > 0 else 0.0
    return gain + ((1 - rate) * math.log((1 - rate) / (1 - chance)) if rate < 1 else 0.0)
