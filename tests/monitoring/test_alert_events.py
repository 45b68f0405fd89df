"""Alerts of a monitor in a kernel, heard by a subscriber of the real Jupyter server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from jupyter_tensorone_proxy.monitoring.delivery import SCHEMA_ID, SCHEMA_VERSION, JupyterEvents
from jupyter_tensorone_proxy.server.alert_events import SCHEMA_FILE
from tests.fixtures.jupyter import TOKEN, JupyterServer, output_text, run_jupyter
from tests.fixtures.ports import comes, listening
from tests.fixtures.services.web import web_service


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run a Jupyter server without any configuration of ours."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as running:
        running.request("GET", "api/ports").raise_for_status()
        yield running


def test_a_subscriber_hears_of_alerts_in_a_kernel(jupyter: JupyterServer) -> None:
    """Beginning and recovery reach every front end, and no credential does or is saved."""
    with (
        web_service("board") as board,
        jupyter.kernel() as kernel,
        listening(jupyter) as events,
    ):
        kernel.execute(
            f"%tensorone expose {board.port} --name 'board <b>' --health-path /health\n"
            "from jupyter_tensorone_proxy import Monitor\n"
            "monitor = Monitor(interval_seconds=0.3).start()"
        )
        assert comes(lambda: len(board_states(kernel_says(kernel, "monitor.result()"))) > 0)
        board.healthy = False
        assert comes(lambda: len(events.of("alert")) == 1)
        board.healthy = True
        assert comes(lambda: len(events.of("alert")) == 2)
        shown = kernel_says(kernel, "monitor.stop(); monitor")
        kernel.execute(f"%tensorone unexpose {board.port}")
    begun, over = events.of("alert")
    assert (begun["state"], begun["name"], begun["port"]) == ("firing", "board <b>", board.port)
    assert begun["reason"] == "/health answers 503"
    assert over["state"] == "recovered"
    assert TOKEN not in json.dumps([begun, over]) + shown


def board_states(shown: str) -> list[str]:
    """Return the lines of a table that are about services which do well."""
    return [line for line in shown.splitlines() if "● healthy" in line]


def kernel_says(kernel: object, source: str) -> str:
    """Execute a cell, and return its output."""
    return "".join(output_text(output) for output in kernel.execute(source))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "data",
    [{"state": "firing"}, {"state": "loud", "alert": "a", "measure": "m", "name": "n"}],
)
def test_what_the_schema_does_not_allow_is_refused(
    jupyter: JupyterServer, data: dict[str, str]
) -> None:
    """Nobody gets anything else past the subscribers."""
    body = {"schema_id": SCHEMA_ID, "version": SCHEMA_VERSION, "data": data}
    with listening(jupyter) as events:  # without a subscriber Jupyter judges nothing
        answer = jupyter.jupyter("POST", "api/events", json=body)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert events.of("alert") == []


def test_r02_without_the_servers_token_nobody_tells_anything(jupyter: JupyterServer) -> None:
    """A stranger's alert is refused."""
    body = {"schema_id": SCHEMA_ID, "version": SCHEMA_VERSION, "data": {}}
    answer = httpx.post(f"{jupyter.url}/api/events", json=body)
    assert answer.status_code == httpx.codes.FORBIDDEN


def test_the_schema_is_the_one_that_is_told() -> None:
    """Who tells and who takes agree on its name and its version."""
    schema = yaml.safe_load(SCHEMA_FILE.read_text())
    assert (schema["$id"], schema["version"]) == (SCHEMA_ID, SCHEMA_VERSION)


@pytest.mark.parametrize("parent", ["", "0", "x", "-1", "../../etc/passwd", "²"])
def test_r23_outside_of_a_server_nobody_is_told(
    parent: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A parent that is none, or is no number, leads to no file."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", parent)
    assert JupyterEvents.of_this_kernel() is None


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"url": 5, "token": "t"}', '{"url": "x"}'])
def test_a_broken_runtime_file_is_none(
    said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What cannot be read is as if it were not there."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", "7")
    (tmp_path / "jpserver-7.json").write_text(said)
    assert JupyterEvents.of_this_kernel() is None
