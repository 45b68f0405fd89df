"""Reading metrics: rates, resets, quantiles, and pages that are none."""

from __future__ import annotations

import math
import random
import re
import time
import tracemalloc

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from jupyter_tensorone_proxy.monitoring.metrics import NotMetricsError, Page, PageReader
from jupyter_tensorone_proxy.monitoring.rates import Counting, quantile

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


def read_page(text: str, asked: frozenset[str] = frozenset()) -> Page:
    """Read a page for the first time."""
    return PageReader(asked).read(text)


class Shop:
    """A program with metrics of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("http_requests", "x", ["code"], registry=self.registry)
        self.queue = Gauge("queue_depth", "x", ["name"], registry=self.registry)
        self.orders = Counter("orders", "x", registry=self.registry)
        self.durations = Histogram(
            "http_request_duration_seconds", "x", ["path"], buckets=BOUNDS, registry=self.registry
        )

    def page(self, *asked: str) -> Page:
        """Return its page as it is now."""
        return read_page(generate_latest(self.registry).decode(), frozenset(asked))


def test_counters_become_rates() -> None:
    """Requests a minute and the share of those that failed, over all labels."""
    shop, counting = Shop(), Counting()
    shop.requests.labels("200").inc(1000)
    assert counting.take(shop.page(), 100).request_rate is None
    shop.requests.labels("200").inc(30)
    shop.requests.labels("404").inc(10)
    shop.requests.labels("500").inc(5)
    shop.requests.labels("503").inc(5)
    rates = counting.take(shop.page(), 130)
    assert rates.request_rate == pytest.approx(100)
    assert rates.error_rate == pytest.approx(20)
    quiet = counting.take(shop.page(), 160)
    assert (quiet.request_rate, quiet.error_rate) == (0, 0)


def test_a_counter_that_begins_again_counts_from_nothing() -> None:
    """After a restart the rate is that of what was counted since, never negative."""
    before, counting = Shop(), Counting()
    before.requests.labels("200").inc(1000)
    counting.take(before.page(), 0)
    after = Shop()
    after.requests.labels("200").inc(40)
    after.requests.labels("500").inc(20)
    rates = counting.take(after.page(), 60)
    assert rates.request_rate == pytest.approx(60)
    assert rates.error_rate == pytest.approx(100 / 3)


def test_a_histogram_that_begins_again_does_so_with_all_its_buckets() -> None:
    """Buckets that happen to have grown are not mixed with those that began anew."""
    before, counting = Shop(), Counting()
    for _ in range(100):
        before.durations.labels("/").observe(0.7)
    counting.take(before.page(), 0)
    after = Shop()
    for _ in range(10):
        after.durations.labels("/").observe(0.02)
    rates = counting.take(after.page(), 60)
    assert rates.p99 is not None
    assert 0.01 < rates.p99 <= 0.025


def test_metrics_that_are_asked_for_are_told() -> None:
    """A gauge is summed up over its labels, a counter is its increase a minute."""
    shop, counting = Shop(), Counting()
    asked = ("queue_depth", "orders_total")
    shop.queue.labels("a").set(3)
    shop.queue.labels("b").set(4)
    shop.orders.inc(7)
    assert counting.take(shop.page(*asked), 0).metrics == {"queue_depth": 7}
    shop.orders.inc(5)
    told = counting.take(shop.page(*asked), 30).metrics
    assert told == {"queue_depth": 7, "orders_total": pytest.approx(10)}


@pytest.mark.parametrize("seed", range(20))
def test_quantiles_are_within_the_bucket_of_the_true_one(seed: int) -> None:
    """Compared with the sorted observations themselves, for many distributions."""
    chance = random.Random(seed)  # noqa: S311 - numbers of a test
    scale = chance.choice([0.01, 0.1, 0.5])
    observed = sorted(
        min(2.4, chance.expovariate(1 / scale)) for _ in range(chance.randint(5, 400))
    )
    shop, counting = Shop(), Counting()
    counting.take(shop.page(), 0)
    shop.durations.labels("/").observe(0)  # the first page had no series yet
    observed = [0.0, *observed]
    for value in observed[1:]:
        shop.durations.labels(chance.choice(["/a", "/b"])).observe(value)
    rates = counting.take(shop.page(), 60)
    for q, found in ((0.5, rates.p50), (0.95, rates.p95), (0.99, rates.p99)):
        true = observed[math.ceil(q * len(observed)) - 1]
        upper = next(bound for bound in BOUNDS if bound >= true)
        lower = max((bound for bound in BOUNDS if bound < upper), default=0.0)
        assert found is not None
        assert lower <= found <= upper, (q, true, found)


@pytest.mark.parametrize(
    ("q", "buckets", "expected"),
    [
        (0.5, {1.0: 0, 2.0: 4, math.inf: 4}, 1.5),
        (0.9, {1.0: 10, 2.0: 20, math.inf: 20}, 1.8),
        (0.99, {1.0: 10, math.inf: 20}, 1.0),  # beyond the last bound: that bound
        (0.5, {1.0: 0, math.inf: 0}, None),
        (0.5, {1.0: 3}, None),  # no bucket without a bound: no histogram
        (0.5, {}, None),
        (0.5, {math.inf: 3}, None),
    ],
)
def test_quantiles_at_the_edges_are_prometheus_own(
    q: float, buckets: dict[float, float], expected: float | None
) -> None:
    """Where there is little to say, it says what `histogram_quantile` does, or nothing."""
    assert quantile(q, buckets) == pytest.approx(expected)


@pytest.mark.parametrize(
    "page",
    [
        "<html><body>Not found</body></html>",
        '{"status": "ok"}',
        "hello, world",
        "\x00\x01\x02\xff" * 50,
        "http_requests_total{code=\n",
        'http_requests_total{code="200"} many\n',
        'http_requests_total{code="200} 3\n',
        'http_request_duration_seconds_bucket{le="often"} 3\n',
    ],
)
def test_nonsense_is_told_as_such(page: str) -> None:
    """The reader says what it met, in one short line."""
    with pytest.raises(NotMetricsError) as refused:
        read_page(page)
    assert 10 < len(str(refused.value)) < 250
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("seed", range(5))
def test_whatever_a_page_holds_nothing_else_is_raised(seed: int) -> None:
    """A page with bytes exchanged by chance is read or refused."""
    chance = random.Random(seed)  # noqa: S311 - numbers of a test
    shop = Shop()
    shop.requests.labels("200").inc(3)
    shop.durations.labels("/").observe(0.1)
    page = list(generate_latest(shop.registry).decode())
    refused = 0
    for _ in range(200):
        broken = page.copy()
        for _ in range(chance.randint(1, 8)):
            broken[chance.randrange(len(broken))] = chance.choice('{}",= \n\\#_\x00é9')
        try:
            Counting().take(read_page("".join(broken), frozenset({"orders_total"})), 0)
        except NotMetricsError:
            refused += 1
    assert 0 < refused < 200


@pytest.mark.parametrize("seed", range(5))
def test_reading_a_page_again_finds_what_a_first_reading_does(seed: int) -> None:
    """Whatever changed meanwhile: numbers, series that came or went, or lines that broke."""
    chance = random.Random(seed)  # noqa: S311 - numbers of a test
    shop, asked = Shop(), frozenset({"queue_depth", "orders_total"})
    reader = PageReader(asked)
    for _ in range(60):
        match chance.randrange(5):
            case 0:
                shop.requests.labels(chance.choice(["200", "404", "a b", 'q"\\'])).inc()
            case 1:
                shop.durations.labels(chance.choice(["/", "/ x", "}"])).observe(chance.random())
            case 2:
                shop.queue.labels(chance.choice("ab")).set(chance.random())
            case 3:
                shop.requests.clear()
            case _:
                shop.orders.inc()
        text = generate_latest(shop.registry).decode()
        if chance.random() < 0.3:
            text = re.sub(r"^(\w+\{.*\}) (\S+)$", r"\1 \2 1700000000000", text, flags=re.MULTILINE)
        assert reader.read(text) == read_page(text, asked)


def test_numbers_that_are_none_do_not_spread() -> None:
    """NaN and infinity are left out, as if they were not there."""
    text = 'http_requests_total{code="200"} NaN\nhttp_requests_total{code="500"} +Inf\nqueue NaN\n'
    assert read_page(text, frozenset({"queue"})).empty


def test_an_endless_name_or_many_series_cost_little() -> None:
    """4 MB of one line, or of lines that look right, take a moment and little memory."""
    lines = "\n".join(f'http_requests_total{{path="/{n}"}} 1' for n in range(100_000))
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(NotMetricsError, match="more than 5000"):
        read_page(lines)
    with pytest.raises(NotMetricsError):
        read_page("a" * 4_000_000)
    with pytest.raises(NotMetricsError):
        read_page("requests_" * 400_000)
    assert time.perf_counter() - began < 60  # seconds; a bad regular expression takes hours
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6
