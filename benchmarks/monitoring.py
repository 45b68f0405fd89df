"""What watching services costs the process that does it.

``python benchmarks/monitoring.py [--services 50] [--interval 10] [--seconds 60]``

Every service is private, so the monitor is signed in at each, asks it how it does and reads its
page of metrics, which is as long as that of a usual application. Counted is the processor time of
this process; every service must do well, and have its metrics read, at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import cpu_seconds, private_mb
from jupyter_tensorone_proxy import Monitor, ProxyClient
from tests.fixtures.gateway import free_range, run_gateway, wait_until
from tests.fixtures.services.fixed import fixed_services


def main() -> None:
    """Run the benchmark and print the share of a core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--interval", type=float, default=10.0, help="seconds between two looks")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    page = metrics_page()
    first, _, last = free_range(options.services).partition("-")
    targets = list(range(int(first), int(last) + 1))
    with (
        tempfile.TemporaryDirectory() as directory,
        fixed_services(Path(directory) / "services", targets, body=page),
        run_gateway(
            Path(directory) / "state", "--external-ports", free_range(options.services + 10)
        ) as gateway,
        gateway.client() as client,
    ):
        os.environ |= {"TENSORONE_STATE_DIR": str(gateway.state_dir), "TENSORONE_USER": "ana"}
        for target in targets:
            expose(client, target)
        alerts = ["health", "response_time > 2 s for 30 s", "error_rate > 5 %", "p95 > 1 s"]
        before_mb = private_mb(os.getpid())
        with Monitor(alerts=alerts, interval_seconds=options.interval) as monitor:
            if not wait_until(lambda: monitor.result().looks >= 2, seconds=10 * options.interval):
                raise SystemExit("two rounds were not done")
            used = cpu_seconds(os.getpid())
            time.sleep(options.seconds)
            share = (cpu_seconds(os.getpid()) - used) / options.seconds * 100
            grown_mb = private_mb(os.getpid()) - before_mb
            result = monitor.result()
    read = [view for view in result.services if view.seen.rates.request_rate is not None]
    if not result.well or len(read) != options.services:
        raise SystemExit(f"not everything was seen:\n{result.text()}")
    print(
        f"{options.services} services looked at every {options.interval:g} s, metrics of "
        f"{page.count(chr(10))} lines each: {share:.1f} % of a core, {grown_mb:.0f} MB"
    )


def expose(client: ProxyClient, port: int) -> None:
    """Expose a service for ana alone."""
    client.create_port(
        internal_port=port,
        description=f"service {port}",
        access_control={"authentication_required": True, "allowed_users": ["ana"]},
        health_check={"path": "/", "interval_seconds": 30},
    )


def metrics_page() -> str:
    """Return the metrics of an application with ten addresses."""
    registry = CollectorRegistry()
    requests = Counter("http_requests", "x", ["handler", "status"], registry=registry)
    durations = Histogram("http_request_duration_seconds", "x", ["handler"], registry=registry)
    work = Histogram("model_inference_seconds", "x", ["model"], registry=registry)
    for number in range(10):
        for status in ("200", "404", "500"):
            requests.labels(f"/page{number}", status).inc(number + 1)
        durations.labels(f"/page{number}").observe(0.1)
        work.labels(f"model {number}").observe(0.1)
    return generate_latest(registry).decode()


if __name__ == "__main__":
    main()
