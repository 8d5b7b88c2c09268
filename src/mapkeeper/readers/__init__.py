"""Readers: from the bytes of an asset's objects to record batches, whatever container and format they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapkeeper.plugin import Batch, Gap, ReadPlan
from mapkeeper.readers.member import Member

__all__ = ["Member", "read"]


def read(members: Sequence[Member], plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
    """Read an asset that consists of these members, in this order, in bounded memory.

    Yields batches, then one gap for each kind of thing that could not be read. ``resume_from`` is the ``resume``
    of a batch of a former reading of the same members by the same plan.

    Raises:
        SourceError: the only member there is cannot be opened, or the resume point is none.
    """
    from mapkeeper.readers.reading import read as reading  # heavy: Polars and Arrow's readers

    yield from reading(members, plan, resume_from)
