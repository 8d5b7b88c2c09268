"""The rights that reading a MariaDB or MySQL server takes: tried without reading contents, written to be granted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import pymysql

from mapkeeper.plugin import Access, Reason
from mapkeeper_connectors.sql.mariadb.catalog import Catalog, Relation
from mapkeeper_connectors.sql.mariadb.session import Session, meaning

SHOWN = 20
"""Refused tables that are listed one by one; the rest are counted."""

_CONNECTIONS = 8  # as many as workers may ever want


def check(session: Session, catalog: Catalog) -> Iterator[Access]:
    """One line a database, then its refused tables; nobody's rows are read."""
    assets = [asset.handle for asset in catalog.assets() if isinstance(asset.handle, Relation)]
    if not assets:
        yield Access("SELECT on the database", None, "no table or view is visible: there is none, or no right to any")
    for schema, group in groupby(assets, lambda relation: relation.schema):
        relations = list(group)
        answers = {relation: _may_read(session, relation) for relation in relations}
        refused = [relation for relation, granted in answers.items() if granted is False]
        unclear = sum(granted is None for granted in answers.values())
        says = f"{len(relations) - len(refused) - unclear:,} of {len(relations):,} tables and views can be read"
        yield Access(f"SELECT on {schema}.*", not refused, says)
        for relation in refused[:SHOWN]:
            yield Access(f"SELECT on {relation.shown}", False, "refused, in whole or in part; its rows are not read")
        if more := len(refused) - SHOWN:
            yield from [Access(f"SELECT on {more:,} more of {schema}.*", False, "refused")] * (more > 0)
        views = [relation for relation in relations if relation.view]
        if views:
            hidden = sum(not (catalog.view(view) or {}).get("VIEW_DEFINITION") for view in views)
            says = f"the definitions of {len(views) - hidden:,} of {len(views):,} views can be seen"
            yield Access(f"SHOW VIEW on {schema}.*", not hidden, says, needed=False)


def _may_read(session: Session, relation: Relation) -> bool | None:
    try:
        session.select(f"SELECT * FROM {relation.quoted} LIMIT 0")  # noqa: S608 - quoted
    except pymysql.Error as error:
        known = meaning(error)
        if known is not None and known[0] is Reason.UNREACHABLE:
            raise
        return False if known is not None and known[0] is Reason.DENIED else None
    return True


def rights(database: str | None, user: str | None) -> str:
    """GRANT statements for an account that can read the database, or all but the server's own; no password in them."""
    account = f"'{_escaped(user or 'mapkeeper')}'@'%'"
    schema = (
        "*" if database is None else "`" + database.replace("`", "``").replace("_", r"\_").replace("%", r"\%") + "`"
    )
    return "\n".join(
        [
            f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '<password>' WITH MAX_USER_CONNECTIONS {_CONNECTIONS};",
            f"GRANT SELECT, SHOW VIEW ON {schema}.* TO {account};",
            "",
        ]
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "''")
