"""One real Jupyter server for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.jupyter import JupyterServer, Kernel, run_jupyter


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run a server with its gateway."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as server:
        server.request("GET", "api/proxy").raise_for_status()  # the gateway serves
        yield server


@pytest.fixture
def kernel(jupyter: JupyterServer) -> Iterator[Kernel]:
    """Run a kernel of its own for a test."""
    with jupyter.kernel() as started:
        yield started
