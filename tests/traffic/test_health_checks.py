"""R18: what a health check asks for, whom it asks, and what it does with an odd answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import InvalidRequestError
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.memory import resident_bytes
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import Expose, Visit

FAST = {"interval_seconds": 1, "timeout_seconds": 1, "retries": 1}
PUBLIC = {"public_access": True}
Answer = Callable[[socket.socket], None]


@contextmanager
def _service(answer: Answer) -> Iterator[tuple[int, list[bytes]]]:
    """Start a service that reads a request and then does as told; yields port and requests."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        requests: list[bytes] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return  # closed at the end of the test
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection:
                requests.append(connection.recv(65_536))
                try:
                    answer(connection)
                except OSError:
                    return  # the checker has had enough

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1], requests
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _redirect(connection: socket.socket) -> None:
    connection.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n"
    )


def _endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")


def _silent(_: socket.socket) -> None:
    time.sleep(30)


def _nonsense(connection: socket.socket) -> None:
    connection.sendall(b"\x00\xff nonsense <script>\r\n\r\n")


def _status(client: ProxyClient, mapping_id: str) -> str | None:
    return next(m.health_status for m in client.list_ports() if m.id == mapping_id)


def test_r18_a_check_is_one_get_to_the_service_itself(client: ProxyClient) -> None:
    """Method, path and local Host; no cookie, no key, no identity; the redirect is not followed."""
    with _service(_redirect) as (port, requests):
        check = {**FAST, "path": "/deep/health?x=1", "expected_status": 302}
        made = client.create_port(internal_port=port, description="x", health_check=check)
        assert wait_until(lambda: _status(client, made.id) == "healthy")
        assert wait_until(lambda: len(requests) >= 2)
        client.delete_port(made.id)
    for request in requests:
        line, *headers = request.decode().split("\r\n")
        names = {header.partition(":")[0].lower() for header in headers if header}
        assert line == "GET /deep/health?x=1 HTTP/1.1"
        assert f"host: 127.0.0.1:{port}" in {header.lower() for header in headers}
        assert not names & {"cookie", "authorization", "x-forwarded-user", "x-forwarded-for"}


@pytest.mark.parametrize("answer", [_endless, _silent, _nonsense])
def test_r18_an_odd_answer_is_unhealthy_and_costs_little(
    client: ProxyClient, gateway: RunningGateway, answer: Answer
) -> None:
    """An endless body, silence, and nonsense are failures; Envoy's memory stays as it was."""
    pid = gateway.children()["envoy"]
    with _service(answer) as (port, requests):
        check = {**FAST, "path": "/health"}
        made = client.create_port(internal_port=port, description="x", health_check=check)
        assert wait_until(lambda: _status(client, made.id) == "unhealthy")
        before = resident_bytes(pid)
        asked = len(requests)
        assert wait_until(lambda: len(requests) >= asked + 2)
        assert resident_bytes(pid) - before < 20_000_000
        client.delete_port(made.id)


def test_a_slow_answer_within_the_timeout_is_healthy(expose: Expose, client: ProxyClient) -> None:
    """A check may take as long as `timeout_seconds` says, and no longer."""
    check = {"path": "/slow/1800", "interval_seconds": 5, "retries": 1}
    patient = expose(health_check={**check, "timeout_seconds": 5})
    hasty = expose(health_check={**check, "timeout_seconds": 1})
    assert wait_until(lambda: _status(client, patient.mapping.id) == "healthy")
    assert wait_until(lambda: _status(client, hasty.mapping.id) == "unhealthy")


@pytest.mark.parametrize(
    "path",
    ["", "health", "//evil.example.com/", "http://127.0.0.1/", "/a\r\nX: y", "/a\x00", "/\x7f"],
)
def test_r18_a_path_that_could_lead_elsewhere_is_refused(client: ProxyClient, path: str) -> None:
    """One slash, no control characters: 422, for the check and for the load balancer's."""
    for fields in (
        {"health_check": {"path": path}},
        {"load_balancer": {"health_check_path": path}},
    ):
        with pytest.raises(InvalidRequestError):
            client.create_port(internal_port=1, description="x", **fields)


