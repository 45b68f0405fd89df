"""The network's edge: no answer, slow answers, HTTP proxies of the environment, and the key."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from jupyter_tensorone_proxy import AsyncProxyClient, ProxyClient
from jupyter_tensorone_proxy.client import _exchange
from jupyter_tensorone_proxy.client import _operations as ops
from jupyter_tensorone_proxy.errors import (
    ApiTimeoutError,
    ApiUnreachableError,
    ConfigurationError,
    UnexpectedAnswerError,
)
from tests.fixtures.tensorone import (
    API_URL,
    KEY,
    SETTINGS,
    AsyncRim,
    Driver,
    SyncRim,
    failure,
    serving,
    settings_for,
    success,
)

CLIENTS = [ProxyClient, AsyncProxyClient]


@pytest.fixture
def closed_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between real tries short."""
    monkeypatch.setattr(_exchange, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.mark.usefixtures("hasty")
def test_an_unreachable_api_is_named(rim: SyncRim | AsyncRim, closed_port: int) -> None:
    """The error says which host, why, and where its address came from."""
    settings = settings_for(f"http://127.0.0.1:{closed_port}", source="environment")
    with pytest.raises(ApiUnreachableError, match=f"127.0.0.1:{closed_port}") as caught:
        rim.call("list_ports", settings=settings)
    assert "environment" in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("hasty")
def test_a_gateway_that_is_gone_is_told_how_to_start(
    rim: SyncRim | AsyncRim, closed_port: int
) -> None:
    """Where the address came from a running gateway, the way out is to start it again."""
    settings = settings_for(f"http://127.0.0.1:{closed_port}", source="running gateway")
    with pytest.raises(ApiUnreachableError, match="jupyter tensorone gateway"):
        rim.call("list_ports", settings=settings)


@pytest.mark.usefixtures("hasty")
def test_a_server_that_comes_back_is_found(rim: SyncRim | AsyncRim) -> None:
    """A real connection and real (short) pauses: the third try succeeds."""
    replies = [failure(503, "X"), httpx.Response(429), success([])]
    with serving(lambda _: replies.pop(0)) as server:
        assert rim.call("list_clusters", settings=settings_for(server.url)) == []
    assert len(server.requests) == 3


@pytest.mark.parametrize("client", CLIENTS)
def test_a_slow_server_is_given_up(client: Any) -> None:
    """`timeout_seconds` bounds the wait for an answer."""
    go_on = threading.Event()

    def api(_: httpx.Request) -> httpx.Response:
        go_on.wait(30)
        return success([])

    with serving(api) as server:
        settings = settings_for(server.url)
        try:
            with pytest.raises(ApiTimeoutError, match="timeout_seconds"):
                _list_clusters(client(settings=settings, timeout_seconds=0.05))
        finally:
            go_on.set()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_senseless_timeout_is_refused(client: Any, seconds: float) -> None:
    """No time at all is a mistake, not a wait for ever."""
    with pytest.raises(ConfigurationError, match="timeout_seconds"):
        client(settings=SETTINGS, timeout_seconds=seconds)


def test_an_answer_that_cannot_be_unpacked_is_unexpected(rim: SyncRim | AsyncRim) -> None:
    """Bytes that are not what their header says are the server's fault, and named so."""

    def api(_: httpx.Request) -> httpx.Response:
        raw = {"content-encoding": "gzip", "content-type": "application/json"}
        return httpx.Response(200, headers=raw, stream=httpx.ByteStream(b"not gzip"))

    with pytest.raises(UnexpectedAnswerError, match="decoded"):
        rim.call("list_clusters", handler=api)


def test_a_certificate_of_ones_own_authority_is_explained() -> None:
    """A refused certificate says which variable names the authority."""
    broken = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    with pytest.raises(ApiUnreachableError, match="SSL_CERT_FILE"):
        Driver([broken] * 4).run(ops.list_clusters())


def test_this_machine_is_not_reached_through_a_proxy(
    rim: SyncRim | AsyncRim, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    """A cluster's HTTP_PROXY does not stand between us and a gateway on loopback."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    with serving(lambda _: success([])) as server:
        assert rim.call("list_clusters", settings=settings_for(server.url)) == []


@pytest.mark.parametrize("client", CLIENTS)
def test_a_proxy_that_cannot_be_used_is_explained(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of an unknown kind is named as the environment's, with the way out."""
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="ALL_PROXY"):
        client(settings=SETTINGS)


def test_r16_the_key_is_in_no_log(
    rim: SyncRim | AsyncRim, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even at DEBUG do the HTTP libraries' loggers hold the key, in neither version's form."""
    caplog.set_level(logging.DEBUG)
    with serving(lambda _: success({"id": "p", "token": "t"})) as server:
        to = settings_for(server.url)
        rim.call("create_port", internal_port=1, description="x", settings=to)
        rim.call("update_proxy", enabled=True, settings=to)
    assert [r.headers["authorization"] for r in server.requests] == [f"Bearer {KEY}", KEY]
    assert "send_request_headers" in caplog.text, "the libraries did log"
    assert KEY not in caplog.text


@pytest.mark.parametrize("client", CLIENTS)
def test_r16_the_key_is_not_in_what_is_shown_of_a_client(client: Any) -> None:
    """`repr` and `str` of a client and of its settings mask the key, and say where it leads."""
    made = client(api_url=API_URL, api_key=KEY, cluster_id="c")
    shown = f"{made!r} {made} {made.settings!r} {made.settings}"
    assert KEY not in shown
    assert API_URL in repr(made)


def test_r16_a_key_that_cannot_be_sent_is_not_quoted() -> None:
    """A key with a line break is refused before any library complains about it in full."""
    with pytest.raises(ConfigurationError) as caught:
        settings_for(API_URL, api_key=SecretStr(f"{KEY}\nX-Evil: 1"))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_key_is_taken_from_a_file(client: Any, tmp_path: Path) -> None:
    """`api_key_file` is read, and the line's end is not part of the key."""
    (tmp_path / "key").write_text(f"{KEY}\n")
    made = client(api_url=API_URL, api_key_file=tmp_path / "key", cluster_id="c")
    assert made.settings.api_key.get_secret_value() == KEY


@pytest.mark.parametrize("client", CLIENTS)
def test_settings_and_single_values_exclude_each_other(client: Any) -> None:
    """Two answers to one question are refused, not mixed."""
    with pytest.raises(TypeError, match="settings"):
        client(settings=SETTINGS, api_key="other")


def _list_clusters(client: ProxyClient | AsyncProxyClient) -> object:
    """Return the clusters by either client, and close it."""
    if isinstance(client, ProxyClient):
        with client:
            return client.list_clusters()

    async def main() -> object:
        async with client:
            return await client.list_clusters()

    return asyncio.run(main())
