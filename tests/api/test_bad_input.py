"""Whatever is sent, a wrong request is answered with a documented 4xx and changes nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.test_error_answers import require_error
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.traffic import Expose, Exposed

PORT = {"internal_port": 45_001, "description": "x"}


@pytest.fixture
def exposed(expose: Expose) -> Exposed:
    """Return a mapping that must stay as it is."""
    return expose("stays")


@pytest.fixture
def unchanged(api: httpx.Client, exposed: Exposed) -> Iterator[None]:
    """Compare the document before and after the test, health and certificate included."""

    def document() -> Any:
        found = api.get("/proxy?include_ssl_info=true").json()
        for mapping in found["data"]["port_mappings"]:
            del mapping["usage_statistics"]
        return found

    before = document()
    yield
    assert document() == before


def access(**fields: Any) -> dict[str, Any]:
    """Return a new mapping with these access rules."""
    return {**PORT, "access_control": fields}


WRONG_FIELDS = {
    "bad CIDR": (access(ip_whitelist=["10.0.0.0/33"]), "access_control.ip_whitelist.0"),
    "a name for a CIDR": (access(blocked_ips=["everybody"]), "access_control.blocked_ips.0"),
    "address with a zone": (access(ip_whitelist=["fe80::1%lo"]), "access_control.ip_whitelist.0"),
    "sign-in and public": (
        access(authentication_required=True, public_access=True),
        "access_control",
    ),
    "rate 0": (
        access(rate_limit={"requests_per_minute": 0}),
        "access_control.rate_limit.requests_per_minute",
    ),
    "negative burst": (
        access(rate_limit={"requests_per_minute": 1, "burst_size": -1}),
        "access_control.rate_limit.burst_size",
    ),
    "interval shorter than timeout": (
        {**PORT, "health_check": {"interval_seconds": 5, "timeout_seconds": 6}},
        "health_check",
    ),
    "health path elsewhere": (
        {**PORT, "health_check": {"path": "//evil.example/"}},
        "health_check.path",
    ),
    "port 0": ({**PORT, "internal_port": 0}, "internal_port"),
    "port 65536": ({**PORT, "internal_port": 65_536}, "internal_port"),
    "port as text": ({**PORT, "internal_port": " 80"}, "internal_port"),
    "port as a truth": ({**PORT, "internal_port": True}, "internal_port"),
    "port with a fraction": ({**PORT, "internal_port": 80.5}, "internal_port"),
    "a very large port": ({**PORT, "internal_port": 10**90}, "internal_port"),
    "no name": ({**PORT, "description": ""}, "description"),
    "two lines": ({**PORT, "description": "a\r\nSet-Cookie: b"}, "description"),
    "no protocol": ({**PORT, "protocol": "sctp"}, "protocol"),
    "domain with a path": ({**PORT, "custom_domain": "a.example/b"}, "custom_domain"),
    "a replica twice": ({**PORT, "replicas": [5, 5]}, "replicas"),
    "a header in CORS": (
        access(cors={"allowed_headers": ["a\r\nx: y"]}),
        "access_control.cors.allowed_headers.0",
    ),
    "a method in CORS": (
        access(cors={"allowed_methods": ["GET\n"]}),
        "access_control.cors.allowed_methods.0",
    ),
    "an origin in CORS": (
        access(cors={"allowed_origins": ["https://a.example/path"]}),
        "access_control.cors.allowed_origins.0",
    ),
    "a typing error": ({**PORT, "helth_check": {}}, "helth_check"),
    "a typing error inside": (access(allowed_user=["ana"]), "access_control.allowed_user"),
}


@pytest.mark.parametrize("name", WRONG_FIELDS)
def test_a_wrong_field_is_named_and_nothing_changes(
    api: httpx.Client, unchanged: None, exposed: Exposed, name: str
) -> None:
    """422 names the field, in a creation and, where it can be part of one, in an update."""
    body, field = WRONG_FIELDS[name]
    details = require_error(api.post("/proxy/ports", json=body), 422, "VALIDATION_ERROR")
    assert [f["field"] for f in details["fields"]] == [field]
    body = {k: v for k, v in body.items() if k != "internal_port" or v != PORT["internal_port"]}
    answer = api.put(f"/proxy/ports/{exposed.mapping.id}", json=body)
    details = require_error(answer, 422, "VALIDATION_ERROR")
    assert field in {f["field"] for f in details["fields"]}


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"protocol": "udp", "access_control": {"authentication_required": True}}, False),
        ({"protocol": "udp", "access_control": {"allowed_users": ["ana"]}}, False),
        ({"protocol": "udp"}, False),
        ({"app_protocol": "tcp"}, False),
        ({"app_protocol": "tcp", "access_control": {"allowed_users": ["ana"]}}, False),
        ({"protocol": "udp", "access_control": {"public_access": True}}, True),
        ({"app_protocol": "tcp", "access_control": {"authentication_required": False}}, True),
    ],
)
def test_nobody_can_sign_in_to_what_is_not_http(
    api: httpx.Client, unchanged: None, fields: dict[str, Any], *, allowed: bool
) -> None:
    """Datagrams and raw bytes are exposed only where sign-in is given up in so many words."""
    answer = api.post("/proxy/ports", json={**PORT, **fields})
    if allowed:
        assert answer.status_code == 201
        api.delete(f"/proxy/ports/{answer.json()['data']['id']}")
    else:
        (problem,) = require_error(answer, 422, "VALIDATION_ERROR")["fields"]
        assert "sign" in problem["message"]


def test_a_mapping_that_is_public_may_become_datagrams_and_back(
    api: httpx.Client, exposed: Exposed
) -> None:
    """An update to another protocol is judged as the mapping it would be."""
    path = f"/proxy/ports/{exposed.mapping.id}"
    changed = api.put(path, json={"protocol": "udp"})
    assert changed.status_code == 200
    assert changed.json()["data"]["url"] == f"udp://localhost:{exposed.port}"
    refusal = api.put(path, json={"access_control": {"public_access": None}})
    require_error(refusal, 422, "VALIDATION_ERROR")
    back = api.put(path, json={"protocol": "tcp"})
    assert back.json()["data"]["url"] == exposed.url


def test_every_wrong_field_is_named_at_once_with_what_is_allowed(
    api: httpx.Client, unchanged: None
) -> None:
    """Nobody has to send a request five times to learn of five mistakes."""
    body = {
        "internal_port": 0,
        "descripton": "x",
        "protocol": "sctp",
        "health_check": {"interval_seconds": "soon"},
        "access_control": {"rate_limit": {"burst_size": 0}},
    }
    details = require_error(api.post("/proxy/ports", json=body), 422, "VALIDATION_ERROR")
    fields = {f["field"]: f for f in details["fields"]}
    assert fields.keys() == {
        "internal_port",
        "description",
        "descripton",
        "protocol",
        "health_check.interval_seconds",
        "access_control.rate_limit.burst_size",
    }
    assert fields["protocol"]["allowed"]["enum"] == ["tcp", "udp"]
    assert fields["internal_port"]["allowed"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 65535,
    }
    assert fields["internal_port"]["message"] == "should be a whole number from 1 to 65535"
    assert fields["descripton"]["message"].endswith("did you mean description?")


NOT_JSON = {
    "nothing": b"",
    "half": b'{"description": ',
    "python": b"{'description': 1}",
    "not UTF-8": b'{"description": "\xff\xfe"}',
    "half a character": b'{"description": "\\ud800"}',
    "a name twice": b'{"description": "a", "description": "b"}',
    "a name twice inside": b'{"health_check": {"path": "/", "path": "/a"}}',
    "not a number": b'{"internal_port": NaN}',
    "a number of 5000 digits": b'{"internal_port": %s}' % (b"9" * 5000),
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"scaling":' * 500 + b"1" + b"}" * 500,
}


@pytest.mark.parametrize("name", NOT_JSON)
@pytest.mark.parametrize("path", ["POST /proxy/ports", "PUT /proxy/access", "PUT /proxy"])
def test_what_is_not_json_is_refused_as_that(
    api: httpx.Client, unchanged: None, path: str, name: str
) -> None:
    """400 INVALID_JSON for whatever cannot be read in one way only."""
    method, _, where = path.partition(" ")
    answer = api.request(method, where, content=NOT_JSON[name])
    require_error(answer, 400, "INVALID_JSON")


@pytest.mark.parametrize("body", ["[]", "3", "null", '"text"', "true"])
def test_json_that_is_no_object_is_refused(api: httpx.Client, unchanged: None, body: str) -> None:
    """422 says that an object is needed."""
    for method, path in (("POST", "/proxy/ports"), ("PUT", "/proxy/access"), ("PUT", "/proxy")):
        details = require_error(api.request(method, path, content=body), 422, "VALIDATION_ERROR")
        assert details["fields"] == [{"field": "(request)", "message": "should be an object"}]


def connected(gateway: RunningGateway) -> socket.socket:
    """Return a connection to the API."""
    port = urlsplit(gateway.api_url).port
    assert port
    return socket.create_connection(("127.0.0.1", port), timeout=20)


@pytest.mark.parametrize("declared", [True, False])
def test_r17_a_body_of_10_mb_is_refused(
    gateway: RunningGateway, unchanged: None, *, declared: bool
) -> None:
    """413, before the body has come if its length is declared, else as soon as it is too long."""
    body = json.dumps({"description": "x" * 10_000_000}).encode()
    length = f"Content-Length: {len(body)}" if declared else "Transfer-Encoding: chunked"
    head = (
        f"PUT /v1/clusters/local/proxy/access HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {gateway.api_key}\r\n{length}\r\n\r\n"
    )
    with connected(gateway) as raw:
        raw.sendall(head.encode())
        if not declared:
            chunk = body[:500_000]
            for _ in range(3):
                raw.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        status = raw.recv(100).split(b" ")[1]
    assert status == b"413"


def test_half_a_body_is_no_request(gateway: RunningGateway, unchanged: None) -> None:
    """A client that leaves in the middle has asked for nothing, even if that half is JSON."""
    head = (
        "PUT /v1/clusters/local/proxy/access HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {gateway.api_key}\r\nContent-Length: 500\r\n\r\n"
    )
    with connected(gateway) as raw:
        raw.sendall(head.encode() + b'{"session_timeout_minutes": 77}')
