"""What an asset as a whole says: its name, and which fields stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mapkeeper.classify.names import PLURAL_FROM, Name, Phrase, Vocabulary, singulars
from mapkeeper.classify.weights import Words
from mapkeeper.model import SourceRole


@dataclass(frozen=True)
class Table:
    """An asset's name and the names of its fields, taken apart."""

    name: Name
    fields: tuple[Name, ...]
    words: Words
    vocabulary: Vocabulary
    role_from: float  # so many fields tell what it is for

    def supports(self, rule: int, field: Name) -> str | None:
        """The first context word of a rule (by number) that the asset's name or a neighbour has."""
        context = self.vocabulary.context[rule]
        return next((phrase.text for phrase in context if phrase in self.name or self._beside(field, phrase)), None)

    def said(self, rule: int, field: Name) -> str | None:
        """The first context word of a rule that the field's own name has."""
        return next((phrase.text for phrase in self.vocabulary.context[rule] if phrase in field), None)

    def people(self, field: Name) -> str | None:
        """The first neighbour of a field that only tables of people have."""
        return next((phrase.text for phrase in self.vocabulary.people if self._beside(field, phrase)), None)

    def _beside(self, field: Name, phrase: Phrase) -> bool:
        return any(phrase in other for other in self._family.get(field.parent, ()) if other is not field)

    @cached_property
    def _family(self) -> Mapping[str, Sequence[Name]]:
        """The fields by what they are parts of; neighbours are those of one parent."""
        family: dict[str, list[Name]] = {}
        for field in self.fields:
            family.setdefault(field.parent, []).append(field)
        return family

    @cached_property
    def thing(self) -> str | None:
        """The thing that the asset is a table of; ``None`` where its name speaks of people."""
        if self.subject is not None:
            return None
        return next((word for word in reversed(self.name.words) if word in self.words.things), None)

    def lists(self, category: str) -> str | None:
        """The word by which the asset is a mere list of what a category is about: cities, countries."""
        if self.subject is not None:
            return None
        words = next((words for start, words in self.words.lists.items() if category.startswith(start)), ())
        return next((word for word in words if word in self.name.words), None)

    @cached_property
    def subject(self) -> str | None:
        """Whose data it is, from the asset's name; of a path, the last part that says so."""
        parts = self.name.parts or (self.name.words,)
        whose = (self.of(Name(words)) for words in reversed(parts))
        return next((who for who in whose if who is not None), None) or self.of(self.name)

    def of(self, name: Name) -> str | None:
        """Whom a name speaks of: "customer", "employee", …"""
        found = (who for who, words in self.words.subjects if any(_has(name, word) for word in words))
        return next(found, None)

    @cached_property
    def role(self) -> SourceRole:
        """What the asset is for, from its name, or else from those of its fields."""
        for role, words in self.words.roles:
            if any(_has(self.name, word) for word in words):
                return role
        for role, words in self.words.role_fields:
            if sum(any(_has(field, word) for field in self.fields) for word in words) >= self.role_from:
                return role
        return SourceRole.APPLICATION


def _has(name: Name, phrase: str) -> bool:
    """Whether a name has the words of a phrase, or the plural of its one word."""
    first, *more = phrase.split()
    if more or first in name.words:
        return Phrase(phrase, (first, *more)) in name
    return any(len(word) >= PLURAL_FROM and first in singulars(word) for word in name.words)
