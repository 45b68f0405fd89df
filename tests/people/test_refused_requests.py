"""Every refusal is an event of the audit: why, who, from where, how often; and never a flood."""

from __future__ import annotations

import json
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.gateway.access_log import Request
from jupyter_tensorone_proxy.gateway.desired import (
    Desired,
    DesiredCluster,
    DesiredMapping,
    Edge,
)
from jupyter_tensorone_proxy.gateway.refused_requests import RefusedRequests
from jupyter_tensorone_proxy.gateway.store import Store
from jupyter_tensorone_proxy.models import PortRequest
from jupyter_tensorone_proxy.people import Event
from tests.fixtures.gateway import RunningGateway, run_gateway, wait_until
from tests.fixtures.load import load
from tests.fixtures.raw_clients import is_cut
from tests.fixtures.services.echo import tcp_echo
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import RAW, Expose, ExposeRaw, SignIn, Visit, cookie_header
from tests.people.conftest import HTML
from tests.traffic.conftest import expose_raw  # noqa: F401 - fixtures are found by their names

Events = Callable[..., list[dict[str, Any]]]
STRANGER = "127.0.0.41"


@pytest.fixture
def refusals(events: Events) -> Callable[[int], Counter[tuple[Any, ...]]]:
    """Return a function that waits for so many refusals, and counts them by all they tell."""

    def refusals(least: int) -> Counter[tuple[Any, ...]]:
        def found() -> Counter[tuple[Any, ...]]:
            counts: Counter[tuple[Any, ...]] = Counter()
            for event in events("request.refused"):
                told = event["details"]
                key = (event["port_id"], told["reason"], event["client_ip"], event["actor"])
                counts[key] += told["count"]
            return counts

        assert wait_until(lambda: found().total() >= least), found()
        return found()

    return refusals


def test_strangers_are_told_with_what_was_wrong(
    private: Expose, visit: Visit, sign_in: SignIn, refusals: Callable[[int], Any]
) -> None:
    """Nothing to sign in with, something forged, and a session of another service."""
    exposed, other = private(), private("other")
    stranger = visit(STRANGER)
    assert stranger.get(exposed.url).status_code == 401
    forged = {"authorization": "Bearer <script>.secret.token"}
    assert stranger.get(exposed.url, headers=forged).status_code == 401
    assert stranger.get(exposed.url, headers={**forged, **HTML}).status_code == 302
    _, _, token = cookie_header(sign_in(other)).partition("=")
    foreign = {"cookie": f"__Host-t1-{exposed.mapping.id}={token}"}
    assert stranger.get(exposed.url, headers=foreign).status_code == 401
    port_id = exposed.mapping.id
    assert refusals(4) == {
        (port_id, "signed out", STRANGER, None): 1,
        (port_id, "invalid", STRANGER, None): 3,
    }


def test_being_shown_where_to_sign_in_is_no_refusal(
    private: Expose, visit: Visit, refusals: Callable[[int], Any]
) -> None:
    """A first visit in a browser ends at the sign-in page; that is how visits begin."""
    exposed = private()
    for _ in range(3):
        assert visit(STRANGER).get(exposed.url, headers=HTML).status_code == 302
    assert visit(STRANGER).get(exposed.url).status_code == 401  # comes last in the log
    assert refusals(1) == {(exposed.mapping.id, "signed out", STRANGER, None): 1}


def test_addresses_origins_hosts_and_limits_are_told(
    private: Expose,
    client: ProxyClient,
    visit: Visit,
    sign_in: SignIn,
    refusals: Callable[[int], Any],
) -> None:
    """Whatever Envoy refuses for, the audit has the same reason."""
    exposed = private(blocked_ips=[STRANGER], rate_limit={"requests_per_minute": 1})
    assert visit(STRANGER).get(exposed.url).status_code == 403
    ana = sign_in(exposed, "ana", address="127.0.0.42")
    elsewhere = {"origin": "https://elsewhere.example"}
    assert ana.post(exposed.url, headers=elsewhere).status_code == 403
    assert ana.get(exposed.url).status_code == 200
    assert ana.get(exposed.url).status_code == 429
    assert ana.get(exposed.url, headers={"host": "elsewhere.example"}).status_code == 421
    port_id = exposed.mapping.id
    found = refusals(4)
    assert found.pop((port_id, "wrong host", "127.0.0.42", "ana"), 0) + found.pop(
        (port_id, "wrong host", "127.0.0.42", None), 0
    )
    assert found == {
        (port_id, "address", STRANGER, None): 1,
        (port_id, "origin", "127.0.0.42", "ana"): 1,
        (port_id, "rate limit", "127.0.0.42", "ana"): 1,
    }


def test_connections_of_raw_services_are_told_too(
    expose_raw: ExposeRaw,  # noqa: F811 - the fixture above
    trust: ssl.SSLContext,
    client: ProxyClient,
    refusals: Callable[[int], Any],
) -> None:
    """Who is closed before a byte has passed is in the audit, and is no request of the service."""
    with tcp_echo() as (port, _):
        access = {**RAW, "blocked_ips": [STRANGER]}
        made = expose_raw(port, app_protocol="tcp", access_control=access)
        assert is_cut(made, trust, STRANGER)
        assert refusals(1) == {(made.id, "address", STRANGER, None): 1}
        (mapping,) = [m for m in client.list_ports() if m.id == made.id]
        assert mapping.usage_statistics is None or mapping.usage_statistics.total_requests == 0
        assert client.access_logs(port_id=made.id) == []


