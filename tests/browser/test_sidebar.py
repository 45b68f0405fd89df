"""The sidebar "Ports" of a real JupyterLab, with a real gateway and real services behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import StartService
from tests.fixtures.gateway import free_port
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.services.page import WORKS
from tests.fixtures.sidebar import confirm, expose, row, show_sidebar

START_TENSORBOARD = """
import subprocess, sys
command = [sys.executable, "-m", "tensorboard.main", "--logdir=logs", "--port={port}"]
board = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""


def test_what_is_changed_elsewhere_is_in_the_sidebar_at_once(
    sidebar: Any, service: StartService, jupyter: JupyterServer
) -> None:
    """Whatever curl, a cell or a terminal exposes, renames and stops is seen without a reload."""
    page = service("Told by an event")
    made = expose(jupyter, page.port, "Told by an event")
    row(sidebar, "Told by an event").get_by_text("Anyone who signs in").wait_for()
    renamed = {"description": "Renamed", "access_control": {"allowed_users": ["ben", "eve"]}}
    jupyter.request("PUT", f"api/ports/{made['id']}", json=renamed).raise_for_status()
    row(sidebar, "Renamed").get_by_text("2 people").wait_for()
    jupyter.request("DELETE", f"api/ports/{made['id']}").raise_for_status()
    sidebar.get_by_text("Nothing is exposed.").wait_for()


@pytest.fixture
def tensorboard_port(lab: Lab) -> Iterator[int]:
    """Start TensorBoard in a cell, as people do; end it when the test has ended."""
    port = free_port()
    lab.open(START_TENSORBOARD.format(port=port), "board.terminate(), board.wait()")
    lab.run(0)
    yield port
    lab.run(1)


def test_tensorboard_of_a_cell_is_detected_exposed_and_opened(
    lab: Lab, service: StartService, tensorboard_port: int, pictures: Path
) -> None:
    """From a cell to the open page, without a command: detected, [Expose], the row, [Open]."""
    sidebar = show_sidebar(lab)
    found = sidebar.locator(f'[data-port="{tensorboard_port}"]')
    found.get_by_text("TensorBoard").wait_for(timeout=60_000)
    found.get_by_text("test.ipynb").wait_for()
    found.get_by_role("button", name="Expose").click()
    lab.page.screenshot(path=pictures / "sidebar-detected.png")
    confirm(lab.page, "Expose")
    exposed = row(sidebar, "TensorBoard")
    exposed.get_by_text("Only me").wait_for()
    exposed.get_by_text("test.ipynb").wait_for()
    exposed.get_by_role("img", name="healthy").wait_for()
    assert found.count() == 0
    exposed.get_by_role("button", name="More for TensorBoard").click()
    with lab.page.context.expect_page() as opened:
        lab.page.locator(".lm-Menu-item", has_text="Open in Browser").click()
    opened.value.get_by_text("TensorBoard").first.wait_for()
    opened.value.close()


