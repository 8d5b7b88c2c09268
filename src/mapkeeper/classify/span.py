"""A span: a stretch of a text that is personal data, and how sure that is; before it is settled, a claim."""

from __future__ import annotations

import math
from dataclasses import dataclass

CEILING = 0.99
"""Nothing is surer than this."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a text a value stands and what it is. Holds no part of the text."""

    start: int  # code points
    end: int  # exclusive
    entity: str  # "EMAIL_ADDRESS"
    category: str  # "contact.email"
    rule: str  # "standard/contact/email@1"
    confidence: float  # 0 to 1


@dataclass(frozen=True, slots=True)
class Claim:
    """What one rule or model says of a stretch, before it is held against what others say."""

    start: int
    end: int
    entity: str
    category: str
    rule: str
    nats: float  # log-odds of being right
    labelled: bool = False  # a label before the value says so
    modelled: bool = False  # a language model says so

    @property
    def confidence(self) -> float:
        """The same as a probability, with an end to certainty."""
        return min(CEILING, 1 / (1 + math.exp(-self.nats)))

    def meets(self, other: Claim) -> bool:
        """Whether they share a character."""
        return self.start < other.end and other.start < self.end

    def settled(self) -> Span:
        """As a span."""
        return Span(self.start, self.end, self.entity, self.category, self.rule, round(self.confidence, 2))


def nats(share: float) -> float:
    """A probability as log-odds."""
    share = min(max(share, 0.001), 0.999)
    return math.log(share / (1 - share))
