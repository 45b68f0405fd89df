"""Set-Cookie on its way to a browser: what a service may set, and what our own cookies are."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.gateway.xds.sign_in import session_cookie
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.traffic import Expose, Exposed, SignIn, Visit

DATE = "Wed, 21 Oct 2037 07:28:00 GMT"
GOOD = [
    "a=1",
    f"a=1; Expires={DATE}; Path=/app; HttpOnly; Secure; SameSite=None; Partitioned",
    'a={"x":1,"y":2}; Max-Age=10',
    "domain=x; path=/domain=1",
    "username=x; HttpOnly; Path=/",
    "my-username-localhost-8888=x",
    "__Host-app=1; Secure; Path=/",
    "__Host-t2-x=1; Secure; Path=/",
    "_xsrf2=1; HttpOnly",
    "=nameless",
    "a=",
]
REFUSED = [
    "{session}=planted; Path=/; Secure; HttpOnly",
    "{framed}=planted; Path=/; Secure; SameSite=None; Partitioned",
    "__Host-t1-port_another=x; Path=/; Secure",
    "__Host-t1x-{id}=x; Path=/; Secure",
    "__HOST-T1-{id}=x; Path=/; Secure",
    "{session} =planted; Path=/",
    "={session}=planted",
    "{session}",
    "username-localhost-8888=x; Path=/",
    "username-localhost-8888=; Max-Age=0",
    "username-127-0-0-1-1=x; Path=/",
    "jupyterhub-session-id=x; Path=/",
    "labs-login=x",
    "_xsrf=x; HttpOnly; Path=/",
    "_xsrf=x; httponly",
    "_xsrf=x; Path=/app",
]
WITHOUT_DOMAIN = {
    "a=1; Domain=localhost": "a=1",
    "a=1; Domain=.example.com; Path=/": "a=1; Path=/",
    "a=1;domain=localhost;HttpOnly": "a=1;HttpOnly",
    "a=1; Path=/; DOMAIN = x ; Secure": "a=1; Path=/; Secure",
    f"a=1; Domain=a; Expires={DATE}; Domain=b": f"a=1; Expires={DATE}",
    "a=1; Domain=": "a=1",
    "a=domain=x; Domain=y": "a=domain=x",
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run a gateway that is told of Jupyter's cookies, as the server extension does."""
    hidden = ("--hidden-cookie", "labs-login", "--hidden-cookie", "_xsrf")
    directory = tmp_path_factory.mktemp("state")
    with run_gateway(directory, "--external-ports", free_range(40), *hidden) as running:
        yield running


def _set(visitor: httpx.Client, exposed: Exposed, lines: list[str]) -> list[str]:
    """Return the Set-Cookie lines of an answer in which the service sent these."""
    answer = visitor.get(f"{exposed.url}/set-cookies", params={"line": lines})
    assert answer.status_code == 200
    assert answer.text == exposed.service.name
    return answer.headers.get_list("set-cookie")


def _refused(exposed: Exposed) -> list[str]:
    names = {framed: session_cookie(exposed.mapping.id, framed=framed) for framed in (False, True)}
    values = {"session": names[False], "framed": names[True], "id": exposed.mapping.id}
    return [line.format(**values) for line in REFUSED]


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_r19_a_services_own_cookies_are_set_byte_for_byte(
    expose: Expose, visit: Visit, *, http2: bool
) -> None:
    """Each alone and all together, with every attribute, in their order."""
    exposed = expose()
    visitor = visit(http2=http2)
    for lines in ([line] for line in GOOD):
        assert _set(visitor, exposed, lines) == lines
    assert _set(visitor, exposed, GOOD) == GOOD


def test_r19_a_service_cannot_set_what_is_not_its_own(expose: Expose, visit: Visit) -> None:
    """Our names, Jupyter's, and an `_xsrf` that would lock Jupyter out; alone and among others."""
    exposed = expose()
    visitor = visit()
    for line in _refused(exposed):
        assert _set(visitor, exposed, [line]) == [], line
        assert _set(visitor, exposed, ["ok=1", line, f"kept=2; Expires={DATE}"]) == [
            "ok=1",
            f"kept=2; Expires={DATE}",
        ], line
    assert _set(visitor, exposed, _refused(exposed)) == []


def test_r19_domain_is_dropped_and_the_cookie_kept(expose: Expose, visit: Visit) -> None:
    """A cookie stays on the mapping's own host name, whatever the service wishes."""
    exposed = expose()
    visitor = visit()
    for sent, expected in WITHOUT_DOMAIN.items():
        assert _set(visitor, exposed, [sent]) == [expected]
    everything = list(itertools.chain(WITHOUT_DOMAIN, GOOD, _refused(exposed)))
    assert _set(visitor, exposed, everything) == [*WITHOUT_DOMAIN.values(), *GOOD]


