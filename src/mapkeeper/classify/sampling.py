"""A bounded sample of the running text in a field, chosen by hash: the same in any order and among any workers.

It holds texts. It lives in memory while an asset is read, and goes into nothing that is kept.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from mapkeeper.classify.wording import SIGHT, Wording

MOST = 200
"""Distinct texts of a field that are drawn: of what is in fewer than 1.5 % of them, one draw in twenty shows none."""

BYTES = 64 << 10
"""Bytes of running text that are kept of a field at most."""

_EVERY = 1 << 64
"""More than any hash."""


class Sample:
    """The texts of a field with the smallest hashes; of those that are no running text, only that they are there.

    How many they are hangs on all texts alone: it ends before the first with which it would be too many or too much.
    """

    def __init__(self) -> None:
        self._drawn: dict[int, str | None] = {}  # by hash; None: no running text
        self._end = _EVERY  # the least hash that was left out

    def __repr__(self) -> str:
        drawn, running = self.running()
        return f"Sample({drawn} texts, {len(running)} of them running)"

    def running(self, most: int = BYTES) -> tuple[int, list[str]]:
        """As much of the sample as has no more bytes of running text: how many texts that are, and the running ones.

        At least one of these, where there are any. In the order of their hashes.
        """
        texts, bytes, drawn = list[str](), 0, 0
        for _, text in sorted(self._drawn.items()):
            bytes += 0 if text is None else _size(text)
            if bytes > most and texts:
                break
            drawn += 1
            if text is not None:
                texts.append(text)
        return drawn, texts

    def add(self, texts: pl.Series, hashes: npt.NDArray[np.uint64]) -> None:
        """Take in some distinct texts of the field, with their hashes."""
        near = np.flatnonzero(hashes < self._end) if self._end < _EVERY else np.arange(len(hashes))
        if len(near) > MOST + 1:  # the others have so many before them
            near = near[np.argpartition(hashes[near], MOST)[: MOST + 1]]
        if not len(near):
            return
        wording = Wording.shipped()
        for hash, text in zip(hashes[near].tolist(), texts.gather(near).str.slice(0, SIGHT).to_list(), strict=True):
            if hash not in self._drawn:
                self._drawn[hash] = text if wording.runs(text) else None
        self._cut()

    def merge(self, other: Sample) -> None:
        """Take in what another drew, as if its texts had been added here."""
        self._drawn |= other._drawn
        self._end = min(self._end, other._end)
        self._cut()

    def _cut(self) -> None:
        kept, bytes = dict[int, str | None](), 0
        for hash, text in sorted(self._drawn.items()):
            bytes += 0 if text is None else _size(text)
            if hash >= self._end or len(kept) == MOST or bytes > BYTES:
                self._end = hash if hash < self._end else self._end
                break
            kept[hash] = text
        self._drawn = kept


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
