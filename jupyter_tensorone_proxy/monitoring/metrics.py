"""Reading a page of Prometheus metrics. Pure.

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
_PREFERRED = ("http_requests_total", "http_request_duration_seconds")
_JUDGED_LINES = 200
_MOST_LINES = 5_000
_LONGEST_LINE = 10_000
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
    wanted = (found[0] for found in _LINE.finditer(text) if _is_wanted(found[1], asked))
    lines = list(islice(wanted, _MOST_LINES + 1))
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
        if len(line) > _LONGEST_LINE or not _is_metric(line):
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