@pytest.mark.parametrize("change", ["create", "edit"])
def test_trap_3_a_check_nobody_answers_holds_nobody_up(
    client: ProxyClient, visit: Visit, change: str
) -> None:
    """While the first check of one service waits, others are exposed as fast as ever."""
    slow: dict[str, Any] = {"path": "/x", "interval_seconds": 20, "timeout_seconds": 20}
    with _service(_silent) as (port, requests), web_service("other") as other:
        checked = slow if change == "create" else {"enabled": False}
        made = client.create_port(internal_port=port, description="x", health_check=checked)
        if change == "edit":
            client.update_port(made.id, health_check={**slow, "enabled": True})
        assert wait_until(lambda: len(requests) == 1)
        start = time.monotonic()
        quick = client.create_port(internal_port=other.port, description="o", access_control=PUBLIC)
        assert visit().get(str(quick.url)).text == "other"
        client.update_port(made.id, description="renamed meanwhile")
        client.delete_port(quick.id)
        client.delete_port(made.id)
        assert time.monotonic() - start < 10, "somebody waited for the check"


def test_a_check_that_is_edited_asks_anew(expose: Expose, client: ProxyClient) -> None:
    """Another path is checked at once, not when the old interval is over."""
    long = {"interval_seconds": 3600, "timeout_seconds": 2, "retries": 1}
    exposed = expose(health_check={"path": "/status/200", **long})
    assert wait_until(lambda: _status(client, exposed.mapping.id) == "healthy")
    client.update_port(exposed.mapping.id, health_check={"path": "/status/500"})
    assert wait_until(lambda: _status(client, exposed.mapping.id) == "unhealthy")
    client.update_port(exposed.mapping.id, health_check={"path": "/status/204"})
    assert wait_until(lambda: _status(client, exposed.mapping.id) == "healthy")


def test_checks_are_no_requests_of_visitors(
    expose: Expose, client: ProxyClient, visit: Visit
) -> None:
    """They are in no log and no statistic."""
    exposed = expose(health_check={**FAST, "path": "/health"})
    assert wait_until(lambda: _status(client, exposed.mapping.id) == "healthy")
    assert visit().get(exposed.url).status_code == 200

    def counted() -> int:
        mapping = next(m for m in client.list_ports() if m.id == exposed.mapping.id)
        assert mapping.usage_statistics is not None
        return mapping.usage_statistics.total_requests

    assert wait_until(lambda: counted() == 1)
    time.sleep(2.5)  # some more checks
    assert counted() == 1


def test_raw_services_are_checked_by_a_connection(client: ProxyClient) -> None:
    """Without a path only a TCP connection is made, and nothing is sent."""
    with _service(lambda _: None) as (port, requests):
        access = {"authentication_required": False}
        made = client.create_port(
            internal_port=port,
            description="raw",
            app_protocol="tcp",
            access_control=access,
            health_check=FAST,
        )
        assert wait_until(lambda: _status(client, made.id) == "healthy")
        assert set(requests) <= {b""}
        client.delete_port(made.id)


def test_a_gone_service_is_unhealthy_and_healthy_when_it_is_back(
    client: ProxyClient, visit: Visit
) -> None:
    """P45: unhealthy within a few intervals, healthy again within a few; no request is needed."""
    with web_service("x") as service:
        port = service.port
        check = {**FAST, "path": "/health"}
        made = client.create_port(
            internal_port=port, description="x", health_check=check, access_control=PUBLIC
        )
        assert wait_until(lambda: _status(client, made.id) == "healthy")
    assert wait_until(lambda: _status(client, made.id) == "unhealthy", seconds=8)
    assert visit().get(str(made.url)).status_code == 502
    with web_service("back", port=port):
        assert visit().get(str(made.url)).text == "back"
        assert wait_until(lambda: _status(client, made.id) == "healthy", seconds=8)
    client.delete_port(made.id)
