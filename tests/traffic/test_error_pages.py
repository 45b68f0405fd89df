"""R3, R38, R59: what a visitor sees when there is no answer of the service's."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import free_port
from tests.fixtures.services.faulty import Fault, faulty_service
from tests.fixtures.traffic import Expose, SendRaw, SignIn, Visit

PUBLIC = {"public_access": True}
PRIVATE = {"authentication_required": True}
HTML = "text/html,application/xhtml+xml"
ATTACK = "'\"><script>alert(7)</script><img src=x onerror=alert(8)>"
NAME = "Name <script>alert(1)</script> & \"quotes\" 'single' %REQ(cookie)% %%"
SECRET = "s3cr3t-0123456789"


@pytest.fixture
def nothing(client: ProxyClient) -> str:
    """Expose a port nothing listens on, under a name that would like to be a script."""
    made = client.create_port(
        internal_port=free_port(),
        description=NAME,
        access_control=PUBLIC,
        health_check={"enabled": False},
    )
    return str(made.url)


def _headers(accept: str) -> dict[str, str]:
    return {
        "accept": accept,
        "x-attack": ATTACK,
        "referer": f"https://evil.example.com/{ATTACK}",
        "user-agent": ATTACK,
        "cookie": f"session={SECRET}; a={ATTACK}",
        "authorization": f"Bearer {SECRET}",
    }


def _path() -> str:
    quoted = "%22%3E%3Cscript%3Ealert(9)%3C/script%3E"
    return f"/{quoted};<b>?q={ATTACK}&token={SECRET}#{ATTACK}"


def _check(answer: httpx.Response, *, kind: str) -> None:
    text = html.unescape(answer.text) if kind == HTML else answer.text
    assert "script>alert(" not in answer.text.replace(html.escape(NAME), "").replace(NAME, "")
    for piece in ("alert(7)", "alert(8)", "alert(9)", "onerror", "evil.example.com", SECRET):
        assert piece not in text
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert re.match(r"default-src 'none'(;|$)", policy)
    assert "script" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert SECRET not in str(answer.headers)
    assert "envoy" not in f"{answer.text}{answer.headers}".lower()


@pytest.mark.parametrize("accept", [HTML, "application/json"])
@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_r03_the_page_of_a_service_that_does_not_answer_holds_nothing_of_the_request(
    nothing: str, visit: Visit, accept: str, *, http2: bool
) -> None:
    """502 with the service's port and its escaped name; the browser tries again by itself."""
    answer = visit(http2=http2).get(f"{nothing}{_path()}", headers=_headers(accept))
    assert answer.status_code == 502
    _check(answer, kind=accept)
    if accept == HTML:
        assert html.escape(NAME) in answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "refresh" in answer.headers
    else:
        assert answer.json()["error"]["code"] == "SERVICE_UNREACHABLE"


@pytest.mark.parametrize("accept", [HTML, "application/json"])
def test_r03_refusals_hold_nothing_of_the_request(
    expose: Expose, visit: Visit, sign_in: SignIn, accept: str
) -> None:
    """401, 403, 421 and 429 alike: a page for people, JSON for programs."""
    limit = {"requests_per_minute": 1, "burst_size": 1}
    private, limited = (
        expose("p", access=PRIVATE),
        expose("l", access={**PUBLIC, "rate_limit": limit}),
    )
    headers = _headers(accept)
    visit().get(limited.url)
    answers = {
        401: visit().post(f"{private.url}{_path()}", headers=headers),
        403: sign_in(private).post(
            f"{private.url}{_path()}",
            headers={k: v for k, v in headers.items() if k != "cookie"}
            | {"origin": f"https://evil.example.com{ATTACK}"},
        ),
        421: visit().get(f"{private.url}/", headers={**headers, "host": "evil.example.com"}),
        429: visit().get(f"{limited.url}{_path()}", headers=headers),
    }
    assert answers[401].headers["www-authenticate"] == "Bearer"
    for status, answer in answers.items():
        assert answer.status_code == status
        page = accept == HTML and status != 401  # who may sign in is sent there
        kind = "text/html" if page else "application/json"
        assert answer.headers["content-type"].startswith(kind)
        _check(answer, kind=accept)


def test_r03_the_way_to_the_sign_in_page_carries_the_path_and_nothing_else(
    expose: Expose, visit: Visit
) -> None:
    """The redirect's `next` is the request's own path; it cannot start another header or site."""
    exposed = expose(access=PRIVATE)
    for path in ("/a?b=c", "//evil.example.com", "/%0d%0aSet-Cookie:x=y", "/\\evil.example.com"):
        answer = visit().get(f"{exposed.url}{path}", headers={"accept": HTML})
        if answer.status_code == 302:
            location = answer.headers["location"]
            assert location.startswith("/.tensorone/sign-in?next=/")
            assert "set-cookie" not in answer.headers
        else:
            assert answer.status_code in {400, 401}


@pytest.mark.parametrize("fault", ["reset", "close", "garbage", "big-header"])
@pytest.mark.parametrize("accept", [HTML, "application/json"])
def test_r59_a_hostile_service_gets_502_or_503_and_leaks_nothing(
    client: ProxyClient, visit: Visit, fault: Fault, accept: str
) -> None:
    """Whatever it sends instead of an answer is not shown."""
    with faulty_service(fault) as service:
        made = client.create_port(
            internal_port=service.port,
            description="faulty",
            access_control=PUBLIC,
            health_check={"enabled": False},
        )
        answer = visit().get(f"{made.url}{_path()}", headers=_headers(accept))
        client.delete_port(made.id)
    assert answer.status_code in {502, 503}
    assert "alert(1)" not in answer.text
    assert "xxxx" not in answer.text
    _check(answer, kind=accept)


@pytest.mark.parametrize("fault", ["reset-in-body", "close-in-body", "cut-chunk"])
@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_p44_an_answer_that_breaks_off_is_a_failure_not_a_short_one(
    client: ProxyClient, visit: Visit, fault: Fault, *, http2: bool
) -> None:
    """The visitor's client sees an error, never a 200 that ends too soon."""
    with faulty_service(fault) as service:
        made = client.create_port(
            internal_port=service.port,
            description="faulty",
            access_control=PUBLIC,
            health_check={"enabled": False},
        )
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            visit(http2=http2).get(str(made.url))
        client.delete_port(made.id)


def test_r03_a_bad_request_is_answered_without_an_echo(expose: Expose, send_raw: SendRaw) -> None:
    """400, 431 and the like, which the parser gives, show nothing of what they refuse."""
    exposed = expose()
    requests = [
        f"GET /{ATTACK} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {ATTACK}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\n{ATTACK}\r\n\r\n",
        f"{ATTACK}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: localhost\r\nX: {ATTACK * 2000}\r\n\r\n",
    ]
    for request in requests:
        answer = send_raw(exposed, request.encode())
        assert b"alert(" not in answer
        assert b"onerror" not in answer


def test_r03_an_edited_name_is_on_the_next_page(
    nothing: str, visit: Visit, client: ProxyClient
) -> None:
    """The name on the page is the mapping's own, as it is now."""
    (mapping,) = [m for m in client.list_ports() if m.url == nothing]
    client.update_port(mapping.id, description="Another <i>name</i>")
    page = visit().get(nothing, headers={"accept": HTML}).text
    assert "Another &lt;i&gt;name&lt;/i&gt;" in page
