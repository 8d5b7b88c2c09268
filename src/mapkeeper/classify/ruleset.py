"""A set of rules, compiled: everything that is the same for every asset. Keeps no value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from mapkeeper.classify.expressions import gated
from mapkeeper.classify.matching import Lists, Matcher
from mapkeeper.classify.names import Vocabulary
from mapkeeper.classify.weights import Weights, Words
from mapkeeper.rules import Rule


class Ruleset:
    """Rules by number, with what runs them."""

    def __init__(self, rules: Iterable[Rule], words: Words, weights: Weights) -> None:
        self.rules = tuple(rules)
        self.words = words
        self.weights = weights
        self.matchers = tuple(map(Matcher, self.rules))
        self.lists = Lists({number: rule.values for number, rule in enumerate(self.rules) if rule.values})
        self.vocabulary = Vocabulary(self.rules, words, weights)
        gated(expression for matcher in self.matchers for expression in matcher.expressions)

    def fingerprint(self) -> str:
        """What changes with anything that could change a judgement."""
        digest = hashlib.sha256(f"{self.weights.text}\0{self.words.text}".encode())
        for rule in sorted(self.rules, key=lambda rule: (rule.ref, repr(rule.find))):
            names = rule.ref, rule.category, rule.entity, rule.names, rule.context, rule.countries
            values = rule.find, rule.fit, sorted(rule.values), sorted(rule.types), rule.check_name, rule.chance
            digest.update(repr((names, values, rule.identifying)).encode())
        return digest.hexdigest()
