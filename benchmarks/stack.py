"""A stack of many services: how long it takes to apply, and to apply again.

``python benchmarks/stack.py [--services 50] [--rounds 5] [--started 20]``

Each round applies to an empty gateway, then once more without a change, then with one value changed
everywhere, and removes everything. A service that is not exposed ends the benchmark. At last some
services are started too, small web servers of Python's, and stopped again.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from jupyter_tensorone_proxy import ProxyClient, Stack, StackResult
from tests.fixtures.gateway import free_range, run_gateway

FIRST_PORT = 12_000
"""Nothing has to listen there: applying does not wait for a service to be well."""


def main() -> None:
    """Run the benchmark and print the median of each kind of run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--started", type=int, default=20, help="services that are started")
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {"create": [], "leave": [], "update": [], "remove": []}
    arguments = ("--external-ports", free_range(options.services + 10))
    with (
        tempfile.TemporaryDirectory() as directory,
        run_gateway(Path(directory), *arguments) as gateway,
        gateway.client() as client,
    ):
        for _ in range(options.rounds):
            run(client, options.services, seconds)
        if options.started:
            start(client, options.started)
    for kind, values in seconds.items():
        print(
            f"{options.services} services, {kind}: median {statistics.median(values):.2f} s, "
            f"at most {max(values):.2f} s ({options.rounds} rounds; load {os.getloadavg()[0]:.1f} "
            f"on {os.cpu_count()} cores)"
        )


def run(client: ProxyClient, count: int, seconds: dict[str, list[float]]) -> None:
    """Apply a stack in each way, and note how long it took."""
    slow, fast, empty = stack_of(count, 60), stack_of(count, 120), stack_of(0, 1)
    created = timed(slow, client, seconds["create"])
    left = timed(slow, client, seconds["leave"])
    updated = timed(fast, client, seconds["update"])
    removed = timed(empty, client, seconds["remove"])
    done = [
        len(created.services_created),
        len(left.services_unchanged),
        len(updated.services_updated),
        len(removed.services_removed),
    ]
    if done != [count] * 4:
        raise SystemExit(f"not everything was done: {done} of {count}")


def start(client: ProxyClient, count: int) -> None:
    """Start services and expose them, then stop them, and say how long each took."""
    command = [sys.executable, "-S", "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
    services = [{"name": f"service {i}", "command": command, "path": "/"} for i in range(count)]
    stack = Stack.model_validate({"name": "many", "services": services})
    took: list[float] = []
    if len(timed(stack, client, took).services_created) != count:
        raise SystemExit("not everything was started")
    timed(stack_of(0, 1), client, took)
    print(f"{count} services, started and exposed: {took[0]:.2f} s, stopped: {took[1]:.2f} s")


def timed(stack: Stack, client: ProxyClient, seconds: list[float]) -> StackResult:
    """Apply a stack and note how long it took."""
    start = time.monotonic()
    result = stack.apply(client, prune=True)
    seconds.append(time.monotonic() - start)
    return result


def stack_of(count: int, limit: int) -> Stack:
    """Return a stack of services with health checks and limits."""
    services = [
        {"name": f"service {i}", "port": FIRST_PORT + i, "path": "/health"} for i in range(count)
    ]
    defaults = {"limits": {"requests_per_minute": limit}}
    return Stack.model_validate({"name": "many", "defaults": defaults, "services": services})


if __name__ == "__main__":
    main()
