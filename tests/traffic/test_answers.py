"""`security_headers`, `compression`, `websocket_support` and `ssl_redirect` in the traffic."""

from __future__ import annotations

import gzip
import itertools
import socket
import time

import brotli  # type: ignore[import-untyped]  # it has no types
import httpx
import pytest
from websockets.exceptions import InvalidStatus

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.traffic import Expose, OpenWebSocket, Visit

_POLICY = "default-src 'self'; img-src 'self' data: 100%25"


def test_security_headers_are_added_to_answers(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """HSTS, the content policy and the frame options are on every answer of every service."""
    cluster.update_access(
        security_headers={
            "hsts_enabled": True,
            "content_security_policy": _POLICY,
            "x_frame_options": "DENY",
        }
    )
    exposed = expose()
    for path in ("/", "/status/404", "/status/500"):
        headers = visit().get(exposed.url + path).headers
        assert headers.get_list("strict-transport-security") == ["max-age=31536000"]
        assert headers.get_list("content-security-policy") == [_POLICY]
        assert headers.get_list("x-frame-options") == ["DENY"]


def test_security_headers_are_off_by_default_and_reset_by_null(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """Nothing is added that nobody asked for; null takes it away again."""
    exposed = expose()
    names = {"content-security-policy", "x-frame-options"}
    assert not names & set(visit().get(exposed.url).headers)
    cluster.update_access(security_headers={"x_frame_options": "DENY"})
    assert visit().get(exposed.url).headers["x-frame-options"] == "DENY"
    cluster.update_access(security_headers=None)
    assert not names & set(visit().get(exposed.url).headers)


@pytest.mark.parametrize(
    ("algorithm", "unpack"), [("gzip", gzip.decompress), ("br", brotli.decompress)]
)
def test_answers_are_compressed_as_the_client_wishes(
    expose: Expose, visit: Visit, algorithm: str, unpack: object
) -> None:
    """A long text is sent in the wished coding, and is the same text."""
    exposed = expose()
    url = f"{exposed.url}/text/long"
    exposed.service.name = "long text " * 1000
    with visit().stream("GET", url, headers={"accept-encoding": algorithm}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == algorithm
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert len(raw) < 1000
    assert callable(unpack)
    assert unpack(raw).decode() == exposed.service.name


def test_who_does_not_ask_gets_no_compression(expose: Expose, visit: Visit) -> None:
    """Without Accept-Encoding, and for short answers, the bytes are the service's."""
    exposed = expose()
    exposed.service.name = "x" * 5000
    plain = visit().get(exposed.url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    exposed.service.name = "short"
    short = visit().get(exposed.url, headers={"accept-encoding": "gzip, br"})
    assert "content-encoding" not in short.headers


@pytest.mark.parametrize(
    ("compression", "expected"),
    [
        ({"enabled": True, "algorithms": ["gzip"]}, {"gzip": "gzip", "br": None}),
        ({"enabled": True, "algorithms": ["br"]}, {"gzip": None, "br": "br"}),
        ({"enabled": True, "algorithms": []}, {"gzip": None, "br": None}),
        ({"enabled": False}, {"gzip": None, "br": None}),
        (None, {"gzip": "gzip", "br": "br"}),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_compression_is_what_the_cluster_wants(
    expose: Expose,
    visit: Visit,
    api: httpx.Client,
    compression: object,
    expected: dict[str, str | None],
) -> None:
    """`algorithms` and `enabled` decide; null is the default, both."""
    answer = api.put("/proxy", json={"network_configuration": {"compression": compression}})
    assert answer.status_code == 200
    exposed = expose()
    exposed.service.name = "x" * 5000
    found = {
        a: visit().get(exposed.url, headers={"accept-encoding": a}).headers.get("content-encoding")
        for a in expected
    }
    assert found == expected


def test_events_are_not_held_back_by_compression(expose: Expose, visit: Visit) -> None:
    """Each server-sent event arrives when it is sent, whatever the client accepts."""
    exposed = expose()
    headers = {"accept-encoding": "gzip, br", "accept": "*/*"}
    with visit().stream("GET", f"{exposed.url}/events?count=6", headers=headers) as answer:
        arrivals = [time.monotonic() for line in answer.iter_lines() if line.startswith("data:")]
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert len(arrivals) == 6
    assert sum(gap > 0.02 for gap in gaps) >= 4, gaps


def test_websockets_can_be_switched_off(
    expose: Expose, websocket: OpenWebSocket, cluster: ProxyClient
) -> None:
    """`websocket_support: false` refuses the upgrade; the rest goes on; true lets it pass again."""
    exposed = expose()
    cluster.update_proxy(network_configuration={"websocket_support": False})
    with pytest.raises(InvalidStatus) as refusal:
        websocket(exposed)
    assert refusal.value.response.status_code == 403
    assert exposed.service.seen == []
    cluster.update_proxy(network_configuration={"websocket_support": True})
    connection = websocket(exposed)
    connection.send("still here")
    assert connection.recv() == "still here"


def _plain(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        raw.sendall(request)
        try:
            return raw.recv(2000)
        except ConnectionResetError:
            return b""


def test_plain_http_is_redirected_on_the_same_port(expose: Expose) -> None:
    """`ssl_redirect` (the default): 308 to https, same host, port, path and query."""
    exposed = expose()
    request = f"POST /a?b=c HTTP/1.1\r\nHost: localhost:{exposed.port}\r\nContent-Length: 0\r\n\r\n"
    answer = _plain(exposed.port, request.encode()).decode().lower()
    assert answer.startswith("http/1.1 308")
    assert f"location: https://localhost:{exposed.port}/a?b=c\r\n" in answer
    assert exposed.service.seen == []


def test_without_ssl_redirect_plain_http_gets_no_answer(expose: Expose, visit: Visit) -> None:
    """`ssl_redirect: false` closes plain connections; nothing is ever served unencrypted."""
    exposed = expose(ssl_redirect=False)
    assert _plain(exposed.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
    assert exposed.service.seen == []
    assert visit().get(exposed.url).status_code == 200
