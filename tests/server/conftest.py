"""Fixtures of the server extension's tests: a Jupyter server, and an API at the network's edge."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403 - its fixtures and hooks, for this folder
from tornado.httpclient import HTTPResponse

from tests.fixtures.fake_api import KEY, FakeApi

Fetch = Callable[..., Awaitable[HTTPResponse]]


class Api(FakeApi):
    """The stand-in API, with what only a Jupyter server's tests ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.queries: list[str] = []
        self.keys: set[str] = set()
        self.users: list[str | None] = []
        self.refusal: httpx.Response | None = None

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or refuse it."""
        self.queries.append(request.url.query.decode())
        self.users.append(request.headers.get("x-tensorone-user"))
        self.keys.add(request.headers["authorization"].removeprefix("Bearer "))
        if self.refusal is not None:
            return self.refusal
        if request.method == "PUT" and request.url.path.endswith("/proxy"):
            self.calls.append(("PUT", request.url.path, json.loads(request.content)))
            return httpx.Response(200, json={"proxyUrl": "https://localhost", "enabled": False})
        return super().handle(request)

    @property
    def links(self) -> list[dict[str, Any]]:
        """What was asked for in each request for a link."""
        return [body for _, path, body in self.calls if path.endswith("/links")]


@pytest.fixture
def fake_api() -> Api:
    """Return the stand-in that `served_api` puts on a port."""
    return Api()


@pytest.fixture
def api(served_api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Serve the API; nothing in the environment leads to it."""
    served_api.url = os.environ["TENSORONE_API_URL"]
    for name in ("API_URL", "API_KEY", "CLUSTER_ID", "STATE_DIR"):
        monkeypatch.delenv(f"TENSORONE_{name}")
    return served_api


@pytest.fixture
def tensorboard(api: Any) -> dict[str, Any]:
    """Return a mapping of port 6006."""
    return dict(api.add(6006, description="TensorBoard <3"))


@pytest.fixture
def listening_port() -> Iterator[int]:
    """Run a small web page on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            payload = f"hello from {self.path}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def unused_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture  # type: ignore[no-redef]
def jp_server_config(api: Api, tmp_path: Path) -> dict[str, Any]:
    """Configure a Jupyter server that reaches the stand-in API by a configured key."""
    key_file = tmp_path / "key"
    key_file.write_text(KEY)
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_tensorone_proxy": True}},
        "TensorOneProxy": {
            "api_url": api.url,
            "api_key_file": str(key_file),
            "cluster_id": "cluster_abc123",
            "state_dir": str(tmp_path / "state"),
        },
    }


@pytest.fixture
def fetch(jp_serverapp: Any, http_server_client: Any, jp_base_url: str) -> Fetch:
    """Return a function that sends one request as it stands, signed in by token unless told."""
    token = jp_serverapp.identity_provider.token

    async def send(
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        signed_in: bool = True,
    ) -> HTTPResponse:
        own = {"Authorization": f"token {token}"} if signed_in else {}
        payload = body if body is None or isinstance(body, bytes) else json.dumps(body)
        answer: HTTPResponse = await http_server_client.fetch(
            f"{jp_base_url}tensorone-proxy/{path}",
            method=method,
            headers={**own, **(headers or {})},
            body=payload,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            raise_error=False,
        )
        return answer

    return send


@dataclass
class Browser:
    """What a browser has after it signed in: cookies, and the XSRF token of our form."""

    cookies: str
    xsrf: str


@pytest.fixture
def browser(jp_serverapp: Any, jp_asyncio_loop: Any, fetch: Fetch, listening_port: int) -> Browser:
    """Sign a browser in by the address with the token; our own page gives it the XSRF token."""
    token = jp_serverapp.identity_provider.token
    path = f"go/{listening_port}/?token={token}"
    page = jp_asyncio_loop.run_until_complete(fetch("GET", path, signed_in=False))
    pairs = [cookie.partition(";")[0] for cookie in page.headers.get_list("Set-Cookie")]
    (xsrf,) = re.findall(r'name="_xsrf" value="([^"]+)"', page.body.decode())
    return Browser("; ".join(pairs), xsrf)
