"""A gRPC server behind a private mapping (`app_protocol: grpc`), with gRPC's own client."""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import free_port
from tests.fixtures.services.exposed import ExposedService, Start

pytestmark = pytest.mark.services

APP = Path(__file__).with_name("apps") / "grpc_server.py"
SECONDS = 30.0
"""Deadline of calls that should be quick."""


@pytest.fixture(scope="module")
def echo(start: Start) -> ExposedService:
    """Start the server."""
    command = [sys.executable, str(APP), "{port}"]
    return start("gRPC", command, mapping={"app_protocol": "grpc"})


def _channel(exposed: ExposedService, port: int, *, signed_in: bool = True) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(Path(exposed.ca_file).read_bytes())
    if signed_in:
        bearer = grpc.access_token_call_credentials(exposed.token)
        credentials = grpc.composite_channel_credentials(credentials, bearer)
    return grpc.secure_channel(f"localhost:{port}", credentials)


@pytest.fixture(scope="module")
def channel(echo: ExposedService) -> Iterator[grpc.Channel]:
    """Return a channel to the exposed port, signed in by the token."""
    with _channel(echo, echo.port) as opened:
        yield opened


def test_p7_grpc_unary_call_keeps_metadata_and_trailers(channel: grpc.Channel) -> None:
    """Request metadata, initial metadata, the answer and the trailers all arrive."""
    reverse = channel.unary_unary("/test.Echo/Reverse")
    metadata = (("x-ask", "Ana"),)
    answer, call = reverse.with_call(b"abc", timeout=SECONDS, metadata=metadata)
    assert answer == b"cba"
    assert ("x-before", "first") in call.initial_metadata()
    trailers = dict(call.trailing_metadata())
    assert trailers["x-after"] == "last"
    assert trailers["x-bytes-bin"] == b"\x00\xff"
    assert trailers["x-asked"] == "Ana"


def test_p7_grpc_metadata_may_have_underscores(channel: grpc.Channel) -> None:
    """Keys such as `user_id`, which gRPC allows and HTTP servers confuse, reach a gRPC server."""
    reverse = channel.unary_unary("/test.Echo/Reverse")
    _, call = reverse.with_call(b"abc", timeout=SECONDS, metadata=(("user_id", "7"),))
    assert dict(call.trailing_metadata())["x-asked-user"] == "7"


def test_r33_grpc_client_cannot_claim_to_be_somebody_else(channel: grpc.Channel) -> None:
    """The server is told the one user whom the token names, whatever the client says."""
    reverse = channel.unary_unary("/test.Echo/Reverse")
    claim = (("x-forwarded-user", "root"),)
    _, call = reverse.with_call(b"abc", timeout=SECONDS, metadata=claim)
    assert dict(call.trailing_metadata())["x-users"] == "program"


def test_p7_grpc_server_stream_arrives_unbuffered(channel: grpc.Channel) -> None:
    """Five messages arrive, though the server sends each only when the one before has arrived."""
    take = channel.unary_unary("/test.Echo/Take")
    messages = []
    for message in channel.unary_stream("/test.Echo/Count")(b"5", timeout=SECONDS):
        messages.append(message)
        take(b"", timeout=SECONDS)
    assert messages == [f"item {number}".encode() for number in range(5)]


def test_p7_grpc_client_stream_is_taken_whole(channel: grpc.Channel) -> None:
    """A thousand messages of the client arrive, each once."""
    total = channel.stream_unary("/test.Echo/Total")
    assert total((str(n).encode() for n in range(1000)), timeout=SECONDS) == b"499500"


def test_p7_grpc_bidirectional_stream_is_a_conversation(channel: grpc.Channel) -> None:
    """Each message is answered before the client sends the next."""
    outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    answers = channel.stream_stream("/test.Echo/Chat")(iter(outgoing.get, None), timeout=SECONDS)
    for number in range(20):
        outgoing.put(f"{number}".encode())
        assert next(answers) == f"you said {number}".encode()
    outgoing.put(None)
    assert list(answers) == []
    assert answers.code() is grpc.StatusCode.OK


def test_p7_grpc_status_and_its_text_are_kept(channel: grpc.Channel) -> None:
    """A refusal arrives with its code, its text in UTF-8 and its trailers."""
    error = _failure(channel, "Fail")
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert error.details() == "not today: 50 % für Ana"
    assert ("x-reason", "test") in error.trailing_metadata()


def test_p7_grpc_deadline_reaches_the_server(channel: grpc.Channel) -> None:
    """The server knows how long its client will wait."""
    left = channel.unary_unary("/test.Echo/Remaining")(b"", timeout=SECONDS)
    assert SECONDS / 2 < float(left) < SECONDS + 1  # it travels rounded up


def test_p7_grpc_deadline_ends_the_call_on_both_sides(channel: grpc.Channel) -> None:
    """A client that gave up sees DEADLINE_EXCEEDED, and the server learns that it did."""
    error = _failure(channel, "Wait", timeout=0.5)
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert channel.unary_unary("/test.Echo/WasCancelled")(b"", timeout=SECONDS) == b"yes"


def test_p7_grpc_call_without_a_token_is_unauthenticated(echo: ExposedService) -> None:
    """The proxy's refusal is a gRPC status, so that clients understand it."""
    with _channel(echo, echo.port, signed_in=False) as nobody:
        error = _failure(nobody)
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "Sign in to use this port" in error.details()


def test_p7_grpc_call_to_a_dead_service_is_unavailable(
    echo: ExposedService, client: ProxyClient
) -> None:
    """Nothing listening is UNAVAILABLE, which gRPC clients try again."""
    dead = client.create_port(internal_port=free_port(), description="dead", app_protocol="grpc")
    try:
        with _channel(echo, int(dead.external_port or 0)) as to_nothing:
            error = _failure(to_nothing)
    finally:
        client.delete_port(dead.id)
    assert error.code() is grpc.StatusCode.UNAVAILABLE


def _failure(channel: grpc.Channel, method: str = "Reverse", timeout: float = SECONDS) -> Any:
    """Return the error of a call that must fail."""
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary(f"/test.Echo/{method}")(b"abc", timeout=timeout)
    return failed.value
