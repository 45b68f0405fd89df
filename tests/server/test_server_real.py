"""A real `jupyter server` with the real gateway and Envoy, from its start to its end.

Nothing here is configured but where things live: the extension is enabled by being installed.
"""

from __future__ import annotations

import getpass
import os
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fixtures.fetch_metadata import OWN_CLICK
from tests.fixtures.gateway import command_line, is_alive, run_gateway, wait_until
from tests.fixtures.jupyter import TOKEN, CellError, JupyterServer, run_jupyter
from tests.fixtures.services.web import web_service


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


@contextmanager
def _browser(server: JupyterServer) -> Iterator[httpx.Client]:
    """Be a browser that is signed in to Jupyter by cookie, under the name `localhost`."""
    server.request("GET", "api/ports").raise_for_status()  # the gateway serves
    trust = ssl.create_default_context(cafile=server.gateway()["ca_file"])
    jupyter = server.url.replace("127.0.0.1", "localhost")
    with httpx.Client(verify=trust, timeout=30, follow_redirects=True, base_url=jupyter) as browser:
        browser.get("/lab", params={"token": TOKEN}).raise_for_status()
        yield browser


def test_a_browser_gets_in_by_cookies_alone(server: JupyterServer) -> None:
    """A click in Jupyter ends in the service, and the session lasts for the next requests."""
    with web_service() as service, _browser(server) as browser:
        first = browser.get(f"/tensorone-proxy/go/{service.port}/a?b=c", headers=OWN_CLICK)
        assert (first.status_code, first.url.raw_path) == (200, b"/a?b=c")
        assert (service.seen[-1].method, service.seen[-1].path) == ("GET", "/a")
        assert browser.get(first.url.join("/again")).status_code == 200
        posted = browser.post(first.url.join("/digest"), content=b"x")
        assert posted.json()["size"] == 1


def test_r05_r33_the_service_sees_who_it_is_and_no_credential(server: JupyterServer) -> None:
    """One identity header; no session of ours, no cookie that signs in to Jupyter, no token."""
    with web_service() as service, _browser(server) as browser:
        page = browser.get(f"/tensorone-proxy/go/{service.port}/", headers=OWN_CLICK)
        browser.cookies.set("theme", "dark", domain="localhost.local")
        sent = browser.build_request("GET", page.url.join("/headers")).headers["cookie"]
        assert "__Host-t1-" in sent
        assert "username-localhost-" in sent
        browser.get(page.url.join("/headers"), headers={"X-Forwarded-User": "somebody-else"})
        seen = service.seen[-1]
        assert seen.values("x-forwarded-user") == [getpass.getuser()]
        assert seen.values("authorization") == []
        assert "_xsrf=" in sent
        assert seen.values("cookie") == ["theme=dark"]


def test_p11_redirects_of_a_service_stay_at_its_public_address(server: JupyterServer) -> None:
    """A service that redirects to the address it believes it has does not lead visitors astray."""
    with web_service() as service, _browser(server) as browser:
        page = browser.get(f"/tensorone-proxy/go/{service.port}/", headers=OWN_CLICK)
        for host in ("127.0.0.1", "localhost"):
            to = f"http://{host}:{service.port}/moved?x=1"
            moved = browser.get(page.url.join("/redirect"), params={"to": to})
            assert moved.url == page.url.join("/moved?x=1")


def test_a_gateway_that_runs_already_is_used_and_left_running(tmp_path: Path) -> None:
    """Somebody else's gateway on the same state is adopted; it outlives the Jupyter server."""
    with run_gateway(tmp_path / "state") as gateway, web_service() as service:
        with run_jupyter(tmp_path) as server:
            fields = {"internal_port": service.port, "access_control": {"public_access": True}}
            made = server.request("POST", "api/ports", json={"description": "x", **fields})
            assert made.status_code == 201, made.text
            assert server.gateway_pid() == gateway.runtime["pid"]
            assert not any(
                "jupyter_tensorone_proxy.gateway" in command_line(pid)
                for pid in server.descendants()
            )
        with gateway.visitor() as visitor:
            assert visitor.get(made.json()["data"]["url"]).status_code == 200
        with gateway.client() as client:
            assert [port.internal_port for port in client.list_ports()] == [service.port]


def test_a_damaged_state_is_told_where_somebody_asks(tmp_path: Path) -> None:
    """The server starts all the same; API, page and kernel say which file it is, in one line."""
    (tmp_path / "state").mkdir(mode=0o700)
    damaged = tmp_path / "state" / "state.db"
    damaged.write_bytes(b"this is no database" * 1000)
    with run_jupyter(tmp_path) as server, server.kernel() as kernel:
        answer = server.request("GET", "api/ports")
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (503, "GATEWAY_UNAVAILABLE")
        assert str(damaged) in error["message"]
        assert str(damaged) in server.request("GET", "go/6006/").text
        with pytest.raises(CellError) as failed:
            kernel.execute("%tensorone list")
        assert "ConfigurationError: " in str(failed.value)
        assert "Traceback" not in str(failed.value)
    assert damaged.read_bytes().startswith(b"this is no database")


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
