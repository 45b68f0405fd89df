"""The audit as Jupyter events: told once, soon, to everybody who listens, without secrets."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.server.events import SCHEMA_ID, WAIT_SECONDS
from tests.fixtures.gateway import free_port, is_alive, wait_until
from tests.fixtures.jupyter import TOKEN, JupyterServer, run_jupyter

_PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run one Jupyter server for all tests of this file."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as running:
        running.request("GET", "api/proxy").raise_for_status()  # the gateway serves
        yield running


@contextmanager
def listening(server: JupyterServer) -> Iterator[ClientConnection]:
    """Subscribe to the server's events as a front end does."""
    url = f"{server.url.replace('http', 'ws', 1)}/api/events/subscribe"
    headers = {"Authorization": f"token {TOKEN}"}
    with connect(url, additional_headers=headers) as socket:
        yield socket


def next_of_ours(socket: ClientConnection) -> dict[str, Any]:
    """Return the next event of the audit; Jupyter has others, and health changes when it does."""
    while True:
        event: dict[str, Any] = json.loads(socket.recv(timeout=_PATIENCE_SECONDS))
        if event["schema_id"] == SCHEMA_ID and event["action"] != "health.changed":
            return event


def gateways_client(server: JupyterServer) -> ProxyClient:
    """Return a client that has nothing to do with the server."""
    runtime = server.gateway()
    return ProxyClient(
        api_url=runtime["api_url"], api_key_file=runtime["api_key_file"], cluster_id="local"
    )


def test_a_change_by_somebody_else_is_told(server: JupyterServer) -> None:
    """A port that another process exposes is an event for every front end that listens."""
    port = free_port()
    with listening(server) as socket, gateways_client(server) as client:
        mapping = client.create_port(internal_port=port, description="elsewhere")
        created = next_of_ours(socket)
        client.delete_port(mapping.id)
        deleted = next_of_ours(socket)
    assert created["action"] == "port.created"
    assert (created["port_id"], created["internal_port"]) == (mapping.id, port)
    assert (created["via"], created["description"]) == ("python", "elsewhere")
    assert created["fields"] == ["description", "internal_port"]
    assert deleted["action"] == "port.deleted"
    assert deleted["id"] > created["id"]


def test_an_event_is_told_within_a_moment(server: JupyterServer) -> None:
    """Not when the relay next asks: the median delay is a small part of how long it waits."""
    delays = []
    with listening(server) as socket, gateways_client(server) as client:
        for number in range(10):
            client.create_user(f"quick-{number}")
            answered = time.monotonic()
            assert next_of_ours(socket)["user"] == f"quick-{number}"
            delays.append(time.monotonic() - answered)
    assert median(delays) < WAIT_SECONDS / 10


def test_what_jupyter_users_do_is_told_in_their_name(server: JupyterServer) -> None:
    """The REST door names who asked, and that it was through Jupyter."""
    with listening(server) as socket:
        server.request("POST", "api/users", json={"name": "through-jupyter"}).raise_for_status()
        event = next_of_ours(socket)
    owner = server.request("GET", "api/users").json()["data"]
    assert (event["action"], event["via"]) == ("user.added", "jupyter")
    assert event["actor"] in {user["name"] for user in owner}


def test_r48_no_event_holds_a_credential(server: JupyterServer) -> None:
    """Tokens, links and what a change set are not told: every subscriber gets every event."""
    secret = "/health?token=canary-0123456789"
    with listening(server) as socket, gateways_client(server) as client:
        mapping = client.create_port(
            internal_port=free_port(), description="secretive", health_check={"path": secret}
        )
        link = client.create_link(mapping.id, user="sec")
        token = client.create_user("secret-bearer").token
        client.delete_port(mapping.id)
        told = [next_of_ours(socket) for _ in range(4)]
    assert [event["action"] for event in told] == [
        "port.created",
        "link.created",
        "user.added",
        "port.deleted",
    ]
    text = json.dumps(told)
    assert "canary" not in text
    assert token is not None
    for credential in (token, link.url.partition("token=")[2].partition("&")[0]):
        assert credential.rpartition(".")[2] not in text
        assert "eyJ" not in text


def test_events_go_on_after_the_gateway_was_killed(server: JupyterServer) -> None:
    """What happens after kill -9 is told; what was told is not told again."""
    with listening(server) as socket:
        first = server.gateway_pid()
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(first))
        added = server.request("POST", "api/users", json={"name": "after-the-kill"})
        assert added.status_code == 201, added.text
        event = next_of_ours(socket)
        assert (event["action"], event["user"]) == ("user.added", "after-the-kill")


def test_r02_nobody_listens_without_the_token(server: JupyterServer) -> None:
    """Events name people and ports: they are for whoever may use this server."""
    answer = httpx.get(f"{server.url}/api/events/subscribe")
    assert answer.status_code == 403
