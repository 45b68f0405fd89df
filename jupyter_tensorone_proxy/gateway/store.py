"""The store: the only place where desired state is kept, and changed.

SQLite in the state directory by default; any database SQLAlchemy knows by its URL. What is read
comes out as the frozen values of `desired`. Observed state never gets in here.

A change happens inside `Store.transaction()`: the caller makes the data plane agree before leaving
the block, and an exception undoes the change.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, OperationalError

from ..errors import GatewayError, StorageFullError
from ..models import ClusterAccess, NetworkConfiguration, PortRequest
from ..people import Session
from .audit import Events, Note
from .desired import DesiredCluster, DesiredMapping, Revocations
from .migrations import LATEST_REVISION, REVISIONS, migrate_in_another_process
from .people import Links, Sessions, Users
from .tables import (
    aware,
    clusters,
    links,
    mappings,
    naive,
    now,
    revoked_tokens,
    sessions,
    users,
)

EXPIRED = "expired"
"""Why a mapping ended, where its `expires_at` came."""


class Transaction:
    """Reads, and changes that become real together, or not at all."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.users = Users(connection)
        self.links = Links(connection)
        self.sessions = Sessions(connection)
        self.events = Events(connection)

    def save_cluster(self, cluster: DesiredCluster) -> None:
        """Write the cluster's settings."""
        document = {
            "enabled": cluster.enabled,
            "allowed_ips": list(cluster.allowed_ips),
            "access": cluster.access.to_wire(),
            "network": cluster.network.to_wire(),
        }
        values = {"document": document, "updated_at": naive(cluster.updated_at or now())}
        where = clusters.c.id == cluster.id
        if not self._execute(sa.update(clusters).where(where).values(values)).rowcount:
            self._execute(sa.insert(clusters).values(id=cluster.id, **values))

    def save_mapping(self, cluster_id: str, mapping: DesiredMapping) -> None:
        """Write a mapping, new or changed."""
        values = {
            "protocol": mapping.request.protocol,
            "internal_port": mapping.request.internal_port,
            "external_port": mapping.external_port,
            "document": mapping.request.to_wire(),
            "generation": mapping.generation,
            "updated_at": naive(mapping.updated_at),
        }
        where = mappings.c.id == mapping.id
        if self._execute(sa.update(mappings).where(where).values(values)).rowcount:
            return
        position = sa.select(sa.func.coalesce(sa.func.max(mappings.c.position), 0) + 1)
        self._execute(
            sa.insert(mappings).values(
                id=mapping.id,
                cluster_id=cluster_id,
                position=position.scalar_subquery(),
                created_at=naive(mapping.created_at),
                **values,
            )
        )

    def end_mapping(self, mapping: DesiredMapping, **why: str) -> None:
        """Remove a mapping, its links and sessions, with an event.

        Args:
            mapping: Which.
            why: What the event tells besides.
        """
        self.revoke(self.sessions.live(port_id=mapping.id))
        self._execute(sa.delete(links).where(links.c.port_id == mapping.id))
        self._execute(sa.delete(mappings).where(mappings.c.id == mapping.id))
        told = {
            "internal_port": mapping.request.internal_port,
            "description": mapping.request.description,
        }
        self.events.add(Note("port.deleted", mapping.id, {**told, **why}))

    def revoke(self, ended: Iterable[Session]) -> list[Session]:
        """End sessions, each with an event; return which."""
        revoked = list(ended)
        self.sessions.revoke([session.id for session in revoked])
        for session in revoked:
            told = {"session_id": session.id, "user": session.user}
            self.events.add(Note("session.revoked", session.port_id, told))
        return revoked

    def forget_everything_signed(self) -> None:
        """Drop sessions, links and tokens, because the key that signed them is no longer good."""
        for table in (sessions, links, revoked_tokens):
            self._execute(sa.delete(table))
        self._execute(sa.update(users).values(token_id=None, token_hash=None))

    def forget_ended(self) -> None:
        """Drop what ended so long ago that nothing of it counts any more, and the oldest events."""
        self.sessions.forget_ended()
        self.links.forget_ended()
        self.users.forget_ended_tokens()
        self.events.forget_oldest()

    def revocations(self) -> Revocations:
        """Return what Envoy must refuse although it is signed."""
        return Revocations(self.sessions.revoked(), self.users.revoked_tokens())

    def _execute(self, statement: sa.Executable) -> sa.CursorResult[Any]:
        return self._connection.execute(statement)


@dataclass(frozen=True)
class Loaded:
    """What the store holds of a cluster."""

    cluster: DesiredCluster
    mappings: Mapping[str, DesiredMapping]
    revocations: Revocations


