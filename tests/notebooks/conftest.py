"""Example notebooks, executed from a clean kernel of a real Jupyter server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.fixtures.jupyter import JupyterServer, output_text, run_jupyter

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
Outputs = dict[str, list[Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run a Jupyter server without any configuration of ours."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


def executed(server: JupyterServer, name: str) -> Outputs:
    """Execute every cell of a notebook; return the outputs of each by the cell's id."""
    found: Outputs = {}
    with server.kernel() as kernel:
        for cell in nbformat.read(NOTEBOOKS / name, as_version=4).cells:
            if cell.cell_type == "code":
                found[cell.id] = kernel.execute(cell.source)
    return found


def text(outputs: list[Any]) -> str:
    """Return what a cell says in plain text."""
    return "".join(output_text(output) for output in outputs)


def html(outputs: list[Any]) -> str:
    """Return what a cell shows in a front end."""
    return "".join(output.get("data", {}).get("text/html", "") for output in outputs)


def secrets_in(outputs: Outputs, server: JupyterServer) -> list[str]:
    """Return the secrets that would be saved with a notebook."""
    saved = "".join(str(output) for cell in outputs.values() for output in cell)
    key = Path(server.gateway()["api_key_file"]).read_text().strip()
    assert len(key) > 20
    return [secret for secret in (key, "token=", "eyJ", "Bearer ") if secret in saved]
