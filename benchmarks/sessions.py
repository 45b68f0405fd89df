"""What sign-in costs: redeeming a link, and requests with many sessions live and many revoked.

``python benchmarks/sessions.py [--links 200] [--live 10000] [--revoked 1000] [--rounds 5]``
(needs wrk: ``apt-get install wrk``)

Sessions are begun as visitors begin them, by links. Latency is wrk's p50 on one connection with a
session's cookie, in turns with and without the other sessions, so that noise falls on both.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import require_wrk, session_cookie, wrk
from jupyter_tensorone_proxy.client import ProxyClient
from jupyter_tensorone_proxy.gateway.identity import new_id
from jupyter_tensorone_proxy.models import PortMapping
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.services.fixed import fixed_service


def main() -> None:
    """Run the benchmark and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=200)
    parser.add_argument("--live", type=int, default=10_000)
    parser.add_argument("--revoked", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    require_wrk()
    with (
        tempfile.TemporaryDirectory() as directory,
        fixed_service(Path(directory) / "service") as port,
    ):
        state, ports = Path(directory) / "state", free_range(10)
        with run_gateway(state, "--external-ports", ports) as gateway, gateway.client() as client:
            client.update_access(max_concurrent_sessions=1_000_000)
            mapping = client.create_port(internal_port=port, description="benchmark")
            redeem(gateway, client, mapping, options.links)
            cookie = session_cookie(gateway, client, mapping)
            few = [p50(mapping, cookie) for _ in range(options.rounds)]
        fill(state, mapping.id, options.live, options.revoked)
        with run_gateway(state, "--external-ports", ports):
            many = [p50(mapping, cookie) for _ in range(options.rounds)]
    ratio = statistics.median(many) / statistics.median(few)
    print(
        f"p50 with one session {statistics.median(few):.3f} ms, with {options.live} live and "
        f"{options.revoked} revoked {statistics.median(many):.3f} ms: {ratio:.2f} x"
    )


def redeem(gateway: RunningGateway, client: ProxyClient, mapping: PortMapping, count: int) -> None:
    """Redeem links on an open connection, and print how long that takes."""
    times = []
    with gateway.visitor() as visitor:
        for number in range(count):
            link = client.create_link(mapping.id, user=f"person {number}")
            visitor.cookies.clear()
            start = time.perf_counter()
            answer = visitor.get(link.url)
            times.append((time.perf_counter() - start) * 1000)
            if answer.status_code != httpx.codes.FOUND:
                raise SystemExit(f"a link was answered by {answer.status_code}")
    cuts = statistics.quantiles(times, n=100)
    print(f"redeeming a link: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms ({count} links)")


def fill(state: Path, port_id: str, live: int, revoked: int) -> None:
    """Put sessions into the store of a gateway that is not running."""
    moment = datetime.now(timezone.utc).replace(tzinfo=None)
    rows = [
        (
            new_id("ses"),
            port_id,
            f"person {number}",
            moment.isoformat(" "),
            (moment + timedelta(hours=8)).isoformat(" "),
            moment.isoformat(" ") if number < revoked else None,
        )
        for number in range(live + revoked)
    ]
    with sqlite3.connect(state / "state.db") as database:
        database.executemany(
            "insert into sessions (id, port_id, user, via, created_at, expires_at, revoked_at) "
            "values (?, ?, ?, 'link', ?, ?, ?)",
            rows,
        )


def p50(mapping: PortMapping, cookie: str) -> float:
    """Return the p50 of requests on one connection, in milliseconds; all must be 2xx."""
    return wrk(str(mapping.url), seconds=3, connections=1, cookie=cookie)[1]


if __name__ == "__main__":
    main()
