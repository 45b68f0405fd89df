"""The store: the only place where desired state is kept, and changed.

SQLite in the state directory by default; any database SQLAlchemy knows by its URL. What is read
comes out as the frozen values of `desired`. Observed state never gets in here.

A change happens inside `Store.transaction()`: the caller makes the data plane agree before leaving
the block, and an exception undoes the change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, OperationalError

from ..errors import GatewayError, StorageFullError
from ..models import ClusterAccess, Link, NetworkConfiguration, PortRequest, User
from .desired import DesiredCluster, DesiredMapping
from .migrations import LATEST_REVISION, migrate_in_another_process

_metadata = sa.MetaData()
_clusters = sa.Table(
    "clusters",
    _metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("document", sa.JSON),
    sa.Column("updated_at", sa.DateTime),
)
_mappings = sa.Table(
    "port_mappings",
    _metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("position", sa.Integer),
    sa.Column("cluster_id", sa.String),
    sa.Column("protocol", sa.String),
    sa.Column("internal_port", sa.Integer),
    sa.Column("external_port", sa.Integer),
    sa.Column("document", sa.JSON),
    sa.Column("created_at", sa.DateTime),
    sa.Column("updated_at", sa.DateTime),
)
_users = sa.Table(
    "users",
    _metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("token_id", sa.String),
    sa.Column("disabled", sa.Boolean),
    sa.Column("created_at", sa.DateTime),
)
_links = sa.Table(
    "links",
    _metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("port_id", sa.String),
    sa.Column("user", sa.String),
    sa.Column("one_time", sa.Boolean),
    sa.Column("expires_at", sa.DateTime),
    sa.Column("used_at", sa.DateTime),
)


class Transaction:
    """Changes that become real together, or not at all."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def save_cluster(self, cluster: DesiredCluster) -> None:
        """Write the cluster's settings."""
        document = {
            "enabled": cluster.enabled,
            "allowed_ips": list(cluster.allowed_ips),
            "access": cluster.access.to_wire(),
            "network": cluster.network.to_wire(),
        }
        values = {"document": document, "updated_at": _naive(cluster.updated_at or now())}
        where = _clusters.c.id == cluster.id
        if not self._execute(sa.update(_clusters).where(where).values(values)).rowcount:
            self._execute(sa.insert(_clusters).values(id=cluster.id, **values))

    def save_mapping(self, cluster_id: str, mapping: DesiredMapping) -> None:
        """Write a mapping, new or changed."""
        values = {
            "protocol": mapping.request.protocol,
            "internal_port": mapping.request.internal_port,
            "external_port": mapping.external_port,
            "document": mapping.request.to_wire(),
            "updated_at": _naive(mapping.updated_at),
        }
        where = _mappings.c.id == mapping.id
        if self._execute(sa.update(_mappings).where(where).values(values)).rowcount:
            return
        position = sa.select(sa.func.coalesce(sa.func.max(_mappings.c.position), 0) + 1)
        self._execute(
            sa.insert(_mappings).values(
                id=mapping.id,
                cluster_id=cluster_id,
                position=position.scalar_subquery(),
                created_at=_naive(mapping.created_at),
                **values,
            )
        )

    def delete_mapping(self, mapping_id: str) -> None:
        """Remove a mapping and its links."""
        self._execute(sa.delete(_links).where(_links.c.port_id == mapping_id))
        self._execute(sa.delete(_mappings).where(_mappings.c.id == mapping_id))

    def add_user(self, user: User, token_id: str) -> bool:
        """Add a user; False if the name is taken."""
        taken = sa.select(_users.c.name).where(_users.c.name == user.name)
        if self._execute(taken).first() is not None:
            return False
        self._execute(
            sa.insert(_users).values(
                name=user.name, token_id=token_id, disabled=False, created_at=_naive(now())
            )
        )
        return True

    def add_link(self, link: Link) -> None:
        """Remember a link, and forget those that ended."""
        self._execute(sa.delete(_links).where(_links.c.expires_at < _naive(now())))
        self._execute(
            sa.insert(_links).values(
                id=link.id,
                port_id=link.port_id,
                user=link.user,
                one_time=link.one_time,
                expires_at=_naive(link.expires_at),
            )
        )

    def redeem_link(self, link_id: str, mapping_id: str) -> bool:
        """Use a link; False if it is unknown, revoked, or was for one time and is used."""
        result = self._execute(
            sa.update(_links)
            .where(_links.c.id == link_id, _links.c.port_id == mapping_id)
            .where(sa.or_(_links.c.used_at.is_(None), sa.not_(_links.c.one_time)))
            .values(used_at=_naive(now()))
        )
        return result.rowcount == 1

    def _execute(self, statement: sa.Executable) -> sa.CursorResult[Any]:
        return self._connection.execute(statement)


class Store:
    """Desired state on disk.

    Args:
        url: SQLAlchemy's URL of the database.

    Raises:
        GatewayError: It cannot be opened, or is not one of ours. It is left as it is.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = sa.create_engine(url, json_serializer=_dumps)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
        try:
            self._migrate()
        except DatabaseError as error:
            raise GatewayError(
                f"The store {self._engine.url.render_as_string()} cannot be opened: {error.orig}.",
                suggestion="Restore it from a backup, or move it away to start without mappings.",
            ) from None

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def load(self, cluster_id: str) -> tuple[DesiredCluster, dict[str, DesiredMapping]]:
        """Return a cluster (its defaults if it is new) and its mappings, oldest first."""
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(_clusters).where(_clusters.c.id == cluster_id)
            ).first()
            rows = connection.execute(
                sa.select(_mappings)
                .where(_mappings.c.cluster_id == cluster_id)
                .order_by(_mappings.c.position)
            ).all()
        cluster = DesiredCluster(cluster_id) if row is None else _read_cluster(row)
        return cluster, {r.id: _read_mapping(r) for r in rows}

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction: committed at the end of the block, undone by an exception.

        Raises:
            StorageFullError: The disk is full or read-only; nothing was changed.
        """
        try:
            with self._engine.begin() as connection:
                yield Transaction(connection)
        except OperationalError as error:
            raise StorageFullError(
                f"The gateway cannot write its state: {error.orig}",
                details={"suggestion": "Free space in the state directory and try again."},
            ) from None

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            current = _revision(connection)
        if current != LATEST_REVISION:
            migrate_in_another_process(self._url)


def now() -> datetime:
    """Return the time, in UTC and whole milliseconds."""
    current = datetime.now(timezone.utc)
    return current.replace(microsecond=current.microsecond // 1000 * 1000)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=normal")
    connection.execute("pragma foreign_keys=on")
    connection.execute("pragma busy_timeout=5000")


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc).replace(tzinfo=None)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc)


def _read_cluster(row: Any) -> DesiredCluster:
    document = row.document
    return DesiredCluster(
        id=row.id,
        enabled=document["enabled"],
        allowed_ips=tuple(document["allowed_ips"]),
        access=ClusterAccess.model_validate(document["access"]),
        network=NetworkConfiguration.model_validate(document["network"]),
        updated_at=_aware(row.updated_at),
    )


def _read_mapping(row: Any) -> DesiredMapping:
    return DesiredMapping(
        id=row.id,
        request=PortRequest.model_validate(row.document),
        external_port=row.external_port,
        created_at=_aware(row.created_at),
        updated_at=_aware(row.updated_at),
    )
