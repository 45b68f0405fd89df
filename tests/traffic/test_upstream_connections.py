"""Connections to the service: used again, but never so late that it may be closing them."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.traffic import Visit

PUBLIC = {"public_access": True}
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_SHORTEST_KEEP_ALIVE_SECONDS = 2.0  # gunicorn's; others keep a connection for five seconds


@contextmanager
def _keeper() -> Iterator[tuple[int, dict[int, list[float]]]]:
    """Start a service that keeps connections; yields its port, and when each was used."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        used: dict[int, list[float]] = {}

        def serve() -> None:
            while True:
                try:
                    connection, peer = listening.accept()
                except OSError:
                    return  # closed at the end of the test
                used[peer[1]] = []
                threading.Thread(target=answer, args=(connection, peer[1]), daemon=True).start()

        def answer(connection: socket.socket, number: int) -> None:
            with connection:
                while connection.recv(65_536):
                    used[number].append(time.monotonic())
                    connection.sendall(_ANSWER)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], used
        listening.shutdown(socket.SHUT_RDWR)


def test_no_request_meets_a_connection_that_is_about_to_close(
    client: ProxyClient, visit: Visit
) -> None:
    """Between two uses of a connection there is less than the shortest keep-alive of servers."""
    with _keeper() as (port, used):
        made = client.create_port(
            internal_port=port,
            description="keeper",
            access_control=PUBLIC,
            health_check={"enabled": False},
        )
        visitor = visit()
        for pause in [0.01] * 20 + [0.6] * 5 + [1.3, 1.8]:
            assert visitor.post(str(made.url)).text == "ok"
            time.sleep(pause)
        client.delete_port(made.id)
    gaps = [b - a for times in used.values() for a, b in itertools.pairwise(times)]
    assert gaps, "no connection was used twice"
    assert max(gaps) < _SHORTEST_KEEP_ALIVE_SECONDS / 1.5
    assert len(used) < 20, "hardly any connection was used twice"
