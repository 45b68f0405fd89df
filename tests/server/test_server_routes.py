"""The REST door for front ends, through a Jupyter server, against an API on the network."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from jupyter_server.auth import Authorizer

from tests.fixtures.fake_api import KEY

VERBS = ("get", "head", "post", "put", "patch", "delete")
SAMPLES = {
    "tensorone-proxy/api/proxy": "api/proxy",
    "tensorone-proxy/api/ports": "api/ports",
    "tensorone-proxy/api/ports/([A-Za-z0-9._~-]+)": "api/ports/port_1",
    "tensorone-proxy/api/ports/([A-Za-z0-9._~-]+)/history": "api/ports/port_1/history",
    "tensorone-proxy/api/connection": "api/connection",
    "tensorone-proxy/api/detected": "api/detected",
    "tensorone-proxy/api/services": "api/services",
    "tensorone-proxy/api/links": "api/links",
    "tensorone-proxy/api/links/([A-Za-z0-9._~-]+)": "api/links/link_1",
    "tensorone-proxy/api/sessions": "api/sessions",
    "tensorone-proxy/api/sessions/([A-Za-z0-9._~-]+)": "api/sessions/ses_1",
    "tensorone-proxy/api/me": "api/me",
    "tensorone-proxy/api/access": "api/access",
    "tensorone-proxy/api/logs": "api/logs",
    "tensorone-proxy/api/users": "api/users",
    "tensorone-proxy/api/users/([^/]+)": "api/users/ben",
    "tensorone-proxy/api/users/([^/]+)/token": "api/users/ben/token",
    "tensorone-proxy/api/processes": "api/processes",
    "tensorone-proxy/api/processes/([A-Za-z0-9._~-]+)": "api/processes/svc_1",
    "tensorone-proxy/api/processes/([A-Za-z0-9._~-]+)/start": "api/processes/svc_1/start",
    "tensorone-proxy/api/processes/([A-Za-z0-9._~-]+)/stop": "api/processes/svc_1/stop",
    "tensorone-proxy/api/processes/([A-Za-z0-9._~-]+)/restart": "api/processes/svc_1/restart",
    "tensorone-proxy/api/processes/([A-Za-z0-9._~-]+)/log": "api/processes/svc_1/log",
    "tensorone-proxy/api/stacks": "api/stacks",
    "tensorone-proxy/api/stacks/([^/]+)": "api/stacks/lab",
    "tensorone-proxy/go/.*": "go/6006/",
}
"""Every pattern of the extension with an address that it answers."""

CONTRACTED = {
    ("get", "api/proxy"),
    ("put", "api/proxy"),
    ("get", "api/ports"),
    ("post", "api/ports"),
    ("put", "api/ports/port_1"),
    ("delete", "api/ports/port_1"),
    ("get", "api/ports/port_1/history"),
    ("get", "api/connection"),
    ("put", "api/connection"),
    ("get", "api/detected"),
    ("get", "api/services"),
    ("get", "api/links"),
    ("post", "api/links"),
    ("delete", "api/links/link_1"),
    ("get", "api/sessions"),
    ("delete", "api/sessions"),
    ("delete", "api/sessions/ses_1"),
    ("get", "api/me"),
    ("get", "api/access"),
    ("put", "api/access"),
    ("get", "api/logs"),
    ("get", "api/users"),
    ("post", "api/users"),
    ("put", "api/users/ben"),
    ("delete", "api/users/ben"),
    ("post", "api/users/ben/token"),
    ("get", "api/processes"),
    ("post", "api/processes"),
    ("get", "api/processes/svc_1"),
    ("delete", "api/processes/svc_1"),
    ("post", "api/processes/svc_1/start"),
    ("post", "api/processes/svc_1/stop"),
    ("post", "api/processes/svc_1/restart"),
    ("get", "api/processes/svc_1/log"),
    ("get", "api/stacks"),
    ("put", "api/stacks"),
    ("delete", "api/stacks/lab"),
    ("get", "go/6006/"),
    ("post", "go/6006/"),
}


def _verbs_of_all_handlers(serverapp: Any) -> set[tuple[str, str]]:
    """Walk the extension's handlers: a new one without a sample fails here."""
    from tornado.web import RequestHandler

    app = serverapp.extension_manager.extension_apps["jupyter_tensorone_proxy"].pop()
    return {
        (verb, SAMPLES[pattern])
        for pattern, handler, _ in app.handlers
        for verb in VERBS
        if getattr(handler, verb) is not getattr(RequestHandler, verb)
    }


