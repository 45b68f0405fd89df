"""What detection costs, how soon a port is told of and served, and how soon it goes.

``python benchmarks/detection.py [--kernels 10] [--seconds 20] [--rounds 20]``

A real Jupyter server with idle kernels, and one without any, each with detection and without:
processor time of the server. Then from `listen()` in a kernel to the Jupyter event, and, where a
rule exposes the port, to the first 200 through its URL. At last from the end of a kernel, shut down
or culled, to the end of what it exposed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import cpu_seconds
from tests.fixtures.gateway import free_range, wait_until
from tests.fixtures.jupyter import JupyterServer, attach, run_jupyter
from tests.fixtures.ports import cell, listening, mappings

_SERVE = """
    import http.server, threading, time
    server = http.server.ThreadingHTTPServer(("127.0.0.1", {port}),
                                             http.server.SimpleHTTPRequestHandler)
    started = time.time()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(started)
"""


def main() -> None:
    """Run the benchmark and print its numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernels", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    for kernels in (0, options.kernels):
        for enabled in (False, True):
            with tempfile.TemporaryDirectory() as directory:
                share = idle_share(Path(directory), kernels, options.seconds, enabled=enabled)
            word = "with" if enabled else "without"
            print(f"{word} detection: {share:.2f} % of a core, {kernels} idle kernels")
    with tempfile.TemporaryDirectory() as directory:
        delays(Path(directory), options.rounds)
    for how in ("shut down", "culled"):
        with tempfile.TemporaryDirectory() as directory:
            endings(Path(directory), how, max(2, options.rounds // 4))


def idle_share(directory: Path, kernels: int, seconds: float, *, enabled: bool) -> float:
    """Return the server's share of a core in percent while its kernels do nothing."""
    configure(directory, {"enabled": enabled})
    with run_jupyter(directory) as server, ExitStack() as stack:
        server.request("GET", "api/proxy").raise_for_status()
        for _ in range(kernels):
            stack.enter_context(server.kernel())
        time.sleep(3)
        before = cpu_seconds(server.process.pid)
        time.sleep(seconds)
        share: float = 100 * (cpu_seconds(server.process.pid) - before) / seconds
        return share


def delays(directory: Path, rounds: int) -> None:
    """Print how long after `listen()` a port is told of, and served."""
    first = int(free_range(rounds).partition("-")[0])
    configure(
        directory,
        {
            "rules": [{"ports": f"{first}-{first + rounds}", "action": "expose"}],
            "max_exposed": rounds,
        },
    )
    told, served = [], []
    with run_jupyter(directory) as server, listening(server) as events, server.kernel() as kernel:
        server.request("GET", "api/proxy").raise_for_status()
        for port in range(first, first + rounds):
            (output,) = kernel.execute(cell(_SERVE, port=port))
            started = float(output.text)
            if not wait_until(lambda: port in {e.get("port") for e in events.seen}):  # noqa: B023 - at once
                raise SystemExit(f"port {port} was never told of")
            told.append((time.time() - started) * 1000)
            served.append((first_answer(server, port) - started) * 1000)
    for name, times in (("event", told), ("first 200 through the URL", served)):
        print(
            f"listen() → {name}: median {statistics.median(times):.0f} ms, "
            f"longest {max(times):.0f} ms ({rounds} rounds, polled every 50 ms)"
        )


def endings(directory: Path, how: str, rounds: int) -> None:
    """Print how long after the end of a kernel what it exposed is exposed no more."""
    configure(directory, {})
    culling = (
        "--MappingKernelManager.cull_idle_timeout=3",
        "--MappingKernelManager.cull_interval=1",
    )
    taken = []
    with run_jupyter(directory, *(culling if how == "culled" else ())) as server:
        server.request("GET", "api/proxy").raise_for_status()
        for _ in range(rounds):
            port = int(free_range(1).partition("-")[0])
            kernel_id = server.jupyter("POST", "api/kernels").raise_for_status().json()["id"]
            with attach(server, kernel_id) as kernel:
                kernel.execute(f"%tensorone expose {port}")
            if how == "shut down":
                server.jupyter("DELETE", f"api/kernels/{kernel_id}").raise_for_status()
            while server.jupyter("GET", "api/kernels").json():
                time.sleep(0.01)
            ended = time.time()
            while port in mappings(server):
                time.sleep(0.01)
            taken.append(time.time() - ended)
    print(
        f"kernel {how} → unexposed: median {1000 * statistics.median(taken):.0f} ms, "
        f"longest {1000 * max(taken):.0f} ms ({rounds} rounds)"
    )


def first_answer(server: JupyterServer, port: int) -> float:
    """Return when a port was first served through its URL."""
    import httpx

    while port not in mappings(server):
        time.sleep(0.01)
    link = server.request("GET", f"go/{port}/").headers["location"]
    with httpx.Client(verify=server.gateway()["ca_file"], follow_redirects=True) as visitor:
        while visitor.get(link).status_code != httpx.codes.OK:
            time.sleep(0.01)
    return time.time()


def configure(directory: Path, traits: dict[str, object]) -> None:
    """Write the server's configuration."""
    (directory / "config").mkdir()
    file = directory / "config" / "jupyter_server_config.json"
    file.write_text(json.dumps({"AutoExpose": traits}))


if __name__ == "__main__":
    main()
