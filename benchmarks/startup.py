"""What Jupyter's users wait for because of the extension: the server's start, and a kernel's.

``python benchmarks/startup.py [--servers 7] [--kernels 15]``

Two ways take turns, so that a busy machine is as busy for both: Jupyter with the extension, which
starts its gateway too, and the same Jupyter with everything of ours switched off. A server is there
when `/lab` answers; a kernel when its first cell has answered. Each figure is the median of the
rounds; the difference is the median of the rounds' differences. Goals: 150 ms, and 30 ms. On a busy
machine the processor time of the server's, or of the kernel's, own process says more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import cpu_seconds
from tests.fixtures.gateway import free_range, stop
from tests.fixtures.jupyter import TOKEN, JupyterServer, environment, run_jupyter

_POLL_SECONDS = 0.002
_PATIENCE_SECONDS = 60
WAYS = ("without", "with")
Times = tuple[float, float]
"""Seconds by the clock, and of the processor."""

Taken = dict[str, list[Times]]
"""What each round took, by way."""


def main() -> None:
    """Run the benchmark and print medians and differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=7, help="how many starts of each")
    parser.add_argument("--kernels", type=int, default=15, help="how many starts of each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        places = {way: prepared(Path(directory) / way, way) for way in WAYS}
        report("jupyter lab → first page", starts(places, options.servers))
        report("kernel start → first reply", kernel_starts(places, options.kernels))


def prepared(directory: Path, way: str) -> Path:
    """Return a directory for a server, configured one way or the other."""
    (directory / "config").mkdir(parents=True)
    if way == "without":
        off = {"ServerApp": {"jpserver_extensions": {"jupyter_tensorone_proxy": False}}}
        (directory / "config" / "jupyter_server_config.json").write_text(json.dumps(off))
        profile = directory / "ipython" / "profile_default"
        profile.mkdir(parents=True)
        no_magics: dict[str, dict[str, list[str]]] = {"IPKernelApp": {"extensions": []}}
        (profile / "ipython_kernel_config.json").write_text(json.dumps(no_magics))
    return directory


def starts(places: dict[str, Path], rounds: int) -> Taken:
    """Return what starts took; the first of each warms up."""
    taken: Taken = {way: [] for way in WAYS}
    for number in range(rounds + 1):
        for way in WAYS:
            with started(places[way]) as times:
                if number:
                    taken[way].append(times)
    return taken


@contextmanager
def started(directory: Path) -> Iterator[Times]:
    """Start JupyterLab; yield how long it took until it answered."""
    port = free_range(1).partition("-")[0]
    words = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--port={port}"]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *words],
        cwd=directory,
        env=environment(directory),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        while not answers(f"http://127.0.0.1:{port}/lab?token={TOKEN}"):
            if time.perf_counter() - begin > _PATIENCE_SECONDS or process.poll() is not None:
                raise SystemExit(f"JupyterLab did not start in {directory}")
            time.sleep(_POLL_SECONDS)
        yield time.perf_counter() - begin, cpu_seconds(process.pid)
    finally:
        stop(process)


def answers(url: str) -> bool:
    """Say whether a page is there."""
    try:
        return httpx.get(url, timeout=_PATIENCE_SECONDS).is_success
    except httpx.TransportError:
        return False


def kernel_starts(places: dict[str, Path], rounds: int) -> Taken:
    """Return what kernels took; the first of each warms up."""
    taken: Taken = {way: [] for way in WAYS}
    with ExitStack() as stack:
        servers = {way: stack.enter_context(run_jupyter(places[way])) for way in WAYS}
        servers["with"].request("GET", "api/proxy").raise_for_status()
        for number in range(rounds + 1):
            for way in WAYS:
                times = first_reply(servers[way])
                if number:
                    taken[way].append(times)
    return taken


def first_reply(server: JupyterServer) -> Times:
    """Return what a new kernel takes until its first cell has answered."""
    begin = time.perf_counter()
    with server.kernel() as kernel:
        (output,) = kernel.execute("import time; print(time.process_time())")
        return time.perf_counter() - begin, float(output.text)


def report(what: str, taken: Taken) -> None:
    """Print medians, and the median difference, in milliseconds."""
    for place, kind in enumerate(("waited", "processor time")):
        without, with_it = ([1000 * times[place] for times in taken[way]] for way in WAYS)
        differences = [b - a for a, b in zip(without, with_it, strict=True)]
        print(
            f"{what}, {kind}: {statistics.median(without):.0f} ms without, "
            f"{statistics.median(with_it):.0f} ms with: {statistics.median(differences):+.0f} ms "
            f"({len(without)} rounds, {min(differences):+.0f} to {max(differences):+.0f})"
        )


if __name__ == "__main__":
    main()
