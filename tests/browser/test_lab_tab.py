"""An exposed page in a tab of JupyterLab, and the other places where Lab shows what is exposed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from tests.browser.conftest import StartService
from tests.fixtures.around import our_faults, ports, toast
from tests.fixtures.dialogs import mine
from tests.fixtures.jupyter import TOKEN, JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.services.page import FORBIDS_FRAMES, WORKS

LEAD_AWAY = """() => {
  try { top.location.href = "about:blank" } catch (error) { return error.name }
}"""
OPEN = "args => void window.jupyterapp.commands.execute('tensorone-proxy:open', args)"
SCHEMAS = """async () => {
  const {commands} = window.jupyterapp;
  const ours = commands.listCommands().filter(id => id.startsWith('tensorone-proxy:'));
  const described = await Promise.all(ours.map(id => commands.describedBy(id)));
  return ours.map((id, at) => [id, described[at].args?.type ?? null]);
}"""


def _open(lab: Lab, mapping: dict[str, Any]) -> Any:
    """Run the command that every [Open] runs; return the tab."""
    status = lab.page.locator(".jp-TensorOne-status")
    status.get_by_text(re.compile("[1-9] ports? exposed")).wait_for()
    lab.page.evaluate(OPEN, {"id": mapping["id"]})
    tab = lab.page.locator(".jp-TensorOne-tab")
    tab.locator("iframe").wait_for()
    return tab


def _frame(tab: Any) -> Any:
    return tab.frame_locator("iframe")


def test_r27_a_page_works_in_a_tab_and_cannot_lead_lab_away(
    lab: Lab, service: StartService, jupyter: JupyterServer, pictures: Path
) -> None:
    """Requests, WebSocket and forms work in the sandbox; reload and the way out are above."""
    mapping = mine(jupyter, service("My page", headers=FORBIDS_FRAMES))
    lab.start()
    tab = _open(lab, mapping)
    _frame(tab).get_by_text(WORKS).wait_for()
    lab.page.screenshot(path=pictures / "tab.png")
    sandbox = tab.locator("iframe").get_attribute("sandbox").split()
    assert "allow-top-navigation" not in sandbox
    refused = _frame(tab).locator("body").evaluate(LEAD_AWAY)
    assert refused == "SecurityError"
    _frame(tab).get_by_role("button", name="Send").click()
    _frame(tab).get_by_text("The form arrived.").wait_for()
    tab.get_by_role("button", name="Reload the page").click()
    _frame(tab).get_by_text(WORKS).wait_for()
    tab.get_by_text(mapping["url"]).wait_for()
    outside = tab.get_by_role("link", name="Open outside")
    assert outside.get_attribute("rel") == "noopener noreferrer"
    with lab.page.context.expect_page() as opened:
        outside.click()
    opened.value.get_by_text(WORKS).wait_for()
    assert our_faults(lab.page) == []


def test_a_page_is_opened_once_and_follows_its_name_and_its_end(
    lab: Lab, service: StartService, jupyter: JupyterServer
) -> None:
    """The same command shows the same tab; renamed it says so, and stopped it says that."""
    mapping = mine(jupyter, service())
    lab.start()
    tab = _open(lab, mapping)
    _open(lab, mapping)
    label = lab.page.locator(".lm-TabBar-tab", has_text="My page")
    assert label.count() == 1
    address = f"api/ports/{mapping['id']}"
    jupyter.request("PUT", address, json={"description": "Runs"}).raise_for_status()
    lab.page.locator(".lm-TabBar-tab", has_text="Runs").wait_for()
    jupyter.request("DELETE", address).raise_for_status()
    tab.get_by_text("Runs is no longer exposed.").wait_for()
    assert tab.locator("iframe").count() == 0


def test_tabs_come_back_with_the_layout_and_expose_nothing(
    lab: Lab, service: StartService, jupyter: JupyterServer
) -> None:
    """After a reload the page is there again; one that was stopped meanwhile stays stopped."""
    page = service()
    mapping = mine(jupyter, page)
    lab.start()
    _frame(_open(lab, mapping)).get_by_text(WORKS).wait_for()
    lab.page.wait_for_timeout(2_000)  # Lab saves its layout a moment later, and does not say when
    lab.page.goto(f"{lab.origin}/lab?token={TOKEN}")
    tab = lab.page.locator(".jp-TensorOne-tab")
    _frame(tab).get_by_text(WORKS).wait_for()
    jupyter.request("DELETE", f"api/ports/{mapping['id']}").raise_for_status()
    tab.get_by_text("My page is no longer exposed.").wait_for()
    lab.page.goto(f"{lab.origin}/lab?token={TOKEN}")
    tab.get_by_text("My page is no longer exposed.").wait_for()
    assert page.port not in ports(jupyter)


def test_a_port_that_is_not_exposed_is_not_opened(
    lab: Lab, service: StartService, jupyter: JupyterServer
) -> None:
    """R27: a saved notebook that runs the command exposes nothing by it."""
    page = service()
    lab.start()
    lab.page.locator(".jp-TensorOne-status", has_text="0 ports exposed").wait_for()
    lab.page.evaluate(OPEN, {"port": page.port})
    lab.page.get_by_text("This port is no longer exposed.").first.wait_for()
    assert lab.page.locator(".jp-TensorOne-tab").count() == 0
    assert page.port not in ports(jupyter)
    assert page.seen == []


def test_a_tab_says_what_to_do_about_the_certificate(
    newcomer: Lab, service: StartService, jupyter: JupyterServer, pictures: Path
) -> None:
    """A browser that does not trust the authority yet shows how, where a grey box would be."""
    mapping = mine(jupyter, service())
    newcomer.start()
    tab = _open(newcomer, mapping)
    _frame(tab).get_by_text("does not trust the certificate of https://localhost:").wait_for()
    _frame(tab).get_by_text("jupyter tensorone trust").wait_for()
    newcomer.page.screenshot(path=pictures / "tab-untrusted.png")


def test_the_status_bar_says_how_the_worst_does_and_leads_to_the_list(
    lab: Lab, service: StartService, jupyter: JupyterServer
) -> None:
    """By shape and words; a service that stops answering is seen without the sidebar."""
    page = service()
    check = {"interval_seconds": 1, "timeout_seconds": 1, "retries": 1}
    mine(jupyter, page, health_check=check)
    lab.start()
    status = lab.page.locator(".jp-TensorOne-status button")
    status.get_by_text("1 port exposed").wait_for()
    status.get_by_text("●").wait_for()
    gone = {"health_check": {**check, "path": "/status/500"}}
    (mapping,) = ports(jupyter).values()
    jupyter.request("PUT", f"api/ports/{mapping['id']}", json=gone).raise_for_status()
    status.get_by_text("1 port exposed, 1 not answering").wait_for()
    status.get_by_text("▲").wait_for()
    assert "not answering" in status.get_attribute("title")
    status.focus()
    lab.page.keyboard.press("Enter")
    lab.page.locator("#tensorone-ports").get_by_text("My page").wait_for()
    assert our_faults(lab.page) == []


def test_the_launcher_and_the_running_list_show_what_is_exposed(
    lab: Lab, service: StartService, jupyter: JupyterServer, pictures: Path
) -> None:
    """A card opens the page in a tab; the running list stops it, after a question."""
    lab.start()
    mapping = mine(jupyter, service())
    card = lab.page.locator(".jp-LauncherCard", has_text="My page")
    card.wait_for()
    lab.page.locator(".jp-LauncherCard", has_text="Expose a Port…").locator("svg").wait_for()
    lab.page.screenshot(path=pictures / "launcher.png")
    card.click()
    _frame(lab.page.locator(".jp-TensorOne-tab")).get_by_text(WORKS).wait_for()
    lab.page.locator('.jp-SideBar [data-id="jp-running-sessions"]').click()
    section = lab.page.locator(".jp-RunningSessions-section", has_text="● My page")
    section.get_by_text("● My page").wait_for()
    lab.page.screenshot(path=pictures / "running.png")
    section.locator(".jp-RunningSessions-item", has_text="My page").hover()
    section.locator(".jp-RunningSessions-itemShutdown[title='Stop Exposing']").click()
    lab.page.locator(".jp-Dialog").get_by_role("button", name="Stop").click()
    lab.page.get_by_text("● My page").wait_for(state="detached")
    assert mapping["internal_port"] not in ports(jupyter)


def test_the_launcher_starts_a_service_after_a_question(
    lab: Lab, jupyter: JupyterServer, pictures: Path
) -> None:
    """A service that was stopped is a card; its command is shown before it runs."""
    command = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
    made = jupyter.request(
        "POST", "api/processes", json={"stack": "lab", "name": "Files", "command": command}
    )
    service = f"api/processes/{made.raise_for_status().json()['data']['id']}"
    try:
        jupyter.request("POST", f"{service}/stop").raise_for_status()
        lab.start()
        lab.page.locator(".jp-LauncherCard", has_text="Start Files").click()
        dialog = lab.page.locator(".jp-Dialog", has_text="Start Files?")
        dialog.get_by_text("-m http.server").wait_for()
        lab.page.screenshot(path=pictures / "launcher-start.png")
        dialog.get_by_role("button", name="Start", exact=True).click()
        toast(lab.page, "Files runs.").wait_for()
        assert jupyter.request("GET", service).json()["data"]["state"] == "running"
        lab.page.locator(".jp-LauncherCard", has_text="Start Files").wait_for(state="detached")
    finally:
        jupyter.request("DELETE", service).raise_for_status()


def test_a_line_that_was_cut_is_said_outside_of_the_sidebar(
    lab: Lab, person: Any, service: StartService, jupyter: JupyterServer
) -> None:
    """The status bar says so, and what happened meanwhile is there when the line is back."""
    lines: list[Any] = []

    def pass_on(line: Any) -> None:
        line.connect_to_server()
        lines.append(line)

    person.route_web_socket("**/api/events/subscribe*", pass_on)
    lab.start()
    status = lab.page.locator(".jp-TensorOne-status")
    status.get_by_text("0 ports exposed").wait_for()
    person.set_offline(True)
    for line in lines:
        line.close()
    status.get_by_text("Ports: offline").wait_for()
    mine(jupyter, service())
    person.set_offline(False)
    status.get_by_text("1 port exposed").wait_for(timeout=60_000)


def test_every_command_is_in_the_palette_and_says_what_it_takes(
    lab: Lab, service: StartService, jupyter: JupyterServer
) -> None:
    """Chosen there, it asks which port is meant; each has a schema of its arguments."""
    mine(jupyter, service())
    lab.start()
    lab.page.locator(".jp-TensorOne-status", has_text="1 port exposed").wait_for()
    described = dict(lab.page.evaluate(SCHEMAS))
    assert described
    assert set(described.values()) == {"object"}, described
    lab.page.keyboard.press("Control+Shift+C")
    palette = lab.page.locator("#command-palette")
    palette.locator("input").fill("port")
    for command in ("Open an Exposed Port…", "Share an Exposed Port…", "Stop Exposing a Port…"):
        palette.get_by_text(re.compile(re.escape(command))).first.wait_for()
    palette.get_by_text("Open an Exposed Port…").click()
    lab.page.locator(".jp-Dialog").get_by_role("button", name="Ok").click()
    _frame(lab.page.locator(".jp-TensorOne-tab")).get_by_text(WORKS).wait_for()


def test_the_settings_page_has_what_was_answered(lab: Lab, pictures: Path) -> None:
    """What happens by itself, who gets in at first and what is told are settings of Lab."""
    lab.start()
    lab.page.evaluate(
        "() => void window.jupyterapp.commands.execute('settingeditor:open', {query: 'Ports'})"
    )
    form = lab.page.locator(".jp-SettingsForm, .jp-SettingsPanel").first
    for title in ("When a port is found", "Answers", "Who can open what I expose"):
        form.get_by_text(title, exact=True).first.wait_for()
    lab.page.screenshot(path=pictures / "settings.png")
