"""The panel with a real gateway and real services: what people see in it."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient, ProxyPanel
from tests.fixtures.ana import ExposeMine, Mine, browsing
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.panel import row
from tests.fixtures.widgets import Page, elements, find, plain

EVIL = "<img src=x onerror=alert(1)>\u202e"


def test_each_port_says_who_can_open_it_and_how_it_does(
    panel: ProxyPanel, page: Page, mine: Mine
) -> None:
    """State by shape and word, name, port, address, who, requests."""
    assert wait_until(
        lambda: page.says("● healthy", "board", f"port {mine.port}", mine.url, "Only me")
    ), page.texts()
    assert page.says("Open", "0 requests")
    assert page.says("1 exposed")


def test_without_anything_exposed_it_says_what_to_do(panel: ProxyPanel, page: Page) -> None:
    """An empty panel teaches."""
    assert page.says("0 exposed")
    assert page.says("Nothing is exposed.", "expose a port by its number")


def test_changes_made_elsewhere_are_there_at_once(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient
) -> None:
    """Created, renamed, opened to others, and gone: without a click."""
    row(panel, "board")
    client.update_port(mine.id, description="Runs", access_control={"allowed_users": ["a", "b"]})
    assert wait_until(lambda: page.says("Runs", "2 people")), page.texts()
    client.delete_port(mine.id)
    assert wait_until(lambda: not page.says("Runs"))
    assert page.says("0 exposed")


def test_however_much_happens_the_api_is_asked_in_measure(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of changes in a moment are seen with a few looks, the last of them too."""
    row(panel, "board")
    looks: list[float] = []
    show = panel._board.show

    def counted(*picture: Any) -> None:
        looks.append(time.monotonic())
        show(*picture)

    monkeypatch.setattr(panel._board, "show", counted)
    began, changes = time.monotonic(), 0
    while time.monotonic() - began < 3:
        changes += 1
        client.update_port(mine.id, description=f"Change {changes}")
    assert wait_until(lambda: page.says(f"Change {changes}"))
    assert changes > 2 * len(looks)
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert min(gaps) > 0.25


def test_a_service_that_fails_is_told_by_another_shape(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient
) -> None:
    """Health is followed, too."""
    check = {"enabled": True, "path": "/health", "interval_seconds": 1, "retries": 1}
    client.update_port(mine.id, health_check=check)
    assert wait_until(lambda: page.says("● healthy", "board"))
    mine.service.healthy = False
    assert wait_until(lambda: page.says("▲ unhealthy", "board"))


def test_details_tell_use_health_and_who_is_in(
    panel: ProxyPanel, page: Page, mine: Mine, gateway: RunningGateway, client: ProxyClient
) -> None:
    """The last half hour as a picture and in words, the last requests, the sessions."""
    link = client.create_link(mine.id, user="ana", path="/status/503").url
    with browsing(gateway) as browser:
        browser.get(link)
        browser.get(mine.url)
    find(row(panel, "board"), "Details").value = True
    assert wait_until(lambda: page.says("2 requests in the last 30 min, 1 failed")), page.texts()
    assert page.says("503", "/status/503")
    assert any("<svg" in text for text in page.texts())
    assert page.says("Signed in: 1")
    assert page.says("ana", "from 127.0.0.1", "by themselves")


def test_r28_names_from_outside_are_escaped_wherever_they_are_drawn(
    panel: ProxyPanel, page: Page, expose_mine: ExposeMine, gateway: RunningGateway, client: Any
) -> None:
    """A mapping, a person, a path and a notice with markup: there is no element but ours."""
    mine = expose_mine(EVIL, users=("ana", EVIL[:20]))
    with browsing(gateway) as browser:
        browser.get(client.create_link(mine.id, user=EVIL[:20]).url)
        browser.get(f"{mine.url}/{EVIL}")
    shown = row(panel, "img src=x")
    find(shown, "Details").value = True
    assert wait_until(lambda: page.says("Signed in: 1"))
    find(shown, "Share…").value = True
    find(shown, "Person").value = f"{EVIL}2"
    find(shown, "Make the link").click()
    assert wait_until(lambda: page.says("can open", "by this link")), page.texts()
    find(shown, "Stop").click()
    assert wait_until(lambda: page.says("is no longer exposed"))
    assert any("onerror" in text for text in page.sent)
    assert sum("img src=x" in plain(text) for text in page.drawn) > 5
    for text in page.drawn:
        for tag, attributes in elements(text):
            assert tag not in {"img", "script", "iframe"}, text
            assert not {name for name in attributes if name.startswith("on")}, text
        assert "\u202e" not in text, "it would turn the rest of the line"
