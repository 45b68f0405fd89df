"""Envoy says no, or says nothing: nothing changes, the reason is told, others keep working."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import (
    ApiError,
    DataPlaneUnavailableError,
    ExternalPortInUseError,
)
from tests.fixtures.gateway import RunningGateway, free_range, wait_until
from tests.fixtures.processes import (
    agree,
    is_being_written,
    kill,
    listening_ports,
    metric,
    serves,
    stopped,
)
from tests.fixtures.services.web import WebService
from tests.gateway.conftest import PUBLIC, ExposePort, RunGateway

RANGE = 12


@pytest.fixture
def ports() -> range:
    """Return a small range of external ports."""
    first, _, last = free_range(RANGE).partition("-")
    return range(int(first), int(last) + 1)


@pytest.fixture
def gateway(start: RunGateway, ports: range) -> RunningGateway:
    """Run a gateway on that range."""
    return start("--external-ports", f"{ports[0]}-{ports[-1]}")


@contextlib.contextmanager
def holding(port: int, *, share: bool = False) -> Iterator[socket.socket]:
    """Listen on a port, as another program would; with `share` by SO_REUSEPORT."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", port))
        held.listen()
        yield held


def _create(gateway: RunningGateway, **fields: object) -> ApiError | None:
    """Create a mapping in a client of its own; return the API's error."""
    with gateway.client() as api:
        try:
            api.create_port(description="late", access_control=PUBLIC, **fields)
        except ApiError as error:
            return error
    return None


def test_p43_envoys_refusal_is_rolled_back_and_told(
    gateway: RunningGateway,
    client: ProxyClient,
    service: WebService,
    expose: ExposePort,
    ports: range,
) -> None:
    """A port is taken between our look and Envoy's: 409 that says so, and nothing half made."""
    other = expose(service.port)
    taken = ports[5]
    with ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as stack:
        with stopped(gateway.children()["envoy"]):
            creating = pool.submit(_create, gateway, internal_port=46_000, external_port=taken)
            assert wait_until(lambda: is_being_written(gateway))
            stack.enter_context(holding(taken))
        error = creating.result(30)
    assert isinstance(error, ExternalPortInUseError)
    assert metric(gateway, "rejections_total") == 1
    assert [m.id for m in client.list_ports()] == [other.id]
    assert wait_until(lambda: agree(gateway))
    assert serves(gateway, other.url, service.name)
    assert expose(46_000, external_port=taken).external_port == taken


@pytest.mark.parametrize("share", [False, True])
def test_p43_trap_4_a_port_that_another_program_holds_is_not_shared(
    client: ProxyClient,
    expose: ExposePort,
    ports: range,
    share: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Not even if it allows that (SO_REUSEPORT), when Linux would silently split the visitors."""
    with holding(ports[3], share=share):
        with pytest.raises(ExternalPortInUseError, match=str(ports[3])):
            expose(46_001, external_port=ports[3])
        assert client.list_ports() == []
        chosen = {expose(46_100 + n).external_port for n in range(RANGE - 1)}
        assert chosen == set(ports) - {ports[3]}
        with pytest.raises(ExternalPortInUseError, match="No external port"):
            expose(46_200)


def test_a_stopped_envoy_is_503_and_changes_nothing(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """Changes say DATA_PLANE_UNAVAILABLE; when Envoy goes on, all is as it was."""
    mapping = expose(service.port)
    with stopped(gateway.children()["envoy"]), httpx.Client(timeout=60) as http:
        http.headers["authorization"] = f"Bearer {gateway.api_key}"
        at = f"{gateway.api_url}/v1/clusters/local/proxy/ports"
        answers = [
            http.post(at, json={"internal_port": 46_300, "description": "late"}),
            http.delete(f"{at}/{mapping.id}"),
        ]
        assert [m.id for m in client.list_ports()] == [mapping.id]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            DataPlaneUnavailableError.default_status,
            DataPlaneUnavailableError.default_code,
        )
    assert wait_until(lambda: agree(gateway))
    assert wait_until(lambda: serves(gateway, mapping.url, service.name))
    assert expose(46_300).status == "active"


def test_a_create_while_envoy_restarts_waits_for_it(
    gateway: RunningGateway, service: WebService, expose: ExposePort
) -> None:
    """Envoy is killed just before: the create takes a little longer, and is served."""
    killing = threading.Thread(target=kill, args=(gateway, "envoy"))
    killing.start()
    mapping = expose(service.port)
    killing.join()
    assert wait_until(lambda: serves(gateway, mapping.url, service.name))


def test_p43_a_port_that_is_taken_at_the_start_is_an_error_that_heals(
    start: RunGateway, service: WebService, ports: range
) -> None:
    """One of several mappings has lost its port: it alone is `error`, until the port is free."""
    options = ("--external-ports", f"{ports[0]}-{ports[-1]}")
    with contextlib.ExitStack() as before:
        first = before.enter_context(_running(start, *options))
        with first.client() as api:
            made = [
                api.create_port(
                    internal_port=port, description=f"service {port}", access_control=PUBLIC
                )
                for port in (46_400, service.port, 46_401, 46_402)
            ]
    lost = made[1]
    assert lost.external_port is not None
    with holding(lost.external_port):
        gateway = start(*options, state=first.state_dir)
        with gateway.client() as api:
            statuses = {m.id: m.status for m in api.list_ports()}
            assert statuses == {m.id: "error" if m is lost else "active" for m in made}
            assert listening_ports(gateway) == {m.external_port for m in made} - {
                lost.external_port
            }
            assert wait_until(lambda: metric(gateway, "reconciles_total") >= 2)
            assert api.update_port(made[0].id, description="renamed").description == "renamed"
    with gateway.client() as api:
        assert wait_until(lambda: {m.status for m in api.list_ports()} == {"active"})
    assert wait_until(lambda: serves(gateway, lost.url, service.name))


@contextlib.contextmanager
def _running(start: RunGateway, *options: str) -> Iterator[RunningGateway]:
    gateway = start(*options)
    yield gateway
    gateway.process.terminate()
    gateway.process.wait(15)


def test_a_port_that_is_taken_while_envoy_restarts_is_an_error_that_heals(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """The control plane was there all the time, and yet sees that Envoy could not bind again."""
    mapping = expose(service.port)
    assert mapping.external_port is not None
    stop_trying = threading.Event()
    held: list[socket.socket] = []

    def grab() -> None:
        while not stop_trying.is_set() and not held:
            with contextlib.suppress(OSError):
                held.append(socket.create_server(("127.0.0.1", mapping.external_port or 0)))

    grabbing = threading.Thread(target=grab)
    grabbing.start()
    kill(gateway, "envoy")
    assert wait_until(lambda: metric(gateway, "envoy_connected") == 1)
    stop_trying.set()
    grabbing.join()
    if not held:
        pytest.skip("Envoy was back before the port could be taken")
    with held[0]:
        assert wait_until(lambda: client.list_ports()[0].status == "error")
    assert wait_until(lambda: client.list_ports()[0].status == "active")
    assert wait_until(lambda: serves(gateway, mapping.url, service.name))
