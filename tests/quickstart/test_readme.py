"""The README's quick start, word for word: its cells in a kernel, its commands in a terminal."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.demo import PROJECT
from tests.fixtures.gateway import wait_until
from tests.fixtures.jupyter import JupyterServer, environment, run_jupyter
from tests.fixtures.markdown import Block, Reader, blocks

README = PROJECT / "README.md"
TENSORBOARD = 6006
"""The README uses TensorBoard's own port, as people do."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    """Run a Jupyter server, once nobody else on this machine is following the README."""
    assert wait_until(lambda: not listens(TENSORBOARD), seconds=300), "port 6006 is in use"
    with run_jupyter(tmp_path) as running:
        yield running


def listens(port: int) -> bool:
    """Say whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def section(heading: str) -> list[Block]:
    """Return the blocks between a heading of the README and the next one."""
    lines = README.read_text().splitlines()
    first = lines.index(heading) + 1
    following = [n for n, line in enumerate(lines, 1) if line.startswith("## ") and n > first]
    return [block for block in blocks(README) if first < block.line < following[0]]


def test_the_quick_start_works_word_for_word(server: JupyterServer, tmp_path: Path) -> None:
    """A stranger who copies the README gets what it says, printed as it says."""
    quick_start = section("## Ten lines that work")
    assert [block.language for block in quick_start] == ["python", "python", "console", "python"]
    with server.kernel() as kernel:
        reader = Reader(kernel, tmp_path, environment(tmp_path))
        for block in quick_start:
            if block.language == "console":
                # People read the card before they type; a check comes every 30 seconds.
                assert wait_until(lambda: is_healthy(server), seconds=90)
            assert reader.run(block, README)
    assert server.request("GET", "api/ports").json()["data"] == []


def is_healthy(server: JupyterServer) -> bool:
    """Say whether the one exposed service was found healthy."""
    (port,) = server.request("GET", "api/ports").json()["data"]
    return bool(port["health_status"] == "healthy")


def test_the_picture_is_there_and_small() -> None:
    """The README's pictures are in the repository."""
    names = [
        line.partition("](")[2].rstrip(")")
        for line in README.read_text().splitlines()
        if line.startswith("![")
    ]
    assert names
    for name in names:
        assert 10_000 < (PROJECT / name).stat().st_size < 200_000
