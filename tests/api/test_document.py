"""GET …/proxy: the contract's whole document, with facts in it, and nothing that was not asked for.

The example answer of the contract is in `tests/contract/data`.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.traffic import Expose, Exposed, Visit

EXAMPLE = json.loads(
    (Path(__file__).parents[1] / "contract/data/response_get_proxy.json").read_text()
)
FLAGS = ("include_health", "include_access_logs", "include_ssl_info")
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"

Read = Callable[..., Any]


@pytest.fixture
def read(api: httpx.Client) -> Read:
    """Return a function that gets the document with some of the flags."""

    def read(*flags: str) -> Any:
        answer = api.get("/proxy", params=dict.fromkeys(flags, "true"))
        assert answer.status_code == 200
        return answer.json()

    return read


@pytest.fixture(scope="module")
def token(client: ProxyClient) -> str:
    """Return the token of the user whom the contract's example admits."""
    return str(client.create_user("ml_engineer").token)


@pytest.fixture
def environment(cluster: ProxyClient, expose: Expose, visit: Visit, token: str) -> list[Exposed]:
    """Set up what the contract's example shows: two services, one private, and some use."""
    cluster.update_access(
        **{k: v for k, v in EXAMPLE["data"]["access_control"].items() if k != "ip_whitelist"},
        ip_whitelist=["127.0.0.0/8"],
    )
    private = EXAMPLE["data"]["port_mappings"][0]
    jupyter = expose(
        "Jupyter Lab",
        access={**private["access_control"], "ip_whitelist": ["127.0.0.0/8"]},
        health_check={"enabled": True, "path": "/health", "interval_seconds": 1},
    )
    tensorboard = expose(
        "TensorBoard",
        access={"authentication_required": False, "public_access": True},
        health_check={"enabled": True, "path": "/health", "interval_seconds": 1},
    )
    visitor = visit(token=token, headers={"user-agent": AGENT})
    assert visit().get(tensorboard.url).status_code == 200
    assert visitor.get(f"{jupyter.url}/lab/tree?token=secret").status_code == 200
    return [jupyter, tensorboard]


def shape(value: Any) -> Any:
    """Return what a JSON value is made of: names and kinds, the first entry for a list."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return "number" if isinstance(value, int | float) and value is not True else type(value)


def missing(expected: Any, found: Any, path: str = "") -> list[str]:
    """Return what the expected shape has and the found one has not."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for name, inner in expected.items()
            for line in (
                missing(inner, found[name], f"{path}.{name}")
                if name in found
                else [f"{path}.{name} is missing"]
            )
        ]
    if isinstance(expected, list) and isinstance(found, list):
        return missing(expected[0], found[0], f"{path}[]") if expected and found else []
    return [] if expected == found else [f"{path} is {found}, not {expected}"]


def test_the_document_has_every_key_of_the_contracts_example(
    environment: list[Exposed], read: Read
) -> None:
    """Key by key, with values of the same kind, for both kinds of mapping."""
    assert wait_until(lambda: has_settled(read(*FLAGS)))
    found = read(*FLAGS)
    ours = {m["id"]: m for m in found["data"]["port_mappings"]}
    documented = EXAMPLE["data"]["port_mappings"]
    for exposed, mapping in zip(environment, documented, strict=True):
        assert missing(shape(mapping), shape(ours[exposed.mapping.id])) == []
    assert missing(shape(EXAMPLE), shape(found)) == []


def has_settled(found: Any) -> bool:
    """Say whether health was checked and the visits are counted."""
    mappings = found["data"]["port_mappings"]
    return all(
        m["health_status"] == "healthy" and m["usage_statistics"]["total_requests"] == 1
        for m in mappings
    )


@pytest.mark.parametrize("flag", FLAGS)
def test_each_optional_part_comes_by_its_flag_alone(
    environment: list[Exposed], read: Read, flag: str
) -> None:
    """Health, log and certificate are each left out unless their own flag asks for them."""

    def optional(found: Any) -> set[str]:
        data = found["data"]
        parts = {"include_access_logs": "access_logs", "include_ssl_info": "ssl_certificate"}
        there = {name for name, key in parts.items() if key in data}
        if any("health_status" in m for m in data["port_mappings"]):
            there.add("include_health")
        return there

    assert optional(read()) == set()
    assert optional(read(flag)) == {flag}
    assert optional(read(*FLAGS)) == set(FLAGS)


