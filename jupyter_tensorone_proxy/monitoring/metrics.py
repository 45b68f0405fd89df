"""Reading a page of Prometheus metrics. Pure.

The page is parsed by Prometheus' own client library. Of a large page only the lines that are wanted
are handed to it, because parsing all of them is most of what monitoring would cost.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
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


@dataclass(frozen=True)
class _Known:
    """What stands before the number of a line, understood once."""

    name: str
    counts: bool
    series: Series
    bound: float | None = None

    @classmethod
    def of(cls, sample: Sample, kind: str) -> _Known:
        """Understand a sample of the library's.

        Raises:
            NotMetricsError: It is of a histogram without a number for its bound.
        """
        labels = dict(sample.labels)
        name = sample.name.removesuffix("_bucket")
        if name == sample.name or "le" not in labels:
            return cls(sample.name, kind == "counter", (sample.name, _sorted(labels)))
        try:
            bound = float(labels.pop("le"))
        except ValueError:
            raise NotMetricsError(f"a bucket of {name} has no number for its bound") from None
        return cls(name, counts=True, series=(name, _sorted(labels)), bound=bound)


class PageReader:
    r"""Reads the page of one service, again and again.

    Args:
        asked: Names of further metrics that are wanted.

    Example:
        >>> page = PageReader().read('http_requests_total{status="200"} 3\n')
        >>> list(page.requests.values())
        [3.0]
        >>> PageReader().read("<html>")
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.monitoring.metrics.NotMetricsError: line 1 is no metric: '<html>'
    """

    def __init__(self, asked: frozenset[str] = frozenset()) -> None:
        self._asked = asked
        self._wanted: dict[str, bool] = {}
        self._known: dict[str, _Known] = {}

    def read(self, text: str) -> Page:
        """Read the page as it is now.

        Args:
            text: The page, in Prometheus' text format.

        Raises:
            NotMetricsError: It is none.
        """
        found = (line[0] for line in _LINE.finditer(text) if self._is_wanted(line[1]))
        lines = list(islice(found, _MOST_LINES + 1))
        if len(lines) > _MOST_LINES:
            raise NotMetricsError(f"more than {_MOST_LINES} of its lines are about requests")
        if not lines:
            _judge(text)
        return self._page(self._quickly(lines) or self._carefully(lines))

    def _is_wanted(self, name: str) -> bool:
        wanted = self._wanted.get(name)
        if wanted is None:
            if len(self._wanted) > _MOST_LINES:
                self._wanted.clear()
            wanted = self._wanted[name] = _is_wanted(name, self._asked)
        return wanted

    def _quickly(self, lines: list[str]) -> list[tuple[_Known, float]] | None:
        """Read lines of which nothing but the numbers is new; None if that is not so."""
        try:
            return [
                (self._known[key], float(value))
                for line in lines
                if not line.startswith("#")
                for key, _, value in [line.rpartition(" ")]
            ]
        except (KeyError, ValueError):
            return None

    def _carefully(self, lines: list[str]) -> list[tuple[_Known, float]]:
        """Have Prometheus' library read every line, and keep what it understood."""
        samples = _samples("\n".join(lines))
        read = [(_Known.of(sample, kind), float(sample.value)) for sample, kind in samples]
        keys = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
        timed = any(sample.timestamp is not None for sample, _ in samples)
        same = not timed and len(keys) == len(read)
        self._known = (
            {key: known for key, (known, _) in zip(keys, read, strict=True)} if same else {}
        )
        return read

    def _page(self, read: list[tuple[_Known, float]]) -> Page:
        requests: dict[str, dict[Series, float]] = {}
        buckets: dict[str, dict[Series, dict[float, float]]] = {}
        counters: dict[str, dict[Series, float]] = {}
        gauges: dict[str, float] = {}
        for known, value in read:
            if not math.isfinite(value):
                continue
            if known.bound is not None:
                if _HISTOGRAMS.fullmatch(known.name):
                    of_name = buckets.setdefault(known.name, {})
                    of_name.setdefault(known.series, {})[known.bound] = value
                continue
            if _COUNTERS.fullmatch(known.name):
                requests.setdefault(known.name, {})[known.series] = value
            if known.name in self._asked and known.counts:
                counters.setdefault(known.name, {})[known.series] = value
            elif known.name in self._asked:
                gauges[known.name] = gauges.get(known.name, 0) + value
        durations = _preferred(buckets)
        return Page(_preferred(requests) or _counts(durations), durations, gauges, counters)


def _is_wanted(name: str, asked: frozenset[str]) -> bool:
    for part in _PARTS:
        name = name.removesuffix(part)
    counter = name if name.endswith("_total") else f"{name}_total"
    return bool(
        {name, counter} & asked or _COUNTERS.fullmatch(counter) or _HISTOGRAMS.fullmatch(name)
    )


def _samples(text: str) -> list[tuple[Sample, str]]:
    try:
        return [
            (sample, family.type)
            for family in text_string_to_metric_families(f"{text}\n")
            for sample in family.samples
        ]
    except (ValueError, IndexError, KeyError) as error:  # what the parser has for nonsense
        why = str(error)[:100] or "a line is broken"
        raise NotMetricsError(f"it cannot be read: {why}") from None


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


def _preferred(found: dict[str, dict[Series, T]]) -> dict[Series, T]:
    """Return one of several metrics that count the same, so that nothing is counted twice."""
    best = sorted(found, key=lambda name: (name not in _PREFERRED, name))
    return found[best[0]] if best else {}


def _counts(durations: Mapping[Series, Mapping[float, float]]) -> dict[Series, float]:
    return {
        series: buckets[math.inf] for series, buckets in durations.items() if math.inf in buckets
    }


def _sorted(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))