async def test_r02_p32_every_verb_of_every_handler_needs_the_token(
    jp_serverapp: Any, fetch: Any, api: Any
) -> None:
    """Without Jupyter's token every handler answers 403, and the API hears nothing."""
    verbs = _verbs_of_all_handlers(jp_serverapp)
    assert verbs == CONTRACTED
    for verb, path in verbs:
        answer = await fetch(verb.upper(), path, body={}, signed_in=False)
        assert answer.code == 403, (verb, path)
        with_sec_fetch = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
        answer = await fetch(verb.upper(), path, with_sec_fetch, {}, signed_in=False)
        assert answer.code == 403, (verb, path)
    assert api.calls == []


async def test_r02_every_verb_of_every_handler_asks_the_authorizer(
    jp_serverapp: Any, fetch: Any, api: Any
) -> None:
    """A signed-in user without the permission gets 403; reading and writing are told apart."""
    asked = set()

    class Deny(Authorizer):
        def is_authorized(self, _handler: Any, _user: Any, action: str, resource: str) -> bool:
            asked.add((action, resource))
            return False

    jp_serverapp.web_app.settings["authorizer"] = Deny(parent=jp_serverapp)
    for verb, path in _verbs_of_all_handlers(jp_serverapp):
        asked.clear()
        answer = await fetch(verb.upper(), path, body={})
        action = "read" if verb == "get" else "write"
        assert (answer.code, asked) == (403, {(action, "tensorone_proxy")}), (verb, path)
    assert api.calls == []


async def test_proxy_is_answered_with_what_was_asked_for(fetch: Any, api: Any) -> None:
    """GET api/proxy hands the flags on, and keeps fields that only the API knows."""
    api.add(6006, description="TensorBoard", mood="sunny")
    answer = await fetch("GET", "api/proxy?include_health=true&include_ssl_info=1")
    data = json.loads(answer.body)["data"]
    assert "include_health=true" in api.queries[-1]
    assert "include_ssl_info=true" in api.queries[-1]
    assert "include_access_logs=true" not in api.queries[-1]
    assert data["port_mappings"][0]["mood"] == "sunny"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_proxy_settings_are_changed(fetch: Any, api: Any) -> None:
    """PUT api/proxy reaches the API and answers the new state."""
    answer = await fetch("PUT", "api/proxy", body={"enabled": False, "allowed_ips": ["10.0.0.0/8"]})
    assert json.loads(answer.body)["data"]["enabled"] is False
    assert api.calls[-1][2] == {"enabled": False, "allowedIps": ["10.0.0.0/8"]}


