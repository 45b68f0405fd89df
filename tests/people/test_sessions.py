"""Sessions: who is in, until when, how many, and how they end."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import NotFoundError
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.traffic import Expose, OpenWebSocket, SignIn, Visit, cookie_header


def _is_open(socket: ClientConnection) -> bool:
    try:
        socket.send("ping")
        return socket.recv(timeout=5) == "ping"
    except ConnectionClosed:
        return False


def test_a_session_says_who_where_since_when_and_how(
    private: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """The list has user, mapping, address, the moments, and how they came in."""
    exposed = private()
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    sign_in(exposed, "ana", address="127.0.0.9")
    (session,) = client.list_sessions(port_id=exposed.mapping.id)
    assert (session.user, session.client_ip, session.via) == ("ana", "127.0.0.9", "link")
    assert session.created_at is not None
    assert session.expires_at is not None
    assert before < session.created_at < datetime.now(timezone.utc) + timedelta(seconds=1)
    assert timedelta(hours=7.9) < session.expires_at - session.created_at <= timedelta(hours=8)


def test_last_seen_follows_the_visits(
    private: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """A visit is seen; so is a stream that is just open."""
    exposed = private()
    browser = sign_in(exposed)
    (first,) = client.list_sessions(port_id=exposed.mapping.id)
    time.sleep(1.1)
    browser.get(exposed.url)

    def seen() -> datetime:
        moment = client.list_sessions(port_id=exposed.mapping.id)[0].last_seen
        assert moment is not None
        return moment

    assert first.last_seen is not None
    started = first.last_seen
    assert wait_until(lambda: seen() > started + timedelta(seconds=1))


def test_a_session_opens_its_own_mapping_only(
    private: Expose, sign_in: SignIn, visit: Visit
) -> None:
    """R45: the cookie of one mapping, sent to another on the same host name, is worth nothing."""
    mine, other = private("mine"), private("other")
    browser = sign_in(mine)
    stolen = {"cookie": cookie_header(browser).replace(mine.mapping.id, other.mapping.id)}
    assert browser.get(mine.url).status_code == 200
    assert browser.get(other.url).status_code == 401
    assert visit().get(other.url, headers=stolen).status_code in {401, 403}
    assert other.service.seen == []


def test_signing_in_again_renews_the_session(
    private: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """Opening a service over and over is one session, not many."""
    exposed = private()
    browser = sign_in(exposed)
    (first,) = client.list_sessions(port_id=exposed.mapping.id)
    for _ in range(3):
        browser.get(client.create_link(exposed.mapping.id, user="ana").url)
    (again,) = client.list_sessions(port_id=exposed.mapping.id)
    assert again.id == first.id
    assert browser.get(exposed.url).status_code == 200


def test_another_persons_link_replaces_the_session(
    private: Expose, sign_in: SignIn, client: ProxyClient, visit: Visit
) -> None:
    """Whoever signs in as somebody else in the same browser is no longer who they were."""
    exposed = private()
    browser = sign_in(exposed, "ana")
    old = {"cookie": cookie_header(browser)}
    browser.get(client.create_link(exposed.mapping.id, user="ben").url)
    assert [s.user for s in client.list_sessions(port_id=exposed.mapping.id)] == ["ben"]
    browser.get(exposed.url)
    assert exposed.service.seen[-1].values("x-forwarded-user") == ["ben"]
    assert visit().get(exposed.url, headers=old).status_code == 401


def test_r21_a_revoked_session_is_refused_at_once(
    private: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """The next request of a revoked session gets 401, a browser the sign-in page; others go on."""
    exposed = private()
    browser, other = sign_in(exposed, "ana"), sign_in(exposed, "ben")
    session = next(s for s in client.list_sessions() if s.user == "ana")
    count = len(exposed.service.seen)
    client.revoke_session(session.id)
    assert browser.get(exposed.url).status_code == 401
    page = browser.get(f"{exposed.url}/deep?a=1", headers={"accept": "text/html"})
    assert page.status_code == 302
    assert page.headers["location"] == "/.tensorone/sign-in?next=/deep?a=1"
    assert len(exposed.service.seen) == count
    assert other.get(exposed.url).status_code == 200
    with pytest.raises(NotFoundError, match="no live session"):
        client.revoke_session(session.id)


@pytest.mark.parametrize("condition", ["user", "port", "all"])
def test_r21_sessions_are_revoked_by_user_by_mapping_or_all(
    private: Expose, sign_in: SignIn, client: ProxyClient, condition: str
) -> None:
    """One call ends everything that matches, and tells how many that were."""
    one, two = private("one"), private("two")
    browsers = {
        (name, exposed.mapping.description): (sign_in(exposed, name), exposed)
        for exposed in (one, two)
        for name in ("ana", "ben")
    }
    chosen = {"user": {"user": "ana"}, "port": {"port_id": one.mapping.id}, "all": {}}[condition]
    done = client.revoke_sessions(**chosen)
    ended = {
        key
        for key, (browser, exposed) in browsers.items()
        if browser.get(exposed.url).status_code == 401
    }
    expected = {
        "user": {("ana", "one"), ("ana", "two")},
        "port": {("ana", "one"), ("ben", "one")},
        "all": set(browsers),
    }[condition]
    assert ended == expected
    assert done.revoked >= len(expected)


@pytest.mark.parametrize("how", ["revoked", "uninvited", "signed out"])
def test_r21_open_websockets_are_cut(
    private: Expose,
    sign_in: SignIn,
    websocket: OpenWebSocket,
    client: ProxyClient,
    how: str,
) -> None:
    """A WebSocket that is open does not outlive its session; another mapping's is untouched."""
    exposed, elsewhere = private("here", ["ana", "ben"]), private("elsewhere")
    browser, away = sign_in(exposed, "ana"), sign_in(elsewhere, "ana")
    cookies = {"additional_headers": {"cookie": cookie_header(browser)}}
    socket = websocket(exposed, **cookies)
    other = websocket(elsewhere, additional_headers={"cookie": cookie_header(away)})
    assert _is_open(socket)
    if how == "revoked":
        client.revoke_sessions(user="ana", port_id=exposed.mapping.id)
    elif how == "uninvited":
        client.update_port(exposed.mapping.id, access_control={"allowed_users": ["ben"]})
    else:
        origin = {"origin": exposed.url}
        assert browser.post(f"{exposed.url}/.tensorone/sign-out", headers=origin).status_code == 200
    assert wait_until(lambda: not _is_open(socket), seconds=10)
    assert browser.get(exposed.url).status_code in {401, 403}
    assert _is_open(other)


