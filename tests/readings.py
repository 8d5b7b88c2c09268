"""What a connector yielded of one asset, as tests look at it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from mapkeeper.plugin import Batch, Gap


class Yielded:
    """The batches and gaps of one reading."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.gaps: list[Gap] = []

    def take(self, events: Iterable[Batch | Gap]) -> None:
        for event in events:
            self.batches.append(event) if isinstance(event, Batch) else self.gaps.append(event)

    def column(self, name: str) -> list[Any]:
        return [value for batch in self.batches for value in batch.data.column(name).to_pylist()]

    @property
    def rows(self) -> int:
        return sum(batch.data.num_rows for batch in self.batches)

    @property
    def types(self) -> dict[str, pa.DataType]:
        schema = self.batches[0].data.schema
        return dict(zip(schema.names, schema.types, strict=True))

    @property
    def how(self) -> set[tuple[str, bool]]:
        return {(batch.method, batch.random) for batch in self.batches}
