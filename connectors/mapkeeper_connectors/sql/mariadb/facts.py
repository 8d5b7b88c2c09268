"""What a MariaDB or MySQL server says of a table or view: who may read it, how it is kept, what it hangs on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pymysql

from mapkeeper.plugin import Fact
from mapkeeper_connectors.sql import end_of_life
from mapkeeper_connectors.sql.mariadb.catalog import Catalog, Relation
from mapkeeper_connectors.sql.mariadb.session import Session
from mapkeeper_connectors.sql.mariadb.views import without_values

DEFINITION = 64 << 10
"""Characters of a view's definition that are kept."""

_HOW = "catalog"


def facts(session: Session, catalog: Catalog, of: Relation) -> Iterator[Fact]:
    """Each fact; none of a table that is gone.

    Raises:
        pymysql.Error: the server refuses, or is lost.
    """
    table = catalog.table(of)
    if table is None:
        return
    for grantee in readers(session, of):
        yield Fact("reader", grantee, _HOW)
    if of.view:
        yield from _of_view(catalog.view(of) or {})
    else:
        yield from _of_table(session, catalog, of, table)
    yield from _of_server(session)


def readers(session: Session, of: Relation) -> list[str]:
    """The accounts and roles that may SELECT from it, in whole or in part, as far as the catalog shows them."""
    where = "PRIVILEGE_TYPE = 'SELECT'"
    found = session.select(
        f"SELECT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE {where}"  # noqa: S608 - ours
        f" UNION SELECT GRANTEE FROM information_schema.SCHEMA_PRIVILEGES WHERE {where} AND %s LIKE TABLE_SCHEMA"
        f" UNION SELECT GRANTEE FROM information_schema.TABLE_PRIVILEGES WHERE {where} AND TABLE_SCHEMA = %s"
        " AND TABLE_NAME = %s"
        f" UNION SELECT GRANTEE FROM information_schema.COLUMN_PRIVILEGES WHERE {where} AND TABLE_SCHEMA = %s"
        " AND TABLE_NAME = %s",
        of.schema,
        *(of.schema, of.name) * 2,
    )
    return sorted({grantee for (grantee,) in found})


def _of_view(view: Mapping[str, Any]) -> Iterator[Fact]:
    definition = without_values(view.get("VIEW_DEFINITION") or "")[:DEFINITION]
    yield Fact("definition", definition or None, _HOW)
    yield Fact("definer", view.get("DEFINER") or None, _HOW)
    yield Fact("security", (view.get("SECURITY_TYPE") or "").lower() or None, _HOW)


def _of_table(session: Session, catalog: Catalog, of: Relation, table: Mapping[str, Any]) -> Iterator[Fact]:
    for reference in catalog.references(of):
        yield Fact("foreign_key", reference, _HOW)
    if table["TABLE_COMMENT"]:
        yield Fact("comment", table["TABLE_COMMENT"], _HOW)
    yield Fact("engine", table["ENGINE"], _HOW)
    yield Fact("collation", table["TABLE_COLLATION"], _HOW)
    partitions = [part for part in catalog.parts(of) if part["PARTITION_NAME"] is not None]
    if partitions:
        yield Fact("partitions", len(partitions), _HOW)
    yield Fact("encryption_at_rest", _encrypted(session, of, table), _HOW)


def _of_server(session: Session) -> Iterator[Fact]:
    used = {version for _, version in session.select("SHOW SESSION STATUS LIKE 'Ssl_version'")} - {""}
    yield Fact("encryption_in_transit", min(used, default=False), "api")
    yield Fact("version", ".".join(map(str, session.version)), "api")
    end = end_of_life.of("mariadb" if session.mariadb else "mysql", session.version)
    yield Fact("end_of_life", None if end is None else end.isoformat(), f"table of {end_of_life.AS_OF.isoformat()}")


def _encrypted(session: Session, of: Relation, table: Mapping[str, Any]) -> bool | None:
    """Whether the table was made to be encrypted, or its tablespace is; ``None``: the server does not say."""
    options = (table["CREATE_OPTIONS"] or "").lower().replace("`", "").replace("'", "").replace('"', "")
    for option in options.split():
        name, _, value = option.partition("=")
        if name in ("encrypted", "encryption"):
            return value in ("yes", "y")
    try:  # MariaDB, for those who have the right PROCESS
        found = session.select(
            "SELECT CURRENT_KEY_VERSION FROM information_schema.INNODB_TABLESPACES_ENCRYPTION"
            " WHERE CAST(NAME AS BINARY) ="
            " CAST(CONCAT(CONVERT(%s USING filename), '/', CONVERT(%s USING filename)) AS BINARY)",
            of.schema,
            of.name,
        )
    except pymysql.Error:
        return None
    return bool(found[0][0]) if found else None
