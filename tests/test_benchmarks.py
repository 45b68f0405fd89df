"""Every benchmark is described and works; what it measures is not judged here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.services.processes import program

ROOT = Path(__file__).parents[1] / "benchmarks"
HELPERS = {"measuring"}
QUICK = {
    "bulk": "--megabytes 5",
    "connections": "--connections 20 --seconds 1",
    "create_latency": "--existing 0 2 --rounds 3",
    "health_checks": "--mappings 2 --interval 1 --seconds 1",
    "idle": "--seconds 1",
    "memory": "--mappings 3",
    "monitoring": "--services 3 --interval 1 --seconds 2",
    "streaming": "--events 5 --messages 3",
    "throughput": "--rounds 1 --seconds 1 --requests 20",
}
"""Benchmarks of the gateway, each with arguments for a run that is short."""


def names() -> set[str]:
    """Return the names of the benchmarks."""
    return {path.stem for path in ROOT.glob("*.py")} - HELPERS - {"__init__"}


def run(name: str, arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a benchmark as its README says."""
    return subprocess.run(
        [sys.executable, f"benchmarks/{name}.py", *arguments.split()],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_benchmark_is_in_the_readme() -> None:
    """Each has a row with its command."""
    text = (ROOT / "README.md").read_text()
    assert {name for name in names() if f"`python benchmarks/{name}.py`" not in text} == set()


@pytest.mark.parametrize("name", sorted(names()))
def test_every_benchmark_says_what_it_takes(name: str) -> None:
    """`--help` works, so each can at least be started."""
    done = run(name, "--help")
    assert (done.returncode, "usage:" in done.stdout) == (0, True), done.stderr


@pytest.mark.services
@pytest.mark.parametrize("name", QUICK)
def test_a_short_run_measures_something(name: str) -> None:
    """Each benchmark of the gateway runs to its end and prints figures."""
    if name == "throughput":
        program("wrk")
    done = run(name, QUICK[name])
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(character.isdigit() for character in done.stdout)
