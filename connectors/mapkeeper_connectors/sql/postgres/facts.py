"""What PostgreSQL says of a relation and of itself: who may read it, what it is made of, how the connection is kept.

A name may come several times: ``reader`` once for each role that may SELECT, ``foreign_key`` once for each key. Roles
are named as they are; ``PUBLIC`` is whoever may log in. The ``definition`` of a view has ``?`` for the values in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mapkeeper.plugin import Asset, Fact
from mapkeeper_connectors.sql import end_of_life
from mapkeeper_connectors.sql.postgres.session import Session

DEFINITION = 64 << 10
"""Characters of a view's SQL after which it is cut."""

_RELATION = """
SELECT c.oid, c.relkind::pg_catalog.text, c.relrowsecurity, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text,
    pg_catalog.obj_description(c.oid, 'pg_class'),
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.left(pg_catalog.pg_get_viewdef(c.oid), %s) END,
    CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""

_READERS = """
SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee) END::pg_catalog.text
FROM pg_catalog.pg_class c, pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
WHERE c.oid = %s::pg_catalog.oid AND a.privilege_type = 'SELECT'
UNION
SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee) END::pg_catalog.text
FROM pg_catalog.pg_attribute t, pg_catalog.aclexplode(t.attacl) a
WHERE t.attrelid = %s::pg_catalog.oid AND NOT t.attisdropped AND a.privilege_type = 'SELECT'
ORDER BY 1
"""

_KEYS = """
SELECT ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS key(num, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.num ORDER BY place),
    n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
    ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS key(num, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.num ORDER BY place)
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.confrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.conrelid = %s::pg_catalog.oid AND k.contype = 'f' AND NOT c.relispartition
ORDER BY k.conname
"""

_FOREIGN = """
SELECT s.srvname::pg_catalog.text, w.fdwname::pg_catalog.text,
    ARRAY(SELECT o.option_name || '=' || o.option_value
        FROM pg_catalog.pg_options_to_table(s.srvoptions || f.ftoptions) o WHERE o.option_name = ANY (%s) ORDER BY 1)
FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE f.ftrelid = %s::pg_catalog.oid
"""

_TOLD = ["dbname", "filename", "host", "hostaddr", "port", "schema", "schema_name", "table", "table_name"]
"""Options of foreign servers and tables that hold no secret."""

_VALUE = re.compile(
    r"""(?P<name>"(?:[^"]|"")*") | E'(?:[^'\\]|''|\\.)*(?:'|$) | '(?:[^']|'')*(?:'|$) | (?<![\w.])\d{4,}(?:\.\d+)?""",
    re.VERBOSE | re.DOTALL,
)
"""A text or a long number in SQL as the server writes it; or a name in quotes, which is none."""

_TLS = "SELECT ssl, version FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()"


def facts(session: Session, asset: Asset) -> Iterator[Fact]:
    """What the server says; nothing of a relation that is gone."""
    schema, name = asset.handle if isinstance(asset.handle, tuple) else ("public", asset.name)
    for oid, kind, filtered, owner, comment, definition, key in session.rows(_RELATION, DEFINITION, schema, name):
        readers = [reader for (reader,) in session.rows(_READERS, oid, oid)]
        yield Fact("owner", owner, "catalog")
        for reader in readers:
            yield Fact("reader", reader, "catalog")
        yield Fact("public", "PUBLIC" in readers, "catalog")
        yield Fact("row_security", filtered, "catalog")
        if comment:
            yield Fact("comment", comment, "catalog")
        if definition:
            yield Fact("definition", _without_values(definition), "catalog")
        if kind == "m":
            yield Fact("materialized", True, "catalog")
        if kind == "p":
            yield Fact("partitions", asset.objects, "catalog")
            yield Fact("partition_key", _without_values(key), "catalog")
        for columns, to_schema, to_table, to_columns in session.rows(_KEYS, oid):
            to = f"{to_schema}.{to_table}.{', '.join(to_columns)}"
            yield Fact("foreign_key", f"{', '.join(columns)} -> {to}", "catalog")
        if kind == "f":
            for server, wrapper, options in session.rows(_FOREIGN, _TOLD, oid):
                yield Fact("foreign_server", " ".join((f"{server} ({wrapper})", *options)), "catalog")
    yield from _of_server(session)


def _without_values(sql: str) -> str:
    """SQL with ``?`` for each text and long number: they may be anybody's address or number."""
    return _VALUE.sub(lambda found: found["name"] or "?", sql)


def _of_server(session: Session) -> Iterator[Fact]:
    for encrypted, version in session.rows(_TLS):
        yield Fact("encryption_in_transit", version if encrypted else False, "api")
    yield Fact("encryption_at_rest", None, "catalog")  # at rest: PostgreSQL has none of its own, and knows no disk
    yield Fact("version", session.version_text.split()[0], "api")
    major, minor = divmod(session.version, 10000)
    end = end_of_life.of("postgresql", (major, minor))
    yield Fact("end_of_life", end.isoformat() if end else None, f"table of {end_of_life.AS_OF.isoformat()}")
