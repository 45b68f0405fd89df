"""Reading Envoy's access log: every line exactly once, over restarts and rotations.

How far the log was read is saved in the same transaction as what was counted from it (`usage`), so
that a crash between the two cannot happen. A full log is renamed, Envoy is told to open a new one,
and the old one is read to its end before it is removed; a crash anywhere in between changes nothing
but the time it takes.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .admin import Admin

_log = logging.getLogger(__name__)
_BATCH_BYTES = 400_000  # more than a line can have, and little enough for others to get a turn
_OLD_IS_COMPLETE_SECONDS = 2.0


class Request(NamedTuple):
    """One request, as Envoy logged it; a tuple, because there are many of them."""

    mapping_id: str
    timestamp: float
    client_ip: str
    user: str | None
    token_id: str | None
    method: str | None
    path: str | None
    status: int
    response_time_ms: int
    user_agent: str | None
    details: str | None = None
    """Envoy's word for who answered; None in a log of an earlier version."""

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
        rotate_over_bytes: From which size on a new log is started.
    """

    def __init__(self, path: Path, position: Position, *, rotate_over_bytes: int) -> None:
        self.position = position
        self._path = path
        self._old = path.with_suffix(".old")
        self._rotate_over_bytes = rotate_over_bytes
        self._reopened_at: float | None = None
        """When Envoy was told to leave the old log; None: it may be writing to it still."""

    def unread_bytes(self) -> int:
        """Return about how much there is to read now."""
        sizes = {f.st_ino: f.st_size for f in map(_stat, (self._old, self._path)) if f}
        return sum(sizes.values()) - (self.position.offset if self.position.inode in sizes else 0)

    def next_batch(self) -> tuple[list[Request], Position]:
        """Return some more requests and the position after them, the same if all is read."""
        if self._old.exists():
            requests, position = self._read(self._old)
            if position != self.position or not self._old_is_complete():
                return requests, position
            self._old.unlink()
        return self._read(self._path)

    async def rotate_if_full(self, admin: Admin) -> None:
        """Start a new log when this one is large; waits for the old one to be read."""
        if not self._old.exists():
            log = _stat(self._path)
            if log is None or log.st_size <= self._rotate_over_bytes:
                return
            self._path.rename(self._old)
            self._reopened_at = None
        # Until Envoy has said yes it writes to the old log, also if we were restarted in between.
        if self._reopened_at is None and await admin.reopen_logs():
            self._reopened_at = time.monotonic()

    def _old_is_complete(self) -> bool:
        if self._reopened_at is None:
            return False
        return time.monotonic() - self._reopened_at > _OLD_IS_COMPLETE_SECONDS

    def _read(self, path: Path) -> tuple[list[Request], Position]:
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                known = found.st_ino == self.position.inode
                offset = self.position.offset if known else 0
                if offset > found.st_size:
                    offset = 0  # somebody emptied it
                file.seek(offset)
                chunk = file.read(_BATCH_BYTES)
        except FileNotFoundError:
            return [], self.position
        complete = chunk[: chunk.rfind(b"\n") + 1]
        return parse_lines(complete), Position(found.st_ino, offset + len(complete))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def parse_lines(lines: bytes) -> list[Request]:
    """Return the requests of whole lines; what is not one of ours is left out, with a warning."""
    split = lines.splitlines()
    try:
        # Together they take half the time; this log is the most work the control plane has.
        entries = json.loads(b"[%s]" % b",".join(split))
        return [_request(entry) for entry in entries]
    except (ValueError, KeyError, TypeError):
        return [request for line in split if (request := _parse_line(line))]


def _parse_line(line: bytes) -> Request | None:
    try:
        return _request(_read_json(line))
    except (ValueError, KeyError, TypeError):
        _log.warning("Envoy's access log has a line that cannot be read")
        return None


def _request(entry: dict[str, Any]) -> Request:
    return Request(
        entry["m"],
        float(entry["t"]),
        entry["a"],
        entry["u"],
        entry["j"],
        entry["v"],
        entry["p"],
        entry["s"] or 0,
        (entry["d"] or 0) if entry["r"] is None else entry["r"],
        entry["g"],
        entry.get("w"),
    )


def _read_json(line: bytes) -> dict[str, Any]:
    """Read a line. When Envoy is killed as it writes, half a line stands before the next one."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        start = line.find(b'{"', 1)
        if start < 0:
            raise
        return _read_json(line[start:])
    return entry
