"""The whole story, as a person lives it: from a cell to a colleague who looks, and to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.around import BOARD, end_kernels, our_faults, ports, press, toast
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.services.processes import need

PATIENCE = 90_000
MLFLOW = """
import ctypes, subprocess, sys
command = [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", "--port={port}",
           "--workers=1", "--backend-store-uri=sqlite:///m.db"]
served = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          preexec_fn=lambda: ctypes.CDLL(None).prctl(1, 9))
"""


@pytest.fixture(autouse=True)
def no_kernel_stays(jupyter: JupyterServer) -> Iterator[None]:
    """End the kernels of a test."""
    yield
    end_kernels(jupyter)


@pytest.fixture
def ben(chromium: Any) -> Iterator[Any]:
    """Return a page in the browser of a colleague."""
    context = chromium.new_context()
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def _opened(lab: Lab, at: str, act: Callable[[], None]) -> Any:
    """Do what opens a service; return where it shows: a tab of Lab, or of the browser."""
    if at == "notebooks":
        with lab.page.context.expect_page() as opening:
            act()
        return opening.value
    act()
    return lab.page.locator(".jp-TensorOne-tab").frame_locator("iframe")


@pytest.mark.parametrize(
    ("at", "theme"),
    [("lab/tree", "JupyterLab Light"), ("lab/tree", "JupyterLab Dark"), ("notebooks", "")],
)
def test_tensorboard_is_found_exposed_opened_shared_renamed_and_stopped(  # noqa: PLR0913, PLR0917 - its cast
    lab: Lab, jupyter: JupyterServer, ben: Any, pictures: Path, at: str, theme: str
) -> None:
    """Nothing is typed but a name; the colleague gets in by a link, and is out when it stops."""
    picture = f"story-{theme.split()[1].lower() if theme else 'notebook7'}"
    port = free_port()
    lab.open(BOARD.format(port=port), at=at)
    if theme:
        lab.theme(theme)
    lab.run()
    asked = toast(lab.page, f"TensorBoard is running on port {port} (test.ipynb).")
    asked.wait_for(timeout=PATIENCE)
    lab.page.screenshot(path=pictures / f"{picture}-1-asked.png")
    press(asked, "Expose")
    exposed = toast(lab.page, "Only you can open it.")
    exposed.wait_for()
    url = ports(jupyter)[port]["url"]

    ben.goto(url)
    assert "/.tensorone/sign-in" in ben.url
    press(exposed, "Share…")
    ben.goto(_make_link(lab, pictures / f"{picture}-2-shared.png"))
    ben.get_by_text("first-run").first.wait_for(timeout=PATIENCE)

    lab.page.locator(".jp-TensorOne-notebook", has_text="1").click()
    item = lab.page.locator(".lm-Menu").get_by_text("Open TensorBoard")
    shown = _opened(lab, at, item.click)
    shown.get_by_text("first-run").first.wait_for(timeout=PATIENCE)
    (shown if at == "notebooks" else lab.page).screenshot(path=pictures / f"{picture}-3-open.png")
    lab.page.bring_to_front()

    _rename(lab, port)
    assert wait_until(lambda: ports(jupyter)[port]["description"] == "Runs of today")
    assert our_faults(lab.page) == []

    _stop(lab, port)
    assert wait_until(lambda: port not in ports(jupyter))
    if at != "notebooks":
        lab.page.get_by_text("Runs of today is no longer exposed.").wait_for()
    lab.page.screenshot(path=pictures / f"{picture}-4-stopped.png")
    assert wait_until(lambda: _answer(ben, url) != httpx.codes.OK), _answer(ben, url)


def _make_link(lab: Lab, picture: Path) -> str:
    """Fill in the dialog that shares a port; return the link that it shows once."""
    dialog = lab.page.get_by_role("dialog")
    dialog.get_by_label("Person").fill("ben")
    dialog.get_by_label("Also add them to the people who can open it").check()
    dialog.get_by_role("button", name="Make a link").click()
    address = dialog.get_by_label("Address", exact=True)
    address.wait_for()
    lab.page.screenshot(path=picture)
    link = str(address.input_value())
    dialog.get_by_role("button", name="Done").click()
    return link


def _rename(lab: Lab, port: int) -> None:
    _command(lab, "edit", port)
    dialog = lab.page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Runs of today")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")


def _stop(lab: Lab, port: int) -> None:
    _command(lab, "stop", port)
    lab.page.locator(".jp-Dialog").get_by_role("button", name="Stop").click()


def _command(lab: Lab, name: str, port: int) -> None:
    lab.page.evaluate(
        "([name, port]) => void window.jupyterapp.commands.execute(name, {port})",
        [f"tensorone-proxy:{name}", port],
    )


def _answer(ben: Any, url: str) -> int:
    """Return the status with which the address answers from an open page; 0 if it does not."""
    return int(
        ben.evaluate(
            "url => fetch(url, {cache: 'no-store'}).then(({status}) => status, () => 0)", url
        )
    )


def test_the_story_by_the_keyboard_alone(lab: Lab, jupyter: JupyterServer) -> None:
    """Question, answer, open, stop: whoever has no pointer does the same."""
    port = free_port()
    lab.open(BOARD.format(port=port))
    lab.run()
    keys = lab.page.keyboard
    asked = toast(lab.page, f"TensorBoard is running on port {port}")
    asked.wait_for(timeout=PATIENCE)
    asked.get_by_role("button", name="Expose", exact=True).focus()
    keys.press("Enter")
    exposed = toast(lab.page, "Only you can open it.")
    exposed.wait_for()
    exposed.get_by_role("button", name="Open", exact=True).focus()
    keys.press("Enter")
    frame = lab.page.locator(".jp-TensorOne-tab").frame_locator("iframe")
    frame.get_by_text("first-run").first.wait_for(timeout=PATIENCE)
    keys.press("Control+Shift+C")
    keys.type("stop exposing")
    keys.press("Enter")
    lab.page.locator(".jp-Dialog", has_text="TensorBoard").wait_for()
    keys.press("Enter")
    lab.page.locator(".jp-Dialog", has_text="Stop exposing TensorBoard?").wait_for()
    keys.press("Enter")
    assert wait_until(lambda: port not in ports(jupyter))


def test_mlflow_is_found_exposed_and_opened(
    lab: Lab, jupyter: JupyterServer, pictures: Path
) -> None:
    """A service that forbids frames and takes its time to start is in a tab of Lab all the same."""
    need("mlflow")
    port = free_port()
    lab.open(MLFLOW.format(port=port))
    lab.run()
    asked = toast(lab.page, f"MLflow is running on port {port}")
    asked.wait_for(timeout=2 * PATIENCE)
    press(asked, "Expose")
    exposed = toast(lab.page, "Only you can open it.")
    exposed.wait_for()
    press(exposed, "Open")
    frame = lab.page.locator(".jp-TensorOne-tab").frame_locator("iframe")
    frame.get_by_text("Experiments").first.wait_for(timeout=PATIENCE)
    lab.page.screenshot(path=pictures / "story-mlflow.png")
    assert ports(jupyter)[port]["health_check"]["path"] == "/health"
