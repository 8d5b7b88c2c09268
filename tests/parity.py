"""What Presidio finds in texts, and what our engine finds there before anything is judged."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import polars as pl
import regex

from mapkeeper.classify.hits import TRUE
from mapkeeper.classify.idiom import Idiom
from mapkeeper.classify.names import Vocabulary
from mapkeeper.classify.prose import WEAK, Prose
from mapkeeper.classify.ruleset import Ruleset
from mapkeeper.classify.weights import Weights, Words
from mapkeeper_classifiers import presidio

Place = tuple[int, int]

LEFT_OUT = {entity: set(told.get("without", ())) for entity, told in presidio.meanings()["entity"].items()}
"""By entity, the patterns of its recognizer that our rule leaves out, counted from 1."""


class Theirs:
    """A recognizer of Presidio's, taken apart to see what it finds and where it stumbles."""

    def __init__(self, recognizer: Any) -> None:
        (self.entity,) = recognizer.supported_entities
        self._recognizer = recognizer
        self._patterns = [
            (number, regex.compile(pattern.regex, recognizer.global_regex_flags))
            for number, pattern in enumerate(recognizer.patterns, 1)
        ]
        self._validated: dict[str, bool] = {}
        self.stumbles = 0
        """Values over which its validator raised an error."""

    def analyzed(self, text: str) -> set[Place] | None:
        """What it says itself; ``None`` where it raises an error."""
        try:
            return {(found.start, found.end) for found in self._recognizer.analyze(text, [self.entity])}
        except (KeyError, ValueError, IndexError, TypeError):
            return None

    def bare(self, text: str, without: Set[int] = frozenset()) -> set[Place]:
        """Every match of its patterns that it keeps, before it drops those that lie inside others."""
        return {
            place
            for number, pattern in self._patterns
            if number not in without
            for match in pattern.finditer(text)
            for place in self._kept(match)
        }

    def _kept(self, match: regex.Match[str]) -> Iterator[Place]:
        ends = [match.end()]
        if self.entity == "IBAN_CODE":  # tried again without its last group, then without the one before
            spans = [match.span(number)[1] for number in range(match.re.groups, 0, -1)]
            ends = [end if end > 0 else match.end() for end in spans]
        for end in ends:
            if match.start() < end and self._holds(match.string[match.start() : end]):
                yield match.start(), end
                return

    def _holds(self, value: str) -> bool:
        if value not in self._validated:
            self._validated[value] = self._says(value)
        return self._validated[value]

    def _says(self, value: str) -> bool:
        try:
            said = self._recognizer.validate_result(value)
            return (said is None or bool(said)) and not self._recognizer.invalidate_result(value)
        except (KeyError, ValueError, IndexError, TypeError):
            self.stumbles += 1
            return False


class Ours:
    """All rules, ready to say what those of Presidio's entities find by themselves."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._matchers = {
            matcher.rule.entity: (number, matcher)
            for number, matcher in enumerate(ruleset.matchers)
            if matcher.rule.id.startswith("presidio/")
        }
        rules = [matcher.rule for _, matcher in self._matchers.values()]
        idiom = Idiom.shipped()
        vocabulary = Vocabulary(rules, Words.shipped(), Weights.shipped())
        self.prose = Prose(rules, vocabulary, idiom, {}, {})

    @property
    def entities(self) -> Mapping[str, bool]:
        """Each entity, and whether its rule is weak."""
        return {entity: matcher.rule.weak for entity, (_, matcher) in self._matchers.items()}

    @property
    def weak(self) -> Mapping[str, set[int]]:
        """By entity those patterns of its recognizer, counted from 1, of which a match says little by itself."""
        weak: dict[str, set[int]] = {}
        for entity, (_, matcher) in self._matchers.items():
            scores = [pattern.score for pattern in matcher.rule.find]
            taken = (number for number in itertools.count(1) if number not in LEFT_OUT[entity])
            weak[entity] = {number for number, score in zip(taken, scores, strict=False) if score < WEAK}
        return weak

    def context(self, entity: str) -> tuple[str, ...]:
        """The words that speak for an entity."""
        return self._matchers[entity][1].rule.context

    def found(self, texts: Sequence[str], spoken: bool = False) -> dict[str, set[tuple[int, str]]]:
        """By entity the texts, by number, with each value found there; ``spoken``: where a word speaks for it."""
        column = pl.Series("text", texts, dtype=pl.String)
        sifted = self._ruleset.sieve.sift(column)
        everything = sifted.search()
        found: dict[str, set[tuple[int, str]]] = {}
        for entity, (number, matcher) in self._matchers.items():
            hits = matcher.find(everything)
            if spoken and number not in self._ruleset.hinted_by(sifted.outputs()):
                hits = None
            elif spoken and hits is not None:
                hinted = sifted.mentioned(self._ruleset.hints[number])
                hits = hits.where(matcher.in_context(hits.text, column, hinted))
            if hits is None:
                found[entity] = set()
                continue
            judged = matcher.judged(hits, {}, thorough=True)
            held = np.flatnonzero(judged.verdict == TRUE)
            values = dict(zip(held.tolist(), judged.values.gather(held), strict=True))
            found[entity] = {
                (int(text), values[int(value)])
                for text, value in zip(judged.text, judged.value, strict=True)
                if int(value) in values
            }
        return found

    def claimed(self, text: str) -> dict[str, set[Place]]:
        """By entity the stretches of one text that a rule claims; a weak one needs a word near that speaks for it."""
        claimed: dict[str, set[Place]] = {}
        for claim in self.prose.find(text):
            claimed.setdefault(claim.entity, set()).add((claim.start, claim.end))
        return claimed


def inside(places: set[Place], others: set[Place]) -> bool:
    """Whether each place lies in one of the others."""
    return all(any(a <= start and end <= b for a, b in others) for start, end in places)


def differences(
    ours: Ours, recognizers: Mapping[str, Theirs], texts: Sequence[str]
) -> tuple[Counter[str], dict[str, list[tuple[str, int]]]]:
    """How many matches each entity has, and where we and Presidio do not say the same: what, and in which text."""
    found = ours.found(texts)
    matches: Counter[str] = Counter()
    wrong: dict[str, list[tuple[str, int]]] = {}
    for entity, theirs in recognizers.items():
        without = LEFT_OUT[entity]
        wanted: set[tuple[int, str]] = set()
        for number, text in enumerate(texts):
            places = theirs.bare(text, without)
            wanted |= {(number, text[start:end]) for start, end in places}
            said = theirs.analyzed(text)
            if said is None:
                wrong.setdefault(entity, []).append(("Presidio raises an error", number))
            elif without and not said <= places:
                wrong.setdefault(entity, []).append(("pattern left out", number))
            elif not (said <= places and inside(places, said)):
                wrong.setdefault(entity, []).append(("its own matches are not what it says", number))
        matches[entity] = len(wanted)
        wrong.setdefault(entity, []).extend(("missed", number) for number, _ in wanted - found[entity])
        wrong[entity].extend(("found by us alone", number) for number, _ in found[entity] - wanted)
    return matches, {entity: some for entity, some in wrong.items() if some}
