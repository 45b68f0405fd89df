"""What is watched, and where what is known of it is kept for whoever asks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..models import PortMapping
from .alerts import Alert, AlertEvent
from .delivery import log
from .services import ServiceView, WatchedService

_KEPT_EVENTS = 200


@dataclass(frozen=True)
class Plan:
    """What is watched, and how.

    Args:
        services: Ports or names; all that is exposed if empty.
        alerts: When people want to hear of it.
        metrics: Port or name → where its metrics are; None to look for them at ``/metrics``.
        interval_seconds: From one look to the next.
        history: How many values are kept of each measure.
    """

    services: Sequence[int | str]
    alerts: Sequence[Alert]
    metrics: Mapping[int | str, str] | None
    interval_seconds: float
    history: int

    def includes(self, mapping: PortMapping) -> bool:
        """Say whether a mapping is watched.

        Args:
            mapping: As the server sees it.
        """
        wanted = {mapping.internal_port, mapping.description}
        return not self.services or bool(wanted & set(self.services))

    def metrics_path(self, mapping: PortMapping) -> str | None:
        """Return where a service's metrics are; None if that is to be found out.

        Args:
            mapping: Its mapping.
        """
        if self.metrics is None:
            return None
        by_port = self.metrics.get(mapping.internal_port or 0)
        return by_port or self.metrics.get(mapping.description or "") or ""

    def watch(self, mapping: PortMapping) -> WatchedService:
        """Return a service as it is before the first look.

        Args:
            mapping: Its mapping.
        """
        name = mapping.description or ""
        alerts = [alert for alert in self.alerts if alert.concerns(mapping.internal_port, name)]
        return WatchedService(mapping, alerts, self.metrics_path(mapping), self.history)


@dataclass
class Board:
    """What is known now; read by whoever asks, in any thread.

    Args:
        lock: Held while it changes.
        views: The services, by port.
        events: The last alerts that began or recovered.
        problem: Why the API was not reached; empty if it was.
        looks: How many rounds are done.
        on_look: Called after each round.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    views: tuple[ServiceView, ...] = ()
    events: deque[AlertEvent] = field(default_factory=lambda: deque(maxlen=_KEPT_EVENTS))
    problem: str = ""
    looks: int = 0
    on_look: list[Callable[[], None]] = field(default_factory=list)

    def told(self) -> None:
        """Call whoever shows it; what fails there is not the watch's affair."""
        for show in list(self.on_look):
            try:
                show()
            except Exception as error:  # noqa: BLE001, PERF203 - a front end's; few, and rarely
                log.info("What is watched cannot be shown: %s: %s.", type(error).__name__, error)
