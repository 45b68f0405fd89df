"""Example notebooks as they are stored: valid, and without anybody's outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks.conftest import NOTEBOOKS


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    """Nobody's outputs, counts or machine are in the file."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) >= 5
    for cell in code:
        assert (cell.outputs, cell.execution_count) == ([], None), cell.id
    assert notebook.metadata.language_info == {"name": "python"}


def test_every_notebook_is_executed_by_a_test() -> None:
    """A notebook that nobody runs breaks unseen."""
    tests = Path(__file__).parents[1].rglob("test_*.py")
    sources = "".join(path.read_text() for path in tests) + _demo()
    assert [p.name for p in NOTEBOOKS.glob("*.ipynb") if f'"{p.name}"' not in sources] == []


def _demo() -> str:
    return (NOTEBOOKS.parent / "scripts" / "demo.py").read_text()