class Store:
    """Desired state on disk.

    Args:
        url: SQLAlchemy's URL of the database.

    Raises:
        GatewayError: It cannot be opened, or is not one of ours. It is left as it is.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._writer = asyncio.Lock()
        self._change = asyncio.Event()
        self._engine = sa.create_engine(url, json_serializer=_dumps)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
        try:
            self._migrate()
        except DatabaseError as error:
            raise self._damaged(f"cannot be opened: {error.orig}") from None

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def load(self, cluster_id: str) -> Loaded:
        """Return a cluster (its defaults if it is new), its mappings, and what is revoked.

        Raises:
            GatewayError: Something in it is not what we wrote. It is left as it is.
        """
        try:
            return self._load(cluster_id)
        except DatabaseError as error:
            raise self._damaged(f"cannot be read: {error.orig}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(f"holds something that is not ours: {_brief(error)}") from None

    def _load(self, cluster_id: str) -> Loaded:
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(clusters).where(clusters.c.id == cluster_id)).first()
            rows = connection.execute(
                sa.select(mappings)
                .where(mappings.c.cluster_id == cluster_id)
                .order_by(mappings.c.position)
            ).all()
            revocations = Transaction(connection).revocations()
        cluster = DesiredCluster(cluster_id) if row is None else _read_cluster(row)
        return Loaded(cluster, {r.id: _read_mapping(r) for r in rows}, revocations)

    def end_expired(self, loaded: Loaded) -> bool:
        """End what was exposed until a moment that has passed, before anything serves it again.

        On a full disk nothing ends here; the loop of the running gateway tries it again.

        Args:
            loaded: What the store holds.

        Returns:
            Whether there was any, so that the store holds something else now.
        """
        expired = [m for m in loaded.mappings.values() if m.has_ended(now())]
        if expired:
            with contextlib.suppress(OperationalError), self._engine.begin() as connection:
                for mapping in expired:
                    Transaction(connection).end_mapping(mapping, reason=EXPIRED)
        return bool(expired)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction: committed at the end of the block, undone by an exception.

        There is one at a time: the block may wait for Envoy, and SQLite has one writer.

        Raises:
            StorageFullError: The disk is full or read-only; nothing was changed.
        """
        async with self._writer:
            try:
                with self._engine.begin() as connection:
                    transaction = Transaction(connection)
                    yield transaction
                if transaction.events.added:
                    self._change.set()
                    self._change = asyncio.Event()
            except OperationalError as error:
                raise StorageFullError(
                    f"The gateway cannot write its state: {error.orig}",
                    details={"suggestion": "Free space in the state directory and try again."},
                ) from None

    async def changed(self, within_seconds: float) -> bool:
        """Wait for the next event; False if there is none in time."""
        try:
            await asyncio.wait_for(self._change.wait(), within_seconds)
        except asyncio.TimeoutError:
            return False
        return True

    def stop_waiting(self) -> None:
        """Let go of everybody who waits for an event: the gateway stops."""
        self._change.set()

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            current = _revision(connection)
        if current is not None and current not in REVISIONS:
            raise GatewayError(
                f"{self._name} was made by a newer version of the gateway: its tables have "
                f"revision {current!r}, and this one knows {LATEST_REVISION!r}.",
                suggestion="Upgrade jupyter-tensorone-proxy, or move the store away to start "
                "without mappings.",
            )
        if current != LATEST_REVISION:
            migrate_in_another_process(self._url)

    @property
    def _name(self) -> str:
        return f"The store {self._engine.url.render_as_string()}"  # without its password

    def _damaged(self, how: str) -> GatewayError:
        return GatewayError(
            f"{self._name} {how}.",
            suggestion="Restore it from a backup, or move it away to start without mappings.",
        )


def _brief(error: Exception) -> str:
    """Return an error without the values that it is about, in one line."""
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__} {lines[0]}".strip()


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


def _read_cluster(row: Any) -> DesiredCluster:
    document = row.document
    return DesiredCluster(
        id=row.id,
        enabled=document["enabled"],
        allowed_ips=tuple(document["allowed_ips"]),
        access=ClusterAccess.model_validate(document["access"]),
        network=NetworkConfiguration.model_validate(document["network"]),
        updated_at=aware(row.updated_at),
    )


def _read_mapping(row: Any) -> DesiredMapping:
    return DesiredMapping(
        id=row.id,
        request=PortRequest.model_validate(row.document),
        external_port=row.external_port,
        generation=row.generation,
        created_at=aware(row.created_at),
        updated_at=aware(row.updated_at),
    )
