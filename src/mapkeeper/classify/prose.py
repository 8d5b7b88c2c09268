"""Prose: what the rules find anywhere in a text, weighed by pattern, check and the words that stand near."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import regex

from mapkeeper.classify.idiom import Idiom
from mapkeeper.classify.matching import holds
from mapkeeper.classify.names import Vocabulary
from mapkeeper.classify.patterns import Needs, study
from mapkeeper.classify.span import Claim, nats
from mapkeeper.rules import Pattern, Rule

PATIENCE = 0.5
"""Seconds that one pattern may spend on one piece of a text."""

NEAR = 5
"""Words before and after a value among which one that speaks for it is looked for, as Presidio does."""

SIGHT = 100
"""Characters in which those words are looked for."""

ACCOUNT = "credential.username"

WEAK = 0.3
"""A pattern of less score counts only where such a word is near."""

_MORE = regex.compile(r" (?:\p{Lu}\. )?\p{Lu}\p{Ll}")
"""Behind a word with a capital, another one: the name of a person, not of an account."""

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


class Prose:
    """The rules that recognize values by themselves, ready to run over texts. Keeps no value."""

    def __init__(
        self,
        rules: Sequence[Rule],
        vocabulary: Vocabulary,
        idiom: Idiom,
        constants: Mapping[str, str],
        unless: Mapping[str, str],
    ) -> None:
        """By category, ``constants`` are values that are nobody's; no value stands where ``unless`` has its own."""
        self._seekers = [_Seeker(rule, pattern, vocabulary, idiom) for rule in rules for pattern in rule.find]
        self._constants = {category: regex.compile(text) for category, text in constants.items()}
        self._unless = {category: regex.compile(text) for category, text in unless.items()}

    def find(self, text: str) -> Iterator[Claim]:
        """What the rules claim of a text, overlaps and all."""
        surface = _Surface(text)
        for seeker in self._seekers:
            if surface.can(seeker):
                yield from (claim for claim in seeker.claims(text) if self._counts(text, claim))

    def _counts(self, text: str, claim: Claim) -> bool:
        if claim.category == ACCOUNT and _MORE.match(text, claim.end) and text[claim.start].isupper():
            return False
        constant, unless = self._constants.get(claim.category), self._unless.get(claim.category)
        if constant is not None and constant.fullmatch(text, claim.start, claim.end):
            return False
        if unless is None:
            return True
        before = max(0, claim.start - SIGHT)
        return all(found.start("value") != claim.start for found in unless.finditer(text, before, claim.end))


class _Surface:
    """What can be seen of a text without reading it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._length = len(text)
        self._digits = sum(map(str.isdigit, text))
        self._marks = frozenset(text)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self._text.casefold()))

    def can(self, seeker: _Seeker) -> bool:
        """Whether it may hold what a seeker looks for."""
        needs = seeker.needs
        if self._length < needs.length or self._digits < needs.digits or not needs.marks <= self._marks:
            return False
        return not seeker.weak or not seeker.heads.isdisjoint(self._words)


class _Seeker:
    """One pattern of a rule, and the words that speak for what it finds."""

    def __init__(self, rule: Rule, pattern: Pattern, vocabulary: Vocabulary, idiom: Idiom) -> None:
        self.rule = rule
        self._pattern = pattern
        self.weak = pattern.score < WEAK
        self._vocabulary = vocabulary
        self._phrases = vocabulary.phrases(dict.fromkeys((*rule.context, *rule.names)))
        self._near, self._label = idiom.weigh("near"), idiom.weigh("label")
        self._word = idiom.weigh("word")
        self._nats = nats(pattern.score)
        if rule.check is not None and rule.chance is not None:
            self._nats += min(idiom.weigh("proof"), -math.log(max(rule.chance, 1e-9)))

    @cached_property
    def _expression(self) -> regex.Pattern[str]:
        return regex.compile(self._pattern.regex)

    @cached_property
    def needs(self) -> Needs:
        """What every match holds."""
        return study(self._pattern.regex).needs

    @cached_property
    def heads(self) -> frozenset[str]:
        """The words with which the phrases begin, as a text may spell them."""
        spelled = [text.split()[0] for text in (*self.rule.context, *self.rule.names)]
        heads = {*spelled, *(phrase.words[0] for phrase in self._phrases)}
        return frozenset({*heads, *(f"{head}s" for head in heads)})

    def claims(self, text: str) -> Iterator[Claim]:
        """Every match whose check holds, and that is not too weak without a word near it."""
        rule = self.rule
        group = "value" if "value" in self._expression.groupindex else 0
        try:
            for found in self._expression.finditer(text, timeout=PATIENCE):
                start, end = found.span(group)
                if start >= end or not holds(rule, found[group]):
                    continue
                labelled = _WORD.search(text, found.start(), start) is not None
                near = self._supported(text, *found.span(), start, end)
                if near or not self.weak:
                    weight = self._nats + max(self._near * near, self._label * labelled)
                    if rule.category == ACCOUNT and found[group].isalpha() and text[start - 1 : start] == " ":
                        weight += self._word
                    yield Claim(start, end, rule.entity, rule.category, rule.ref, weight, labelled)
        except TimeoutError:
            return

    def _supported(self, text: str, left: int, right: int, start: int, end: int) -> bool:
        """Whether a word that speaks for the rule is near; what the match holds beside the value is near."""
        before = _WORD.findall(text, max(0, left - SIGHT), left)[-NEAR:]
        after = _WORD.findall(text, right, right + SIGHT)[:NEAR]
        before += _WORD.findall(text, left, start)
        after = _WORD.findall(text, end, right) + after
        names = [self._vocabulary.name(" ".join(words)) for words in (before, after) if words]
        return any(phrase in name for name in names for phrase in self._phrases)
