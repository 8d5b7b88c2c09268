"""What a user of PostgreSQL may do and should be granted, and which databases a server has."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import URL

from mapkeeper.plugin import Access, Store
from mapkeeper_connectors.sql.postgres.columns import quoted
from mapkeeper_connectors.sql.postgres.session import Session
from mapkeeper_connectors.sql.postgres.survey import part

REFUSED = 20
"""Tables that are named one by one where they are refused."""

_MAY = """
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
    pg_catalog.has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, 2
"""

_DATABASES = """
SELECT d.datname::pg_catalog.text, pg_catalog.has_database_privilege(d.oid, 'CONNECT')
FROM pg_catalog.pg_database d WHERE d.datallowconn AND NOT d.datistemplate ORDER BY 1
"""

_KEPT = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding", "target_session_attrs")
"""Options of a URL that go for the other databases of its server, and hold no secret."""


def check(session: Session) -> Iterator[Access]:
    """What a scan needs, asked of the catalog."""
    yield Access(f"CONNECT on database {session.database}", True)
    schemas: dict[str, list[bool]] = {}
    usage: dict[str, bool] = {}
    refused = []
    for schema, name, may_use, may_select in session.rows(_MAY):
        usage[schema] = may_use
        schemas.setdefault(schema, []).append(may_use and may_select)
        if may_use and not may_select:
            refused.append(f"SELECT on {part(schema)}.{part(name)}")
    for schema, granted in schemas.items():
        yield Access(f"USAGE on schema {part(schema)}", usage[schema])
        says = f"{sum(granted):,} of {len(granted):,} tables and views"
        yield Access(f"SELECT on all tables in schema {part(schema)}", all(granted), says)
    for needs in refused[:REFUSED]:
        yield Access(needs, False)
    if len(refused) > REFUSED:
        yield Access("SELECT on other tables", False, f"{len(refused) - REFUSED:,} more are refused")


def rights(url: URL) -> str:
    """Statements that make a user who can read and no more, for the owner of the database to paste."""
    user = quoted(url.username or "mapkeeper")
    database = quoted(url.database or url.username or "postgres")
    return f"""\
CREATE ROLE {user} LOGIN PASSWORD 'CHANGE-ME';
ALTER ROLE {user} SET default_transaction_read_only = on;
GRANT CONNECT ON DATABASE {database} TO {user};
-- in that database, for this schema and likewise for each other one:
GRANT USAGE ON SCHEMA public TO {user};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user};
-- for tables to come, as each role that makes tables:
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {user};
"""


def address(url: URL) -> str:
    """``host:port`` of a URL, where it says none those that libpq takes."""
    query = url.query.get("host")
    host = url.host or (query if isinstance(query, str) else None) or "localhost"
    return f"{f'[{host}]' if ':' in host else host.lower()}:{url.port or 5432}"


def name(url: URL, database: str | None = None) -> str:
    """The name of a database among all stores."""
    return f"postgresql://{address(url)}/{database or url.database or url.username or 'postgres'}"


def stores(session: Session, url: URL) -> Iterator[Store]:
    """Every database of the server that anybody may connect to."""
    options = {key: value for key, value in url.query.items() if key in _KEPT}
    for database, may_connect in session.rows(_DATABASES):
        other = URL.create(url.drivername, url.username, None, url.host, url.port, database, options)
        settings = {"connector": "sql", "url": other.render_as_string(hide_password=False)}
        says = "database" if may_connect else "database that this user may not CONNECT to"
        yield Store(name(url, database), settings, says)