def test_a_name_that_no_service_has_is_told(
    private: Expose, client: ProxyClient, refusals: Callable[[int], Any]
) -> None:
    """Where services have domains, a connection that asks for another name is refused."""
    with web_service("named") as service:
        made = client.create_port(
            internal_port=service.port, description="named", custom_domain="a.lab.example"
        )
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"https://localhost:{made.external_port}", verify=context)
        assert refusals(1) == {(made.id, "wrong host", "127.0.0.1", None): 1}
        client.delete_port(made.id)


def test_a_storm_makes_a_handful_of_events(
    private: Expose, gateway: RunningGateway, events: Events, refusals: Callable[[int], Any]
) -> None:
    """100,000 refused requests are a first event at once, and one a minute with how many."""
    exposed = private()
    addresses = ("127.0.0.43", "127.0.0.44")
    counted = load(
        exposed.url, 20_000, cafile=gateway.runtime["ca_file"], addresses=addresses, batch=1
    )
    assert counted == {401: 20_000}
    refusals(2)
    assert 2 <= len(events("request.refused")) <= 10


def test_what_is_not_told_yet_is_told_at_the_end(tmp_path: Path) -> None:
    """A gateway that stops leaves no refusal untold: all the counts are all that there were."""
    with web_service("web") as service:
        with run_gateway(tmp_path) as gateway, gateway.client() as client:
            made = client.create_port(internal_port=service.port, description="web")
            assert made.url
            load(made.url, 3_000, cafile=gateway.runtime["ca_file"], batch=1)
            assert wait_until(lambda: client.list_events(action="request.refused") != [])
            load(made.url, 2_000, cafile=gateway.runtime["ca_file"], batch=1)
        with run_gateway(tmp_path) as gateway, gateway.client() as client:
            found = client.list_events(action="request.refused", port_id=made.id)
    assert sum(event.details["count"] for event in found) == 5_000
    assert len(found) <= 4
    assert {event.client_ip for event in found} == {"127.0.0.1"}


def test_r16_nothing_a_stranger_sent_is_in_the_audit(
    private: Expose, visit: Visit, api: httpx.Client, refusals: Callable[[int], Any]
) -> None:
    """Neither tokens nor cookies, paths, hosts or agents: only our own words, and the address."""
    exposed = private()
    stranger = visit(STRANGER, headers={"user-agent": "canary<1>"})
    sent = {"authorization": "Bearer canary.2.canary", "origin": "https://canary.example"}
    stranger.get(f"{exposed.url}/canary<3>?canary=4", headers=sent)
    stranger.get(exposed.url, headers={"host": "canary.example", "cookie": "a=canary5"})
    refusals(2)
    assert "canary" not in json.dumps(api.get("/proxy/events", params={"limit": 1000}).json())


@pytest.mark.anyio
async def test_of_ever_more_addresses_some_are_named_and_the_rest_is_counted(
    store: Store,
) -> None:
    """Who has a thousand addresses makes no thousand events, and none is left uncounted."""
    refused = RefusedRequests(lambda: WANTED, store, named=3)
    refused.take(_refused(f"192.0.2.{number}") for number in range(250))
    await refused.tell()
    events = await _events(store)
    named = [event.client_ip for event in events if event.client_ip]
    assert named == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]
    assert [e.details for e in events if not e.client_ip] == [
        {"reason": "signed out", "count": 247, "since": "2026-01-15T14:30:00Z"}
    ]


@pytest.mark.anyio
async def test_what_goes_on_is_told_again_with_how_many_it_were(store: Store) -> None:
    """After the first event the next one waits; then it has all that came meanwhile."""
    refused = RefusedRequests(lambda: WANTED, store, again_seconds=3)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refused.run)
        refused.take([_refused()])
        first = await _wait_for(store, 1)
        for _ in range(10):
            refused.take([_refused()] * 100)
            await anyio.sleep(0.01)
        second = await _wait_for(store, 2)
        tasks.cancel_scope.cancel()
    assert [event.details["count"] for event in first] == [1]
    assert [event.details["count"] for event in second] == [1, 1_000]


NOW = datetime(2026, 1, 15, 14, 30, tzinfo=timezone.utc)
WANTED = Desired(
    DesiredCluster("local"),
    {
        "port_1": DesiredMapping(
            "port_1", PortRequest(internal_port=6006, description="web"), 32_000, NOW, NOW
        )
    },
    Edge("127.0.0.1", "localhost", ("localhost",), (), "{}", "issuer", (), "ana"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store of its own, without a gateway."""
    made = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield made
    made.close()


def _refused(client_ip: str = "192.0.2.0") -> Request:
    details = "jwt_authn_access_denied{Jwt_is_missing}"
    who = (client_ip, None, None, "GET", "/")
    return Request("port_1", NOW.timestamp(), *who, 401, 0, None, details)


async def _events(store: Store) -> list[Event]:
    async with store.transaction() as transaction:
        return transaction.events.after(0, limit=1000)


async def _wait_for(store: Store, least: int) -> list[Event]:
    with anyio.fail_after(20):
        while len(found := await _events(store)) < least:  # noqa: ASYNC110 - another's doing
            await anyio.sleep(0.1)
    return found