def test_r19_a_jupyter_behind_the_mapping_sets_its_own_cookie(expose: Expose, visit: Visit) -> None:
    """It is named after the local address, so it is nobody else's."""
    exposed = expose()
    own = f"username-127-0-0-1-{exposed.service.port}=x; HttpOnly; Path=/"
    assert _set(visit(), exposed, [own]) == [own]


def test_r19_a_hostile_answer_ends_no_session(
    expose: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """After a service tried to overwrite the sessions of itself and of another, both still work."""
    private = {"authentication_required": True}
    hostile, other = expose("hostile", access=private), expose("other", access=private)
    browser = sign_in(hostile)
    link = client.create_link(other.mapping.id, user="ana", path="/")
    assert browser.get(link.url, follow_redirects=True).status_code == 200
    _set(browser, hostile, [*_refused(hostile), *_refused(other)])
    assert [browser.get(e.url).status_code for e in (hostile, other)] == [200, 200]


def test_r19_our_own_cookies_are_as_strict_as_can_be(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """`__Host-`, Secure, HttpOnly, SameSite, no Domain, and an end."""
    exposed = expose(access={"authentication_required": True})
    link = client.create_link(exposed.mapping.id, user="ana", path="/")
    lines = visit().get(link.url).headers.get_list("set-cookie")
    assert len(lines) == 2, "without Sec-Fetch-Dest both kinds are set"
    for line in lines:
        name, *attributes = (part.strip().lower() for part in line.split(";"))
        kinds = {attribute.partition("=")[0]: attribute for attribute in attributes}
        assert name.startswith("__host-t1")
        assert kinds.keys() >= {"secure", "httponly", "samesite", "path", "max-age"}
        assert kinds["path"] == "path=/"
        assert "domain" not in kinds
        framed = name.startswith("__host-t1f-")
        assert kinds["samesite"] == ("samesite=none" if framed else "samesite=lax")
        assert ("partitioned" in kinds) == framed


def test_r05_a_second_jupyter_gets_its_own_xsrf_and_not_the_firsts(
    expose: Expose, visit: Visit
) -> None:
    """All Jupyter servers of a host share one `_xsrf`: a service sees it once it has set it."""
    jupyter, stranger = expose("second jupyter"), expose("stranger")
    browser = visit()
    browser.cookies.set("_xsrf", "labs|token", domain="localhost.local", path="/")
    browser.get(jupyter.url)
    assert jupyter.service.seen[-1].values("cookie") == []
    set_by_itself = _set(browser, jupyter, ["_xsrf=2|its|own; Path=/"])
    assert set_by_itself[-1] == "_xsrf=2|its|own; Path=/"
    cookies = httpx.Cookies()
    for line in set_by_itself:
        name, _, value = line.partition(";")[0].partition("=")
        cookies.set(name, value)
    jar = "; ".join(f"{c.name}={c.value}" for c in cookies.jar)
    for exposed, expected in ((jupyter, ["_xsrf=2|its|own"]), (stranger, [])):
        visit().get(exposed.url, headers={"cookie": jar})
        assert exposed.service.seen[-1].values("cookie") == expected
    overwritten = jar.replace("_xsrf=2|its|own", "_xsrf=labs|new")
    visit().get(jupyter.url, headers={"cookie": overwritten})
    assert jupyter.service.seen[-1].values("cookie") == []


def test_usual_cookies_need_no_control_plane(
    expose: Expose, sign_in: SignIn, gateway: RunningGateway
) -> None:
    """While Python restarts, sign-in and cookies go on; only odd ones are refused until then."""
    exposed = expose(access={"authentication_required": True})
    browser = sign_in(exposed)
    control = gateway.children()["control"]
    os.kill(control, signal.SIGSTOP)
    try:
        assert browser.get(exposed.url, headers={"x": "y"}).status_code == 200
        assert _set(browser, exposed, GOOD) == GOOD
        odd = browser.get(f"{exposed.url}/set-cookies", params={"line": "a=1; Domain=x"})
        assert odd.status_code == 503
        assert odd.json()["error"]["code"] == "GATEWAY_RESTARTING"
        assert "set-cookie" not in odd.headers
    finally:
        os.kill(control, signal.SIGCONT)
    assert _set(browser, exposed, ["a=1; Domain=x"]) == ["a=1"]
