"""Kernels that no Jupyter server started are watched like the server's own."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import writes
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_tensorone_proxy.detection.kernels import linux_reader, psutil_processes
from tests.fixtures.gateway import free_range
from tests.fixtures.jupyter import JupyterServer, Kernel, environment, run_jupyter
from tests.fixtures.outside_kernels import (
    WAIT_FOR,
    home_of,
    jupyter_console,
    managed_kernel,
    nbclient_run,
)
from tests.fixtures.ports import SERVE, cell, comes, detected, mappings, serve, terminal


def _port() -> int:
    return int(free_range(1).partition("-")[0])


def _served(port: int) -> str:
    return cell(SERVE, port=port, host="127.0.0.1")


def test_what_nbclient_runs_is_detected_exposed_and_goes_at_its_end(
    jupyter: JupyterServer, tmp_path: Path
) -> None:
    """A notebook executed in a shell: its service is found, and its mapping ends with it."""
    port = _port()
    cells = (_served(port), f"%tensorone expose {port} --name Batch")
    with nbclient_run(tmp_path, home_of(jupyter), *cells) as run:
        assert comes(lambda: port in detected(jupyter) and port in mappings(jupyter), seconds=60)
        kernel_id = detected(jupyter)[port]["kernel_id"]
        assert mappings(jupyter)[port]["kernel_id"] == kernel_id
        assert kernel_id not in {k["id"] for k in jupyter.jupyter("GET", "api/kernels").json()}
        run.finish()
    assert comes(lambda: port not in mappings(jupyter), seconds=10)
    assert port not in detected(jupyter)


def test_what_a_console_runs_is_detected_exposed_and_goes_when_it_is_left(
    jupyter: JupyterServer,
) -> None:
    """`jupyter console` in a shell: the same, from the first line to `exit`."""
    port = _port()
    with jupyter_console(home_of(jupyter)) as console:
        served = f"[{sys.executable!r}, '-m', 'http.server', '{port}', '--bind', '127.0.0.1']"
        console.type(f"import subprocess; s = subprocess.Popen({served}); 'go' 'es'", "'goes'")
        assert comes(lambda: port in detected(jupyter))
        kernel_id = detected(jupyter)[port]["kernel_id"]
        console.type(f"%tensorone expose {port} --name Console", "Console")
        assert comes(lambda: port in mappings(jupyter))
        assert mappings(jupyter)[port]["kernel_id"] == kernel_id
        console.type("s.terminate(); s.wait() and 'end' 'ed'", "'ended'")
        console.leave()
    assert comes(lambda: port not in mappings(jupyter), seconds=10)


def test_a_kernel_outside_that_is_killed_takes_its_mapping_along(jupyter: JupyterServer) -> None:
    """`kill -9` leaves its connection file behind, and no mapping."""
    port = _port()
    with managed_kernel(home_of(jupyter)) as kernel:
        serve(kernel, port)
        kernel.execute(f"%tensorone expose {port}")
        assert mappings(jupyter)[port]["kernel_id"] == kernel.id
        pid = getattr(kernel.manager.provisioner, "pid", None)
        assert pid
        os.kill(pid, signal.SIGKILL)
        assert comes(lambda: port not in mappings(jupyter), seconds=10)
        assert Path(kernel.manager.connection_file).exists()


def test_a_kernel_outside_that_restarts_keeps_its_mapping(jupyter: JupyterServer) -> None:
    """Its connection file is the same one, and so is the mapping, until it really ends."""
    port, later = _port(), _port()
    with managed_kernel(home_of(jupyter)) as kernel:
        serve(kernel, port)
        kernel.execute(f"%tensorone expose {port}")
        before = mappings(jupyter)[port]
        kernel.manager.restart_kernel(now=True)
        kernel.client.wait_for_ready(timeout=60)
        serve(kernel, later)
        assert comes(lambda: later in detected(jupyter))
        after = mappings(jupyter)[port]
        assert (after["id"], after["url"]) == (before["id"], before["url"])
    assert comes(lambda: port not in mappings(jupyter), seconds=10)


def test_a_kernel_inside_a_kernel_is_one_of_its_own(jupyter: JupyterServer, kernel: Kernel) -> None:
    """A cell that starts a kernel: what that exposes goes with it, and not with the cell's."""
    port = _port()
    kernel.execute(
        cell(
            """
            from jupyter_client.manager import start_new_kernel
            inner, client = start_new_kernel(kernel_name="python3")
            client.execute_interactive({served!r}, timeout=60)
            client.execute_interactive("%tensorone expose {port}", timeout=60)
            """,
            served=_served(port),
            port=port,
        )
    )
    assert comes(lambda: port in detected(jupyter))
    found, mapping = detected(jupyter)[port], mappings(jupyter)[port]
    assert found["kernel_id"] == mapping["kernel_id"]
    assert found["kernel_id"] not in {k["id"] for k in jupyter.jupyter("GET", "api/kernels").json()}
    kernel.execute("client.stop_channels(); inner.shutdown_kernel(now=True)")
    assert comes(lambda: port not in mappings(jupyter), seconds=10)


