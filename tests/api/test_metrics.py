"""`/metrics` as Prometheus reads it, and `/healthz`."""

from __future__ import annotations

import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.traffic import Expose, Visit

Scrape = Callable[[], dict[str, Any]]


@pytest.fixture
def scrape(gateway: RunningGateway) -> Scrape:
    """Return a function that reads all samples: (name, labels) → value."""

    def scrape() -> dict[str, Any]:
        answer = httpx.get(
            f"{gateway.api_url}/metrics", headers={"authorization": f"Bearer {gateway.api_key}"}
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return {
            key(sample.name, **sample.labels): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return scrape


def key(sample: str, /, **labels: str) -> str:
    """Return one name for a sample and its labels."""
    return " ".join([sample, *(f"{k}={v}" for k, v in sorted(labels.items()))])


def test_requests_are_counted_by_class_of_status(
    expose: Expose, visit: Visit, scrape: Scrape
) -> None:
    """Each mapping has its counters, with its id and its name, which may be any text."""
    name = 'Ünïcode "quoted" \\ name'
    exposed = expose(name)
    for status in (200, 204, 302, 404, 500, 503):
        visit().get(f"{exposed.url}/status/{status}")
    labels = {"port_id": exposed.mapping.id, "name": name}
    counter = "tensorone_requests_total"
    assert wait_until(lambda: scrape().get(key(counter, **labels, status="5xx")) == 2)
    found = scrape()
    counts = [found[key(counter, **labels, status=s)] for s in ("2xx", "3xx", "4xx", "5xx")]
    assert counts == [2, 1, 1, 2]


def test_response_times_are_a_histogram(expose: Expose, visit: Visit, scrape: Scrape) -> None:
    """Buckets only grow, the last one has all, and the sum is the time that was spent."""
    exposed = expose()
    for milliseconds in (0, 0, 30, 300):
        visit().get(f"{exposed.url}/slow/{milliseconds}")
    labels = {"port_id": exposed.mapping.id, "name": "web"}
    histogram = "tensorone_response_seconds"
    assert wait_until(lambda: scrape().get(key(f"{histogram}_count", **labels)) == 4)
    found = scrape()
    bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0"]
    bounds += ["10.0", "+Inf"]
    counts = [found[key(f"{histogram}_bucket", **labels, le=bound)] for bound in bounds]
    assert counts == sorted(counts)
    assert counts[-1] == 4
    assert found[key(f"{histogram}_bucket", **labels, le="0.025")] <= 2
    assert found[key(f"{histogram}_bucket", **labels, le="0.25")] <= 3
    assert found[key(f"{histogram}_sum", **labels)] >= 0.33


def test_open_connections_are_a_gauge(
    expose: Expose, gateway: RunningGateway, scrape: Scrape
) -> None:
    """It rises with each visitor's connection and falls when they leave."""
    exposed = expose()
    gauge = key("tensorone_active_connections", port_id=exposed.mapping.id, name="web")
    context = ssl.create_default_context(cafile=gateway.runtime["ca_file"])
    address = ("127.0.0.1", exposed.port)
    with (
        socket.create_connection(address) as one,
        context.wrap_socket(one, server_hostname="localhost"),
        socket.create_connection(address) as other,
        context.wrap_socket(other, server_hostname="localhost"),
    ):
        assert wait_until(lambda: scrape()[gauge] == 2)
    assert wait_until(lambda: scrape()[gauge] == 0)


def test_health_is_a_gauge(expose: Expose, scrape: Scrape) -> None:
    """1 healthy, 0 unhealthy, -1 while nobody knows."""
    check = {"path": "/health", "interval_seconds": 1, "retries": 1}
    exposed, unchecked = expose(health_check=check), expose(health_check={"enabled": False})
    gauge = key("tensorone_healthy", port_id=exposed.mapping.id, name="web")
    assert wait_until(lambda: scrape()[gauge] == 1)
    exposed.service.healthy = False
    assert wait_until(lambda: scrape()[gauge] == 0)
    assert scrape()[key("tensorone_healthy", port_id=unchecked.mapping.id, name="web")] == -1


def test_sessions_are_a_gauge(
    expose: Expose, visit: Visit, client: ProxyClient, scrape: Scrape
) -> None:
    """It is how many people are signed in to a mapping."""
    exposed = expose("private", access={"authentication_required": True})
    gauge = key("tensorone_sessions", port_id=exposed.mapping.id, name="private")
    assert scrape()[gauge] == 0
    for user in ("ana", "ben"):
        link = client.create_link(exposed.mapping.id, user=user)
        assert visit().get(link.url).status_code == 302
    assert scrape()[gauge] == 2
    for session in client.list_sessions():
        client.revoke_session(session.id)
    assert scrape()[gauge] == 0


def test_the_control_planes_own_work_is_counted(
    client: ProxyClient, expose: Expose, scrape: Scrape
) -> None:
    """What was sent to Envoy, and what it refused."""
    before = scrape()
    expose()
    after = scrape()
    assert after["tensorone_pushes_total"] > before["tensorone_pushes_total"]
    assert after["tensorone_rejections_total"] == before["tensorone_rejections_total"]
    assert after["tensorone_envoy_connections_total"] >= 1
    assert after["tensorone_resources_pushed_total"] > before["tensorone_resources_pushed_total"]
    assert after["tensorone_envoy_connected"] == 1


def test_a_watcher_sees_that_envoy_is_away_and_back(
    gateway: RunningGateway, scrape: Scrape
) -> None:
    """`/healthz` needs no key: 503 without Envoy, 200 once the gateway has started it again."""

    def healthz() -> tuple[int, Any]:
        answer = httpx.get(f"{gateway.api_url}/healthz")
        return answer.status_code, answer.json()

    assert healthz() == (200, {"status": "ok", "envoy": "connected"})
    connections = scrape()["tensorone_envoy_connections_total"]
    os.kill(gateway.process.pid, signal.SIGSTOP)
    os.kill(gateway.children()["envoy"], signal.SIGKILL)
    assert wait_until(lambda: healthz() == (503, {"status": "degraded", "envoy": "away"}))
    os.kill(gateway.process.pid, signal.SIGCONT)
    assert wait_until(lambda: healthz()[0] == 200)
    assert scrape()["tensorone_envoy_connections_total"] == connections + 1


def test_what_envoy_refuses_is_counted_and_so_is_each_new_try(
    gateway: RunningGateway, expose: Expose, visit: Visit, scrape: Scrape
) -> None:
    """A port that another program took while Envoy was away is asked for until it is free."""
    exposed = expose()
    before = scrape()

    def grown(name: str) -> bool:
        return bool(scrape()[name] > before[name])

    os.kill(gateway.process.pid, signal.SIGSTOP)
    os.kill(gateway.children()["envoy"], signal.SIGKILL)
    with taken(exposed.port):
        os.kill(gateway.process.pid, signal.SIGCONT)
        for name in ("tensorone_rejections_total", "tensorone_reconciles_total"):
            assert wait_until(partial(grown, name))
    assert wait_until(lambda: answers(visit(), exposed.url))


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Listen on a port as soon as it is free."""
    sockets: list[socket.socket] = []

    def bind() -> bool:
        try:
            sockets.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            return False
        return True

    assert wait_until(bind)
    with sockets[0]:
        yield


def answers(visitor: httpx.Client, url: str) -> bool:
    """Say whether the service answers."""
    try:
        return visitor.get(url).status_code == 200
    except httpx.TransportError:
        return False
