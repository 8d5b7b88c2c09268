"""The whole of an asset that is read in stretches: puts together what came of each, in their order."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

from mapkeeper.classify import Engine, merged
from mapkeeper.model import Asset, AssetResult, Gap
from mapkeeper.scan.examine import REST, Leg, Question, Rest

_MOST_FIELDS = 2_000
"""Fields from which on an asset is not divided any further: each stretch may bring others, and memory is bounded."""


@dataclass
class Whole:
    """An asset while several read it.

    What comes of stretches that follow each other from the beginning on becomes one rest, as if one had read so far.
    So no more is held than what those who read have done out of turn.
    """

    question: Question
    begun: int = 0
    ended: int = 0
    broken: bool = False  # whether something of it is not read to its end: no further stretch is begun
    _head: Rest | None = field(default=None, repr=False)
    _joined: int = 0  # stretches that are in the head
    _parts: dict[int, Rest] = field(default_factory=dict, repr=False)
    _short: dict[int, Rest | None] = field(default_factory=dict, repr=False)  # where those can be taken up again
    _gaps: dict[Gap, None] = field(default_factory=dict)
    _kept: int = 0  # bytes of the source that were read up to the last rest that was kept

    def begin(self) -> int:
        """The place of one more stretch."""
        self.begun += 1
        return self.begun - 1

    def take(self, place: int, leg: Leg) -> None:
        """What came of a stretch."""
        assert leg.part is not None
        self.ended += 1
        self._parts[place] = leg.part
        if leg.short:
            self._short[place] = leg.rest
            self.broken = True
        if leg.gap is not None:
            self._gaps[leg.gap] = None
        while (part := self._parts.get(self._joined)) is not None and self._joined not in self._short:
            del self._parts[self._joined]
            self._head = self._behind(self._head, part)
            self._joined += 1

    def drop(self, gap: Gap | None = None) -> None:
        """A stretch is not to be read; ``gap`` says why, if nothing else does."""
        self.ended += 1
        self.broken = True
        if gap is not None:
            self._gaps[gap] = None

    @property
    def over(self) -> bool:
        """Whether nobody reads any more."""
        return self.ended == self.begun

    @property
    def wide(self) -> bool:
        """Whether it has so many fields that it is better not divided."""
        return self._head is not None and len(self._head.counted) > _MOST_FIELDS

    def to_keep(self) -> Rest | None:
        """How far it was read without a hole, once that is worth to be kept again."""
        if self._head is None or self._head.ledger.bytes - self._kept < REST:
            return None
        self._kept = self._head.ledger.bytes
        return self._head

    def to_go_on(self) -> Rest | None:
        """Where another scan can go on, if there is more to read."""
        if not self.broken:
            return None
        head, rest = copy.deepcopy(self._head), self._short.get(self._joined)
        return head if rest is None else copy.deepcopy(self._behind(head, rest))

    def result(self, engine: Engine, asset: Asset) -> AssetResult:
        """The result of all that was read; what was put together is not to be used any more."""
        head = self._head
        for place in sorted(self._parts):
            head = self._behind(head, self._parts[place])
        assert head is not None
        question = self.question
        classification = engine.start(
            asset.name, client_domains=question.domains, reveal=question.reveal, counted=head.counted
        )
        judged = engine.judge(classification, question.reveal)
        for gap in (*self._gaps, *judged.gaps):
            head.ledger.lost(gap)
        coverage = head.ledger.close(asset)
        mark = None if self._gaps else head.mark
        return AssetResult(asset, judged.fields, judged.findings, coverage, head.facts, mark, judged.values)

    def _behind(self, head: Rest | None, part: Rest) -> Rest:
        if head is None:
            return part
        counted = merged(head.counted, part.counted, self.question.reveal)
        head.ledger.join(part.ledger)
        return replace(head, resume=part.resume, counted=counted)
