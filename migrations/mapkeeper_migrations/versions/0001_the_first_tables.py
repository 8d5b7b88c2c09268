"""The first tables. The way back is a backup."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_current = sa.text("to_scan IS NULL")


def upgrade() -> None:
    """Make the tables of revision 0001."""
    op.create_table(
        "client_text",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_client_text"),
    )
    op.create_table(
        "scan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("depth", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scan"),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=True),
        sa.Column("connector", sa.String(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("operator", sa.String(), nullable=True),
        sa.Column("known_by", sa.String(), nullable=True),
        sa.Column("last_scan", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_source"),
    )
    op.create_table(
        "asset",
        sa.Column("id", _number, nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=True),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["scan"], ["scan.id"], name="fk_asset_scan"),
        sa.ForeignKeyConstraint(["source"], ["source.id"], name="fk_asset_source"),
        sa.PrimaryKeyConstraint("id", name="pk_asset"),
        sa.UniqueConstraint("client", "source", "name", name="uq_asset_client_source_name"),
    )
    op.create_index("ix_asset_source", "asset", ["source"])

    op.create_table(
        "client_file",
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["scan"], ["scan.id"], name="fk_client_file_scan"),
        sa.ForeignKeyConstraint(["sha256"], ["client_text.sha256"], name="fk_client_file_sha256"),
        sa.PrimaryKeyConstraint("scan", "client", name="pk_client_file"),
    )
    op.create_table(
        "flow",
        sa.Column("row", _number, nullable=False),
        sa.Column("from_scan", sa.Integer(), nullable=False),
        sa.Column("to_scan", sa.Integer(), nullable=True),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=True),
        sa.Column("told_by", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["from_scan"], ["scan.id"], name="fk_flow_from_scan"),
        sa.ForeignKeyConstraint(["to_scan"], ["scan.id"], name="fk_flow_to_scan"),
        sa.ForeignKeyConstraint(["told_by"], ["source.id"], name="fk_flow_told_by"),
        sa.PrimaryKeyConstraint("row", name="pk_flow"),
        sa.UniqueConstraint("id", "from_scan", name="uq_flow_id_from_scan"),
    )
    op.create_index("ix_flow_from_scan", "flow", ["from_scan"])
    op.create_index("ix_flow_to_scan", "flow", ["to_scan"])
    op.create_index("ix_flow_told_by", "flow", ["told_by"])
    op.create_index("one_current_flow", "flow", ["id"], unique=True, sqlite_where=_current, postgresql_where=_current)

    op.create_table(
        "lease",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column("acquired", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["scan"], ["scan.id"], name="fk_lease_scan"),
        sa.PrimaryKeyConstraint("source", name="pk_lease"),
    )
    op.create_table(
        "asset_state",
        sa.Column("row", _number, nullable=False),
        sa.Column("from_scan", sa.Integer(), nullable=False),
        sa.Column("to_scan", sa.Integer(), nullable=True),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=True),
        sa.Column("asset", _number, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("unmapped", sa.Boolean(), nullable=False),
        sa.Column("depth", sa.String(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("rows_total", sa.BigInteger(), nullable=True),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=True),
        sa.Column("bytes_read", sa.BigInteger(), nullable=False),
        sa.Column("objects_total", sa.BigInteger(), nullable=False),
        sa.Column("objects_read", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("gaps", sa.JSON(), nullable=False),
        sa.Column("bound_95", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["asset"], ["asset.id"], name="fk_asset_state_asset"),
        sa.ForeignKeyConstraint(["from_scan"], ["scan.id"], name="fk_asset_state_from_scan"),
        sa.ForeignKeyConstraint(["to_scan"], ["scan.id"], name="fk_asset_state_to_scan"),
        sa.PrimaryKeyConstraint("row", name="pk_asset_state"),
        sa.UniqueConstraint("asset", "from_scan", name="uq_asset_state_asset_from_scan"),
    )
    op.create_index("ix_asset_state_from_scan", "asset_state", ["from_scan"])
    op.create_index("ix_asset_state_to_scan", "asset_state", ["to_scan"])
    op.create_index(
        "one_current_asset_state",
        "asset_state",
        ["asset"],
        unique=True,
        sqlite_where=_current,
        postgresql_where=_current,
    )

    op.create_table(
        "finding",
        sa.Column("row", _number, nullable=False),
        sa.Column("from_scan", sa.Integer(), nullable=False),
        sa.Column("to_scan", sa.Integer(), nullable=True),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=True),
        sa.Column("asset", _number, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("filled", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("valid", sa.BigInteger(), nullable=True),
        sa.Column("chance", sa.Double(), nullable=True),
        sa.Column("distinct", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("sample", sa.JSON(), nullable=False),
        sa.Column("where", sa.JSON(), nullable=False),
        sa.Column("special", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("source_role", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["asset"], ["asset.id"], name="fk_finding_asset"),
        sa.ForeignKeyConstraint(["from_scan"], ["scan.id"], name="fk_finding_from_scan"),
        sa.ForeignKeyConstraint(["to_scan"], ["scan.id"], name="fk_finding_to_scan"),
        sa.PrimaryKeyConstraint("row", name="pk_finding"),
        sa.UniqueConstraint("id", "from_scan", name="uq_finding_id_from_scan"),
    )
    op.create_index("ix_finding_asset", "finding", ["asset"])
    op.create_index("ix_finding_from_scan", "finding", ["from_scan"])
    op.create_index("ix_finding_to_scan", "finding", ["to_scan"])
    op.create_index(
        "one_current_finding", "finding", ["id"], unique=True, sqlite_where=_current, postgresql_where=_current
    )
