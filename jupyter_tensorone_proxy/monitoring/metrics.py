"""Reading a page of Prometheus metrics: counters → rates, histograms → quantiles. Pure.

The page is parsed by Prometheus' own client library. Of a large page only the lines that are wanted
are handed to it, because parsing all of them is most of what monitoring would cost.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A metric's name with its labels."""

_COUNTERS = re.compile(r"(?:\w*_)?requests?_total|http_server_requests_seconds_count")
_HISTOGRAMS = re.compile(
    r"\w*requests?_(?:\w*(?:duration|latency|time)\w*_)?seconds|\w*response_(?:time_)?seconds"
)
_PARTS = ("_bucket", "_sum", "_count")
_STATUS_LABELS = ("status", "status_code", "code", "http_status", "status_class")
_PREFERRED = ("http_requests_total", "http_request_duration_seconds")
_JUDGED_LINES = 200
_MOST_LINES = 5_000
_LINE = re.compile(r"^(?:# (?:TYPE|HELP) )?([a-zA-Z_:][a-zA-Z0-9_:]{0,200})[ {\t].*$", re.MULTILINE)


T = TypeVar("T")


class NotMetricsError(ValueError):
    """The page is no page of metrics; the text says what it is."""


@dataclass(frozen=True)
class Page:
    """What is wanted of one page.

    Args:
        requests: The counter of requests, by its labels.
        buckets: The histogram of request durations: labels → upper bound → how many up to it.
        gauges: Metrics that were asked for and may go down, summed up.
        counters: Metrics that were asked for and only grow.
    """

    requests: Mapping[Series, float] = field(default_factory=dict)
    buckets: Mapping[Series, Mapping[float, float]] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    counters: Mapping[str, Mapping[Series, float]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it that is looked at."""
        return not (self.requests or self.buckets or self.gauges or self.counters)


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


def read_page(text: str, asked: frozenset[str] = frozenset()) -> Page:
    r"""Read a page.

    Args:
        text: The page, in Prometheus' text format.
        asked: Names of further metrics that are wanted.

    Raises:
        NotMetricsError: It is none.

    Example:
        >>> page = read_page('http_requests_total{status="200"} 3\n')
        >>> sum(page.requests.values())
        3
        >>> read_page("<html>")
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.monitoring.metrics.NotMetricsError: line 1 is no metric: '<html>'
    """
    lines = [found[0] for found in _LINE.finditer(text) if _is_wanted(found[1], asked)]
    if len(lines) > _MOST_LINES:
        raise NotMetricsError(f"more than {_MOST_LINES} of its lines are about requests")
    samples = list(_samples("\n".join(lines)))
    if not samples:
        _judge(text)
    kinds = [(sample, kind) for sample, kind in samples if math.isfinite(sample.value)]
    durations = _durations(sample for sample, _ in kinds)
    return Page(
        requests=_requests([sample for sample, _ in kinds]) or _counts(durations),
        buckets=durations,
        gauges=_summed((s for s, kind in kinds if kind != "counter"), asked),
        counters=_by_name((s for s, kind in kinds if kind == "counter"), asked),
    )


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


def _is_wanted(name: str, asked: frozenset[str]) -> bool:
    for part in _PARTS:
        name = name.removesuffix(part)
    counter = name if name.endswith("_total") else f"{name}_total"
    return bool(
        {name, counter} & asked or _COUNTERS.fullmatch(counter) or _HISTOGRAMS.fullmatch(name)
    )


def _samples(text: str) -> Iterable[tuple[Sample, str]]:
    try:
        for family in text_string_to_metric_families(f"{text}\n"):
            for sample in family.samples:
                yield sample, family.type
    except (ValueError, IndexError, KeyError) as error:  # what the parser has for nonsense
        raise NotMetricsError(
            f"it cannot be read: {str(error)[:100] or 'a line is broken'}"
        ) from None


def _judge(text: str) -> None:
    """Say what a page is that has nothing of what is wanted.

    Raises:
        NotMetricsError: It is no page of metrics.
    """
    filled = (line for line in text.splitlines() if line.strip())
    for number, line in enumerate(islice(filled, _JUDGED_LINES), start=1):
        if not _is_metric(line):
            shown = "".join(char for char in line[:60] if char.isprintable())
            raise NotMetricsError(f"line {number} is no metric: {shown!r}")


def _is_metric(line: str) -> bool:
    try:
        list(text_string_to_metric_families(f"{line}\n"))
    except (ValueError, IndexError, KeyError):
        return False
    return True


def _requests(samples: Iterable[Sample]) -> dict[Series, float]:
    found: dict[str, dict[Series, float]] = {}
    for sample in samples:
        if _COUNTERS.fullmatch(sample.name):
            found.setdefault(sample.name, {})[_series(sample)] = sample.value
    return _preferred(found)


def _durations(samples: Iterable[Sample]) -> dict[Series, dict[float, float]]:
    found: dict[str, dict[Series, dict[float, float]]] = {}
    for sample in samples:
        name = sample.name.removesuffix("_bucket")
        if name == sample.name or not _HISTOGRAMS.fullmatch(name) or "le" not in sample.labels:
            continue
        labels = {key: value for key, value in sample.labels.items() if key != "le"}
        series = (name, tuple(sorted(labels.items())))
        try:
            bound = float(sample.labels["le"])
        except ValueError:
            raise NotMetricsError(f"a bucket of {name} has no number for its bound") from None
        found.setdefault(name, {}).setdefault(series, {})[bound] = sample.value
    return _preferred(found)


def _preferred(found: dict[str, dict[Series, T]]) -> dict[Series, T]:
    """Return one of several metrics that count the same, so that nothing is counted twice."""
    best = sorted(found, key=lambda name: (name not in _PREFERRED, name))
    return found[best[0]] if best else {}


def _counts(durations: Mapping[Series, Mapping[float, float]]) -> dict[Series, float]:
    return {
        series: buckets[math.inf] for series, buckets in durations.items() if math.inf in buckets
    }


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


def _summed(samples: Iterable[Sample], asked: frozenset[str]) -> dict[str, float]:
    summed: dict[str, float] = {}
    for sample in samples:
        if sample.name in asked:
            summed[sample.name] = summed.get(sample.name, 0) + sample.value
    return summed


def _by_name(samples: Iterable[Sample], asked: frozenset[str]) -> dict[str, dict[Series, float]]:
    found: dict[str, dict[Series, float]] = {}
    for sample in samples:
        if sample.name in asked:
            found.setdefault(sample.name, {})[_series(sample)] = sample.value
    return found


def _series(sample: Sample) -> Series:
    return sample.name, tuple(sorted(sample.labels.items()))


def _is_error(series: Series) -> bool:
    return any(key in _STATUS_LABELS and value.startswith("5") for key, value in series[1])
