"""The counters of one mapping: what Prometheus and `usage_statistics` show of its requests."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from .access_log import Request

LATENCY_BUCKETS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""Upper bounds of the histogram of response times, in milliseconds; one more holds the rest."""

CLASS, BUCKET = "class", "bucket"
"""Kinds of counters in the database."""


@dataclass
class Traffic:
    """Counters of one mapping, for monitoring."""

    by_class: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """First digit of the status → requests; 0 where the client left before there was one."""
    buckets: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BUCKETS_MS) + 1))
    total: int = 0
    time_ms: int = 0
    last_accessed: float = 0.0

    def add(self, request: Request) -> None:
        """Count a request."""
        self.by_class[request.status // 100] += 1
        self.buckets[bisect_left(LATENCY_BUCKETS_MS, request.response_time_ms)] += 1
        self.total += 1
        self.time_ms += request.response_time_ms
        self.last_accessed = max(self.last_accessed, request.timestamp)

    def rows(self, port_id: str) -> Iterator[tuple[str, str, int, int]]:
        """Return the rows of the table of counters."""
        counters = {CLASS: self.by_class, BUCKET: dict(enumerate(self.buckets))}
        for kind, counts in counters.items():
            yield from ((port_id, kind, number, n) for number, n in counts.items() if n)
