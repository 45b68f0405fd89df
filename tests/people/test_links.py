"""Links: signed, for one person and one mapping, for a while, once or often."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import ConflictError, LinkNotFoundError
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.traffic import Expose, Visit
from tests.people.conftest import HTML


def test_r25_a_link_signs_one_person_in_to_one_mapping(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """It leads to where it was made for, and is worth nothing at another mapping."""
    exposed, other = private("mine"), private("other")
    link = client.create_link(exposed.mapping.id, user="ana", path="/deep/path?x=1&next=/y")
    foreign = link.url.replace(exposed.url, other.url)
    assert visit().get(foreign, headers=HTML).status_code == 403
    browser = visit()
    answer = browser.get(link.url, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (302, "/deep/path?x=1&next=/y")
    assert browser.get(exposed.url).status_code == 200
    assert other.service.seen == []


def test_a_one_time_link_works_once(private: Expose, client: ProxyClient, visit: Visit) -> None:
    """Whoever finds it later gets nothing, and is told so."""
    link = client.create_link(private().mapping.id, user="ana")
    assert visit().get(link.url, headers=HTML).status_code == 302
    again = visit().get(link.url, headers=HTML)
    assert again.status_code == 403
    assert "expired or was already used" in again.text


def test_a_shared_link_works_until_it_expires(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """`one_time: false` may be used from several browsers, until its time is over."""
    exposed = private()
    link = client.create_link(exposed.mapping.id, user="ana", one_time=False, expires_in_seconds=2)
    assert [visit().get(link.url).status_code for _ in range(2)] == [302, 302]
    time.sleep(2.2)
    assert visit().get(link.url).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-purpose": "prefetch;prerender", "sec-fetch-mode": "navigate"},
    ],
)
def test_looking_at_a_link_does_not_use_it_up(
    private: Expose, client: ProxyClient, visit: Visit, headers: dict[str, str]
) -> None:
    """A prefetch, an image or a script that asks for it gets nothing and burns nothing."""
    link = client.create_link(private().mapping.id, user="ana")
    assert visit().get(link.url, headers=headers).status_code == 403
    assert visit().get(link.url, headers=HTML).status_code == 302


@pytest.mark.parametrize(
    ("destination", "names"), [("document", ["__Host-t1-"]), ("iframe", ["__Host-t1f-"])]
)
def test_the_cookie_suits_where_the_page_is_shown(
    private: Expose, client: ProxyClient, visit: Visit, destination: str, names: list[str]
) -> None:
    """R19: Lax in a tab, None and Partitioned in a frame; always __Host-, Secure, HttpOnly."""
    link = client.create_link(private().mapping.id, user="ana")
    answer = visit().get(link.url, headers={**HTML, "sec-fetch-dest": destination})
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.partition("port_")[0] for cookie in cookies] == names
    for cookie in cookies:
        attributes = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "path", "samesite", "max-age"} <= attributes
        assert "domain" not in attributes
        assert ("partitioned" in attributes) == (destination == "iframe")


def test_who_has_the_link_but_not_the_right_gets_nothing(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """A link is no right: whoever was taken off the list since is refused, by name."""
    exposed = private("shared", ["ana", "ben"])
    link = client.create_link(exposed.mapping.id, user="ben")
    client.update_port(exposed.mapping.id, access_control={"allowed_users": ["ana"]})
    refused = visit().get(link.url, headers=HTML)
    assert refused.status_code == 403
    assert "shared with others only" in refused.text
    assert "set-cookie" not in refused.headers
    assert exposed.service.seen == []


def test_a_link_for_somebody_not_invited_offers_to_invite_them(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """Without `allow` it is a conflict that says how; with it the person is on the list."""
    exposed = private("shared", ["ana"])
    with pytest.raises(ConflictError, match="allow"):
        client.create_link(exposed.mapping.id, user="cem")
    link = client.create_link(exposed.mapping.id, user="cem", allow=True)
    (mapping,) = [m for m in client.list_ports() if m.id == exposed.mapping.id]
    assert mapping.access_control is not None
    assert mapping.access_control.allowed_users == ["ana", "cem"]
    assert visit().get(link.url, headers=HTML).status_code == 302


def test_links_are_listed_without_their_urls_and_can_be_revoked(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """The list says for whom and until when; a revoked link is worth nothing."""
    exposed = private()
    link = client.create_link(
        exposed.mapping.id, user="ana", one_time=False, expires_in_seconds=3600
    )
    (listed,) = client.list_links(exposed.mapping.id)
    assert (listed.id, listed.user, listed.url) == (link.id, "ana", "")
    assert listed.expires_at > link.expires_at.__class__.now(link.expires_at.tzinfo)
    client.delete_link(link.id)
    assert client.list_links(exposed.mapping.id) == []
    assert visit().get(link.url).status_code == 403
    with pytest.raises(LinkNotFoundError):
        client.delete_link(link.id)


def test_used_links_are_not_listed(private: Expose, client: ProxyClient, visit: Visit) -> None:
    """What can no longer be used is no longer there."""
    exposed = private()
    visit().get(client.create_link(exposed.mapping.id, user="ana").url)
    assert client.list_links(exposed.mapping.id) == []


def test_a_changed_link_is_no_link(private: Expose, client: ProxyClient, visit: Visit) -> None:
    """R25: it is signed; neither its person nor its end can be changed, nor can there be none."""
    exposed = private()
    link = client.create_link(exposed.mapping.id, user="ana", one_time=False)
    token = httpx.URL(link.url).params["token"]
    header, payload, signature = token.split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=="))
    assert claims["aud"] == f"link:{exposed.mapping.id}"
    forged = [
        f"{header}.{payload[:-2]}AA.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[::-1]}",
        "",
        "x",
    ]
    for other in forged:
        answer = visit().get(link.url.replace(token, other), headers=HTML)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


def test_r25_a_links_token_is_never_logged(
    private: Expose, client: ProxyClient, visit: Visit, gateway: RunningGateway
) -> None:
    """No log and no database holds a token, nor the cookie that came of it."""
    exposed = private()
    link = client.create_link(exposed.mapping.id, user="ana")
    answer = visit().get(link.url, headers=HTML)
    secrets = [httpx.URL(link.url).params["token"].rpartition(".")[2]]
    secrets += [
        c.partition(";")[0].rpartition(".")[2] for c in answer.headers.get_list("set-cookie")
    ]
    client.access_logs(limit=1000)
    time.sleep(0.5)
    for file in gateway.state_dir.rglob("*"):
        if file.is_file():
            text = file.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in text], file


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "x"],
)
def test_r24_next_leads_to_the_mapping_only(
    private: Expose, client: ProxyClient, visit: Visit, path: str
) -> None:
    """Whatever stands in `next`, the visitor stays on the mapping's own origin."""
    link = client.create_link(private().mapping.id, user="ana")
    url = link.url.partition("&next=")[0] + "&next=" + path
    answer = visit().get(url, headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
