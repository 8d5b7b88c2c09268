"""The tally of an asset: what could not be read, counted by reason, so that each kind is one gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mapkeeper.model import Gap, Reason


@dataclass(slots=True)
class Tally:
    """Counts what went wrong, with the first position of each kind; becomes gaps at the end of the asset."""

    counts: dict[tuple[Reason, str], tuple[int, str | None]] = field(default_factory=dict)

    def add(self, reason: Reason, says: str, example: str | None = None, count: int = 1) -> None:
        """Count something; the example of the first time stays."""
        before, first = self.counts.get((reason, says), (0, None))
        self.counts[reason, says] = (before + count, first if first is not None else example)

    def gaps(self) -> Iterator[Gap]:
        """One gap for each kind."""
        for (reason, says), (count, example) in self.counts.items():
            yield Gap(reason, count, says, example)

    def dump(self) -> list[Any]:
        """As JSON can hold it, for a resume point."""
        return [[reason.value, says, count, example] for (reason, says), (count, example) in self.counts.items()]

    @classmethod
    def load(cls, raw: list[Any]) -> Tally:
        """What `dump` made."""
        return cls({(Reason(reason), says): (count, example) for reason, says, count, example in raw})
