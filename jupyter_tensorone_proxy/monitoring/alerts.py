"""Alerts: when people want to hear of a service, and when that is so. Pure: time is told.

An alert begins when its condition held for `for_seconds`, and recovers when it has not held for
`recovery_seconds`. What is not known at the moment changes nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from ..errors import InvalidAlertError
from .thresholds import Measure, measure_of, quantity, read_threshold

State = Literal["firing", "recovered"]
_WORDS = re.compile(
    r"(?P<measure>[\w:]+)(?:\s*(?P<than>>|<|\babove\b|\bbelow\b)\s*(?P<value>.+?))?"
    r"(?:\s+for\s+(?P<span>[^>]+))?\s*"
)
_SIDES = {">": "above", "<": "below", "above": "above", "below": "below"}
_LONGEST_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class Alert:
    """When people want to hear of a service.

    Args:
        measure: What is looked at: ``health``, ``response_time`` (of the monitor's own request),
            ``request_rate``, ``error_rate`` (answers of 500 and more), ``p50``, ``p95`` or ``p99``
            (of the service's histogram), or ``metric:NAME`` (a gauge, or a counter's increase a
            minute).
        above: Beyond what it is too much, with its unit: ``2 s``, ``500 ms``, ``600/min``,
            ``10/s``, ``5 %``; of a metric, a number.
        below: Beneath what it is too little.
        for_seconds: How long that must hold, 0 s to 7 days.
        recovery_seconds: How long it must not, before all is well again.
        services: Only these: ports, or names; all if empty.

    Raises:
        InvalidAlertError: A value is of the wrong type or unit; the message names it.

    Example:
        >>> str(Alert("response_time", above="2 s", for_seconds=30))
        'response_time above 2 s for 30 s'
        >>> Alert("error_rate", above="2 s")
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.errors.InvalidAlertError: above: '2 s' is seconds; error_rate ...
    """

    measure: str
    above: str | float | None = None
    below: str | float | None = None
    for_seconds: float = 0
    recovery_seconds: float = 0
    services: Sequence[int | str] = ()

    def __post_init__(self) -> None:
        """Judge every value.

        Raises:
            InvalidAlertError: One is wrong.
        """
        limits = self._limits
        if self.of.unit is not None and not limits:
            raise InvalidAlertError(
                f"{self.measure}: neither above nor below is given.",
                suggestion="Say beyond what it is too much.",
            )
        for field in ("for_seconds", "recovery_seconds"):
            _check_seconds(field, getattr(self, field))
        given: Any = self.services
        wrong = isinstance(given, (str, int)) or any(
            not isinstance(service, (int, str)) or isinstance(service, bool) for service in given
        )
        if wrong:
            raise InvalidAlertError(
                f"services: {self.services!r} is no list of ports and names.",
                suggestion="Give such as [8000, 'TensorBoard'].",
            )

    @classmethod
    def parse(cls, words: str) -> Alert:
        """Read an alert from one line.

        Args:
            words: Such as ``response_time > 2 s for 30 s``, or ``request_rate below 1/min``.

        Raises:
            InvalidAlertError: It cannot be understood.

        Example:
            >>> Alert.parse("error_rate > 5 % for 60 s").for_seconds
            60.0
        """
        text: Any = words  # of a caller whose types nobody checks
        found = _WORDS.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            raise InvalidAlertError(
                f"{words!r} is no alert.",
                suggestion="Write such as 'response_time > 2 s for 30 s', or 'health'.",
            )
        side: dict[str, Any] = (
            {_SIDES[found["than"]]: _unquoted(found["value"])} if found["than"] else {}
        )
        span = found["span"]
        seconds = read_threshold(measure_of("response_time"), span.strip(), "for") if span else 0
        return cls(found["measure"], for_seconds=seconds, **side)

    @property
    def of(self) -> Measure:
        """What is looked at."""
        return measure_of(self.measure)

    @cached_property
    def _limits(self) -> dict[str, float]:
        given = {"above": self.above, "below": self.below}
        return {
            side: read_threshold(self.of, value, side)
            for side, value in given.items()
            if value is not None
        }

    @property
    def threshold(self) -> str:
        """The threshold as people read it; empty if there is none."""
        sides = [f"{side} {quantity(self.of, limit)}" for side, limit in self._limits.items()]
        return " or ".join(sides)

    def __str__(self) -> str:
        condition = " ".join(filter(None, [self.measure, self.threshold]))
        return f"{condition} for {self.for_seconds:g} s" if self.for_seconds else condition

    def holds(self, value: float | None) -> bool | None:
        """Say whether this is what people want to hear of; None if it is not known.

        Args:
            value: What was measured, in the measure's unit; of health, 1 or 0.
        """
        if value is None:
            return None
        if self.of.unit is None:
            return value == 0
        above, below = self._limits.get("above"), self._limits.get("below")
        return (above is not None and value > above) or (below is not None and value < below)

    def concerns(self, port: int | None, name: str) -> bool:
        """Say whether a service is one of those that are looked at.

        Args:
            port: Its own port.
            name: What people call it.
        """
        return not self.services or port in self.services or name in self.services


class Vigil:
    """One alert of one service, from look to look.

    Args:
        alert: The alert.

    Example:
        >>> vigil = Vigil(Alert("health", for_seconds=10))
        >>> looks = (0, 0), (0, 9), (0, 10), (None, 11), (1, 12)
        >>> [vigil.look(value, now) for value, now in looks]
        [None, None, 'firing', None, 'recovered']
    """

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.firing = False
        self._since: float | None = None

    def look(self, value: float | None, now: float) -> State | None:
        """Take what was measured; say what begins or ends now.

        Args:
            value: What was measured; None if it is not known.
            now: When, in seconds of any clock that only goes on.
        """
        holds = self.alert.holds(value)
        if holds is None:
            return None
        if holds == self.firing:
            self._since = None
            return None
        self._since = now if self._since is None else self._since
        patience = self.alert.recovery_seconds if self.firing else self.alert.for_seconds
        if now - self._since < patience:
            return None
        self.firing, self._since = holds, None
        return "firing" if holds else "recovered"


@dataclass(frozen=True)
class AlertEvent:
    """An alert that began, or that recovered.

    Args:
        state: Which of the two.
        alert: The alert, in words.
        measure: What was looked at.
        value: What was measured, in words; ``-`` if the service is gone.
        name: The service's name.
        port: Its own port.
        port_id: Its mapping's id.
        reason: Why, if there is more to say.
        timestamp: When.
    """

    state: State
    alert: str
    measure: str
    value: str
    name: str
    port: int | None
    port_id: str
    reason: str
    timestamp: datetime

    def __str__(self) -> str:
        word = "alert" if self.state == "firing" else "well again"
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.name} (port {self.port}): {word}: {self.alert}; it is {self.value}{why}."

    def json(self) -> dict[str, Any]:
        """Return what programs get: plain values, without an address or a credential."""
        fields = {
            "state": self.state,
            "alert": self.alert,
            "measure": self.measure,
            "value": self.value,
            "name": self.name,
            "port": self.port,
            "port_id": self.port_id,
            "reason": self.reason,
            "timestamp": self.timestamp.isoformat().replace("+00:00", "Z"),
        }
        return {name: value for name, value in fields.items() if value not in {None, ""}}


def _check_seconds(field: str, value: object) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        kind = type(value).__name__
        raise InvalidAlertError(
            f"{field}: {value!r} ({kind}) is no number of seconds.", suggestion="Give such as 30."
        )
    if not (math.isfinite(value) and 0 <= value <= _LONGEST_SECONDS):
        raise InvalidAlertError(f"{field}: {value!r} is not from 0 s to 7 days, in seconds.")


def _unquoted(value: str) -> str | float:
    """Return a threshold as `Alert` takes it: a number where there is no unit."""
    try:
        return float(value)
    except ValueError:
        return value
