"""The one place where evidence is weighed: what was counted, what names say, what stands beside; with reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mapkeeper.categories import categories
from mapkeeper.classify.chance import worth
from mapkeeper.classify.evidence import Around, Seen
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
    def of_texts(self) -> bool:
        """Whether the claim is that the cells are texts, in which others may find something."""
        return self.rule.category.startswith(self.table.words.contents)

    @property
    def owns(self) -> bool:
        """Whether the rule's values are the cells of the field, so that there can be no other kind in it."""
        return (
            self.of_cells
            and self.tally.whole_valid >= self.weights["limits", "owner"] * self.seen.told
            and not self.of_texts
        )

    def rivals(self, owner: Case) -> bool:
        """Whether the claim is on the same cells, or on so few places in them that it is an accident."""
        one_word = self.seen.tally.words == self.seen.tally.values
        stray = one_word and self.tally.valid < self.weights["limits", "stray"] * self.seen.told
        return self.of_cells or (stray and owner.tally.whole_valid >= self.weights["values", "nearly"] * self.seen.told)

    def add(self, nats: float, why: str | None = None) -> None:
        """Add a piece of evidence, in nats, with its reason in words."""
        self.nats += nats
        if why is not None:
            self.why.append(why)

    def weigh(self, number: int, speech: Speech | None, around: Around) -> None:
        """Add up all that is known."""
        weights, seen = self.weights, self.seen
        scores = [pattern.score for pattern in self.rule.find]
        mean = self.tally.scores / self.tally.scored if self.tally.scored else max(scores, default=0.0)
        start = weights.by_score(mean) if scores else weights["start", "by_name"]
        if speech is not None:
            # Values that only fit the name say nothing by themselves.
            start = max(start if self.tally.scored else -math.inf, weights["start", "by_name"])
        elif not scores:
            start = weights["start", "by_list"]
            self.limit = weights["limits", "lone_list"]
        self.add(start)
        if speech is not None:
            self._name(number, speech, around)
            witness = around.witness is not None and around.witness >= weights["tables", "witness_rate"]
            if not (witness or self.tally.scored or self.rule.values or self.rule.chance is not None):
                # Nothing but the name: the values could be anything.
                self.limit = min(self.limit, weights["limits", "vague" if speech.vague else "named"])
        else:
            self._other_name(number, around.otherwise)
            self._things(scores)
        if around.partner:
            self.add(weights["tables", "pair"], "beside a field that holds the other half")
        elif self.rule.id in self.table.words.paired:
            self.add(weights["tables", "lone"], "no field beside it holds the other half")
        if not seen.tally.filled:
            self.limit = weights["limits", "empty"] * (speech.strength if speech else 1.0)
            self.why.append("no value to look at")
            return
        self._share(speech)
        self._check(speech)
        self._known()
        self._shape(speech)

    def _things(self, scores: Sequence[float]) -> None:
        """What a table of things says against values that go by themselves."""
        weights, table = self.weights, self.table
        if table.thing is None or not self.rule.category.startswith(table.words.things_bar):
            return
        if not scores:
            self.add(weights["lists", "things"], f"in a table of {table.thing}")
        elif max(scores) < weights["values", "weak"]:
            self.add(weights["tables", "things_values"], f"in a table of {table.thing}")

    def _name(self, number: int, speech: Speech, around: Around) -> None:
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
            self._witness(around.witness)
        if (listed := table.lists(self.rule.category)) is not None:
            self.add(weights["tables", "as_such"], f"in a list of each {listed} there is")
        if (word := table.supports(number, name)) is not None:
            self.add(weights["tables", "wanted" if speech.vague else "context"], f"near '{word}'")

    def _witness(self, rate: float | None) -> None:
        """What the values say by the lists of names, under a name that says too little."""
        if rate is None:
            return
        weights = self.weights
        # Many different ones, or the same few again and again.
        many = max(self.seen.distinct, self.seen.told / self.seen.distinct if self.seen.distinct else 0)
        many = many >= weights["tables", "stranger_distinct"]
        if rate >= weights["tables", "witness_rate"]:
            self.add(weights["tables", "witness"], "most values are names of people")
        elif rate < weights["tables", "stranger_rate"] and many:
            self.add(weights["tables", "stranger"], "few values are names of people")

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
        weights, tally, told = self.weights, self.tally, self.seen.told
        valid = min(told, round(tally.valid))
        nearly, share = weights["values", "nearly"], valid / told
        enough = min(1.0, told / weights["values", "few_cells"])
        if speech is not None:
            self.why.append(f"{valid} of {told} values fit")
            if share >= nearly:
                self.add(weights["values", "fit"] * enough)
                if speech.vague and self.rule.check is not None and self.rule.chance is None:
                    self.add(weights["values", "filtered"] * enough, "all of the right make")
                if self.rule.values:
                    self.add(weights["values", "listed"] * enough, "they are in a closed list")
            else:
                misfit = weights["values", "misfit"]
                self.add(misfit + (weights["values", "fit"] - misfit) * (share / nearly) ** 2)
        elif tally.whole_valid >= nearly * told:
            self.why.append(f"{valid} of {told} values fit")
            trust = min(1.0, max(0.0, (self.nats - weights["start", "by_name"]) / -weights["start", "by_name"]))
            self.add(weights["values", "consistent"] * enough * trust)
            if not self.rule.find and self.seen.distinct >= weights["lists", "apart_share"] * told:
                self.add(weights["lists", "apart"], "every value is there once, like in a list of what there is")
        elif self.is_text:
            self.why.append(f"found in {valid} of {told} texts")
        else:
            self.why.append(f"found in {valid} of {told} cells")
            if share < weights["values", "sparse_share"]:
                self.add(weights["values", "sparse"])

    def _check(self, speech: Speech | None) -> None:
        """What the check is worth; one of unknown chance only keeps out what is none, and proves nothing."""
        if self.rule.check is None or self.rule.chance is None:
            return
        nats, told = worth(self.rule, self.rule.chance, self.tally, self.weights)
        if nats is None:
            nats = self.weights["values", "beaten"] if speech is None else 0.0
        self.add(nats, told)

    def _shape(self, speech: Speech | None) -> None:
        weights, tally, distinct = self.weights, self.tally, self.tally.distinct.count()
        many = self.seen.told >= weights["values", "few_cells"]
        if self.is_text and speech is None:
            self._beside()
        if speech is not None:
            if not self.is_text and self.seen.distinct == 1 and self.seen.told >= weights["values", "one_cells"]:
                self.add(weights["values", "one_named"], "one value in all cells")
        elif distinct < weights["values", "few_distinct"] and self.rule.find:
            if not self._evident:
                self.add(weights["values", "few_values"], "too few values to be sure")
                if self.rule.check is None or (tally.proved == 1 and many):
                    self.limit = min(self.limit, weights["limits", "few_values"])
        elif not self.is_text and distinct == 1 and many:
            self.add(weights["values", "one_value"], "one value in all cells")
        if (speech is None or speech.vague) and self.seen.counts_up(weights):
            self.add(weights["values", "sequence"], "the numbers count upwards, like a key")

    @property
    def _evident(self) -> bool:
        """Whether one value is proof enough: a private key, a token with its prefix, a number of a strict check."""
        score = self.tally.scores / self.tally.scored if self.tally.scored else 0.0
        strict = self.rule.chance is not None and self.rule.chance < self.weights["values", "evident_chance"]
        return score >= self.weights["values", "evident"] or strict

    def _beside(self) -> None:
        """What stands in the texts around the values."""
        weights, tally = self.weights, self.tally
        if tally.supported and not self.said:
            self.add(weights["text", "supported"] * tally.supported / tally.heard, "beside words that speak for it")
        elif self.rule.check is not None and (self.rule.chance or 0.0) >= weights["text", "digits_chance"]:
            self.add(weights["text", "unsupported"])

    def _known(self) -> None:
        """Values that everybody has, or that are of a kind to be told."""
        tally = self.tally
        if not tally.proved:
            return
        if tally.usual == tally.proved:
            self.add(self.weights["values", "constant"], "nothing but known constants")
            self.limit = min(self.limit, self.weights["limits", "constant"])
        for mark in self.table.words.marks.get(self.rule.category, ()):
            if count := tally.marked.get(mark.why, 0):
                share = count / tally.proved
                nats = mark.nats * (1.0 if share >= self.weights["values", "marked"] else share)
                self.add(nats, mark.why if share == 1 else f"{count} of {tally.proved} {mark.why}")

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
