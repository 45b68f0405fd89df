"""How what is watched is shown: in a terminal, under a cell, in a widget, and to programs."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import ipywidgets
import nbformat
import pytest
from nbclient import NotebookClient

from jupyter_tensorone_proxy import Monitor, MonitorResult, ProxyClient
from jupyter_tensorone_proxy.cli import main
from jupyter_tensorone_proxy.monitoring import live
from jupyter_tensorone_proxy.monitoring.history import Point
from jupyter_tensorone_proxy.monitoring.plots import svg_plot
from jupyter_tensorone_proxy.monitoring.thresholds import MEASURES
from tests.fixtures.cells import execute
from tests.fixtures.gateway import RunningGateway, free_port, wait_until
from tests.fixtures.pseudo_terminal import on_terminal
from tests.fixtures.services.web import WebService
from tests.fixtures.terminal import COMMAND, run_json
from tests.monitoring.conftest import HEALTH, Expose, quick, shows

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
_VOID = {"br", "img"}


class Tags(HTMLParser):
    """The elements of a piece of HTML, which must be closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element; none may have a script."""
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.seen.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        assert self.open.pop() == tag


@pytest.fixture
def watched(expose: Expose, board: WebService) -> MonitorResult:
    """Return what a monitor has seen of a service with a hostile name."""
    expose(board.port, HOSTILE.replace("\x1b", "").replace("\u202e", ""), health_check=HEALTH)
    board.healthy = False
    with quick() as monitor:
        assert shows(monitor, lambda result: result.looks >= 3 and not result.well)
        return monitor.result()


def test_r28_a_hostile_name_is_text_everywhere(watched: MonitorResult) -> None:
    """Neither a table, a plot's title nor a note lets a name become an element."""
    html = watched.html()
    assert "img" not in Tags(html).seen
    assert "&lt;img" in html
    assert "svg" in Tags(html).seen
    assert "alert: health" in watched.text()


def test_r28_a_plots_label_is_text() -> None:
    """An SVG with a hostile label is well-formed and has one line and one title."""
    points = [Point(0, 0.1), Point(1, None), Point(2, 0.2), Point(3, 0.3)]
    svg = svg_plot(points, MEASURES["response_time"], HOSTILE)
    root = ET.fromstring(svg)  # noqa: S314 - it is our own
    assert [child.tag for child in root] == ["title", "path", "path"]
    assert root.attrib["aria-label"] == root[0].text
    assert root[0].text == "<img src=x onerror=alert(1)>[31m: now 300 ms, at most 300 ms"
    assert root[2].attrib["d"].count("M") == 2, "where a value is missing the line is broken"


def test_a_state_is_told_by_shape_and_word(watched: MonitorResult) -> None:
    """Nobody needs colours to read it; with colours only they differ."""
    assert "▲ not well" in watched.text()
    assert "/health answers 503" in watched.text()
    colored = watched.text(color=True)
    assert "\x1b[31m▲ not well\x1b[0m" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == watched.text()


