"""A second Jupyter server behind a private mapping: its kernels answer through the URL."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection

from tests.fixtures.services.exposed import ExposedService, Start
from tests.fixtures.services.processes import answers

pytestmark = pytest.mark.services

TOKEN = "token-of-the-second-server"


@pytest.fixture(scope="module")
def jupyter(start: Start) -> ExposedService:
    """Start a plain Jupyter server, and expose it to one named person."""
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        "--ServerApp.jpserver_extensions={'jupyter_tensorone_proxy': False}",
    ]
    access = {"authentication_required": True, "allowed_users": ["visitor"]}
    return start(
        "Jupyter",
        command,
        environment={"JUPYTER_TOKEN": TOKEN},
        mapping={"access_control": access},
        ready=answers("/api"),
    )


@pytest.fixture
def visitor(jupyter: ExposedService) -> Iterator[httpx.Client]:
    """Sign in to the mapping by a link and to Jupyter by its token, as a browser does."""
    link = jupyter.sign_in_url(f"/tree?token={TOKEN}")
    with httpx.Client(verify=jupyter.tls(), timeout=30, base_url=jupyter.url) as browser:
        browser.get(link, follow_redirects=True)
        yield browser


def test_p5_kernel_of_a_second_jupyter_answers_over_its_websocket(
    jupyter: ExposedService, visitor: httpx.Client
) -> None:
    """A kernel started through the URL runs code that a page sends it, with cookies alone."""
    xsrf = {"X-XSRFToken": visitor.cookies["_xsrf"], "Origin": jupyter.url}
    made = visitor.post("/api/kernels", headers=xsrf, json={"name": "python3"})
    assert made.status_code == httpx.codes.CREATED, made.text
    path = f"/api/kernels/{made.json()['id']}"
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    try:
        with jupyter.websocket(f"{path}/channels", headers={"Cookie": cookies}) as websocket:
            assert _run(websocket, "6 * 7") == "42"
    finally:
        visitor.delete(path, headers=xsrf)


def test_p5_second_jupyter_still_asks_for_its_own_token(jupyter: ExposedService) -> None:
    """Who is let in by the proxy has not thereby signed in to Jupyter: the server decides."""
    with httpx.Client(verify=jupyter.tls(), timeout=30, base_url=jupyter.url) as browser:
        browser.get(jupyter.sign_in_url("/api"), follow_redirects=True)
        refused = browser.get("/api/kernels")
        allowed = browser.get("/api/kernels", headers={"Authorization": f"token {TOKEN}"})
    assert refused.status_code == httpx.codes.FORBIDDEN
    assert "TornadoServer" in refused.headers["server"]
    assert allowed.status_code == httpx.codes.OK


def test_p5_second_jupyter_is_closed_to_users_who_are_not_named(jupyter: ExposedService) -> None:
    """Somebody else's token does not get as far as Jupyter."""
    with jupyter.program() as program:
        refused = program.get("/api")
    assert refused.status_code == httpx.codes.FORBIDDEN
    assert refused.json()["error"]["code"] == "FORBIDDEN"


def _run(websocket: ClientConnection, code: str) -> str:
    """Execute a line in the kernel and return its value (Jupyter's messaging protocol)."""
    message_id = uuid.uuid4().hex
    header = {"msg_id": message_id, "msg_type": "execute_request", "version": "5.3"}
    names = {"username": "visitor", "session": uuid.uuid4().hex, "date": "2026-01-01T00:00:00Z"}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    request = {"channel": "shell", "header": header | names, "parent_header": {}, "metadata": {}}
    websocket.send(json.dumps(request | {"content": content}))
    while True:
        message: dict[str, Any] = json.loads(websocket.recv(timeout=60))
        of_ours = message["parent_header"].get("msg_id") == message_id
        if of_ours and message["msg_type"] == "execute_result":
            return str(message["content"]["data"]["text/plain"])
