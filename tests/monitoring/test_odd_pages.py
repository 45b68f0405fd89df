"""Pages of metrics that are too large or none at all: bounded, and reported as what they are."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator

import pytest

from jupyter_tensorone_proxy import Monitor
from jupyter_tensorone_proxy.monitoring.services import Observation
from tests.monitoring.conftest import Expose, PageService

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
MEGABYTE = b'filler_total{path="/0123456789"} 1234567890\n' * 23_832
PAGE_MEGABYTES = 50


def seen_of(pages: PageService, **options: object) -> Observation:
    """Look once at the service whose metrics are named."""
    monitor = Monitor(pages.port, metrics={pages.port: "/metrics"}, **options)  # type: ignore[arg-type]
    return monitor.check()[pages.port].seen


def test_a_page_of_50_mb_costs_bounded_memory(expose: Expose, pages: PageService) -> None:
    """Little more than 4 MB of it is taken, and the report says that it is too large."""

    def endless() -> Iterator[bytes]:
        for _ in range(PAGE_MEGABYTES):
            yield MEGABYTE

    pages.pages["/metrics"] = (EXPOSITION, endless)
    expose(pages.port)
    tracemalloc.start()
    seen = seen_of(pages)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen.healthy is True
    assert seen.metrics_problem == "its page of metrics is larger than 4 MB; it was not read"
    assert peak < 25e6
    assert pages.sent < PAGE_MEGABYTES * len(MEGABYTE)


def test_a_page_that_was_compressed_unasked_is_not_unpacked(
    expose: Expose, pages: PageService
) -> None:
    """50 KB that would become 50 MB stay 50 KB."""
    pages.pages["/metrics"] = (EXPOSITION, gzip.compress(MEGABYTE * PAGE_MEGABYTES))
    pages.headers["/metrics"] = {"Content-Encoding": "gzip"}
    expose(pages.port)
    tracemalloc.start()
    seen = seen_of(pages)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen.metrics_problem == (
        "its page of metrics is compressed, though that was not asked for"
    )
    assert peak < 25e6


@pytest.mark.parametrize(
    ("kind", "page", "said"),
    [
        ("text/html", b"<html>", "its page of metrics is a web page"),
        (EXPOSITION, b"<html>", "line 1 is no metric: '<html>'"),
        (EXPOSITION, bytes(range(256)) * 20, "line 1 is no metric: "),
        (EXPOSITION, b"http_requests_total{code=\n", "it cannot be read: "),
        ("application/json", b'{"up": 1}', "line 1 is no metric: "),
    ],
)
def test_a_page_of_nonsense_is_told(
    expose: Expose, pages: PageService, kind: str, page: bytes, said: str
) -> None:
    """The report says what it is; the service is well all the same, and the proxy counts for it."""
    pages.pages["/metrics"] = (kind, page)
    expose(pages.port)
    seen = seen_of(pages)
    assert seen.healthy is True
    assert seen.metrics_problem.startswith(said)
    assert said in Monitor(pages.port, metrics={pages.port: "/metrics"}).check().text()


def test_a_missing_page_is_told_if_it_was_named(expose: Expose, pages: PageService) -> None:
    """Who says where the metrics are hears that they are not there."""
    expose(pages.port)
    assert seen_of(pages).metrics_problem == "its metrics answer 404"


def test_a_service_that_never_said_it_has_metrics_is_left_alone(
    expose: Expose, pages: PageService
) -> None:
    """It is asked once, and nobody complains of what it answers."""
    pages.pages["/metrics"] = ("text/plain", b"welcome\n")
    expose(pages.port)
    with Monitor(interval_seconds=0.2) as monitor:
        for _ in range(4):
            result = monitor.wait_for_look()
    assert result[pages.port].seen.metrics_problem == ""
    assert pages.asked.count("/metrics") == 1


def test_metrics_can_be_left_alone(expose: Expose, pages: PageService) -> None:
    """With an empty table nobody is asked for metrics."""
    expose(pages.port)
    Monitor(metrics={}).check()
    assert "/metrics" not in pages.asked
