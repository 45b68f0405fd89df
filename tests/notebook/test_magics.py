"""`%tensorone` in a real IPython shell and in a real kernel."""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from jupyter_tensorone_proxy.commands.results import MappingResult
from jupyter_tensorone_proxy.errors import UsageError
from tests.fixtures.cells import execute
from tests.fixtures.fake_api import KEY, LINK_TOKEN, FakeApi

LOAD = "%load_ext jupyter_tensorone_proxy"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Return a real IPython shell with the extension loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell: Any = InteractiveShell()
    shell.extension_manager.load_extension("jupyter_tensorone_proxy")
    yield shell

    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)  # it would run a second time, and fail


def test_expose_returns_what_can_be_used(served_api: FakeApi, shell: Any) -> None:
    """`x = %tensorone expose 6006` keeps the result, with its address."""
    shell.run_cell("x = %tensorone expose 6006 --name TensorBoard", silent=True)
    x = shell.user_ns["x"]
    assert isinstance(x, MappingResult)
    assert x.url == "https://localhost:32001"
    shell.run_cell("%tensorone unexpose 6006", silent=True)
    assert not served_api.mappings


def test_names_with_spaces_and_variables_work(served_api: FakeApi, shell: Any) -> None:
    """Quotes group words, and IPython fills in `{variables}`."""
    shell.user_ns["port"] = 7860
    shell.run_cell('x = %tensorone expose {port} --name "My demo"', silent=True)
    assert shell.user_ns["x"].mapping.description == "My demo"


def test_help_is_printed_and_does_not_exit(shell: Any) -> None:
    """`-h`, and the bare magic, explain; the cell succeeds."""
    for line in ("%tensorone -h", "%tensorone", "%tensorone expose -h"):
        with capture_output() as captured:
            assert shell.run_cell(line).success
        assert "usage: %tensorone" in captured.stdout


@pytest.mark.parametrize(
    "line", ["expose", "expose '80 '", "expose 65536", "nonsense", "expose 80 --name 'open"]
)
def test_a_mistake_is_one_line_and_no_exit(shell: Any, line: str) -> None:
    """A mistake fails the cell with a message; neither SystemExit nor a traceback is shown."""
    with capture_output() as captured:
        result = shell.run_cell(f"%tensorone {line}")
    assert isinstance(result.error_in_exec, UsageError)
    shown = captured.stdout + captured.stderr
    assert "SystemExit" not in shown
    assert "Traceback" not in shown
    assert len(shown.strip().splitlines()) == 1


def test_r49_a_key_on_the_line_is_not_in_the_error(shell: Any) -> None:
    """The refusal hints at getpass and repeats nothing."""
    with capture_output() as captured:
        result = shell.run_cell("%tensorone expose 80 --api-key sk-12345")
    assert isinstance(result.error_in_exec, UsageError)
    shown = captured.stdout + captured.stderr + str(result.error_in_exec)
    assert "getpass" in shown
    assert "12345" not in shown


def test_loading_twice_is_no_harm(shell: Any) -> None:
    """A second `%load_ext`, and a reload, leave one working magic."""
    with capture_output():
        shell.run_cell(LOAD)
        shell.run_cell("%reload_ext jupyter_tensorone_proxy")
        assert shell.run_cell("%tensorone -h").success


def test_verbs_and_options_are_completed(shell: Any) -> None:
    """TAB offers verbs, then the verb's options."""

    def offered(line: str) -> set[str]:
        with provisionalcompleter():
            return {offer.text for offer in shell.Completer.completions(line, len(line))}

    assert "expose" in offered("%tensorone ex")
    assert "--name" in offered("%tensorone expose 6006 --na")


def test_open_makes_no_link(served_api: FakeApi, shell: Any) -> None:
    """A link holds a credential and a cell is saved, so the magic's `open` shows the card."""
    served_api.add(6006)
    shell.run_cell("x = %tensorone open 6006", silent=True)
    assert shell.user_ns["x"].what == "shown"
    assert not served_api.changes


def test_an_unused_magic_costs_nothing() -> None:
    """Loading the extension imports neither the client nor the grammar nor their libraries."""
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell(); before = set(sys.modules)\n"
        "shell.extension_manager.load_extension('jupyter_tensorone_proxy')\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == str(
        [
            "jupyter_tensorone_proxy",
            "jupyter_tensorone_proxy.kernels",
            "jupyter_tensorone_proxy.notebook",
            "jupyter_tensorone_proxy.notebook.magics",
            "jupyter_tensorone_proxy.notebook.own_kernel",
        ]
    )


# --- in a kernel -----------------------------------------------------------------------------


@pytest.fixture
def kernel(
    served_api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[NotebookClient]:
    """Return a notebook with a new kernel of ana's in which the extension is loaded."""
    monkeypatch.setenv("TENSORONE_USER", "ana")
    monkeypatch.setenv("TENSORONE_GO_URL", "/tensorone-proxy/go/")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=120, kernel_name="python3")
    with client.setup_kernel():
        execute(client, LOAD)
        yield client


def test_a_cell_shows_the_card(served_api: FakeApi, kernel: NotebookClient) -> None:
    """Expose in a kernel: a card with the link through Jupyter, and nothing secret saved."""
    (output,) = execute(kernel, "%tensorone expose 6006 --name TensorBoard").outputs
    assert output.output_type == "execute_result"
    assert 'href="/tensorone-proxy/go/6006/"' in output.data["text/html"]
    assert "Only me" in output.data["text/html"]
    assert output.data["text/plain"].startswith("TensorBoard  port 6006 → https://localhost:32001")
    for line in ("expose 6006 --name TensorBoard", "open 6006", "list", "status", "health"):
        (output,) = execute(kernel, f"%tensorone {line}").outputs
        assert "text/html" in output.data
    assert len(served_api.mappings) == 1
    saved = nbformat.writes(kernel.nb)
    assert KEY not in saved
    assert LINK_TOKEN not in saved


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("%tensorone show 9", "PortNotFoundError"),
        ("import jupyter_tensorone_proxy as t; t.expose(0)", "InvalidRequestError"),
    ],
)
def test_an_error_stops_run_all_with_one_line(
    kernel: NotebookClient, source: str, error: str
) -> None:
    """A failed verb fails its cell; what is saved with it is our message and no traceback."""
    with pytest.raises(CellExecutionError):
        execute(kernel, source)
    (output,) = kernel.nb.cells[-1].outputs
    assert (output.output_type, output.ename) == ("error", error)
    assert len(output.traceback) == 1
    assert output.traceback[0].startswith(f"{error}: ")
    assert "\n" not in output.traceback[0]


def test_a_slow_call_is_announced_in_the_cell(served_api: FakeApi, kernel: NotebookClient) -> None:
    """While it takes long the cell says what it waits for; then how it ended, and the card."""
    cells = kernel.nb.cells
    count = len(cells)

    def answer_when_announced() -> None:
        while len(cells) == count or not cells[-1].outputs:
            time.sleep(0.05)
        served_api.go_on.set()

    served_api.go_on.clear()
    watcher = threading.Thread(target=answer_when_announced)
    watcher.start()
    notice, card = execute(kernel, "%tensorone expose 6006").outputs
    watcher.join()
    assert notice.data["text/plain"] == "Exposing port 6006 … done"
    assert "text/html" in card.data