def test_r21_an_open_stream_is_cut(private: Expose, sign_in: SignIn, client: ProxyClient) -> None:
    """A stream of events ends with the session it was opened with."""
    exposed = private()
    browser = sign_in(exposed)
    ended = threading.Event()
    first = threading.Event()

    def read() -> None:
        try:
            with browser.stream("GET", f"{exposed.url}/events?count=100000") as answer:
                for _ in answer.iter_lines():
                    first.set()
        except httpx.TransportError:
            pass  # being cut is what is waited for
        ended.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert first.wait(10)
    client.revoke_sessions(port_id=exposed.mapping.id)
    assert ended.wait(10)
    thread.join()


def test_a_session_that_expires_ends_its_streams_too(
    private: Expose, client: ProxyClient, visit: Visit, websocket: OpenWebSocket
) -> None:
    """A link with `ends_sessions` gives a session that ends with it, open WebSockets included."""
    exposed = private()
    browser = visit()
    link = client.create_link(
        exposed.mapping.id, user="ana", expires_in_seconds=10, one_time=False, ends_sessions=True
    )
    browser.get(link.url)
    socket = websocket(exposed, additional_headers={"cookie": cookie_header(browser)})
    assert _is_open(socket)
    assert browser.get(exposed.url).status_code == 200
    assert wait_until(lambda: not _is_open(socket), seconds=40)
    assert client.list_sessions(port_id=exposed.mapping.id) == []


def test_session_timeout_minutes_of_the_mapping_wins(
    private: Expose, sign_in: SignIn, cluster: ProxyClient
) -> None:
    """The mapping's value overrides the cluster's."""
    cluster.update_access(session_timeout_minutes=30)
    general, own = private("general"), private("own", session_timeout_minutes=5)
    for exposed, minutes in ((general, 30), (own, 5)):
        sign_in(exposed)
        (session,) = cluster.list_sessions(port_id=exposed.mapping.id)
        assert session.expires_at is not None
        assert session.created_at is not None
        lasts = (session.expires_at - session.created_at).total_seconds()
        assert minutes * 60 - 2 <= lasts <= minutes * 60


def test_max_concurrent_sessions_refuses_one_more_and_keeps_those_who_are_in(
    private: Expose, sign_in: SignIn, visit: Visit, cluster: ProxyClient
) -> None:
    """Over the limit a new sign-in is told so; the link is not used up; who is in goes on."""
    cluster.revoke_sessions()
    exposed = private()
    cluster.update_access(max_concurrent_sessions=2)
    inside = [sign_in(exposed, "ana"), sign_in(exposed, "ben")]
    link = cluster.create_link(exposed.mapping.id, user="cem")
    late = visit()
    refused = late.get(link.url)
    assert refused.status_code == 403
    assert "is full" in refused.text
    assert [b.get(exposed.url).status_code for b in inside] == [200, 200]
    inside[0].get(cluster.create_link(exposed.mapping.id, user="ana").url)  # a renewal is no more
    assert len(cluster.list_sessions()) == 2
    cluster.revoke_sessions(user="ana")
    assert late.get(link.url).status_code == 302


def test_the_certain_identity_is_the_sessions(private: Expose, sign_in: SignIn) -> None:
    """R33: what a client says of itself does not reach the service."""
    exposed = private()
    browser = sign_in(exposed, "ana")
    forged = {
        "x-forwarded-user": "root",
        "x-tensorone-session": "ses_forged",
        "x-tensorone-assertion": "forged",
        "x-tensorone-port": "port_forged",
    }
    browser.get(exposed.url, headers=forged)
    seen = exposed.service.seen[-1]
    assert seen.values("x-forwarded-user") == ["ana"]
    assert [name for name, _ in seen.headers if name.startswith("x-tensorone")] == []


def test_deleting_a_mapping_ends_its_sessions(client: ProxyClient, visit: Visit) -> None:
    """Nothing of a mapping that is gone counts any more."""
    mapping = client.create_port(internal_port=free_port(), description="short-lived")
    assert visit().get(client.create_link(mapping.id, user="ana").url).status_code == 302
    assert len(client.list_sessions(port_id=mapping.id)) == 1
    client.delete_port(mapping.id)
    assert client.list_sessions(port_id=mapping.id) == []
