"""What every benchmark here needs: what a process uses, a fully protected mapping, wrk."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from tests.fixtures.gateway import RunningGateway

PROTECTED: dict[str, Any] = {
    "authentication_required": True,
    "allowed_users": ["alice", "bob", "carol"],
    "rate_limit": {"requests_per_minute": 100_000_000, "burst_size": 1_000_000},
    "cors": {"enabled": True, "allowed_origins": ["https://app.example.com"]},
    "blocked_ips": ["203.0.113.0/24"],
}
"""Access rules with every function on; compression and the access log are on by themselves."""


def resident_mb(pid: int) -> float:
    """Return a process's resident set in MB (10⁶ bytes)."""
    return _status_mb(pid, "VmRSS:")


def private_mb(pid: int) -> float:
    """Return a process's own memory in MB: its resident set without files' pages."""
    return _status_mb(pid, "RssAnon:")


def _status_mb(pid: int, field_name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field_name):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit(f"process {pid} is gone")


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processes(gateway: RunningGateway) -> dict[str, int]:
    """Return the pids of all processes of a gateway."""
    return {"supervisor": gateway.process.pid, **gateway.children()}


@dataclass
class Peak:
    """The highest memory of some processes together, and what it was before."""

    before_mb: float
    highest_mb: float
    _pids: list[int] = field(repr=False)

    @property
    def growth_mb(self) -> float:
        """How much more it was at its highest."""
        return self.highest_mb - self.before_mb

    @classmethod
    @contextmanager
    def watch(cls, pids: list[int]) -> Iterator[Peak]:
        """Look every 50 ms until the block ends."""
        now = sum(map(resident_mb, pids))
        peak, done = cls(now, now, pids), threading.Event()

        def look() -> None:
            while not done.wait(0.05):
                peak.highest_mb = max(peak.highest_mb, sum(map(resident_mb, pids)))

        looking = threading.Thread(target=look)
        looking.start()
        try:
            yield peak
        finally:
            done.set()
            looking.join()


def session_cookie(gateway: RunningGateway, client: ProxyClient, mapping: PortMapping) -> str:
    """Sign in to a mapping as one of its users, and return the cookie."""
    with gateway.visitor() as visitor:
        answer = visitor.get(client.create_link(mapping.id, user="bob").url)
        return answer.headers.get_list("set-cookie")[0].partition(";")[0]


def require_wrk() -> None:
    """Stop with a word on how to get wrk, if it is not there."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")


def wrk(url: str, *, seconds: int, connections: int, cookie: str = "") -> tuple[float, float]:
    """Return requests per second and the p50 in milliseconds; every answer must be a 2xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    if cookie:
        command += ["-H", f"Cookie: theirs=1; {cookie}; other=2"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)", said)
    if "Non-2xx" in said or "Socket errors" in said or rate is None or p50 is None:
        raise SystemExit(said)
    return float(rate[1]), float(p50[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[p50[2]]


def percentiles(values: list[float]) -> tuple[float, float]:
    """Return p50 and p99."""
    cuts = statistics.quantiles(values, n=100)
    return cuts[49], cuts[98]
