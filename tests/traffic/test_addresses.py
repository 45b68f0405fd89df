"""`ip_whitelist`, `blocked_ips` and v2's `allowedIps`: judged on the TCP peer, before sign-in."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import free_range, run_gateway
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import Expose, Exposed, Visit

PUBLIC = {"public_access": True}


def _status(visit: Visit, exposed: Exposed, address: str = "127.0.0.1") -> int:
    return int(visit(address).get(exposed.url).status_code)


@pytest.mark.parametrize(
    ("listed", "admitted", "refused"),
    [
        (["127.0.0.2"], ["127.0.0.2"], ["127.0.0.1", "127.0.0.3"]),
        (["127.0.0.8/30"], ["127.0.0.8", "127.0.0.11"], ["127.0.0.7", "127.0.0.12"]),
        (["127.0.0.9/30"], ["127.0.0.8", "127.0.0.11"], ["127.0.0.12"]),
        (["::ffff:127.0.0.2"], ["127.0.0.2"], ["127.0.0.1"]),
        (["::ffff:127.0.0.0/124"], ["127.0.0.15"], ["127.0.0.16"]),
        (["0.0.0.0/0"], ["127.0.0.1", "127.0.0.2"], []),
        (["::/0"], [], ["127.0.0.1"]),
        (["10.0.0.0/8", "127.0.0.5"], ["127.0.0.5"], ["127.0.0.1"]),
        ([], ["127.0.0.1"], []),
    ],
)
def test_r37_p24_the_whitelist_admits_exactly_its_addresses(
    expose: Expose, visit: Visit, listed: list[str], admitted: list[str], refused: list[str]
) -> None:
    """Addresses, ranges, ranges with host bits, mapped IPv6 and `/0` mean what they say."""
    exposed = expose(access={**PUBLIC, "ip_whitelist": listed})
    assert [_status(visit, exposed, a) for a in admitted] == [200] * len(admitted)
    assert [_status(visit, exposed, a) for a in refused] == [403] * len(refused)
    assert len(exposed.service.seen) == len(admitted)


def test_a_block_wins_over_the_whitelist(expose: Expose, visit: Visit) -> None:
    """An address on both lists stays out."""
    access = {**PUBLIC, "ip_whitelist": ["127.0.0.0/8"], "blocked_ips": ["127.0.0.2", "10.0.0.0/8"]}
    exposed = expose(access=access)
    assert _status(visit, exposed, "127.0.0.1") == 200
    assert _status(visit, exposed, "127.0.0.2") == 403


def test_blocking_everybody_blocks_everybody(expose: Expose, visit: Visit) -> None:
    """`0.0.0.0/0` on the block list lets no IPv4 address in."""
    exposed = expose(access={**PUBLIC, "blocked_ips": ["0.0.0.0/0"]})
    assert _status(visit, exposed) == 403


def test_the_clusters_list_and_the_ports_must_both_admit(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """Neither list opens what the other closes."""
    exposed = expose(access={**PUBLIC, "ip_whitelist": ["127.0.0.2", "127.0.0.3"]})
    cluster.update_access(ip_whitelist=["127.0.0.3", "127.0.0.4"])
    statuses = {n: _status(visit, exposed, f"127.0.0.{n}") for n in (1, 2, 3, 4)}
    assert statuses == {1: 403, 2: 403, 3: 200, 4: 403}


def test_the_clusters_block_list_holds_for_every_port(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """`blocked_ips` of the cluster wins over a port's whitelist."""
    exposed = expose(access={**PUBLIC, "ip_whitelist": ["127.0.0.2"]})
    cluster.update_access(blocked_ips=["127.0.0.2"])
    assert _status(visit, exposed, "127.0.0.2") == 403


