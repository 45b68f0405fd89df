"""Moments and spans in words: ``5 min ago``, ``8 h``, ``2026-01-15 14:30 UTC``."""

from __future__ import annotations

from datetime import datetime, timezone

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def span(seconds: float) -> str:
    """Return a length of time, rounded down to what matters of it.

    Args:
        seconds: How long; a negative one counts as nothing.

    Example:
        >>> span(28_800), span(5400), span(90), span(86_400), span(183_600), span(-3)
        ('8 h', '1 h 30 min', '1 min', '24 h', '2 days 3 h', '0 s')
    """
    whole = max(0, int(seconds))
    if whole >= 2 * _DAY:
        return _two(whole // _DAY, "days", whole % _DAY // _HOUR, "h")
    if whole >= _HOUR:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return f"{whole // _MINUTE} min" if whole >= _MINUTE else f"{whole} s"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was, or how soon it will be.

    Args:
        moment: When, with a time zone.
        now: The present, with a time zone.

    Example:
        >>> now = datetime(2026, 1, 15, 14, 30, tzinfo=timezone.utc)
        >>> ago(datetime(2026, 1, 15, 14, 25, tzinfo=timezone.utc), now)
        '5 min ago'
        >>> ago(datetime(2026, 1, 15, 22, 30, tzinfo=timezone.utc), now)
        'in 8 h'
        >>> ago(now, now)
        'just now'
    """
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(0.5 - seconds)}"


def stamp(moment: datetime, *, seconds: bool = False, with_zone: bool = True) -> str:
    """Return a moment on the clock of this machine.

    Args:
        moment: When, with a time zone.
        seconds: With the seconds, as logs have it.
        with_zone: With the clock's time zone.
    """
    form = "%Y-%m-%d %H:%M" + (":%S" if seconds else "") + (" %Z" if with_zone else "")
    return moment.astimezone().strftime(form)


def zone() -> str:
    """Return the name of the time zone of this machine's clock."""
    return datetime.now().astimezone().strftime("%Z")


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(timezone.utc)
