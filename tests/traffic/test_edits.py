"""Editing what people edit never cuts an open WebSocket or stream: it is not in the listener.

A listener that changes closes its connections a second later; so the tests wait for longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.models import ClusterAccess
from tests.fixtures.every_field import ACCESS_CHANGES, PORT_CHANGES, PROXY_CHANGES
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.traffic import (
    Expose,
    Exposed,
    OpenWebSocket,
    SignIn,
    Visit,
    cookie_header,
)

PRIVATE = {"authentication_required": True, "allowed_users": ["ana"]}
MOVES = {"custom_domain", "internal_host"}
"""Fields that give the mapping or its service another address: what came by the old one, or is with
another service, is cut, rightly."""

MAPPING_FIELDS = {
    **{name: value for name, value in PORT_CHANGES.items() if name not in MOVES},
    "access_control.authentication_required": False,
    "access_control.rate_limit": {"requests_per_minute": 60},
    "access_control.cors": {"allowed_origins": ["https://app.example.com"]},
}
CLUSTER_FIELDS = {name: value for name, value in PROXY_CHANGES.items() if name != "enabled"}
_LONGER_THAN_DRAINING = 1.6


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run a gateway with a port for every field."""
    options = ("--external-ports", free_range(len(MAPPING_FIELDS) + 10))
    with run_gateway(tmp_path_factory.mktemp("state"), *options) as running:
        yield running


class Open:
    """A WebSocket and a stream of one mapping, both in use.

    Args:
        exposed: The mapping.
        talk: The WebSocket.
        stream: The answer that comes bit by bit.
    """

    def __init__(self, exposed: Exposed, talk: ClientConnection, stream: httpx.Response) -> None:
        self.exposed, self._talk = exposed, talk
        self._lines = (line for line in stream.iter_lines() if line)
        self._number = 0
        assert self.is_open(), "it was not open to begin with"

    def is_open(self) -> bool:
        """Use both, and say whether they still work."""
        try:
            self._talk.send(f"number {self._number}")
            heard = self._talk.recv(timeout=10)
            line = next(self._lines)
        except (ConnectionClosed, httpx.TransportError, StopIteration):
            return False
        self.exposed.service.taken.release()
        assert (heard, line) == (f"number {self._number}", f"data: {self._number}")
        self._number += 1
        return True


@pytest.fixture
def open_both(
    expose: Expose, sign_in: SignIn, websocket: OpenWebSocket
) -> Iterator[Callable[..., Open]]:
    """Return a function that exposes a service privately and opens both, as ana."""
    streams, services = [], []

    def make(**fields: Any) -> Open:
        exposed = expose(access=dict(PRIVATE), **fields)
        browser = sign_in(exposed)
        cookies = {"cookie": cookie_header(browser)}
        talk = websocket(exposed, additional_headers=cookies)
        request = browser.build_request("GET", f"{exposed.url}/steps?type=text/event-stream")
        streams.append(browser.send(request, stream=True))
        services.append(exposed.service)
        return Open(exposed, talk, streams[-1])

    yield make
    for stream in streams:
        stream.close()
    for service in services:
        service.taken.release(5)  # it waits for nobody any more


def _nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value)


def test_editing_any_field_of_a_mapping_cuts_nothing(
    open_both: Callable[..., Open], client: ProxyClient
) -> None:
    """Each field is edited on a mapping of its own; every WebSocket and stream goes on."""
    opened = {name: open_both() for name in MAPPING_FIELDS}
    for name, one in opened.items():
        client.update_port(one.exposed.mapping.id, **_nested(name, MAPPING_FIELDS[name]))
    time.sleep(_LONGER_THAN_DRAINING)
    assert [name for name, one in opened.items() if not one.is_open()] == []


def test_taking_settings_away_again_cuts_nothing(
    open_both: Callable[..., Open], client: ProxyClient
) -> None:
    """Null resets a field, with the same care."""
    objects = {"health_check", "load_balancer", "replicas", "scaling"}
    check = {"health_check": {"path": "/health", "interval_seconds": 5}}
    one = open_both(**check, load_balancer={"algorithm": "random"}, scaling={"min_replicas": 1})
    for name in sorted(objects):
        client.update_port(one.exposed.mapping.id, **{name: None})
    for name in ("rate_limit", "cors", "ip_whitelist", "blocked_ips", "session_timeout_minutes"):
        client.update_port(one.exposed.mapping.id, access_control={name: None})
    time.sleep(_LONGER_THAN_DRAINING)
    assert one.is_open()


def test_editing_any_field_of_the_cluster_cuts_nothing(
    open_both: Callable[..., Open], cluster: ProxyClient
) -> None:
    """What holds for all mappings is edited field by field while one is in use."""
    one = open_both()
    for name, value in ACCESS_CHANGES.items():
        cluster.update_access(**_nested(name, value))
    assert one.is_open()
    for name, value in CLUSTER_FIELDS.items():
        cluster.update_proxy(**_nested(name, value))
    time.sleep(_LONGER_THAN_DRAINING)
    assert one.is_open()
    cluster.update_access(**ClusterAccess().model_dump())
    time.sleep(_LONGER_THAN_DRAINING)
    assert one.is_open()


def test_an_edit_counts_for_the_next_request_all_the_same(
    open_both: Callable[..., Open], client: ProxyClient, visit: Visit
) -> None:
    """Not cutting does not mean not caring: who is new is judged by the new rules."""
    one = open_both()
    client.update_port(one.exposed.mapping.id, access_control={"blocked_ips": ["127.0.0.0/8"]})
    assert visit().get(one.exposed.url).status_code == 403
    assert one.is_open()


@pytest.mark.parametrize("name", sorted(MOVES))
def test_a_mapping_that_moves_closes_its_old_address(
    open_both: Callable[..., Open], client: ProxyClient, name: str
) -> None:
    """Another address is another place; nobody stays at the old one unawares."""
    one = open_both()
    client.update_port(one.exposed.mapping.id, **{name: PORT_CHANGES[name]})
    time.sleep(_LONGER_THAN_DRAINING)
    assert not one.is_open()
