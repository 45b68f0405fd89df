"""Services in a frame of JupyterLab: signed in by a cookie that is good in this frame only."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import StartService
from tests.fixtures.gateway import command_line, free_port
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.lab import Lab, go_path
from tests.fixtures.services.page import FORBIDS_FRAMES, WORKS

SANDBOX = (
    "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox "
    "allow-downloads allow-modals"
)
ADD_FRAME = """([source, sandbox]) => {
  const frame = Object.assign(document.createElement("iframe"), {src: source, name: "service"});
  frame.setAttribute("sandbox", sandbox);
  frame.style = "position: fixed; inset: 25%; width: 50%; height: 50%; z-index: 9999; "
    + "background: white";
  document.body.append(frame);
}"""
WRITE_EVENTS = """
from tensorboardX import SummaryWriter
with SummaryWriter("logs/first-run") as writer:
    for step in range(3):
        writer.add_scalar("loss", 1 / (step + 1), step)
"""


def _framed(lab: Lab, port: int) -> Any:
    """Show a port in a frame as an IFrame tab has it."""
    lab.page.evaluate(ADD_FRAME, [go_path(port), SANDBOX])
    return lab.page.frame_locator("iframe[name=service]")


def test_a_frame_in_a_cell_signs_in_and_works(lab: Lab, person: Any, service: StartService) -> None:
    """`IFrame("/tensorone-proxy/go/PORT/")`: page, fetch, WebSocket and form work in the frame."""
    port = service().port
    lab.open(f"from IPython.display import IFrame; IFrame({go_path(port)!r}, 600, 300)")
    frame = lab.run().frame_locator("iframe")
    frame.get_by_text(WORKS).wait_for()
    frame.get_by_role("button", name="Send").click()
    frame.get_by_text("The form arrived.").wait_for()
    ours = [cookie for cookie in person.cookies() if cookie["name"].startswith("__Host-t1")]
    assert [cookie["name"][:10] for cookie in ours] == ["__Host-t1f"]
    assert ours[0].get("partitionKey") == "http://localhost"


def test_r27_a_sandboxed_frame_works_and_cannot_lead_lab_away(
    lab: Lab, service: StartService
) -> None:
    """The sandbox of an IFrame tab costs the page nothing but the power over Lab's own tab."""
    lab.start()
    frame = _framed(lab, service().port)
    frame.get_by_text(WORKS).wait_for()
    refused = frame.locator("body").evaluate(
        "() => { try { top.location.href = 'about:blank' } catch (error) { return error.name } }"
    )
    assert refused == "SecurityError"
    assert lab.page.url.startswith(lab.origin)


def test_a_service_that_forbids_frames_is_shown_by_lab_and_by_nobody_else(
    lab: Lab, person: Any, service: StartService
) -> None:
    """MLflow and Jupyter forbid frames: Lab may show them, a page on another port may not."""
    mine = service("My page", headers=FORBIDS_FRAMES)
    lab.start()
    frame = _framed(lab, mine.port)
    frame.get_by_text(WORKS).wait_for()
    (shown,) = [frame.url for frame in lab.page.frames if frame.name == "service"]
    evil = service("evil", html=f"<iframe name='stolen' src='{shown}'></iframe>")
    other = person.new_page()
    other.goto(f"http://localhost:{evil.port}/", wait_until="load")
    (stolen,) = [frame for frame in other.frames if frame.name == "stolen"]
    assert stolen.url == "chrome-error://chromewebdata/"


def test_a_frame_that_cannot_be_filled_says_why(lab: Lab, pictures: Any) -> None:
    """`%tensorboard` and the like show the reason instead of a grey box."""
    port = free_port()
    lab.start()
    frame = _framed(lab, port)
    frame.get_by_text("Nothing listens on it: start the service, then try again.").wait_for()
    lab.page.screenshot(path=pictures / "frame-error.png")


def test_a_tab_after_a_frame_signs_in_by_itself(
    lab: Lab, person: Any, service: StartService
) -> None:
    """Frame and tab have separate cookies: each opens through `go/`, and both go on working."""
    port = service().port
    lab.start()
    frame = _framed(lab, port)
    frame.get_by_text(WORKS).wait_for()
    tab = Lab(person.new_page(), lab.server)
    tab.sign_in()
    tab.go(port)
    tab.page.get_by_text(WORKS).wait_for()
    frame.get_by_role("button", name="Send").click()
    frame.get_by_text("The form arrived.").wait_for()


@pytest.fixture
def tensorboards(jupyter: JupyterServer) -> Iterator[None]:
    """End what `%tensorboard` started: it would outlive its kernel."""
    yield
    for pid in jupyter.descendants():
        if "tensorboard" in command_line(pid):
            os.kill(pid, signal.SIGTERM)


def test_tensorboards_own_magic_shows_the_real_page(
    lab: Lab, service: StartService, tensorboards: Any, pictures: Any
) -> None:
    """`%tensorboard` in a cell shows TensorBoard through the proxy, with nothing configured."""
    lab.open(WRITE_EVENTS, "%load_ext tensorboard\n%tensorboard --logdir logs --port 0")
    lab.run(0)
    frame = lab.run(1).frame_locator("iframe")
    frame.get_by_text("first-run").first.wait_for(timeout=60_000)
    lab.page.screenshot(path=pictures / "tensorboard.png")
    (port,) = lab.server.request("GET", "api/ports").json()["data"]
    assert port["access_control"]["authentication_required"] is True
    addresses = [frame.url for frame in lab.page.frames]
    assert any(address.startswith(f"{port['url']}/") for address in addresses), addresses
