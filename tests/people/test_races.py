"""Several people at the same moment: what may happen once happens once, and nobody is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import httpx

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import NotFoundError
from tests.fixtures.gateway import free_port
from tests.fixtures.traffic import Expose, SignIn, Visit, cookie_header
from tests.people.conftest import HTML

T = TypeVar("T")


def _at_once(*calls: Callable[[], T]) -> list[T]:
    """Call functions at the same moment; return what each returned."""
    line = threading.Barrier(len(calls))

    def call(function: Callable[[], T]) -> T:
        line.wait(20)
        return function()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [made.result() for made in [pool.submit(call, function) for function in calls]]


def test_r25_a_one_time_link_that_many_use_at_once_works_once(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """Of eight browsers that open it together one gets in, and there is one session."""
    exposed = private()
    for _ in range(5):
        client.revoke_sessions(port_id=exposed.mapping.id)
        url = client.create_link(exposed.mapping.id, user="ana").url
        browsers = [visit() for _ in range(8)]
        opened = [lambda b=b, u=url: b.get(u, headers=HTML).status_code for b in browsers]
        assert sorted(_at_once(*opened)) == [302] + [403] * 7
        assert len(client.list_sessions(port_id=exposed.mapping.id)) == 1


def test_several_people_are_added_at_once(private: Expose, client: ProxyClient) -> None:
    """Links with `allow` that are made together add everybody, and each of them once."""
    exposed = private("shared", ["ana"])
    names = [f"guest-{number}" for number in range(6)]
    for name in names:
        client.create_user(name)

    def share(name: str) -> str:
        return client.create_link(exposed.mapping.id, user=name, allow=True).user

    _at_once(*[lambda name=name: share(name) for name in [*names, *names]])
    (mapping,) = [m for m in client.list_ports() if m.id == exposed.mapping.id]
    assert mapping.access_control is not None
    allowed = mapping.access_control.allowed_users or []
    assert sorted(allowed) == ["ana", *names]


def test_the_limit_of_sessions_holds_when_all_come_at_once(
    private: Expose, cluster: ProxyClient, visit: Visit
) -> None:
    """With room for three, three of eight get in; the others are told that it is full."""
    exposed = private()
    cluster.revoke_sessions()
    cluster.update_access(max_concurrent_sessions=3)
    urls = [cluster.create_link(exposed.mapping.id, user=f"ana-{n}").url for n in range(8)]
    browsers = [(visit(), url) for url in urls]
    answers = _at_once(*[lambda b=b, u=u: b.get(u, headers=HTML) for b, u in browsers])
    assert sorted(a.status_code for a in answers) == [302] * 3 + [403] * 5
    assert all("is full" in a.text for a in answers if a.status_code == 403)
    assert len(cluster.list_sessions()) == 3


def test_signing_in_to_what_is_just_going_is_refused_and_leaves_nothing(
    client: ProxyClient, visit: Visit
) -> None:
    """Sign-in, link and invitation beside the end of their mapping: an answer, never a failure."""
    token = client.create_user("at the door").token
    for _ in range(6):
        mapping = client.create_port(internal_port=free_port(), description="going")
        link = client.create_link(mapping.id, user="ana").url
        form = f"{mapping.url}/.tensorone/sign-in?next=/"

        def redeem(url: str = link) -> int:
            return _status(lambda: visit().get(url, headers=HTML))

        def sign_in(url: str = form) -> int:
            return _status(lambda: visit().post(url, data={"token": token}))

        def invite(mapping_id: str = mapping.id) -> int:
            try:
                client.create_link(mapping_id, user="late", allow=True)
            except NotFoundError:
                return 404
            return 201

        def unexpose(mapping_id: str = mapping.id) -> int:
            client.delete_port(mapping_id)
            return 200

        answers = _at_once(redeem, sign_in, invite, unexpose, redeem, sign_in)
        assert set(answers) <= {0, 200, 201, 302, 303, 403, 404}, answers
        assert client.list_sessions(port_id=mapping.id) == []
        assert client.list_links(mapping.id) == []


def _status(ask: Callable[[], httpx.Response]) -> int:
    """Return the answer's status; 0 where there is nobody to answer any more."""
    try:
        return ask().status_code
    except httpx.TransportError:
        return 0


def test_r21_signing_in_again_does_not_undo_a_revocation(
    private: Expose, sign_in: SignIn, client: ProxyClient, visit: Visit
) -> None:
    """Whoever comes in anew while their session is revoked gets another; the old cookie is dead."""
    exposed = private()
    for _ in range(5):
        browser = sign_in(exposed)
        old = {"cookie": cookie_header(browser)}
        (session,) = client.list_sessions(port_id=exposed.mapping.id)
        link = client.create_link(exposed.mapping.id, user="ana").url

        def revoke(session_id: str = session.id) -> int:
            client.revoke_session(session_id)
            return 200

        def come_in(again: httpx.Client = browser, url: str = link) -> int:
            return again.get(url, headers=HTML).status_code

        _at_once(revoke, come_in)
        client.revoke_sessions(user="nobody")  # what Envoy refuses is told anew
        if session.id in {s.id for s in client.list_sessions(port_id=exposed.mapping.id)}:
            raise AssertionError("a revoked session is listed as live")
        assert visit(headers=old).get(exposed.url).status_code == 401
        client.revoke_sessions(port_id=exposed.mapping.id)
