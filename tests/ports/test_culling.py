"""A kernel that Jupyter culls because nobody uses it takes along what it exposed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.gateway import free_range
from tests.fixtures.jupyter import JupyterServer, attach, run_jupyter
from tests.fixtures.ports import comes, detected, listening, mappings, serve

_CULLING = (
    "--MappingKernelManager.cull_idle_timeout=4",
    "--MappingKernelManager.cull_interval=1",
)


@pytest.fixture
def culling(tmp_path: Path) -> Iterator[JupyterServer]:
    """Run a server that culls kernels after some seconds."""
    with run_jupyter(tmp_path, *_CULLING) as server:
        server.request("GET", "api/proxy").raise_for_status()
        yield server


def test_what_a_culled_kernel_exposed_goes_with_it(culling: JupyterServer) -> None:
    """Nobody shuts it down: Jupyter does, and the mapping goes at once, and what stays stays."""
    port, kept = (int(free_range(1).partition("-")[0]) for _ in range(2))
    with listening(culling) as events:
        kernel_id = culling.jupyter("POST", "api/kernels").raise_for_status().json()["id"]
        with attach(culling, kernel_id) as kernel:
            serve(kernel, port)
            kernel.execute(f"%tensorone expose {port}\n%tensorone expose {kept} --persistent")
            assert mappings(culling)[port]["kernel_id"] == kernel_id
        assert comes(lambda: not culling.jupyter("GET", "api/kernels").json(), seconds=60)
        assert comes(lambda: port not in mappings(culling), seconds=10)
        assert comes(lambda: any(e.get("action") == "port.deleted" for e in events.of("audit")))
    assert kept in mappings(culling)
    assert port not in detected(culling)
    assert "Culling 'idle' kernel" in culling.log.read_text()
