"""What a rule matched in the distinct texts of a column: each value once, and which texts hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]

UNTRIED, FALSE, TRUE = -1, 0, 1


@dataclass(frozen=True, slots=True)
class Hits:
    """Values and the places where they stand. A text that holds a value twice may be told twice."""

    values: pl.Series = field(repr=False)
    score: npt.NDArray[np.float64]  # of each value's pattern; not a number where a name speaks
    text: Texts  # of each place
    value: Numbers  # of each place, into ``values``
    whole: Flags  # of each place: the value is all of the text
    verdict: npt.NDArray[np.int8] | None = None  # of each value: what a check says

    def __len__(self) -> int:
        return len(self.text)

    def where(self, kept: Flags) -> Hits:
        """Some of the places, with all values."""
        return replace(self, text=self.text[kept], value=self.value[kept], whole=self.whole[kept])

    def of_values(self, kept: Flags) -> Hits:
        """Some of the values, with their places."""
        numbers = np.cumsum(kept) - 1
        places = kept[self.value]
        return Hits(
            self.values.filter(pl.Series(kept)),
            self.score[kept],
            self.text[places],
            numbers[self.value[places]],
            self.whole[places],
            None if self.verdict is None else self.verdict[kept],
        )

    def scored(self, score: float) -> Hits:
        """The same under the score of a pattern."""
        return replace(self, score=np.full(len(self.values), score))


def together(parts: Sequence[Hits | None]) -> Hits | None:
    """Several as one, each value once: it is believed as far as the best of its patterns. ``None``: nothing."""
    held = [part for part in parts if part is not None and len(part)]
    if len(held) < 2:
        return held[0] if held else None
    values = pl.concat([part.values for part in held])
    score = np.concatenate([part.score for part in held])
    starts = np.cumsum([0, *(len(part.values) for part in held)])
    encoded = values.to_arrow().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    best = np.full(len(encoded.dictionary), np.nan)
    np.fmax.at(best, codes, score)
    return Hits(
        pl.Series("value", encoded.dictionary),
        best,
        np.concatenate([part.text for part in held]),
        codes[np.concatenate([part.value + start for part, start in zip(held, starts, strict=False)])],
        np.concatenate([part.whole for part in held]),
    )


def listed(values: pl.Series, texts: npt.NDArray[np.integer[Any]]) -> Hits:
    """Values that are whole texts, one each, under a name that speaks."""
    count = len(values)
    return Hits(values, np.full(count, np.nan), texts.astype(np.uint32), np.arange(count), np.ones(count, bool))
