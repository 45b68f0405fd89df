"""What the panel shows, as one frozen value, and getting it from the API."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ...client import AsyncProxyClient
from ...commands.moments import now
from ...commands.rows import Row, Viewer
from ...commands.text import requests_of
from ...commands.usage import HEALTH_CHANGED, MINUTES
from ...commands.verbs import row_of
from ...errors import NotSupportedError
from ...models import AccessLogEntry, ProxyConfig
from ...people import Event, Session

MOST_REQUESTS = 1000
"""How many requests of one port are looked at: one page of the API."""

_MOST_CHANGES = 100


@dataclass(frozen=True)
class Details:
    """What is known of one port that somebody looks at closely.

    Args:
        requests: The newest first; None if the server does not tell them by port.
        changes: Changes of its health, the oldest first; None if the server does not tell.
        sessions: Who is signed in; None if the server does not tell.
        moment: When this was.
    """

    requests: tuple[AccessLogEntry, ...] | None
    changes: tuple[Event, ...] | None
    sessions: tuple[Session, ...] | None
    moment: datetime


@dataclass(frozen=True)
class Picture:
    """Everything at one moment.

    Args:
        config: The proxy as the server sees it.
        rows: Its mappings, by port, with the viewer's eyes.
        details: Of the ports that somebody looks at closely, by their mapping's id.
    """

    config: ProxyConfig
    rows: tuple[Row, ...]
    details: Mapping[str, Details] = field(default_factory=dict)

    @property
    def shown(self) -> object:
        """What of it people would see change; the moments of checks change all the time."""
        return tuple(
            (row.mapping.id, row.name, row.who_can_open, row.health, row.until, requests_of(row))
            for row in self.rows
        )


async def look(client: AsyncProxyClient, viewer: Viewer, opened: Collection[str]) -> Picture:
    """Ask the API for everything that is shown.

    Args:
        client: Where.
        viewer: Who looks, and from where.
        opened: Ids of the mappings that are looked at closely.

    Raises:
        ProxyError: The API refused or cannot be reached.
    """
    config = await client.get_proxy(include_health=True)
    by_port = sorted(config.port_mappings, key=lambda mapping: mapping.internal_port or 0)
    rows = tuple(row_of(config, mapping, viewer) for mapping in by_port)
    wanted = [mapping.id for mapping in by_port if mapping.id in opened]
    details = await asyncio.gather(*(_closely(client, port_id) for port_id in wanted))
    return Picture(config, rows, dict(zip(wanted, details, strict=True)))


async def _closely(client: AsyncProxyClient, port_id: str) -> Details:
    present = now()
    since = present - timedelta(minutes=MINUTES)
    return Details(
        await _requests(client, port_id, since),
        await _changes(client, port_id),
        await _sessions(client, port_id),
        present,
    )


async def _requests(
    client: AsyncProxyClient, port_id: str, since: datetime
) -> tuple[AccessLogEntry, ...] | None:
    try:
        return tuple(await client.access_logs(port_id=port_id, since=since, limit=MOST_REQUESTS))
    except NotSupportedError:
        return None


async def _changes(client: AsyncProxyClient, port_id: str) -> tuple[Event, ...] | None:
    try:
        return tuple(
            await client.list_events(
                action=HEALTH_CHANGED, port_id=port_id, limit=_MOST_CHANGES, latest=True
            )
        )
    except NotSupportedError:
        return None


async def _sessions(client: AsyncProxyClient, port_id: str) -> tuple[Session, ...] | None:
    try:
        return tuple(await client.list_sessions(port_id=port_id))
    except NotSupportedError:
        return None
