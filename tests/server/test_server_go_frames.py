"""`go/…` in a frame: the page that fills it, and for whose frame its link is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.fake_api import LINK_TOKEN
from tests.fixtures.fetch_metadata import OWN_CLICK

LINK = f"https://localhost:32001/.tensorone/link?token={LINK_TOKEN}"


async def test_a_frame_is_filled_by_a_page_that_asks_the_browser_first(
    fetch: Any, api: Any, tensorboard: Any, browser: Any
) -> None:
    """Only the browser knows whether it trusts the certificate; the page shows in Jupyter only."""
    headers = {**OWN_CLICK, "Sec-Fetch-Dest": "iframe", "Cookie": browser.cookies}
    answer = await fetch("GET", "go/6006/data", headers, signed_in=False)
    policy = answer.headers["Content-Security-Policy"]
    assert answer.code == 200
    assert f'data-link="{LINK}" data-origin="https://localhost:32001"' in answer.body.decode()
    assert 'href="/a%40b/tensorone-proxy/go/6006/data"' in answer.body.decode()
    assert "; connect-src https://localhost:32001; " in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        (
            {"Sec-Fetch-Dest": "iframe", "Referer": "https://hub.example/user/ana/lab/tree"},
            "https://hub.example",
        ),
        ({"Sec-Fetch-Dest": "iframe", "Host": "localhost:8888"}, "http://localhost:8888"),
        (
            {"Sec-Fetch-Dest": "iframe", "Host": "localhost:8888", "Referer": "about:client"},
            "http://localhost:8888",
        ),
        ({"Sec-Fetch-Dest": "document", "Referer": "https://hub.example/lab"}, None),
    ],
)
async def test_a_link_for_a_frame_names_the_page_around(
    fetch: Any, api: Any, tensorboard: Any, headers: dict[str, str], origin: str | None
) -> None:
    """Jupyter's own origin, as the browser has it, may frame the service; a tab needs no such."""
    answer = await fetch("GET", "go/6006/", OWN_CLICK | headers)
    assert answer.code == (302 if origin is None else 200)
    assert api.links[0].get("frame_origin") == origin


async def test_what_went_wrong_shows_in_jupyters_own_frame(
    fetch: Any, api: Any, unused_port: int
) -> None:
    """Where a frame waits for a service, the reason is in the frame, with no way out of it."""
    answer = await fetch("GET", f"go/{unused_port}/", OWN_CLICK | {"Sec-Fetch-Dest": "iframe"})
    page = answer.body.decode()
    assert answer.code == 404
    assert "Nothing listens on it" in page
    assert "<a " not in page
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
