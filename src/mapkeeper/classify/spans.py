"""Spans of texts: from the rules, from labels, and from a language model where there is one; each stretch once."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence

from mapkeeper.classify.address import joined
from mapkeeper.classify.idiom import Idiom
from mapkeeper.classify.labelled import Labelled
from mapkeeper.classify.named import Named
from mapkeeper.classify.names import Vocabulary
from mapkeeper.classify.ner import Mention, Ner
from mapkeeper.classify.phones import Phones
from mapkeeper.classify.pieces import pieces
from mapkeeper.classify.prose import Prose
from mapkeeper.classify.span import Claim, Span
from mapkeeper.classify.weights import Weights, Words
from mapkeeper.model import LIKELY_FROM
from mapkeeper.rules import Rule

PIECE = 32 * 1024
"""Characters of a text that are gone through at once; what is found of more is cut there."""

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can spell and nothing else can hold."""


class Spans:
    """Finds personal data in texts. Keeps no value; make one a process."""

    def __init__(self, rules: Iterable[Rule], ner: Ner | None = None, countries: Sequence[str] = ()) -> None:
        """``countries`` (ISO 3166-1): where the texts come from, as far as that is known."""
        rules = tuple(rules)
        words, self._idiom = Words.shipped(), Idiom.shipped()
        vocabulary = Vocabulary(rules, words, Weights.shipped())
        self._prose = Prose(rules, vocabulary, self._idiom, words.constants, words.unless)
        self._labelled = Labelled(rules, vocabulary, self._idiom)
        self._named = Named(self._idiom, ner.name if ner else "")
        self._phones = Phones(self._idiom, countries)
        self._ner = ner

    def of(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """The spans of each text, in order, at least ``likely``, none of which overlap."""
        whole = [text if len(text) <= PIECE else "" for text in texts]  # a language model takes many at once
        mentions: list[list[Mention]] = [[] for _ in texts]
        for mention in self._ner.mentions(whole) if self._ner else ():
            mentions[mention.text].append(mention)
        return [
            self._spans(text, some) if len(text) <= PIECE else tuple(self.along(text))
            for text, some in zip(texts, mentions, strict=True)
        ]

    def along(self, text: str) -> Iterator[Span]:
        """The spans of one text of any length, as it is gone through piece by piece."""
        for start, end in pieces(text, PIECE):
            piece = text[start:end]
            for span in self._spans(piece, self._ner.mentions([piece]) if self._ner else ()):
                yield dataclasses.replace(span, start=span.start + start, end=span.end + start)

    def _spans(self, text: str, mentions: Sequence[Mention]) -> tuple[Span, ...]:
        text = _SURROGATE.sub("\ufffd", text)
        claims = [*self._prose.find(text), *self._labelled.find(text), *self._named.countries(text)]
        claims += [*self._named.mentioned(text, mentions), *self._phones.find(text)]
        claims = list(joined(text, _agreed(claims, self._idiom), self._idiom.weigh("agreed")))
        kept = _settled(_contested(claims, self._idiom))
        kept = _settled([*kept, *self._named.again(text, kept)])
        return tuple(claim.settled() for claim in sorted(kept, key=lambda claim: claim.start))


def _agreed(claims: Sequence[Claim], idiom: Idiom) -> list[Claim]:
    """What a language model and somebody else say alike, as one claim over all of it."""
    others = [claim for claim in claims if not claim.modelled]
    left: list[Claim] = []
    for claim in claims:
        if not claim.modelled:
            continue
        same = next((n for n, one in enumerate(others) if one.category == claim.category and one.meets(claim)), None)
        if same is None:
            left.append(claim)
            continue
        one = others[same]
        if claim.nats > 0:
            start, end = min(one.start, claim.start), max(one.end, claim.end)
            weight = max(one.nats, claim.nats) + idiom.weigh("agreed")
            others[same] = dataclasses.replace(one, start=start, end=end, nats=weight)
    return others + left


def _contested(claims: Sequence[Claim], idiom: Idiom) -> list[Claim]:
    """A label before a value says more about it than its form, or than a language model."""
    labels = [claim for claim in claims if claim.labelled and claim.confidence >= LIKELY_FROM]
    weigh = idiom.weigh("contested")
    return [
        dataclasses.replace(claim, nats=claim.nats + weigh)
        if not claim.labelled and any(one.meets(claim) and one.category != claim.category for one in labels)
        else claim
        for claim in claims
    ]


def _settled(claims: Iterable[Claim]) -> list[Claim]:
    """One category for each stretch: the surer claim wins, of equally sure ones the longer."""
    kept: list[Claim] = []
    order = sorted(claims, key=lambda claim: (-round(claim.confidence, 1), claim.start - claim.end, claim.start))
    for claim in order:
        if claim.confidence >= LIKELY_FROM and not any(claim.meets(other) for other in kept):
            kept.append(claim)
    return kept
