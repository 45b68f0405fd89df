"""`enabled: false` closes every listener and keeps every mapping; true opens them again."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from tests.fixtures.gateway import wait_until
from tests.fixtures.traffic import Expose, OpenWebSocket, SignIn, Visit

DOMAIN = "disabled.lab.example"
RAW = {"app_protocol": "tcp", "access": {"authentication_required": False}}


@pytest.fixture
def switch(client: ProxyClient) -> Iterator[ProxyClient]:
    """Return a client for tests that switch the proxy off; it is on afterwards."""
    yield client
    client.update_proxy(enabled=True)


def _accepts(port: int | None) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port or 0), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def _by_id(client: ProxyClient) -> dict[str, PortMapping]:
    return {mapping.id: mapping for mapping in client.list_ports()}


def test_disabling_closes_every_listener_and_keeps_every_mapping(
    expose: Expose, switch: ProxyClient, visit: Visit
) -> None:
    """Of each kind: the port refuses connections, the mapping is as it was, and says disabled."""
    exposed = [expose("public"), expose("private", access={"authentication_required": True})]
    exposed += [expose("domain", custom_domain=DOMAIN), expose("raw", **RAW)]
    before = _by_id(switch)
    assert all(_accepts(e.port) for e in exposed)
    switch.update_proxy(enabled=False)
    assert not any(_accepts(e.port) for e in exposed)
    proxy = switch.get_proxy()
    assert proxy.proxy_status == "disabled"
    assert {m.status for m in proxy.port_mappings} == {"disabled"}
    unchanged = {"status": None, "health_status": None, "health_check": None}
    after = _by_id(switch)
    assert {k: m.model_copy(update=unchanged) for k, m in after.items()} == {
        k: m.model_copy(update=unchanged) for k, m in before.items()
    }
    switch.update_proxy(enabled=True)
    assert all(_accepts(e.port) for e in exposed)
    assert visit().get(exposed[0].url).text == "public"
    assert switch.get_proxy().proxy_status == "active"


def test_disabling_ends_what_is_open(
    expose: Expose, switch: ProxyClient, websocket: OpenWebSocket
) -> None:
    """An open WebSocket ends too: off means off."""
    talk = websocket(expose())
    switch.update_proxy(enabled=False)

    def is_closed() -> bool:
        try:
            talk.send("still there?")
            talk.recv(timeout=5)
        except ConnectionClosed:
            return True
        return False

    assert wait_until(is_closed, seconds=10)


def test_while_disabled_mappings_can_be_made_edited_and_deleted(
    expose: Expose, switch: ProxyClient, visit: Visit
) -> None:
    """Nothing listens until it is enabled again; then everything is as it was left."""
    edited = expose("edited")
    deleted = switch.create_port(internal_port=1, description="deleted")
    switch.update_proxy(enabled=False)
    made = expose("made meanwhile")
    switch.update_port(edited.mapping.id, description="edited meanwhile")
    switch.delete_port(deleted.id)
    with pytest.raises(httpx.ConnectError):
        visit().get(made.url)
    switch.update_proxy(enabled=True)
    assert visit().get(made.url).text == "made meanwhile"
    assert _by_id(switch)[edited.mapping.id].description == "edited meanwhile"
    assert not _accepts(deleted.external_port)


def test_sessions_outlive_a_pause(expose: Expose, switch: ProxyClient, sign_in: SignIn) -> None:
    """Who was signed in is signed in after the proxy was off and on."""
    exposed = expose(access={"authentication_required": True})
    browser = sign_in(exposed)
    switch.update_proxy(enabled=False)
    switch.update_proxy(enabled=True)
    assert browser.get(exposed.url).status_code == 200


def test_on_and_off_again_and_again(expose: Expose, switch: ProxyClient, visit: Visit) -> None:
    """Each switch has taken effect when it is answered."""
    exposed = expose("here")
    for _ in range(3):
        switch.update_proxy(enabled=False)
        assert not _accepts(exposed.port)
        switch.update_proxy(enabled=True)
        assert visit().get(exposed.url).text == "here"
