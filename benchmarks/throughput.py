"""Requests per second and added latency with every protection on, against a plain Envoy.

``python benchmarks/throughput.py [--rounds 7] [--seconds 3] [--requests 3000]``
(needs wrk: ``apt-get install wrk``)

Both proxies end TLS in front of the same service (an Envoy that answers 1 KB), are measured in the
same run in turns, and have the same number of workers. The gateway's mapping has sign-in, allowed
users, a rate limit, CORS, compression and the access log on. A round counts only if every answer
was a 2xx. Each figure is the median of the rounds; each ratio the median of the rounds' ratios.

Latency is measured at 200 requests a second, one after the other: to the service itself, through
the plain proxy, through the gateway, and again. What a proxy adds is the difference to the first.
"""

from __future__ import annotations

import argparse
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import (
    PROTECTED,
    cpu_seconds,
    require_wrk,
    session_cookie,
    wrk,
)
from tests.fixtures.gateway import free_port, run_gateway
from tests.fixtures.services.fixed import (
    fixed_service,
    listener,
    require_listening,
    static_envoy,
)

BODY_BYTES = 1024
PAUSE_SECONDS = 1 / 600
"""So that each of three ways has 200 requests a second."""


def main() -> None:
    """Run the benchmark and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--requests", type=int, default=3000, help="for the latency, to each")
    options = parser.parse_args()
    require_wrk()
    with tempfile.TemporaryDirectory() as directory:
        place, state = Path(directory), Path(directory) / "state"
        with (
            run_gateway(state) as gateway,
            gateway.client() as client,
            fixed_service(place / "service") as port,
            plain_proxy(place / "plain", state, port) as plain,
        ):
            mapping = client.create_port(
                internal_port=port, description="benchmark", access_control=PROTECTED
            )
            cookie = session_cookie(gateway, client, mapping)
            targets = {
                "plain": Target(plain[0], "", [plain[1]]),
                "gateway": Target(f"{mapping.url}/", cookie, list(gateway.children().values())),
            }
            for _ in range(options.rounds):
                for target in targets.values():
                    target.measure(options.seconds, options.connections)
            report(targets, options.connections)
            ways = {
                "direct": Way(f"http://127.0.0.1:{port}/"),
                "plain": Way(plain[0]),
                "gateway": Way(f"{mapping.url}/", cookie),
            }
            report_latency(ways, options.requests)


class Target:
    """One proxy and what was measured of it.

    Args:
        url: Where to.
        cookie: The session's cookie; empty for none.
        pids: The processes that do the work.
    """

    def __init__(self, url: str, cookie: str, pids: list[int]) -> None:
        self.rates: list[float] = []
        self.costs: list[float] = []
        self._url = url
        self._cookie = cookie
        self._pids = pids

    def measure(self, seconds: int, connections: int) -> None:
        """Load it."""
        before = sum(map(cpu_seconds, self._pids))
        rate, _ = wrk(self._url, seconds=seconds, connections=connections, cookie=self._cookie)
        used = sum(map(cpu_seconds, self._pids)) - before
        self.rates.append(rate)
        self.costs.append(used / (rate * seconds) * 1e6)


def report(targets: dict[str, Target], connections: int) -> None:
    """Print requests per second and what they cost."""
    for name, target in targets.items():
        print(
            f"{name:8} {statistics.median(target.rates):8.0f} req/s on {connections} connections, "
            f"{statistics.median(target.costs):4.0f} µs of processor a request"
        )
    rate = ratio(targets["gateway"].rates, targets["plain"].rates)
    cost = ratio(targets["plain"].costs, targets["gateway"].costs)
    print(f"gateway / plain: {rate:.2f} of the requests per second, {cost:.2f} by processor time")


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


class Way:
    """One connection, on which requests follow each other.

    Args:
        url: Where to.
        cookie: The session's cookie; empty for none.
    """

    def __init__(self, url: str, cookie: str = "") -> None:
        parts = urlsplit(url)
        self.times: list[float] = []
        self._request = (
            f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        connection = socket.create_connection((str(parts.hostname), int(parts.port or 0)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = context.wrap_socket(connection, server_hostname=parts.hostname)
        self._connection = connection

    def ask(self) -> None:
        """Send a request and note how long the answer took."""
        start = time.perf_counter()
        self._connection.sendall(self._request)
        answer = b""
        while len(answer) < BODY_BYTES or not answer.endswith(b"x" * BODY_BYTES):
            answer += self._connection.recv(65_536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"not a good answer: {answer!r}")
        self.times.append((time.perf_counter() - start) * 1000)


def report_latency(ways: dict[str, Way], requests: int) -> None:
    """Ask by each way in turn, and print what each proxy adds."""
    for _ in range(requests):
        for way in ways.values():
            way.ask()
            time.sleep(PAUSE_SECONDS)
    p50 = {name: statistics.median(way.times) for name, way in ways.items()}
    added = {name: p50[name] - p50["direct"] for name in ("plain", "gateway")}
    print("p50 at 200 req/s: " + ", ".join(f"{name} {ms:.3f} ms" for name, ms in p50.items()))
    print(
        f"added: plain {added['plain']:.3f} ms, gateway {added['gateway']:.3f} ms: "
        f"{added['gateway'] / added['plain']:.2f} x"
    )


@contextmanager
def plain_proxy(directory: Path, state: Path, upstream: int) -> Iterator[tuple[str, int]]:
    """Run an Envoy that does nothing but end TLS; yields its URL and process id."""
    port = free_port()
    route = {"match": {"prefix": "/"}, "route": {"cluster": "service"}}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": upstream}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster = {
        "name": "service",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "service", "endpoints": endpoints},
    }
    with static_envoy(directory, [listener(port, route, state)], cluster) as pid:
        require_listening(port)
        yield f"https://127.0.0.1:{port}/", pid


if __name__ == "__main__":
    main()
