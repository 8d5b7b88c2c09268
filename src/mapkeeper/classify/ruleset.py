"""A set of rules, compiled: everything that is the same for every asset. Keeps no value."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mapkeeper.classify.hits import Flags
from mapkeeper.classify.matching import Lists, Matcher
from mapkeeper.classify.names import Vocabulary
from mapkeeper.classify.sieve import Sieve
from mapkeeper.classify.weights import Weights, Words
from mapkeeper.rules import TYPES, Rule


@dataclass(frozen=True, slots=True)
class OfKind:
    """Rules by number: those that go by themselves, and those that want a word that speaks for them."""

    strong: frozenset[int]
    weak: frozenset[int]


class Ruleset:
    """Rules by number, with what runs them."""

    def __init__(self, rules: Iterable[Rule], words: Words, weights: Weights) -> None:
        self.rules = tuple(rules)
        self.words = words
        self.weights = weights
        firsts = itertools.accumulate((len(rule.find) for rule in self.rules), initial=0)
        forms = itertools.accumulate((rule.fit is not None for rule in self.rules), initial=0)
        self.matchers = tuple(map(Matcher, self.rules, firsts, forms))
        expressions = [expression.text for matcher in self.matchers for expression in matcher.expressions]
        fits = [matcher.fit.text for matcher in self.matchers if matcher.fit]
        self.sieve = Sieve(expressions, {hint for matcher in self.matchers for hint in matcher.hints}, fits)
        self.hints = [self.sieve.literals.outputs(matcher.hints) for matcher in self.matchers]
        counts = [len(rule.find) for rule in self.rules]
        self._rule_of = np.repeat(np.arange(len(self.rules)), counts)
        self._hinting: dict[int, list[int]] = {}
        for number, rule in enumerate(self.rules):
            for output in self.hints[number] if rule.weak else ():
                self._hinting.setdefault(int(output), []).append(number)
        self._of_kind = {
            kind: OfKind(
                frozenset(n for n, rule in enumerate(self.rules) if rule.find and kind in rule.types and not rule.weak),
                frozenset(n for n, rule in enumerate(self.rules) if rule.find and kind in rule.types and rule.weak),
            )
            for kind in (*TYPES, "other")
        }
        self.lists = Lists({number: rule.values for number, rule in enumerate(self.rules) if rule.values})
        self.vocabulary = Vocabulary(self.rules, words, weights)

    def of_kind(self, kind: str) -> OfKind:
        """The rules that look for their patterns in fields of a kind."""
        return self._of_kind[kind]

    def hinted_by(self, outputs: Iterable[int]) -> set[int]:
        """The weak rules for which some words (outputs of the sieve's literals) may speak."""
        return {number for output in outputs for number in self._hinting.get(output, ())}

    def among(self, rules: Mapping[int, Flags]) -> dict[int, Flags]:
        """The same flags by the expressions of the rules."""
        return {
            expression.number: flags
            for number, flags in rules.items()
            for expression in self.matchers[number].expressions
        }

    def expressions_of(self, rules: Iterable[int]) -> Flags:
        """Flags for the expressions of some rules."""
        flags = np.zeros(len(self.rules), bool)
        flags[list(rules)] = True
        return flags[self._rule_of]

    def rules_of(self, expressions: Iterable[int]) -> set[int]:
        """The rules that some expressions are of."""
        return {int(self._rule_of[number]) for number in expressions}

    def fingerprint(self) -> str:
        """What changes with anything that could change a judgement."""
        digest = hashlib.sha256(f"{self.weights.text}\0{self.words.text}".encode())
        for rule in sorted(self.rules, key=lambda rule: (rule.ref, repr(rule.find))):
            names = rule.ref, rule.category, rule.entity, rule.names, rule.context, rule.countries
            values = rule.find, rule.fit, sorted(rule.values), sorted(rule.types), rule.check_name, rule.chance
            digest.update(repr((names, values, rule.identifying)).encode())
        return digest.hexdigest()
