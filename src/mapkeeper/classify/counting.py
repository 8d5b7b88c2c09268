"""Add what one rule found in one batch to its tally."""

from __future__ import annotations

import polars as pl

from mapkeeper.categories import categories
from mapkeeper.classify.cells import Cells
from mapkeeper.classify.matching import Hits
from mapkeeper.classify.positions import Positions
from mapkeeper.classify.tally import POSITIONS, RuleTally


class Count:
    """The matches of one rule in one column of one batch, on their way into its tally."""

    def __init__(self, tally: RuleTally, hits: Hits, cells: Cells) -> None:
        self._tally, self._hits, self._cells = tally, hits, cells
        self.valid = hits.filter("valid")
        """Those whose check holds."""

    def __repr__(self) -> str:
        return f"Count({len(self._hits)})"

    def _of(self, hits: Hits) -> int:
        return self._cells.of(hits.get_column("id").unique())

    def measure(self) -> None:
        """Count cells and values. Of a very large batch only a sample was tried; the rest is taken to be like it."""
        tally, hits, valid = self._tally, self._hits, self.valid
        tried = hits.filter(pl.col("valid").is_not_null())
        count, checked, proved = self._of(hits), self._of(tried), self._of(valid)
        rate = proved / checked if checked else 0.0
        tally.hits += count
        tally.tried += checked
        tally.proved += proved
        tally.valid += proved + rate * (count - checked)
        whole, whole_proved = self._of(hits.filter("whole")), self._of(valid.filter("whole"))
        tally.whole += whole
        tally.whole_valid += whole_proved + rate * (whole - self._of(tried.filter("whole")))
        tally.trials.add(tried.get_column("value"))
        tally.proofs.add(valid.get_column("value"))
        # Untried values are distinct true ones where most of the tried are.
        likely = hits.filter(pl.col("valid").fill_null(True)) if rate >= 0.5 else valid
        tally.distinct.add(likely.get_column("value"))
        scores = valid.get_column("score").drop_nulls()
        tally.scores += float(scores.sum())
        tally.scored += len(scores)

    def support(self, beside: pl.Series) -> None:
        """Count the cells that also hold a word for the rule; ``beside`` says so of each valid match."""
        self._tally.supported += self._of(self.valid.filter(beside))

    def known(self, constant: str | None, domains: tuple[str, ...]) -> None:
        """Count the cells with nothing but constants, and those with an address in some domains."""
        values = self.valid.get_column("value")
        if constant is not None:
            usual = values.str.contains(rf"\A(?:{constant})\z")
            self._tally.usual += self._of(self.valid) - self._of(self.valid.filter(~usual))
        if domains:
            domain = values.str.to_lowercase().str.extract(r"@([^@]+)$")
            own = domain.is_in(list(domains))
            for name in domains:
                own |= domain.str.ends_with(f".{name}")
            self._tally.own += self._of(self.valid.filter(own.fill_null(False)))

    def show(self, category: str, reveal: int, positions: Positions) -> None:
        """Keep a few masked samples and positions, and true values as far as somebody asked to see them."""
        known = categories().get(category)
        values = self.valid.get_column("value").unique(maintain_order=True)
        self._tally.show(values, known is not None and not known.unsampled, reveal)
        missing = POSITIONS - len(self._tally.where)
        if missing > 0:
            rows = self._cells.first.gather(self.valid.get_column("id").unique())
            self._tally.where.extend(positions.of(rows, missing))