def test_the_certificate_is_the_one_that_visitors_see(
    environment: list[Exposed], read: Read
) -> None:
    """Issuer and dates are those of the certificate on the wire."""
    shown = read("include_ssl_info")["data"]["ssl_certificate"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", environment[0].port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        seen = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
    assert datetime.fromisoformat(shown["valid_from"]) == seen.not_valid_before_utc
    assert datetime.fromisoformat(shown["valid_until"]) == seen.not_valid_after_utc
    common_name = seen.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    assert (shown["issuer"], shown["status"]) == (common_name, "valid")


def test_the_log_says_who_did_what_and_keeps_queries_to_itself(
    environment: list[Exposed], read: Read, visit: Visit
) -> None:
    """User, address, method, path without query, status, time and user agent, the newest first."""
    private, public = environment
    visit("127.0.0.2").post(f"{public.url}/status/404?key=secret")
    wanted = {public.mapping.id: 2, private.mapping.id: 1}

    def logged() -> Any:
        entries = read("include_access_logs")["data"]["access_logs"]
        return [e for e in entries if e["port_id"] in wanted]

    assert wait_until(lambda: len(logged()) == 3)
    newest, *_ = logged()
    signed_in = next(e for e in logged() if e["port_id"] == private.mapping.id)
    assert {k: newest[k] for k in ("client_ip", "user", "method", "path", "status_code")} == {
        "client_ip": "127.0.0.2",
        "user": None,
        "method": "POST",
        "path": "/status/404",
        "status_code": 404,
    }
    assert signed_in["user"] == "ml_engineer"
    assert (signed_in["path"], signed_in["user_agent"]) == ("/lab/tree", AGENT)
    assert signed_in["response_time_ms"] >= 0
    age = datetime.now(timezone.utc) - datetime.fromisoformat(signed_in["timestamp"])
    assert -1 < age.total_seconds() < 60
    assert "secret" not in json.dumps(read(*FLAGS))


def test_health_and_use_are_what_happened(
    environment: list[Exposed], read: Read, visit: Visit
) -> None:
    """A failing check and each further visit show in the document."""
    _, public = environment
    public.service.healthy = False
    for address in ("127.0.0.3", "127.0.0.4"):
        visit(address).get(f"{public.url}/slow/30")

    def mapping() -> Any:
        listed = read("include_health")["data"]["port_mappings"]
        return next(m for m in listed if m["id"] == public.mapping.id)

    assert wait_until(lambda: mapping()["health_status"] == "unhealthy")
    assert mapping()["health_check"]["consecutive_failures"] >= 3
    assert wait_until(lambda: mapping()["usage_statistics"]["total_requests"] == 3)
    usage = mapping()["usage_statistics"]
    assert usage["unique_visitors"] == 3
    assert usage["avg_response_time_ms"] >= 20
    assert usage["last_accessed"] > mapping()["created_at"]


def test_meta_counts_the_mappings(
    environment: list[Exposed], read: Read, cluster: ProxyClient
) -> None:
    """Totals, what is active, and the moment of the last change."""
    meta = read()["meta"]
    assert (meta["total_port_mappings"], meta["active_port_mappings"]) == (2, 2)
    cluster.update_proxy(enabled=False)
    later = read()
    assert later["data"]["proxy_status"] == "disabled"
    assert (later["meta"]["total_port_mappings"], later["meta"]["active_port_mappings"]) == (2, 0)
    assert later["meta"]["last_updated"] > meta["last_updated"]


def test_a_request_in_the_contracts_words_is_shown_as_it_was_made(
    environment: list[Exposed], read: Read
) -> None:
    """Access rules come back with the values of the contract's example."""
    wanted = EXAMPLE["data"]["access_control"]
    shown = read()["data"]["access_control"]
    assert shown == {**shown, **wanted, "ip_whitelist": ["127.0.0.0/8"]}


def test_the_second_version_changes_the_same_proxy(
    api: httpx.Client, gateway: RunningGateway, cluster: ProxyClient, read: Read
) -> None:
    """PUT /v2 with the bare key and camel case; what is not given stays, null lets all in."""

    def put(body: dict[str, Any]) -> Any:
        answer = httpx.put(
            f"{gateway.api_url}/v2/clusters/local/proxy",
            headers={"authorization": gateway.api_key},
            json=body,
        )
        assert (answer.status_code, answer.json().keys()) == (200, {"proxyUrl", "enabled"})
        return answer.json()

    first = put({"enabled": False, "allowedIps": ["127.0.0.0/8"]})
    assert first == {"proxyUrl": read()["data"]["proxy_url"], "enabled": False}
    assert put({"allowedIps": None})["enabled"] is False
    assert put({})["enabled"] is False
    assert put({"enabled": True})["enabled"] is True
    assert put({"enabled": None})["enabled"] is True
    wrong = httpx.put(
        f"{gateway.api_url}/v2/clusters/local/proxy",
        headers={"authorization": gateway.api_key},
        json={"allowedIps": ["nowhere"], "allowed_ipps": []},
    )
    fields = {f["field"] for f in wrong.json()["error"]["details"]["fields"]}
    assert (wrong.status_code, fields) == (422, {"allowedIps.0", "allowed_ipps"})


def test_the_second_versions_addresses_guard_the_traffic(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """`allowedIps` decides who may connect, as the first version's `allowed_ips` does."""
    exposed = expose()
    cluster.update_proxy(allowed_ips=["127.0.0.9"], api_version="v2")
    statuses = [visit(a).get(exposed.url).status_code for a in ("127.0.0.1", "127.0.0.9")]
    assert statuses == [403, 200]


def test_the_clusters_are_this_gateways(api: httpx.Client, gateway: RunningGateway) -> None:
    """GET /v1/clusters names the one cluster there is, and its id works everywhere."""
    root = str(api.base_url).partition("/v1/")[0]
    (cluster,) = api.get(f"{root}/v1/clusters").json()["data"]
    assert cluster["id"] == gateway.runtime["cluster_id"]
    assert cluster["proxy_url"] == gateway.runtime["proxy_url"]
    assert api.get(f"{root}/v1/clusters/{cluster['id']}/proxy").status_code == 200
