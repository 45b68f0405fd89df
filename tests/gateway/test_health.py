"""An app that dies and comes back: what its visitors see, and what its health says."""

from __future__ import annotations

import time

import pytest

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from tests.fixtures.gateway import RunningGateway, free_port, wait_until
from tests.fixtures.processes import kill, serves
from tests.fixtures.services.web import web_service
from tests.gateway.conftest import ExposePort

INTERVAL, RETRIES = 1, 2
TIMES = {"interval_seconds": INTERVAL, "timeout_seconds": INTERVAL}
CHECK = {"path": "/health", "retries": RETRIES, **TIMES}


@pytest.fixture
def health(client: ProxyClient) -> Health:
    """Return what the only mapping's health is seen to be."""
    return Health(client)


class Health:
    """The observed health of the only mapping."""

    def __init__(self, client: ProxyClient) -> None:
        self._client = client

    def becomes(self, status: str, *, within_intervals: float = 10) -> bool:
        """Say whether the status is reached; the machine may be busy, so the wait is generous."""
        return wait_until(lambda: self.status == status, seconds=within_intervals * INTERVAL)

    @property
    def status(self) -> str | None:
        """The status now."""
        return self._mapping().health_status

    @property
    def failures(self) -> int:
        """Failures in a row."""
        check = self._mapping().health_check
        assert check is not None
        return check.consecutive_failures or 0

    def _mapping(self) -> PortMapping:
        (mapping,) = self._client.get_proxy(include_health=True).port_mappings
        return mapping


def test_p42_a_dead_app_has_a_page_and_comes_back_by_itself(
    gateway: RunningGateway, expose: ExposePort
) -> None:
    """While nothing listens a page says so at once; on the same port it serves again, at once."""
    with web_service("app") as service:
        mapping = expose(service.port, description="My app", health_check=CHECK)
        assert serves(gateway, mapping.url, "app")
    with gateway.visitor(headers={"accept": "text/html"}) as visitor:
        started = time.monotonic()
        page = visitor.get(mapping.url or "")
        assert time.monotonic() - started < 2
        assert page.status_code == 502
        assert "<h1>My app</h1>" in page.text
        assert "nothing listens on its port" in page.text
        assert f"its port is {service.port}" in page.text
        # Also when the health check has found it dead.
        assert wait_until(lambda: _is_unhealthy(gateway))
        assert visitor.get(mapping.url or "").status_code == 502
    with web_service("app", port=service.port):
        assert serves(gateway, mapping.url, "app")


def _is_unhealthy(gateway: RunningGateway) -> bool:
    with gateway.client() as api:
        (mapping,) = api.get_proxy(include_health=True).port_mappings
    return mapping.health_status == "unhealthy"


def test_p45_health_follows_the_service(expose: ExposePort, health: Health) -> None:
    """Healthy, unhealthy when it says so or is gone, healthy again; failures are counted."""
    with web_service() as service:
        expose(service.port, health_check=CHECK)
        assert health.becomes("healthy")
        assert health.failures == 0
        service.healthy = False
        assert health.becomes("unhealthy")
        assert health.failures >= RETRIES
        service.healthy = True
        assert health.becomes("healthy")
        assert health.failures == 0
    assert health.becomes("unhealthy")
    with web_service(port=service.port):
        assert health.becomes("healthy")


def test_p45_a_service_that_never_was_there_is_unhealthy(
    expose: ExposePort, health: Health
) -> None:
    """Nothing ever answered: that is not `unknown` for good."""
    expose(free_port(), health_check=CHECK)
    assert health.becomes("unhealthy")


@pytest.mark.parametrize("name", ["envoy", "control"])
def test_p45_health_is_known_again_after_a_restart(
    gateway: RunningGateway, expose: ExposePort, health: Health, name: str
) -> None:
    """Checks go on, and are read on, whichever process was killed."""
    with web_service() as service:
        expose(service.port, health_check=CHECK)
        assert health.becomes("healthy")
        kill(gateway, name)
        service.healthy = False
        assert wait_until(lambda: health.status == "unhealthy")
        service.healthy = True
        assert health.becomes("healthy")
