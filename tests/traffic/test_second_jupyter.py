"""P5: a second Jupyter server behind a mapping works in a browser that also uses the first one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.jupyter import TOKEN, JupyterServer, run_jupyter
from tests.fixtures.services.web import WebService
from tests.fixtures.traffic import Exposed, OpenWebSocket, SignIn, cookie_header


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run a gateway that is told of Jupyter's `_xsrf`, as the server extension does."""
    options = ("--external-ports", free_range(5), "--hidden-cookie", "_xsrf")
    with run_gateway(tmp_path_factory.mktemp("state"), *options) as running:
        yield running


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run a Jupyter server that starts no gateway of its own."""
    directory = tmp_path_factory.mktemp("second")
    with run_jupyter(directory, "--TensorOneProxy.start_gateway=False") as server:
        yield server


@pytest.fixture
def exposed(client: ProxyClient, second: JupyterServer) -> Iterator[Exposed]:
    """Expose it to one person."""
    port = int(second.url.split(":")[2].partition("/")[0])
    access = {"authentication_required": True, "allowed_users": ["ana"]}
    made = client.create_port(internal_port=port, description="second", access_control=access)
    yield Exposed(WebService(port, "second"), made)
    client.delete_port(made.id)


@pytest.fixture
def browser(exposed: Exposed, sign_in: SignIn) -> httpx.Client:
    """Return a browser that is signed in to us and to the second server, by its token once."""
    browser = sign_in(exposed)
    browser.cookies.set("_xsrf", "2|the|first|servers", domain="localhost.local", path="/")
    page = browser.get(f"{exposed.url}/api/me", params={"token": TOKEN})
    assert page.status_code == 200
    return browser


def test_p5_r05_writes_with_the_second_servers_own_xsrf_pass(
    exposed: Exposed, browser: httpx.Client
) -> None:
    """Its login cookie and its `_xsrf` come back to it; the first server's are not needed."""
    browser.get(f"{exposed.url}/tree")  # any page with a form sets it
    own = {cookie.name: cookie.value for cookie in browser.cookies.jar}
    assert own["_xsrf"] != "2|the|first|servers"
    body = {"type": "file", "ext": ".txt"}
    headers = {"x-xsrftoken": str(own["_xsrf"]), "origin": exposed.url}
    made = browser.post(f"{exposed.url}/api/contents/", json=body, headers=headers)
    assert made.status_code == 201, made.text
    forged = browser.post(f"{exposed.url}/api/contents/", json=body, headers={"x-xsrftoken": "2|x"})
    assert forged.status_code == 403


def test_p5_a_kernels_websocket_answers(
    exposed: Exposed, browser: httpx.Client, websocket: OpenWebSocket
) -> None:
    """A kernel is started, asked over its WebSocket, and answers."""
    browser.get(f"{exposed.url}/tree")  # any page with a form sets it
    xsrf = {"x-xsrftoken": str(browser.cookies["_xsrf"]), "origin": exposed.url}
    kernel = browser.post(f"{exposed.url}/api/kernels", headers=xsrf, timeout=60).json()["id"]
    cookies = {"cookie": cookie_header(browser)}
    channels = websocket(exposed, f"/api/kernels/{kernel}/channels", additional_headers=cookies)
    head = {"msg_id": uuid.uuid4().hex, "msg_type": "kernel_info_request", "session": "s"}
    head |= {"username": "", "version": "5.3", "date": "2026-01-01T00:00:00Z"}
    empty: dict[str, str] = {}
    message = {"header": head, "parent_header": empty, "metadata": empty, "content": empty}
    channels.send(json.dumps({**message, "channel": "shell", "buffers": []}))
    kinds = set()
    while "kernel_info_reply" not in kinds:
        kinds.add(json.loads(channels.recv(timeout=60))["header"]["msg_type"])
    browser.delete(f"{exposed.url}/api/kernels/{kernel}", headers=xsrf)
