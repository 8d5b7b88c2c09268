"""The bytes of some texts, end to end, and stretches of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from mapkeeper.classify.gathering import distinct, gathered

Numbers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Slices:
    """Stretches of text, each once, and where they stand."""

    values: pl.Series  # distinct
    code: Numbers  # of each place as it came, into ``values``
    text: Texts  # of each place, in order of the values
    starts: Numbers  # of each value among these

    def among(self, codes: Numbers, texts: npt.NDArray[np.bool_]) -> Numbers:
        """Those of some values that stand in any of some texts."""
        which, text = self.places(codes)
        held = np.zeros(len(codes), bool)
        held[which[texts[text]]] = True
        return codes[held]

    def places(self, codes: Numbers) -> tuple[Numbers, Texts]:
        """Where some values stand: for each place which of ``codes``, and the text."""
        first, last = self.starts[codes], self.starts[codes + 1]
        counts = last - first
        which = np.repeat(np.arange(len(codes)), counts)
        offset = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        return which, self.text[first[which] + offset]


class Passage:
    """Texts as the kernel takes them."""

    def __init__(self, texts: pl.Series, kept: Numbers | None) -> None:
        """``kept``: the indices of those to take; ``None``: all."""
        self._kept = kept
        taken = texts if kept is None else texts.gather(kept)
        array = pa.concat_arrays([taken.to_arrow()]) if len(taken) else pa.array([], pa.large_string())
        array = array.cast(pa.large_string())
        _, offsets, data = array.buffers()
        self.offsets = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
        self.data = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)

    def __repr__(self) -> str:
        return f"Passage({len(self.offsets) - 1} texts)"

    def ids(self, texts: Texts) -> npt.NDArray[np.uint32]:
        """The indices of some texts, given by their order here."""
        return (texts if self._kept is None else self._kept[texts]).astype(np.uint32)

    def gathered(self, start: Numbers, stop: Numbers) -> pl.Series:
        """Stretches of the bytes as texts."""
        data, offsets = gathered(self.data, start, stop)
        array = pa.LargeStringArray.from_buffers(len(start), pa.py_buffer(offsets), pa.py_buffer(data))
        return pl.Series("text", array)

    def distinct(self, start: Numbers, stop: Numbers, text: Texts) -> Slices:
        """Stretches of the bytes, each value once."""
        code, first, order, starts = distinct(self.data, start, stop)
        return Slices(self.gathered(start[first], stop[first]), code, text[order], starts)

    def padded(self, start: Numbers, stop: Numbers, text: Texts) -> tuple[Numbers, Numbers]:
        """Stretches with a character more on either side, as far as their texts go."""
        return np.maximum(start - 1, self.offsets[text]), np.minimum(stop + 1, self.offsets[text + 1])
