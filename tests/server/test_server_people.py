"""Links, sessions, users, rules and the log through a real Jupyter server and its gateway."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.settings import owner_name
from tests.fixtures.ana import BROWSER
from tests.fixtures.gateway import wait_until
from tests.fixtures.jupyter import JupyterServer, run_jupyter
from tests.fixtures.services.web import web_service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run one Jupyter server for all tests of this file."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as running:
        running.request("GET", "api/proxy").raise_for_status()  # the gateway serves
        yield running


@pytest.fixture
def board(server: JupyterServer) -> Iterator[dict[str, Any]]:
    """Start a service and expose it for ben; return its mapping."""
    with web_service("board") as service:
        fields = {
            "internal_port": service.port,
            "description": "board",
            "access_control": {"authentication_required": True, "allowed_users": ["ben"]},
        }
        mapping: dict[str, Any] = ask(server, "POST", "api/ports", json=fields, status=201)
        yield mapping
        ask(server, "DELETE", f"api/ports/{mapping['id']}")


def ask(server: JupyterServer, method: str, path: str, *, status: int = 200, **options: Any) -> Any:
    """Send a request to the REST door that must be answered with a status; return the data."""
    answer = server.request(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers.get("cache-control") == "no-store" or status >= 400
    body = answer.json()
    return body["data"] if status < 400 else body["error"]


@contextmanager
def browsing(server: JupyterServer) -> Iterator[httpx.Client]:
    """Open a browser that trusts the gateway's authority."""
    trust = ssl.create_default_context(cafile=server.gateway()["ca_file"])
    with httpx.Client(verify=trust, headers=BROWSER, follow_redirects=True, timeout=20) as browser:
        yield browser


def test_it_is_said_who_asks(server: JupyterServer) -> None:
    """A front end learns whom "only me" means: the name that services are opened in."""
    assert ask(server, "GET", "api/me") == {"name": owner_name()}


def test_a_link_is_made_listed_and_revoked(server: JupyterServer, board: dict[str, Any]) -> None:
    """Its URL is in the one answer that made it; it lets its person in until it is revoked."""
    wanted = {"port_id": board["id"], "user": "ben", "one_time": False, "expires_in_seconds": 600}
    link = ask(server, "POST", "api/links", json=wanted, status=201)
    listed = ask(server, "GET", f"api/links?port_id={board['id']}&1700000000000")
    assert [(known["id"], known.get("url")) for known in listed] == [(link["id"], None)]
    with browsing(server) as browser, browsing(server) as late:
        assert browser.get(link["url"]).status_code == 200
        ask(server, "DELETE", f"api/links/{link['id']}")
        assert late.get(link["url"]).status_code == 403
    assert ask(server, "GET", "api/links") == []
    assert ask(server, "DELETE", f"api/links/{link['id']}", status=404)["code"] == "LINK_NOT_FOUND"


def test_sharing_with_somebody_new_is_refused_unless_allowed(
    server: JupyterServer, board: dict[str, Any]
) -> None:
    """The refusal says who may come in; `allow` adds the person."""
    wanted = {"port_id": board["id"], "user": "cleo"}
    refusal = ask(server, "POST", "api/links", json=wanted, status=409)
    assert refusal["details"]["allowed_users"] == ["ben"]
    ask(server, "POST", "api/links", json={**wanted, "allow": True}, status=201)
    (mapping,) = ask(server, "GET", "api/ports")
    assert mapping["access_control"]["allowed_users"] == ["ben", "cleo"]


def test_sessions_are_listed_and_ended(server: JupyterServer, board: dict[str, Any]) -> None:
    """One by its id, or all of a port and a person; whoever made the link was not there himself."""
    with browsing(server) as first, browsing(server) as second:
        for browser in (first, second):
            wanted = {"port_id": board["id"], "user": "ben"}
            link = ask(server, "POST", "api/links", json=wanted, status=201)
            assert browser.get(link["url"]).status_code == 200
        sessions = ask(server, "GET", f"api/sessions?port_id={board['id']}&user=ben")
        assert [(s["user"], s["via"]) for s in sessions] == [("ben", "link")] * 2
        assert ask(server, "GET", "api/sessions?user=cleo") == []
        ask(server, "DELETE", f"api/sessions/{sessions[0]['id']}")
        assert wait_until(lambda: first.get(board["url"]).status_code != 200, seconds=5)
        assert second.get(board["url"]).status_code == 200
        assert ask(server, "DELETE", "api/sessions?user=ben") == {"revoked": 1}
        assert wait_until(lambda: second.get(board["url"]).status_code != 200, seconds=5)


def test_opening_it_oneself_is_told_from_being_let_in(
    server: JupyterServer, board: dict[str, Any]
) -> None:
    """A session through `go/` says that its person opened it."""
    me = server.request("GET", f"go/{board['internal_port']}/")
    assert me.status_code == 409  # it is shared with ben alone
    ask(server, "PUT", f"api/ports/{board['id']}", json={"access_control": {"allowed_users": []}})
    link = server.request("GET", f"go/{board['internal_port']}/").headers["location"]
    with browsing(server) as browser:
        assert browser.get(link).status_code == 200
    (session,) = ask(server, "GET", f"api/sessions?port_id={board['id']}")
    assert session["via"] == "open"


