"""Changes of health as events of the audit, so that nobody has to ask again and again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from ..errors import StorageFullError
from .audit import Note
from .control import Controller
from .health import HealthLog
from .store import Store

_log = logging.getLogger(__name__)
_PERIOD_SECONDS = 0.5


@dataclass
class HealthEvents:
    """Tells when a mapping's health becomes another.

    Args:
        controller: Knows the mappings.
        health: What was observed of them.
        store: Keeps the events.
    """

    controller: Controller
    health: HealthLog
    store: Store
    _told: dict[str, str] | None = field(default=None)

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Tell what changed since the last look; the first one only remembers."""
        mappings = self.controller.desired.mappings
        current = {mapping_id: self.health.of(mapping_id).status for mapping_id in mappings}
        before, known = self._told, self._told or {}
        changed = {i: s for i, s in current.items() if s != known.get(i, "unknown")}
        if before is not None and changed:
            try:
                await self._write(changed)
            except StorageFullError as error:
                _log.info("Changes of health are told later: %s", error)
                return
        self._told = current

    async def _write(self, changed: dict[str, str]) -> None:
        async with self.store.transaction() as transaction:
            for mapping_id, status in changed.items():
                mapping = self.controller.desired.mappings.get(mapping_id)
                if mapping is None:
                    continue
                told = {
                    "status": status,
                    "internal_port": mapping.request.internal_port,
                    "description": mapping.request.description,
                }
                transaction.events.add(Note("health.changed", mapping_id, told))
