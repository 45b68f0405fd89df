"""A service that does not answer holds up nobody else's change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.processes import hung_service, kill, serves
from tests.fixtures.services.web import WebService
from tests.gateway.conftest import ExposePort

_CHECK_SECONDS = 15
CHECK = {"interval_seconds": 30, "timeout_seconds": _CHECK_SECONDS}


@pytest.fixture
def hung() -> Iterator[int]:
    """Return a port where connecting hangs."""
    with hung_service() as port:
        yield port


def _takes(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def test_trap_3_creating_a_hung_service_stalls_nobody(
    gateway: RunningGateway, expose: ExposePort, hung: int
) -> None:
    """Its own create, and that of another mapping, take a fraction of its check's timeout."""
    spent = _takes(lambda: expose(hung, health_check=CHECK)) + _takes(lambda: expose(47_000))
    assert spent < _CHECK_SECONDS / 3


def test_trap_3_editing_the_check_of_a_hung_service_stalls_nobody(
    client: ProxyClient, expose: ExposePort, hung: int
) -> None:
    """A changed check makes Envoy's cluster anew, which waits for no first check either."""
    mapping = expose(hung, health_check=CHECK)
    spent = _takes(lambda: client.update_port(mapping.id, health_check={"interval_seconds": 60}))
    spent += _takes(lambda: expose(47_001))
    assert spent < _CHECK_SECONDS / 3


def test_trap_3_a_hung_service_does_not_hold_up_envoys_restart(
    gateway: RunningGateway, expose: ExposePort, service: WebService, hung: int
) -> None:
    """After kill -9 of Envoy the other mappings serve without waiting for the hung one's check."""
    expose(hung, health_check=CHECK)
    url = expose(service.port).url or ""
    started = time.monotonic()
    kill(gateway, "envoy")
    assert wait_until(lambda: serves(gateway, url, service.name))
    assert time.monotonic() - started < _CHECK_SECONDS / 3


def test_a_hung_service_is_found_unhealthy(client: ProxyClient, expose: ExposePort) -> None:
    """Its checks do run: they only begin once nobody waits for them."""
    with hung_service() as port:
        mapping = expose(port, health_check={"interval_seconds": 1, "timeout_seconds": 1})

        def status() -> str | None:
            (found,) = client.get_proxy(include_health=True).port_mappings
            assert found.id == mapping.id
            return found.health_status

        assert wait_until(lambda: status() == "unhealthy")
