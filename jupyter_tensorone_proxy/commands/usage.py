"""How much a port was used lately, minute by minute, and how its service did. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from ..models import AccessLogEntry
from ..people import Event
from .rows import Health, health_word

MINUTES = 30
"""How far back a plot of usage goes."""

HEALTH_CHANGED = "health.changed"
_SERVER_ERROR = 500
_OWN_PAGES = "/.tensorone/"


@dataclass(frozen=True)
class Minute:
    """One minute of a port's life.

    Args:
        start: When it began.
        requests: How many arrived.
        failed: How many of them were answered with a status of 500 or more.
        median_ms: Half of them were answered within this time; None if there was none.
    """

    start: datetime
    requests: int
    failed: int
    median_ms: float | None


@dataclass(frozen=True)
class Span:
    """A time in which a service did one way.

    Args:
        start: When it began.
        end: When it ended; now, if it has not.
        health: How it did.
    """

    start: datetime
    end: datetime
    health: Health


def minutes_of(
    entries: Iterable[AccessLogEntry], now: datetime, *, count: int = MINUTES
) -> tuple[Minute, ...]:
    """Count requests by the minute, the oldest minute first.

    Args:
        entries: Requests, in any order; those of other times are left out, and signing in.
        now: The present; the last minute ends here.
        count: How many minutes, 1 or more.

    Example:
        >>> from datetime import timezone
        >>> now = datetime(2026, 1, 15, 14, 30, tzinfo=timezone.utc)
        >>> request = AccessLogEntry(timestamp=now, status_code=200, response_time_ms=12.0)
        >>> minutes_of([request], now, count=2)[1].requests
        1
    """
    by_age: dict[int, list[AccessLogEntry]] = defaultdict(list)
    for entry in entries:
        when: Any = entry.timestamp  # of a server that may have another idea of it
        if isinstance(when, datetime) and when.tzinfo is not None and not _is_sign_in(entry):
            by_age[max(0, int((now - when).total_seconds() // 60))].append(entry)
    return tuple(
        _minute(now - timedelta(minutes=age + 1), by_age.get(age, []))
        for age in reversed(range(count))
    )


def _is_sign_in(entry: AccessLogEntry) -> bool:
    """Say whether a request was for the gateway's own pages, which `total_requests` leaves out."""
    return str(entry.path or "").startswith(_OWN_PAGES)


def _minute(start: datetime, entries: Sequence[AccessLogEntry]) -> Minute:
    statuses: list[Any] = [entry.status_code for entry in entries]
    times = [t for e in entries if isinstance(t := e.response_time_ms, (int, float))]
    failed = sum(isinstance(s, int) and s >= _SERVER_ERROR for s in statuses)
    return Minute(start, len(entries), failed, median(times) if times else None)


def spans_of(
    events: Iterable[Event], current: str | None, now: datetime, *, count: int = MINUTES
) -> tuple[Span, ...]:
    """Return how a service did lately, the oldest first.

    Args:
        events: Of one port, the oldest first; only changes of health count.
        current: How it does now: the contract's `health_status`.
        now: The present.
        count: How many minutes to look back.

    Example:
        >>> from datetime import timezone
        >>> now = datetime(2026, 1, 15, 14, 30, tzinfo=timezone.utc)
        >>> ill = Event(id=1, timestamp=now - timedelta(minutes=10), action="health.changed",
        ...             details={"status": "unhealthy"})
        >>> [span.health.word for span in spans_of([ill], "unhealthy", now)]
        ['unhealthy']
    """
    start = now - timedelta(minutes=count)
    changes = [
        (event.timestamp, str(event.details.get("status")))
        for event in events
        if event.action == HEALTH_CHANGED and isinstance(event.details, dict)
    ]
    if not changes:
        return (Span(start, now, health_word(current)),)
    ends = [when for when, _ in changes[1:]] + [now]
    return tuple(
        Span(max(when, start), end, health_word(status))
        for (when, status), end in zip(changes, ends, strict=True)
        if end > start
    )


def usage_text(minutes: Sequence[Minute], *, cut: bool = False) -> str:
    """Say how much a port was used in these minutes.

    Args:
        minutes: From `minutes_of`.
        cut: Whether there were more requests than were looked at.

    Example:
        >>> from datetime import timezone
        >>> start = datetime(2026, 1, 15, tzinfo=timezone.utc)
        >>> usage_text([Minute(start, 3, 1, 18.2)])
        '3 requests in the last 1 min, 1 failed, half of them within 18 ms'
    """
    total, failed = sum(m.requests for m in minutes), sum(m.failed for m in minutes)
    length = f"in the last {len(minutes)} min"
    if not total:
        return f"No request {length}"
    told = f"{'More than ' if cut else ''}{total} request{'' if total == 1 else 's'} {length}"
    times = [m.median_ms for m in minutes for _ in range(m.requests) if m.median_ms is not None]
    within = f", half of them within {median(times):.0f} ms" if times else ""
    return f"{told}, {failed or 'none'} failed{within}"
