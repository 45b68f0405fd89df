"""The sidebar at an API elsewhere: an account of two clusters, and a key that is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.browser import run_chromium
from tests.fixtures.fake_api import KEY, FakeApi
from tests.fixtures.jupyter import run_jupyter
from tests.fixtures.lab import OPTIONS, Lab, ask_nothing

REFUSED = {"code": "UNAUTHORIZED", "message": "This key has expired.", "details": {}}


class Account(FakeApi):
    """An API whose key can expire."""

    expired = False

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if self.expired:
            return httpx.Response(401, json={"success": False, "error": REFUSED})
        return super().handle(request)


@pytest.fixture
def fake_api() -> Account:
    """Return an account of two clusters, with one service exposed."""
    account = Account(extensions=())
    account.clusters = ["cluster_one", "cluster_two"]
    account.add(6006, description="TensorBoard")
    return account


@pytest.fixture
def sidebar(served_api: Account, playwright: Any, tmp_path: Path) -> Iterator[Any]:
    """Show the sidebar of a Lab that knows a key and no cluster."""
    ask_nothing(tmp_path)
    account = {"TENSORONE_API_URL": os.environ["TENSORONE_API_URL"], "TENSORONE_API_KEY": KEY}
    with (
        run_jupyter(tmp_path, *OPTIONS, module="jupyterlab", environ=account) as server,
        run_chromium(playwright, tmp_path / "home") as browser,
    ):
        lab = Lab(browser.new_page(), server)
        lab.start()
        lab.page.locator('.jp-SideBar [data-id="tensorone-ports"]').click()
        yield lab.page.locator("#tensorone-ports")


def test_a_cluster_is_chosen_and_a_refused_key_is_told(
    sidebar: Any, served_api: Account, pictures: Path
) -> None:
    """What is missing is asked for in its place; what is refused says why and what to do."""
    sidebar.get_by_text("Choose a cluster above.").wait_for()
    sidebar.get_by_label("Cluster").select_option("cluster_two")
    sidebar.locator("[data-port-id]", has_text="TensorBoard").wait_for()
    assert served_api.calls[-1][1].startswith("/v1/clusters/cluster_two/")
    sidebar.page.screenshot(path=pictures / "sidebar-clusters.png")
    served_api.expired = True
    sidebar.get_by_text("The API key is refused: This key has expired.").wait_for()
    sidebar.get_by_text("Set TENSORONE_API_KEY").wait_for()
    sidebar.page.screenshot(path=pictures / "sidebar-refused.png")
    served_api.expired = False
    sidebar.get_by_role("button", name="Try again").click()
    sidebar.get_by_text("The API key is refused").wait_for(state="detached")
    assert sidebar.get_by_label("Cluster").input_value() == "cluster_two"
