"""Nothing leads to another host; errors are our own pages, and repeat no credential."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import ProtectedPortError
from tests.fixtures.gateway import RunningGateway, free_port, wait_until
from tests.fixtures.processes import admin
from tests.fixtures.services.web import WebService, web_service
from tests.fixtures.traffic import Expose, Visit

PORT = {"internal_port": 8000, "description": "elsewhere"}
CANARY = "canary-credential-of-a-visitor"

ELSEWHERE: list[dict[str, Any]] = [
    {"host": "192.0.2.7"},
    {"target": "http://192.0.2.7:8000"},
    {"target_host": "db.internal"},
    {"internal_host": "192.0.2.7"},
    {"upstream": "192.0.2.7:8000"},
    {"internal_port": "192.0.2.7:8000"},
    {"internal_port": "8000@192.0.2.7"},
    {"internal_port": ["192.0.2.7", 8000]},
    {"replicas": ["192.0.2.7:8000"]},
    {"replicas": [{"host": "192.0.2.7", "port": 8000}]},
    {"load_balancer": {"enabled": True, "targets": ["192.0.2.7:8000"]}},
    {"health_check": {"enabled": True, "host": "192.0.2.7"}},
    {"health_check": {"enabled": True, "path": "//192.0.2.7/"}},
    {"health_check": {"enabled": True, "path": "http://192.0.2.7/"}},
    {"health_check": {"enabled": True, "path": "/ok\r\nHost: 192.0.2.7"}},
    {"health_check": {"enabled": True, "path": "@192.0.2.7/"}},
]


@pytest.fixture
def other() -> Iterator[WebService]:
    """Run a service that is not exposed."""
    with web_service("other") as running:
        yield running


@pytest.mark.parametrize("fields", ELSEWHERE, ids=str)
def test_r04_p31_no_field_names_another_host(
    api: httpx.Client, client: ProxyClient, expose: Expose, fields: dict[str, Any]
) -> None:
    """Made or changed with such a field: 422 that names it, and nothing is exposed or changed."""
    exposed = expose()
    before = _told(client)
    made = api.post("/proxy/ports", json=PORT | fields)
    changed = api.put(f"/proxy/ports/{exposed.mapping.id}", json=fields)
    for answer in (made, changed):
        assert answer.status_code == 422, answer.text
        (name,) = fields
        assert any(f["field"].startswith(name) for f in answer.json()["error"]["details"]["fields"])
    assert _told(client) == before


def _told(client: ProxyClient) -> list[dict[str, Any]]:
    """Return what every mapping was asked to be."""
    return [m.model_dump(exclude={"health_check", "health_status"}) for m in client.list_ports()]


def test_r04_p31_envoy_knows_addresses_of_this_machine_only(
    expose: Expose, gateway: RunningGateway
) -> None:
    """Whatever is exposed, every address that Envoy would connect to is loopback or a file."""
    expose("alone")
    with web_service("second") as second:
        expose("several", replicas=[second.port])
        statuses = admin(gateway, "/clusters?format=json")["cluster_statuses"]
    hosts = [host["address"] for status in statuses for host in status.get("host_statuses", [])]
    addresses = [host["socket_address"]["address"] for host in hosts if "socket_address" in host]
    assert len(addresses) >= 3
    assert set(addresses) <= {"127.0.0.1", "::1"}
    others = [host for host in hosts if "socket_address" not in host]
    assert {name for host in others for name in host} <= {"pipe", "envoy_internal_address"}, others


def test_r18_a_health_check_follows_no_redirect(
    expose: Expose, other: WebService, client: ProxyClient
) -> None:
    """A check that is sent elsewhere is a failed check, and elsewhere hears nothing of it."""
    path = f"/redirect?to=http://127.0.0.1:{other.port}/followed"
    times = {"interval_seconds": 1, "timeout_seconds": 1, "retries": 1}
    check = {"path": path, "expected_status": 200, **times}
    exposed = expose("redirecting", health_check=check)

    def status() -> str | None:
        mappings = client.get_proxy(include_health=True).port_mappings
        (mapping,) = [m for m in mappings if m.id == exposed.mapping.id]
        return mapping.health_status

    assert wait_until(lambda: status() == "unhealthy")
    assert {seen.path for seen in exposed.service.seen} == {"/redirect"}
    assert other.seen == []


def test_r14_p30_a_replica_is_judged_like_a_port_of_its_own(
    expose: Expose, client: ProxyClient, gateway: RunningGateway
) -> None:
    """A protected port cannot come in as one of several, neither at first nor later."""
    exposed = expose(access={"authentication_required": True})
    own = int(gateway.api_url.rpartition(":")[2])
    for port in (22, 6379, own, exposed.port):
        with pytest.raises(ProtectedPortError):
            client.update_port(exposed.mapping.id, replicas=[port])
        with pytest.raises(ProtectedPortError):
            client.create_port(internal_port=free_port(), description="x", replicas=[port])
    (mapping,) = [m for m in client.list_ports() if m.id == exposed.mapping.id]
    assert not mapping.replicas


def test_r38_no_page_of_ours_repeats_a_credential(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """Refused, not found, not answering, over the limit: what a visitor sent is not sent back."""
    private = expose("private", access={"authentication_required": True})
    guarded = expose("guarded", access={"public_access": True, "blocked_ips": ["127.0.0.9"]})
    limit = {"requests_per_minute": 1, "burst_size": 1}
    limited = expose("limited", access={"public_access": True, "rate_limit": limit})
    dead = client.create_port(
        internal_port=free_port(), description="dead", access_control={"public_access": True}
    )
    sent = {
        "authorization": f"Bearer {CANARY}",
        "cookie": f"__Host-t1-{private.mapping.id}={CANARY}; own={CANARY}",
        "x-api-key": CANARY,
    }
    found = {}
    try:
        for kind in ("text/html", "application/json"):
            visitor = visit(headers=sent | {"accept": kind})
            blocked = visit("127.0.0.9", headers=sent | {"accept": kind})
            visitor.get(f"{limited.url}/")
            answers = [
                visitor.post(f"{private.url}/?key={CANARY}"),
                blocked.get(f"{guarded.url}/?key={CANARY}"),
                visitor.get(f"{limited.url}/?key={CANARY}"),
                visitor.get(f"{dead.url}/?key={CANARY}"),
                visitor.get(f"{private.url}/.tensorone/link?token={CANARY}"),
                visitor.get(f"{private.url}/.tensorone/nothing?token={CANARY}"),
                visitor.get(f"{private.url}/.tensorone/sign-in?token={CANARY}"),
            ]
            for answer in answers:
                assert CANARY not in f"{answer.text} {answer.headers}", answer.url
            found[kind] = [answer.status_code for answer in answers]
    finally:
        client.delete_port(dead.id)
    assert set(map(tuple, found.values())) == {(401, 403, 429, 502, 403, 404, 401)}, found
