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


@dataclass(frozen=True)
class Words:
    """``words.toml``: what words in the names of fields and assets mean."""

    text: str

    @classmethod
    def shipped(cls) -> Words:
        """Those that come with mapkeeper."""
        return cls(_shipped("words.toml"))

    @cached_property
    def _sections(self) -> Mapping[str, Mapping[str, Any]]:
        return tomllib.loads(self.text)

    @cached_property
    def short(self) -> Mapping[str, str]:
        """Short forms of words, and what they are short for."""
        return dict(self._sections["names"]["short"])

    @cached_property
    def dropped(self) -> frozenset[str]:
        """Words of a name that say nothing."""
        return frozenset(self._sections["names"]["dropped"])

    @cached_property
    def neutral(self) -> frozenset[str]:
        """Words behind a phrase that leave its meaning as it is."""
        return frozenset(self._sections["names"]["neutral"])

    @cached_property
    def changing(self) -> frozenset[str]:
        """Words behind a phrase that change its meaning."""
        return frozenset(self._sections["names"]["changing"])

    @cached_property
    def asking(self) -> frozenset[str]:
        """Words before a phrase that make a yes or no, or a number, of it."""
        return frozenset(self._sections["names"]["asking"])

    @cached_property
    def vague(self) -> frozenset[str]:
        """Phrases that do not speak without the table or the neighbours."""
        return frozenset(self._sections["names"]["vague"])

    @cached_property
    def things(self) -> frozenset[str]:
        """Words for things: what has a name but is no person."""
        return frozenset(self._sections["tables"]["things"])

    @cached_property
    def things_bar(self) -> tuple[str, ...]:
        """Beginnings of categories that a table of things cannot hold under a vague name."""
        return tuple(self._sections["tables"]["things_bar"])

    @cached_property
    def lists(self) -> Mapping[str, Sequence[str]]:
        """By beginning of category, words for assets that only list what the category is about."""
        return dict(self._sections["tables"]["lists"])

    @cached_property
    def people(self) -> Sequence[str]:
        """Phrases in the names of fields that only tables of people have."""
        return tuple(self._sections["siblings"]["people"])

    @cached_property
    def settled(self) -> tuple[str, ...]:
        """Beginnings of categories whose vague names are settled by people around them."""
        return tuple(self._sections["siblings"]["settled"])

    @cached_property
    def subjects(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Subjects and the words that tell of them; the first match wins."""
        return [(entry["subject"], entry["words"]) for entry in self._sections["tables"]["subject"]]

    @cached_property
    def roles(self) -> Sequence[tuple[SourceRole, Sequence[str]]]:
        """Source roles and the words that tell of them; the first match wins."""
        return [(SourceRole(role), words) for role, words in self._sections["source_role"].items()]

    @cached_property
    def against(self) -> Mapping[str, Sequence[str]]:
        """By category, words of a field's name that rule it out."""
        return self._sections["against"]

    @cached_property
    def constants(self) -> Mapping[str, str]:
        """By category, an expression for values that are nobody's."""
        return self._sections["constants"]

    @cached_property
    def unless(self) -> Mapping[str, str]:
        """By category, an expression whose ``value`` is none, because of what stands before it."""
        return self._sections["unless"]
