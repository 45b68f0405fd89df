"""When the panel looks again: as soon as the API tells that something happened, else by the clock.

The API's audit is the change marker: one request waits there for the next event and costs nothing
meanwhile. It tells of every change, session and health, but not of single requests, and some
servers have none; so there is a clock too, which slows down while nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...client import AsyncProxyClient

WAIT_SECONDS = 20
"""How long one request waits for an event; less than the client's patience."""

SLOWEST_SECONDS = 30.0
_SLOWER = 1.5


class Feed:
    """Waits for the API to tell that something happened.

    Args:
        client: Where.
    """

    def __init__(self, client: AsyncProxyClient) -> None:
        self._client = client
        self._after = 0

    async def begin(self) -> None:
        """Note what has happened until now; what happens from here on is news.

        Raises:
            NotSupportedError: The server does not tell what happens.
            ProxyError: The API refused or cannot be reached.
        """
        latest = await self._client.list_events(limit=1, latest=True)
        self._after = max((event.id for event in latest), default=0)

    async def news(self) -> None:
        """Return once something has happened since the last time.

        Raises:
            ProxyError: The API refused or cannot be reached.
        """
        found = None
        while not found:
            found = await self._client.list_events(
                after=self._after, limit=1, latest=True, wait_seconds=WAIT_SECONDS
            )
        self._after = max(event.id for event in found)


@dataclass
class Pace:
    """How long to wait until the next look: short after a change, longer and longer without.

    Args:
        least: The shortest wait, in seconds.

    Example:
        >>> pace = Pace(least=2.0)
        >>> pace.after(changed=False), pace.after(changed=False), pace.after(changed=True)
        (3.0, 4.5, 2.0)
    """

    least: float
    _seconds: float = 0.0

    def after(self, *, changed: bool) -> float:
        """Return the next wait, in seconds.

        Args:
            changed: Whether the last look saw anything new.
        """
        slower = max(self._seconds, self.least) * _SLOWER
        self._seconds = self.least if changed else min(slower, SLOWEST_SECONDS)
        return self._seconds
