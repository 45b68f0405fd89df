"""The audit: every change, sign-in, refusal and revocation, and nothing secret in it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.client import ProxyClient as Client
from jupyter_tensorone_proxy.settings import Settings
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.traffic import Expose, SignIn, Visit
from tests.people.conftest import HTML

Events = Callable[..., list[dict[str, Any]]]


def test_every_change_is_an_event(private: Expose, cluster: ProxyClient, events: Events) -> None:
    """Mappings, cluster, users, links, keys: who changes what is written down in order."""
    exposed = private("audited")
    cluster.update_port(exposed.mapping.id, description="renamed")
    cluster.update_access(session_timeout_minutes=60)
    cluster.update_proxy(allowed_ips=["127.0.0.0/8"])
    cluster.create_user("audited")
    cluster.rotate_user_token("audited")
    cluster.update_user("audited", disabled=True)
    cluster.update_user("audited", disabled=False)
    link = cluster.create_link(exposed.mapping.id, user="audited", one_time=False)
    cluster.delete_link(link.id)
    cluster.delete_user("audited")
    cluster.rotate_keys(overlap=True)
    actions = [event["action"] for event in events()]
    assert actions == [
        "port.created",
        "port.updated",
        "access.updated",
        "proxy.updated",
        "user.added",
        "user.token_rotated",
        "user.disabled",
        "user.enabled",
        "link.created",
        "link.revoked",
        "user.removed",
        "keys.rotated",
    ]
    assert events("port.updated")[0]["details"] == {"fields": {"description": "renamed"}}


def test_every_sign_in_and_its_end_is_an_event(
    private: Expose, sign_in: SignIn, client: ProxyClient, visit: Visit, events: Events
) -> None:
    """Who came in from where by which link, who was refused and why, who was thrown out."""
    exposed = private("audited", ["ana"])
    sign_in(exposed, "ana", address="127.0.0.31")
    late = client.create_link(exposed.mapping.id, user="ana")
    client.update_port(exposed.mapping.id, access_control={"allowed_users": ["ben"]})
    visit("127.0.0.32").get(late.url, headers=HTML)
    started, revoked, refused = events("session.")
    assert (started["action"], started["client_ip"]) == ("session.started", "127.0.0.31")
    assert started["details"]["user"] == "ana"
    assert started["details"]["link_id"].startswith("link_")
    assert (revoked["action"], revoked["details"]["user"]) == ("session.revoked", "ana")
    assert (refused["action"], refused["client_ip"]) == ("session.refused", "127.0.0.32")
    told = {"reason": "not invited", "user": "ana", "link_id": late.id}
    assert refused["details"] == told
    assert {event["port_id"] for event in (started, revoked, refused)} == {exposed.mapping.id}


def test_an_event_says_who_did_it_and_through_what(gateway: RunningGateway, events: Events) -> None:
    """The client tells in whose name and through what it is used; plain REST is `api`."""
    settings: Settings = gateway.client().settings
    named = Settings(
        settings.api_url, settings.api_key, settings.cluster_id, via="magic", user="Änne <b>"
    )
    with Client(settings=named) as client:
        client.create_user("told-by-magic")
    httpx.post(
        f"{gateway.api_url}/v1/clusters/local/proxy/users",
        json={"name": "told-by-rest"},
        headers={"authorization": f"Bearer {gateway.api_key}"},
    ).raise_for_status()
    magic, rest = events("user.added")
    assert (magic["actor"], magic["via"]) == ("Änne <b>", "magic")
    assert (rest["actor"], rest["via"]) == (None, "api")


def test_a_refused_change_leaves_no_event(
    private: Expose, api: httpx.Client, events: Events
) -> None:
    """What did not happen is not told."""
    exposed = private()
    count = len(events())
    fields = {"internal_port": exposed.service.port, "description": "again"}
    assert api.post("/proxy/ports", json=fields).status_code == 409
    assert api.put("/proxy/access", json={"session_timeout_minutes": 0}).status_code == 422
    assert len(events()) == count


def test_r48_no_credential_is_in_the_audit(
    private: Expose, client: ProxyClient, sign_in: SignIn, api: httpx.Client
) -> None:
    """Tokens, links and cookies are named by their ids at most."""
    exposed = private()
    secrets = [str(client.create_user("unsaid").token)]
    secrets.append(client.create_link(exposed.mapping.id, user="ana").url)
    browser = sign_in(exposed)
    secrets += [str(cookie.value) for cookie in browser.cookies.jar]
    text = json.dumps(api.get("/proxy/events", params={"limit": 1000}).json())
    for secret in secrets:
        assert secret.rpartition(".")[2] not in text


def test_who_waits_for_an_event_gets_it_when_it_happens(
    client: ProxyClient, api: httpx.Client
) -> None:
    """`wait_seconds` answers as soon as there is something, or with nothing in the end."""
    last = api.get("/proxy/events", params={"limit": 1000}).json()["meta"]["next_after"]
    assert client.list_events(after=last, wait_seconds=1) == []
    timer = threading.Timer(0.5, client.create_user, ["waited-for"])
    timer.start()
    start = time.monotonic()
    found = client.list_events(after=last, wait_seconds=20)
    timer.join()
    assert [event.details["user"] for event in found] == ["waited-for"]
    assert time.monotonic() - start < 15


def test_events_are_paged(client: ProxyClient, api: httpx.Client) -> None:
    """Reading on from the last id misses none and repeats none."""
    last = api.get("/proxy/events", params={"limit": 1000}).json()["meta"]["next_after"]
    for number in range(7):
        client.create_user(f"page-{number}")
    seen: list[str] = []
    while page := client.list_events(after=last, limit=3):
        seen += [event.details["user"] for event in page]
        last = page[-1].id
    assert seen == [f"page-{number}" for number in range(7)]


def test_somebody_known_who_is_refused_is_told_once_in_a_while(
    private: Expose, client: ProxyClient, visit: Visit, sign_in: SignIn, events: Events
) -> None:
    """Who is not on the list, or was thrown out and tries on: who, where, from where, why."""
    exposed, other = private("guarded", ["ana"]), private("other", ["ana"])
    eve = visit("127.0.0.33", token=client.create_user("eve of the audit").token)
    ana = sign_in(exposed, "ana", address="127.0.0.34")
    client.revoke_sessions(port_id=exposed.mapping.id)
    for _ in range(5):
        assert eve.get(exposed.url).status_code == 403
        assert ana.get(exposed.url).status_code == 401
    assert eve.get(other.url).status_code == 403
    assert wait_until(lambda: len(events("request.refused")) >= 3)
    found = events("request.refused")
    assert {(e["port_id"], e["actor"], e["client_ip"], e["details"]["reason"]) for e in found} == {
        (exposed.mapping.id, "eve of the audit", "127.0.0.33", "not invited"),
        (exposed.mapping.id, "ana", "127.0.0.34", "ended"),
        (other.mapping.id, "eve of the audit", "127.0.0.33", "not invited"),
    }
    assert len(found) == 3


def test_a_services_own_refusal_is_no_event(
    private: Expose, visit: Visit, sign_in: SignIn, client: ProxyClient, events: Events
) -> None:
    """What the service refuses is its own affair."""
    exposed = private()
    browser = sign_in(exposed, "ana")
    assert browser.get(f"{exposed.url}/status/403").status_code == 403
    assert browser.get(f"{exposed.url}/status/401").status_code == 401
    eve = visit(token=client.create_user("eve comes last").token)
    client.update_port(exposed.mapping.id, access_control={"allowed_users": ["ana"]})
    assert eve.get(exposed.url).status_code == 403
    assert wait_until(lambda: len(events("request.refused")) > 0)
    assert [event["actor"] for event in events("request.refused")] == ["eve comes last"]
