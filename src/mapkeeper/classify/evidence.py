"""A field as it was counted, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mapkeeper.classify.names import Name, Speech
from mapkeeper.classify.tally import FieldTally, RuleTally
from mapkeeper.classify.weights import Weights


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

    def speaks_otherwise(self, category: str, categories: Mapping[int, str], weights: Weights) -> bool:
        """Whether the name clearly speaks for rules of other categories (by number) only."""
        least = weights["names", "clear"]
        clear = {
            categories[rule] for rule, speech in self.speeches.items() if not speech.vague and speech.strength >= least
        }
        return bool(clear) and category not in clear
