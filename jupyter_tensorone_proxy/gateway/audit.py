"""The audit: what happened, who did it, from where and through what.

An event is written in the transaction of the change it tells of, so neither is there without the
other. No credential is ever part of one. The oldest go when there are too many of their kind, so
that nobody can push out what was changed by having themselves refused over and over.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from starlette.types import ASGIApp, Receive, Scope, Send

from ..people import Event
from .tables import aware, events, naive, now

_KEPT_EVENTS, _KEPT_REFUSALS, _KEPT_HEALTH = 10_000, 2_000, 2_000


@dataclass(frozen=True)
class Origin:
    """Who does something, and through what.

    Args:
        actor: The person; None if nobody said.
        via: cli, magic, panel, python, jupyter, api (REST without one of our clients), visit (a
            visitor's own page), or gateway (by itself).
        client_ip: From where, if it is a visitor.
    """

    actor: str | None = None
    via: str = "gateway"
    client_ip: str | None = None


current_origin: ContextVar[Origin] = ContextVar("current_origin", default=Origin())  # noqa: B039 - frozen
"""Who is behind what this task does; set where a request comes in."""


@dataclass(frozen=True)
class Note:
    """Something to be written down."""

    action: str
    port_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Events:
    """The audit as the store keeps it.

    Args:
        connection: Inside a transaction.
        added: How many events were written by it.
    """

    connection: sa.Connection
    added: int = 0

    def add(self, note: Note) -> None:
        """Write an event down, by whoever is behind the current task."""
        origin = current_origin.get()
        self.added += 1
        self.connection.execute(
            sa.insert(events).values(
                timestamp=naive(now()),
                action=note.action,
                actor=origin.actor,
                via=origin.via,
                client_ip=origin.client_ip,
                port_id=note.port_id,
                details=note.details,
            )
        )

    def forget_oldest(self) -> None:
        """Drop the oldest of each kind that is more than is kept."""
        for kind, kept in _kinds():
            newest = sa.select(events.c.id).where(kind).order_by(events.c.id.desc())
            last = newest.offset(kept).limit(1).scalar_subquery()
            self.connection.execute(sa.delete(events).where(kind, events.c.id <= last))

    def after(
        self,
        event_id: int,
        *,
        limit: int,
        action: str | None = None,
        port_id: str | None = None,
        latest: bool = False,
    ) -> list[Event]:
        """Return events, the oldest first.

        Args:
            event_id: Only those after this one.
            limit: How many at most.
            action: Only this action, or with a trailing dot (``session.``) all of a kind.
            port_id: Only about this mapping.
            latest: If there are more, return the last of them instead of the first.
        """
        query = sa.select(events).where(events.c.id > event_id)
        if action is not None:
            kind = events.c.action.startswith(action, autoescape=True)
            query = query.where(kind if action.endswith(".") else events.c.action == action)
        if port_id is not None:
            query = query.where(events.c.port_id == port_id)
        order = events.c.id.desc() if latest else events.c.id
        found = [_read(row) for row in self.connection.execute(query.order_by(order).limit(limit))]
        return found[::-1] if latest else found


@dataclass(frozen=True)
class RecordOrigin:
    """ASGI middleware that notes who is behind a request of the API (SECURITY: audit).

    Whoever has the key may say in whose name it is used, and through what.

    Args:
        app: The API.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note it, and hand on (ASGI)."""
        headers = dict(scope.get("headers", ()))
        actor = _plain(headers.get(b"x-tensorone-user", b""))
        via = _plain(headers.get(b"x-tensorone-via", b""))
        current_origin.set(Origin(actor or None, via or "api"))
        await self.app(scope, receive, send)


def _kinds() -> list[tuple[sa.ColumnElement[bool], int]]:
    """Return the kinds of events, and how many of each are kept."""
    refused = events.c.action.in_(["session.refused", "request.refused"])
    health = events.c.action.startswith("health.")
    visit = sa.or_(events.c.action.startswith("session."), events.c.action.startswith("link."))
    return [
        (refused, _KEPT_REFUSALS),
        (health, _KEPT_HEALTH),
        (sa.and_(visit, sa.not_(refused)), _KEPT_EVENTS),
        (sa.not_(sa.or_(visit, health, refused)), _KEPT_EVENTS),
    ]


def _plain(value: bytes) -> str:
    """Return a header as one short line; names are UTF-8, percent-encoded (RFC 8187)."""
    text = unquote(value.decode("ascii", "replace"))
    return "".join(c for c in text if c.isprintable())[:200]


def _read(row: Any) -> Event:
    return Event(
        id=row.id,
        timestamp=aware(row.timestamp),
        action=row.action,
        actor=row.actor,
        via=row.via,
        client_ip=row.client_ip,
        port_id=row.port_id,
        details=row.details,
    )
