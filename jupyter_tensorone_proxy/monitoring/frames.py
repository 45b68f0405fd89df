"""What the proxy counted and logged, as tables of pandas, where that is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from ..client import ProxyClient
from ..commands.verbs import require
from ..errors import ConfigurationError
from ..models import AccessLogEntry, UsageStatistics

_PAGE = 1000
_LOG_COLUMNS = [
    *("timestamp", "port", "name", "method", "path", "status_code", "response_time_ms"),
    *("user", "client_ip", "user_agent"),
]
_USAGE_COLUMNS = [
    *("port", "name", "url", "health_status", "total_requests", "unique_visitors"),
    *("last_accessed", "avg_response_time_ms"),
]


def access_logs(  # noqa: PLR0913 - keyword-only, each a filter
    port: int | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    status: int | None = None,
    limit: int = 1000,
    client: ProxyClient | None = None,
) -> Any:
    """Return requests to exposed services as a pandas DataFrame, the oldest first.

    Args:
        port: Only to this service, by its own port; also gone ones if missing.
        since: Only at or after this moment.
        until: Only before this moment.
        status: Only this status, or with 1–5 this class of statuses.
        limit: How many at most, the newest of them; from 1.
        client: Where; by default what `ProxyClient()` finds.

    Raises:
        ConfigurationError: pandas is not installed; the message says how.
        PortNotFoundError: The port is not exposed.
        NotSupportedError: The server keeps no log.

    Example:
        >>> requests = access_logs(8000, status=5)  # doctest: +SKIP
        >>> requests.groupby("path").response_time_ms.quantile(0.95)  # doctest: +SKIP
    """
    pandas = _pandas("access_logs()")
    if limit < 1:
        raise ConfigurationError(f"limit: {limit!r} is not a whole number from 1.")
    with _client(client) as api:
        config = api.get_proxy()
        port_id = None if port is None else require(config, port).id
        entries: list[AccessLogEntry] = []
        while len(entries) < limit:
            wanted = min(_PAGE, limit - len(entries))
            page = api.access_logs(
                port_id=port_id,
                since=since,
                until=until,
                status=status,
                before=entries[-1].id if entries else None,
                limit=wanted,
            )
            entries += page
            if len(page) < wanted:
                break
    by_id = {mapping.id: mapping for mapping in config.port_mappings}
    rows = [
        {
            **entry.to_wire(),
            "timestamp": entry.timestamp,
            "port": getattr(by_id.get(entry.port_id or ""), "internal_port", None),
            "name": getattr(by_id.get(entry.port_id or ""), "description", None),
        }
        for entry in reversed(entries)
    ]
    frame = pandas.DataFrame(rows, columns=_LOG_COLUMNS)
    frame["timestamp"] = pandas.to_datetime(frame["timestamp"], utc=True)
    return frame.astype({"port": "Int64", "status_code": "Int64"})


def usage(port: int | None = None, *, client: ProxyClient | None = None) -> Any:
    """Return what the proxy counted of each exposed service as a pandas DataFrame, by port.

    Args:
        port: Only this service, by its own port.
        client: Where; by default what `ProxyClient()` finds.

    Raises:
        ConfigurationError: pandas is not installed; the message says how.
        PortNotFoundError: The port is not exposed.

    Example:
        >>> usage().sort_values("total_requests").tail(3)  # doctest: +SKIP
    """
    pandas = _pandas("usage()")
    with _client(client) as api:
        config = api.get_proxy(include_health=True)
    mappings = config.port_mappings if port is None else [require(config, port)]
    rows = []
    for mapping in sorted(mappings, key=lambda found: found.internal_port or 0):
        counted = mapping.usage_statistics
        counted = counted if isinstance(counted, UsageStatistics) else UsageStatistics()
        row = {"port": mapping.internal_port, "name": mapping.description, "url": mapping.url}
        row |= {"health_status": mapping.health_status, **counted.model_dump()}
        rows.append(row)
    frame = pandas.DataFrame(rows, columns=_USAGE_COLUMNS)
    frame["last_accessed"] = pandas.to_datetime(frame["last_accessed"], utc=True)
    return frame.astype({"port": "Int64", "avg_response_time_ms": "float"})


def _pandas(what: str) -> Any:
    if importlib.util.find_spec("pandas") is None:
        raise ConfigurationError(
            f"{what} needs pandas, which is not installed here.",
            suggestion="Run: pip install pandas",
        )
    import pandas as pd  # it takes half a second, and few need it

    return pd


@contextmanager
def _client(given: ProxyClient | None) -> Iterator[ProxyClient]:
    """Yield the client that was given, or one that is closed again."""
    if given is not None:
        yield given
        return
    with ProxyClient() as own:
        yield own
