"""The panel in kernels that a real Jupyter server started: while cells run, and at their end."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.fixtures.jupyter import JupyterServer, Kernel, attach, output_text, run_jupyter
from tests.fixtures.services.web import WebService, web_service

_SECONDS = 60.0
_FIRST_ROW = (
    "with panel._board._kit.lock: (row,) = panel._board._rows.values()\n"  # it is being made
    "row"
)
_LIST_THREADS = "import threading; print([t.name for t in threading.enumerate()])"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run a Jupyter server; on a busy machine it waits longer for kernels to end by themselves."""
    patience = "--KernelManager.shutdown_wait_time=40"
    with run_jupyter(tmp_path_factory.mktemp("jupyter"), patience) as running:
        running.request("GET", "api/ports").raise_for_status()
        yield running


@pytest.fixture
def service(server: JupyterServer) -> Iterator[WebService]:
    """Run a web service; afterwards no port is exposed any more."""
    with web_service() as running:
        yield running
    for port in server.request("GET", "api/ports").json()["data"]:
        server.request("DELETE", f"api/ports/{port['id']}").raise_for_status()


def expose(server: JupyterServer, service: WebService, name: str) -> None:
    """Expose a service from outside of the kernel."""
    body = {"internal_port": service.port, "description": name}
    server.request("POST", "api/ports", json=body).raise_for_status()


def heard(kernel: Kernel, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Listen to what the kernel tells all pages until a message is the wanted one."""
    messages: list[dict[str, Any]] = []
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            message = kernel.client.get_iopub_msg(timeout=1)
        except queue.Empty:
            continue
        messages.append(message)
        if wanted(message):
            return messages
    told = [message["header"]["msg_type"] for message in messages]
    raise AssertionError(f"it was not told; what was: {told}")


def widget_says(*words: str) -> Callable[[dict[str, Any]], bool]:
    """Return what recognises a message that brings words to a widget."""

    def is_it(message: dict[str, Any]) -> bool:
        if not message["header"]["msg_type"].startswith("comm_"):
            return False
        text = json.dumps(message["content"]["data"])
        return all(word in text for word in words)

    return is_it


def says_it_is_over(message: dict[str, Any]) -> bool:
    """Recognise the panel's last word; what it says before holds it ready, for lost connections."""
    is_last = widget_says("was stopped or restarted", "Run the cell again")
    return is_last(message) and not widget_says("tensorone-panel-live")(message)


def is_idle(cell: str) -> Callable[[dict[str, Any]], bool]:
    """Return what recognises the end of a cell."""

    def is_it(message: dict[str, Any]) -> bool:
        of_cell = message["parent_header"].get("msg_id") == cell
        ended = message["content"].get("execution_state") == "idle"
        return bool(of_cell and message["header"]["msg_type"] == "status" and ended)

    return is_it


def outputs(messages: list[dict[str, Any]]) -> set[str]:
    """Return which kinds of output cells had."""
    kinds = {message["header"]["msg_type"] for message in messages}
    return kinds & {"stream", "error", "display_data", "execute_result"}


def test_it_goes_on_while_a_cell_runs(
    server: JupyterServer, service: WebService, tmp_path: Path
) -> None:
    """A cell blocks until the page was told of a port that was exposed after it had begun."""
    flag = tmp_path / "told"
    source = (
        f"import time, pathlib\nwhile not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.1)"
    )
    with server.kernel() as kernel:
        (shown,) = kernel.execute("%tensorone panel")
        assert "application/vnd.jupyter.widget-view+json" in shown.data
        cell = kernel.client.execute(source)
        expose(server, service, "Made meanwhile")
        meanwhile = heard(kernel, widget_says("Made meanwhile", "Anyone who signs in"))
        flag.touch()
        rest = heard(kernel, is_idle(cell))
        assert not any(map(is_idle(cell), meanwhile))
        assert outputs([*meanwhile, *rest]) == set()


def test_voila_makes_a_page_with_it(server: JupyterServer) -> None:
    """A notebook of one line is a page with the live panel; no cell of it fails."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%tensorone panel")])
    content = {"type": "notebook", "content": notebook}
    server.jupyter("PUT", "api/contents/panel.ipynb", json=content).raise_for_status()
    page = server.jupyter("GET", "voila/render/panel.ipynb").raise_for_status().text
    assert "application/vnd.jupyter.widget-view+json" in page
    assert "Traceback" not in page


def test_it_ends_with_its_kernel_and_says_so(server: JupyterServer, service: WebService) -> None:
    """A restart: the page is told, the new kernel has no panel, what is exposed stays."""
    expose(server, service, "Stays")
    kernel_id = server.jupyter("POST", "api/kernels").raise_for_status().json()["id"]
    try:
        with attach(server, kernel_id) as kernel:
            kernel.execute("panel = %tensorone panel\npanel._repr_mimebundle_();")
            assert "tensorone-panel" in output_text(kernel.execute(_LIST_THREADS)[0])
            server.jupyter("POST", f"api/kernels/{kernel_id}/restart").raise_for_status()
            last = heard(kernel, says_it_is_over)
            assert outputs(last) == set()
        with attach(server, kernel_id) as kernel:
            assert "tensorone-panel" not in output_text(kernel.execute(_LIST_THREADS)[0])
            assert "Stays" in output_text(kernel.execute("%tensorone list")[0])
    finally:
        server.jupyter("DELETE", f"api/kernels/{kernel_id}")


def test_nothing_is_raised_or_printed_whatever_the_gateway_does(
    server: JupyterServer, service: WebService
) -> None:
    """Gone with a panel open and clicked: the cell stays silent; later cells work."""
    with server.kernel() as kernel:
        kernel.execute("panel = %tensorone panel\npanel._repr_mimebundle_();")
        expose(server, service, "Runs")
        heard(kernel, widget_says("Runs"))
        source = "import os; os.environ['TENSORONE_STATE_DIR'] = '/nonexistent'\n"
        kernel.client.execute(f"{source}{_FIRST_ROW}._stop()\npanel.refresh()")
        told = heard(kernel, widget_says("No TensorOne API key is set"))
        assert outputs(told) == set()
        assert kernel.execute("panel.close()") == []
        assert output_text(kernel.execute("print('fine')")[0]).strip() == "fine"


def test_r48_what_a_kernel_tells_pages_holds_no_key(
    server: JupyterServer, service: WebService
) -> None:
    """Every message of a panel that is shown, looked at closely and closed."""
    expose(server, service, "Runs")
    with server.kernel() as kernel:
        cell = kernel.client.execute("panel = %tensorone panel\npanel")
        seen = heard(kernel, widget_says("Runs"))
        kernel.client.execute(f"{_FIRST_ROW}._details.value = True")
        seen += heard(kernel, widget_says("Signed in: nobody"))
        kernel.client.execute("panel.close()")
        seen += heard(kernel, lambda message: message["header"]["msg_type"] == "comm_close")
        assert cell
    text = json.dumps(seen, default=str)
    assert (server.state_dir / "api_key").read_text().strip() not in text
    assert "eyJ" not in text
