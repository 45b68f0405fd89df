"""Beside a real Prometheus: the same quantiles from the same page, and it is watched itself."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.monitoring.metrics import PageReader
from jupyter_tensorone_proxy.monitoring.rates import quantile
from tests.fixtures.gateway import wait_until
from tests.fixtures.services.processes import ServiceProcess, answers, program, run_service
from tests.monitoring.conftest import Expose, MetricsService, quick, shows

pytestmark = pytest.mark.services


@pytest.fixture
def prometheus(metrics: MetricsService, tmp_path: Path) -> Iterator[ServiceProcess]:
    """Run Prometheus, which reads the service's page every second."""
    job = {"job_name": "shop", "static_configs": [{"targets": [f"127.0.0.1:{metrics.port}"]}]}
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    command = [
        *(program("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data"),
        "--web.listen-address=127.0.0.1:{port}",
    ]
    with run_service("Prometheus", command, tmp_path, ready=answers("/-/ready")) as service:
        yield service


def asked(service: ServiceProcess, query: str) -> float | None:
    """Ask Prometheus for one number."""
    answer = httpx.get(f"{service.url}/api/v1/query", params={"query": query})
    result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def test_quantiles_are_those_that_prometheus_has(
    prometheus: ServiceProcess, metrics: MetricsService
) -> None:
    """From the same page, `histogram_quantile` says the same to nine digits."""
    chance = random.Random(7)  # noqa: S311 - numbers of a test
    for _ in range(200):
        metrics.durations.observe(chance.expovariate(4))
    count = "http_request_duration_seconds_count"
    assert wait_until(lambda: asked(prometheus, count) == 200, seconds=30)
    page = PageReader().read(httpx.get(f"http://127.0.0.1:{metrics.port}/metrics").text)
    ((_, buckets),) = page.buckets.items()
    for q in (0.1, 0.5, 0.9, 0.95, 0.99):
        query = f"histogram_quantile({q}, http_request_duration_seconds_bucket)"
        assert quantile(q, buckets) == pytest.approx(asked(prometheus, query), rel=1e-9)


def test_prometheus_itself_is_watched(expose: Expose, prometheus: ServiceProcess) -> None:
    """Its own metrics are found, and tell how many requests it gets and how long they take."""
    expose(prometheus.port, "Prometheus", health_check={"path": "/-/ready"})
    with quick("Prometheus") as monitor:
        assert shows(monitor, lambda result: result.looks >= 2 and result.well)
        for _ in range(20):
            asked(prometheus, "up")
        assert shows(monitor, lambda r: (r["Prometheus"].seen.rates.p50 or 0) > 0)
        assert (monitor.result()["Prometheus"].seen.rates.request_rate or 0) > 0
