"""The dialogs of a real JupyterLab: expose, edit, share, re-point, and the rules of all ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import RunCommand, StartService
from tests.fixtures.dialogs import mine
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.services.page import WORKS
from tests.fixtures.sidebar import serious_faults


@pytest.fixture
def stranger(chromium: Any) -> Iterator[Any]:
    """Return a page in the browser of somebody who has nothing to do with this Jupyter."""
    context = chromium.new_context()
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_r31_a_port_is_exposed_for_me_alone_and_mistakes_are_told_at_their_field(
    run: RunCommand, service: StartService, exposed: Callable[[], Any], pictures: Path
) -> None:
    """What the gateway finds wrong stands at its field; put right, the service is exposed."""
    port = service().port
    dialog = run("expose", port=port)
    dialog.get_by_label("Name", exact=True).fill("My page")
    dialog.get_by_text("Only you can open it.").wait_for()
    dialog.page.screenshot(path=pictures / "expose-filled.png")
    dialog.get_by_text("More", exact=True).click()
    addresses = dialog.get_by_label("Only from these addresses")
    addresses.fill("my home")
    dialog.get_by_role("button", name="Expose").click()
    problem = dialog.get_by_text("'my home' is not an IP address or CIDR range")
    problem.wait_for()
    assert addresses.get_attribute("aria-invalid") == "true"
    told = (addresses.get_attribute("aria-describedby") or "").split()[0]
    assert "my home" in dialog.page.locator(f"[id='{told}']").inner_text()
    assert not exposed()
    dialog.page.screenshot(path=pictures / "expose-problem.png")
    addresses.fill("127.0.0.0/8, ::1")
    dialog.get_by_role("button", name="Expose").click()
    dialog.wait_for(state="detached")
    (made,) = exposed()
    access = made["access_control"]
    assert (made["description"], made["internal_port"]) == ("My page", port)
    assert (access["authentication_required"], len(access["allowed_users"])) == (True, 1)
    assert access["ip_whitelist"] == ["127.0.0.0/8", "::1"]


def test_r31_public_is_a_step_of_its_own(
    run: RunCommand,
    service: StartService,
    exposed: Callable[[], Any],
    stranger: Any,
    pictures: Path,
) -> None:
    """What it means is asked first; Escape leads back, and only the yes lets strangers in."""
    dialog = run("expose", port=service().port)
    dialog.get_by_label("Name", exact=True).fill("My page")
    dialog.get_by_label("Anyone with the link").check()
    dialog.get_by_role("button", name="Expose").click()
    question = dialog.get_by_text("without signing in. Make public?")
    question.wait_for()
    dialog.page.screenshot(path=pictures / "expose-public.png")
    dialog.page.keyboard.press("Enter")
    assert not exposed()
    dialog.page.keyboard.press("Escape")
    assert dialog.get_by_label("Anyone with the link").is_checked()
    dialog.get_by_role("button", name="Expose").click()
    question.wait_for()
    dialog.get_by_role("button", name="Make public").click()
    dialog.wait_for(state="detached")
    (made,) = exposed()
    stranger.goto(made["url"])
    stranger.get_by_text(WORKS).wait_for()


def test_a_colleague_is_let_in_by_a_link_from_the_dialog(
    run: RunCommand,
    service: StartService,
    jupyter: JupyterServer,
    stranger: Any,
    pictures: Path,
) -> None:
    """The link is shown once, to copy and to scan; in another browser it opens this port."""
    mapping = mine(jupyter, service())
    dialog = run("share", id=mapping["id"])
    dialog.get_by_label("Person").fill("ben")
    dialog.get_by_label("Also add them to the people who can open it").check()
    dialog.get_by_label("For how long").select_option(label="1 hour")
    dialog.get_by_role("button", name="Make a link").click()
    address = dialog.get_by_label("Address", exact=True)
    address.wait_for()
    dialog.page.screenshot(path=pictures / "share-link.png")
    assert serious_faults(dialog.page, ".jp-TensorOne-dialog") == []
    link = address.input_value()
    assert link.startswith(f"{mapping['url']}/.tensorone/link?")
    assert dialog.get_by_role("img", name="The same address, to scan").is_visible()
    dialog.get_by_role("button", name="Copy").click()
    dialog.get_by_text("Copied.").wait_for()
    dialog.get_by_role("button", name="Done").click()
    dialog.wait_for(state="detached")
    stranger.goto(link)
    stranger.get_by_text(WORKS).wait_for()
    sessions = jupyter.request("GET", "api/sessions").json()["data"]
    assert [session["user"] for session in sessions] == ["ben"]


def test_an_edit_changes_what_was_changed_and_nothing_else(
    run: RunCommand, service: StartService, jupyter: JupyterServer, exposed: Callable[[], Any]
) -> None:
    """What somebody else changes while the dialog is open stays as they left it."""
    mapping = mine(jupyter, service())
    dialog = run("edit", id=mapping["id"])
    jupyter.request(
        "PUT", f"api/ports/{mapping['id']}", json={"health_check": {"path": "/up"}}
    ).raise_for_status()
    assert dialog.get_by_label("Only me").is_checked()
    dialog.get_by_label("Name", exact=True).fill("Runs of today")
    dialog.get_by_label("For how long").select_option(label="For 8 hours")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    (after,) = exposed()
    assert (after["description"], after["url"]) == ("Runs of today", mapping["url"])
    assert after["health_check"]["path"] == "/up"
    assert after["access_control"] == mapping["access_control"]
    assert after["expires_at"].endswith("Z")


def test_an_address_is_led_to_another_service(
    run: RunCommand, service: StartService, jupyter: JupyterServer, exposed: Callable[[], Any]
) -> None:
    """The address stays, the port behind it is another."""
    mapping = mine(jupyter, service())
    other = service("Another page")
    dialog = run("repoint", id=mapping["id"])
    dialog.get_by_label("Port", exact=True).fill(str(other.port))
    dialog.get_by_role("button", name="Re-point").click()
    dialog.wait_for(state="detached")
    (after,) = exposed()
    assert (after["internal_port"], after["url"]) == (other.port, mapping["url"])


def test_the_rules_of_all_ports_are_changed_and_changed_back(
    run: RunCommand, jupyter: JupyterServer, pictures: Path
) -> None:
    """An address that is none is told at its field; what is emptied is lifted."""

    def rules() -> dict[str, Any]:
        return dict(jupyter.request("GET", "api/access").json()["data"])

    before = rules()
    dialog = run("access")
    dialog.page.screenshot(path=pictures / "access-filled.png")
    dialog.get_by_label("All ports together: requests a minute").fill("6000")
    dialog.get_by_label("Never from these addresses").fill("nowhere")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("'nowhere' is not an IP address").wait_for()
    assert rules() == before
    dialog.get_by_label("Never from these addresses").fill("203.0.113.9")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    changed = rules()
    assert changed["blocked_ips"] == ["203.0.113.9"]
    assert changed["rate_limiting"]["global_limit"]["requests_per_minute"] == 6000
    dialog = run("access")
    dialog.get_by_label("All ports together: requests a minute").fill("")
    dialog.get_by_label("Never from these addresses").fill("")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    assert rules()["blocked_ips"] == []
    assert not (rules().get("rate_limiting") or {}).get("global_limit")
