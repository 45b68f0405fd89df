"""The loop that keeps observed state current: health and usage, from Envoy's logs."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import dataclass

from .access_log import AccessLog
from .admin import Admin
from .health import HealthLog
from .usage import Usage

_log = logging.getLogger(__name__)
_PERIOD_SECONDS = 0.25


@dataclass
class Observer:
    """Reads what Envoy wrote.

    Args:
        health: Reads the log of health checks.
        access_log: Reads the log of requests.
        usage: Counts the requests.
        admin: Envoy's admin interface, to rotate the log of requests.
    """

    health: HealthLog
    access_log: AccessLog
    usage: Usage
    admin: Admin
    _storage_failed: bool = False

    def read(self) -> None:
        """Take in everything that is written by now."""
        self.health.read()
        while self._take_batch():
            pass

    async def run(self) -> None:
        """Read again and again; between batches others get their turn."""
        while True:
            self.health.read()
            more = True
            while more:
                more = self._take_batch()
                await asyncio.sleep(0)
            await self.access_log.rotate_if_full(self.admin)
            await asyncio.sleep(_PERIOD_SECONDS)

    def _take_batch(self) -> bool:
        requests, position = self.access_log.next_batch()
        if position == self.access_log.position:
            return False
        try:
            self.usage.take(requests, position)
        except sqlite3.Error as error:
            if not self._storage_failed:
                _log.warning("Usage cannot be counted now, and will be later: %s", error)
            self._storage_failed = True
            return False
        self._storage_failed = False
        self.access_log.position = position
        return bool(requests)
