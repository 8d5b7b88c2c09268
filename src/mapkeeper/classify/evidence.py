"""A field as it was counted, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mapkeeper.classify.names import Name, Speech
from mapkeeper.classify.tally import FieldTally, RuleTally
from mapkeeper.classify.weights import Weights


@dataclass(frozen=True, slots=True)
class Around:
    """What else is known of a field when one rule's claim is weighed."""

    otherwise: bool = False  # its name clearly speaks for something else
    partner: bool = False  # a neighbour holds what stands beside such values: last names, the longitude
    witness: float | None = None  # share of its values that rules of the same category know from lists


@dataclass(frozen=True, slots=True)
class Seen:
    """A field: its counts, and by number the rules that matched and those that its name speaks for."""

    tally: FieldTally
    name: Name
    speeches: Mapping[int, Speech]
    rules: Mapping[int, RuleTally]

    def is_text(self, weights: Weights) -> bool:
        """Whether its cells are texts, not values of one kind."""
        tally, values = self.tally, max(1, self.tally.values)
        return tally.kind == "text" and (
            tally.words / values >= weights["text", "words"] or tally.characters / values >= weights["text", "length"]
        )

    def counts_up(self, weights: Weights) -> bool:
        """Whether its integers rise from row to row, like those of a key."""
        tally = self.tally
        enough = tally.steps >= weights["limits", "sequence_steps"]
        return enough and tally.rises / tally.steps >= weights["limits", "sequence"]

    @property
    def told(self) -> int:
        """Filled cells but those that say that there is no value: "-", "n/a"; never none of some."""
        return max(1, self.tally.filled - self.tally.idle) if self.tally.filled else 0

    @property
    def distinct(self) -> int:
        """Distinct values."""
        return self.tally.distinct.count()

    def rate(self, rule: int) -> float:
        """The share of a field's distinct values that pass a rule (by number)."""
        tally = self.rules.get(rule)
        return min(1.0, tally.trials.held() / max(1, self.distinct)) if tally is not None else 0.0

    def speaks_otherwise(self, category: str, categories: Mapping[int, str], weights: Weights) -> bool:
        """Whether the name clearly speaks for other ones of some categories (by rule) only, and the values fit them."""
        least, share = weights["names", "clear"], weights["limits", "owner"] * self.told
        clear = {
            categories[rule]
            for rule, speech in self.speeches.items()
            if rule in categories and not speech.vague and speech.strength >= least and self._holds(rule) >= share
        }
        return bool(clear) and category not in clear

    def _holds(self, rule: int) -> float:
        tally = self.rules.get(rule)
        return tally.valid if tally is not None else 0.0
