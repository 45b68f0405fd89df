"""R39, P29: a request that two servers could read differently is refused, or read by one only."""

from __future__ import annotations

import pytest

from tests.fixtures.http2 import exchange_http2, get_headers
from tests.fixtures.traffic import Expose, Exposed, SendRaw

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODY = b"0\r\n\r\n" + SMUGGLED


@pytest.fixture
def exposed(expose: Expose) -> Exposed:
    """Expose a public service: nothing but the parser stands between."""
    return expose()


def _post(*lines: str, body: bytes = BODY) -> bytes:
    head = ["POST /honest HTTP/1.1", "Host: localhost", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


AMBIGUOUS = {
    "length and chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "chunks and length": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "two lengths": ["Content-Length: 5", "Content-Length: 6"],
    "a list of lengths": ["Content-Length: 5, 6"],
    "a signed length": ["Content-Length: +5"],
    "a negative length": ["Content-Length: -5"],
    "a hexadecimal length": ["Content-Length: 0x5"],
    "a length with a space in it": ["Content-Length: 5 5"],
    "a huge length": ["Content-Length: 99999999999999999999999999"],
    "a length that is no number": ["Content-Length: five"],
    "an unknown coding": ["Transfer-Encoding: xchunked"],
    "chunked twice": ["Transfer-Encoding: chunked, chunked"],
    "chunked, then something": ["Transfer-Encoding: chunked, identity"],
    "something, then chunked": ["Transfer-Encoding: gzip, chunked"],
    "identity": ["Transfer-Encoding: identity"],
    "two codings on two lines": ["Transfer-Encoding: chunked", "Transfer-Encoding: x"],
    "a vertical tab": ["Transfer-Encoding: \x0bchunked"],
    "quoted": ['Transfer-Encoding: "chunked"'],
    "a space before the colon": ["Transfer-Encoding : chunked"],
    "a nul in a name": ["Transfer\x00-Encoding: chunked"],
    "a nul in a value": ["X: a\x00b", "Content-Length: 0"],
    "a line without a colon": ["nonsense", "Content-Length: 0"],
    "an empty name": [": x", "Content-Length: 0"],
}


@pytest.mark.parametrize("lines", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_r39_p29_a_body_of_uncertain_length_is_refused(
    exposed: Exposed, send_raw: SendRaw, lines: list[str]
) -> None:
    """4xx or 501 and an end of the connection; the service hears of neither request."""
    answer = send_raw(exposed, _post(*lines))
    assert answer[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 501", b"HTTP/1.1 411", b""}, answer[:100]
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert exposed.service.seen == []


@pytest.mark.parametrize(
    "chunks",
    [
        b"5\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5hello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX0\r\n\r\n",
        b"z\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_r39_damaged_chunks_are_no_whole_request(
    exposed: Exposed, send_raw: SendRaw, chunks: bytes
) -> None:
    """A chunk that is not what it says ends the connection; nothing after it is a request."""
    request = _post("Transfer-Encoding: chunked", body=chunks + SMUGGLED)
    answer = send_raw(exposed, request)
    assert answer.count(b"HTTP/1.1 200") == 0, answer
    assert {seen.path for seen in exposed.service.seen} <= {"/honest"}


@pytest.mark.parametrize(
    "head",
    [
        b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /a\rb HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x00\x05",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_r39_an_odd_head_is_refused(exposed: Exposed, send_raw: SendRaw, head: bytes) -> None:
    """Spaces, versions and line ends that servers read differently do not pass."""
    answer = send_raw(exposed, head)
    assert b"HTTP/1.1 200" not in answer
    assert exposed.service.seen == []


_END = b"Connection: close\r\n\r\n"
_START = b"GET /honest HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n"
LENIENT = {
    "bare line feeds": (_START + _END).replace(b"\r\n", b"\n"),
    "two spaces": _START.replace(b" ", b"  ", 1) + _END,
    "a folded value": _START.replace(b"X-A: b", b"X-A:\r\n b") + _END,
    "a folded header": _START + b"X-B: c\r\n X-Forwarded-User: root\r\n" + _END,
    "a bare carriage return": _START + b"X-B: c\rX-Forwarded-User: root\r\n" + _END,
    "a folded coding": _START.replace(b"GET", b"POST")
    + b"Transfer-Encoding:\r\n chunked\r\n"
    + _END
    + BODY,
}


@pytest.mark.parametrize("request_", LENIENT.values(), ids=LENIENT)
def test_trap_14_what_envoy_takes_leniently_reaches_the_service_in_good_order(
    exposed: Exposed, send_raw: SendRaw, request_: bytes
) -> None:
    """It is one request to both, written anew: no second one, and no header of a header's value."""
    answer = send_raw(exposed, request_)
    assert answer.count(b"HTTP/1.1 200") == 1
    (seen,) = exposed.service.seen
    assert seen.path == "/honest"
    assert seen.values("x-a") == ["b"]
    assert seen.values("x-forwarded-user") == []


def test_r39_pipelined_requests_are_two_and_judged_each_by_itself(
    expose: Expose, send_raw: SendRaw
) -> None:
    """Two requests in one packet: both refused on a private port, both served on a public one."""
    two = (
        b"GET /one HTTP/1.1\r\nHost: localhost\r\n\r\n"
        b"GET /two HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    private, public = expose(access={"authentication_required": True}), expose()
    assert send_raw(private, two).count(b"HTTP/1.1 401") == 2
    assert private.service.seen == []
    assert send_raw(public, two).count(b"HTTP/1.1 200") == 2
    assert [seen.path for seen in public.service.seen] == ["/one", "/two"]


@pytest.mark.parametrize("target", ["evil.example.com:443", "localhost:22", "/", "127.0.0.1:80"])
def test_r39_connect_is_refused(exposed: Exposed, send_raw: SendRaw, target: str) -> None:
    """Nobody tunnels through the gateway, over HTTP/1.1 or HTTP/2."""
    request = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()
    assert send_raw(exposed, request)[9:12] in {b"400", b"403", b"404", b"405", b"421", b""}
    status = exchange_http2(exposed.port, [(":method", "CONNECT"), (":authority", target)])
    assert status in {"400", "403", "404", "405", "421", "reset"}
    assert exposed.service.seen == []


HTTP2 = {
    "a line break in a value": [("x-a", "b\r\nx-forwarded-user: root")],
    "a line break in a name": [("x-a: b\r\nx-c", "d")],
    "a nul in a value": [("x-a", "b\x00c")],
    "an upper case name": [("X-A", "b")],
    "a colon in a name": [("x:a", "b")],
    "a connection header": [("connection", "keep-alive")],
    "a transfer coding": [("transfer-encoding", "chunked")],
    "a length that is not kept": [("content-length", "10")],
    "two lengths": [("content-length", "0"), ("content-length", "5")],
    "a second path": [(":path", "/other")],
    "a second method": [(":method", "POST")],
    "a pseudo-header nobody knows": [(":evil", "x")],
    "te that is not trailers": [("te", "gzip")],
    "an upgrade": [("upgrade", "h2c")],
}


@pytest.mark.parametrize("lines", HTTP2.values(), ids=HTTP2)
def test_r39_what_http1_would_read_differently_does_not_pass_over_http2(
    exposed: Exposed, lines: list[tuple[str, str]]
) -> None:
    """Headers that would make two requests or other lengths of one in HTTP/1.1 are refused."""
    status = exchange_http2(exposed.port, [*get_headers(f"localhost:{exposed.port}"), *lines])
    if status == "200":
        (seen,) = exposed.service.seen
        assert seen.values("x-forwarded-user") == []
        assert not {name for name, _ in seen.headers} & {"upgrade", "te", "x:a"}
        assert seen.values("transfer-encoding") == []
    else:
        assert status in {"400", "403", "404", "reset"}
        assert exposed.service.seen == []


def test_r55_headers_over_60_kib_are_too_large(exposed: Exposed, send_raw: SendRaw) -> None:
    """431, and the service hears nothing; 50 KiB pass."""
    for size, status in ((50_000, b"200"), (62_000, b"431"), (500_000, b"431")):
        exposed.service.seen.clear()
        lines = [f"X-{number}: {'x' * 990}" for number in range(size // 1_000)]
        request = _post(*lines, "Content-Length: 0", "Connection: close", body=b"")
        assert send_raw(exposed, request)[9:12] in {status, b"" if size > 100_000 else status}
        assert len(exposed.service.seen) == (status == b"200")
