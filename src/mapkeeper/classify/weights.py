"""The judgement's numbers and words, read from the two files beside this module."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

from mapkeeper.model import SourceRole


def _shipped(name: str) -> str:
    return files("mapkeeper.classify").joinpath(name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Weights:
    """``weights.toml``: sections of numbers, asked for as ``weights["names", "whole"]``."""

    text: str

    @classmethod
    def shipped(cls) -> Weights:
        """Those that come with mapkeeper."""
        return cls(_shipped("weights.toml"))

    @cached_property
    def _sections(self) -> Mapping[str, Mapping[str, Any]]:
        return tomllib.loads(self.text)

    def __getitem__(self, key: tuple[str, str]) -> float:
        return float(self._sections[key[0]][key[1]])

    def by_score(self, score: float) -> float:
        """Where a pattern of this score (0 to 1) starts from."""
        points = self._sections["start"]["by_score"]
        for (left, low), (right, high) in itertools.pairwise(points):
            if score <= right:
                return float(low + (high - low) * (score - left) / (right - left))
        return float(points[-1][1])

    def most(self, category: str) -> float:
        """The most confidence that a category can have."""
        caps = (cap for start, cap in self._sections["most"].items() if category.startswith(start))
        return float(next(caps, self["limits", "ceiling"]))


@dataclass(frozen=True, slots=True)
class Short:
    """A short form that has its meaning beside some words only."""

    whole: str
    beside: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A kind of values that is to be told of a finding: addresses of private networks."""

    values: str  # an expression for a whole value
    why: str
    nats: float  # what it adds where all are such


@dataclass(frozen=True, slots=True)
class Words:
    """``words.toml``: what words in the names of fields and assets mean."""

    text: str  # of the file
    short: Mapping[str, str]  # short forms of words, and what they are short for
    short_beside: Mapping[str, Short]  # those that have this meaning beside some words only
    dropped: frozenset[str]  # words of a name that say nothing
    neutral: frozenset[str]  # words behind a phrase that leave its meaning as it is
    changing: frozenset[str]  # words behind a phrase that change its meaning
    asking: frozenset[str]  # words before a phrase that make a yes or no, or a number, of it
    vague: frozenset[str]  # phrases that do not speak without the table or the neighbours
    things: frozenset[str]  # words for things: what has a name but is no person
    things_bar: tuple[str, ...]  # beginnings of categories that a table of things cannot hold under a vague name
    lists: Mapping[str, Sequence[str]]  # by beginning of category, words for assets that only list what it is about
    people: Sequence[str]  # phrases in the names of fields that only tables of people have
    settled: tuple[str, ...]  # beginnings of categories whose vague names are settled by people around them
    pairs: Sequence[tuple[str, str]]  # ids of rules whose fields stand beside each other
    paired: frozenset[str]  # ids of rules that say little where the other one is missing
    contents: tuple[str, ...]  # beginnings of categories of texts in which others may be found
    idle: frozenset[str]  # values that say that there is none
    subjects: Sequence[tuple[str, Sequence[str]]]  # with the words that tell of them; the first match wins
    roles: Sequence[tuple[SourceRole, Sequence[str]]]  # the same
    role_fields: Sequence[tuple[SourceRole, Sequence[str]]]  # words of fields, of which some make it one
    against: Mapping[str, Sequence[str]]  # by category, words of a field's name that rule it out
    constants: Mapping[str, str]  # by category, an expression for values that are nobody's
    marks: Mapping[str, Sequence[Mark]]  # by category, kinds of values that are to be told
    unless: Mapping[str, str]  # by category, an expression whose ``value`` is none, because of what stands before it

    @classmethod
    def shipped(cls) -> Words:
        """Those that come with mapkeeper."""
        text = _shipped("words.toml")
        told = tomllib.loads(text)
        names, tables, siblings = told["names"], told["tables"], told["siblings"]
        return cls(
            text=text,
            short=names["short"],
            short_beside={
                word: Short(told["whole"], frozenset(told["beside"])) for word, told in names["twofold"].items()
            },
            dropped=frozenset(names["dropped"]),
            neutral=frozenset(names["neutral"]),
            changing=frozenset(names["changing"]),
            asking=frozenset(names["asking"]),
            vague=frozenset(names["vague"]),
            things=frozenset(tables["things"]),
            things_bar=tuple(tables["things_bar"]),
            lists=tables["lists"],
            people=siblings["people"],
            settled=tuple(siblings["settled"]),
            pairs=[(left, right) for left, right in siblings["pairs"]],
            paired=frozenset(siblings["paired"]),
            contents=tuple(told["values"]["contents"]),
            idle=frozenset(told["values"]["idle"]),
            subjects=[(entry["subject"], entry["words"]) for entry in tables["subject"]],
            roles=[(SourceRole(role), words) for role, words in told["source_role"].items()],
            role_fields=[(SourceRole(role), words) for role, words in told["source_role_fields"].items()],
            against=told["against"],
            constants=told["constants"],
            marks={category: [Mark(**mark) for mark in marks] for category, marks in told["marks"].items()},
            unless=told["unless"],
        )
