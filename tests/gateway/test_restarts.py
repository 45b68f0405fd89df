"""Either process is killed, at any moment: both are back as they were, and nothing half made."""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets import Origin
from websockets.sync.client import connect

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import ProxyError
from tests.fixtures.gateway import RunningGateway, free_range, wait_until
from tests.fixtures.processes import agree, is_being_written, kill, metric, serves, stopped
from tests.fixtures.services.web import WebService, web_service
from tests.gateway.conftest import PUBLIC, ExposePort, RunGateway

_LOAD_SECONDS = 8.0


@pytest.fixture
def gateway(start: RunGateway) -> RunningGateway:
    """Run a gateway with room for many mappings."""
    return start("--external-ports", free_range(80))


def test_p40_killed_envoy_is_back_with_every_mapping(
    gateway: RunningGateway, client: ProxyClient, service: WebService
) -> None:
    """After kill -9 of Envoy all of 60 mappings serve again, and new ones are taken."""
    ports = [service.port, *(40_000 + n for n in range(59))]
    mappings = [
        client.create_port(internal_port=port, description="one of many", access_control=PUBLIC)
        for port in ports
    ]
    control = gateway.children()["control"]
    kill(gateway, "envoy")
    assert wait_until(lambda: serves(gateway, mappings[0].url, service.name), seconds=10)
    assert wait_until(lambda: agree(gateway), seconds=10)
    with gateway.visitor() as visitor:
        assert {visitor.get(m.url or "").status_code for m in mappings[1:]} == {502}
    assert gateway.children()["control"] == control
    assert {m.status for m in client.list_ports()} == {"active"}


def test_that_envoy_is_away_is_told(gateway: RunningGateway, client: ProxyClient) -> None:
    """From the moment Envoy is gone until it is back the proxy's status is `restarting`."""
    assert client.get_proxy().proxy_status == "active"
    killed: set[int] = set()
    for _ in range(4):  # after which the supervisor waits before it starts another
        assert wait_until(lambda: gateway.children().get("envoy", 0) not in {0, *killed})
        envoy = gateway.children()["envoy"]
        killed.add(envoy)
        os.kill(envoy, signal.SIGKILL)
    assert wait_until(lambda: client.get_proxy().proxy_status == "restarting")
    assert wait_until(lambda: client.get_proxy().proxy_status == "active", seconds=30)


def test_p41_killed_control_plane_is_not_noticed_by_visitors(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """Under load at least 99.9 % are served; it comes back, adopts Envoy, and sends it nothing."""
    mappings = [expose(service.port), *(expose(41_000 + n) for n in range(10))]
    envoy = gateway.children()["envoy"]
    url = mappings[0].url or ""
    end = time.monotonic() + _LOAD_SECONDS

    def visit() -> list[bool]:
        served = []
        with gateway.visitor() as visitor:
            while time.monotonic() < end:
                with contextlib.suppress(httpx.TransportError):
                    served.append(visitor.get(url).text == service.name)
                    continue
                served.append(False)
        return served

    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(visit) for _ in range(4)]
        assert wait_until(lambda: time.monotonic() > end - _LOAD_SECONDS * 0.7)
        kill(gateway, "control")
        served = [one for load in loads for one in load.result()]
    assert len(served) > 200
    assert served.count(False) <= len(served) / 1000, served.count(False)

    assert gateway.children() == {"envoy": envoy, "control": gateway.children()["control"]}
    assert wait_until(lambda: metric(gateway, "envoy_connected") == 1)
    assert metric(gateway, "resources_pushed_total") == 0
    assert [m.id for m in client.list_ports()] == [m.id for m in mappings]
    assert agree(gateway)
    with web_service("new") as other:
        assert serves(gateway, expose(other.port).url, "new")
    client.delete_port(mappings[1].id)
    assert agree(gateway)


def test_sign_in_says_that_it_is_back_in_a_moment(
    gateway: RunningGateway, expose: ExposePort
) -> None:
    """While the control plane is away its own pages are 503, and not the service's fault."""
    private = expose(42_100, description="My app", access_control={"authentication_required": True})
    page = f"{private.url}/.tensorone/sign-in?next=/"
    control = gateway.children()["control"]
    with stopped(gateway.process.pid), gateway.visitor() as visitor:
        os.kill(control, signal.SIGKILL)
        assert wait_until(lambda: visitor.get(page).status_code == 503)
        assert visitor.get(page).json()["error"]["code"] == "GATEWAY_RESTARTING"
        shown = visitor.get(page, headers={"accept": "text/html"})
        assert "the gateway is just restarting" in shown.text
        assert shown.headers["refresh"] == "3"
    with gateway.visitor(headers={"accept": "text/html"}) as visitor:
        assert wait_until(lambda: "Sign in to My app" in visitor.get(page).text)


