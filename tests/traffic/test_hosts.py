"""R32: however a request names its host or its path, it gets no further without a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.gateway.xds.sign_in import session_cookie
from tests.fixtures.http2 import exchange_http2, get_headers
from tests.fixtures.traffic import Expose, Exposed, SendRaw, SignIn

PRIVATE = {"authentication_required": True}
HOSTS: dict[str, Callable[[int], str]] = {
    "usual": lambda port: f"localhost:{port}",
    "no port": lambda _: "localhost",
    "another port": lambda port: f"localhost:{port + 1}",
    "upper case": lambda port: f"LOCALHOST:{port}",
    "mixed case": lambda port: f"LocalHost:{port}",
    "trailing dot": lambda port: f"localhost.:{port}",
    "upper case, trailing dot": lambda port: f"LOCALHOST.:{port}",
    "two dots": lambda port: f"localhost..:{port}",
    "IPv4": lambda port: f"127.0.0.1:{port}",
    "IPv6": lambda port: f"[::1]:{port}",
    "mapped IPv6": lambda port: f"[::ffff:127.0.0.1]:{port}",
    "a stranger": lambda port: f"evil.example.com:{port}",
    "a look-alike": lambda port: f"localhost.evil.com:{port}",
    "user info": lambda port: f"localhost@evil.com:{port}",
    "leading zeros": lambda port: f"localhost:0{port}",
    "empty": lambda _: "",
    "a star": lambda _: "*",
    "a space": lambda port: f"localhost :{port}",
    "a percent": lambda port: f"localhost%00:{port}",
    "a slash": lambda port: f"localhost/:{port}",
    "a local service's port": lambda _: "127.0.0.1:22",
    "a cluster of Envoy's": lambda _: "visitor_pages",
}
SERVED = {"usual", "no port", "another port", "upper case", "mixed case", "trailing dot"} | {
    "upper case, trailing dot",
    "IPv4",
    "IPv6",
    "leading zeros",
    "a local service's port",
}
PATHS = [
    "/",
    "//",
    "/%2e%2e/",
    "/../../etc/passwd",
    "/a/../b",
    "/.%2e/x",
    "/%2F%2Fevil.example.com",
    "//evil.example.com/x",
    "/\\evil.example.com",
    "/%5cevil",
    "/a%00b",
    "/a;b=c/..;/d",
    "/.tensorone",
    "/.tensorone%2Fsign-in",
    "/%2etensorone/sign-in",
    "/.TENSORONE/sign-in",
    "/.tensorone/../",
    "/.tensorone/..%2f..%2f",
    "/x/../.tensorone/../y",
    "/.tensorone//../z",
    "/%252e%252e/",
    "/?next=/.tensorone/",
    "/#/.tensorone/",
    "*",
]


@pytest.fixture
def private(expose: Expose) -> Iterator[Exposed]:
    """Expose a private service; it must not have heard of a request when the test ends."""
    exposed = expose(access=PRIVATE)
    yield exposed
    assert exposed.service.seen == []


def _request(target: str, host: str, *more: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", "Connection: close", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _status(answer: bytes) -> int:
    """Return the status; 0 if the connection was closed without an answer."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.mark.parametrize("host", HOSTS)
def test_r32_no_spelling_of_the_host_opens_a_private_service(
    private: Exposed, send_raw: SendRaw, host: str
) -> None:
    """HTTP/1.1, HTTP/2 and absolute-form: 401, 421 or worse, for every host there is."""
    name = HOSTS[host](private.port)
    statuses = {
        "origin-form": _status(send_raw(private, _request("/", name))),
        "absolute-form": _status(send_raw(private, _request(f"https://{name}/", name))),
        "absolute over http": _status(send_raw(private, _request(f"http://{name}/", name))),
    }
    http2 = exchange_http2(private.port, get_headers(name))
    allowed = {401, 0, 400, 403, 404, 421}
    assert set(statuses.values()) <= allowed, statuses
    assert http2 in {"401", "400", "403", "404", "421", "reset"}
    if host in SERVED:
        assert statuses["origin-form"] == 401
    elif host not in {"empty", "two dots"}:
        assert statuses["origin-form"] in {0, 400, 403, 421}


@pytest.mark.parametrize("path", PATHS)
def test_r32_no_spelling_of_the_path_opens_a_private_service(
    private: Exposed, send_raw: SendRaw, path: str
) -> None:
    """Dots, slashes, encodings and our own prefix in disguise lead to no service."""
    host = f"localhost:{private.port}"
    found = _status(send_raw(private, _request(path, host)))
    assert found in {0, 301, 302, 307, 400, 401, 404}, found
    assert exchange_http2(private.port, get_headers(host, path)) in {
        *map(str, (301, 302, 307, 400, 401, 404)),
        "reset",
    }


@pytest.mark.parametrize("host", sorted(SERVED))
def test_r32_another_mappings_session_opens_nothing_under_any_host(
    private: Exposed, expose: Expose, sign_in: SignIn, send_raw: SendRaw, host: str
) -> None:
    """A session of the neighbour's is none, whatever Host comes with it."""
    other = expose("other", access=PRIVATE)
    token = sign_in(other).cookies[session_cookie(other.mapping.id)]
    for port in (private.port, other.port):
        for mapping in (private, other):
            cookie = f"Cookie: {session_cookie(mapping.mapping.id)}={token}"
            request = _request("/", HOSTS[host](port), cookie)
            assert _status(send_raw(private, request)) == 401
    usual = _request(
        "/", f"localhost:{other.port}", f"Cookie: {session_cookie(other.mapping.id)}={token}"
    )
    assert _status(send_raw(other, usual)) == 200


def test_r32_an_absolute_form_that_contradicts_the_host_is_judged_by_itself(
    private: Exposed, send_raw: SendRaw
) -> None:
    """The request's target wins over its Host (RFC 9112, 3.2.2); neither opens anything."""
    good, evil = f"localhost:{private.port}", "evil.example.com"
    assert _status(send_raw(private, _request(f"https://{evil}/", good))) == 421
    assert _status(send_raw(private, _request(f"https://{good}/", evil))) == 401


@pytest.mark.parametrize("lines", [[], ["Host: localhost", "Host: evil.example.com"], ["Host : x"]])
def test_r32_no_host_two_hosts_or_an_odd_one_are_refused(
    private: Exposed, send_raw: SendRaw, lines: list[str]
) -> None:
    """HTTP/1.1 requires exactly one Host (RFC 9112, 3.2)."""
    head = "\r\n".join(["GET / HTTP/1.1", *lines, "Connection: close"])
    answer = send_raw(private, f"{head}\r\n\r\n".encode())
    assert _status(answer) in {0, 400, 421}


def test_r32_the_served_names_are_served(
    expose: Expose, sign_in: SignIn, send_raw: SendRaw, client: ProxyClient
) -> None:
    """With a session each spelling of the right host reaches the service: the rest is refusal."""
    exposed = expose(access=PRIVATE)
    cookie = session_cookie(exposed.mapping.id)
    token = sign_in(exposed).cookies[cookie]
    found = {
        host: _status(
            send_raw(exposed, _request("/", HOSTS[host](exposed.port), f"Cookie: {cookie}={token}"))
        )
        for host in sorted(SERVED)
    }
    assert found == dict.fromkeys(sorted(SERVED), 200)
