"""A link that the panel makes is shown once, and kept nowhere; nor is any other secret."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient, ProxyPanel
from jupyter_tensorone_proxy.notebook.panel import sharing
from tests.fixtures.ana import Mine, browsing
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.panel import row
from tests.fixtures.widgets import Page, every_widget, find, open_page, plain

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


def shared(panel: ProxyPanel, page: Page, person: str = "ben") -> tuple[Any, str]:
    """Share the board; return its row, and the link as it is on the screen."""
    shown = row(panel, "board")
    find(shown, "Share…").value = True
    find(shown, "Person").value = person
    find(shown, "Make the link").click()
    assert wait_until(lambda: bool(JWT.search(page.state))), page.texts()
    found = re.search(r"https://\S+/\.tensorone/link\?token=\S+", plain(" ".join(page.texts())))
    assert found
    return shown, found[0]


def test_a_link_lets_its_person_in(
    panel: ProxyPanel, page: Page, mine: Mine, gateway: RunningGateway
) -> None:
    """It is on the screen, works, and works once."""
    _, link = shared(panel, page)
    assert page.says("ben can open board", "once", "not saved with the notebook")
    with browsing(gateway) as browser, browsing(gateway) as finder:
        assert browser.get(link).text == "board"
        assert finder.get(link).status_code == 403


@pytest.mark.usefixtures("mine")
def test_r16_a_link_is_in_no_state_that_is_saved(panel: ProxyPanel, page: Page) -> None:
    """Not in what an export asks for, not in a page that is opened later, not in `repr`."""
    from ipywidgets.embed import embed_data

    shared(panel, page)
    for widget in every_widget(panel):
        assert not JWT.search(str(widget.get_state()))
    assert not JWT.search(str(embed_data(views=[panel])))
    assert not JWT.search(f"{panel!r} {panel._repr_mimebundle_()}")
    with open_page() as later:
        for widget in every_widget(panel):
            widget.send_state()  # what a page that was opened later asks for
        assert not JWT.search(later.state)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("way", ["I have it", "Share…", "Stop", "close"])
def test_r16_a_link_leaves_the_page_with_what_showed_it(
    panel: ProxyPanel, page: Page, way: str
) -> None:
    """Taken, closed, stopped: the open page's memory, which it may save, has it no longer."""
    shown, _ = shared(panel, page)
    if way == "close":
        panel.close()
    elif way == "Share…":
        find(shown, way).value = False
    else:
        find(shown, way).click()
    assert wait_until(lambda: not JWT.search(page.state))


@pytest.mark.usefixtures("mine")
def test_r16_a_link_leaves_by_itself(
    panel: ProxyPanel, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever walks away leaves none behind."""
    monkeypatch.setattr(sharing, "SHOWN_SECONDS", 1.0)
    shared(panel, page)
    assert wait_until(lambda: not JWT.search(page.state))


def test_r48_no_key_is_ever_sent_to_a_page(
    panel: ProxyPanel, page: Page, mine: Mine, gateway: RunningGateway, client: ProxyClient
) -> None:
    """After everything was clicked, what was sent holds one token: that of the link."""
    with browsing(gateway) as browser:
        browser.get(client.create_link(mine.id, user="ana").url)
        cookies = [cookie.value for cookie in browser.cookies.jar if cookie.value]
        _, link = shared(panel, page)
        for label in ("Details", "Edit…"):
            find(row(panel, "board"), label).value = True
        find(panel, "Expose a port…").value = True
        assert wait_until(lambda: page.says("Signed in: 1"))
        find(row(panel, "board"), "Save").click()
        find(row(panel, "board"), "Stop").click()
        assert wait_until(lambda: page.says("0 exposed"))
    everything = "\n".join(page.sent)
    assert cookies
    assert gateway.api_key not in everything
    assert not [cookie for cookie in cookies if cookie in everything]
    assert set(JWT.findall(everything)) == set(JWT.findall(link))


def test_sharing_needs_a_name_and_a_port_that_somebody_signs_in_to(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient
) -> None:
    """Otherwise the line says why there is no link."""
    shown = row(panel, "board")
    find(shown, "Share…").value = True
    find(shown, "Make the link").click()
    assert page.says("▲", "whom the link is for")
    client.update_port(
        mine.id,
        access_control={
            "authentication_required": False,
            "public_access": True,
            "allowed_users": [],
        },
    )
    find(shown, "Person").value = "ben"
    find(shown, "Make the link").click()
    assert wait_until(lambda: page.says("▲", "is public"))
