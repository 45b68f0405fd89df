"""Private by default: without a session nobody gets an answer, and the service hears of nobody."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.http2 import exchange_http2, get_headers
from tests.fixtures.services.ear import Ear, ear
from tests.fixtures.services.web import WebService
from tests.fixtures.traffic import Exposed, OpenWebSocket, SendRaw, Visit

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT"]
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass
class Silent(Exposed):
    """A private mapping of a service that must not hear a byte."""

    ear: Ear


@pytest.fixture(scope="module")
def silent(client: ProxyClient) -> Iterator[Silent]:
    """Expose the listening service, saying nothing about access."""
    with ear() as listening:
        made = client.create_port(
            internal_port=listening.port, description="private", health_check={"enabled": False}
        )
        yield Silent(WebService(listening.port, "private"), made, listening)
        client.delete_port(made.id)


@pytest.fixture(autouse=True)
def _heard_nothing(silent: Silent) -> Iterator[None]:
    """After every test of this file the service has heard nothing: no byte, no connection."""
    yield
    assert silent.ear.heard == []


def test_r31_a_mapping_that_says_nothing_requires_sign_in(silent: Silent) -> None:
    """The default is private, and the answer says so."""
    access = silent.mapping.access_control
    assert access is not None
    assert access.authentication_required is True


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
@pytest.mark.parametrize("method", METHODS)
def test_r01_p20_no_session_is_401_as_json(
    silent: Silent, visit: Visit, method: str, *, http2: bool
) -> None:
    """Whatever the method, a program is told 401 with a code, over HTTP/1.1 and HTTP/2."""
    answer = visit(http2=http2).request(method, f"{silent.url}/a/b?c=d")
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert answer.status_code == 401
    if method != "HEAD":
        assert answer.json()["success"] is False
        assert answer.json()["error"]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_r01_a_browser_is_sent_to_the_sign_in_page(
    silent: Silent, visit: Visit, *, http2: bool
) -> None:
    """GET of a page → 302 to our own page on the same origin; the page itself is 401."""
    browser = visit(http2=http2, headers=HTML)
    answer = browser.get(f"{silent.url}/deep/page?q=1&r=%2F")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/.tensorone/sign-in?next=/deep/page?q=1&r=%2F"
    assert browser.get(f"{silent.url}{answer.headers['location']}").status_code == 401


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
def test_r01_only_a_get_is_redirected(silent: Silent, visit: Visit, method: str) -> None:
    """A form or a script's write is refused, not turned into a GET of another page."""
    assert visit(headers=HTML).request(method, silent.url).status_code == 401


@pytest.mark.parametrize(
    "cookie",
    [
        "nonsense",
        "",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ.",
        "null",
        "true",
        "../../etc/passwd",
        "x" * 4000,
    ],
)
def test_r01_a_cookie_that_is_no_session_opens_nothing(
    silent: Silent, visit: Visit, cookie: str
) -> None:
    """Something under the right name is not a session."""
    for prefix in ("__Host-t1", "__Host-t1f"):
        header = f"{prefix}-{silent.mapping.id}={cookie}"
        assert visit(headers={"cookie": header}).get(silent.url).status_code == 401


def test_r01_a_websocket_without_a_session_is_refused(
    silent: Silent, websocket: OpenWebSocket
) -> None:
    """The handshake is answered with 401, also from the mapping's own page."""
    for origin in ("own", None):
        with pytest.raises(InvalidStatus) as refusal:
            websocket(silent, origin=origin)
        assert refusal.value.response.status_code == 401


def test_r01_an_event_stream_without_a_session_is_refused(silent: Silent, visit: Visit) -> None:
    """Server-sent events are no way around."""
    answer = visit(headers={"accept": "text/event-stream"}).get(f"{silent.url}/events")
    assert answer.status_code == 401


def test_r01_a_body_that_is_already_being_sent_does_not_reach_the_service(
    silent: Silent, visit: Visit
) -> None:
    """A chunked upload that starts before the answer is known goes nowhere."""

    def body() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 16_384

    with contextlib.suppress(httpx.WriteError):  # refused and closed while we send: as good
        assert visit().post(silent.url, content=body()).status_code == 401


@pytest.mark.parametrize("kind", ["websocket", "h2c"])
def test_r01_an_upgrade_is_no_way_around(silent: Silent, send_raw: SendRaw, kind: str) -> None:
    """Neither a WebSocket's upgrade with odd letters nor h2c opens a tunnel."""
    request = (
        f"GET / HTTP/1.1\r\nHost: localhost:{silent.port}\r\n"
        "Connection: Upgrade, HTTP2-Settings, close\r\n"
        f"Upgrade: {kind.swapcase()}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert send_raw(silent, request.encode()).startswith((b"HTTP/1.1 401", b"HTTP/1.1 403"))


def test_r01_a_websocket_over_http2_is_refused(silent: Silent) -> None:
    """Extended CONNECT (RFC 8441) needs a session like everything else."""
    headers = [*get_headers(f"localhost:{silent.port}", method="CONNECT"), ("origin", silent.url)]
    headers.insert(1, (":protocol", "websocket"))
    assert exchange_http2(silent.port, headers) in {"401", "403", "404", "reset"}


@pytest.mark.parametrize("method", ["QUERY", "get", "CONNECT", "TRACE", "FOO BAR", "GET\t"])
def test_r01_a_method_nobody_knows_is_refused(
    silent: Silent, send_raw: SendRaw, method: str
) -> None:
    """An odd method is no way around either."""
    request = f"{method} / HTTP/1.1\r\nHost: localhost:{silent.port}\r\nConnection: close\r\n\r\n"
    status = send_raw(silent, request.encode()).split()[1]
    assert status in {b"400", b"401", b"403", b"404", b"405"}
