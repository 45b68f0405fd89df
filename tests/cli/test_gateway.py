"""The verbs end to end: a real gateway with Envoy, a real service, and somebody who visits it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import expose
from jupyter_tensorone_proxy.cli import main
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.terminal import run_json

PAGE = b"the service itself"


@pytest.fixture
def service() -> Iterator[int]:
    """Start a small web service and return its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_service_is_exposed_visited_and_stopped(
    gateway: RunningGateway, service: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Expose, list, show, open by a one-time link, unexpose: what is said is what is so."""
    port = str(service)
    made = run_json(capsys, "expose", port, "--name", "My service")
    assert made["who_can_open"] == "Only me"
    assert main(["list"]) == 0
    assert "My service  Only me" in capsys.readouterr().out
    assert run_json(capsys, "show", port)["url"] == made["url"]

    with gateway.visitor() as stranger:
        assert stranger.get(made["url"]).status_code == 401
    with gateway.visitor(follow_redirects=True) as visitor:
        link = run_json(capsys, "open", port, "--print")["url"]
        browser = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        assert visitor.get(link, headers=browser).content == PAGE
        assert visitor.get(made["url"]).content == PAGE

    again = run_json(capsys, "expose", port, "--public")
    assert (again["id"], again["who_can_open"]) == (made["id"], "Public")
    with gateway.visitor() as stranger:
        assert stranger.get(made["url"]).content == PAGE
    assert run_json(capsys, "update", port, "--only-me")["who_can_open"] == "Only me"
    with gateway.visitor() as stranger:
        assert stranger.get(made["url"]).status_code == 401

    assert run_json(capsys, "unexpose", port)["id"] == made["id"]
    assert main(["show", port]) == 1
    assert f"Port {port} is not exposed." in capsys.readouterr().err
    with gateway.visitor() as stranger, pytest.raises(httpx.ConnectError):
        stranger.get(made["url"])


def test_health_is_found_out(
    gateway: RunningGateway, service: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service that answers its check becomes healthy, and `health` says so."""
    words = ("--health-path", "/", "--health-interval", "1")
    run_json(capsys, "expose", str(service), *words)

    def is_healthy() -> bool:
        return bool(run_json(capsys, "health", str(service))[0]["health_status"] == "healthy")

    assert wait_until(is_healthy)
    run_json(capsys, "unexpose", str(service))


def test_expose_in_python_lasts_as_long_as_its_block(gateway: RunningGateway, service: int) -> None:
    """The very next request is answered, and after the block nothing listens."""
    access = {"authentication_required": False, "public_access": True}
    with expose(service, description="for a while", access_control=access) as mapping:
        url = mapping.url or ""
        with gateway.visitor() as visitor:
            assert visitor.get(url).content == PAGE
    with gateway.visitor() as visitor, pytest.raises(httpx.ConnectError):
        visitor.get(url)


def test_status_is_that_of_the_running_gateway(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any configuration the gateway of this machine is found, and named as such."""
    status = run_json(capsys, "status")
    assert (status["source"], status["api_url"]) == ("running gateway", gateway.api_url)
    assert gateway.api_key not in json.dumps(status)


def test_a_second_gateway_on_the_same_state_is_exit_3(
    gateway: RunningGateway, capfd: pytest.CaptureFixture[str]
) -> None:
    """`jupyter tensorone gateway` takes its state directory from the environment, and says no."""
    assert main(["gateway", "--api-port", "0"]) == 3
    assert str(gateway.state_dir) in capfd.readouterr().err
    assert Path(gateway.state_dir / "runtime.json").exists()
