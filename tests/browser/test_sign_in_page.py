"""The sign-in page as people meet it: on a phone, in the dark, by keyboard, without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from tests.browser.conftest import StartService
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.services.page import WORKS

PHONE = {"width": 320, "height": 568}
"""The narrowest screen that WCAG 2.2 asks for (1.4.10)."""

_CONTRAST = """element => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const style = getComputedStyle(element);
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = "Canvas";
  const canvas = getComputedStyle(probe).color;
  probe.remove();
  const ground = style.backgroundColor === "rgba(0, 0, 0, 0)" ? canvas : style.backgroundColor;
  const fade = Number(style.opacity), behind = parse(ground);
  const color = parse(style.color).slice(0, 3).map((v, i) => fade * v + (1 - fade) * behind[i]);
  const one = light(color), other = light(behind);
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""

Person = Callable[..., Any]


@pytest.fixture
def client(jupyter: JupyterServer) -> Iterator[ProxyClient]:
    """Return a client of the gateway, as the owner's programs have it."""
    runtime = jupyter.gateway()
    with ProxyClient(
        api_url=runtime["api_url"],
        api_key_file=runtime["api_key_file"],
        cluster_id=runtime["cluster_id"],
    ) as api:
        yield api


@pytest.fixture
def visitor(chromium: Any) -> Iterator[Person]:
    """Return a function that opens the browser of somebody from elsewhere."""
    with ExitStack() as stack:

        def visitor(**options: Any) -> Any:
            context = chromium.new_context(**options)
            stack.callback(context.close)
            context.set_default_timeout(20_000)
            return context.new_page()

        yield visitor


@pytest.fixture
def board(client: ProxyClient, service: StartService) -> PortMapping:
    """Expose a page, under a name too long for a phone, to whoever signs in."""
    return client.create_port(
        internal_port=service("Board").port,
        description="TensorBoard of the quarterly-retraining-experiments_2026",
        access_control={"authentication_required": True},
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone_and_stands_out_in_either_theme(
    visitor: Person, board: PortMapping, pictures: Path, theme: str
) -> None:
    """On 320 pixels nothing is cut off or scrolls sideways; each word has a contrast of 4.5."""
    page = visitor(viewport=PHONE, color_scheme=theme, has_touch=True, is_mobile=True)
    page.goto(board.url)
    for problem in (False, True):
        if problem:
            page.get_by_label("Your token").fill("wrong")
            page.get_by_role("button", name="Sign in").tap()
            page.get_by_role("alert").wait_for()
        page.screenshot(path=pictures / f"sign-in-{theme}-{problem}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        for control in page.locator("input, button").all():
            box = control.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE["width"]
            assert box["height"] >= 24, "too small for a finger (WCAG 2.2, 2.5.8)"
        texts = page.locator("h1, p, label, button, input").all()
        assert len(texts) >= 5
        contrasts = {text.evaluate("e => e.outerHTML"): text.evaluate(_CONTRAST) for text in texts}
        assert not {text: found for text, found in contrasts.items() if found < 4.5}


def test_the_keyboard_alone_is_enough_and_no_script_is_needed(
    visitor: Person, board: PortMapping, client: ProxyClient
) -> None:
    """Type, Enter, and in; a wrong token is told and the field is ready; sign out the same way."""
    token = str(client.create_user("typist").token)
    page = visitor(java_script_enabled=False)
    page.goto(f"{board.url}/deep?a=1")
    page.keyboard.type("wrong")  # the field has the focus
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    field = page.get_by_label("Your token")
    assert field.get_attribute("aria-invalid") == "true"
    page.keyboard.insert_text(token)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # on the button
    page.wait_for_url(f"{board.url}/deep?a=1")
    page.get_by_text("Board").first.wait_for()
    (session,) = client.list_sessions(port_id=board.id)
    assert (session.user, session.via) == ("typist", "token")

    page.goto(f"{board.url}/.tensorone/sign-in?next=/")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Signed out").wait_for()
    assert client.list_sessions(port_id=board.id) == []


def test_a_phone_that_signs_in_works(
    visitor: Person, board: PortMapping, client: ProxyClient
) -> None:
    """After the token the service's own page is there, with its WebSocket."""
    page = visitor(viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(board.url)
    page.get_by_label("Your token").fill(str(client.create_user("on a phone").token))
    page.get_by_role("button", name="Sign in").tap()
    page.get_by_text(WORKS).wait_for()
