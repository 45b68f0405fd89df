"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create clusters, port mappings, users and links."""
    op.create_table(
        "clusters",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "port_mappings",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("cluster_id", sa.String, nullable=False),
        sa.Column("protocol", sa.String, nullable=False),
        sa.Column("internal_port", sa.Integer, nullable=False),
        sa.Column("external_port", sa.Integer, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("cluster_id", "protocol", "internal_port"),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("token_id", sa.String, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "links",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column(
            "port_id",
            sa.String,
            sa.ForeignKey("port_mappings.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("one_time", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("used_at", sa.DateTime),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("links", "users", "port_mappings", "clusters"):
        op.drop_table(table)
