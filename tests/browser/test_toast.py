"""The question that JupyterLab asks when something begins to listen, and what its answers do."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.around import (
    end_kernels,
    ports,
    preferences,
    press,
    serve_cell,
    set_preferences,
    toast,
    wish,
)
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.sidebar import expose

WATCH = """text => {
  window.shownAt = new Promise(done => new MutationObserver(() => {
    if (document.querySelector(".Toastify")?.textContent.includes(text)) done(Date.now());
  }).observe(document.body, {childList: true, subtree: true, characterData: true}));
}"""
HOSTILE = "&lt;img src=x onerror=&quot;document.title='broken in'&quot;&gt;"


@pytest.fixture(autouse=True)
def as_at_first(jupyter: JupyterServer) -> Iterator[None]:
    """Forget every answer before the test, and end its kernels after it."""
    set_preferences(jupyter)
    yield
    end_kernels(jupyter)


def test_a_cell_that_starts_something_has_lab_ask_and_one_press_exposes_it(
    lab: Lab, jupyter: JupyterServer, pictures: Path, record_property: Any
) -> None:
    """Cell, question, [Expose]: for its user alone, until the kernel ends. Its time is reported."""
    port = free_port()
    lab.open(f"{serve_cell(port)}\nimport time; print(int(time.time() * 1000))")
    lab.page.evaluate(WATCH, f"port {port}")
    output = lab.run()
    asked = toast(lab.page, f"My app is running on port {port} (test.ipynb).")
    asked.wait_for()
    took = lab.page.evaluate("() => window.shownAt") - int(output.inner_text().strip())
    record_property("milliseconds_from_cell_to_toast", took)
    print(f"from the cell to the question: {took} ms")  # noqa: T201 - told, never a condition
    lab.page.screenshot(path=pictures / "toast.png")
    press(asked, "Expose")
    toast(lab.page, "Only you can open it.").wait_for()
    mapping = ports(jupyter)[port]
    assert mapping["description"] == "My app"
    assert mapping["access_control"]["allowed_users"] == [getpass.getuser()]
    assert mapping["kernel_id"]
    asked.wait_for(state="detached")


def test_always_is_remembered_and_followed_without_a_question(
    lab: Lab, jupyter: JupyterServer
) -> None:
    """The next time the server exposes it by itself, says so, and [Stop…] takes it back."""
    port = free_port()
    start, stop = serve_cell(port), "served.kill(), served.wait()"
    lab.open(start, stop)
    lab.run(0)
    press(toast(lab.page, f"My app is running on port {port}"), "Always")
    toast(lab.page, "My app is exposed at").wait_for()
    assert preferences(jupyter)["answers"] == [{"port": port, "action": "expose"}]
    end_kernels(jupyter)
    lab.open(start)
    lab.run(0)
    told = toast(lab.page, f"My app on port {port} was exposed by itself. Only you can open it.")
    told.wait_for()
    assert ports(jupyter)[port]["access_control"]["allowed_users"] == [getpass.getuser()]
    press(told, "Stop…")
    lab.page.locator(".jp-Dialog").get_by_role("button", name="Stop").click()
    assert wait_until(lambda: port not in ports(jupyter))


def test_ignore_is_remembered_and_can_be_undone(lab: Lab, jupyter: JupyterServer) -> None:
    """The list still has the port; nobody is asked about it, until the answer is taken back."""
    port = free_port()
    lab.open(serve_cell(port))
    lab.run()
    press(toast(lab.page, f"My app is running on port {port}"), "Ignore")
    undo = toast(lab.page, f"Port {port} is not asked about any more.")
    undo.wait_for()
    assert preferences(jupyter)["answers"] == [{"port": port, "action": "ignore"}]
    press(undo, "Undo")
    assert wait_until(lambda: preferences(jupyter).get("answers") == [])
    assert port not in ports(jupyter)


def test_an_answer_in_one_page_ends_the_question_in_the_others(
    lab: Lab, person: Any, jupyter: JupyterServer
) -> None:
    """Two Labs ask; one is answered, and its answer holds in the other, too."""
    port = free_port()
    second = Lab(person.new_page(), jupyter)
    second.start()
    lab.open(serve_cell(port))
    lab.run()
    question = f"My app is running on port {port}"
    toast(second.page, question).wait_for()
    press(toast(lab.page, question), "Ignore")
    toast(second.page, question).wait_for(state="detached")
    assert wait_until(lambda: preferences(jupyter).get("answers"))


def test_what_another_page_exposes_is_no_question_any_more(
    lab: Lab, jupyter: JupyterServer
) -> None:
    """A terminal, a cell or curl exposes it: the question goes by itself."""
    port = free_port()
    lab.open(serve_cell(port))
    lab.run()
    asked = toast(lab.page, f"My app is running on port {port}")
    asked.wait_for()
    expose(jupyter, port, "By curl")
    asked.wait_for(state="detached")


def test_a_wish_for_public_access_is_asked_and_never_done(
    lab: Lab, jupyter: JupyterServer, pictures: Path
) -> None:
    """A notebook from anybody wishes that everybody gets in: a person decides, in the dialog."""
    port = free_port()
    lab.open(serve_cell(port))
    wish(jupyter, "test.ipynb", {"port": port, "name": "Demo", "public": True})
    lab.run()
    asked = toast(lab.page, "The notebook wishes that everybody can open it.")
    asked.wait_for()
    lab.page.screenshot(path=pictures / "toast-public.png")
    press(asked, "Choose who…")
    lab.page.get_by_role("dialog").get_by_label("Only me").wait_for()
    access = ports(jupyter)[port]["access_control"]
    assert access["authentication_required"] is True
    assert access["allowed_users"] == [getpass.getuser()]


def test_a_hostile_title_is_text(lab: Lab) -> None:
    """What a page calls itself is shown as it is written, and runs nothing."""
    port = free_port()
    lab.open(serve_cell(port, HOSTILE))
    lab.run()
    asked = toast(lab.page, f"is running on port {port}")
    asked.get_by_text("<img src=x onerror=").wait_for()
    assert asked.locator("img").count() == 0
    assert lab.page.title() != "broken in"


def test_settings_can_keep_lab_quiet(lab: Lab, jupyter: JupyterServer) -> None:
    """Who wants no questions gets none; the list has the port all the same."""
    port = free_port()
    set_preferences(jupyter, onDetection="ignore")
    lab.open(serve_cell(port))
    lab.run()

    def is_listed() -> bool:
        found = jupyter.request("GET", "api/detected").json()["data"]
        return any(one["port"] == port for one in found)

    assert wait_until(is_listed)
    lab.page.locator(".jp-TensorOne-notebook", has_text="1").wait_for()
    lab.page.wait_for_timeout(1_000)
    assert toast(lab.page, f"port {port}").count() == 0
