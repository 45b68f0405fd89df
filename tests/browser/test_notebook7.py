"""Notebook 7 loads the same bundle: everything that its pages have room for works there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import StartService
from tests.fixtures.around import end_kernels, our_faults, ports, press, serve_cell, toast
from tests.fixtures.dialogs import mine
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.jupyter import TOKEN, JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.services.page import WORKS

NOTEBOOKS = "notebooks"


@pytest.fixture(autouse=True)
def no_kernel_stays(jupyter: JupyterServer) -> Iterator[None]:
    """End the kernels of a test."""
    yield
    end_kernels(jupyter)


@pytest.fixture
def complaints(page: Any) -> list[str]:
    """Return what the page complains about, as far as it is about us."""
    said: list[str] = []

    def note(text: str) -> None:
        if "tensorone" in text.lower():
            said.append(text)

    page.on("pageerror", lambda error: note(str(error.stack)))
    page.on("console", lambda message: note(f"{message.text} {message.location}"))
    return said


def test_a_cell_is_asked_about_exposed_and_opened_from_the_toolbar(
    lab: Lab, jupyter: JupyterServer, complaints: list[str], pictures: Path
) -> None:
    """Question, [Expose], the button with the notebook's ports, a tab of the browser."""
    port = free_port()
    lab.open(serve_cell(port), at=NOTEBOOKS)
    lab.run()
    press(toast(lab.page, f"My app is running on port {port} (test.ipynb)."), "Expose")
    toast(lab.page, "My app is exposed at").wait_for()
    button = lab.page.locator(".jp-TensorOne-notebook", has_text="1")
    button.click()
    lab.page.locator(".lm-Menu").get_by_text(f"Open My app (port {port}, ").wait_for()
    lab.page.screenshot(path=pictures / "notebook7.png")
    with lab.page.context.expect_page() as opened:
        lab.page.locator(".lm-Menu").get_by_text(f"Open My app (port {port}, ").click()
    opened.value.get_by_text("It works").wait_for()
    assert ports(jupyter)[port]["access_control"]["authentication_required"] is True
    assert our_faults(lab.page) == []
    assert complaints == []


def test_the_ports_of_a_notebook_are_exposed_from_its_toolbar(
    lab: Lab, jupyter: JupyterServer
) -> None:
    """By the keyboard alone: the button, its menu, the dialog."""
    port = free_port()
    lab.open(serve_cell(port), at=NOTEBOOKS)
    lab.run()
    asked = toast(lab.page, f"My app is running on port {port}")
    asked.wait_for()
    lab.page.locator(".jp-TensorOne-notebook", has_text="1").locator("jp-button").focus()
    lab.page.keyboard.press("Enter")
    lab.page.locator(".lm-Menu").get_by_text(f"Expose My app (port {port})…").wait_for()
    lab.page.keyboard.press("ArrowDown")
    lab.page.keyboard.press("Enter")
    dialog = lab.page.get_by_role("dialog")
    dialog.get_by_text("Only you can open it.").wait_for()
    lab.page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    assert wait_until(lambda: port in ports(jupyter))
    asked.wait_for(state="detached")


def test_the_sidebar_is_shown_from_the_toolbar(
    lab: Lab, service: StartService, jupyter: JupyterServer
) -> None:
    """[Show Ports] opens what Lab has as a sidebar."""
    mine(jupyter, service())
    lab.open("1", at=NOTEBOOKS)
    lab.page.locator(".jp-TensorOne-notebook").click()
    lab.page.locator(".lm-Menu").get_by_text("Show Ports").click()
    lab.page.locator("#tensorone-ports").get_by_text("My page").wait_for()


def test_what_is_exposed_is_among_what_runs(
    lab: Lab, service: StartService, jupyter: JupyterServer, complaints: list[str], pictures: Path
) -> None:
    """On /tree: listed with its port, opened in a tab of the browser."""
    page = service()
    mine(jupyter, page)
    lab.page.goto(f"{lab.origin}/tree?token={TOKEN}")
    lab.page.get_by_role("tab", name="Running").click()
    item = lab.page.locator(".jp-RunningSessions-item", has_text="My page")
    item.get_by_text("● My page").wait_for()
    lab.page.screenshot(path=pictures / "notebook7-running.png")
    with lab.page.context.expect_page() as opened:
        item.get_by_text("● My page").click()
    opened.value.get_by_text(WORKS).wait_for()
    assert complaints == []
