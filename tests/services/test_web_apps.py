"""Apps that live on WebSockets, behind private mappings: page, handshake, and a real browser."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.fixtures.services.browser import Chromium
from tests.fixtures.services.exposed import ExposedService, Start
from tests.fixtures.services.processes import answers, need

pytestmark = pytest.mark.services

APPS = Path(__file__).with_name("apps")


@dataclass
class WebApp:
    """How one kind of app is started, and how its page connects.

    Args:
        name: What it calls itself.
        arguments: Its command line after `python -m`; `{port}` becomes the port.
        page: Path of its page.
        websocket: Path of its WebSocket; none if it has none.
        subprotocols: What its page offers; `{token}` becomes the token that the page holds.
    """

    name: str
    arguments: str
    page: str = "/"
    websocket: str | None = None
    subprotocols: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The Python package that it needs."""
        return self.name.lower()

    @property
    def command(self) -> list[str]:
        """The whole command line."""
        words = self.arguments.split()
        return [sys.executable, *(str(APPS / w) if w.endswith(".py") else w for w in words)]


SERVED = [
    WebApp(
        "Streamlit",
        "-m streamlit run streamlit_app.py --server.headless=true "
        "--server.address=127.0.0.1 --server.port={port}",
        websocket="/_stcore/stream",
        subprotocols=("streamlit",),
    ),
    WebApp(
        "Bokeh",
        "-m bokeh serve bokeh_app.py --address=127.0.0.1 --port={port}",
        page="/bokeh_app",
        websocket="/bokeh_app/ws",
        subprotocols=("bokeh", "{token}"),
    ),
    WebApp(
        "Panel",
        "-m panel serve panel_app.py --address=127.0.0.1 --port={port}",
        page="/panel_app",
        websocket="/panel_app/ws",
        subprotocols=("bokeh", "{token}"),
    ),
    WebApp("Dash", "dash_app.py {port}"),
    WebApp(
        "Marimo",
        "-m marimo run marimo_app.py --headless --no-token --host=127.0.0.1 --port={port}",
        websocket="/ws?session_id=s_test01",
    ),
    WebApp(
        "Shiny",
        "-m shiny run shiny_app.py --host=127.0.0.1 --port={port}",
        websocket="/websocket/",
    ),
]
ON_WEBSOCKETS = [app for app in SERVED if app.websocket]


@pytest.fixture(scope="module")
def running() -> dict[str, ExposedService]:
    """Keep the apps that were started; all of them run until the file's tests are done."""
    return {}


@pytest.fixture
def exposed(
    request: pytest.FixtureRequest, start: Start, running: dict[str, ExposedService]
) -> ExposedService:
    """Start an app, once for all tests of it."""
    app: WebApp = request.param
    need(app.module)
    if app.name not in running:
        running[app.name] = start(app.name, app.command, ready=answers(app.page))
    return running[app.name]


def of_each(apps: list[WebApp]) -> pytest.MarkDecorator:
    """Run a test once for each app."""
    return pytest.mark.parametrize(
        ("app", "exposed"),
        [(app, app) for app in apps],
        ids=[a.name for a in apps],
        indirect=["exposed"],
    )


@of_each(ON_WEBSOCKETS)
def test_p4_page_and_websocket_work_with_a_browsers_origin(
    app: WebApp, exposed: ExposedService
) -> None:
    """The page is 200, and a WebSocket from it is accepted and speaks first or answers."""
    assert app.websocket is not None
    with exposed.program() as program:
        page = program.get(app.page)
    assert page.status_code == httpx.codes.OK
    found = re.search(r'"token":\s*"([^"]+)"', page.text)
    subprotocols = [s.format(token=found and found[1]) for s in app.subprotocols]
    with exposed.websocket(app.websocket, subprotocols=subprotocols) as websocket:
        assert websocket.response is not None
        assert websocket.response.status_code == httpx.codes.SWITCHING_PROTOCOLS
        assert websocket.subprotocol == (subprotocols[0] if subprotocols else None)


@of_each(SERVED)
def test_p4_app_answers_a_click_in_a_browser(
    app: WebApp, exposed: ExposedService, chromium: Chromium
) -> None:
    """A visitor who opened a link clicks a button, and Python's answer appears on the page."""
    with chromium.visit(exposed, app.page) as visit:
        visit.page.get_by_role("button", name="Ask").click()
        visit.see(f"{app.name} says 42")
        secure = exposed.url.replace("https://", "wss://")
        assert bool(visit.sockets) == bool(app.websocket)
        assert all(url.startswith(secure) for url in visit.sockets), visit.sockets
        assert visit.errors == []
