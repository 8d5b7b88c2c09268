"""The tables of the inventory, in types that SQLite and PostgreSQL share.

A row of ``asset_state``, ``finding`` and ``flow`` is valid from ``from_scan`` up to, not including, ``to_scan``
(NULL: still). It is written once; the scan that finds otherwise closes it, setting ``to_scan`` and ``last_seen``,
and opens another. What moves without being news lies in ``asset``: ``mark``, ``rules``, and ``last_seen`` of what is
current. The migrations make the same tables; a test compares them.

A row of ``verdict`` is written once and stays: of those with one id the last counts.

A digest stands in unique keys for an asset's name: an index of PostgreSQL takes no text over 2,700 bytes.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

REVISION = "0003"
"""The newest migration, kept here so that opening an inventory of today needs no Alembic; a test compares them."""

VERSION_TABLE = "mapkeeper_revision"


class Utc(TypeDecorator[dt.datetime]):
    """A moment: aware in Python, UTC in the database, also where the database knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Make it UTC; a naive moment is an error of the caller."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value and value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Say that it is UTC."""
        return value and (value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC))


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only what is called INTEGER

scan = Table(
    "scan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started", Utc, nullable=False),
    Column("ended", Utc),
    Column("state", String, nullable=False),
    Column("depth", String, nullable=False),
    Column("version", String, nullable=False),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("expires", Utc, nullable=False),  # without a sign of life until then it counts as interrupted
)

client_text = Table(
    "client_text",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("text", Text, nullable=False),
)

client_file = Table(
    "client_file",
    metadata,
    Column("scan", ForeignKey(scan.c.id), primary_key=True),
    Column("client", String, primary_key=True),
    Column("sha256", ForeignKey(client_text.c.sha256), nullable=False),
)

source = Table(
    "source",
    metadata,
    Column("id", String, primary_key=True),
    Column("client", String),
    Column("connector", String, nullable=False),
    Column("target", Text, nullable=False),
    Column("country", String),
    Column("region", String),
    Column("operator", String),
    Column("known_by", String),
    Column("last_scan", Utc),
    Column("state", String, nullable=False),
    Column("seconds", Double),  # of its last scan that read something, and how much that was
    Column("bytes_read", BigInteger),
)

lease = Table(
    "lease",
    metadata,
    Column("source", String, primary_key=True),
    Column("scan", ForeignKey(scan.c.id), nullable=False),  # the lease lasts as long as this scan gives signs of life
    Column("acquired", Utc, nullable=False),
)

asset = Table(
    "asset",
    metadata,
    Column("id", _number, primary_key=True),
    Column("client", String, nullable=False),
    Column("source", ForeignKey(source.c.id), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", String, nullable=False),  # of the name
    Column("mark", Text),
    Column("rules", String, nullable=False),
    Column("scan", ForeignKey(scan.c.id), nullable=False),  # the last that recorded or saw it
    Column("last_seen", Date, nullable=False),
    UniqueConstraint("client", "source", "digest"),
    Index(None, "source"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("client", String, primary_key=True),
    Column("source", ForeignKey(source.c.id), primary_key=True),
    Column("digest", String, primary_key=True),  # of the name
    Column("name", Text, nullable=False),
    Column("saved", Utc, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # encrypted by the scan
)


def _interval() -> tuple[Column[Any], ...]:
    return (
        Column("row", _number, primary_key=True),
        Column("from_scan", ForeignKey(scan.c.id), nullable=False, index=True),
        Column("to_scan", ForeignKey(scan.c.id), index=True),
        Column("first_seen", Date, nullable=False),  # carried over from row to row
        Column("last_seen", Date),  # NULL while current: then that of the asset
    )


def _one_current(table: Table, key: str) -> None:
    current = table.c.to_scan.is_(None)
    Index(f"one_current_{table.name}", table.c[key], unique=True, sqlite_where=current, postgresql_where=current)


asset_state = Table(
    "asset_state",
    metadata,
    *_interval(),
    Column("asset", ForeignKey(asset.c.id), nullable=False),
    Column("kind", String, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("unmapped", Boolean, nullable=False),
    Column("depth", String, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("rows_total", BigInteger),
    Column("rows_read", BigInteger, nullable=False),
    Column("bytes_total", BigInteger),
    Column("bytes_read", BigInteger, nullable=False),
    Column("objects_total", BigInteger, nullable=False),
    Column("objects_read", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("gaps", JSON, nullable=False),
    Column("bound_95", Double),
    Column("last_read", Date),  # what its fields and findings are of; NULL: seen and read are one
    UniqueConstraint("asset", "from_scan"),
)
_one_current(asset_state, "asset")

finding = Table(
    "finding",
    metadata,
    *_interval(),
    Column("asset", ForeignKey(asset.c.id), nullable=False, index=True),
    Column("id", String, nullable=False),
    Column("field", Text, nullable=False),
    Column("category", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("filled", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("valid", BigInteger),
    Column("chance", Double),
    Column("distinct", BigInteger, nullable=False),
    Column("why", JSON, nullable=False),
    Column("sample", JSON, nullable=False),
    Column("where", JSON, nullable=False),
    Column("special", String),
    Column("subject", String),
    Column("source_role", String),
    UniqueConstraint("id", "from_scan"),
)
_one_current(finding, "id")

flow = Table(
    "flow",
    metadata,
    *_interval(),
    Column("told_by", ForeignKey(source.c.id), nullable=False, index=True),  # the source whose connector said so
    Column("id", String, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("kind", String, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("why", JSON, nullable=False),
    UniqueConstraint("id", "from_scan"),
)
_one_current(flow, "id")

verdict = Table(
    "verdict",
    metadata,
    Column("row", _number, primary_key=True),  # in order of writing, whatever the clocks of those who write say
    Column("id", String, nullable=False),  # of what it is about
    Column("state", String, nullable=False),
    Column("client", String),  # NULL: every client
    Column("source", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("rule", String),
    Column("category", String),
    Column("reason", Text),
    Column("author", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("expires", Date),
)
