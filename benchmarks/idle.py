"""What an idle gateway costs: resident memory of all its processes, and their share of a core.

``python benchmarks/idle.py [--seconds 20] [--mappings 0]``
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import cpu_seconds, private_mb, processes, resident_mb
from tests.fixtures.gateway import free_range, run_gateway


def main() -> None:
    """Run the benchmark and print memory and processor time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--mappings", type=int, default=0)
    options = parser.parse_args()
    ports = free_range(options.mappings + 10)
    with (
        tempfile.TemporaryDirectory() as directory,
        run_gateway(Path(directory), "--external-ports", ports) as gateway,
    ):
        with gateway.client() as client:
            for number in range(options.mappings):
                client.create_port(internal_port=12_000 + number, description=f"idle {number}")
        pids = processes(gateway)
        time.sleep(2)
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        time.sleep(options.seconds)
        used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        for name, pid in pids.items():
            report(name, [pid], used[name] / options.seconds)
        report("together", list(pids.values()), sum(used.values()) / options.seconds)


def report(name: str, pids: list[int], share: float) -> None:
    """Print one line."""
    resident, private = sum(map(resident_mb, pids)), sum(map(private_mb, pids))
    print(
        f"{name:12} {resident:6.1f} MB resident, {private:6.1f} MB of it private  "
        f"{100 * share:5.2f} % of a core"
    )


if __name__ == "__main__":
    main()
