"""Labelled values in a text: `Date of birth: 1984-05-17`, `user=alice`, a form filled in line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from mapkeeper.classify.idiom import Idiom
from mapkeeper.classify.matching import holds
from mapkeeper.classify.names import Vocabulary
from mapkeeper.classify.prose import PATIENCE
from mapkeeper.classify.span import Claim
from mapkeeper.rules import Rule

WHOLE = ("unstructured.", "communication.")
"""Categories of texts, not of values in them."""

NAMELY = ("identity.name", "identity.nationality", "location.coarse")
"""Categories of names: what follows one in small letters is the sentence going on."""

UNBROKEN = ("credential.",)
"""Categories of values that a space does not end behind a colon: what has several words is something else."""

WORDS = 4
"""Words of a label, and of a value behind one that says little."""

LONGEST = 120
"""Characters of a value."""

_MARK = regex.compile(r"(?<=[\p{L}\p{N})\"'])[ \t]?[:=](?!//)[ \t\"'“(]*")
_LABEL = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}/.'\u2019º_-]*")
_STOP = regex.compile(r"[\n;|\t\"”]|[.,](?=\s|$)|\s")
_NAMED = regex.compile(
    r"(?:(?:\p{Lu}|\p{Lo}|['\u2019]|\p{Ll}['\u2019])\S*|\p{Ll}{1,3})"
    r"(?: (?:(?:\p{Lu}|\p{Lo}|\p{Ll}['\u2019])\S*|\p{Ll}{1,5}(?= )))*"
)
_TELLING = regex.compile(r"[\p{N}\p{Lu}\p{Lo}]")
"""A value in a text has a digit or a capital, where the script has any; "passport: missing" has neither."""


@dataclass(frozen=True, slots=True)
class _Label:
    start: int
    value: int  # where its value begins
    rules: Sequence[tuple[Rule, bool]]  # those that it speaks for, and whether it says little


class Labelled:
    """The rules that count where a name speaks, asked for what stands behind the names in a text."""

    def __init__(self, rules: Sequence[Rule], vocabulary: Vocabulary, idiom: Idiom) -> None:
        self._rules = rules
        self._vocabulary = vocabulary
        self._idiom = idiom
        self._fits = {rule.id: regex.compile(rule.fit) for rule in rules if rule.fit}

    def find(self, text: str) -> Iterator[Claim]:
        """What the labels of a text say of the values behind them."""
        labels = list(self._labels(text))
        for at, label in enumerate(labels):
            if label.rules:
                bound = labels[at + 1].start if at + 1 < len(labels) else len(text)
                yield from self._values(text, label, min(bound, label.value + LONGEST))

    def _labels(self, text: str) -> Iterator[_Label]:
        last = 0
        for mark in _MARK.finditer(text):
            words = list(_LABEL.finditer(text, max(last, mark.start() - LONGEST), mark.start()))[-WORDS:]
            # What a word does not follow with a mere space is another label, or the end of a value.
            for at in range(len(words) - 1, 0, -1):
                if text[words[at - 1].end() : words[at].start()] != " ":
                    words = words[at:]
                    break
            last = mark.end()
            if words:
                start, rules = self._spoken(text, [word.start() for word in words], mark.start())
                yield _Label(start, mark.end(), rules)

    def _spoken(self, text: str, starts: Sequence[int], end: int) -> tuple[int, list[tuple[Rule, bool]]]:
        """The longest phrase before a mark that speaks for rules, and which; else the last word, and none."""
        for start in starts:
            speeches = self._vocabulary.speaks(self._vocabulary.name(text[start:end].rstrip("\"'")))
            spoken = [
                (self._rules[rule], one.vague)
                for rule, one in speeches.items()
                if one.strength == 1.0 and not self._rules[rule].category.startswith(WHOLE)
            ]
            if spoken:
                return start, spoken
        return starts[-1], []

    def _values(self, text: str, label: _Label, bound: int) -> Iterator[Claim]:
        ends = [stop.start() for stop in _STOP.finditer(text, label.value, bound)]
        line = next((end for end in ends if text[end] in '\n;|\t"'), bound)
        ends = sorted({end for end in ends if end <= line} | {line}, reverse=True)
        for rule, vague in label.rules:
            for end in ends:
                if (
                    end != line
                    and text[end] == " "
                    and rule.category.startswith(UNBROKEN)
                    and text[label.value - 1] != "="
                ):
                    continue
                value = text[label.value : end].rstrip(" \t.,;:'\")”")
                if rule.category.startswith(NAMELY) and not _NAMED.fullmatch(value):
                    continue
                if vague and not _speaks(rule, value):
                    continue
                weight = self._weight(rule, value)
                if weight is not None:
                    weight += self._idiom.weigh("vague") * vague
                    place = label.value, label.value + len(value)
                    yield Claim(*place, rule.entity, rule.category, rule.ref, weight, labelled=True)
                    break

    def _weight(self, rule: Rule, value: str) -> float | None:
        """How far a value is what its label says, in nats; ``None``: it is not."""
        if value.casefold() in rule.values:
            return self._idiom.weigh("listed")
        fit = self._fits.get(rule.id)
        if fit is None or not _TELLING.search(value) or not _fits(fit, value) or not holds(rule, value):
            return None
        return self._idiom.weigh("fit" if rule.chance is None else "proved")


def _speaks(rule: Rule, value: str) -> bool:
    """Whether a value behind a label that says little can be one: no sentence; no lone word where a name is meant."""
    words = len(value.split())
    return words <= WORDS and (words > 1 or rule.category != "identity.name")


def _fits(fit: regex.Pattern[str], value: str) -> bool:
    try:
        return fit.fullmatch(value, timeout=PATIENCE) is not None
    except TimeoutError:
        return False
