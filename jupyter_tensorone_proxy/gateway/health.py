"""Observed health: what Envoy's active checks found, read from its event log.

Envoy writes one JSON line for every check. Nothing observed here flows back into desired state.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .log_file import LogFile


@dataclass
class _Target:
    """One address behind a mapping."""

    status: str = "unknown"
    consecutive_failures: int = 0
    last_check: datetime | None = None


@dataclass(frozen=True)
class Health:
    """The health of one mapping: healthy while any of its targets is."""

    status: str = "unknown"
    consecutive_failures: int = 0
    last_check: datetime | None = None


@dataclass
class HealthLog:
    """Reads the log and remembers the last state of every target.

    Args:
        path: Envoy's health event log.
    """

    path: Path
    _targets: dict[str, dict[str, _Target]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with what is in the log: the last state of every target."""
        self._file = LogFile(self.path)

    def of(self, mapping_id: str) -> Health:
        """Return a mapping's health as last observed."""
        targets = list(self._targets.get(mapping_id, {}).values())
        if not targets:
            return Health()
        statuses = {t.status for t in targets}
        status = next(s for s in ("healthy", "unknown", "unhealthy") if s in statuses)
        checks = [t.last_check for t in targets if t.last_check]
        failures = max(t.consecutive_failures for t in targets)
        return Health(status, failures, max(checks, default=None))

    def forget(self, mapping_id: str) -> None:
        """Drop what was observed of a mapping that is gone or has another target."""
        self._targets.pop(mapping_id, None)

    def keep(self, mapping_id: str, ports: Collection[int]) -> None:
        """Drop what was observed of targets that a mapping no longer has."""
        targets = self._targets.get(mapping_id, {})
        for key in [key for key in targets if _port(key) not in ports]:
            del targets[key]

    def knows(self, mapping_id: str, ports: Collection[int]) -> bool:
        """Say whether each of a mapping's targets has been checked."""
        return set(ports) <= {_port(key) for key in self._targets.get(mapping_id, {})}

    def read(self) -> set[str]:
        """Take in new lines; return the ids of the mappings whose status changed."""
        changed: set[str] = set()
        for event in self._file.new_entries():
            mapping_id = event.get("cluster_name", "")
            before = self.of(mapping_id).status
            self._take(mapping_id, event)
            if self.of(mapping_id).status != before:
                changed.add(mapping_id)
        return changed

    def _take(self, mapping_id: str, event: dict[str, Any]) -> None:
        address = event["host"]["socket_address"]
        key = f"{address['address']}:{address['port_value']}"
        target = self._targets.setdefault(mapping_id, {}).setdefault(key, _Target())
        if failure := event.get("health_check_failure_event"):
            target.consecutive_failures += 1
            if failure["first_check"]:  # Envoy holds a target for ill until a check has passed
                target.status = "unhealthy"
        elif "eject_unhealthy_event" in event:
            target.status = "unhealthy"
        else:
            target.status, target.consecutive_failures = "healthy", 0
        target.last_check = datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00"))


def _port(key: str) -> int:
    return int(key.rpartition(":")[2])
