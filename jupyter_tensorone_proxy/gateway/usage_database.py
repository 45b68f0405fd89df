"""The database of what was observed: its tables, and its rows as the values they stand for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..models import AccessLogEntry

LOG_COLUMNS = (
    "id, port_id, timestamp, client_ip, user, method, path, status, response_time_ms, user_agent"
)
_SCHEMA_VERSION = 2
_SCHEMA = """
create table usage (
    port_id text primary key, total integer not null, time_ms integer not null,
    last_accessed real not null
);
create table counters (
    port_id text not null, kind text not null, number integer not null, count integer not null,
    primary key (port_id, kind, number)
) without rowid;
create table visitors (port_id text not null, visitor text not null, primary key (port_id, visitor))
    without rowid;
create table entries (
    id integer primary key, port_id text not null, timestamp real not null, client_ip text,
    user text, method text, path text, status integer, response_time_ms integer, user_agent text
);
create index entries_by_port on entries (port_id, id);
create table seen (token_id text primary key, at real not null) without rowid;
create table position (inode integer not null, offset integer not null);
insert into position values (0, 0);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database; make its tables if it is new.

    Raises:
        sqlite3.DatabaseError: It is none, or one of another version.
    """
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=off")  # derived: a power cut may cost the last second
    version = database.execute("pragma user_version").fetchone()[0]
    if version not in {0, _SCHEMA_VERSION}:
        raise sqlite3.DatabaseError(f"version {version} instead of {_SCHEMA_VERSION}")
    if version == 0:
        database.executescript(f"begin; {_SCHEMA} pragma user_version={_SCHEMA_VERSION}; commit;")
    return database


def log_entry(row: Iterable[Any]) -> AccessLogEntry:
    """Return a row of `LOG_COLUMNS` as the API shows it."""
    fields = dict(zip(LOG_COLUMNS.split(", "), row, strict=True))
    status = fields.pop("status")
    return AccessLogEntry(
        **fields | {"timestamp": as_moment(fields["timestamp"]), "status_code": status}
    )


def as_seconds(at: datetime | None) -> float | None:
    """Return seconds since 1970; a time without a zone is meant as UTC."""
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()


def as_moment(seconds: float) -> datetime:
    """Return the time so many seconds after 1970, in whole milliseconds."""
    return datetime.fromtimestamp(round(seconds, 3), timezone.utc)
