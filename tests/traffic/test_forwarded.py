"""What the service is told about the visitor: once, true, and by nobody but the gateway."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.services.web import Seen
from tests.fixtures.traffic import (
    Expose,
    Exposed,
    OpenWebSocket,
    SendRaw,
    SignIn,
    Visit,
    cookie_header,
)

PRIVATE = {"authentication_required": True}
ANOTHER = "203.0.113.7"
SPOOFED = {
    "x-forwarded-for": f"{ANOTHER}, 10.0.0.1",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "evil.example.com",
    "x-forwarded-port": "1",
    "x-forwarded-prefix": "/evil",
    "x-forwarded-user": "root",
    "x-forwarded-email": "root@example.com",
    "x-forwarded-groups": "admins",
    "x-forwarded-preferred-username": "root",
    "x-forwarded-client-cert": "Subject=root",
    "x-real-ip": ANOTHER,
    "x-remote-user": "root",
    "x-auth-request-user": "root",
    "remote-user": "root",
    "forwarded": f"for={ANOTHER};host=evil.example.com;proto=http",
    "x-tensorone-port": "port_another",
    "x-envoy-external-address": ANOTHER,
    "x-envoy-internal": "true",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-expected-rq-timeout-ms": "1",
    "x-envoy-retry-on": "5xx",
    "x-envoy-max-retries": "9",
    "x-envoy-original-path": "/evil",
    "x-envoy-original-host": "evil.example.com",
    "x-envoy-decorator-operation": "evil",
    "x-envoy-force-trace": "1",
    "x-envoy-peer-metadata": "evil",
}


def _told(seen: Seen) -> dict[str, list[str]]:
    """Return everything the service was told about the visitor and the way here."""
    prefixes = (
        "x-forwarded-",
        "x-envoy-",
        "x-tensorone-",
        "x-real",
        "x-remote",
        "x-auth",
        "remote",
    )
    names = {name for name, _ in seen.headers if name.startswith(prefixes) or name == "forwarded"}
    return {name: seen.values(name) for name in sorted(names)}


def _expected(exposed: Exposed, user: str | None, address: str = "127.0.0.1") -> dict[str, Any]:
    told = {
        "x-forwarded-for": [address],
        "x-forwarded-host": [f"localhost:{exposed.port}"],
        "x-forwarded-proto": ["https"],
    }
    return told | ({"x-forwarded-user": [user]} if user else {})


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
@pytest.mark.parametrize("spoof", [False, True], ids=["honest", "spoofing"])
def test_r33_p9_p27_a_public_service_is_told_the_truth_once(
    expose: Expose, visit: Visit, *, spoof: bool, http2: bool
) -> None:
    """Address, scheme and host of the visitor, once each; nothing that a client says of them."""
    exposed = expose()
    visitor = visit("127.0.0.9", http2=http2, headers=SPOOFED if spoof else {})
    assert visitor.get(exposed.url).status_code == 200
    assert _told(exposed.service.seen[0]) == _expected(exposed, None, "127.0.0.9")


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_r33_p27_a_private_service_is_told_who_is_signed_in(
    expose: Expose, visit: Visit, sign_in: SignIn, client: ProxyClient, *, http2: bool
) -> None:
    """Exactly one identity, the verified one, however much the client claims."""
    exposed = expose(access=PRIVATE)
    ben = f"ben ({http2})"
    visitors = {
        "ana": sign_in(exposed, "ana", http2=http2),
        ben: visit(token=client.create_user(ben).token, http2=http2),
    }
    for user, visitor in visitors.items():
        assert visitor.get(exposed.url, headers=SPOOFED).status_code == 200
        assert _told(exposed.service.seen[-1]) == _expected(exposed, user)


def test_r33_a_repeated_header_is_dropped_as_a_whole(expose: Expose, visit: Visit) -> None:
    """Several lines of one forged header, in any case, leave nothing behind."""
    exposed = expose()
    lines = [("X-Forwarded-For", "1.1.1.1"), ("x-forwarded-FOR", "2.2.2.2"), ("X-Envoy-A", "b")]
    assert visit().get(exposed.url, headers=[*lines, *lines]).status_code == 200
    assert _told(exposed.service.seen[0]) == _expected(exposed, None)


@pytest.mark.parametrize(
    "line", ["X_Forwarded_User: root", "X_Forwarded_For: 1.1.1.1", "Remote_User: root"]
)
def test_r33_an_underscore_is_no_second_spelling(expose: Expose, visit: Visit, line: str) -> None:
    """CGI-like services read `X_Forwarded_User` as `X-Forwarded-User`, so it is refused."""
    exposed = expose()
    name, _, value = line.partition(": ")
    assert visit().get(exposed.url, headers={name: value}).status_code == 400
    assert exposed.service.seen == []


@pytest.mark.parametrize(
    "nominated",
    ["close, X-Forwarded-User", "x-forwarded-for, x-forwarded-user, host", "Cookie, Origin, te"],
)
def test_r33_a_client_cannot_have_our_headers_dropped_on_the_way(
    expose: Expose, sign_in: SignIn, send_raw: SendRaw, nominated: str
) -> None:
    """`Connection` names headers for one hop (RFC 9110, 7.6.1); the service gets no such list."""
    exposed = expose(access=PRIVATE)
    session = cookie_header(sign_in(exposed))
    request = (
        f"GET / HTTP/1.1\r\nHost: localhost:{exposed.port}\r\nConnection: {nominated}\r\n"
        f"Cookie: {session}; kept=1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n"
        "TE: gzip\r\nX-Mine: 1\r\n\r\n"
    )
    answer = send_raw(exposed, request.encode())
    assert answer[9:12] in {b"200", b"400", b"401"}
    for seen in exposed.service.seen:
        told = _told(seen)
        assert told["x-forwarded-user"] == ["ana"]
        assert told["x-forwarded-for"] == ["127.0.0.1"]
        assert not {"keep-alive", "proxy-connection", "te"} & {name for name, _ in seen.headers}
        assert not any("forwarded" in value for value in seen.values("connection"))


@pytest.mark.parametrize("order", ["cookie of ana, bearer of ben", "cookie of ben, bearer of ana"])
def test_trap_6_two_identities_at_once_are_one(
    expose: Expose, visit: Visit, sign_in: SignIn, client: ProxyClient, order: str
) -> None:
    """A session of one person and a token of another: the token counts; neither is handed on."""
    exposed = expose(access=PRIVATE)
    by_cookie, by_bearer = [part.rpartition(" ")[2] for part in order.split(", ")]
    session = cookie_header(sign_in(exposed, by_cookie))
    name = f"{by_bearer} {order[10]}"
    token = client.create_user(name).token
    headers = {"cookie": f"{session}; kept=1"}
    assert visit(token=token, headers=headers).get(exposed.url).status_code == 200
    seen = exposed.service.seen[0]
    assert _told(seen) == _expected(exposed, name)
    assert seen.values("authorization") == []
    assert seen.values("cookie") == ["kept=1"]


def test_trap_6_a_forbidden_identity_is_not_overruled_by_an_allowed_one(
    expose: Expose, visit: Visit, sign_in: SignIn, client: ProxyClient
) -> None:
    """Who is let in is who the service is told of."""
    exposed = expose(access={**PRIVATE, "allowed_users": ["ana"]})
    session = cookie_header(sign_in(exposed, "ana"))
    token = client.create_user("eve of trap six").token
    answer = visit(token=token, headers={"cookie": session}).get(exposed.url)
    assert answer.status_code == 403
    assert exposed.service.seen == []


def test_r34_a_websocket_is_told_the_same(
    expose: Expose, sign_in: SignIn, websocket: OpenWebSocket
) -> None:
    """The handshake carries the same true headers as a request."""
    exposed = expose(access=PRIVATE)
    headers = {**SPOOFED, "cookie": cookie_header(sign_in(exposed))}
    websocket(exposed, additional_headers=headers)
    seen = exposed.service.seen[0]
    assert seen.method == "WEBSOCKET"
    assert _told(seen) == _expected(exposed, "ana")
    assert seen.values("origin") == [f"http://127.0.0.1:{exposed.service.port}"]
    assert seen.values("cookie") == []


@pytest.mark.parametrize(
    "headers",
    [
        SPOOFED,
        {"authorization": "Basic cm9vdDpyb290"},
        {"authorization": "Bearer admin"},
        {"authorization": "token admin"},
        {"user-agent": "kube-probe/1.30"},
        {"user-agent": "ELB-HealthChecker/2.0"},
        {"user-agent": "Envoy/HC"},
        {"x-original-url": "/.tensorone/sign-in"},
        {"x-rewrite-url": "/.tensorone/sign-in"},
        {"x-http-method-override": "OPTIONS"},
        {"x-forwarded-user": "ana", "x-tensorone-user": "ana", "x-tensorone-address": "::1"},
        {"x-envoy-immediate-health-check-fail": "1"},
        {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {"access-control-request-method": "GET", "origin": "https://localhost"},
        {"upgrade": "websocket", "connection": "upgrade"},
        {"te": "trailers"},
        {"expect": "100-continue"},
        {"referer": "https://localhost/.tensorone/sign-in"},
    ],
    ids=lambda headers: next(iter(headers)),
)
@pytest.mark.parametrize("path", ["/", "/health", "/healthz", "/metrics", "/?user=ana&public=1"])
def test_r34_no_header_agent_query_or_path_opens_a_door(
    expose: Expose, visit: Visit, headers: dict[str, str], path: str
) -> None:
    """Whatever a stranger says of himself, a private service does not hear it."""
    exposed = expose(access=PRIVATE)
    statuses = {
        method: visit(headers=headers).request(method, f"{exposed.url}{path}").status_code
        for method in ("GET", "OPTIONS", "HEAD")
    }
    assert set(statuses.values()) <= {401, 403}, statuses
    assert exposed.service.seen == []
