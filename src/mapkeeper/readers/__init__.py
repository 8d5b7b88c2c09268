"""Readers: from the bytes of an asset's objects to record batches, whatever container and format they are in.

A connector folds names into assets (``family``; as they are listed and in bounded memory: ``folding``, ``shape``,
``listed``) and hands over their objects (``member``). The way of one from there::

    reading                   the members one after the other, each as far as its share of the plan goes
     ├─ part                  one member on its way; resume: where the reading stands; tally: what it could not read
 ├─ cutting               where a stretch of the asset ends, if others read on behind it
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

Columns that are nested leave as paths (``flat``). Texts that are JSON, in the columns of whatever source, are opened by
whoever classifies them (``nested``, ``spread``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mapkeeper.plugin import Batch, Cut, Gap, ReadPlan
from mapkeeper.readers.member import Member

__all__ = ["Member", "read", "stretch"]


def read(members: Sequence[Member], plan: ReadPlan, resume_from: str | None = None) -> Iterator[Batch | Gap]:
    """Read an asset that consists of these members, in this order, in bounded memory.

    Yields batches, then one gap for each kind of thing that could not be read. ``resume_from`` is the ``resume``
    of a batch of a former reading of the same members by the same plan.

    Raises:
        SourceError: the only member there is cannot be opened, or the resume point is none.
    """
    from mapkeeper.readers.reading import read as reading  # heavy: Polars and Arrow's readers

    yield from reading(members, plan, resume_from)


def stretch(
    members: Sequence[Member], start: str | None, size: int, end: str | None = None
) -> Iterator[Batch | Gap | Cut]:
    """Read a stretch of an asset that consists of these members, as `mapkeeper.plugin.Divisible` has it.

    An asset is cut between members, a Parquet file between row groups, and text that is not compressed between
    records. What cannot be gone into (what is compressed, UTF-16, a JSON document) is read by one.

    Raises:
        SourceError: as `read` does.
    """
    from mapkeeper.readers.reading import stretch as reading

    yield from reading(members, start, size, end)
