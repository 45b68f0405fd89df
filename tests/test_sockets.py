"""What the kernel tells of listening sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from jupyter_tensorone_proxy.sockets import from_kernel, from_proc, listening_sockets


@pytest.fixture
def sockets() -> Iterator[dict[str, int]]:
    """Listen in every way there is; returns name → port."""
    with ExitStack() as stack:
        made = {}
        for name, family, kind, address in [
            ("v4", socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"),
            ("any4", socket.AF_INET, socket.SOCK_STREAM, "0.0.0.0"),  # noqa: S104 - see above
            ("v6", socket.AF_INET6, socket.SOCK_STREAM, "::1"),
            ("any6", socket.AF_INET6, socket.SOCK_STREAM, "::"),
            ("mapped", socket.AF_INET6, socket.SOCK_STREAM, "::ffff:127.0.0.1"),
            ("udp", socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"),
        ]:
            made_socket = stack.enter_context(socket.socket(family, kind))
            made_socket.bind((address, 0))
            if kind == socket.SOCK_STREAM:
                made_socket.listen()
            made[name] = made_socket.getsockname()[1]
        yield made


def test_both_sources_tell_the_same(sockets: dict[str, int]) -> None:
    """Netlink, and /proc where there is none: every kind of socket, with its owner."""
    wanted = set(sockets.values())
    netlink = {s for s in from_kernel() if s.port in wanted}
    assert netlink == {s for s in from_proc() if s.port in wanted}
    uid = os.getuid()
    assert {(s.protocol, s.host, s.port, s.uid) for s in netlink} == {
        ("tcp", "127.0.0.1", sockets["v4"], uid),
        ("tcp", "0.0.0.0", sockets["any4"], uid),  # noqa: S104 - see above
        ("tcp", "::1", sockets["v6"], uid),
        ("tcp", "::", sockets["any6"], uid),
        ("tcp", "127.0.0.1", sockets["mapped"], uid),
        ("udp", "127.0.0.1", sockets["udp"], uid),
    }


def test_a_connected_socket_is_not_a_listening_one(sockets: dict[str, int]) -> None:
    """Only who waits for anybody counts, not who talks to somebody."""
    with socket.create_connection(("127.0.0.1", sockets["v4"])) as connected:
        port = connected.getsockname()[1]
        assert not [s for s in listening_sockets() if s.port == port]