@pytest.fixture
def ben(chromium: Any) -> Iterator[Any]:
    """Return a page in the browser of a colleague."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def test_a_visitor_is_seen_and_signed_out(
    sidebar: Any, service: StartService, jupyter: JupyterServer, ben: Any, pictures: Path
) -> None:
    """Who is in is listed with how they came; one click and an answer later they are out."""
    made = expose(
        jupyter, service("Dashboard").port, "Dashboard", health_check={"interval_seconds": 1}
    )
    wanted = {"port_id": made["id"], "user": "ben"}
    link = jupyter.request("POST", "api/links", json=wanted).json()["data"]["url"]
    ben.goto(link)
    ben.get_by_text(WORKS).wait_for()
    dashboard = row(sidebar, "Dashboard")
    dashboard.get_by_role("button", expanded=False).first.click()
    dashboard.get_by_text("ben").wait_for()
    dashboard.locator("svg.jp-TensorOne-plot").wait_for()
    dashboard.get_by_role("img", name=re.compile("requests in the last 30 min")).wait_for()
    dashboard.get_by_text("GET").first.wait_for()
    sidebar.page.screenshot(path=pictures / "sidebar-open.png")
    dashboard.get_by_role("button", name="Sign out ben").click()
    confirm(sidebar.page, "Sign out")
    dashboard.get_by_text("Nobody is signed in.").wait_for()
    ben.goto(made["url"])
    assert "/.tensorone/sign-in" in ben.url


def test_requests_are_filtered_by_status(
    sidebar: Any, service: StartService, jupyter: JupyterServer, ben: Any
) -> None:
    """The last requests are listed, those of one class alone if that is wished."""
    public = {"access_control": {"public_access": True}}
    made = expose(jupyter, service("Page").port, "Page", **public)
    assert ben.goto(made["url"]).status == httpx.codes.OK
    status = ben.evaluate("async () => (await fetch('/status/404')).status")
    assert status == httpx.codes.NOT_FOUND
    page = row(sidebar, "Page")
    page.get_by_role("button", expanded=False).first.click()
    page.get_by_text("/status/404").wait_for()
    page.get_by_label("Which requests").select_option("2xx")
    page.get_by_text("/status/404").wait_for(state="detached")
    assert "200" in page.locator(".jp-TensorOne-log li").first.inner_text()


def test_a_port_is_stopped_by_the_keyboard_alone(
    sidebar: Any, service: StartService, jupyter: JupyterServer
) -> None:
    """Arrow keys to the row, Tab to its menu, Enter: no pointer is needed, and it asks first."""
    expose(jupyter, service("First").port, "First")
    expose(jupyter, service("Second").port, "Second")
    row(sidebar, "Second").wait_for()
    press = sidebar.page.keyboard.press
    row(sidebar, "First").get_by_role("button", expanded=False).first.focus()
    for key in ("ArrowDown", "Enter"):
        press(key)
    row(sidebar, "Second").get_by_role("button", name="Copy link").wait_for()
    for key in ("Enter", "Tab", "Tab", "Enter", "ArrowUp", "Enter"):
        press(key)
    sidebar.page.locator(".jp-Dialog", has_text="Stop exposing Second?").wait_for()
    press("Enter")
    row(sidebar, "Second").wait_for(state="detached")
    names = [port["description"] for port in jupyter.request("GET", "api/ports").json()["data"]]
    assert names == ["First"]


def test_a_service_that_is_down_says_since_when_and_what_to_do(
    sidebar: Any, service: StartService, jupyter: JupyterServer
) -> None:
    """State is told by shape and words, and what can be done about it is there to read."""
    check = {"interval_seconds": 1, "timeout_seconds": 1, "retries": 1}
    expose(jupyter, free_port(), "Gone", health_check=check)
    gone = row(sidebar, "Gone")
    gone.get_by_role("img", name="not answering").wait_for(timeout=60_000)
    gone.get_by_text("not answering since").wait_for()
    gone.get_by_role("button", expanded=False).first.click()
    gone.get_by_text("start the service again").wait_for()


def test_notebook_7_has_the_sidebar_too(
    lab: Lab, service: StartService, jupyter: JupyterServer, pictures: Path
) -> None:
    """The same list, with the same buttons, beside a notebook."""
    expose(jupyter, service("Beside").port, "Beside")
    lab.open("1 + 1", at="notebooks")
    lab.page.evaluate("() => void window.jupyterapp.commands.execute('tensorone-proxy:show-panel')")
    sidebar = lab.page.locator("#tensorone-ports")
    row(sidebar, "Beside").get_by_role("button", expanded=False).first.click()
    row(sidebar, "Beside").get_by_text("Nobody is signed in.").wait_for()
    lab.page.screenshot(path=pictures / "sidebar-notebook-7.png")


def test_two_labs_show_the_same(
    sidebar: Any, person: Any, service: StartService, jupyter: JupyterServer
) -> None:
    """What is stopped in one is gone in the other."""
    expose(jupyter, service("Shared").port, "Shared")
    other = Lab(person.new_page(), jupyter)
    other.page.goto(f"{other.origin}/lab/workspaces/other?reset")
    second = show_sidebar(other)
    row(second, "Shared").get_by_role("button", name="More for Shared").click()
    other.page.locator(".lm-Menu-item", has_text="Stop").click()
    confirm(other.page, "Stop")
    row(second, "Shared").wait_for(state="detached")
    row(sidebar, "Shared").wait_for(state="detached")


def test_a_line_that_is_cut_is_told_and_heals(
    sidebar: Any, person: Any, service: StartService, jupyter: JupyterServer
) -> None:
    """Without a network the sidebar says so and keeps what it knew; then it is true again."""
    page = service("Kept")
    expose(jupyter, page.port, "Kept")
    row(sidebar, "Kept").wait_for()
    person.set_offline(True)
    sidebar.get_by_text("The Jupyter server does not answer.").wait_for(timeout=60_000)
    assert row(sidebar, "Kept").is_visible()
    person.set_offline(False)
    sidebar.get_by_role("button", name="Try again").click()
    sidebar.get_by_text("The Jupyter server does not answer.").wait_for(state="detached")
