"""The coverage ledger of one asset: what was read of it, what was not, and what the rest may hide."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from mapkeeper.model import Asset, Coverage, Gap, Reason
from mapkeeper.plugin import Batch

_READ_ALL_THE_SAME = frozenset({Reason.NO_MODEL})
"""Gaps that leave nothing unread: something was not looked for."""


@dataclass
class Ledger:
    """Adds up batches and gaps while an asset is read."""

    rows: int = 0
    bytes: int = 0
    methods: set[str] = field(default_factory=set)
    random: bool = True
    members: int = 0  # objects of a family that gave rows; they come one after the other
    first: str | None = field(default=None, repr=False)  # of them; a name
    last: str | None = field(default=None, repr=False)
    gaps: dict[tuple[Reason, str], Gap] = field(default_factory=dict)

    def copy(self) -> Ledger:
        """The same counts, which stay when these move on."""
        return replace(self, methods=set(self.methods), gaps=dict(self.gaps))

    def read(self, batch: Batch) -> None:
        """Count a batch that was read."""
        self.rows += batch.data.num_rows
        self.bytes += batch.bytes
        self.methods.add(batch.method)
        self.random &= batch.random
        self.members += batch.member not in (None, self.last)
        self.first = batch.member if self.first is None else self.first
        self.last = batch.member

    def join(self, later: Ledger) -> None:
        """Count what another counted of the batches behind these."""
        self.rows += later.rows
        self.bytes += later.bytes
        self.random &= later.random
        self.members += later.members - (self.last is not None and later.first == self.last)
        self.first = later.first if self.first is None else self.first
        self.last = later.last if later.methods else self.last
        self.methods |= later.methods
        for gap in later.gaps.values():
            self.lost(gap)

    def lost(self, gap: Gap) -> None:
        """Count a gap; gaps that say the same are one, with the first example."""
        key = (gap.reason, gap.says)
        if (before := self.gaps.get(key)) is not None:
            gap = Gap(gap.reason, before.count + gap.count, gap.says, before.example or gap.example)
        self.gaps[key] = gap

    def close(self, asset: Asset) -> Coverage:
        """The coverage of an asset, now that no more of it will be read."""
        if asset.gap is not None:
            self.lost(asset.gap)
        gaps = tuple(self.gaps.values())
        complete = all(gap.reason in _READ_ALL_THE_SAME for gap in gaps)
        return Coverage(
            rows_total=self.rows if complete else asset.rows,
            rows_read=self.rows,
            bytes_total=asset.bytes,
            bytes_read=asset.bytes if complete and asset.bytes is not None else self.bytes,
            objects_total=asset.objects,
            objects_read=asset.objects if complete else self._objects(asset),
            method=" and ".join(sorted(self.methods)) if self.methods else ("all" if complete else "nothing"),
            complete=complete,
            gaps=gaps,
            bound_95=self._bound(complete),
        )

    def _objects(self, asset: Asset) -> int:
        if not self.rows:
            return 0
        # Where rows are of no member in particular, as those of a partitioned table, they are of all.
        return self.members or asset.objects

    def _bound(self, complete: bool) -> float | None:
        """Share of rows below which a category that was not seen lies with 95 % confidence.

        Where none of n rows drawn at random holds it, its share p satisfies (1 - p)^n >= 0.05.
        """
        if complete:
            return 0.0
        if self.rows == 0:
            return 1.0
        as_drawn = all(gap.reason in _READ_ALL_THE_SAME | {Reason.BUDGET} for gap in self.gaps.values())
        if not self.members and self.random and as_drawn:
            return 1.0 - math.pow(0.05, 1.0 / self.rows)
        return None
