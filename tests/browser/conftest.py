"""What every test in the browser needs: JupyterLab with the gateway, Chromium, and a page."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.browser import run_chromium, run_playwright
from tests.fixtures.dialogs import dialog_of
from tests.fixtures.jupyter import JupyterServer, run_jupyter
from tests.fixtures.lab import OPTIONS, Lab, ask_nothing
from tests.fixtures.services.page import PageService
from tests.fixtures.services.web import serve
from tests.fixtures.sidebar import show_sidebar

RunCommand = Callable[..., Any]
StartService = Callable[..., PageService]


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run one JupyterLab, with its gateway, for all tests of this folder."""
    directory = tmp_path_factory.mktemp("lab")
    ask_nothing(directory)
    with run_jupyter(directory, *OPTIONS, module="jupyterlab") as server:
        server.request("GET", "api/ports").raise_for_status()
        yield server


@pytest.fixture(scope="package")
def playwright() -> Iterator[Any]:
    """Run Playwright, which drives every browser here."""
    with run_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(
    playwright: Any, jupyter: JupyterServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Run one Chromium that trusts the gateway's authority."""
    ca_file = jupyter.gateway()["ca_file"]
    with run_chromium(playwright, tmp_path_factory.mktemp("home"), ca_file) as browser:
        yield browser


@pytest.fixture
def person(chromium: Any) -> Iterator[Any]:
    """Return a person's browser: cookies and windows of their own."""
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(person: Any) -> Any:
    """Return an empty page."""
    return person.new_page()


@pytest.fixture
def lab(page: Any, jupyter: JupyterServer) -> Lab:
    """Return a page for JupyterLab; nothing is opened yet."""
    return Lab(page, jupyter)


@pytest.fixture
def run(lab: Lab) -> RunCommand:
    """Open JupyterLab; return a function that runs a command and returns the dialog it opens."""
    lab.start()
    return functools.partial(dialog_of, lab)


@pytest.fixture
def newcomer(playwright: Any, jupyter: JupyterServer, tmp_path: Path) -> Iterator[Lab]:
    """Return JupyterLab in a browser that does not know the gateway's authority."""
    with run_chromium(playwright, tmp_path / "home") as browser:
        context = browser.new_context()
        context.set_default_timeout(20_000)
        yield Lab(context.new_page(), jupyter)
        context.close()


@pytest.fixture
def sidebar(lab: Lab) -> Any:
    """Open JupyterLab, and in it the sidebar."""
    lab.start()
    return show_sidebar(lab)


@pytest.fixture
def service(jupyter: JupyterServer) -> Iterator[StartService]:
    """Return a function that starts a web application; afterwards none is exposed any more."""
    with ExitStack() as stack:

        def start(name: str = "My page", **settings: Any) -> PageService:
            service = stack.enter_context(serve(PageService, name))
            for setting, value in settings.items():
                setattr(service, setting, value)
            return service

        yield start
    for port in jupyter.request("GET", "api/ports").json()["data"]:
        jupyter.request("DELETE", f"api/ports/{port['id']}").raise_for_status()


@pytest.fixture
def exposed(jupyter: JupyterServer) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that lists what is exposed."""

    def listed() -> list[dict[str, Any]]:
        answer = jupyter.request("GET", "api/ports").raise_for_status()
        return list(answer.json()["data"])

    return listed


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the folder for screenshots: TENSORONE_TEST_PICTURES, else the test's own."""
    folder = Path(os.environ.get("TENSORONE_TEST_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
