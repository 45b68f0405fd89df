"""Sessions, revocation and the audit; hashed tokens; what a link does."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables and columns; users made before keep their tokens' ids but need new tokens."""
    generation = sa.Column("generation", sa.Integer, nullable=False, server_default="0")
    op.add_column("port_mappings", generation)
    with op.batch_alter_table("users") as table:
        table.alter_column("token_id", existing_type=sa.String, nullable=True)
        table.add_column(sa.Column("token_hash", sa.String))
    for column in (
        sa.Column("via", sa.String, nullable=False, server_default="link"),
        sa.Column("ends_sessions", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.DateTime),
    ):
        op.add_column("links", column)
    op.create_table(
        "revoked_tokens",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column(
            "port_id",
            sa.String,
            sa.ForeignKey("port_mappings.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("user", sa.String, nullable=False, index=True),
        sa.Column("client_ip", sa.String),
        sa.Column("via", sa.String, nullable=False),
        sa.Column("link_id", sa.String),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False, index=True),
        sa.Column("revoked_at", sa.DateTime),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("timestamp", sa.DateTime, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("actor", sa.String),
        sa.Column("via", sa.String),
        sa.Column("client_ip", sa.String),
        sa.Column("port_id", sa.String),
        sa.Column("details", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("events", "sessions", "revoked_tokens"):
        op.drop_table(name)
    columns = {
        "links": ("via", "ends_sessions", "created_at"),
        "users": ("token_hash",),
        "port_mappings": ("generation",),
    }
    for table, names in columns.items():
        for name in names:
            op.drop_column(table, name)
