"""Add what one rule found in one batch to its tally."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mapkeeper.categories import categories
from mapkeeper.classify.cells import Cells
from mapkeeper.classify.hits import TRUE, UNTRIED, Flags, Hits
from mapkeeper.classify.positions import Positions
from mapkeeper.classify.sketch import hashes
from mapkeeper.classify.tally import POSITIONS, RuleTally

_ENOUGH = 1_000
"""Matches of one batch of which enough tell whether words stand beside them that speak for the rule …"""

_KNOWN = 10_000
"""… and cells after which it is known."""


class Count:
    """The matches of one rule in one column of one batch, on their way into its tally."""

    def __init__(self, tally: RuleTally, hits: Hits, cells: Cells) -> None:
        """``hits`` with what the rule's check says of each value."""
        assert hits.verdict is not None
        self._tally, self._hits, self._cells, self._verdict = tally, hits, cells, hits.verdict
        self.valid = hits.of_values(hits.verdict == TRUE)
        """Those whose check holds."""

    def __repr__(self) -> str:
        return f"Count({len(self._hits)})"

    def _of(self, hits: Hits, kept: Flags | None = None) -> int:
        """How many cells hold any of the matches."""
        return self._cells.of(hits.text if kept is None else hits.text[kept])

    def measure(self) -> None:
        """Count cells and values. Of a very large batch only a sample was tried; the rest is taken to be like it."""
        tally, hits, valid = self._tally, self._hits, self.valid
        tried = self._verdict != UNTRIED
        all_tried = bool(tried.all())
        placed = None if all_tried else tried[hits.value]
        count, proved = self._of(hits), self._of(valid)
        checked = count if placed is None else self._of(hits, placed)
        rate = proved / checked if checked else 0.0
        tally.hits += count
        tally.tried += checked
        tally.proved += proved
        tally.valid += proved + rate * (count - checked)
        whole, whole_proved = self._of(hits, hits.whole), self._of(valid, valid.whole)
        whole_tried = whole if placed is None else self._of(hits, hits.whole & placed)
        tally.whole += whole
        tally.whole_valid += whole_proved + rate * (whole - whole_tried)
        hashed = hashes(hits.values)
        tally.trials.put(hashed[tried], self._verdict[tried] == TRUE)
        # Untried values are distinct true ones where most of the tried are.
        likely = self._verdict != 0 if rate >= 0.5 else self._verdict == TRUE
        tally.distinct.add(hashed[likely])
        scores = valid.score[valid.value]
        known = ~np.isnan(scores)
        tally.scores += float(scores[known].sum())
        tally.scored += int(known.sum())

    def support(self, in_context: Callable[[Hits], Flags]) -> None:
        """Count the cells that also hold a word for the rule, as long as it is not known how many there are."""
        tally, some = self._tally, self.valid
        if tally.heard >= _KNOWN:
            return
        if len(some) > _ENOUGH:
            asked = np.zeros(len(some), bool)
            asked[:: len(some) // _ENOUGH] = True
            some = some.where(asked)
        tally.heard += self._of(some)
        tally.supported += self._of(some, in_context(some))

    def known(self, constant: str | None, domains: tuple[str, ...]) -> None:
        """Count the cells with nothing but constants, and those with an address in some domains."""
        values = self.valid.values
        if constant is not None:
            usual = values.str.contains(rf"\A(?:{constant})\z").to_numpy()
            self._tally.usual += self._of(self.valid) - self._of(self.valid, ~usual[self.valid.value])
        if domains:
            domain = values.str.to_lowercase().str.extract(r"@([^@]+)$")
            own = domain.is_in(list(domains))
            for name in domains:
                own |= domain.str.ends_with(f".{name}")
            self._tally.own += self._of(self.valid, own.fill_null(False).to_numpy()[self.valid.value])

    def show(self, category: str, reveal: int, positions: Positions) -> None:
        """Keep a few masked samples and positions, and true values as far as somebody asked to see them."""
        known = categories().get(category)
        self._tally.show(self.valid.values, known is not None and not known.unsampled, reveal)
        missing = POSITIONS - len(self._tally.where)
        if missing > 0:
            rows = self._cells.first.gather(np.unique(self.valid.text[: 20 * POSITIONS]))
            self._tally.where.extend(positions.of(rows, missing))