def test_allowed_ips_of_the_second_version_is_a_list_like_the_others(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """PUT /v2 `allowedIps` must admit too; an empty list admits all."""
    exposed = expose()
    cluster.update_proxy(allowed_ips=["127.0.0.2/32"])
    assert [_status(visit, exposed, f"127.0.0.{n}") for n in (1, 2)] == [403, 200]
    cluster.update_proxy(allowed_ips=[])
    assert _status(visit, exposed) == 200


def test_addresses_are_judged_before_sign_in(expose: Expose, visit: Visit) -> None:
    """A refused address is told no, not sent to the sign-in page; a good token does not help."""
    access = {"authentication_required": True, "blocked_ips": ["127.0.0.2"]}
    exposed = expose(access=access)
    html = {"accept": "text/html"}
    assert visit("127.0.0.1", headers=html).get(exposed.url).status_code == 302
    refusal = visit("127.0.0.2", headers=html).get(exposed.url)
    assert refusal.status_code == 403
    assert refusal.headers["content-type"].startswith("text/html")
    page = visit("127.0.0.2").get(f"{exposed.url}/.tensorone/sign-in")
    assert page.status_code == 403
    assert page.json()["error"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    "header",
    ["x-forwarded-for", "x-real-ip", "forwarded", "x-envoy-external-address", "true-client-ip"],
)
def test_no_header_changes_the_clients_address(expose: Expose, visit: Visit, header: str) -> None:
    """Only the TCP peer counts (R37, R34)."""
    exposed = expose(access={**PUBLIC, "ip_whitelist": ["127.0.0.2"]})
    value = "for=127.0.0.2" if header == "forwarded" else "127.0.0.2"
    assert visit(headers={header: value}).get(exposed.url).status_code == 403
    assert exposed.service.seen == []


def test_a_bad_range_is_refused_by_name_and_changes_nothing(
    expose: Expose, visit: Visit, client: ProxyClient, api: httpx.Client
) -> None:
    """422 names the range; the list in force stays."""
    exposed = expose(access={**PUBLIC, "ip_whitelist": ["127.0.0.1"]})
    patch = {"access_control": {"ip_whitelist": ["127.0.0.2", "10.0.0.0/33"]}}
    answer = api.put(f"/proxy/ports/{exposed.mapping.id}", json=patch)
    assert answer.status_code == 422
    assert "10.0.0.0/33" in str(answer.json()["error"]["details"])
    assert [_status(visit, exposed, f"127.0.0.{n}") for n in (1, 2)] == [200, 403]


@pytest.fixture(scope="module")
def dual_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProxyClient, Path]]:
    """Run a gateway that listens on every address, IPv4 and IPv6."""
    directory = tmp_path_factory.mktemp("dual")
    arguments = ("--listen", "::", "--external-ports", free_range(5))
    with run_gateway(directory, *arguments) as running, running.client() as api:
        yield api, Path(running.runtime["ca_file"])


@pytest.mark.parametrize(
    ("access", "over_v4", "over_v6"),
    [
        ({}, 200, 200),
        ({"ip_whitelist": ["127.0.0.1"]}, 200, 403),
        ({"ip_whitelist": ["::ffff:127.0.0.1"]}, 200, 403),
        ({"ip_whitelist": ["::1"]}, 403, 200),
        ({"ip_whitelist": ["::/0"]}, 403, 200),
        ({"blocked_ips": ["127.0.0.0/8"]}, 403, 200),
        ({"blocked_ips": ["::ffff:127.0.0.0/104"]}, 403, 200),
        ({"blocked_ips": ["::1"]}, 200, 403),
    ],
)
def test_r37_ipv4_and_ipv6_clients_of_one_socket(
    dual_stack: tuple[ProxyClient, Path], access: dict[str, Any], over_v4: int, over_v6: int
) -> None:
    """A client over IPv4 is that IPv4 address, whatever form the socket gives it."""
    api, ca_file = dual_stack
    context = ssl.create_default_context(cafile=ca_file)
    with web_service() as service, httpx.Client(verify=context) as visitor:
        made = api.create_port(
            internal_port=service.port, description="web", access_control={**PUBLIC, **access}
        )
        try:
            assert visitor.get(f"https://127.0.0.1:{made.external_port}").status_code == over_v4
            assert visitor.get(f"https://[::1]:{made.external_port}").status_code == over_v6
        finally:
            api.delete_port(made.id)


def test_a_refused_address_gets_no_redirect_to_https_either(expose: Expose) -> None:
    """Plain HTTP tells a refused address nothing but the redirect, and reaches no service."""
    exposed = expose(access={**PUBLIC, "blocked_ips": ["127.0.0.0/8"]})
    with socket.create_connection(("127.0.0.1", exposed.port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert raw.recv(100).split()[1] in {b"308", b"403"}
    assert exposed.service.seen == []
