"""Slow and silent clients: they are closed in time, and slow nobody else down."""

from __future__ import annotations

import contextlib
import socket
import ssl
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import pytest

from tests.fixtures.gateway import RunningGateway
from tests.fixtures.services.web import WebService, web_service
from tests.gateway.conftest import ExposePort

_CLOSED_WITHIN = 10.0
_PATIENCE = 30.0
"""How long a test waits; what it then asserts is who closed, and after how long."""

_SLOW_CLIENTS = 500
_NOTICEABLY = 4.0
"""How many times slower is slow, on a machine that others use too."""


@pytest.fixture
def port(service: WebService, expose: ExposePort) -> int:
    """Return the external port of a public service."""
    mapping = expose(service.port)
    assert mapping.external_port is not None
    return mapping.external_port


def _tls(port: int) -> ssl.SSLSocket:
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
    return trust.wrap_socket(plain, server_hostname="localhost")


def _seconds_until_closed(opened: socket.socket, drip: Iterable[bytes] = ()) -> float:
    """Send a little now and then; return after how long the other side has closed."""
    started = time.monotonic()
    opened.settimeout(0.5)
    drops = iter(drip)
    while time.monotonic() - started < _PATIENCE:
        try:
            opened.sendall(next(drops, b""))
            if not opened.recv(65_536):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - started


def _headers_by_the_letter() -> Iterator[bytes]:
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    while True:
        yield b"x"


def test_r52_headers_that_never_end_are_closed(port: int) -> None:
    """A header that grows by a letter now and then keeps no connection open."""
    with _tls(port) as opened:
        assert _seconds_until_closed(opened, _headers_by_the_letter()) < _CLOSED_WITHIN


def test_r52_headers_on_the_plain_port_are_closed_too(port: int) -> None:
    """The redirect to https is no way around."""
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as opened:
        assert _seconds_until_closed(opened, _headers_by_the_letter()) < _CLOSED_WITHIN


def test_r53_a_connection_that_says_nothing_is_closed(port: int) -> None:
    """Without the first byte of TLS it is over soon."""
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as opened:
        assert _seconds_until_closed(opened) < _CLOSED_WITHIN


def test_r53_half_a_tls_hello_is_closed(port: int) -> None:
    """A hello that comes by the letter is none."""
    hello = iter([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", *[b"x"] * 100])
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as opened:
        assert _seconds_until_closed(opened, hello) < _CLOSED_WITHIN


def test_r53_a_handshake_that_never_ends_is_closed(port: int) -> None:
    """After a whole hello the client falls silent, while the server waits for the rest."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    shaking = trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        shaking.do_handshake()
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as opened:
        assert _seconds_until_closed(opened, iter([outgoing.read()])) < 1.5 * _CLOSED_WITHIN


def _median_seconds(gateway: RunningGateway, port: int) -> float:
    times = []
    with gateway.visitor() as visitor:
        visitor.get(f"https://localhost:{port}/")
        for _ in range(60):
            started = time.monotonic()
            assert visitor.get(f"https://localhost:{port}/").status_code == 200
            times.append(time.monotonic() - started)
    return statistics.median(times)


def _slow_requests(stack: ExitStack, port: int, number: int) -> None:
    """Open connections that ask slowly, send a body slowly, and read nothing."""
    kinds = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: x",
        b"POST /digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx",
        b"GET /bytes/50000000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    for turn in range(number):
        stack.enter_context(_tls(port)).sendall(kinds[turn % len(kinds)])


def test_r54_p35_five_hundred_slow_clients_do_not_slow_the_others(
    gateway: RunningGateway, service: WebService, expose: ExposePort, port: int
) -> None:
    """Half way in asking, in sending, in reading: another mapping answers about as fast."""
    with web_service("other") as other, ExitStack() as stack:
        beside = expose(other.port).external_port
        assert beside is not None
        alone = _median_seconds(gateway, beside)
        _slow_requests(stack, port, _SLOW_CLIENTS)
        with_them = _median_seconds(gateway, beside)
        assert with_them < _NOTICEABLY * alone, (alone, with_them)
        # And the service that they are slow with answers others too.
        with gateway.visitor() as visitor:
            assert visitor.get(f"https://localhost:{port}/").text == service.name
