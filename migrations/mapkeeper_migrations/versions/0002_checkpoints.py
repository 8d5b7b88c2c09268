"""Checkpoints, the speed of a source, when an asset was last read, names of any length. The way back is a backup."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of revision 0002."""
    op.create_table(
        "checkpoint",
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("saved", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["source.id"], name="fk_checkpoint_source"),
        sa.PrimaryKeyConstraint("client", "source", "digest", name="pk_checkpoint"),
    )
    op.add_column("source", sa.Column("seconds", sa.Double(), nullable=True))
    op.add_column("source", sa.Column("bytes_read", sa.BigInteger(), nullable=True))
    op.add_column("asset_state", sa.Column("last_read", sa.Date(), nullable=True))

    op.add_column("asset", sa.Column("digest", sa.String(), nullable=True))
    asset = sa.table("asset", sa.column("id"), sa.column("name"), sa.column("digest"))
    connection = op.get_bind()
    digests = [
        {"asset": id, "of_name": hashlib.sha256(name.encode()).hexdigest()}
        for id, name in connection.execute(sa.select(asset.c.id, asset.c.name))
    ]
    if digests:
        this = asset.c.id == sa.bindparam("asset")
        connection.execute(asset.update().where(this).values(digest=sa.bindparam("of_name")), digests)
    with op.batch_alter_table("asset") as altered:
        altered.alter_column("digest", existing_type=sa.String(), nullable=False)
        altered.drop_constraint("uq_asset_client_source_name", type_="unique")
        altered.create_unique_constraint("uq_asset_client_source_digest", ["client", "source", "digest"])
