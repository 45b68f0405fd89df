"""A real `jupyter server` with the real gateway and Envoy, from its start to its end.

Nothing here is configured but where things live: the extension is enabled by being installed.
"""

from __future__ import annotations

import os
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.gateway import is_alive, wait_until
from tests.fixtures.jupyter import TOKEN, JupyterServer, run_jupyter


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    """Run a Jupyter server without any configuration of ours."""
    with run_jupyter(tmp_path) as started:
        yield started


def test_opening_a_port_ends_in_the_service(server: JupyterServer, listening_port: int) -> None:
    """Install and start, nothing else: `go/PORT` leads a signed-in user into a private service."""
    made = server.request(
        "POST",
        "api/ports",
        json={"internal_port": listening_port, "description": "Hello"},
    )
    assert made.status_code == 201, (made.text, server.log.read_text())
    url = made.json()["data"]["url"]
    runtime = server.gateway()
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


def test_opening_an_unexposed_port_exposes_it(server: JupyterServer, listening_port: int) -> None:
    """One address is enough: the port is exposed to its user and opened."""
    answer = server.request("GET", f"go/{listening_port}")
    assert answer.status_code == 302, (answer.text, server.log.read_text())
    (mapping,) = server.request("GET", "api/ports").json()["data"]
    assert mapping["access_control"]["authentication_required"] is True
    assert answer.headers["Location"].startswith(f"{mapping['url']}/.tensorone/link?")


def test_killed_gateway_comes_back_with_its_mappings(
    server: JupyterServer, listening_port: int
) -> None:
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
def test_nothing_outlives_the_server(server: JupyterServer, how: signal.Signals) -> None:
    """Whether asked or killed, the server takes the gateway and its Envoy with it."""
    assert server.request("GET", "api/ports").status_code == 200
    below = server.descendants()
    assert server.gateway_pid() in below
    assert len(below) >= 3
    server.process.send_signal(how)
    server.process.wait(30)
    assert wait_until(lambda: not any(is_alive(pid) for pid in below))
