"""What many idle TLS connections cost, and whether all of them are there and alive.

``python benchmarks/connections.py [--connections 10000] [--seconds 10]``

The visitors are processes of their own, so that their descriptors are not the gateway's. At the end
each connection sends one request, and each must be answered by a 200.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import socket
import ssl
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import cpu_seconds, resident_mb
from tests.fixtures.gateway import run_gateway
from tests.fixtures.services.fixed import fixed_service

EACH = 2_500


def main() -> None:
    """Run the benchmark and print time, memory and processor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        run_gateway(Path(directory) / "state") as gateway,
        gateway.client() as client,
        fixed_service(Path(directory) / "service") as port,
    ):
        access = {"public_access": True}
        mapping = client.create_port(internal_port=port, description="idle", access_control=access)
        envoy = gateway.children()["envoy"]
        before, start = resident_mb(envoy), time.monotonic()
        visitors = [
            Visitors(int(mapping.external_port or 0), gateway.runtime["ca_file"], count)
            for count in shares(options.connections)
        ]
        opened = sum(v.wait() for v in visitors)
        print(f"{opened} connections open after {time.monotonic() - start:.1f} s")
        used = cpu_seconds(envoy)
        time.sleep(options.seconds)
        share = (cpu_seconds(envoy) - used) / options.seconds * 100
        memory = resident_mb(envoy)
        each = (memory - before) / opened * 1000
        print(
            f"Envoy: {memory:.0f} MB resident ({each:.1f} KB a connection), {share:.1f} % of a core"
        )
        answered = sum(v.ask() for v in visitors)
        print(f"{answered} of {options.connections} answered a request by 200")
    if answered != options.connections:
        raise SystemExit(1)


def shares(total: int) -> list[int]:
    """Return how many connections each process opens."""
    full, rest = divmod(total, EACH)
    return [EACH] * full + ([rest] if rest else [])


class Visitors:
    """A process that holds connections.

    Args:
        port: Where to connect.
        ca_file: Whom to trust.
        count: How many connections.
    """

    def __init__(self, port: int, ca_file: str, count: int) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(
            target=_hold, args=(theirs, port, ca_file, count), daemon=True
        )
        self._process.start()

    def wait(self) -> int:
        """Return how many connections are open, once they are."""
        return int(self._pipe.recv())

    def ask(self) -> int:
        """Send a request on each connection; return how many were answered by 200."""
        self._pipe.send("ask")
        answered = int(self._pipe.recv())
        self._process.join()
        return answered


def _hold(pipe: Connection, port: int, ca_file: str, count: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = ssl.create_default_context(cafile=ca_file)
    connections = []
    for _ in range(count):
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        connections.append(context.wrap_socket(plain, server_hostname="localhost"))
    pipe.send(len(connections))
    pipe.recv()
    request = f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
    answered = 0
    for connection in connections:
        try:
            connection.sendall(request)
            answered += connection.recv(100).startswith(b"HTTP/1.1 200")
        except OSError as error:
            print(f"a connection was not alive any more: {error}")
        connection.close()
    pipe.send(answered)


if __name__ == "__main__":
    main()
