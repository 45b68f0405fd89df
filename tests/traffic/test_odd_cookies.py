"""Cookies in every shape, byte for byte: several lines, very long ones, one session twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.gateway.xds.sign_in import session_cookie
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.http2 import exchange_http2, get_headers
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import Expose, Exposed, OpenWebSocket, SendRaw, SignIn, Visit

PRIVATE = {"authentication_required": True}
LABS_OWN = "labs-login"
OURS = "__Host-t1-port_2another=eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
UNTOUCHED = [
    "a=1",
    "a=1; b=2; c=3",
    "a=1;b=2",
    "a=1;  b=2;",
    'a={"x":1,"y":[2,3]}; b="q; r"',
    "a=; =b; c; d==e",
    "a=%E2%82%AC+%3B; b=caf\xe9",
    "A__Host-t1-x=1; x__Host-t1f-=2; __Host-t2=3; __host-t1-low=4; t1-=5",
    "username=ana; my-username-localhost-8888=y; labs-login2=z; my-labs-login=a",
    "session=a.b.c; csrftoken=d; _streamlit_xsrf=e; _xsrf2=f; a_xsrf=g",
    "a=" + "x" * 4000 + "; b=" + "y" * 4000,
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run a gateway that is told of Jupyter's cookies, as the server extension does."""
    hidden = ("--hidden-cookie", LABS_OWN, "--hidden-cookie", "_xsrf")
    directory = tmp_path_factory.mktemp("state")
    with run_gateway(directory, "--external-ports", free_range(40), *hidden) as running:
        yield running


def _request(exposed: Exposed, lines: list[str]) -> bytes:
    head = f"GET / HTTP/1.1\r\nHost: localhost:{exposed.port}\r\nConnection: close\r\n"
    return (head + "".join(f"Cookie: {line}\r\n" for line in lines) + "\r\n").encode("latin-1")


def _seen(send_raw: SendRaw, exposed: Exposed, *lines: str) -> list[str]:
    """Return the Cookie lines that the service saw of one HTTP/1.1 request."""
    answer = send_raw(exposed, _request(exposed, list(lines)))
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    return exposed.service.seen[-1].values("cookie")


@pytest.mark.parametrize("line", UNTOUCHED, ids=range(len(UNTOUCHED)))
def test_r09_other_cookies_pass_byte_for_byte(expose: Expose, send_raw: SendRaw, line: str) -> None:
    """Alone, and with ours before, between and after them."""
    exposed = expose()
    assert _seen(send_raw, exposed, line) == [line]
    assert _seen(send_raw, exposed, f"{OURS}; {line}") == [line]
    assert _seen(send_raw, exposed, f"{OURS}; {OURS}; {line}; {OURS}") == [line]
    middle = line.replace("; b=", f"; {OURS}; {LABS_OWN}=2|1:0; b=", 1)
    assert _seen(send_raw, exposed, middle) == [line]


@pytest.mark.parametrize(
    "line",
    [
        OURS,
        f"{OURS};",
        f" {OURS} ; {OURS}",
        "__Host-t1f-port_x=a.b.c",
        "__Host-t1x-port_x=0123",
        f"{LABS_OWN}=2|1:0|10:1|a; _xsrf=2|abc|def|1",
        f"_xsrf=1; {OURS}; _xsrf=2",
    ],
)
@pytest.mark.parametrize("again", [1, 3])
def test_r05_r45_p28_ours_and_jupyters_cookies_never_reach_the_service(
    expose: Expose, send_raw: SendRaw, line: str, again: int
) -> None:
    """Whoever's session it is, framed or not, on one line or on several."""
    exposed = expose()
    assert _seen(send_raw, exposed, *[line] * again) == []


def test_r09_several_cookie_lines_are_joined_as_http2_does(
    expose: Expose, send_raw: SendRaw
) -> None:
    """HTTP/1.1 lines become one with `; ` between them; ours are gone from each."""
    exposed = expose()
    assert _seen(send_raw, exposed, "a=1", "b=2,3; c=4") == ["a=1; b=2,3; c=4"]
    assert _seen(send_raw, exposed, "a=1", OURS, f"{OURS}; b=2", "_xsrf=3; c=4") == [
        "a=1; b=2; c=4"
    ]


def test_r09_http2_crumbs_are_one_header(expose: Expose, visit: Visit) -> None:
    """HTTP/2 clients may send each cookie by itself (RFC 9113, 8.2.3); they are one line again."""
    exposed = expose()
    crumbs = [("cookie", c) for c in ("a=1", OURS, 'b="2,3"', f"{LABS_OWN}=x", "c=4")]
    head = get_headers(f"localhost:{exposed.port}")
    assert exchange_http2(exposed.port, [*head, *crumbs]) == "200"
    assert exposed.service.seen[-1].values("cookie") == ['a=1; b="2,3"; c=4']


