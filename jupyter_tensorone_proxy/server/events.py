"""The audit of the proxy as Jupyter events, so that front ends need not ask again and again.

Each event that the API has is told once, from the start of the Jupyter server on. Of what an event
holds only the schema's fields go out, because every subscriber gets every event. Against an API
without events there are none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timezone
from logging import Logger
from pathlib import Path
from typing import Any

from ..client import AsyncProxyClient
from ..errors import ConfigurationError, GatewayError, NotSupportedError, ProxyError
from ..people import Event
from .connection import Connection

SCHEMA_ID = "https://tensorone.ai/schemas/jupyter_tensorone_proxy/audit/v1"
SCHEMA_FILE = Path(__file__).parent / "event_schemas" / "audit" / "v1.yaml"
_PAGE = 100
WAIT_SECONDS = 25
"""How long one request waits for an event; less than the client's patience."""

_BACK_OFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_TEXTS = ("action", "actor", "via", "client_ip", "port_id")
_DETAILS: dict[str, type] = {
    "internal_port": int,
    "description": str,
    "user": str,
    "session_id": str,
    "link_id": str,
    "reason": str,
    "status": str,
    "count": int,
}


class EventRelay:
    """Tells the events of the API on.

    Args:
        connection: Leads to the API.
        event_logger: The Jupyter server's, which tells its subscribers.
        log: Where it is said that there are none.
    """

    def __init__(self, connection: Connection, event_logger: Any, log: Logger) -> None:
        self._connection = connection
        self._events = event_logger
        self._events.register_event_schema(SCHEMA_FILE)
        self._log = log
        self._since = datetime.now(timezone.utc)
        self._after: int | None = None
        self._failures = 0
        self._client: AsyncProxyClient | None = None

    async def run(self) -> None:
        """Tell events on until the API turns out to have none, or for ever."""
        try:
            while await self._relay_until_it_fails():
                pass
        finally:
            await self._close_client()

    async def _relay_until_it_fails(self) -> bool:
        """Tell events on; after a failure wait as long as is wise, and say whether to go on."""
        try:
            await self._relay()
        except NotSupportedError as error:
            self._log.info("What happens is not told as Jupyter events. %s", error)
            return False
        except (ConfigurationError, GatewayError):
            # Asking again would start a broken gateway again and again.
            await self._connection.reached_by_others()
        except ProxyError as error:
            await self._pause(error)
        return True

    async def _relay(self) -> None:
        client = await self._own_client()
        after = await self._position(client)
        while True:
            self._failures, self._after = 0, after
            found = await client.list_events(after=after, limit=_PAGE, wait_seconds=WAIT_SECONDS)
            for event in found:
                self._events.emit(schema_id=SCHEMA_ID, data=told(event))
                after = self._after = event.id

    async def _position(self, client: AsyncProxyClient) -> int:
        """Return the last event that is not to be told: of before the start, or told already."""
        latest = await client.list_events(limit=_PAGE, latest=True)
        newest = max((event.id for event in latest), default=0)
        if self._after is not None:
            return self._after if self._after <= newest else 0  # the audit began anew
        older = [event.id for event in latest if event.timestamp < self._since]
        return max(older, default=0 if len(latest) < _PAGE else latest[0].id - 1)

    async def _pause(self, error: ProxyError) -> None:
        if not self._failures:
            self._log.info("Jupyter events of the proxy pause. %s", error)
        step = min(self._failures, len(_BACK_OFF_SECONDS) - 1)
        self._failures += 1
        await asyncio.sleep(_BACK_OFF_SECONDS[step])

    async def _own_client(self) -> AsyncProxyClient:
        """Return a client of our own: the handlers' one is closed when the gateway moves."""
        settings = (await self._connection.client()).settings
        if self._client is None or self._client.settings != settings:
            await self._close_client()
            self._client = AsyncProxyClient(settings=settings)
        return self._client

    async def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def told(event: Event) -> dict[str, Any]:
    """Return what is told of an event: the schema's fields, and nothing else that it may hold.

    Args:
        event: Of the audit.

    Example:
        >>> told(Event(
        ...     id=7, timestamp=datetime(2026, 1, 15, tzinfo=timezone.utc), action="port.created",
        ...     details={"fields": {"internal_port": 6006, "access_control": {}}, "token": "t"},
        ... ))["fields"]
        ['access_control', 'internal_port']
    """
    details: Any = event.details
    details = details if isinstance(details, Mapping) else {}
    fields = details.get("fields")
    fields = fields if isinstance(fields, Mapping) else {}
    known = {**fields, **details}
    return {
        "id": event.id,
        "timestamp": event.timestamp.isoformat(),
        **{n: str(value) for n in _TEXTS if (value := getattr(event, n)) is not None},
        **{n: known[n] for n, kind in _DETAILS.items() if isinstance(known.get(n), kind)},
        **({"fields": sorted(map(str, fields))} if fields else {}),
    }
