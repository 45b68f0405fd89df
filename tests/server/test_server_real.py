"""A real `jupyter server` with the real gateway and Envoy, from its start to its end.

Nothing here is configured but where things live: the extension is enabled by being installed.
"""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.settings import running_gateway
from tests.fixtures.gateway import free_port, free_range, is_alive, wait_until

TOKEN = "token-of-the-test-server"


@dataclass
class Server:
    """A Jupyter server that was started for a test."""

    process: subprocess.Popen[bytes]
    url: str
    state_dir: Path
    log: Path

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a program's request, with the token."""
        headers = {"Authorization": f"token {TOKEN}"}
        url = f"{self.url}/tensorone-proxy/{path}"
        return httpx.request(method, url, headers=headers, timeout=60, **options)

    def gateway_pid(self) -> int:
        """Return the gateway's process id."""
        runtime = running_gateway(self.state_dir)
        assert runtime is not None
        return int(runtime["pid"])

    def descendants(self) -> set[int]:
        """Return every process below the server."""
        found, fresh = set(), {self.process.pid}
        while fresh:
            found |= fresh
            fresh = {child for pid in fresh for child in _children(pid)} - found
        return found - {self.process.pid}


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(p) for task in tasks.glob("*") for p in (task / "children").read_text().split()]


@contextmanager
def _running(directory: Path) -> Iterator[Server]:
    port, log = free_port(), directory / "server.log"
    unset = {"TENSORONE_API_URL", "TENSORONE_API_KEY", "TENSORONE_API_KEY_FILE"}
    environ = {name: value for name, value in os.environ.items() if name not in unset}
    for name in ("DATA", "CONFIG", "RUNTIME"):
        environ[f"JUPYTER_{name}_DIR"] = str(directory / name.lower())
    environ |= {"JUPYTER_TOKEN": TOKEN, "TENSORONE_STATE_DIR": str(directory / "state")}
    options = [
        *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.port={port}", f"--TensorOneProxy.external_ports={free_range(20)}"),
    ]
    command = [sys.executable, "-m", "jupyter_server", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environ,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    server = Server(process, f"http://127.0.0.1:{port}", directory / "state", log)
    try:
        assert wait_until(lambda: _answers(server), seconds=60), log.read_text()
        yield server
    finally:
        process.kill()
        process.wait()


def _answers(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/api").is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Run a Jupyter server without any configuration of ours."""
    with _running(tmp_path) as started:
        yield started


def test_opening_a_port_ends_in_the_service(server: Server, listening_port: int) -> None:
    """Install and start, nothing else: `go/PORT` leads a signed-in user into a private service."""
    made = server.request(
        "POST",
        "api/ports",
        json={"internal_port": listening_port, "description": "Hello"},
    )
    assert made.status_code == 201, (made.text, server.log.read_text())
    url = made.json()["data"]["url"]
    runtime = running_gateway(server.state_dir)
    assert runtime is not None
    trust = ssl.create_default_context(cafile=runtime["ca_file"])
    with httpx.Client(verify=trust, timeout=30) as stranger:
        assert stranger.get(url).status_code == 401
    with httpx.Client(verify=trust, timeout=30, follow_redirects=True) as visitor:
        answer = visitor.get(
            f"{server.url}/tensorone-proxy/go/{listening_port}/some/page?x=1",
            headers={"Authorization": f"token {TOKEN}"},
        )
        assert (answer.status_code, answer.text) == (200, "hello from /some/page?x=1")
        assert str(answer.url) == f"{url}/some/page?x=1"
    log = server.log.read_text()
    assert "Ports are exposed through" in log
    assert Path(runtime["api_key_file"]).read_text().strip() not in log
    assert ".tensorone/link" not in log


def test_opening_an_unexposed_port_exposes_it(server: Server, listening_port: int) -> None:
    """One address is enough: the port is exposed to its user and opened."""
    answer = server.request("GET", f"go/{listening_port}")
    assert answer.status_code == 302, (answer.text, server.log.read_text())
    (mapping,) = server.request("GET", "api/ports").json()["data"]
    assert mapping["access_control"]["authentication_required"] is True
    assert answer.headers["Location"].startswith(f"{mapping['url']}/.tensorone/link?")


def test_killed_gateway_comes_back_with_its_mappings(server: Server, listening_port: int) -> None:
    """After kill -9 of the gateway the next request is answered, and knows what was exposed."""
    fields = {"internal_port": listening_port, "description": "Hello"}
    made = server.request("POST", "api/ports", json=fields).json()["data"]
    first = server.gateway_pid()
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(first))
    listed = server.request("GET", "api/ports")
    assert listed.status_code == 200, listed.text
    assert [port["id"] for port in listed.json()["data"]] == [made["id"]]
    assert server.gateway_pid() != first


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_server(server: Server, how: signal.Signals) -> None:
    """Whether asked or killed, the server takes the gateway and its Envoy with it."""
    assert server.request("GET", "api/ports").status_code == 200
    below = server.descendants()
    assert server.gateway_pid() in below
    assert len(below) >= 3
    server.process.send_signal(how)
    server.process.wait(30)
    assert wait_until(lambda: not any(is_alive(pid) for pid in below))