@pytest.mark.parametrize("query", ["", "?user=", "?usr=ben", "?user=ben&prot_id=x"])
def test_a_mistyped_filter_ends_nobody(
    server: JupyterServer, board: dict[str, Any], query: str
) -> None:
    """Nobody is signed out by a request that names nobody, or says something unknown."""
    wanted = {"port_id": board["id"], "user": "ben"}
    link = ask(server, "POST", "api/links", json=wanted, status=201)
    with browsing(server) as browser:
        assert browser.get(link["url"]).status_code == 200
        refusal = ask(server, "DELETE", f"api/sessions{query}", status=422)
        assert refusal["details"]["fields"]
        assert browser.get(board["url"]).status_code == 200


@pytest.mark.parametrize("name", ["bot", "Änne B/ö %2F <b>"])
def test_a_users_whole_life(server: JupyterServer, name: str) -> None:
    """Added, listed without the token, disabled, enabled, rotated, removed; any name fits."""
    address = f"api/users/{httpx.URL('http://h/', params={'n': name}).query.decode()[2:]}"
    address = address.replace("+", "%20")
    made = ask(server, "POST", "api/users", json={"name": name}, status=201)
    assert (made["name"], made["token"][:3]) == (name, "eyJ")
    known = next(user for user in ask(server, "GET", "api/users") if user["name"] == name)
    assert (known["has_token"], "token" in known) == (True, False)
    assert ask(server, "PUT", address, json={"disabled": True})["disabled"] is True
    assert ask(server, "PUT", address, json={"disabled": False})["disabled"] is False
    assert ask(server, "PUT", address, json={}, status=422)["code"] == "VALIDATION_ERROR"
    again = ask(server, "POST", f"{address}/token", status=201)
    assert again["token"] != made["token"]
    ask(server, "DELETE", address)
    assert ask(server, "DELETE", address, status=404)["code"] == "USER_NOT_FOUND"


def test_the_rules_of_all_ports_are_read_and_changed(server: JupyterServer) -> None:
    """What is given changes, and the answer is all of them."""
    before = ask(server, "GET", "api/access")
    assert before["session_timeout_minutes"] == 480
    limit = {"global_limit": {"requests_per_minute": 600}}
    changed = ask(
        server,
        "PUT",
        "api/access",
        json={"session_timeout_minutes": 60, "rate_limiting": limit},
    )
    assert changed == {**before, "session_timeout_minutes": 60, "rate_limiting": limit}
    assert ask(server, "GET", "api/access") == changed
    wrong = ask(server, "PUT", "api/access", json={"sesion_timeout": 1}, status=422)
    assert wrong["details"]["fields"][0]["field"] == "sesion_timeout"
    lifted = {"session_timeout_minutes": 480, "rate_limiting": {"global_limit": None}}
    ask(server, "PUT", "api/access", json=lifted)


def test_the_log_is_read_with_filters_and_pages(
    server: JupyterServer, board: dict[str, Any]
) -> None:
    """By port, status and time; the next page begins before the last entry."""
    wanted = {"port_id": board["id"], "user": "ben"}
    with browsing(server) as browser:
        browser.get(ask(server, "POST", "api/links", json=wanted, status=201)["url"])
        for number in range(3):
            browser.get(f"{board['url']}/page/{number}")
        browser.get(f"{board['url']}/status/404")
    mine = f"api/logs?port_id={board['id']}"
    assert wait_until(lambda: len(ask(server, "GET", mine)) >= 6)
    assert [e["path"] for e in ask(server, "GET", f"{mine}&status=404")] == ["/status/404"]
    newest, older = ask(server, "GET", f"{mine}&status=2&limit=2")
    assert (newest["path"], older["path"]) == ("/page/2", "/page/1")
    following = ask(server, "GET", f"{mine}&status=200&limit=1&before={older['id']}")
    assert [e["path"] for e in following] == ["/page/0"]
    assert ask(server, "GET", f"{mine}&until=2020-01-01T00:00:00Z") == []
    assert len(ask(server, "GET", f"{mine}&since=2020-01-01T00:00:00Z")) >= 6


@pytest.mark.parametrize(
    "query",
    [
        *("status=600", "status=x", "limit=0", "limit=1001", "before=-1", f"before={2**63}"),
        *("since=noon", "since=2026-01-15T14:30:00", "pages=2"),
    ],
)
def test_a_wrong_filter_is_named(server: JupyterServer, query: str) -> None:
    """What cannot be understood is not left out silently."""
    refusal = ask(server, "GET", f"api/logs?{query}", status=422)
    assert refusal["details"]["fields"][0]["field"] == query.partition("=")[0]


def test_visitors_are_told_whose_service_it_is(
    server: JupyterServer, board: dict[str, Any]
) -> None:
    """The gateway knows its owner: the page that refuses says whom to ask."""
    with browsing(server) as browser:
        page = browser.get(board["url"])
    assert page.status_code == 401
    assert owner_name() in page.text
