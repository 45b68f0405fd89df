"""What active health checks cost.

``python benchmarks/health_checks.py [--mappings 200] [--interval 10] [--seconds 30]``

Every mapping leads to a service that answers and is checked over HTTP. Counted is the processor
time of all processes of the gateway, the services' left out, with the checks and without.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import cpu_seconds, processes
from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, free_port, free_range, run_gateway, wait_until
from tests.fixtures.services.fixed import fixed_services


def main() -> None:
    """Run the benchmark and print the share of a core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mappings", type=int, default=200)
    parser.add_argument("--interval", type=int, default=10, help="seconds between two checks")
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    targets = [free_port() for _ in range(options.mappings)]
    with (
        tempfile.TemporaryDirectory() as directory,
        fixed_services(Path(directory) / "services", targets),
        run_gateway(
            Path(directory) / "state", "--external-ports", free_range(options.mappings + 10)
        ) as gateway,
        gateway.client() as client,
    ):
        for target in targets:
            client.create_port(
                internal_port=target,
                description=f"service {target}",
                health_check={"path": "/", "interval_seconds": options.interval},
            )
        if not wait_until(lambda: healthy(client) == options.mappings, seconds=60):
            raise SystemExit(f"only {healthy(client)} of {options.mappings} are healthy")
        checked = measure(gateway, options.seconds)
        unchecking = {"load_balancer": {"health_check_enabled": False}}
        client.update_proxy(network_configuration=unchecking)
        unchecked = measure(gateway, options.seconds)
    print(
        f"{options.mappings} mappings checked every {options.interval} s: {checked:.1f} % of a "
        f"core, without checks {unchecked:.1f} %; the checks cost {checked - unchecked:.1f} %"
    )


def healthy(client: ProxyClient) -> int:
    """Return how many mappings are healthy."""
    return sum(m.health_status == "healthy" for m in client.list_ports())


def measure(gateway: RunningGateway, seconds: int) -> float:
    """Return the share of a core that all processes use."""
    time.sleep(2)
    pids = processes(gateway).values()
    before = sum(map(cpu_seconds, pids))
    time.sleep(seconds)
    return (sum(map(cpu_seconds, pids)) - before) / seconds * 100


if __name__ == "__main__":
    main()
