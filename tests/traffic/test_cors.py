"""`cors`: which other origins may read answers (Fetch standard, CORS protocol; R12)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.traffic import Expose, Exposed, Visit

FRIEND, STRANGER = "https://app.example.com", "https://evil.example.com"
NAMED = {
    "enabled": True,
    "allowed_origins": [FRIEND],
    "allowed_methods": ["GET", "PUT"],
    "allowed_headers": ["Content-Type", "Authorization"],
}


def _preflight(visitor: httpx.Client, exposed: Exposed, origin: str) -> httpx.Response:
    headers = {
        "origin": origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type",
        "sec-fetch-mode": "cors",
        "sec-fetch-site": "cross-site",
    }
    return visitor.options(exposed.url, headers=headers)


def _allowances(answer: httpx.Response) -> dict[str, str]:
    prefix = "access-control-"
    return {k.removeprefix(prefix): v for k, v in answer.headers.items() if k.startswith(prefix)}


@pytest.mark.parametrize("private", [True, False])
def test_r12_a_preflight_from_a_named_origin_is_answered_exactly(
    expose: Expose, visit: Visit, *, private: bool
) -> None:
    """Origin, methods, headers, credentials as configured; no sign-in, and not the service."""
    exposed = expose(access={"authentication_required": private, "cors": NAMED})
    answer = _preflight(visit(), exposed, FRIEND)
    assert answer.status_code in {200, 204}
    assert _allowances(answer) == {
        "allow-origin": FRIEND,
        "allow-methods": "GET,PUT",
        "allow-headers": "Content-Type,Authorization",
        "allow-credentials": "true",
        "max-age": "600",
    }
    assert exposed.service.seen == []


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize(
    "origin", [STRANGER, "null", f"{FRIEND}.evil.com", f"{FRIEND}:444", "http://app.example.com"]
)
def test_r12_a_preflight_from_another_origin_allows_nothing(
    expose: Expose, visit: Visit, *, private: bool, origin: str
) -> None:
    """No header allows anything, and the service never hears of it."""
    exposed = expose(access={"authentication_required": private, "cors": NAMED})
    answer = _preflight(visit(), exposed, origin)
    assert _allowances(answer) == {}
    assert exposed.service.seen == []


def test_r12_a_named_origin_reads_answers_and_a_stranger_does_not(
    expose: Expose, visit: Visit
) -> None:
    """The allowed origin is named, with Vary, so that no cache mixes them up."""
    exposed = expose(access={"public_access": True, "cors": NAMED})
    good = visit().get(exposed.url, headers={"origin": FRIEND, "sec-fetch-site": "cross-site"})
    assert good.status_code == 200
    assert good.headers["access-control-allow-origin"] == FRIEND
    assert good.headers["access-control-allow-credentials"] == "true"
    assert "origin" in good.headers.get("vary", "").lower()
    bad = visit().get(exposed.url, headers={"origin": STRANGER})
    assert _allowances(bad) == {}


@pytest.mark.parametrize("path", ["/", "/.tensorone/sign-in"])
def test_r12_a_401_can_be_read_by_the_named_origin_only_on_the_service(
    expose: Expose, visit: Visit, path: str
) -> None:
    """A page can tell 'sign in' from a network failure; our own pages are nobody else's."""
    exposed = expose(access={"authentication_required": True, "cors": NAMED})
    answer = visit().get(exposed.url + path, headers={"origin": FRIEND})
    assert answer.status_code == 401
    allowed = {"allow-origin": FRIEND, "allow-credentials": "true"} if path == "/" else {}
    assert _allowances(answer) == allowed
    assert _allowances(visit().get(exposed.url + path, headers={"origin": STRANGER})) == {}


def test_r12_any_origin_reads_a_public_service_without_credentials(
    expose: Expose, visit: Visit
) -> None:
    """'*' opens a public service to every page, and never to a page's credentials."""
    cors = {"allowed_origins": ["*"]}
    exposed = expose(access={"public_access": True, "cors": cors})
    answer = visit().get(exposed.url, headers={"origin": STRANGER, "sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] in {"*", STRANGER}
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-credentials" not in _preflight(visit(), exposed, STRANGER).headers


def test_r12_any_origin_never_acts_with_a_visitors_cookie(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """With '*' a page of any site can neither read nor act as the signed-in visitor."""
    exposed = expose(access={"authentication_required": True, "cors": {"allowed_origins": ["*"]}})
    link = client.create_link(exposed.mapping.id, user="ana")
    browser = visit()
    assert browser.get(link.url, follow_redirects=True).status_code == 200
    before = len(exposed.service.seen)
    foreign = {"origin": STRANGER, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
    answers = [browser.request(m, exposed.url, headers=foreign) for m in ("GET", "POST")]
    assert [a.status_code for a in answers] == [403, 403]
    assert len(exposed.service.seen) == before
    bearer = visit(token=client.create_user("program").token)
    assert bearer.get(exposed.url, headers=foreign).status_code == 200


def test_r12_without_cors_no_foreign_page_gets_anywhere(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """The default: no allowances, and a foreign page's write is refused."""
    exposed = expose()
    assert _allowances(_preflight(visit(), exposed, STRANGER)) == {}
    assert visit().post(exposed.url, headers={"origin": STRANGER}).status_code == 403
    assert _allowances(visit().get(exposed.url, headers={"origin": STRANGER})) == {}


def test_cors_is_switched_on_and_off_for_the_next_request(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """Editing `cors` takes effect at once; `enabled: false` is as if it were not there."""
    exposed = expose()
    visitor = visit()

    def allowed(cors: dict[str, Any] | None) -> str | None:
        client.update_port(exposed.mapping.id, access_control={"cors": cors})
        answer = visitor.get(exposed.url, headers={"origin": FRIEND})
        return str(answer.headers.get("access-control-allow-origin", "")) or None

    assert allowed(NAMED) == FRIEND
    assert allowed({"enabled": False}) is None
    assert allowed({"enabled": True}) == FRIEND
    assert allowed(None) is None


def test_a_foreign_websocket_is_refused_even_on_a_public_port(
    expose: Expose, visit: Visit, gateway: RunningGateway
) -> None:
    """R7: only the mapping's own pages, and origins that `cors` names, open WebSockets."""
    exposed = expose(access={"public_access": True, "cors": NAMED})
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    own = exposed.url
    for origin, status in ((own, 101), (FRIEND, 101), (STRANGER, 403), ("null", 403)):
        with visit().stream("GET", f"{exposed.url}/ws", headers={**upgrade, "origin": origin}) as a:
            assert a.status_code == status, origin
