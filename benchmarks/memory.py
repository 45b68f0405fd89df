"""How much memory of Envoy's a mapping takes, with every function on.

``python benchmarks/memory.py [--mappings 500]``

Each mapping has sign-in, allowed users, a rate limit, CORS, address lists, compression, the access
log and a health check over HTTP. A few are made first, so that what all share is not counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import PROTECTED, resident_mb
from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway

FIRST = 20


def main() -> None:
    """Run the benchmark and print what a mapping takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mappings", type=int, default=500)
    options = parser.parse_args()
    ports = free_range(options.mappings + FIRST + 10)
    with (
        tempfile.TemporaryDirectory() as directory,
        run_gateway(Path(directory), "--external-ports", ports) as gateway,
        gateway.client() as client,
    ):
        create(client, range(FIRST))
        before = used(gateway)
        create(client, range(FIRST, FIRST + options.mappings))
        after = used(gateway)
        for name in before:
            each = (after[name] - before[name]) / options.mappings * 1000
            print(f"{name:26} {after[name]:7.1f} MB, {each:6.1f} KB a mapping")


def create(client: ProxyClient, numbers: range) -> None:
    """Make mappings that have everything."""
    for number in numbers:
        client.create_port(
            internal_port=12_000 + number,
            description=f"service {number}",
            access_control={**PROTECTED, "ip_whitelist": ["127.0.0.0/8"]},
            health_check={"path": "/", "interval_seconds": 3600},
        )


def used(gateway: RunningGateway) -> dict[str, float]:
    """Return the memory of both processes in MB, and what Envoy itself says it has in use."""
    time.sleep(2)
    children = gateway.children()
    admin = str(gateway.state_dir / "run" / "admin.sock")
    with httpx.Client(transport=httpx.HTTPTransport(uds=admin)) as http:
        allocated = int(http.get("http://envoy/memory").json()["allocated"]) / 1e6
    return {
        "Envoy, resident": resident_mb(children["envoy"]),
        "Envoy, allocated": allocated,
        "control plane, resident": resident_mb(children["control"]),
    }


if __name__ == "__main__":
    main()
