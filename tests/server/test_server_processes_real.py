"""Services that a real Jupyter server runs for its kernels: from the first line to any end."""

from __future__ import annotations

import os
import signal
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.gateway import is_alive, wait_until
from tests.fixtures.jupyter import CellError, JupyterServer, Kernel, run_jupyter
from tests.fixtures.processes import all_ended
from tests.fixtures.terminal import COMMAND, run_process

SITE = f"%tensorone run {sys.executable} --name Site --public -- -m http.server {{port}}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    """Run a Jupyter server without any configuration of ours."""
    with run_jupyter(tmp_path) as started:
        yield started


@pytest.fixture
def kernel(server: JupyterServer) -> Iterator[Kernel]:
    """Start a kernel of that server."""
    with server.kernel() as started:
        yield started


def running(server: JupyterServer) -> list[dict[str, Any]]:
    """Return what the server runs."""
    found: list[dict[str, Any]] = server.request("GET", "api/processes").json()["data"]
    return found


def pids(server: JupyterServer) -> list[int]:
    """Return the processes of what the server runs."""
    replicas = [replica for group in running(server) for replica in group["replicas"]]
    return [replica["pid"] for replica in replicas if replica["pid"] is not None]


def below(pid: int) -> list[int]:
    """Return the processes that one started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text().split()]


def exposed(server: JupyterServer) -> list[dict[str, Any]]:
    """Return what is exposed."""
    ports: list[dict[str, Any]] = server.request("GET", "api/ports").json()["data"]
    return ports


def test_a_cell_runs_a_service_that_outlives_its_kernel(
    server: JupyterServer, kernel: Kernel
) -> None:
    """It works in the notebook's folder, is the server's, and is stopped from another kernel."""
    kernel.execute("from pathlib import Path; Path('here.txt').write_text('found')")
    kernel.execute("%env GREETING hello")
    *_, card = kernel.execute(SITE)  # before it may be what is going on
    assert "%tensorone stop" in card.data["text/html"]
    (group,) = running(server)
    port, pid = group["replicas"][0]["port"], group["replicas"][0]["pid"]
    assert b"GREETING=hello" in Path(f"/proc/{pid}/environ").read_bytes()
    (mapping,) = exposed(server)
    trust = ssl.create_default_context(cafile=server.gateway()["ca_file"])
    with httpx.Client(verify=trust, timeout=30) as visitor:
        assert visitor.get(f"{mapping['url']}/here.txt").text == "found"
    with server.kernel() as other:
        listed = other.execute("%tensorone processes")[-1].data["text/plain"]
        assert f"{port}  Site" in listed
        other.execute(f"%tensorone stop {port}")
    assert not is_alive(pid)
    assert exposed(server) == []


def test_a_stack_of_a_cell_runs_in_the_server(
    server: JupyterServer, kernel: Kernel, tmp_path: Path
) -> None:
    """Its processes survive the kernel's restart; a failure is told in the cell's table."""
    stack = f"""%%tensorone apply
name = "lab"
[[services]]
name = "Site"
command = ["{sys.executable}", "-m", "http.server", "{{port}}"]
[[services]]
name = "Bad"
command = ["{sys.executable}", "-c", "exit('no model')"]
port = 7999
"""
    *_, table = kernel.execute(stack)
    assert "no model" in table.data["text/plain"]
    (pid,) = pids(server)
    kernel_id = server.jupyter("GET", "api/kernels").json()[0]["id"]
    server.jupyter("POST", f"api/kernels/{kernel_id}/restart").raise_for_status()
    assert is_alive(pid)
    environ = {"JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    state = {"TENSORONE_STATE_DIR": str(server.state_dir)}
    shown = run_process(*COMMAND, "processes", **environ, **state)
    assert "running" in shown.stdout, shown.stderr
    assert "failed" in shown.stdout
    removed = server.request("DELETE", "api/stacks/lab")
    assert removed.json()["data"]["services_removed"] == ["Site", "Bad"], removed.text
    assert not is_alive(pid)


def test_errors_in_a_cell_are_a_line_and_no_traceback(kernel: Kernel) -> None:
    """What cannot be started says why and what to do."""
    with pytest.raises(CellError) as caught:
        kernel.execute("%tensorone run vscode")
    assert "ProcessError: VS Code Server cannot be started" in str(caught.value)
    assert "coder.com/docs" in str(caught.value)
    assert 'File "' not in str(caught.value)


def test_a_killed_server_leaves_no_process(server: JupyterServer, kernel: Kernel) -> None:
    """SIGKILL of the Jupyter server ends every service with all that it started."""
    kernel.execute(SITE)
    code = "import subprocess, sys; subprocess.Popen(['sleep', '600']); import http.server; "
    code += "http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]))"
    kernel.execute(f"%tensorone run {sys.executable} --name Parent -- -c {code!r} {{port}}")
    started = pids(server)
    assert len(started) == 2
    started += [child for pid in started for child in below(pid)]
    assert len(started) == 3
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert all_ended(started)


def test_a_stopped_server_takes_along_what_was_run(tmp_path: Path) -> None:
    """After SIGTERM nothing runs; what `run` exposed is gone, and a stack's mapping stays."""
    stack = f'["{sys.executable}", "-m", "http.server", "{{port}}"]'
    with run_jupyter(tmp_path) as server, server.kernel() as kernel:
        kernel.execute(SITE)
        kernel.execute(
            f'%%tensorone apply\nname = "lab"\n[[services]]\nname = "Two"\ncommand = {stack}\n'
        )
        started = pids(server)
        server.process.terminate()
        server.process.wait(30)
        assert not any(map(is_alive, started))
    with run_jupyter(tmp_path) as server:
        assert wait_until(lambda: server.request("GET", "api/ports").is_success)
        assert [port["description"] for port in exposed(server)] == ["Two"]


def test_what_a_killed_server_had_exposed_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    """The mapping of a service that was run, and whose server crashed, does not stay for ever."""
    with run_jupyter(tmp_path) as server:
        with server.kernel() as kernel:
            kernel.execute(SITE)
            gateway = server.gateway_pid()
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
        assert all_ended([gateway])
    with run_jupyter(tmp_path) as server:
        assert wait_until(lambda: exposed(server) == [])
