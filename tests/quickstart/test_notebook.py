"""The quick start notebook: executed from a clean kernel of a real Jupyter server."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest

from scripts.demo import EXPOSED, NOTEBOOK, PROJECT
from tests.fixtures.gateway import command_line, wait_until
from tests.fixtures.jupyter import TOKEN, JupyterServer, output_text, run_jupyter

Outputs = dict[str, list[Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run a Jupyter server without any configuration of ours."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="module")
def opened() -> list[httpx.Response]:
    """Hold what the card's link led to, while the service was exposed."""
    return []


@pytest.fixture(scope="module")
def outputs(server: JupyterServer, opened: list[httpx.Response]) -> Outputs:
    """Execute every cell; return the outputs of each by the cell's id."""
    found: Outputs = {}
    with server.kernel() as kernel:
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
            if cell.cell_type == "code":
                found[cell.id] = kernel.execute(cell.source)
            if EXPOSED in cell.metadata.get("tags", []):
                opened.append(follow_card(server, found["expose-port"]))
    return found


def follow_card(server: JupyterServer, outputs: list[Any]) -> httpx.Response:
    """Follow the card's link as the signed-in Jupyter user."""
    (link,) = re.findall('href="([^"]+)"', outputs[-1].data["text/html"])
    trusted = ssl.create_default_context(cafile=server.gateway()["ca_file"])
    with httpx.Client(verify=trusted, follow_redirects=True, timeout=60) as visitor:
        return visitor.get(server.url + link, headers={"Authorization": f"token {TOKEN}"})


def text(outputs: list[Any]) -> str:
    """Return what a cell says in plain text."""
    return "".join(output_text(output) for output in outputs)


def test_the_notebook_is_stored_without_outputs() -> None:
    """Nobody's outputs, counts or machine are in the file."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) >= 5
    for cell in code:
        assert (cell.outputs, cell.execution_count) == ([], None), cell.id
    assert notebook.metadata.language_info == {"name": "python"}


def test_the_notebook_exposes_a_private_tensorboard(outputs: Outputs) -> None:
    """Strangers get 401; a one-time link leads to the runs that the notebook wrote."""
    assert "Only me" in text(outputs["expose-port"])
    stranger, runs, page = text(outputs["visit-page"]).splitlines()
    assert stranger.split()[-1] == "401"
    assert re.search(r"200, runs \[.*'lr=0.01'.*\]$", runs)
    assert page.endswith("200, TensorBoard")


def test_the_notebook_shows_real_health(outputs: Outputs) -> None:
    """The health that a cell shows was observed by the gateway."""
    assert re.search(r"TensorBoard +● healthy +0 +20\d\d-", text(outputs["show-health"]))


def test_the_cards_link_opens_the_service(
    outputs: Outputs, opened: list[httpx.Response], server: JupyterServer
) -> None:
    """A click on the card is enough: Jupyter's user lands in TensorBoard, signed in."""
    assert outputs
    (page,) = opened
    assert page.status_code == httpx.codes.OK, server.log.read_text()
    assert "<title>TensorBoard</title>" in page.text
    assert page.url.scheme == "https"


def test_the_notebook_leaves_nothing_exposed(outputs: Outputs, server: JupyterServer) -> None:
    """What it exposed it takes back."""
    assert "is no longer exposed" in text(outputs["unexpose-port"])
    assert server.request("GET", "api/ports").json()["data"] == []


def test_r16_no_output_holds_a_key_or_a_link(outputs: Outputs, server: JupyterServer) -> None:
    """A saved notebook can be given away: there is no key, no link and no session in it."""
    saved = "".join(str(output) for cell in outputs.values() for output in cell)
    key = Path(server.gateway()["api_key_file"]).read_text().strip()
    assert len(key) > 20
    assert key not in saved
    assert "token=" not in saved
    assert "eyJ" not in saved  # as every JWT begins


def test_the_demo_fetches_the_page_and_leaves_nothing(tmp_path: Path) -> None:
    """`make demo` prints address, status and title; no process and no file stays."""
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(PROJECT / "scripts" / "demo.py")],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(
        r"URL +https://localhost:\d+\n +Status +200\n +Title +TensorBoard\n", done.stdout
    )
    assert wait_until(lambda: not processes_with(f"TMPDIR={tmp_path}"))
    assert not list(tmp_path.iterdir())


def processes_with(variable: str) -> list[str]:
    """Return the command lines of processes that have an environment variable."""
    having = (pid for pid in Path("/proc").glob("[0-9]*") if variable in environment(pid))
    return [command_line(int(pid.name)) for pid in having]


def environment(pid: Path) -> list[str]:
    """Return a process's environment; empty if it is gone, or another user's."""
    try:
        return (pid / "environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
