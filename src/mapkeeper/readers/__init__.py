"""Readers: from the bytes of an asset's objects to record batches, whatever container and format they are in.

A connector folds names into assets (``family``; as they are listed and in bounded memory: ``folding``, ``shape``,
``listed``) and hands over their objects (``member``). The way of one from there::

    reading                   the members one after the other, each as far as its share of the plan goes
     ├─ part                  one member on its way; resume: where the reading stands; tally: what it could not read
     ├─ stream                its content, without compression, as UTF-8
     ├─ kinds                 known by its first bytes and not read: a gap
     ├─ table                 Parquet, row group by row group
     └─ records               everything else: cut into records, wholly or by a sample
         ├─ recognise         by which format, one of those below
         ├─ document          a JSON document, as one object a line
         ├─ sample, block     which records to read; the content in blocks of whole ones
         └─ rows              what a format has to offer
             ├─ delimited     CSV and its kin
             └─ logs          each line by itself: line_format (structured_data), json_lines (json_loose), or text

Columns that are nested leave as paths (``flat``).
"""

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
