"""The panel of widgets in JupyterLab, Notebook 7 and Voila, as people look at it and click."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.conftest import StartService
from tests.browser.test_card import _CONTRASTS, _ENOUGH
from tests.fixtures.gateway import wait_until
from tests.fixtures.jupyter import TOKEN, JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.services.page import WORKS

EVIL = "Runs <img src=x onerror=alert(1)>"
PANEL = "%tensorone panel"


@pytest.fixture(autouse=True)
def quiet(page: Any) -> Iterator[None]:
    """Fail if a page opens a dialog: an `onerror` that runs does."""
    dialogs: list[str] = []

    def dismiss(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    yield
    assert dialogs == []


def button(area: Any, name: str) -> Any:
    """Return the one button of this name."""
    return area.get_by_role("button", name=name, exact=True)


def says(area: Any, *words: str) -> bool:
    """Wait until the panel says all these words."""
    return wait_until(lambda: all(word in area.inner_text() for word in words))


def expose(area: Any, port: int, name: str) -> None:
    """Expose a port by the form, for two people."""
    button(area, "Expose a port…").click()
    area.get_by_label("Port", exact=True).fill(str(port))
    area.get_by_label("Name", exact=True).fill(name)
    area.get_by_label("Who can open it").select_option("People I choose")
    area.get_by_label("People", exact=True).fill("eve, root")
    area.get_by_text("Only eve and root can open it.").or_(
        area.get_by_text("Only you and eve can open it.")
    ).wait_for()
    area.get_by_title("Expose this port").click()


@pytest.mark.parametrize("at", ["lab/tree", "notebooks"])
def test_from_exposed_to_shared_to_stopped(
    lab: Lab, chromium: Any, service: StartService, at: str
) -> None:
    """Expose, edit, share with somebody who opens it, look who is in, stop: all by clicks."""
    lab.open(PANEL, at=at)
    area = lab.run()
    assert says(area, "connected", "local gateway", "Nothing is exposed.")
    expose(area, service().port, EVIL)
    assert says(area, EVIL, "2 people", "1 exposed"), area.inner_text()
    assert area.locator("img").count() == 0

    button(area, "Edit…").click()
    area.get_by_label("Who can open it").select_option("Anyone who signs in")
    button(area, "Save").click()
    assert says(area, "Changed: ", "Anyone who signs in"), area.inner_text()

    button(area, "Share…").click()
    area.get_by_label("Person").fill("ben")
    button(area, "Make the link").click()
    link = area.get_by_text("/.tensorone/link?token=").inner_text()
    visitor = chromium.new_context()
    try:
        visited = visitor.new_page()
        visited.goto(link)
        visited.get_by_text(WORKS).wait_for()
        button(area, "I have it").click()
        assert wait_until(lambda: "token=" not in area.inner_text())

        button(area, "Details").click()
        assert says(area, "Signed in: 1", "ben"), area.inner_text()
        area.get_by_role("img", name="requests in the last 30 min").wait_for()
        button(area, "Sign out").click()
        assert says(area, "Signed in: nobody"), area.inner_text()
    finally:
        visitor.close()

    button(area, "Stop").click()
    assert says(area, "is no longer exposed.", "0 exposed"), area.inner_text()


def test_a_page_that_is_opened_again_does_not_have_the_link(
    lab: Lab, jupyter: JupyterServer, service: StartService
) -> None:
    """Neither the file that is saved while it is shown, nor the page after a reload; it works."""
    lab.open(f"%tensorone expose {service().port} --name Runs\n{PANEL}", name="link.ipynb")
    area = lab.run()
    button(area, "Share…").click()
    area.get_by_label("Person").fill("ben")
    button(area, "Make the link").click()
    area.get_by_text("/.tensorone/link?token=").wait_for()
    lab.page.keyboard.press("Control+s")

    def saved() -> str:
        return jupyter.jupyter("GET", "api/contents/link.ipynb").text

    assert wait_until(lambda: "ProxyPanel" in saved())
    assert "token=" not in saved()
    lab.page.reload()
    shown = lab.page.locator(".jp-Notebook .jp-OutputArea")
    assert wait_until(lambda: shown.count() > 0 and "Person" in shown.first.inner_text())
    assert "token=" not in lab.page.content()
    button(shown.first, "Stop").click()
    assert says(shown.first, "is no longer exposed.", "0 exposed"), shown.first.inner_text()


def test_it_goes_on_while_a_cell_runs(lab: Lab, service: StartService) -> None:
    """What is exposed while a cell runs is there before the cell has ended."""
    lab.open(PANEL, "import time; time.sleep(300)")
    area = lab.run()
    assert says(area, "0 exposed")
    cell = lab.page.locator(".jp-Notebook .jp-CodeCell").nth(1)
    cell.locator(".cm-content").click()
    lab.page.keyboard.press("Control+Enter")
    cell.locator(".jp-InputPrompt", has_text="[*]").wait_for()
    body = {"internal_port": service().port, "description": "Made meanwhile"}
    lab.server.request("POST", "api/ports", json=body).raise_for_status()
    assert says(area, "Made meanwhile", "Anyone who signs in", "1 exposed"), area.inner_text()
    assert cell.locator(".jp-InputPrompt").inner_text().strip() == "[*]:"
    lab.page.evaluate("() => void window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    cell.locator(".jp-InputPrompt", has_not_text="[*]").wait_for()


def test_after_a_restart_it_says_that_it_is_over(lab: Lab) -> None:
    """A panel that nobody serves any more does not look as if somebody did."""
    lab.open(PANEL)
    area = lab.run()
    assert says(area, "connected")
    lab.page.evaluate(
        "() => void window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()"
    )
    assert says(area, "This panel's kernel was stopped or restarted."), area.inner_text()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_can_be_read_in_light_and_dark(
    lab: Lab, service: StartService, pictures: Path, theme: str
) -> None:
    """Every word has the contrast that WCAG 2.2 asks for (1.4.3), forms and details too."""
    port, public = service().port, service("Demo").port
    lab.open(
        f"%tensorone expose {port} --name Runs --health-path /\n%tensorone expose {public} --name "
        f"Demo --public\n{PANEL}"
    )
    lab.page.set_viewport_size({"width": 1200, "height": 1600})
    area = lab.run()
    lab.theme(theme)
    assert says(area, "2 exposed", "Public: no sign-in")
    for name in ("Details", "Share…", "Edit…"):
        button(area, name).first.click()
    button(area, "Expose a port…").click()
    assert says(area, "Signed in: nobody", "Works for", "Every … seconds", "Ends")
    lab.page.mouse.move(0, 0)
    lab.page.screenshot(path=pictures / f"panel-{theme.split()[1].lower()}.png")
    contrasts = area.evaluate(_CONTRASTS)
    assert len(contrasts) > 30
    weak = {text: ratio for text, ratio in contrasts if ratio < _ENOUGH[len(text) == 1]}
    assert not weak, weak


def test_it_works_by_the_keyboard_alone(lab: Lab, service: StartService) -> None:
    """Every control can be reached and used without a pointer, and has a name."""
    port = service().port
    lab.open(PANEL)
    area = lab.run()
    assert says(area, "connected")
    refresh = button(area, "Refresh")
    refresh.focus()
    press = lab.page.keyboard.press
    press("Tab")
    press("Enter")
    assert says(area, "Health path")
    press("Tab")
    lab.page.keyboard.type(str(port))
    for _ in range(5):
        press("Tab")
    assert lab.page.evaluate("document.activeElement.innerText") == "Expose"
    press("Enter")
    assert says(area, f"port {port}", "Only me", "1 exposed"), area.inner_text()
    names = area.evaluate(
        "area => [...area.querySelectorAll('button, input, select, a')].map(control =>"
        "control.innerText.trim() || control.labels?.[0]?.innerText.trim() || control.ariaLabel)"
    )
    assert all(names), names


def test_voila_shows_it_and_it_works_there(
    page: Any, jupyter: JupyterServer, service: StartService
) -> None:
    """A page without cells, made of a notebook, has the same panel."""
    port = service().port
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(PANEL)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    content = {"type": "notebook", "content": notebook}
    jupyter.jupyter("PUT", "api/contents/voila.ipynb", json=content).raise_for_status()
    origin = jupyter.url.replace("127.0.0.1", "localhost")
    page.goto(f"{origin}/voila/render/voila.ipynb?token={TOKEN}")
    area = page.locator("body")
    assert says(area, "connected", "local gateway"), area.inner_text()
    expose(area, port, EVIL)
    assert says(area, EVIL, "1 exposed"), area.inner_text()
    button(area, "Stop").click()
    assert says(area, "is no longer exposed.", "0 exposed"), area.inner_text()
