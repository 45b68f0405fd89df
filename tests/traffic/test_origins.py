"""R7: only the mapping's own pages act on it; other sites and sibling services do not."""

from __future__ import annotations

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.gateway.xds.sign_in import session_cookie
from tests.fixtures.traffic import Expose, Exposed, OpenWebSocket, SignIn, Visit, cookie_header

PRIVATE = {"authentication_required": True}
UNSAFE = ["POST", "PUT", "PATCH", "DELETE"]
FETCH = {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
NAVIGATE = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def _foreign_origins(exposed: Exposed) -> list[str]:
    own, port = exposed.url, exposed.port
    return [
        "null",
        "",
        "https://evil.example.com",
        f"https://localhost:{port + 1}",
        f"https://localhost.evil.com:{port}",
        f"https://evil-localhost:{port}",
        f"https://evil.localhost:{port}",
        f"https://localhost:{port}.evil.com",
        f"https://localhost:{port}0",
        f"https://localhost:{str(port)[:-1]}",
        f"http://localhost:{port}",
        "https://localhost",
        f"http://127.0.0.1:{exposed.service.port}",
        f"{own}/",
        f"{own} https://evil.example.com",
        f"https://evil.example.com {own}",
        f"{own},https://evil.example.com",
        f"https://user@localhost:{port}",
        f"https://localhost%2eevil:{port}",
        f"https://LOCALHOST:{port}",
        f"https://localhost.:{port}",
        f"https://[::ffff:127.0.0.1]:{port}",
        f"https://127.1:{port}",
        "file://",
        "chrome-extension://abcdef",
    ]


@pytest.fixture
def exposed(expose: Expose) -> Exposed:
    """Expose a private service."""
    return expose(access=PRIVATE)


@pytest.fixture
def browser(exposed: Exposed, sign_in: SignIn) -> httpx.Client:
    """Return a signed-in browser; the service has not seen it yet."""
    return sign_in(exposed)


@pytest.mark.parametrize("method", UNSAFE)
def test_r07_p26_a_write_from_another_origin_is_refused(
    exposed: Exposed, browser: httpx.Client, method: str
) -> None:
    """`null`, look-alikes, other ports, other schemes: 403, and the service hears nothing."""
    found = {
        origin: browser.request(method, exposed.url, headers={"origin": origin}).status_code
        for origin in _foreign_origins(exposed)
    }
    assert found == dict.fromkeys(found, 403)
    assert exposed.service.seen == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_r07_a_write_from_the_own_page_passes(
    exposed: Exposed, browser: httpx.Client, host: str
) -> None:
    """Every name under which the mapping may be open is its own; the service sees its own name."""
    own = f"https://{host}:{exposed.port}"
    headers = {"origin": own, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
    for method in UNSAFE:
        assert browser.request(method, exposed.url, headers=headers).status_code == 200
    local = f"http://127.0.0.1:{exposed.service.port}"
    assert {o for seen in exposed.service.seen for o in seen.values("origin")} == {local}
    assert {h for seen in exposed.service.seen for h in seen.values("host")} == {local[7:]}


def test_r07_p26_a_websocket_needs_exactly_the_own_origin(
    exposed: Exposed, browser: httpx.Client, websocket: OpenWebSocket
) -> None:
    """With a session, but from elsewhere or from nowhere: 403, nothing reaches the service."""
    signed_in = {"additional_headers": {"cookie": cookie_header(browser)}}
    for origin in [*_foreign_origins(exposed), None]:
        if origin == "":
            continue  # this client cannot send an empty Origin
        with pytest.raises(InvalidStatus) as refusal:
            websocket(exposed, origin=origin, **signed_in)
        assert refusal.value.response.status_code == 403, origin
    assert exposed.service.seen == []
    connection = websocket(exposed, **signed_in)
    connection.send("mine")
    assert connection.recv() == "mine"


def test_r07_a_program_with_a_token_needs_no_origin_for_its_websocket(
    exposed: Exposed, client: ProxyClient, websocket: OpenWebSocket
) -> None:
    """A Bearer token cannot be sent by a foreign page, so a program needs no Origin."""
    token = client.create_user("websocket program").token
    bearer = {"additional_headers": {"authorization": f"Bearer {token}"}}
    connection = websocket(exposed, origin=None, **bearer)
    connection.send("program")
    assert connection.recv() == "program"
    with pytest.raises(InvalidStatus) as refusal:
        websocket(exposed, origin="https://evil.example.com", **bearer)
    assert refusal.value.response.status_code == 403


def test_r07_a_sibling_service_is_a_stranger(
    expose: Expose, sign_in: SignIn, visit: Visit, websocket: OpenWebSocket
) -> None:
    """Services on one host name carry each other's cookies; the page of one cannot use another."""
    mine, sibling = expose("mine", access=PRIVATE), expose("sibling", access=PRIVATE)
    cookies = f"{cookie_header(sign_in(mine))}; {cookie_header(sign_in(sibling))}"
    browser = visit(headers={"cookie": cookies})
    write = browser.post(mine.url, headers={**FETCH, "origin": sibling.url})
    read = browser.get(mine.url, headers=FETCH)
    image = browser.get(mine.url, headers={**FETCH, "sec-fetch-mode": "no-cors"})
    assert [write.status_code, read.status_code, image.status_code] == [403, 403, 403]
    with pytest.raises(InvalidStatus) as refusal:
        websocket(mine, origin=sibling.url, additional_headers={"cookie": cookies})
    assert refusal.value.response.status_code == 403
    assert mine.service.seen == []
    assert browser.get(mine.url).status_code == 200


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
@pytest.mark.parametrize(
    ("method", "mode", "status"),
    [
        ("GET", "navigate", 200),
        ("GET", "cors", 403),
        ("GET", "no-cors", 403),
        ("GET", "websocket", 403),
        ("GET", "same-origin", 403),
        ("HEAD", "navigate", 403),
        ("POST", "navigate", 403),
        ("OPTIONS", "cors", 403),
        ("DELETE", "cors", 403),
    ],
)
def test_r07_from_another_site_only_a_navigation_passes(  # noqa: PLR0913 - a table
    exposed: Exposed, browser: httpx.Client, *, site: str, method: str, mode: str, status: int
) -> None:
    """Sec-Fetch-Site decides also where a browser sends no Origin (W3C, Fetch metadata)."""
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": "document"}
    assert browser.request(method, exposed.url, headers=headers).status_code == status
    assert len(exposed.service.seen) == (status == 200)


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_r07_the_address_bar_and_the_own_page_may_read(
    exposed: Exposed, browser: httpx.Client, site: str
) -> None:
    """What the person typed, and what the mapping's own page asks for, passes."""
    for mode in ("navigate", "cors", "no-cors"):
        headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
        assert browser.get(exposed.url, headers=headers).status_code == 200


def test_r07_a_program_without_a_browsers_headers_may_write(
    exposed: Exposed, client: ProxyClient, visit: Visit
) -> None:
    """Programs such as curl and Python clients send neither Origin nor Sec-Fetch headers."""
    visitor = visit(token=client.create_user("writing program").token)
    assert [visitor.request(m, exposed.url).status_code for m in UNSAFE] == [200] * 4


def test_r07_two_origins_are_none(exposed: Exposed, browser: httpx.Client) -> None:
    """A request with two Origin lines, one of them good, is refused."""
    for lines in ([exposed.url, "null"], ["null", exposed.url], [exposed.url, exposed.url]):
        headers = [("origin", line) for line in lines]
        assert browser.post(exposed.url, headers=headers).status_code in {400, 403}
    assert exposed.service.seen == []


def test_r07_a_navigation_into_a_frame_needs_the_frames_cookie(
    exposed: Exposed, sign_in: SignIn, visit: Visit
) -> None:
    """Another site's page cannot put the top-level session's page into a frame of its own."""
    session = sign_in(exposed).cookies[session_cookie(exposed.mapping.id)]
    frame = {**NAVIGATE, "sec-fetch-dest": "iframe"}
    names = {framed: session_cookie(exposed.mapping.id, framed=framed) for framed in (False, True)}
    found = {
        (framed, site): visit(headers={"cookie": f"{name}={session}"})
        .get(exposed.url, headers={**frame, "sec-fetch-site": site})
        .status_code
        for framed, name in names.items()
        for site in ("cross-site", "same-site", "same-origin")
    }
    assert found == {
        (False, "cross-site"): 403,
        (False, "same-site"): 403,
        (False, "same-origin"): 200,
        (True, "cross-site"): 200,
        (True, "same-site"): 200,
        (True, "same-origin"): 200,
    }
