"""P10: bodies of every kind and size, up and down, whole and unbuffered."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.memory import watch_memory
from tests.fixtures.traffic import Expose, Exposed, SendRaw, Visit

MEGABYTE = 1_000_000
HUGE = 300 * MEGABYTE
PIECE = bytes(range(256)) * 256


@pytest.fixture
def exposed(expose: Expose) -> Exposed:
    """Expose a public service."""
    return expose()


def _pieces(size: int) -> Iterator[bytes]:
    for start in range(0, size, len(PIECE)):
        yield PIECE[: min(len(PIECE), size - start)]


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_p10_300_mb_go_up_and_down_with_flat_memory(
    exposed: Exposed, visit: Visit, gateway: RunningGateway, *, http2: bool
) -> None:
    """Every byte arrives, and Envoy's memory grows by less than 30 MB."""
    visitor = visit(http2=http2, headers={"accept-encoding": "identity"})
    visitor.get(exposed.url)
    size = HUGE if not http2 else HUGE // 3  # the Python client's HTTP/2 is slow
    with watch_memory(gateway.children()["envoy"]) as memory:
        answer = visitor.post(f"{exposed.url}/digest", content=_pieces(size))
        with visitor.stream("GET", f"{exposed.url}/bytes/{size}") as download:
            arrived = sum(map(len, download.iter_bytes(1 << 20)))
    digest = hashlib.sha256()
    for piece in _pieces(size):
        digest.update(piece)
    assert answer.json() == {"sha256": digest.hexdigest(), "size": size}
    assert arrived == size
    assert memory.highest - memory.before < 30 * MEGABYTE


def test_p10_an_upload_is_handed_on_while_it_comes(exposed: Exposed, visit: Visit) -> None:
    """Each piece has reached the service before the next one is sent."""

    def body() -> Iterator[bytes]:
        for number in range(1, 6):
            yield b"x" * 10
            assert wait_until(lambda: exposed.service.received == 10 * number)  # noqa: B023 - now

    answer = visit().post(f"{exposed.url}/digest", content=body())
    assert answer.json()["size"] == 50


def test_p10_a_client_that_stops_reading_fills_no_memory(
    exposed: Exposed, visit: Visit, gateway: RunningGateway
) -> None:
    """A download nobody takes is held back at the service, not piled up in Envoy."""
    with (
        watch_memory(gateway.children()["envoy"]) as memory,
        visit().stream("GET", f"{exposed.url}/bytes/{HUGE}") as download,
    ):
        stream = download.iter_bytes(1 << 16)
        next(stream)
        threading.Event().wait(2)
    assert memory.highest - memory.before < 30 * MEGABYTE


def test_p10_a_range_is_a_part(exposed: Exposed, visit: Visit) -> None:
    """206 with exactly the bytes asked for, compression or not."""
    for coding in ("identity", "gzip, br"):
        headers = {"range": "bytes=100-4199", "accept-encoding": coding}
        answer = visit().get(f"{exposed.url}/range", headers=headers)
        assert answer.status_code == 206
        assert answer.headers["content-range"].startswith("bytes 100-4199/")
        assert answer.content == (b"0123456789abcdef" * 4096)[100:4200]


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_p10_chunked_bodies_arrive_whole(exposed: Exposed, visit: Visit, *, http2: bool) -> None:
    """Without a length, both ways."""
    visitor = visit(http2=http2)
    assert visitor.get(f"{exposed.url}/chunks").text == "piece 0\npiece 1\npiece 2\n"
    sent = visitor.post(f"{exposed.url}/digest", content=iter([b"a", b"", b"bc"]))
    assert sent.json() == {"sha256": hashlib.sha256(b"abc").hexdigest(), "size": 3}


def test_p10_expect_100_continue_is_answered(exposed: Exposed, send_raw: SendRaw) -> None:
    """A client that waits for leave to send its body gets it."""
    head = (
        b"POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
        b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    answer = send_raw(exposed, head, b"abc")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert answer.endswith(b'"size":3}')


def test_p10_head_has_the_headers_and_no_body(exposed: Exposed, send_raw: SendRaw) -> None:
    """The length is that of the body a GET would have had."""
    exposed.service.name = "x" * 5000
    request = b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    head, _, body = send_raw(exposed, request).partition(b"\r\n\r\n")
    assert b"content-length: 5000" in head.lower()
    assert body == b""
    assert exposed.service.seen[-1].method == "HEAD"


@pytest.mark.parametrize("status", [204, 304])
def test_p10_no_content_has_none(exposed: Exposed, send_raw: SendRaw, status: int) -> None:
    """204 and 304 end with their headers, and the next answer on the connection is whole."""
    first = f"GET /status/{status} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    second = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = send_raw(exposed, (first + second).encode())
    one, _, rest = answer.partition(b"\r\n\r\n")
    assert one.startswith(f"HTTP/1.1 {status}".encode())
    assert rest.startswith(b"HTTP/1.1 200 OK")
    assert rest.endswith(exposed.service.name.encode())


def test_p10_an_upload_that_breaks_off_is_no_whole_one(
    exposed: Exposed, trust: ssl.SSLContext
) -> None:
    """The service gets what came, and then an error: not the end of the body."""
    head = b"POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this"
    with (
        socket.create_connection(("127.0.0.1", exposed.port)) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as raw,
    ):
        raw.sendall(head)
        assert wait_until(lambda: exposed.service.received == len("only this"))
    assert wait_until(lambda: exposed.service.broken == 1)


def test_p10_many_at_once_do_not_mix(exposed: Exposed, gateway: RunningGateway) -> None:
    """Parallel uploads over one HTTP/2 connection keep their bytes apart."""
    bodies = [bytes([number]) * 200_000 for number in range(20)]
    trust = ssl.create_default_context(cafile=gateway.runtime["ca_file"])

    async def send_all() -> list[httpx.Response]:
        async with httpx.AsyncClient(verify=trust, http2=True, timeout=20) as visitor:
            sent = (visitor.post(f"{exposed.url}/digest", content=body) for body in bodies)
            return await asyncio.gather(*sent)

    found = [answer.json()["sha256"] for answer in asyncio.run(send_all())]
    assert found == [hashlib.sha256(body).hexdigest() for body in bodies]
    assert len({seen.peer for seen in exposed.service.seen}) > 1
