"""The dialogs in use: from a cell's service, by keyboard, in both themes, and by saved output."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import RunCommand, StartService
from tests.fixtures.dialogs import dialog_of, mine
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.sidebar import serious_faults

SERVE = """import subprocess, sys
command = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
served = subprocess.Popen(command, stderr=subprocess.DEVNULL)"""


@pytest.fixture
def no_kernel_stays(jupyter: JupyterServer) -> Iterator[None]:
    """End every kernel after the test, and so what its cells started."""
    yield
    for kernel in jupyter.jupyter("GET", "api/kernels").json():
        jupyter.jupyter("DELETE", f"api/kernels/{kernel['id']}")


@pytest.mark.usefixtures("no_kernel_stays")
@pytest.mark.parametrize("at", ["lab/tree", "notebooks"])
def test_a_detected_service_is_exposed_until_its_kernel_stops(
    lab: Lab, jupyter: JupyterServer, exposed: Callable[[], Any], at: str
) -> None:
    """In Lab and in Notebook 7: what a cell started can be chosen, and goes with its kernel."""
    port = free_port()
    lab.open(SERVE.format(port=port), at=at)
    lab.run()

    def detected() -> bool:
        found = jupyter.request("GET", "api/detected").json()["data"]
        return port in [one["port"] for one in found]

    assert wait_until(detected, seconds=20)
    dialog = dialog_of(lab, "expose")
    service = dialog.get_by_label("Service", exact=True)
    chosen = service.locator("option:checked").text_content()
    assert chosen.endswith(f"port {port} · test.ipynb")
    dialog.get_by_label("Name", exact=True).fill("<img src=x onerror=document.title='hit'>")
    dialog.get_by_label("For how long").select_option(label="Until the kernel stops")
    dialog.get_by_text("It stops when the kernel does.").wait_for()
    dialog.get_by_role("button", name="Expose").click()
    dialog.wait_for(state="detached")
    (made,) = exposed()
    (kernel,) = jupyter.jupyter("GET", "api/kernels").json()
    assert made["kernel_id"] == kernel["id"]
    edited = dialog_of(lab, "edit", id=made["id"])
    assert edited.get_by_label("For how long").input_value() == "kernel"
    assert lab.page.title() != "hit"  # R28: a name is text, in titles too
    edited.get_by_role("button", name="Cancel").click()
    lab.page.goto("about:blank")
    jupyter.jupyter("DELETE", f"api/kernels/{kernel['id']}").raise_for_status()
    assert wait_until(lambda: not exposed(), seconds=30)


def test_everything_is_done_with_the_keyboard_alone(
    run: RunCommand, service: StartService, exposed: Callable[[], Any]
) -> None:
    """Tab, arrows, Space and Enter fill the form in and send it; no field is out of reach."""
    port = service().port
    dialog = run("expose")
    keyboard = dialog.page.keyboard

    def focused() -> str:
        return str(
            dialog.page.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).textContent"
            )
        )

    def tab_to(label: str) -> None:
        for _ in range(40):
            if focused() == label:
                return
            keyboard.press("Tab")
        raise AssertionError(f"{label} cannot be reached")

    tab_to("Port")
    keyboard.type(str(port))
    tab_to("Name")
    keyboard.type("By keyboard")
    tab_to("Only me")
    keyboard.press("ArrowDown")
    assert focused() == "People I choose"
    tab_to("People")
    keyboard.type("ben, eve")
    tab_to("More")
    keyboard.press("Enter")
    tab_to("Path to check")
    keyboard.type("/up")
    keyboard.press("Enter")
    dialog.wait_for(state="detached")
    (made,) = exposed()
    assert (made["internal_port"], made["description"]) == (port, "By keyboard")
    assert made["access_control"]["allowed_users"] == ["ben", "eve"]
    assert made["health_check"]["path"] == "/up"


def test_the_dialogs_suit_light_and_dark(
    lab: Lab, run: RunCommand, service: StartService, jupyter: JupyterServer, pictures: Path
) -> None:
    """In every theme axe finds no serious fault: names, roles, contrast."""
    mapping = mine(jupyter, service())
    for theme in ("JupyterLab Dark", "JupyterLab Dark High Contrast", "JupyterLab Light"):
        lab.theme(theme)
        name = theme.removeprefix("JupyterLab ").replace(" ", "-").lower()
        for command, arguments in (
            ("expose", {}),
            ("edit", {"id": mapping["id"]}),
            ("share", {"id": mapping["id"]}),
            ("access", {}),
        ):
            dialog = run(command, **arguments)
            if command == "expose":
                dialog.get_by_label("Name", exact=True).fill("")
                dialog.get_by_role("button", name="Expose").click()
                dialog.get_by_text("is missing").first.wait_for()
                dialog.get_by_text("More", exact=True).click()
            dialog.page.screenshot(path=pictures / f"{command}-{name}.png")
            assert serious_faults(lab.page, ".jp-TensorOne-dialog") == [], (theme, command)
            dialog.page.keyboard.press("Escape")
            dialog.wait_for(state="detached")


def test_r27_saved_output_exposes_nothing_by_itself(
    lab: Lab, jupyter: JupyterServer, service: StartService, exposed: Callable[[], Any]
) -> None:
    """A link in a cell's output that runs our command leads to the dialog, whatever it asks for."""
    port = service().port
    wanted = json.dumps({"port": port, "public": True, "access_control": {"public_access": True}})
    html = (
        "<button data-commandlinker-command='tensorone-proxy:expose' "
        f"data-commandlinker-args='{wanted}'>Click me</button>"
    )
    lab.open(f"from IPython.display import HTML\nHTML({html!r})")
    output = lab.run()
    output.get_by_text("Click me").click()
    ours = lab.page.locator(".jp-TensorOne-dialog")
    trust = lab.page.locator(".jp-Dialog:not(.jp-TensorOne-dialog) .jp-mod-accept")
    ours.or_(trust).first.wait_for()
    if not ours.count():  # Lab itself asks first whether this output is to be trusted
        trust.click()
    ours.wait_for()
    assert ours.get_by_label("Only me").is_checked()
    assert not exposed()
    ours.get_by_role("button", name="Cancel").click()
    ours.wait_for(state="detached")
    assert not wait_until(lambda: bool(exposed()), seconds=2)