async def test_a_port_is_exposed_changed_and_stopped(fetch: Any, api: Any) -> None:
    """The whole life of a mapping through the door, each answer in the contract's envelope."""
    made = await fetch("POST", "api/ports", body={"internal_port": 6006, "description": "TB"})
    assert made.code == 201
    port = json.loads(made.body)
    assert port["success"] is True
    path = f"api/ports/{port['data']['id']}"
    changed = await fetch("PUT", path, body={"description": "TensorBoard", "custom_domain": None})
    assert json.loads(changed.body)["data"]["description"] == "TensorBoard"
    assert api.calls[-1][2] == {"description": "TensorBoard", "custom_domain": None}
    listed = json.loads((await fetch("GET", "api/ports")).body)
    assert [p["internal_port"] for p in listed["data"]] == [6006]
    assert (await fetch("DELETE", path)).code == 200
    assert api.mappings == {}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "INVALID_JSON"),
        (b"", 400, "INVALID_JSON"),
        (b"\xff\xfe", 400, "INVALID_JSON"),
        (b"[]", 422, "VALIDATION_ERROR"),
        ({"internal_port": "6006", "description": "x"}, 422, "VALIDATION_ERROR"),
        ({"internal_port": True, "description": "x"}, 422, "VALIDATION_ERROR"),
        ({"internal_port": 6006, "descripton": "x"}, 422, "VALIDATION_ERROR"),
        (b'"' + b"x" * 300_000 + b'"', 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_r17_bad_bodies_are_refused_before_the_api_hears_of_them(
    fetch: Any, api: Any, body: Any, status: int, code: str
) -> None:
    """Each wrong body gets its own status and code, in the contract's form."""
    answer = await fetch("POST", "api/ports", body=body)
    error = json.loads(answer.body)
    assert (answer.code, error["success"], error["error"]["code"]) == (status, False, code)
    assert api.calls == []


async def test_a_wrong_flag_is_refused(fetch: Any) -> None:
    """A flag that is neither true nor false is named."""
    answer = await fetch("GET", "api/proxy?include_health=maybe")
    assert answer.code == 422
    assert json.loads(answer.body)["error"]["details"]["fields"][0]["field"] == "include_health"


async def test_refusals_of_the_api_come_through_whole(fetch: Any) -> None:
    """Code, status, details and request id are the API's."""
    answer = await fetch("DELETE", "api/ports/port_9")
    assert answer.code == 404
    assert json.loads(answer.body) == {
        "success": False,
        "error": {
            "code": "PORT_NOT_FOUND",
            "message": "There is no such mapping.",
            "details": {},
        },
        "request_id": "req_1",
    }


@pytest.mark.parametrize("port_id", ["..%2Fusers", "a%2Fb", "a b", "%00"])
async def test_r23_odd_ids_reach_no_other_address_of_the_api(
    fetch: Any, api: Any, port_id: str
) -> None:
    """An id never becomes another path."""
    answer = await fetch("DELETE", f"api/ports/{port_id.replace(' ', '%20')}")
    assert answer.code == 404
    ports = "/v1/clusters/cluster_abc123/proxy/ports/"
    assert [path for _, path, _ in api.calls if not path.startswith(ports)] == []


class TestUnreachable:
    """What is said when nothing answers where the API should be."""

    @pytest.fixture
    def jp_server_config(
        self, jp_server_config: dict[str, Any], unused_port: int
    ) -> dict[str, Any]:
        """Configure an address that nothing listens on."""
        jp_server_config["TensorOneProxy"]["api_url"] = f"http://127.0.0.1:{unused_port}"
        return jp_server_config

    async def test_an_unreachable_api_is_503(self, fetch: Any, unused_port: int) -> None:
        """An API that is gone is named, with a status that says trying again may help."""
        answer = await fetch("POST", "api/ports", body={"internal_port": 80, "description": "x"})
        error = json.loads(answer.body)["error"]
        assert (answer.code, error["code"]) == (503, "API_UNREACHABLE")
        assert f"127.0.0.1:{unused_port}" in error["message"]


class TestBrokenGateway:
    """What is said when the local gateway cannot start."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        """Take the key away, and put a gateway there that only complains."""
        complain = "import sys; sys.exit('The state directory is read-only. Choose another.')"
        jp_server_config["TensorOneProxy"] = {
            "state_dir": jp_server_config["TensorOneProxy"]["state_dir"],
            "gateway_command": [sys.executable, "-c", complain],
        }
        return jp_server_config

    async def test_requests_are_answered_with_the_gateways_own_words(
        self, fetch: Any, jp_serverapp: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The server starts all the same; API and page say 503 and why."""
        await jp_serverapp.extension_manager.start_all_extensions()
        answer = await fetch("GET", "api/ports")
        error = json.loads(answer.body)["error"]
        assert (answer.code, error["code"]) == (503, "GATEWAY_UNAVAILABLE")
        assert "The state directory is read-only. Choose another." in error["message"]
        page = await fetch("GET", "go/6006/")
        assert page.code == 503
        assert "The state directory is read-only." in page.body.decode()
        assert "Ports cannot be exposed yet." in caplog.text


async def test_r16_the_key_is_in_no_answer_and_no_log(
    fetch: Any, api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither answers nor refusals nor debug logs hold the API key."""
    api.add(6006, description="TB")
    answers = [
        await fetch(verb, path, body=body)
        for verb, path, body in (
            ("GET", "api/proxy", None),
            ("POST", "api/ports", {"internal_port": 1}),
            ("DELETE", "api/ports/port_9", None),
            ("GET", "go/6006/", None),
        )
    ]
    assert api.keys == {KEY}
    for answer in answers:
        assert KEY.encode() not in answer.body
        assert KEY not in str(answer.headers)
    assert KEY not in caplog.text


async def test_r02_writes_with_cookies_need_the_xsrf_token(
    fetch: Any, browser: Any, api: Any
) -> None:
    """Cookies alone change nothing; with Jupyter's XSRF token they do."""
    new = {"internal_port": 6006, "description": "TB"}
    cookies = {"Cookie": browser.cookies}
    for verb, path in (("POST", "api/ports"), ("PUT", "api/proxy"), ("DELETE", "api/ports/port_1")):
        body = None if verb == "DELETE" else new
        answer = await fetch(verb, path, cookies, body, signed_in=False)
        assert answer.code == 403, verb
    assert api.changes == []
    headers = {**cookies, "X-XSRFToken": browser.xsrf}
    answer = await fetch("POST", "api/ports", headers, new, signed_in=False)
    assert answer.code == 201


async def test_r35_foreign_origins_are_refused(fetch: Any, browser: Any, api: Any) -> None:
    """A foreign page cannot use a browser's cookies, even if it knew the XSRF token."""
    headers = {
        "Cookie": browser.cookies,
        "X-XSRFToken": browser.xsrf,
        "Origin": "https://evil.example",
    }
    answer = await fetch("DELETE", "api/ports/port_1", headers, signed_in=False)
    assert answer.code in {403, 404}
    assert api.changes == []