def test_a_notebook_that_a_terminal_executes_is_a_kernel(
    jupyter: JupyterServer, tmp_path: Path
) -> None:
    """`jupyter execute` in a terminal of Lab: its service is the kernel's, not the terminal's."""
    port, file, done = _port(), tmp_path / "batch.ipynb", tmp_path / "done"
    cells = (_served(port), f"%tensorone expose {port}", WAIT_FOR.format(file=str(done)))
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    file.write_text(writes(notebook))
    with terminal(jupyter) as (_, send):
        send(f"{sys.executable} -m jupyter execute --kernel_name=python3 {file}")
        assert comes(lambda: port in mappings(jupyter), seconds=60)
        found = detected(jupyter)[port]
        assert "terminal" not in found
        assert found["kernel_id"] == mappings(jupyter)[port]["kernel_id"]
        done.touch()
        assert comes(lambda: port not in mappings(jupyter), seconds=20)


@pytest.fixture
def with_rule(tmp_path: Path) -> Iterator[tuple[JupyterServer, int]]:
    """Run a server with a rule that exposes one port."""
    port = _port()
    (tmp_path / "config").mkdir()
    rules = [{"port": port, "action": "expose", "settings": {"description": "By rule"}}]
    file = tmp_path / "config" / "jupyter_server_config.json"
    file.write_text(json.dumps({"AutoExpose": {"rules": rules}}))
    with run_jupyter(tmp_path) as server:
        server.request("GET", "api/proxy").raise_for_status()
        yield server, port


def test_rules_are_for_kernels_outside_too(
    with_rule: tuple[JupyterServer, int], tmp_path: Path
) -> None:
    """What `nbclient` starts is exposed by a rule, with sign-in, until the notebook is done."""
    server, port = with_rule
    with nbclient_run(tmp_path, home_of(server), _served(port)) as run:
        assert comes(lambda: port in mappings(server), seconds=60)
        mapping = mappings(server)[port]
        assert mapping["description"] == "By rule"
        assert mapping["access_control"]["authentication_required"] is True
        assert mapping["kernel_id"] == detected(server)[port]["kernel_id"]
        run.finish()
    assert comes(lambda: port not in mappings(server), seconds=10)


def test_kernels_that_belong_elsewhere_are_left_alone(
    jupyter: JupyterServer, tmp_path: Path
) -> None:
    """Those of another Jupyter server, and those that would look for another gateway."""
    elsewhere, ours = _port(), _port()
    with managed_kernel(environment(tmp_path)) as other, managed_kernel(home_of(jupyter)) as own:
        serve(other, elsewhere)
        serve(own, ours)
        assert comes(lambda: ours in detected(jupyter))
        assert elsewhere not in detected(jupyter)
    port = _port()
    state = f"--TensorOneProxy.state_dir={jupyter.state_dir}"
    with run_jupyter(tmp_path, state) as neighbour, neighbour.kernel() as kernel:
        serve(kernel, port)
        assert comes(lambda: port in detected(neighbour))
        assert port not in detected(jupyter)


def test_kernels_are_found_the_same_way_where_there_is_no_proc(tmp_path: Path) -> None:
    """By `/proc` and by psutil: the same process, connection file and environment."""
    with managed_kernel(environment(tmp_path)) as kernel:
        found = [
            next(p for p in processes() if kernel.manager.connection_file in p.files)
            for processes in (linux_reader(), psutil_processes)
        ]
    assert found[0] == found[1]
    assert found[0].environ["TENSORONE_STATE_DIR"] == str(tmp_path / "state")


def test_without_a_jupyter_server_nothing_is_bound_to_a_kernel(tmp_path: Path) -> None:
    """Nobody would notice its end, so a kernel outside does not promise it."""
    with managed_kernel(environment(tmp_path)) as kernel:
        (output,) = kernel.execute("import os; print(os.environ.get('TENSORONE_KERNEL_ID'))")
    assert output.text.strip() == "None"
