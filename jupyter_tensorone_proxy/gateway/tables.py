"""The store's tables, as the latest migration leaves them (`migrations/versions`)."""

from __future__ import annotations

from datetime import datetime, timezone

import sqlalchemy as sa

metadata = sa.MetaData()

clusters = sa.Table(
    "clusters",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("document", sa.JSON),
    sa.Column("updated_at", sa.DateTime),
)
mappings = sa.Table(
    "port_mappings",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("position", sa.Integer),
    sa.Column("cluster_id", sa.String),
    sa.Column("protocol", sa.String),
    sa.Column("internal_port", sa.Integer),
    sa.Column("external_port", sa.Integer),
    sa.Column("document", sa.JSON),
    sa.Column("generation", sa.Integer),
    sa.Column("created_at", sa.DateTime),
    sa.Column("updated_at", sa.DateTime),
)
users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("token_id", sa.String),
    sa.Column("token_hash", sa.String),
    sa.Column("disabled", sa.Boolean),
    sa.Column("created_at", sa.DateTime),
)
revoked_tokens = sa.Table(
    "revoked_tokens",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("expires_at", sa.DateTime),
)
links = sa.Table(
    "links",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("port_id", sa.String),
    sa.Column("user", sa.String),
    sa.Column("via", sa.String),
    sa.Column("one_time", sa.Boolean),
    sa.Column("ends_sessions", sa.Boolean),
    sa.Column("created_at", sa.DateTime),
    sa.Column("expires_at", sa.DateTime),
    sa.Column("used_at", sa.DateTime),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("port_id", sa.String),
    sa.Column("user", sa.String),
    sa.Column("client_ip", sa.String),
    sa.Column("via", sa.String),
    sa.Column("link_id", sa.String),
    sa.Column("created_at", sa.DateTime),
    sa.Column("expires_at", sa.DateTime),
    sa.Column("revoked_at", sa.DateTime),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("timestamp", sa.DateTime),
    sa.Column("action", sa.String),
    sa.Column("actor", sa.String),
    sa.Column("via", sa.String),
    sa.Column("client_ip", sa.String),
    sa.Column("port_id", sa.String),
    sa.Column("details", sa.JSON),
)


def now() -> datetime:
    """Return the time, in UTC and whole milliseconds."""
    current = datetime.now(timezone.utc)
    return current.replace(microsecond=current.microsecond // 1000 * 1000)


def naive(moment: datetime) -> datetime:
    """Return a moment as the tables keep it: in UTC, without saying so."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None)


def aware(moment: datetime) -> datetime:
    """Return a moment of the tables with its time zone."""
    return moment.replace(tzinfo=timezone.utc)
