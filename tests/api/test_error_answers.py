"""Every error of the API, caused by a real request: its status, its code, its form, its id.

What a full disk does is shown by the tests of the state directory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import API_ERRORS
from tests.fixtures.gateway import RunningGateway, free_port, run_gateway
from tests.fixtures.traffic import Expose, Visit

PROXY = "/v1/clusters/local/proxy"


@dataclass
class Call:
    """A request that is refused, and how."""

    status: int
    code: str
    method: str = "GET"
    path: str = PROXY
    body: Any = None
    content: bytes | None = None
    headers: dict[str, str] | None = None


CALLS = [
    Call(400, "INVALID_JSON", "POST", f"{PROXY}/ports", content=b"{'a': 1}"),
    Call(401, "UNAUTHORIZED", headers={"authorization": ""}),
    Call(401, "UNAUTHORIZED", headers={"authorization": "Bearer wrong"}),
    Call(401, "UNAUTHORIZED", headers={"authorization": "Basic d3Jvbmc="}),
    Call(403, "FORBIDDEN", headers={"origin": "https://evil.example"}),
    Call(403, "FORBIDDEN", headers={"host": "evil.example"}),
    Call(
        403, "PROTECTED_PORT", "POST", f"{PROXY}/ports", {"internal_port": 22, "description": "x"}
    ),
    Call(404, "CLUSTER_NOT_FOUND", path="/v1/clusters/other/proxy"),
    Call(404, "PORT_NOT_FOUND", "PUT", f"{PROXY}/ports/port_none", {}),
    Call(404, "PORT_NOT_FOUND", "DELETE", f"{PROXY}/ports/port_none"),
    Call(404, "NOT_FOUND", path="/v1/nothing"),
    Call(405, "METHOD_NOT_ALLOWED", "DELETE"),
    Call(413, "PAYLOAD_TOO_LARGE", "PUT", f"{PROXY}/access", content=b" " * 2_000_000),
    Call(422, "VALIDATION_ERROR", "POST", f"{PROXY}/ports", {"internal_port": 0}),
    Call(422, "VALIDATION_ERROR", path=f"{PROXY}?include_health=perhaps"),
    Call(422, "VALIDATION_ERROR", path=f"{PROXY}?include_helth=true"),
]


def require_error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert the contract's form of an error; return its details."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (status, code), body
    assert body.keys() == {"success", "error", "request_id"}
    assert body["error"].keys() == {"code", "message", "details"}
    assert body["success"] is False
    assert answer.headers["x-request-id"] == body["request_id"]
    assert body["error"]["message"]
    if code in API_ERRORS:
        assert API_ERRORS[code].default_status == status
    return dict(body["error"]["details"])


@pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c.status}-{c.code}-{c.method}")
def test_a_refusal_has_its_status_its_code_and_an_id(
    gateway: RunningGateway, api: httpx.Client, call: Call
) -> None:
    """Each in the contract's one form, and nothing has changed afterwards."""
    before = api.get("/proxy").json()["data"]
    answer = httpx.request(
        call.method,
        gateway.api_url + call.path,
        headers={"authorization": f"Bearer {gateway.api_key}", **(call.headers or {})},
        **({"content": call.content} if call.content else {"json": call.body}),
    )
    require_error(answer, call.status, call.code)
    assert api.get("/proxy").json()["data"] == before


def test_good_answers_have_an_id_too(api: httpx.Client) -> None:
    """Every answer names its request, each by another name."""
    answers = [api.get("/proxy"), api.get("/proxy"), api.put("/proxy/access", json={})]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(set(ids)) == 3


def test_a_port_has_one_mapping(api: httpx.Client, expose: Expose) -> None:
    """409 in the contract's words, with the mapping that is in the way and what to do."""
    first = expose("Existing Jupyter Lab")
    port = first.mapping.internal_port
    answer = api.post("/proxy/ports", json={"internal_port": port, "description": "again"})
    assert require_error(answer, 409, "PORT_ALREADY_MAPPED") == {
        "internal_port": port,
        "existing_mapping_id": first.mapping.id,
        "existing_description": "Existing Jupyter Lab",
        "suggestion": "Use a different internal port or update the existing mapping",
    }
    assert answer.json()["error"]["message"] == f"Internal port {port} is already mapped"


def test_an_external_port_in_use_is_named(api: httpx.Client, expose: Expose) -> None:
    """By a mapping or by another program: 409, and the port."""
    taken = expose().port
    with socket.create_server(("127.0.0.1", 0)) as other:
        for wanted in (taken, other.getsockname()[1]):
            body = {"internal_port": free_port(), "external_port": wanted, "description": "x"}
            details = require_error(
                api.post("/proxy/ports", json=body), 409, "EXTERNAL_PORT_IN_USE"
            )
            assert details["external_port"] == wanted


def test_a_user_twice_is_a_conflict(api: httpx.Client) -> None:
    """409 for a name that is taken."""
    name = {"name": f"user-{free_port()}"}
    assert api.post("/proxy/users", json=name).status_code == 201
    require_error(api.post("/proxy/users", json=name), 409, "CONFLICT")


def test_too_many_requests_are_told_when_to_come_back(expose: Expose, visit: Visit) -> None:
    """429 comes from the traffic, in the same form, with Retry-After."""
    limit = {"requests_per_minute": 1, "burst_size": 1}
    exposed = expose(access={"public_access": True, "rate_limit": limit})
    visitor = visit()
    visitor.get(exposed.url)
    answer = visitor.get(exposed.url)
    assert (answer.status_code, answer.json()["success"]) == (429, False)
    assert answer.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert int(answer.headers["retry-after"]) >= 1


@pytest.fixture
def paused(gateway: RunningGateway) -> Iterator[Callable[[], None]]:
    """Return a function that stops Envoy in its tracks; it goes on after the test."""
    envoy = gateway.children()["envoy"]
    yield lambda: os.kill(envoy, signal.SIGSTOP)
    os.kill(envoy, signal.SIGCONT)


def test_without_envoy_nothing_is_half_made(
    api: httpx.Client, client: ProxyClient, paused: Callable[[], None]
) -> None:
    """503 while Envoy does not answer, nothing is kept, and the next try works."""
    body = {"internal_port": free_port(), "description": "later"}
    paused()
    answer = api.post("/proxy/ports", json=body, timeout=60)
    require_error(answer, 503, "DATA_PLANE_UNAVAILABLE")
    assert client.list_ports() == []


def test_after_the_pause_the_same_request_works(api: httpx.Client, client: ProxyClient) -> None:
    """What was refused for want of Envoy is possible again."""
    answer = api.post("/proxy/ports", json={"internal_port": free_port(), "description": "now"})
    assert answer.status_code == 201
    client.delete_port(answer.json()["data"]["id"])


def test_r16_a_failure_of_ours_is_a_500_that_tells_nothing(tmp_path: Path) -> None:
    """A forced failure answers 500 with an id that the log has too; neither has the key."""
    with run_gateway(tmp_path / "state") as running:
        with contextlib.closing(sqlite3.connect(tmp_path / "state" / "usage.db")) as database:
            database.execute("drop table counters")
        with running.client() as client:
            client.create_port(internal_port=free_port(), description="x")
        answer = httpx.get(
            f"{running.api_url}/metrics", headers={"authorization": f"Bearer {running.api_key}"}
        )
        key = running.api_key
        running.process.send_signal(signal.SIGTERM)
        _, said = running.process.communicate(timeout=20)
    require_error(answer, 500, "INTERNAL_ERROR")
    assert answer.json()["request_id"] in said
    assert "no such table: counters" in said
    assert key not in said + answer.text
