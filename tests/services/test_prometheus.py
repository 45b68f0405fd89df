"""A FastAPI service, Prometheus that scrapes it through its URL, and Prometheus itself exposed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.services.exposed import ExposedService, Start
from tests.fixtures.services.processes import answers, program

pytestmark = pytest.mark.services

APP = Path(__file__).with_name("apps") / "fastapi_app.py"


@pytest.fixture(scope="module")
def fastapi(start: Start) -> ExposedService:
    """Start the service."""
    return start("FastAPI", [sys.executable, str(APP), "{port}"], ready=answers("/openapi.json"))


@pytest.fixture(scope="module")
def prometheus(
    start: Start,
    fastapi: ExposedService,
    gateway: RunningGateway,
    tmp_path_factory: pytest.TempPathFactory,
) -> ExposedService:
    """Start Prometheus; it scrapes the service by its URL, and the gateway by its API key."""
    folder = tmp_path_factory.mktemp("prometheus")
    jobs = [
        _job("service", fastapi.url, fastapi.token, path="/metrics/", ca_file=fastapi.ca_file),
        _job("gateway", gateway.api_url, gateway.api_key, path="/metrics"),
    ]
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    command = [
        *(program("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data"),
        "--web.listen-address=127.0.0.1:{port}",
    ]
    return start("Prometheus", command, folder=folder, ready=answers("/-/ready"))


def _job(
    name: str, url: str, token: str, *, path: str, ca_file: str | None = None
) -> dict[str, Any]:
    target = urlsplit(url)
    return {
        "job_name": name,
        "scheme": target.scheme,
        "metrics_path": path,
        "static_configs": [{"targets": [target.netloc]}],
        "authorization": {"credentials": token},
        **({"tls_config": {"ca_file": ca_file}} if ca_file else {}),
    }


def _query(prometheus: ExposedService, expression: str) -> list[str]:
    """Return the values of an expression, asked through Prometheus's own exposed URL."""
    with prometheus.program() as visitor:
        answer = visitor.get("/api/v1/query", params={"query": expression}).raise_for_status()
    return [result["value"][1] for result in answer.json()["data"]["result"]]


def test_p11_fastapi_redirect_leads_to_the_public_url(fastapi: ExposedService) -> None:
    """FastAPI sends `/orders` to its local address; the program arrives at the public one."""
    with fastapi.program(follow_redirects=True) as visitor:
        answer = visitor.post("/orders", params={"item": "tea"})
    assert answer.json() == {"ordered": "tea"}
    assert [str(step.url) for step in answer.history] == [f"{fastapi.url}/orders?item=tea"]
    assert str(answer.url) == f"{fastapi.url}/orders/?item=tea"


def test_prometheus_scrapes_a_private_service_by_its_url(
    prometheus: ExposedService, fastapi: ExposedService
) -> None:
    """With a user's token and the authority's file, counters arrive in Prometheus."""
    with fastapi.program() as visitor:
        for _ in range(3):
            visitor.post("/orders/", params={"item": "tea"}).raise_for_status()
    wanted = httpx.get(f"{fastapi.service.url}/metrics/").text
    total = next(line for line in wanted.splitlines() if line.startswith("test_orders_total"))
    assert wait_until(
        lambda: (
            [f"test_orders_total {float(v)}" for v in _query(prometheus, "test_orders_total")]
            == [total]
        )
    )
    assert _query(prometheus, 'up{job="service"}') == ["1"]


def test_prometheus_scrapes_the_gateway_with_its_key(
    prometheus: ExposedService, fastapi: ExposedService
) -> None:
    """The gateway's own metrics, the requests to each service among them, arrive in Prometheus."""
    with fastapi.program() as visitor:
        visitor.get("/openapi.json").raise_for_status()
    counted = f'tensorone_requests_total{{port_id="{fastapi.mapping.id}",status="2xx"}} > 0'
    assert wait_until(lambda: bool(_query(prometheus, counted)))
