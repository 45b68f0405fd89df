"""The rules of all ports, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..models import ClusterAccess, RateLimit, RateLimiting, SecurityHeaders
from .moments import span
from .rows import readable


def access_facts(access: ClusterAccess) -> list[tuple[str, str]]:
    """Return the rules as names and values.

    Args:
        access: The rules.

    Example:
        >>> dict(access_facts(ClusterAccess(ip_whitelist=["10.0.0.0/8"])))["Let in"]
        '10.0.0.0/8'
    """
    limits = access.rate_limiting
    limits = limits if isinstance(limits, RateLimiting) else RateLimiting()
    asked = "asked for" if access.default_authentication else "NOT asked for"
    facts: list[tuple[str, Any]] = [
        ("Sign-in", f"{asked}, where a port does not say otherwise"),
        ("A session lives", _minutes(access.session_timeout_minutes)),
        ("Sessions at once", access.max_concurrent_sessions),
        ("Let in", _addresses(access.ip_whitelist, "every address")),
        ("Kept out", _addresses(access.blocked_ips, "no address")),
        ("All ports together", _limit(limits.global_limit)),
        ("Each person", _limit(limits.per_user_limit)),
        *_headers(access.security_headers),
    ]
    return [(name, readable(value, limit=200)) for name, value in facts]


def _minutes(minutes: Any) -> str:
    return span(minutes * 60) if isinstance(minutes, int) else str(minutes)


def _addresses(listed: Sequence[str], none: str) -> str:
    return ", ".join(map(str, listed)) or none


def _limit(limit: Any) -> str:
    if not isinstance(limit, RateLimit):
        return "no limit"
    burst = f", {limit.burst_size} at once" if limit.burst_size else ""
    return f"{limit.requests_per_minute} requests a minute{burst}"


def _headers(headers: Any) -> list[tuple[str, Any]]:
    if not isinstance(headers, SecurityHeaders):
        return []
    named = [
        ("HSTS", {True: "on", False: "off", None: None}[headers.hsts_enabled]),
        ("X-Frame-Options", headers.x_frame_options),
        ("Content-Security-Policy", headers.content_security_policy),
    ]
    return [(name, value) for name, value in named if value is not None]
