"""Open streams keep to the rules too: what was revoked while it was open is closed.

Envoy judges a request when it begins; a WebSocket or a stream may then stay open for days. It also
writes a line for every stream that is open, every two seconds, and this loop reads them: a stream
whose session was revoked or has expired, or whose user is no longer allowed, has its mapping's
connections closed. Envoy has no way to close one alone; visitors who may come in come back at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ApiError
from .control import Controller
from .log_file import LogFile
from .usage import Usage
from .xds.access import is_private

_log = logging.getLogger(__name__)
_PERIOD_SECONDS = 0.25
_SETTLING_SECONDS = 4.0
"""Lines of what was cut may still come: one flush, the drain, and the next flush."""


@dataclass(frozen=True)
class Stream:
    """One open stream, as Envoy logged it."""

    mapping_id: str
    token_id: str | None
    user: str | None
    expires_at: float | None


class StreamLog:
    """Reads the log of open streams.

    Args:
        path: Envoy's log.
    """

    def __init__(self, path: Path) -> None:
        self._file = LogFile(path, only_new=True)

    def read(self) -> list[Stream]:
        """Return what was written since the last time."""
        return [_stream(entry) for entry in self._file.new_entries()]


@dataclass
class Enforcer:
    """Closes the connections of mappings with streams that may not go on.

    Args:
        controller: Knows the rules, and closes.
        streams: What is open.
        usage: Is told which sessions are still there.
    """

    controller: Controller
    streams: StreamLog
    usage: Usage
    _cut_at: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Judge the streams that are open now."""
        streams = self.streams.read()
        if not streams:
            return
        self.usage.see([s.token_id for s in streams if s.token_id], time.time())
        guilty = {s.mapping_id for s in streams if not self._may_go_on(s)}
        current = time.monotonic()
        due = {i for i in guilty if current - self._cut_at.get(i, -60.0) > _SETTLING_SECONDS}
        if not due:
            return
        try:
            await self.controller.cut(due)
        except ApiError as error:
            _log.warning("Open connections could not be closed, and will be: %s", error)
            return
        self._cut_at |= dict.fromkeys(due, time.monotonic())

    def _may_go_on(self, stream: Stream) -> bool:
        desired = self.controller.desired
        mapping = desired.mappings.get(stream.mapping_id)
        if mapping is None or not is_private(mapping, desired.cluster):
            return True
        if stream.user is None or stream.token_id in desired.revocations.of(mapping.id):
            return False
        expired = stream.expires_at is not None and stream.expires_at < time.time()
        return mapping.is_for(stream.user) and not expired


def _stream(entry: dict[str, Any]) -> Stream:
    return Stream(entry["m"], entry["j"], entry["u"], entry["e"])
