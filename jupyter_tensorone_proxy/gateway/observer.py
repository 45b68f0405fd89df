"""The loop that keeps observed state current: health and usage, from Envoy's logs."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Collection
from dataclasses import dataclass

from .access_log import AccessLog
from .admin import Admin
from .health import HealthLog
from .refused_requests import RefusedRequests
from .usage import Usage
from .xds.access_logging import REFUSED_CONNECTION

_log = logging.getLogger(__name__)
_PERIOD_SECONDS = 0.25
_LOOK_SECONDS = 0.02


@dataclass
class Observer:
    """Reads what Envoy wrote.

    Args:
        health: Reads the log of health checks.
        access_log: Reads the log of requests.
        usage: Counts the requests.
        admin: Envoy's admin interface, to rotate the log of requests.
        refused: Looks for what was refused.
    """

    health: HealthLog
    access_log: AccessLog
    usage: Usage
    admin: Admin
    refused: RefusedRequests
    _storage_failed: bool = False

    async def catch_up(self) -> None:
        """Take in what is written by now; others get their turn meanwhile."""
        self.health.read()
        unread = self.access_log.unread_bytes()
        while unread > 0 and (taken := self._take_batch()):
            unread -= taken
            await asyncio.sleep(0)

    async def first_checks(
        self, mapping_id: str, ports: Collection[int], *, within_seconds: float
    ) -> None:
        """Wait until each of a mapping's targets has been checked once, however that ended."""
        deadline = time.monotonic() + within_seconds
        while not self.health.knows(mapping_id, ports) and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_SECONDS)
            self.health.read()

    def read(self) -> None:
        """Take in everything that is there, without a pause: nothing is written any more."""
        self.health.read()
        while self._take_batch():
            pass

    async def run(self) -> None:
        """Read again and again; between batches others get their turn."""
        while True:
            await self.catch_up()
            await self.access_log.rotate_if_full(self.admin)
            await asyncio.sleep(_PERIOD_SECONDS)

    def _take_batch(self) -> int:
        """Count some more requests; return how many bytes of the log they were."""
        requests, position = self.access_log.next_batch()
        before = self.access_log.position
        if position == before:
            return 0
        try:
            visits = (r for r in requests if r.details != REFUSED_CONNECTION)
            self.usage.take(visits, position)
        except sqlite3.Error as error:
            if not self._storage_failed:
                _log.warning("Usage cannot be counted now, and will be later: %s", error)
            self._storage_failed = True
            return 0
        self._storage_failed = False
        self.access_log.position = position
        self.refused.take(requests)
        return position.offset - (before.offset if position.inode == before.inode else 0)
