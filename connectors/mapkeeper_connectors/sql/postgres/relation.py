"""One relation of PostgreSQL at the time it is read: its columns, and the heaps that its rows lie in.

Rows lie in blocks of a heap, so that they can be read by block, or drawn, without a sequential scan. What has no heap
that we may read in this way, such as a view or a foreign table, is read as it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from mapkeeper.plugin import Asset, Reason, SourceError
from mapkeeper_connectors.sql.postgres.columns import COLUMNS, Columns, columns, quoted
from mapkeeper_connectors.sql.postgres.session import Session

_FOUND = """
SELECT c.oid, c.relkind::pg_catalog.text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
"""

_TREE = """
WITH RECURSIVE tree AS (
    SELECT %s::pg_catalog.oid AS oid
    UNION ALL
    SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_class p ON p.oid = tree.oid AND p.relkind = 'p'
        JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
)
SELECT c.oid, n.nspname::pg_catalog.text, c.relname::pg_catalog.text, c.relkind::pg_catalog.text,
    coalesce(a.amname = 'heap' AND c.relkind IN ('r', 'm'), false), c.relfilenode::pg_catalog.int8,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
    pg_catalog.row_security_active(c.oid),
    CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) END,
    CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) END
FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
ORDER BY n.nspname, c.relname, c.oid
"""
"""A relation, and the partitions of a partitioned one."""


@dataclass(frozen=True, slots=True)
class Heap:
    """Rows in numbered blocks: a table, a partition, or all partitions as seen through their parent."""

    source: str  # what stands after FROM
    blocks: int
    oid: int
    member: str | None  # the name of a partition
    file: int  # that its blocks are in, another once it is written anew; a checksum of several
    several: bool = False  # heaps are seen as one: rows of different ones share places


@dataclass(frozen=True, slots=True)
class Relation:
    """What there is to read."""

    source: str  # what stands after FROM
    columns: Columns
    heaps: tuple[Heap, ...] | None  # None: to be read as it comes
    bytes: int  # of the heaps, with their long cells
    files: tuple[int, ...]  # that the rows lie in: others once they are written anew

    @property
    def state(self) -> int:
        """A checksum of its files and columns: another once it is altered or written anew."""
        return crc32(repr((self.files, self.columns)).encode())

    @property
    def blocks(self) -> int:
        """Of all heaps."""
        return sum(heap.blocks for heap in self.heaps or ())


@dataclass(frozen=True, slots=True)
class _Part:
    """A row of `_TREE`."""

    oid: int
    schema: str
    name: str
    kind: str
    heap: bool  # its rows lie in numbered blocks
    file: int
    granted: bool
    filtered: bool  # row security hides some rows, and what it does not know to be safe comes after it: also a block
    size: int | None
    whole_size: int | None


def relation(session: Session, asset: Asset) -> Relation:
    """Look a relation up.

    Raises:
        SourceError: it is gone, or nothing of it may be read.
    """
    schema, name = asset.handle if isinstance(asset.handle, tuple) else ("public", asset.name)
    if not (found := session.rows(_FOUND, schema, name)):
        raise SourceError(Reason.CHANGED, f"{asset.name}: is no longer there; scan again")
    ((oid, kind),) = found
    known = columns(session.rows(COLUMNS, oid, oid))
    if known.denied and not known.all:
        raise SourceError(Reason.DENIED, f"{asset.name}: may not be read; GRANT SELECT on it to this user")
    parts = [_Part(*row) for row in session.rows(_TREE, oid)]
    # What inherits from a table, other than its partitions, is an asset of its own.
    source = quoted(schema, name) if kind in "vp" else f"ONLY {quoted(schema, name)}"
    heaps = _heaps(parts, oid, source, session.block_size)
    size = sum(part.whole_size or 0 for part in parts)
    return Relation(source, known, heaps, size, tuple(part.file for part in parts))


def _heaps(parts: Sequence[_Part], oid: int, source: str, block_size: int) -> tuple[Heap, ...] | None:
    """The heaps of a relation; ``None`` where there are none, or not for us to ask for a block of."""
    own = next((part for part in parts if part.oid == oid), None)
    leaves = [part for part in parts if part.kind != "p"]
    if own is None or not own.granted or own.filtered or not all(leaf.heap for leaf in leaves):
        return None
    blocks = [(leaf.size or 0) // block_size for leaf in leaves]
    if own.kind != "p":
        return (Heap(source, blocks[0], oid, None, own.file),)
    if all(leaf.granted and not leaf.filtered for leaf in leaves):
        return tuple(
            Heap(f"ONLY {quoted(leaf.schema, leaf.name)}", count, leaf.oid, leaf.name, leaf.file)
            for leaf, count in zip(leaves, blocks, strict=True)
        )
    # By its parent, as SELECT is granted on that alone.
    files = crc32(repr([(leaf.oid, leaf.file) for leaf in leaves]).encode())
    return (Heap(source, max(blocks, default=0), oid, None, files, several=True),)
