"""What lies in a database of PostgreSQL: tables, views and what else has rows, from the catalog alone.

Rows are the server's own estimate, as of its last VACUUM or ANALYZE; bytes are those of the files, without indexes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from mapkeeper.plugin import Asset, Gap, Kind, Reason
from mapkeeper_connectors.sql.postgres.session import Session

# The size of a table that is locked for its owner alone cannot be asked for without waiting for the lock.
_SIZE = """
CASE WHEN c.relkind IN ('r', 'm') AND c.oid NOT IN (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL AND database IN (
        SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
) THEN pg_catalog.pg_table_size(c.oid) END
"""

_LISTED = """
WITH RECURSIVE part AS (
    SELECT c.oid AS root, c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT part.root, i.inhrelid FROM part JOIN pg_catalog.pg_class p ON p.oid = part.oid AND p.relkind = 'p'
        JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid
), leaf AS (
    SELECT part.root, count(*) AS leaves,
        CASE WHEN pg_catalog.bool_and(c.reltuples >= 0 AND (c.relpages > 0 OR %s))
            THEN pg_catalog.sum(c.reltuples::pg_catalog.numeric) END AS rows,
        pg_catalog.sum({size}) AS bytes
    FROM part JOIN pg_catalog.pg_class c ON c.oid = part.oid AND c.relkind <> 'p' GROUP BY part.root
)
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, c.relkind::pg_catalog.text,
    coalesce(leaf.leaves, 0), leaf.rows::pg_catalog.int8, leaf.bytes::pg_catalog.int8, c.relispopulated,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
        OR pg_catalog.has_table_privilege(c.oid, 'SELECT')
FROM part JOIN pg_catalog.pg_class c ON c.oid = part.oid AND part.oid = part.root
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN leaf ON leaf.root = part.root
"""

_KINDS = {"r": Kind.TABLE, "p": Kind.TABLE, "f": Kind.TABLE, "m": Kind.VIEW, "v": Kind.VIEW}


@dataclass(frozen=True, slots=True)
class _Listed:
    schema: str
    name: str
    kind: str
    leaves: int
    rows: int | None
    bytes: int | None
    filled: bool
    usage: bool
    select: bool


def survey(session: Session, namespace: str) -> Iterator[Asset]:
    """Every asset of the database, in order of schema and name."""
    for found in sorted(_listed(session), key=lambda one: (one.schema, one.name)):
        stored = found.kind in "rpm"
        dataset = f"{part(found.schema)}.{part(found.name)}"
        yield Asset(
            dataset,
            _KINDS[found.kind],
            namespace,
            f"{part(session.database)}.{dataset}",
            rows=found.rows if stored and found.leaves else None,
            bytes=found.bytes if stored else None,
            objects=max(1, found.leaves),
            gap=_gap(found),
            handle=(found.schema, found.name),
        )


def part(name: str) -> str:
    """A part of a name; in quotes where its own dots would pass for those between parts."""
    return '"' + name.replace('"', '""') + '"' if "." in name or '"' in name else name


def _listed(session: Session) -> list[_Listed]:
    known = session.version >= 140000  # before, a table that nobody counted yet had 0 rows in 0 pages
    for size in (_SIZE, "NULL::pg_catalog.int8"):
        try:
            return [_Listed(*row) for row in session.rows(_LISTED.format(size=size), known)]
        except psycopg.errors.LockNotAvailable:  # locked in between
            continue
    return []


def _gap(found: _Listed) -> Gap | None:
    if not found.usage:
        return Gap(Reason.DENIED, says="its schema may not be looked into; GRANT USAGE on it to this user")
    if not found.select:
        return Gap(Reason.DENIED, says="it may not be read; GRANT SELECT on it to this user")
    if not found.filled:
        return Gap(Reason.UNREADABLE, says="the materialized view was never filled; REFRESH it")
    return None
