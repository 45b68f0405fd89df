"""A log of Envoy's that only tells what is so now: read on, and emptied when it has grown.

Envoy appends, so emptying is safe. What must not be lost, the access log, is read by `access_log`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)
_EMPTY_OVER_BYTES = 4_000_000


@dataclass
class LogFile:
    """Reads JSON lines as they come.

    Args:
        path: The log; it need not exist yet.
        only_new: Leave out what is in it already.
    """

    path: Path
    only_new: bool = False
    _offset: int = 0

    def __post_init__(self) -> None:
        """Find where to begin."""
        if self.only_new and self.path.exists():
            self._offset = self.path.stat().st_size

    def new_entries(self) -> Iterator[dict[str, Any]]:
        """Yield what was written since the last time."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                lines = file.read()
        except FileNotFoundError:
            return
        complete = lines[: lines.rfind(b"\n") + 1]
        self._offset += len(complete)
        yield from (entry for line in complete.splitlines() if (entry := self._entry(line)))
        if self._offset > _EMPTY_OVER_BYTES:
            with self.path.open("r+b") as file:
                file.truncate(0)
            self._offset = 0

    def _entry(self, line: bytes) -> dict[str, Any] | None:
        try:
            entry = json.loads(line)
        except ValueError:
            _log.warning("Envoy's %s has a line that is not JSON", self.path.name)
            return None
        return dict(entry)
