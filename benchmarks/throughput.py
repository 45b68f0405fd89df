"""Requests per second and added latency with every protection on, against a plain Envoy.

``python benchmarks/throughput.py [--rounds 5] [--seconds 4]`` (needs wrk: ``apt-get install wrk``)

Both proxies end TLS in front of the same service (an Envoy that answers 1 KB), are measured in the
same run in turns, and have the same number of workers. The gateway's mapping has sign-in, allowed
users, a rate limit, CORS, compression and the access log on. A round counts only if every answer
was a 2xx.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from jupyter_tensorone_proxy.gateway.envoy import find_envoy, workers
from tests.fixtures.gateway import RunningGateway, free_port, run_gateway, wait_until

Config = dict[str, Any]


def main() -> None:
    """Run the benchmark and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory) / "state"
        with run_gateway(state) as gateway, service(Path(directory)) as upstream:
            url, token = protected(gateway, upstream)
            with plain_proxy(Path(directory), state, upstream) as plain_url:
                measure(options, {"plain": (plain_url, ""), "gateway": (url, token)})


def measure(options: argparse.Namespace, targets: dict[str, tuple[str, str]]) -> None:
    """Load both in turns and print what came of it."""
    rates: dict[str, list[float]] = {name: [] for name in targets}
    latencies: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(options.rounds):
        for name, (url, token) in targets.items():
            rate, _ = load(url, token, options.seconds, options.connections)
            _, p50 = load(url, token, options.seconds, 1)
            rates[name].append(rate)
            latencies[name].append(p50)
    for name in targets:
        print(
            f"{name:8} {statistics.median(rates[name]):8.0f} req/s on {options.connections} "
            f"connections   p50 on one connection {statistics.median(latencies[name]):.3f} ms"
        )
    rate = statistics.median(g / p for g, p in zip(rates["gateway"], rates["plain"], strict=True))
    slower = statistics.median(
        g / p for g, p in zip(latencies["gateway"], latencies["plain"], strict=True)
    )
    print(f"gateway / plain: {rate:.2f} of the requests per second, {slower:.2f} x the p50")


def load(url: str, token: str, seconds: int, connections: int) -> tuple[float, float]:
    """Return requests per second and the p50 in milliseconds; every answer must be a 2xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    if token:
        command += ["-H", f"Cookie: theirs=1; {token}; other=2"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)", said)
    assert rate
    assert p50
    return float(rate[1]), float(p50[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[p50[2]]


def protected(gateway: RunningGateway, upstream: int) -> tuple[str, str]:
    """Expose the service with everything on; return its URL and a session cookie."""
    with gateway.client() as client, gateway.visitor() as visitor:
        client.update_proxy(
            network_configuration={"compression": {"enabled": True, "algorithms": ["gzip", "br"]}}
        )
        mapping = client.create_port(
            internal_port=upstream,
            description="benchmark",
            access_control={
                "authentication_required": True,
                "allowed_users": ["alice", "bob", "carol"],
                "rate_limit": {"requests_per_minute": 100_000_000, "burst_size": 1_000_000},
                "cors": {"enabled": True, "allowed_origins": ["https://app.example.com"]},
                "blocked_ips": ["203.0.113.0/24"],
            },
        )
        link = client.create_link(mapping.id, user="bob")
        cookies = visitor.get(link.url).headers.get_list("set-cookie")
        return f"{mapping.url}/", cookies[0].split(";")[0]


@contextmanager
def service(directory: Path) -> Iterator[int]:
    """Run an Envoy that answers 1 KB at once."""
    port = free_port()
    answer = {"status": 200, "body": {"inline_string": "x" * 1024}}
    route = {"match": {"prefix": "/"}, "direct_response": answer}
    with envoy(directory / "service", listener(port, route), []):
        wait_for(port)
        yield port


@contextmanager
def plain_proxy(directory: Path, state: Path, upstream: int) -> Iterator[str]:
    """Run an Envoy that does nothing but end TLS."""
    port = free_port()
    route = {"match": {"prefix": "/"}, "route": {"cluster": "service"}}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": upstream}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster = {
        "name": "service",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "service", "endpoints": endpoints},
    }
    with envoy(directory / "plain", listener(port, route, state), [cluster]):
        wait_for(port)
        yield f"https://127.0.0.1:{port}/"


def listener(port: int, route: Config, certificates: Path | None = None) -> Config:
    """Return a listener with the given route, over TLS if there are certificates."""
    prefix = "type.googleapis.com/envoy.extensions"
    router = {
        "name": "router",
        "typed_config": {"@type": f"{prefix}.filters.http.router.v3.Router"},
    }
    manager = {
        "@type": f"{prefix}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        "http_filters": [router],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    chain: Config = {"filters": [{"name": "http", "typed_config": manager}]}
    if certificates is not None:
        pair = {
            "certificate_chain": {"filename": str(certificates / "leaf.pem")},
            "private_key": {"filename": str(certificates / "leaf.key")},
        }
        tls = {
            "@type": f"{prefix}.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [pair],
                "alpn_protocols": ["h2", "http/1.1"],
            },
        }
        chain["transport_socket"] = {"name": "tls", "typed_config": tls}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"name": "listener", "address": address, "filter_chains": [chain]}


@contextmanager
def envoy(directory: Path, listening: Config, clusters: list[Config]) -> Iterator[None]:
    """Run an Envoy with a static configuration."""
    directory.mkdir()
    file = directory / "envoy.json"
    file.write_text(
        json.dumps({"static_resources": {"listeners": [listening], "clusters": clusters}})
    )
    command = [find_envoy(), "-c", str(file), "--disable-hot-restart", "--log-level", "error"]
    process = subprocess.Popen([*command, "--concurrency", str(workers())])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Wait until somebody listens on the port."""
    import socket

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    if not wait_until(listens):
        raise SystemExit(f"nothing listens on {port}")
    time.sleep(0.2)


if __name__ == "__main__":
    main()
