"""How many distinct values there were: exact to a hundred thousand, an estimate above, in bounded memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

EXACT_TO = 100_000
"""Distinct texts up to which the count is exact."""

KEPT = 8_192
"""Hashes kept once the count is an estimate; its standard error is about 1/sqrt(KEPT), 1 %."""

_SEED = 20_260_101
"""Any number, the same in every process, so that the same texts give the same estimate."""


def hashes(texts: pl.Series) -> npt.NDArray[np.uint64]:
    """A number for each text, the same in every process."""
    return texts.hash(_SEED).to_numpy()


class Distinct:
    """Counts distinct texts by the smallest of their hashes; their order does not matter.

    The sketch of the k minimum values: Bar-Yossef et al., "Counting Distinct Elements in a Data Stream", RANDOM 2002.
    The estimate is the unbiased one of Beyer et al., "On Synopses for Distinct-Value Estimation Under Multiset
    Operations", SIGMOD 2007: (k - 1) / u, where u is the k-th smallest hash as a share of all possible hashes.
    """

    exact_to = EXACT_TO

    def __init__(self) -> None:
        self._hashes = np.empty(0, np.uint64)  # distinct, in order
        self._new: list[npt.NDArray[np.uint64]] = []  # not yet among them
        self._waiting = 0
        self._estimated = False

    def __repr__(self) -> str:
        return f"Distinct({self.count()})"

    def add(self, new: npt.NDArray[np.uint64]) -> None:
        """Take in the hashes of some texts, distinct or not."""
        if not len(new):
            return
        if self._estimated:
            new = new[new < self._hashes[-1]]
        self._new.append(new)
        self._waiting += len(new)
        if self._waiting > max(KEPT, len(self._hashes)):
            self._settle()

    def merge(self, other: Distinct) -> None:
        """Take in what another counted, as if its texts had been added here."""
        other._settle()
        if not len(other._hashes):
            return
        self._new.append(other._hashes)
        self._waiting += len(other._hashes)
        self._estimated |= other._estimated
        self._settle()

    def _settle(self) -> None:
        if not self._new:
            return
        together = np.sort(np.concatenate([self._hashes, *self._new]))
        self._hashes = together[np.append(True, together[1:] != together[:-1])]
        self._new, self._waiting = [], 0
        if len(self._hashes) > self.exact_to:
            self._estimated = True
        if self._estimated:
            self._hashes = self._hashes[:KEPT]

    def count(self) -> int:
        """Distinct texts so far."""
        self._settle()
        if not self._estimated:
            return len(self._hashes)
        return round((KEPT - 1) / ((int(self._hashes[-1]) + 1) / 2**64))


class Trials(Distinct):
    """Distinct texts that were put to a check, and how many of them it holds for; a sample of them once they are many.

    The lowest bit of each hash says whether the check holds, so that the smallest of them are a random sample of both.
    """

    exact_to = KEPT

    def put(self, new: npt.NDArray[np.uint64], holds: npt.NDArray[np.bool_]) -> None:
        """Take in the hashes of some texts, and what the check says of each."""
        self.add(new & ~np.uint64(1) | holds)

    def outcome(self) -> tuple[int, int]:
        """How many texts are in the sample, and for how many of them the check holds."""
        self._settle()
        return len(self._hashes), int((self._hashes & np.uint64(1)).sum())

    def held(self) -> int:
        """For how many distinct texts the check holds; an estimate where they are many."""
        tried, held = self.outcome()
        return round(self.count() * held / tried) if tried else 0