@pytest.mark.parametrize("size", [8_150, 8_192, 8_193, 9_000, 50_000])
def test_r09_a_long_cookie_header_passes_whole(
    expose: Expose, send_raw: SendRaw, size: int
) -> None:
    """More than 8 KB of cookies are passed on as well, byte for byte; ours are gone."""
    exposed = expose()
    long = "; ".join(f"c{number}={'x' * 3_000}" for number in range(size // 3_006))
    long = f"{long}; rest={'y' * (size - len(long) - 7)}"
    assert _seen(send_raw, exposed, long) == [long]
    assert _seen(send_raw, exposed, f"{OURS}; {long}; {LABS_OWN}=1") == [long]


def test_r05_a_signed_in_request_with_odd_cookies_is_still_signed_in(
    expose: Expose, sign_in: SignIn, send_raw: SendRaw
) -> None:
    """Several lines and long headers do not cost the session, and do not leak it."""
    exposed = expose(access=PRIVATE)
    name = session_cookie(exposed.mapping.id)
    session = f"{name}={sign_in(exposed).cookies[name]}"
    assert _seen(send_raw, exposed, "a=1", session) == ["a=1"]
    assert _seen(send_raw, exposed, session, "a=1") == ["a=1"]
    assert _seen(send_raw, exposed, f"a={'x' * 9_000}; {session}; b=2") == [f"a={'x' * 9_000}; b=2"]
    assert {user for seen in exposed.service.seen for user in seen.values("x-forwarded-user")} == {
        "ana"
    }


@pytest.mark.parametrize(
    "bad",
    ["nonsense", "a.b.c", "", "eyJhbGciOiJub25lIn0.e30.", "x" * 3000],
)
@pytest.mark.parametrize("framed", [False, True], ids=["top-level", "framed"])
def test_r19_trap_10_a_bad_duplicate_locks_nobody_out(
    expose: Expose, sign_in: SignIn, send_raw: SendRaw, bad: str, *, framed: bool
) -> None:
    """A planted cookie of the session's name, before or after the good one, changes nothing."""
    exposed = expose(access=PRIVATE)
    token = sign_in(exposed).cookies[session_cookie(exposed.mapping.id)]
    name = session_cookie(exposed.mapping.id, framed=framed)
    good, planted = f"{name}={token}", f"{name}={bad}"
    for cookies in ([good, planted], [planted, good], [planted, planted, "a=1", good, planted]):
        left = ["a=1"] if "a=1" in cookies else []
        assert _seen(send_raw, exposed, "; ".join(cookies)) == left
        assert _seen(send_raw, exposed, *cookies) == left


def test_r19_the_other_kind_of_session_may_be_bad(
    expose: Expose, sign_in: SignIn, send_raw: SendRaw
) -> None:
    """An old framed session beside a good one, or the other way round, locks nobody out."""
    exposed = expose(access=PRIVATE)
    token = sign_in(exposed).cookies[session_cookie(exposed.mapping.id)]
    names = [session_cookie(exposed.mapping.id, framed=framed) for framed in (False, True)]
    for good, bad in (names, reversed(names)):
        assert _seen(send_raw, exposed, f"{bad}=old.to.ken; {good}={token}; a=1") == ["a=1"]


def test_r05_a_websocket_hands_no_session_on(
    expose: Expose, sign_in: SignIn, websocket: OpenWebSocket
) -> None:
    """The handshake's cookies are treated like a request's."""
    exposed = expose(access=PRIVATE)
    name = session_cookie(exposed.mapping.id)
    session = f"{name}={sign_in(exposed).cookies[name]}"
    cookies = f"a=1; {session}; {LABS_OWN}=x; _xsrf=y; b=2"
    websocket(exposed, additional_headers={"cookie": cookies})
    assert exposed.service.seen[-1].values("cookie") == ["a=1; b=2"]


def test_r05_a_services_own_tokens_pass(expose: Expose, sign_in: SignIn) -> None:
    """A service with tokens of its own still gets them, from whoever is signed in by cookie."""
    exposed = expose(access=PRIVATE)
    browser = sign_in(exposed)
    for own in ("Bearer service-token", "token 0123", "Basic dXNlcjpwdw=="):
        assert browser.get(exposed.url, headers={"authorization": own}).status_code == 200
        assert exposed.service.seen[-1].values("authorization") == [own]


def test_r05_a_public_service_sees_no_token_of_ours_either(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """Who signs in where nobody must is known by name; the token stays here."""
    exposed = expose()
    token = client.create_user("ana of public").token
    assert visit(token=token).get(exposed.url).status_code == 200
    assert exposed.service.seen[-1].values("authorization") == []
    assert exposed.service.seen[-1].values("x-forwarded-user") == ["ana of public"]


def test_hidden_cookies_are_those_the_gateway_was_told_of(tmp_path: Path) -> None:
    """Without `--hidden-cookie` a service gets `_xsrf`, as many apps have their own."""
    with run_gateway(tmp_path) as running, running.client() as api, web_service() as service:
        public = {"public_access": True}
        made = api.create_port(internal_port=service.port, description="web", access_control=public)
        with running.visitor() as visitor:
            cookies = {"cookie": f"{LABS_OWN}=1; {OURS}; _xsrf=2"}
            assert visitor.get(str(made.url), headers=cookies).status_code == 200
    assert service.seen[-1].values("cookie") == [f"{LABS_OWN}=1; _xsrf=2"]
