"""Marks of relations of PostgreSQL: what changes whenever their rows may have, from the server's own counters.

The counters come from the sessions that write, about a second after they commit, or later while they stay busy: what
was committed less than that ago may show at the next scan only. They count no reading. No mark can be had where

- the server does not count (``track_counts``), or is a standby, which counts no changes;
- row security hides rows: what a user sees hangs on more than the rows;
- the rows lie on another server, or a view asks for something else than the rows of tables: a function that is not
  immutable, such as the day, or the server's catalog.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import defaultdict
from collections.abc import Iterable

from mapkeeper.plugin import Asset
from mapkeeper_connectors.sql.postgres.session import Session

_FRESH = 1.0  # seconds; the counters lag behind by as much anyway

_SERVER = """
SELECT (SELECT stats_reset::pg_catalog.text FROM pg_catalog.pg_stat_bgwriter),
    (SELECT stats_reset::pg_catalog.text FROM pg_catalog.pg_stat_database
        WHERE datname = pg_catalog.current_database())
"""
"""The first of them changes after a crash, too, when the counters start anew."""

_COUNTED = """
WITH RECURSIVE part AS (
    SELECT c.oid AS root, c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND {which}
    UNION ALL
    SELECT part.root, i.inhrelid FROM part JOIN pg_catalog.pg_class p ON p.oid = part.oid AND p.relkind = 'p'
        JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid
)
SELECT n.nspname::pg_catalog.text, root.relname::pg_catalog.text, c.oid,
    CASE WHEN c.relkind <> 'f' AND NOT pg_catalog.row_security_active(c.oid) THEN
        pg_catalog.concat_ws(' ', c.oid, c.relfilenode, (
            SELECT pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.pg_attribute
            WHERE attrelid = c.oid AND attnum > 0
        ), pg_catalog.pg_stat_get_tuples_inserted(c.oid),
            pg_catalog.pg_stat_get_tuples_updated(c.oid), pg_catalog.pg_stat_get_tuples_deleted(c.oid)) END
FROM part JOIN pg_catalog.pg_class c ON c.oid = part.oid JOIN pg_catalog.pg_class root ON root.oid = part.root
    JOIN pg_catalog.pg_namespace n ON n.oid = root.relnamespace
ORDER BY c.oid
"""
"""Tables and their partitions: the files of each, its columns as they were last altered, and its changes."""

_ALL = "NOT c.relispartition"
_ONE = "NOT c.relispartition AND n.nspname = %s AND c.relname = %s"
_THESE = "c.oid = ANY (%s::pg_catalog.oid[])"

_VIEW = r"""
WITH RECURSIVE seen AS (
    SELECT c.oid, c.relkind, c.relrowsecurity, r.ev_action::pg_catalog.text AS tree
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1'
    WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'v'
    UNION
    SELECT c.oid, c.relkind, c.relrowsecurity, r.ev_action::pg_catalog.text
    FROM seen CROSS JOIN LATERAL (
            SELECT named.oid[1]::pg_catalog.oid AS oid
            FROM pg_catalog.regexp_matches(seen.tree, ':relid (\d+)', 'g') AS named(oid)
            UNION ALL
            SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = seen.oid
        ) AS next
        JOIN pg_catalog.pg_class c ON c.oid = next.oid
        LEFT JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1' AND c.relkind = 'v'
)
SELECT
    pg_catalog.bool_and(relkind IN ('v', 'r', 'p', 'm') AND NOT relrowsecurity
        AND tree !~ 'SQLVALUEFUNCTION|NEXTVALUEEXPR' IS NOT FALSE)
    AND NOT EXISTS (
        SELECT FROM seen CROSS JOIN LATERAL
            pg_catalog.regexp_matches(tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') AS called(oid)
            JOIN pg_catalog.pg_proc p ON p.oid = called.oid[1]::pg_catalog.oid
        WHERE p.provolatile <> 'i'),
    pg_catalog.md5(pg_catalog.string_agg(tree, ',' ORDER BY oid)),
    pg_catalog.array_agg(oid ORDER BY oid) FILTER (WHERE relkind <> 'v')
FROM seen
"""
"""Whether a view, with all views in it, shows nothing but what follows from rows; its definition; the tables."""


class Marks:
    """The marks of one database.

    After a survey the first one is asked for together with all others, as they are wanted in a row then; else each is
    asked for alone, so that the whole catalog is not looked at for every asset.
    """

    def __init__(self, session: Session, *, after_survey: bool = False) -> None:
        self._session = session
        self._all_due = after_survey
        self._all_until = -math.inf
        self._server = ""
        self._parts: dict[tuple[str, str], list[int]] = {}
        self._counted: dict[int, str | None] = {}

    def of(self, asset: Asset) -> str | None:
        """The mark of a relation; ``None``: the server cannot tell."""
        if not self._session.counts or self._session.standby or not isinstance(asset.handle, tuple):
            return None
        schema, name = asset.handle
        if self._all_due:
            self._ask(_ALL)
            self._all_due, self._all_until = False, time.monotonic() + _FRESH
        elif not self._all_fresh:
            self._ask(_ONE, schema, name)
        if (parts := self._parts.get((schema, name))) is not None:
            return self._digest(parts)
        ((timeless, definition, tables),) = self._session.rows(_VIEW, schema, name)
        if not timeless:
            return None
        if not self._all_fresh:
            self._ask(_THESE, tables or [])
        return self._digest(tables or (), definition)

    @property
    def _all_fresh(self) -> bool:
        return time.monotonic() <= self._all_until

    def _ask(self, which: str, *values: object) -> None:
        """What is counted of some tables, in the place of what was asked before."""
        self._server = str(self._session.rows(_SERVER))
        self._parts, self._counted = defaultdict(list), {}
        for schema, name, oid, counted in self._session.rows(_COUNTED.format(which=which), *values):
            self._parts[schema, name].append(oid)
            self._counted[oid] = counted

    def _digest(self, tables: Iterable[int], definition: str = "") -> str | None:
        counted = [self._counted.get(table) for table in tables]
        if None in counted:
            return None
        return hashlib.sha256(" ".join(map(str, (self._server, definition, *counted))).encode()).hexdigest()[:32]
