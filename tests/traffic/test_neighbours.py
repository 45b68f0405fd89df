"""P14: what happens to one mapping is nothing to the others; and a port that is gone is gone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import Expose, Exposed, OpenWebSocket, Visit

PUBLIC = {"public_access": True}


@contextmanager
def _load(visitor: httpx.Client, url: str) -> Iterator[Counter[int | str]]:
    """Ask again and again until the block ends, and count the answers."""
    counts: Counter[int | str] = Counter()
    over = threading.Event()

    def status() -> int | str:
        try:
            return visitor.get(url).status_code
        except httpx.TransportError as error:
            return type(error).__name__

    def ask() -> None:
        while not over.is_set():
            counts[status()] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join(30)


def test_p14_the_very_next_request_succeeds(
    client: ProxyClient, gateway: RunningGateway, expose: Expose
) -> None:
    """Created means listening; deleted means closed; twenty times in a row."""
    expose("neighbour")
    with web_service("again and again") as service:
        for _ in range(20):
            made = client.create_port(
                internal_port=service.port, description="x", access_control=PUBLIC
            )
            with gateway.visitor() as visitor:
                assert visitor.get(str(made.url)).text == "again and again"
            client.delete_port(made.id)
            with gateway.visitor() as visitor, pytest.raises(httpx.ConnectError):
                visitor.get(str(made.url))


def test_p14_others_requests_and_websockets_are_untouched(
    expose: Expose, visit: Visit, websocket: OpenWebSocket, client: ProxyClient
) -> None:
    """Thirty creates, updates and deletes: no request fails, no WebSocket or stream is cut."""
    steady = expose("steady")
    talk = websocket(steady)
    with (
        visit().stream("GET", f"{steady.url}/steps?type=text/event-stream") as stream,
        _load(visit(), steady.url) as counts,
        web_service("coming and going") as service,
    ):
        lines = stream.iter_lines()
        for number in range(30):
            made = client.create_port(
                internal_port=service.port, description="x", access_control=PUBLIC
            )
            client.update_port(made.id, description=f"number {number}", ssl_redirect=False)
            client.update_port(made.id, access_control={"public_access": False})
            talk.send(str(number))
            assert talk.recv(timeout=10) == str(number)
            client.delete_port(made.id)
        for number in range(5):
            assert next(lines) == f"data: {number}"
            assert next(lines) == ""
            steady.service.taken.release()
    assert set(counts) == {200}
    assert counts[200] > 5


def test_p14_a_long_request_survives_others_changes(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """A slow answer arrives, though listeners come and go meanwhile."""
    slow = expose("slow")
    found: list[str] = []
    thread = threading.Thread(
        target=lambda: found.append(visit().get(f"{slow.url}/slow/2500").text)
    )
    thread.start()
    with web_service("x") as service:
        while thread.is_alive():
            made = client.create_port(internal_port=service.port, description="x")
            client.delete_port(made.id)
    thread.join()
    assert found == ["at last"]


def test_p14_unexpose_ends_what_is_open(
    expose: Expose, visit: Visit, client: ProxyClient, websocket: OpenWebSocket
) -> None:
    """A WebSocket of a mapping that is deleted is closed soon, and no new request passes."""
    with web_service("x") as service:
        made = client.create_port(
            internal_port=service.port, description="x", access_control=PUBLIC
        )
        exposed = Exposed(service, made)
        talk = websocket(exposed)
        kept = visit()
        assert kept.get(exposed.url).status_code == 200
        client.delete_port(made.id)
        with pytest.raises(httpx.ConnectError):
            visit().get(exposed.url)
        before = len(service.seen)
        with pytest.raises(ConnectionClosed):
            _talk_on(talk)
        assert len(service.seen) == before


def _talk_on(talk: ClientConnection) -> None:
    for _ in range(100):
        talk.send("still there?")
        talk.recv(timeout=10)
        threading.Event().wait(0.1)