def test_a_control_plane_that_is_killed_again_and_again_comes_back(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """Three kills in a row cost three restarts, no mapping, and no second process."""
    mapping = expose(service.port)
    envoy = gateway.children()["envoy"]
    for _ in range(3):
        kill(gateway, "control")
        assert [m.id for m in client.list_ports()] == [mapping.id]
    assert set(gateway.children()) == {"envoy", "control"}
    assert gateway.children()["envoy"] == envoy
    assert serves(gateway, mapping.url, service.name)


def test_a_part_that_fails_is_not_missing_for_long(
    gateway: RunningGateway, client: ProxyClient, expose: ExposePort
) -> None:
    """What watches over sessions cannot read its log: the control plane ends, and starts again."""
    mapping = expose(42_200)
    control = gateway.children()["control"]
    log = gateway.state_dir / "run" / "streams.log"
    assert wait_until(log.exists)
    log.rename(log.with_suffix(".kept"))
    log.mkdir()
    assert wait_until(lambda: gateway.children().get("control") not in {None, control})
    log.rmdir()
    log.with_suffix(".kept").rename(log)
    assert wait_until(lambda: metric(gateway, "envoy_connected") == 1)
    assert [m.id for m in client.list_ports()] == [mapping.id]


def test_both_killed_at_once_come_back(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """Even then every mapping is there and serves."""
    mapping = expose(service.port)
    kill(gateway, "envoy", "control")
    assert wait_until(lambda: serves(gateway, mapping.url, service.name), seconds=20)
    assert agree(gateway)


def test_creates_right_after_a_restart_are_served(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """The API's socket outlives the control plane: what is asked meanwhile waits and is done."""
    expose(service.port)
    os.kill(gateway.children()["control"], signal.SIGKILL)
    with gateway.client() as fresh:  # a connection that was open then has ended
        made = [fresh.create_port(internal_port=42_000 + n, description="new") for n in range(5)]
    assert len({m.id for m in made}) == 5
    assert set(gateway.children()) == {"envoy", "control"}
    assert wait_until(lambda: agree(gateway))


def test_a_create_that_is_cut_by_a_kill_leaves_nothing(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """The control plane dies between Envoy's taking a mapping and its being stored: it is gone."""
    kept = expose(service.port)
    failed = []

    def create() -> None:
        with httpx.Client(base_url=gateway.api_url, timeout=30) as http:
            try:
                answer = http.post(
                    "/v1/clusters/local/proxy/ports",
                    json={"internal_port": 43_000, "description": "cut"},
                    headers={"authorization": f"Bearer {gateway.api_key}"},
                )
            except httpx.TransportError:
                failed.append("cut")
            else:
                failed.append(str(answer.status_code))

    with stopped(gateway.children()["envoy"]):
        creating = threading.Thread(target=create)
        creating.start()
        # The cluster is on its way to Envoy, which will take it when it goes on.
        assert wait_until(lambda: is_being_written(gateway))
        os.kill(gateway.children()["control"], signal.SIGKILL)
        creating.join(30)
    assert failed == ["cut"]
    assert wait_until(lambda: metric(gateway, "envoy_connected") == 1)
    assert wait_until(lambda: agree(gateway))
    assert [m.id for m in client.list_ports()] == [kept.id]
    assert serves(gateway, kept.url, service.name)
    started = time.monotonic()
    assert expose(43_000).status == "active"
    # Envoy takes no new cluster for 15 s if it waits for a part of one that never comes.
    assert time.monotonic() - started < 10


def test_an_open_websocket_survives_a_control_plane_restart(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """Nothing about the listener changed, so nothing of it is drained."""
    url = expose(service.port).url or ""
    trust = ssl.create_default_context(cafile=gateway.runtime["ca_file"])
    address = f"{url.replace('https', 'wss')}/ws"
    with connect(address, ssl=trust, origin=Origin(url)) as websocket:
        kill(gateway, "control")
        assert wait_until(lambda: metric(gateway, "envoy_connected") == 1)
        expose(45_000)  # a change that Envoy takes from the new control plane
        time.sleep(2)  # longer than Envoy's drain time
        websocket.send("still here")
        assert websocket.recv(10) == "still here"


def test_kills_during_many_creates_keep_store_and_envoy_in_agreement(
    gateway: RunningGateway, client: ProxyClient
) -> None:
    """Whatever was answered 201 is there afterwards, and Envoy has neither more nor less."""
    made: list[str] = []

    def create() -> None:
        with gateway.client() as api:
            for number in range(40):
                try:
                    mapping = api.create_port(internal_port=44_000 + number, description="many")
                except ProxyError:
                    continue
                made.append(mapping.id)

    creating = threading.Thread(target=create)
    creating.start()
    for _ in range(3):
        target = len(made) + 5
        wait_until(lambda: len(made) >= target or not creating.is_alive())  # noqa: B023 - used now
        kill(gateway, "control")
    creating.join(120)
    assert not creating.is_alive()
    assert wait_until(lambda: agree(gateway))
    stored = {m.id for m in client.list_ports()}
    assert set(made) <= stored
    assert len(stored) <= 40
