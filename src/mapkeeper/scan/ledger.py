"""The coverage ledger of one asset: what was read of it, what was not, and what the rest may hide."""

from __future__ import annotations

import math

from mapkeeper.model import Asset, Coverage, Gap, Reason
from mapkeeper.plugin import Batch


class Ledger:
    """Adds up batches and gaps while an asset is read."""

    def __init__(self, asset: Asset) -> None:
        self._asset = asset
        self._rows = 0
        self._bytes = 0
        self._methods: set[str] = set()
        self._random = True
        self._members: set[str] = set()
        self._gaps: dict[tuple[Reason, str], Gap] = {}
        if asset.gap is not None:
            self.lost(asset.gap)

    def read(self, batch: Batch) -> None:
        """Count a batch that was read."""
        self._rows += batch.data.num_rows
        self._bytes += batch.bytes
        self._methods.add(batch.method)
        self._random &= batch.random
        if batch.member is not None:
            self._members.add(batch.member)

    def lost(self, gap: Gap) -> None:
        """Count a gap; gaps that say the same are one, with the first example."""
        key = (gap.reason, gap.says)
        if (before := self._gaps.get(key)) is not None:
            gap = Gap(gap.reason, before.count + gap.count, gap.says, before.example or gap.example)
        self._gaps[key] = gap

    def close(self) -> Coverage:
        """The asset's coverage, now that no more of it will be read."""
        asset, gaps = self._asset, tuple(self._gaps.values())
        complete = not gaps
        if asset.objects > 1:
            objects = asset.objects if complete else len(self._members)
        else:
            objects = int(complete or self._rows > 0)
        return Coverage(
            rows_total=self._rows if complete else asset.rows,
            rows_read=self._rows,
            bytes_total=asset.bytes,
            bytes_read=asset.bytes if complete and asset.bytes is not None else self._bytes,
            objects_total=asset.objects,
            objects_read=objects,
            method=" and ".join(sorted(self._methods)) if self._methods else ("all" if complete else "nothing"),
            complete=complete,
            gaps=gaps,
            bound_95=self._bound(complete),
        )

    def _bound(self, complete: bool) -> float | None:
        """Share of rows below which a category that was not seen lies with 95 % confidence.

        Where none of n rows drawn at random holds it, its share p satisfies (1 - p)^n >= 0.05.
        """
        if complete:
            return 0.0
        if self._rows == 0:
            return 1.0
        alone = self._asset.objects == 1  # the members of a family are not drawn from alike
        if alone and self._random and all(gap.reason is Reason.BUDGET for gap in self._gaps.values()):
            return 1.0 - math.pow(0.05, 1.0 / self._rows)
        return None
