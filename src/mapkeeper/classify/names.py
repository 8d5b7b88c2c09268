"""How far the name of a field speaks for a rule."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mapkeeper.classify.weights import Weights, Words
from mapkeeper.rules import Rule

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_LONGEST = 5
"""Words of a phrase."""

PLURAL_FROM = 5
"""Letters of a word from which on it may be the plural of a known one."""

_KEPT = ("ss", "us", "is", "as", "os")
"""Ends of words that are no plurals: "address", "status", "analysis", "alias", "chaos"."""

_PLURALS = (
    ("es", ""), ("e", ""), ("oe", "ao"), ("nen", "n"), ("en", "e"), ("en", ""), ("n", ""), ("s", ""), ("i", "o"),
    ("i", "e"), ("x", ""), ("ns", "m"),
)  # fmt: skip
"""Ends of plurals in other languages, with those of the singular: "direcciones", "Adressen", "indirizzi"."""

_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l"}
)
"""Letters that are no accented ones of the Latin alphabet's."""

_SEGMENTS = re.compile(r"[./\\#!:]+")


@dataclass(frozen=True, slots=True)
class Name:
    """A field's name, taken apart."""

    words: tuple[str, ...]
    leaf: int = 0  # where the words of the last part of a path begin: in "customer.name" at "name"
    parent: str = ""  # the path before it
    parts: tuple[tuple[str, ...], ...] = ()  # of an asset's name: the words of each part of its path

    @property
    def glued(self) -> str:
        """Its words without anything between them."""
        return "".join(self.words)

    def __contains__(self, phrase: Phrase) -> bool:
        """Whether the words of a phrase follow each other somewhere in it."""
        wanted, count = phrase.words, len(phrase.words)
        if wanted[0] not in self.words:
            return False
        return any(self.words[at : at + count] == wanted for at in range(len(self.words) - count + 1))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as it is spelled, and taken apart."""

    text: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Speech:
    """What a name says for a rule."""

    phrase: str  # "email address"
    strength: float  # 1 the whole name, less where more words stand around
    vague: bool = False  # needs the table or the neighbours to agree


class Vocabulary:
    """The names that rules know, and what they say in a field's name."""

    def __init__(self, rules: Sequence[Rule], words: Words, weights: Weights) -> None:
        self._words = words
        self._weights = weights
        self._rules: dict[str, set[int]] = {}
        self._spelled: dict[str, str] = {}
        for number, rule in enumerate(rules):
            for phrase in rule.names:
                for glued in {self.name(phrase).glued, _run_together(phrase)}:
                    self._rules.setdefault(glued, set()).add(number)
                    self._spelled.setdefault(glued, phrase)
        self.context = tuple(self.phrases(rule.context) for rule in rules)
        """By rule, its context words."""
        self.people = self.phrases(words.people)
        self._persons = frozenset(word for _, phrases in words.subjects for word in phrases)
        # A rule that goes by names alone and still asks for context does not trust its names.
        self._unsure = {number for number, rule in enumerate(rules) if rule.context and not rule.find}
        self._weak: dict[str, dict[Phrase, set[int]]] = {}
        """By the first word of a phrase that gives weak rules leave: the phrase, and the rules."""
        for number, rule in enumerate(rules):
            for apart in self.phrases((*rule.names, *rule.context)) if rule.weak and rule.find else ():
                self._weak.setdefault(apart.words[0], {}).setdefault(apart, set()).add(number)

    def phrases(self, texts: Iterable[str]) -> tuple[Phrase, ...]:
        """Some phrases, taken apart once and for all."""
        return tuple(Phrase(text, self.name(text).words) for text in texts)

    def near(self, *names: Name) -> frozenset[int]:
        """The weak rules for which a name has a word that speaks or stands beside."""
        return frozenset(
            number
            for name in names
            for word in set(name.words)
            for phrase, numbers in self._weak.get(word, {}).items()
            if phrase in name
            for number in numbers
        )

    def name(self, text: str) -> Name:
        """Take a name apart: camel case, snakes, dots, digits, short forms; lower case, singular, no accents."""
        parent, words = "", list[str]()
        parts = text.split(".")
        leaf = 0
        for at, part in enumerate(parts):
            taken = self._take_apart(part)
            # A part that only says "value" or "text" speaks with the one before it.
            if not all(word in self._words.neutral or word.isdigit() for word in taken):
                leaf, parent = len(words), ".".join(parts[:at])
            words += taken
        return Name(tuple(words), leaf, parent)

    def asset(self, text: str) -> Name:
        """Take the name of an asset apart, and its parts one by one: folders, file, member of an archive."""
        parts = (self._take_apart(part) for part in _SEGMENTS.split(text) if part)
        return dataclasses.replace(self.name(text), parts=tuple(map(tuple, parts)))

    def _take_apart(self, text: str) -> list[str]:
        """The words of a part of a name; a short form that has two meanings is written out beside the right words."""
        words = take_apart(text, self._words.short, self._words.dropped)
        beside = self._words.short_beside
        if not any(word in beside for word in words):
            return words
        whole: list[str] = []
        for word in words:
            told = beside.get(word)
            speaks = told is not None and any(other in told.beside for other in words)
            whole.extend(told.whole.split() if told is not None and speaks else [word])
        return whole

    def _known(self, words: Sequence[str]) -> str | None:
        """The phrase, its words without anything between them, that some words are, or are the plural of."""
        glued = "".join(words)
        if glued in self._rules:
            return glued
        if len(words[-1]) < PLURAL_FROM:
            return None
        return next((one for one in singulars(glued) if one in self._rules), None)

    def speaks(self, name: Name) -> dict[int, Speech]:
        """The rules that a field's name speaks for, by number."""
        words = name.words
        spoken: dict[int, tuple[int, int, Speech]] = {}
        spans: list[tuple[int, int, set[int]]] = []
        for start in range(len(words)):
            for end in range(max(start, name.leaf) + 1, min(len(words), start + _LONGEST) + 1):
                glued = self._known(words[start:end])
                if glued is None:
                    continue
                rules = self._rules[glued]
                spans.append((start, end, rules))
                for rule in rules:
                    speech = self._speech(name, start, end, self._spelled[glued], rule in self._unsure)
                    if speech is None:
                        continue
                    if rule not in spoken or spoken[rule][2].strength < speech.strength:
                        spoken[rule] = (start, end, speech)
        # The longest phrase owns its words: in "user name" the word "name" does not speak for itself.
        return {
            rule: speech
            for rule, (start, end, speech) in spoken.items()
            if not any(
                left <= start and end <= right and right - left > end - start and rule not in others
                for left, right, others in spans
            )
        }

    def _speech(self, name: Name, start: int, end: int, phrase: str, unsure: bool) -> Speech | None:
        known, words = self._words, name.words
        before = words[name.leaf : start]
        after = [word for word in words[end:] if not word.isdigit() and word not in known.neutral]
        if any(word in known.asking for word in before) or any(word in known.changing for word in after):
            return None
        vague = unsure or "".join(words[start:end]) in known.vague
        if vague and not self._of_people(name, start):
            return None
        if after:
            return Speech(phrase, self._weights["names", "elsewhere"], vague)
        return Speech(phrase, self._weights["names", "at_the_end" if start > name.leaf else "whole"], vague)

    def _of_people(self, name: Name, start: int) -> bool:
        """Whether what stands before a vague phrase lets it be about people: not "bucket name", but "supplier name"."""
        own = [word for word in name.words[name.leaf : start] if not word.isdigit() and word not in self._words.neutral]
        if own:
            return own[-1] in self._persons
        outer = next((word for word in reversed(name.words[: min(start, name.leaf)]) if not word.isdigit()), None)
        return outer not in self._words.things


def take_apart(text: str, short: Mapping[str, str], dropped: frozenset[str], *, plurals: bool = False) -> list[str]:
    """The words of a name, in lower case, singular and without accents."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words: list[str] = []
    for part in _PARTS.findall(plain):
        word = part.casefold() if plurals else singular(part.casefold())
        words.extend(short.get(word, word).split())
    kept = [word for word in words if word not in dropped]
    return kept or words


def singulars(word: str) -> Iterator[str]:
    """What a word may be the plural of, in any of the languages; most are no words."""
    return (word.removesuffix(end) + other for end, other in _PLURALS if word.endswith(end))


def _run_together(phrase: str) -> str:
    """A phrase as one word, with all its letters: "dateofbirth", as nobody can take it apart again."""
    return singular("".join(take_apart(phrase, {}, frozenset(), plurals=True)))


def singular(word: str) -> str:
    """An English plural as its singular; what does not look like one stays."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(_KEPT):
        return word
    if word.endswith("sses"):
        return word[:-2]
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word[:-1]
