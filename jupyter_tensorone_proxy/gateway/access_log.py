"""Reading Envoy's access log: every line exactly once, over restarts and rotations.

How far the log was read is saved in the same transaction as what was counted from it (`usage`), so
that a crash between the two cannot happen. A full log is renamed, Envoy is told to open a new one,
and the old one is read to its end before it is removed.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .admin import Admin

_log = logging.getLogger(__name__)
_BATCH_BYTES = 1_000_000
_ROTATE_OVER_BYTES = 64_000_000
_OLD_IS_COMPLETE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as Envoy logged it."""

    mapping_id: str
    timestamp: float
    client_ip: str
    user: str | None
    method: str | None
    path: str | None
    status: int
    response_time_ms: int
    user_agent: str | None

    @property
    def visitor(self) -> str:
        """Who it was: the user, else the address."""
        return self.user or self.client_ip


@dataclass(frozen=True)
class Position:
    """How far the log was read: which file, and how many bytes of it."""

    inode: int = 0
    offset: int = 0


class AccessLog:
    """Reads the log in batches.

    Args:
        path: Envoy's access log.
        position: Where reading stopped the last time.
    """

    def __init__(self, path: Path, position: Position) -> None:
        self.position = position
        self._path = path
        self._old = path.with_suffix(".old")
        self._renamed_at = 0.0

    def next_batch(self) -> tuple[list[Request], Position]:
        """Return some more requests and the position after them; none if all is read."""
        if self._old.exists():
            requests, position = self._read(self._old)
            if requests or time.monotonic() - self._renamed_at < _OLD_IS_COMPLETE_SECONDS:
                return requests, position
            self._old.unlink()
        return self._read(self._path)

    async def rotate_if_full(self, admin: Admin) -> None:
        """Start a new log when this one is large; waits for the old one to be read."""
        try:
            full = self._path.stat().st_size > _ROTATE_OVER_BYTES
        except FileNotFoundError:
            return
        if full and not self._old.exists():
            self._path.rename(self._old)
            self._renamed_at = time.monotonic()
            if not await admin.reopen_logs():
                _log.warning("Envoy did not open a new access log; it will when it restarts")

    def _read(self, path: Path) -> tuple[list[Request], Position]:
        try:
            with path.open("rb") as file:
                inode = path.stat().st_ino
                offset = self.position.offset if inode == self.position.inode else 0
                file.seek(offset)
                chunk = file.read(_BATCH_BYTES)
        except FileNotFoundError:
            return [], self.position
        complete = chunk[: chunk.rfind(b"\n") + 1]
        requests = [r for line in complete.splitlines() if (r := parse_line(line))]
        return requests, Position(inode, offset + len(complete))


def parse_line(line: bytes) -> Request | None:
    """Return the request of one line; None (and a warning) if it is not one of ours."""
    try:
        entry: dict[str, Any] = json.loads(line)
        return Request(
            mapping_id=entry["m"],
            timestamp=float(entry["t"]),
            client_ip=entry["a"],
            user=entry["u"],
            method=entry["v"],
            path=entry["p"],
            status=entry["s"] or 0,
            response_time_ms=entry["d"] if entry["r"] is None else entry["r"],
            user_agent=entry["g"],
        )
    except (ValueError, KeyError, TypeError):
        _log.warning("Envoy's access log has a line that cannot be read")
        return None
