"""P12: WebSockets through the gateway are as they are without it."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.fixtures.gateway import wait_until
from tests.fixtures.traffic import Expose, Exposed, OpenWebSocket, SignIn, cookie_header

PRIVATE = {"authentication_required": True}


@pytest.fixture
def exposed(expose: Expose) -> Exposed:
    """Expose a public service."""
    return expose()


@pytest.fixture
def talk(exposed: Exposed, websocket: OpenWebSocket) -> ClientConnection:
    """Open a WebSocket to it."""
    return websocket(exposed, max_size=32_000_000)


@pytest.mark.parametrize("text", ["hello", "", "é€\U0001f600", "x" * 200_000])
def test_p12_text_comes_back(talk: ClientConnection, text: str) -> None:
    """Short, empty, beyond ASCII, and longer than any buffer."""
    talk.send(text)
    assert talk.recv(timeout=10) == text


@pytest.mark.parametrize("size", [0, 1, 1_000_000, 16_000_000])
def test_p12_binary_comes_back(talk: ClientConnection, size: int) -> None:
    """A frame of 1 MB, and of 16, byte for byte."""
    data = os.urandom(size)
    talk.send(data)
    assert talk.recv(timeout=30) == data


def test_p12_many_frames_keep_their_order(talk: ClientConnection) -> None:
    """A thousand messages, sent without waiting."""
    for number in range(1000):
        talk.send(str(number))
    assert [talk.recv(timeout=10) for _ in range(1000)] == [str(n) for n in range(1000)]


def test_p12_ping_is_answered_by_the_service(talk: ClientConnection) -> None:
    """Control frames pass, with their bytes."""
    assert talk.ping(b"are you there").wait(10)


def test_p12_an_idle_connection_is_kept(talk: ClientConnection) -> None:
    """Nothing ends a WebSocket for being silent."""
    time.sleep(7)  # longer than the time-outs of requests and hellos
    talk.send("still here")
    assert talk.recv(timeout=10) == "still here"


def test_p12_the_services_close_code_and_reason_arrive(talk: ClientConnection) -> None:
    """A code of the service's own, and its words."""
    talk.send("close")
    with pytest.raises(ConnectionClosed) as closed:
        talk.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "as you wish")


def test_p12_a_close_costs_no_second(exposed: Exposed, websocket: OpenWebSocket) -> None:
    """Closing through the gateway takes about as long as without it (trap 12: a second each)."""
    local = f"ws://127.0.0.1:{exposed.service.port}/ws"

    def close_time(opened: Callable[[], ClientConnection]) -> float:
        times = []
        for _ in range(9):
            connection = opened()
            start = time.perf_counter()
            connection.close()
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    with ExitStack() as stack:
        direct = close_time(lambda: stack.enter_context(connect(local)))
    through = close_time(lambda: websocket(exposed))
    assert through < max(20 * direct, 0.3), (through, direct)


@pytest.mark.parametrize(
    ("wanted", "chosen"), [(["a"], "a"), (["b", "a"], "b"), (["graphql-ws", "x"], "graphql-ws")]
)
def test_p12_the_subprotocol_is_the_services_choice(
    exposed: Exposed, websocket: OpenWebSocket, wanted: list[str], chosen: str
) -> None:
    """The offer passes in its order, and the answer."""
    assert websocket(exposed, subprotocols=wanted).subprotocol == chosen
    (offered,) = exposed.service.seen[-1].values("sec-websocket-protocol")
    assert offered.replace(" ", "") == ",".join(wanted)


def test_p12_extensions_and_queries_pass(exposed: Exposed, websocket: OpenWebSocket) -> None:
    """What the handshake says is the service's to read."""
    websocket(exposed, "/ws?token=a%2Fb&x=1", additional_headers={"x-more": "yes"})
    seen = exposed.service.seen[-1]
    assert seen.path == "/ws"
    assert "permessage-deflate" in seen.values("sec-websocket-extensions")[0]
    assert seen.values("x-more") == ["yes"]


def test_p12_a_refusal_of_the_services_is_passed_on(
    exposed: Exposed, websocket: OpenWebSocket
) -> None:
    """A path without a WebSocket answers as the service does, not as we do."""
    with pytest.raises(InvalidStatus) as refusal:
        websocket(exposed, "/nothing")
    assert refusal.value.response.status_code == 403
    assert refusal.value.response.headers["content-type"] == "text/plain; charset=utf-8"


def test_p12_the_visitors_going_is_heard_by_the_service(
    exposed: Exposed, talk: ClientConnection
) -> None:
    """A connection that is cut is cut on both sides."""
    talk.send("here")
    assert talk.recv(timeout=10) == "here"
    talk.socket.close()
    assert wait_until(lambda: exposed.service.websockets == 0)


def test_p12_many_connections_do_not_mix(exposed: Exposed, websocket: OpenWebSocket) -> None:
    """Each of fifty gets its own answers."""
    fifty = [websocket(exposed) for _ in range(50)]
    for number, one in enumerate(fifty):
        one.send(f"I am {number}")
    assert [one.recv(timeout=10) for one in fifty] == [f"I am {n}" for n in range(50)]


def test_p12_a_private_websocket_knows_its_visitor(
    expose: Expose, sign_in: SignIn, websocket: OpenWebSocket
) -> None:
    """With a session it opens, and the service is told who it is."""
    exposed = expose(access=PRIVATE)
    cookies = {"cookie": cookie_header(sign_in(exposed))}
    websocket(exposed, additional_headers=cookies).send("hello")
    assert exposed.service.seen[-1].values("x-forwarded-user") == ["ana"]
