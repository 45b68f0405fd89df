"""What a kernel exposed goes with it, and survives everything else."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.gateway import free_range, wait_until
from tests.fixtures.jupyter import JupyterServer, Kernel, attach, run_jupyter
from tests.fixtures.ports import comes, mappings, serve


def _port() -> int:
    return int(free_range(1).partition("-")[0])


def _start_kernel(server: JupyterServer) -> str:
    answer = server.jupyter("POST", "api/kernels").raise_for_status()
    return str(answer.json()["id"])


@pytest.fixture
def kernel_id(jupyter: JupyterServer) -> Iterator[str]:
    """Run a kernel that a test may end itself."""
    started = _start_kernel(jupyter)
    yield started
    jupyter.jupyter("DELETE", f"api/kernels/{started}")


def _expose(kernel: Kernel, port: int, words: str = "") -> None:
    serve(kernel, port)
    kernel.execute(f"%tensorone expose {port} {words}")


def _answers(server: JupyterServer, kernel_id: str) -> bool:
    try:
        with attach(server, kernel_id) as kernel:
            return bool(kernel.execute("print(1 + 1)"))
    except RuntimeError:  # it is not back yet
        return False


def _restarts(server: JupyterServer, kernel_id: str) -> None:
    server.jupyter("POST", f"api/kernels/{kernel_id}/restart").raise_for_status()


def test_what_a_cell_exposes_goes_with_its_kernel(jupyter: JupyterServer, kernel_id: str) -> None:
    """`expose` in a cell is bound to the kernel; shut down, it is gone within seconds."""
    port = _port()
    with attach(jupyter, kernel_id) as kernel:
        _expose(kernel, port)
    assert mappings(jupyter)[port]["kernel_id"] == kernel_id
    jupyter.jupyter("DELETE", f"api/kernels/{kernel_id}").raise_for_status()
    assert comes(lambda: port not in mappings(jupyter), seconds=10)


def test_persistent_stays_when_its_kernel_goes(jupyter: JupyterServer, kernel_id: str) -> None:
    """With `--persistent` the mapping is for good."""
    port = _port()
    with attach(jupyter, kernel_id) as kernel:
        _expose(kernel, port, "--persistent")
    jupyter.jupyter("DELETE", f"api/kernels/{kernel_id}").raise_for_status()
    with jupyter.kernel() as other:
        gone = _port()
        _expose(other, gone)
    assert comes(lambda: gone not in mappings(jupyter))
    mapping = mappings(jupyter)[port]
    assert "kernel_id" not in mapping
    jupyter.request("DELETE", f"api/ports/{mapping['id']}").raise_for_status()


def test_a_restarted_kernel_keeps_its_mapping(jupyter: JupyterServer, kernel_id: str) -> None:
    """After a restart URL and id are the same; the service answers there again."""
    port = _port()
    with attach(jupyter, kernel_id) as kernel:
        _expose(kernel, port)
    before = mappings(jupyter)[port]
    _restarts(jupyter, kernel_id)
    with attach(jupyter, kernel_id) as kernel:
        after = mappings(jupyter)[port]
        assert (after["id"], after["url"]) == (before["id"], before["url"])
        kernel.execute("1 + 1")


def test_a_killed_kernel_comes_back_with_its_mapping(
    jupyter: JupyterServer, kernel_id: str
) -> None:
    """`kill -9` of the kernel: Jupyter restarts it, and the mapping stays."""
    port = _port()
    with attach(jupyter, kernel_id) as kernel:
        _expose(kernel, port)
        (output,) = kernel.execute("import os; print(os.getpid())")
    os.kill(int(output.text), signal.SIGKILL)
    assert comes(lambda: _answers(jupyter, kernel_id), seconds=60)
    assert port in mappings(jupyter)


def test_a_name_follows_its_port(jupyter: JupyterServer, kernel_id: str) -> None:
    """A service that comes up on another port keeps its URL, if it keeps its name."""
    first, second = _port(), _port()
    with attach(jupyter, kernel_id) as kernel:
        _expose(kernel, first, "--name Runs")
        before = mappings(jupyter)[first]
        kernel.execute("service.terminate(); service.wait()")
        _expose(kernel, second, "--name Runs")
    after = mappings(jupyter)
    assert first not in after
    assert (after[second]["id"], after[second]["url"]) == (before["id"], before["url"])


def test_a_name_is_not_taken_from_a_service_that_still_runs(
    jupyter: JupyterServer, kernel_id: str
) -> None:
    """Two services may have one name; only one that is gone is followed."""
    first, second = _port(), _port()
    with attach(jupyter, kernel_id) as kernel:
        _expose(kernel, first, "--name Twice")
        kernel.execute("kept = service")
        _expose(kernel, second, "--name Twice")
    assert {first, second} <= set(mappings(jupyter))


def test_a_crashed_server_takes_back_what_is_gone_at_its_next_start(tmp_path: Path) -> None:
    """Kill -9 of server and kernel: the next server removes what has no kernel any more."""
    port, kept = _port(), _port()
    with run_jupyter(tmp_path) as server:
        server.request("GET", "api/proxy").raise_for_status()
        with server.kernel() as kernel:
            _expose(kernel, port)
            _expose(kernel, kept, "--persistent")
            (output,) = kernel.execute("import os; print(os.getpid())")
            server.process.kill()
            server.process.wait()
            assert wait_until(lambda: not Path(f"/proc/{int(output.text)}").exists(), seconds=60)
    again = tmp_path / "again"
    again.mkdir()
    with run_jupyter(again, f"--TensorOneProxy.state_dir={tmp_path / 'state'}") as server:
        server.request("GET", "api/proxy").raise_for_status()
        assert comes(lambda: port not in mappings(server))
        assert kept in mappings(server)


def test_the_gateway_may_be_away_meanwhile(tmp_path: Path) -> None:
    """A kernel that goes while the gateway is down is noticed as soon as it is back."""
    port = _port()
    with run_jupyter(tmp_path) as server:
        server.request("GET", "api/proxy").raise_for_status()
        with server.kernel() as kernel:
            _expose(kernel, port)
            os.kill(server.gateway_pid(), signal.SIGKILL)
        assert comes(lambda: port not in mappings(server), seconds=60)
