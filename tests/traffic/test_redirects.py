"""P11: a service redirects to the address it believes it has; visitors get the public one."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.fixtures.traffic import Expose, SendRaw, Visit

TO_ITSELF = {
    "http://127.0.0.1:{port}/a/b?c=d#e": "/a/b?c=d#e",
    "http://localhost:{port}/a": "/a",
    "http://[::1]:{port}/a": "/a",
    "https://127.0.0.1:{port}/a": "/a",
    "//127.0.0.1:{port}/a": "/a",
    "http://127.0.0.1:{port}/": "/",
    "http://127.0.0.1:{port}": "/",
    "http://127.0.0.1:{port}?c=d": "/?c=d",
    "http://127.0.0.1:{port}//a": "//a",
}
ELSEWHERE = [
    "https://example.com/a?b=http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}0/a",
    "http://127.0.0.1:1/a",
    "http://127.0.0.1:{port}@evil.example.com/a",
    "http://127.0.0.1:{port}.evil.example.com/a",
    "/a/b?c=%2F",
    "a/b",
    "?page=2",
    "#top",
    "mailto:a@example.com",
    "http://127.0.0.10:{port}/a",
]


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_p11_redirects_to_the_local_address_come_back_public(
    expose: Expose, visit: Visit, *, http2: bool
) -> None:
    """Scheme, host and port go; path, query and fragment stay, byte for byte."""
    exposed, visitor = expose(), visit(http2=http2)
    for location, expected in TO_ITSELF.items():
        to = location.format(port=exposed.service.port)
        answer = visitor.get(f"{exposed.url}/redirect", params={"to": to})
        assert (answer.status_code, answer.headers["location"]) == (302, expected), to


def test_p11_other_redirects_are_not_touched(expose: Expose, send_raw: SendRaw) -> None:
    """What leads elsewhere, or is relative already, is what the service said."""
    exposed = expose()
    for location in ELSEWHERE:
        to = location.format(port=exposed.service.port)
        head = f"GET /redirect?to={quote(to, safe='')} HTTP/1.1\r\nHost: localhost\r\n"
        answer = send_raw(exposed, f"{head}Connection: close\r\n\r\n".encode()).decode()
        assert f"\r\nlocation: {to}\r\n" in answer


def test_p11_a_visitor_who_follows_stays_signed_in(expose: Expose, visit: Visit) -> None:
    """The redirect leads to the same mapping, on the same port."""
    exposed = expose()
    to = f"http://localhost:{exposed.service.port}/headers"
    answer = visit(follow_redirects=True).get(f"{exposed.url}/redirect", params={"to": to})
    assert str(answer.url) == f"{exposed.url}/headers"
    assert [seen.path for seen in exposed.service.seen] == ["/redirect", "/headers"]