def test_programs_get_values(
    expose: Expose, board: WebService, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json` has every value with its unit in its name."""
    mapping = expose(board.port, health_check=HEALTH)
    (answer,) = run_json(capsys, "monitor", "--rounds", "2", "--interval", "1")["services"]
    assert (answer["id"], answer["healthy"], answer["alerts"]) == (mapping.id, True, [])
    assert 0 < answer["response_time_seconds"] < 30
    assert answer["requests_per_minute"] == 0


def test_a_pipe_gets_one_look(
    expose: Expose, board: WebService, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not a terminal is not kept waiting for what has no end."""
    expose(board.port, health_check=HEALTH)
    assert main(["monitor", str(board.port)]) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"^ *{board.port}  board  ● healthy +\d+ ms", shown, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--alert", "error_rate > 5 s"], 2, "error_rate is measured in percent"),
        (["--alert", "speed > 5"], 2, "'speed' cannot be measured"),
        (["--interval", "0"], 2, "a whole number from 1"),
        (["--webhook", "ftp://example.com"], 4, "no http"),
        ([str(free_port())], 1, "is not exposed"),
    ],
)
def test_what_cannot_be_watched_is_said(
    gateway: RunningGateway,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    """One line says what is wrong, and the exit code of what kind it is."""
    assert main(["monitor", *words]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("Error: ")
    assert "Traceback" not in error


@pytest.mark.parametrize("rich", [True, False])
def test_a_terminal_shows_round_after_round(
    expose: Expose, board: WebService, monkeypatch: pytest.MonkeyPatch, *, rich: bool
) -> None:
    """The table is written over, with rich or without; the last one stays."""
    expose(board.port, health_check=HEALTH)
    if not rich:  # as if it were not installed
        code = (
            "import sys; sys.modules['rich'] = None; from jupyter_tensorone_proxy.cli import main"
        )
        command = [sys.executable, "-c", f"{code}; sys.exit(main())"]
        monkeypatch.setattr("tests.fixtures.pseudo_terminal.COMMAND", command)
    screen = on_terminal("monitor", "--interval", "1", "--rounds", "3")
    assert screen.code == 0
    assert len(re.findall(r"● healthy", screen.text)) >= 3
    assert re.search(r"PORT.*\n.*● healthy.*\n$", screen.text), "the last table stays"


def test_ctrl_c_ends_it_in_peace(expose: Expose, board: WebService, client: ProxyClient) -> None:
    """Interrupting what has no end is no failure: the last table stays, and nobody is signed in."""
    expose(board.port, health_check=HEALTH, access_control={"allowed_users": ["ana"]})
    controller, terminal = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [*COMMAND, "monitor", "--interval", "1"], stdin=terminal, stdout=terminal, stderr=terminal
    ) as process:
        os.close(terminal)
        while b"healthy" not in shown:
            shown += os.read(controller, 65_536)
        assert len(client.list_sessions()) == 1
        process.send_signal(signal.SIGINT)  # as the terminal's driver does at Ctrl-C
        with contextlib.suppress(OSError):  # Linux's way to say that the other side is closed
            while chunk := os.read(controller, 65_536):
                shown += chunk
        assert process.wait(30) == 0
    os.close(controller)
    assert b"Traceback" not in shown
    assert client.list_sessions() == []


def test_a_widget_shows_it_live_and_stops_it(expose: Expose, board: WebService) -> None:
    """The table follows, and one button stops and starts the watch."""
    expose(board.port, health_check=HEALTH)
    monitor = quick()
    box = live.widget(monitor.start())
    table, button = box.children
    assert isinstance(table, ipywidgets.HTML)
    try:
        assert wait_until(lambda: "healthy" in table.value and "<svg" in table.value)
        assert button.description == "Stop"
        board.healthy = False
        assert wait_until(lambda: "not well" in table.value)
        button.click()
        assert not monitor.running
        assert "No longer watched." in table.value
        assert (button.description, button.tooltip) == ("Start", "Watch again")
        button.click()
        assert monitor.running
    finally:
        monitor.stop()


@pytest.fixture
def kernel(expose: Expose, board: WebService) -> Iterator[NotebookClient]:
    """Start a kernel without a server, and expose a service."""
    expose(board.port, health_check=HEALTH)
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=60)
    with client.setup_kernel():
        execute(client, "from jupyter_tensorone_proxy import Monitor")
        yield client


def test_a_cell_shows_it_live(kernel: NotebookClient) -> None:
    """`show()` gives a widget; without ipywidgets a display of the same table, updated."""
    cell = execute(kernel, "monitor = Monitor(interval_seconds=0.3); monitor.show()")
    assert "application/vnd.jupyter.widget-view+json" in cell.outputs[0].data
    execute(kernel, "monitor.stop()")
    cell = execute(
        kernel,
        "import sys, time; from jupyter_tensorone_proxy.monitoring import live\n"
        "live.importlib.util.find_spec = lambda name: None\n"
        "with Monitor(interval_seconds=0.3) as monitor:\n"
        "    monitor.show()\n"
        "    while monitor.result().looks < 3: time.sleep(0.1)\n",
    )
    (shown,) = cell.outputs
    assert "● healthy" in shown.data["text/plain"]
    assert "<svg" in shown.data["text/html"]


def test_the_magic_shows_a_table(kernel: NotebookClient) -> None:
    """One look is a table with plots; several leave one table behind."""
    (shown,) = execute(kernel, "%tensorone monitor").outputs
    assert "● healthy" in shown.data["text/plain"]
    Tags(shown.data["text/html"])
    outputs = execute(kernel, "%tensorone monitor --rounds 2 --interval 1").outputs
    assert [bool(output.data["text/plain"]) for output in outputs] == [False, True]
    assert "0/min" in outputs[1].data["text/plain"]


def test_a_result_is_asked_by_port_and_name(watched: MonitorResult) -> None:
    """What is not watched is a KeyError; programs get plain JSON."""
    (view,) = watched.services
    assert watched[view.port or 0] is watched[view.name] is view
    with pytest.raises(KeyError):
        watched["nobody"]
    assert json.loads(json.dumps(watched.json()))["services"][0]["healthy"] is False


def test_before_the_first_look_it_says_so() -> None:
    """A monitor that has not looked yet claims nothing."""
    result = Monitor().result()
    assert "not done yet" in result.text()
    assert result.well
