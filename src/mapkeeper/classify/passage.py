"""The bytes of some texts, end to end, and stretches of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from mapkeeper.classify.gathering import distinct, gathered

Numbers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.int32]


class Passage:
    """Texts as the kernel takes them."""

    def __init__(self, texts: pl.Series) -> None:
        array = pa.concat_arrays([texts.to_arrow()]) if len(texts) else pa.array([], pa.large_string())
        array = array.cast(pa.large_string())
        _, offsets, data = array.buffers()
        self.offsets = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
        self.data = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)

    def __repr__(self) -> str:
        return f"Passage({len(self.offsets) - 1} texts)"

    def gathered(self, start: Numbers, stop: Numbers) -> pl.Series:
        """Stretches of the bytes as texts."""
        data, offsets = gathered(self.data, start, stop)
        array = pa.LargeStringArray.from_buffers(len(start), pa.py_buffer(offsets), pa.py_buffer(data))
        return pl.Series("text", array)

    def distinct(self, start: Numbers, stop: Numbers) -> tuple[pl.Series, Numbers]:
        """The different values of some stretches, and for each stretch which of them it is."""
        code, first = distinct(self.data, start, stop)
        return self.gathered(start[first], stop[first]), code

    def whole(self, texts: Texts, start: Numbers, stop: Numbers) -> npt.NDArray[np.bool_]:
        """Whether each stretch is all of its text."""
        whole: npt.NDArray[np.bool_] = (start == self.offsets[texts]) & (stop == self.offsets[texts + 1])
        return whole
