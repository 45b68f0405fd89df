"""How long from the client's call to the first 200 through the new URL, with few and many mappings.

``python benchmarks/create_latency.py [--existing 0 1000] [--rounds 200]``

Each round creates a mapping to a real HTTP service, at once requests its URL over HTTPS on a new
connection with a user's Bearer token, and removes it. Only rounds whose first answer is 200 count;
any other answer ends the benchmark.
"""

from __future__ import annotations

import argparse
import http.server
import ssl
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from jupyter_tensorone_proxy.client import ProxyClient
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway


class _Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def main() -> None:
    """Run the benchmark and print p50 and p99."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--existing", type=int, nargs="+", default=[0, 1000])
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with (
        tempfile.TemporaryDirectory() as directory,
        run_gateway(
            Path(directory), "--external-ports", free_range(max(options.existing) + 10)
        ) as gateway,
        gateway.client() as client,
    ):
        token = client.create_user("benchmark").token
        made = 0
        for existing in sorted(options.existing):
            for number in range(made, existing):
                client.create_port(internal_port=12_000 + number, description=f"idle {number}")
            made = existing
            times = measure(gateway, client, server.server_port, str(token), options.rounds)
            report(existing, times)
    server.shutdown()


def measure(
    gateway: RunningGateway, client: ProxyClient, port: int, token: str, rounds: int
) -> list[float]:
    """Return the milliseconds of each round."""
    context = ssl.create_default_context(cafile=gateway.runtime["ca_file"])
    times = []
    for _ in range(rounds):
        with httpx.Client(verify=context, headers={"authorization": f"Bearer {token}"}) as visitor:
            start = time.perf_counter()
            mapping = client.create_port(internal_port=port, description="benchmark")
            answer = visitor.get(str(mapping.url))
            times.append((time.perf_counter() - start) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"the first answer was {answer.status_code}")
        client.delete_port(mapping.id)
    return times


def report(existing: int, times: list[float]) -> None:
    """Print one line."""
    cuts = statistics.quantiles(times, n=100)
    print(
        f"{existing:5} existing mappings: create → first 200  "
        f"p50 {cuts[49]:6.1f} ms  p99 {cuts[98]:6.1f} ms  ({len(times)} rounds, all 200)"
    )


if __name__ == "__main__":
    main()
