"""The verbs about records against a server that has the contract and no extension of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import NotSupportedError
from tests.fixtures.fake_api import KEY, FakeApi
from tests.fixtures.lines import run

ENTRIES = [
    {"timestamp": "2036-01-15T14:30:00Z", "status_code": 502, "method": "GET", "path": "/new"},
    {"timestamp": "2026-01-15T14:20:00Z", "status_code": 404, "method": "GET", "path": "/old"},
    {"timestamp": "2026-01-15T14:10:00Z", "status_code": 200, "method": "POST", "path": "/oldest"},
]
"""As the contract has them: the newest first, without a word on which mapping they went to."""


@pytest.fixture
def client(fake_api: FakeApi) -> Any:
    """Return a client of a server that answers recent requests with the whole proxy."""

    def handle(request: httpx.Request) -> httpx.Response:
        answer = fake_api.handle(request)
        if "include_access_logs=true" in str(request.url):
            body = answer.json()
            body["data"]["access_logs"] = ENTRIES
            return httpx.Response(200, json=body)
        return answer

    with ProxyClient(
        api_url="https://api.example.com",
        api_key=KEY,
        cluster_id="cluster_abc123",
        transport=httpx.MockTransport(handle),
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("logs", ["/oldest", "/old", "/new"]),
        ("logs --status 4xx", ["/old"]),
        ("logs --status 200", ["/oldest"]),
        ("logs --since 1h", ["/new"]),
        ("logs -n 1", ["/new"]),
    ],
)
def test_logs_are_the_contracts_own_where_there_is_no_more(
    client: ProxyClient, line: str, paths: list[str]
) -> None:
    """Recent requests are part of the contract; the filters work on them."""
    assert [entry.path for entry in run(client, line)] == paths


def test_logs_of_one_port_are_not_guessed_at(client: ProxyClient, fake_api: FakeApi) -> None:
    """The contract does not say which port a request went to."""
    fake_api.add(6006)
    with pytest.raises(NotSupportedError, match="does not have access-logs"):
        run(client, "logs 6006")


@pytest.mark.parametrize(
    "line", ["links", "sessions", "users", "events", "rotate-keys", "revoke --user ben"]
)
def test_what_a_server_does_not_have_is_said(client: ProxyClient, line: str) -> None:
    """The server is named, and what has it: our gateway."""
    with pytest.raises(
        NotSupportedError, match=r"https://api\.example\.com does not have .*gateway"
    ):
        run(client, line)


def test_access_is_part_of_the_contract(client: ProxyClient) -> None:
    """The rules of all ports can be read from any server."""
    assert "Sign-in" in run(client, "access").text()
