"""Running out of file descriptors would abort Envoy (trap 5): the gateway never gets there."""

from __future__ import annotations

import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import DataPlaneUnavailableError
from tests.fixtures.gateway import RunningGateway, free_range, start_gateway, stop, wait_until
from tests.fixtures.processes import serves
from tests.fixtures.services.web import WebService, web_service
from tests.gateway.conftest import ExposePort, RunGateway

LIMIT = 700


def _limit_to(number: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


@pytest.fixture
def gateway(start: RunGateway) -> RunningGateway:
    """Run a gateway that may have few files open, for good."""
    return start("--external-ports", free_range(60), preexec=lambda: _limit_to(LIMIT))


@pytest.fixture
def slow() -> Iterator[WebService]:
    """Run a service of its own for requests that take long."""
    with web_service("slow") as running:
        yield running


def test_trap_5_a_limit_that_is_too_low_is_refused_at_the_start(tmp_path: Path) -> None:
    """The error names the limit and says how to raise it; no process is started."""
    process = start_gateway(tmp_path, preexec=lambda: _limit_to(256))
    try:
        output, error = process.communicate(timeout=30)
    finally:
        stop(process)
    assert (process.returncode, output) == (1, "")
    assert "The limit of 256 open files is too low for Envoy" in error
    assert "ulimit -Hn" in error
    assert len(error.strip().splitlines()) == 1


def test_trap_5_mappings_are_refused_before_descriptors_run_out(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """One mapping too many is a clear 503; those before it go on."""
    envoy = gateway.children()["envoy"]
    first = expose(service.port)
    with pytest.raises(DataPlaneUnavailableError, match=r"open files.*ulimit -Hn") as found:
        _expose_many(expose, 60)
    assert str(len(client.list_ports())) in str(found.value)
    assert gateway.children()["envoy"] == envoy
    assert serves(gateway, first.url, service.name)


def test_trap_5_visitors_cannot_use_up_the_descriptors(
    gateway: RunningGateway, service: WebService, slow: WebService, expose: ExposePort
) -> None:
    """A thousand slow requests over HTTP/2 are bounded on their way to the service: Envoy lives."""
    envoy = gateway.children()["envoy"]
    other, port = expose(service.port), expose(slow.port).external_port
    assert port is not None
    with ExitStack() as stack:
        for _ in range(12):
            _ask_many(stack, port, "/slow/20000", requests=90)
        assert wait_until(lambda: len(slow.seen) >= 10)
        assert serves(gateway, other.url, service.name)
        assert len(slow.seen) < LIMIT // 2
    assert gateway.children()["envoy"] == envoy


def _expose_many(expose: ExposePort, number: int) -> None:
    for port in range(48_000, 48_000 + number):
        expose(port)


def _ask_many(stack: ExitStack, port: int, path: str, *, requests: int) -> socket.socket:
    """Send requests over one HTTP/2 connection, and leave it open."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    trust.set_alpn_protocols(["h2"])
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    opened = stack.enter_context(trust.wrap_socket(plain, server_hostname="localhost"))
    connection = H2Connection(H2Configuration(client_side=True))
    connection.initiate_connection()
    headers = [(":method", "GET"), (":scheme", "https"), (":path", path)]
    for _ in range(requests):
        stream = connection.get_next_available_stream_id()
        host = (":authority", f"localhost:{port}")
        connection.send_headers(stream, [*headers, host], end_stream=True)
    opened.sendall(connection.data_to_send())
    return opened
