"""Requests per second and added latency with every protection on, against a plain Envoy.

``python benchmarks/throughput.py [--rounds 7] [--seconds 3]`` (needs wrk: ``apt-get install wrk``)

Both proxies end TLS in front of the same service (an Envoy that answers 1 KB), are measured in the
same run in turns, and have the same number of workers. The gateway's mapping has sign-in, allowed
users, a rate limit, CORS, compression and the access log on. A round counts only if every answer
was a 2xx. Each figure is the median of the rounds; each ratio the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def main() -> None:
    """Run the benchmark and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
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


class Target:
    """One proxy and what was measured of it.

    Args:
        url: Where to.
        cookie: The session's cookie; empty for none.
        pids: The processes that do the work.
    """

    def __init__(self, url: str, cookie: str, pids: list[int]) -> None:
        self.rates: list[float] = []
        self.latencies: list[float] = []
        self.costs: list[float] = []
        self._url = url
        self._cookie = cookie
        self._pids = pids

    def measure(self, seconds: int, connections: int) -> None:
        """Load it with many connections, then with one."""
        before = sum(map(cpu_seconds, self._pids))
        rate, _ = wrk(self._url, seconds=seconds, connections=connections, cookie=self._cookie)
        used = sum(map(cpu_seconds, self._pids)) - before
        _, p50 = wrk(self._url, seconds=seconds, connections=1, cookie=self._cookie)
        self.rates.append(rate)
        self.latencies.append(p50)
        self.costs.append(used / (rate * seconds) * 1e6)


def report(targets: dict[str, Target], connections: int) -> None:
    """Print what came of it."""
    for name, target in targets.items():
        print(
            f"{name:8} {statistics.median(target.rates):8.0f} req/s on {connections} connections  "
            f"{statistics.median(target.costs):4.0f} µs of processor a request  "
            f"p50 on one connection {statistics.median(target.latencies):.3f} ms"
        )
    plain, gateway = targets["plain"], targets["gateway"]
    rate = ratio(gateway.rates, plain.rates)
    slower = ratio(gateway.latencies, plain.latencies)
    print(f"gateway / plain: {rate:.2f} of the requests per second, {slower:.2f} x the p50")


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


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
