"""Names in running text: what a language model marks and what is the name of a country, weighed by the text around."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence

import regex

from mapkeeper.classify.idiom import Idiom
from mapkeeper.classify.ner import PERSON, PLACE, Mention
from mapkeeper.classify.span import Claim, nats

MEANT = {
    PERSON: ("PERSON", "identity.name"),
    PLACE: ("PLACE", "location.coarse"),
    "street": ("STREET_ADDRESS", "contact.postal_address"),
    "postal code": ("POSTAL_CODE", "contact.postal_code"),
    "phone": ("PHONE_NUMBER", "contact.phone"),
}
"""What a language model calls it, and its entity and category."""

PHONE_DIGITS = range(7, 16)
"""Digits of a telephone number (ITU-T E.164: at most fifteen)."""

_WORD = regex.compile(r"[\p{L}\p{M}][\p{L}\p{M}'\u2019]*")
_BEFORE = regex.compile(r"(?:[\p{L}/'\u2019]+[. ]{1,2}){1,3}:? ?$")
_BEHIND = regex.compile(r"[ ,]{0,2}((?:and |& )?[\p{L}][\p{L}./&]*)")
_EDGES = " \t\r\n.,;:!?-'\"()[]<>\u2013\u2018\u2019\u201c\u201d"


class Named:
    """Turns names that somebody found in a text into claims."""

    def __init__(self, idiom: Idiom, model: str) -> None:
        """``model``: the name of the language model, with its version."""
        self._idiom = idiom
        self._rule = f"ner/{model}"
        self._before, self._behind, self._within = (idiom.words(which) for which in ("before", "behind", "within"))

    def mentioned(self, text: str, mentions: Iterable[Mention]) -> Iterator[Claim]:
        """What a language model says of a text."""
        capitals = sum(map(str.isupper, text))
        for mention in mentions:
            entity, category = MEANT[mention.kind]
            weight = self._score(mention)
            for start, end in _parts(text, mention):
                name = text[start:end]
                if mention.kind == "phone" and sum(map(str.isdigit, name)) not in PHONE_DIGITS:
                    continue
                if mention.kind in (PERSON, PLACE):
                    cased = capitals > sum(map(str.isupper, name))
                    own = self._spelling(name) * cased + self._company(text, start, end, cased)
                    yield Claim(start, end, entity, category, self._rule, weight + own, modelled=True)
                else:
                    yield Claim(start, end, entity, category, self._rule, weight, modelled=True)

    def countries(self, text: str) -> Iterator[Claim]:
        """The countries that a text names."""
        entity, category = MEANT[PLACE]
        for found in self._idiom.countries.finditer(text):
            yield Claim(
                *found.span(), entity, category, "standard/location/country-named@1", self._idiom.weigh("country")
            )

    def again(self, text: str, known: Sequence[Claim]) -> Iterator[Claim]:
        """Where a person's name that was found once in a text stands another time."""
        names: dict[str, Claim] = {}
        for claim in known:
            name = text[claim.start : claim.end]
            if claim.category == "identity.name" and (" " in name or (len(name) > 3 and name[0].isupper())):
                names.setdefault(name, claim)
        for name, first in names.items():
            weight = first.nats + self._idiom.weigh("repeated")
            start = text.find(name)
            while start >= 0:
                other = dataclasses.replace(first, start=start, end=start + len(name), nats=weight)
                if _alone(text, other) and not any(map(other.meets, known)):
                    yield other
                start = text.find(name, start + len(name))

    def _score(self, mention: Mention) -> float:
        low, high = self._idiom.model(mention.kind)
        return low + (high - low) * min(1.0, nats(mention.score) / nats(0.99))

    def _spelling(self, name: str) -> float:
        """What the small letters of a name say against it, in a text that knows capitals."""
        words = [word for word in _WORD.findall(name) if word.casefold() not in self._within]
        small = sum(word[0].islower() for word in words)
        if not small:
            return 0.0
        return self._idiom.weigh("lower" if small == len(words) > 1 else "lowest")

    def _company(self, text: str, start: int, end: int, cased: bool) -> float:
        """What the words beside a name say against it, and its own last one."""
        before = _BEFORE.search(text, max(0, start - 40), start)
        behind = _BEHIND.match(text, end)
        words = [(word, self._before) for word in re.findall(r"[^\s.:]+", before[0])[-2:]] if before else []
        if behind:
            words.append((behind[1], self._behind))
        words.append((text[start:end].split()[-1], self._behind))
        for word, known in words:
            capital = not cased or any(map(str.isupper, word)) or "/" in word
            if capital and word.casefold().rstrip(".") in known:
                return self._idiom.weigh("organisation")
        return 0.0


def _alone(text: str, claim: Claim) -> bool:
    """Whether no letter or digit stands right beside it."""
    before, behind = text[claim.start - 1 : claim.start], text[claim.end : claim.end + 1]
    return not (before.isalnum() or behind.isalnum())


def _parts(text: str, mention: Mention) -> Iterator[tuple[int, int]]:
    """A mention line by line, without what stands at its edges."""
    for line in re.finditer(r"[^\n]+", text[mention.start : mention.end]):
        start, end = mention.start + line.start(), mention.start + line.end()
        while start < end and text[start] in _EDGES:
            start += 1
        while start < end and text[end - 1] in _EDGES:
            end -= 1
        if start < end:
            yield start, end
