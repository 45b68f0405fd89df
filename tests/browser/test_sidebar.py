"""The sidebar "Ports" of a real JupyterLab, with a real gateway and real services behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import StartService
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.lab import Lab


@pytest.fixture
def sidebar(lab: Lab) -> Any:
    """Open JupyterLab, and in it the sidebar."""
    lab.start()
    lab.page.locator('.jp-SideBar [data-id="tensorone-ports"]').click()
    panel = lab.page.locator("#tensorone-ports")
    panel.wait_for()
    return panel


def test_the_sidebar_lists_what_is_exposed_elsewhere(
    sidebar: Any, service: StartService, jupyter: JupyterServer, pictures: Path
) -> None:
    """Whatever a cell, a terminal or curl exposes is in the sidebar, without being asked for."""
    page = service("Told by an event")
    made = {"internal_port": page.port, "description": "Told by an event"}
    jupyter.request("POST", "api/ports", json=made).raise_for_status()
    sidebar.get_by_text("Told by an event").wait_for()
    sidebar.page.screenshot(path=pictures / "sidebar.png")
