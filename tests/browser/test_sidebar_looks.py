"""How the sidebar looks and what it costs: odd names, little room, themes, and its silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import StartService
from tests.fixtures.gateway import free_port
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.sidebar import expose, row, serious_faults, show_sidebar


def test_what_the_sidebar_draws_is_loaded_when_it_is_first_shown(lab: Lab) -> None:
    """JupyterLab starts without it."""
    loaded: list[str] = []
    ours = "/extensions/jupyter-tensorone-proxy/static/"
    lab.page.on("response", lambda r: loaded.append(r.url) if ours in r.url else None)
    lab.start()
    at_start = set(loaded)
    assert any("remoteEntry" in url for url in at_start)
    show_sidebar(lab)
    assert set(loaded) - at_start


def test_nothing_is_asked_for_while_nothing_happens_out_of_sight(
    lab: Lab, sidebar: Any, service: StartService, jupyter: JupyterServer
) -> None:
    """A Lab whose sidebar is hidden is silent; one that shows it is not."""
    expose(jupyter, service("Quiet").port, "Quiet", health_check={"enabled": False})
    row(sidebar, "Quiet").get_by_role("button", expanded=False).first.click()
    asked: list[str] = []
    lab.page.on("request", lambda r: asked.append(r.url) if "tensorone-proxy/" in r.url else None)
    lab.page.wait_for_timeout(12_000)
    assert any("api/proxy" in url for url in asked)
    assert any("api/logs" in url for url in asked)
    lab.page.locator('.jp-SideBar [data-id="tensorone-ports"]').click()
    sidebar.wait_for(state="hidden")
    lab.page.wait_for_timeout(1_000)
    asked.clear()
    lab.page.wait_for_timeout(12_000)
    assert asked == []


ODD_NAMES = (
    "<img src=x onerror=\"document.title='broken in'\">",
    "evil\u202egnp.exe",
    "מודל \u200fשפה",
    "long " * 60,
)
WIDTHS = "e => [e.scrollWidth, e.clientWidth]"


def test_odd_names_and_a_narrow_sidebar_break_nothing(
    lab: Lab, sidebar: Any, jupyter: JupyterServer, pictures: Path, service: StartService
) -> None:
    """Markup is text, no mark turns what follows, and at 250 pixels nothing sticks out."""
    for name in ODD_NAMES:
        expose(jupyter, free_port(), name)
    rows = sidebar.locator("[data-port-id]")
    rows.nth(len(ODD_NAMES) - 1).wait_for()
    for number in range(len(ODD_NAMES)):
        rows.nth(number).get_by_role("button").first.click()
    sidebar.locator("svg.jp-TensorOne-plot").nth(len(ODD_NAMES) - 1).wait_for()
    assert sidebar.bounding_box()["width"] <= 260
    scrolled, shown = sidebar.evaluate(WIDTHS)
    assert scrolled <= shown
    assert sidebar.locator("img").count() == 0
    assert lab.page.title() != "broken in"
    lab.page.screenshot(path=pictures / "sidebar-narrow.png")


@pytest.fixture
def well_and_down(service: StartService, jupyter: JupyterServer) -> None:
    """Expose a service that answers, and a port where nothing does."""
    check = {"interval_seconds": 1, "timeout_seconds": 1, "retries": 1}
    expose(jupyter, service("Well").port, "Well", health_check=check)
    expose(jupyter, free_port(), "Down", access_control={"public_access": True}, health_check=check)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_stands_in_the_way_of_people_who_see_less(
    lab: Lab, sidebar: Any, well_and_down: None, pictures: Path, theme: str
) -> None:
    """Axe finds no serious fault in the open sidebar: contrast, names, roles, focus."""
    lab.theme(theme)
    row(sidebar, "Down").get_by_text("not answering since").wait_for(timeout=60_000)
    for name in ("Well", "Down"):
        row(sidebar, name).get_by_role("button", expanded=False).first.click()
    sidebar.locator("svg.jp-TensorOne-plot").nth(1).wait_for()
    lab.page.mouse.move(800, 700)
    lab.page.screenshot(path=pictures / f"sidebar-{theme[11:].lower()}.png")
    assert serious_faults(lab.page, "#tensorone-ports") == []
