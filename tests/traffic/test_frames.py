"""Who may show a service in a frame: the page that its link was made for, and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from jupyter_tensorone_proxy.errors import InvalidRequestError
from tests.fixtures.services.page import FORBIDS_FRAMES, PageService
from tests.fixtures.services.web import serve
from tests.fixtures.traffic import Visit

LAB = "http://localhost:8888"
PageIn = Callable[[str | None], httpx.Response]
OPENED = {"sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site"}


@pytest.fixture
def service() -> Iterator[PageService]:
    """Run a page that forbids frames."""
    with serve(PageService, "page") as running:
        running.headers = dict(FORBIDS_FRAMES)
        yield running


@pytest.fixture
def mapping(service: PageService, client: ProxyClient) -> Iterator[PortMapping]:
    """Expose it privately."""
    made = client.create_port(internal_port=service.port, description="page")
    yield made
    client.delete_port(made.id)


@pytest.fixture
def page_in(client: ProxyClient, mapping: PortMapping, visit: Visit) -> PageIn:
    """Return a function that follows a link, into a frame if it is for one."""

    def open_page(frame_origin: str | None) -> httpx.Response:
        link = client.create_link(mapping.id, user="ana", frame_origin=frame_origin)
        destination = {"sec-fetch-dest": "iframe" if frame_origin else "document"}
        visitor = visit()
        visitor.get(link.url, headers=OPENED | destination)
        page = visitor.get(mapping.url or "", headers=OPENED | destination)
        assert page.status_code == 200, page.text
        return page

    return open_page


@pytest.mark.parametrize(
    ("policy", "policies"),
    [
        (None, []),
        ("frame-ancestors 'none'", ["frame-ancestors *"]),
        (
            "default-src 'self'; Frame-Ancestors 'self' https://a.example; object-src 'none'",
            ["default-src 'self'; frame-ancestors *; object-src 'none'"],
        ),
        ("default-src 'self'", ["default-src 'self'"]),
        ("frame-ancestors a.example, frame-ancestors b", ["frame-ancestors *, frame-ancestors *"]),
    ],
)
def test_a_session_of_a_frame_may_be_shown_there_and_only_there(
    service: PageService, page_in: PageIn, policy: str | None, policies: list[str]
) -> None:
    """The service's ban gives way to exactly the page around; its other policies stay."""
    if policy is None:
        del service.headers["Content-Security-Policy"]
    else:
        service.headers["Content-Security-Policy"] = policy
    page = page_in(LAB)
    assert "x-frame-options" not in page.headers
    found = page.headers.get_list("content-security-policy")
    assert found == [*policies, f"frame-ancestors {LAB}"]


def test_everybody_else_gets_the_services_own_headers(page_in: PageIn) -> None:
    """A session of a tab, and a link that names no frame, change nothing."""
    page = page_in(None)
    for name, value in FORBIDS_FRAMES.items():
        assert page.headers.get_list(name) == [value]


def test_a_frame_of_one_origin_is_none_of_another(page_in: PageIn) -> None:
    """Each session names the origin that its own link was made for."""
    for origin in (LAB, "https://hub.example.com"):
        own = page_in(origin).headers.get_list("content-security-policy")[-1]
        assert own == f"frame-ancestors {origin}"


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "localhost:8888",
        "javascript://localhost",
        "http://localhost:8888/lab",
        "http://a b",
        "http://a; script-src *",
        "http://a,http://b",
        "http://%DYNAMIC_METADATA(x)%",
        "http://a\r\nset-cookie: x=y",
        "http://*.example.com",
        7,
    ],
)
def test_what_is_no_origin_is_refused(
    client: ProxyClient, mapping: PortMapping, origin: str
) -> None:
    """No wildcard and no second directive gets into the header."""
    with pytest.raises(InvalidRequestError, match="frame_origin"):
        client.create_link(mapping.id, user="ana", frame_origin=origin)
