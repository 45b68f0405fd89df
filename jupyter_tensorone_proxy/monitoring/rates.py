"""Counters → rates, histograms and logged requests → quantiles. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..models import AccessLogEntry
from .metrics import Page, Series

_SERVER_ERROR = 500
_STATUS_LABELS = ("status", "status_code", "code", "http_status", "status_class")


@dataclass(frozen=True)
class Rates:
    """What happened between two pages.

    Args:
        request_rate: Requests a minute; None if they are not counted.
        error_rate: How many percent of them were answered with 500 or more.
        p50: Half of the requests took at most so long, in seconds; None if there were none.
        p95: The same of 95 %.
        p99: The same of 99 %.
        metrics: What was asked for: gauges as they are, counters as their increase a minute.
    """

    request_rate: float | None = None
    error_rate: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


class Counting:
    """From page to page: what the counters' increase says."""

    def __init__(self) -> None:
        self._before: tuple[float, Page] | None = None

    def take(self, page: Page, now: float) -> Rates:
        """Return what happened since the page before; of the first page, only its gauges.

        Args:
            page: The page.
            now: When it was read, in seconds.
        """
        before, self._before = self._before, (now, page)
        if before is None or now <= before[0]:
            return Rates(metrics=page.gauges)
        minutes, old = (now - before[0]) / 60, before[1]
        rate = error_rate = None
        if page.requests:
            grown = increases(old.requests, page.requests)
            total = sum(grown.values())
            failed = sum(count for series, count in grown.items() if _is_error(series))
            rate, error_rate = total / minutes, failed / total * 100 if total else 0.0
        per_minute = {
            name: sum(increases(old.counters.get(name, {}), series).values()) / minutes
            for name, series in page.counters.items()
        }
        buckets = _grown_buckets(old.buckets, page.buckets)
        p50, p95, p99 = (quantile(q, buckets) for q in (0.5, 0.95, 0.99))
        return Rates(rate, error_rate, p50, p95, p99, {**page.gauges, **per_minute})


def increases(before: Mapping[Series, float], now: Mapping[Series, float]) -> dict[Series, float]:
    """Return by how much each counter grew; one that is smaller began again at 0.

    Args:
        before: The counters then.
        now: The counters now.

    Example:
        >>> a, b = ("requests_total", ()), ("requests_total", (("code", "500"),))
        >>> list(increases({a: 10, b: 7}, {a: 12, b: 3}).values())
        [2, 3]
    """
    return {
        series: value - before.get(series, 0) if value >= before.get(series, 0) else value
        for series, value in now.items()
    }


def quantile(q: float, buckets: Mapping[float, float]) -> float | None:
    """Return a quantile of a histogram, as Prometheus' `histogram_quantile` does.

    Args:
        q: Which one, 0–1.
        buckets: Upper bound → how many observations up to it; the last bound is infinite.

    Returns:
        The quantile, even within its bucket; None if there is no observation.

    Example:
        >>> quantile(0.5, {1.0: 0, 2.0: 10, math.inf: 10})
        1.5
    """
    bounds = sorted(buckets)
    if not bounds or bounds[-1] != math.inf or not buckets[math.inf]:
        return None
    rank = q * buckets[math.inf]
    index = next(i for i, bound in enumerate(bounds) if buckets[bound] >= rank)
    if bounds[index] == math.inf:
        return bounds[index - 1] if index else None
    start, below = (bounds[index - 1], buckets[bounds[index - 1]]) if index else (0.0, 0.0)
    inside = buckets[bounds[index]] - below
    return start + (bounds[index] - start) * ((rank - below) / inside if inside else 0.0)


def rates_of(entries: Sequence[AccessLogEntry], rates: Rates) -> Rates:
    """Return what the proxy's log says of requests, beside their rate.

    Args:
        entries: The requests.
        rates: Their rate.

    Example:
        >>> entries = [AccessLogEntry(status_code=200, response_time_ms=n) for n in range(1, 101)]
        >>> rates_of(entries, Rates(request_rate=100.0))
        Rates(request_rate=100.0, error_rate=0.0, p50=0.05, p95=0.095, p99=0.099, metrics={})
    """
    took = sorted(e.response_time_ms / 1000 for e in entries if e.response_time_ms is not None)
    failed = sum((entry.status_code or 0) >= _SERVER_ERROR for entry in entries)
    p50, p95, p99 = (
        took[math.ceil(q * len(took)) - 1] if took else None for q in (0.5, 0.95, 0.99)
    )
    error_rate = failed / len(entries) * 100 if entries else 0.0
    return replace(rates, error_rate=error_rate, p50=p50, p95=p95, p99=p99)


def completed(own: Rates, counted: Rates) -> Rates:
    """Return what a service says of itself, and what it does not say as the proxy saw it.

    Args:
        own: By its metrics.
        counted: By the proxy.
    """
    missing = {
        name: getattr(counted, name)
        for name in ("request_rate", "error_rate", "p50", "p95", "p99")
        if getattr(own, name) is None
    }
    return replace(own, **missing)


def _grown_buckets(
    before: Mapping[Series, Mapping[float, float]], now: Mapping[Series, Mapping[float, float]]
) -> dict[float, float]:
    """Return the observations between two pages, all series together."""
    grown: dict[float, float] = {}
    for series, buckets in now.items():
        old = before.get(series, {})
        if any(count < old.get(bound, 0) for bound, count in buckets.items()):
            old = {}  # it began again, with all its buckets
        for bound, count in buckets.items():
            grown[bound] = grown.get(bound, 0) + count - old.get(bound, 0)
    return grown


def _is_error(series: Series) -> bool:
    return any(key in _STATUS_LABELS and value.startswith("5") for key, value in series[1])
