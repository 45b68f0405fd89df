"""Which external port a mapping gets, and with whom it shares one."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.api.test_error_answers import require_error
from tests.fixtures.gateway import free_port, free_range, run_gateway
from tests.fixtures.traffic import Expose


def test_a_domain_twice_on_one_port_is_refused(api: httpx.Client, expose: Expose) -> None:
    """409 names the mapping that has it, however the name is written; another name may share."""
    port = free_port()
    first = expose("first", custom_domain="app.example.com", external_port=port)
    again = {"description": "second", "external_port": port, "internal_port": free_port()}
    for domain in ("app.example.com", "APP.example.com"):
        body = {**again, "custom_domain": domain}
        answer = api.post("/proxy/ports", json=body)
        require_error(answer, 409, "EXTERNAL_PORT_IN_USE")
        assert first.mapping.id in answer.json()["error"]["message"]
    other = api.post("/proxy/ports", json={**again, "custom_domain": "other.example.com"})
    assert other.status_code == 201
    answer = api.put(
        f"/proxy/ports/{other.json()['data']['id']}", json={"custom_domain": "app.example.com"}
    )
    require_error(answer, 409, "EXTERNAL_PORT_IN_USE")
    api.delete(f"/proxy/ports/{other.json()['data']['id']}")


def test_datagrams_share_no_port_by_a_domain(api: httpx.Client, expose: Expose) -> None:
    """A datagram has no host name in it, so a domain cannot tell whose it is."""
    port = free_port()
    expose("web", custom_domain="app.example.com", external_port=port)
    body = {
        "internal_port": free_port(),
        "external_port": port,
        "protocol": "udp",
        "custom_domain": "dns.example.com",
        "description": "datagrams",
        "access_control": {"public_access": True},
    }
    require_error(api.post("/proxy/ports", json=body), 409, "EXTERNAL_PORT_IN_USE")


def test_a_full_range_of_ports_is_a_conflict(tmp_path: Path) -> None:
    """409 says which range is full; what is there stays, and a freed port is used again."""
    ports = free_range(2)
    with run_gateway(tmp_path / "state", "--external-ports", ports) as running:
        headers = {"authorization": f"Bearer {running.api_key}"}
        url = f"{running.api_url}/v1/clusters/local"
        with httpx.Client(base_url=url, headers=headers) as api:
            bodies = [{"internal_port": 45_000 + n, "description": str(n)} for n in range(3)]
            made = [api.post("/proxy/ports", json=body) for body in bodies]
            assert [a.status_code for a in made] == [201, 201, 409]
            require_error(made[2], 409, "EXTERNAL_PORT_IN_USE")
            assert ports.replace("-", " and ") in made[2].json()["error"]["message"]
            listed = api.get("/proxy").json()["data"]["port_mappings"]
            assert [m["internal_port"] for m in listed] == [45_000, 45_001]
            api.delete(f"/proxy/ports/{made[0].json()['data']['id']}")
            assert api.post("/proxy/ports", json=bodies[2]).status_code == 201
