"""The how-to pages, word for word: each page's code is run in its order, from a clean start."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.gateway import wait_until
from tests.fixtures.jupyter import JupyterServer, environment, run_jupyter
from tests.fixtures.markdown import Reader, blocks

PAGES = sorted((Path(__file__).parents[2] / "docs" / "how-to").glob("*.md"))
USED_PORTS = (8000, 9000)
"""What the pages' services listen on, as people's do."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    """Run a Jupyter server, once nobody else on this machine is following a page."""
    for port in USED_PORTS:
        assert wait_until(lambda port=port: not listens(port), seconds=300), f"{port} is in use"  # type: ignore[misc]
    with run_jupyter(tmp_path) as running:
        running.request("GET", "api/ports").raise_for_status()  # people read before they type
        yield running


def listens(port: int) -> bool:
    """Say whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_works_word_for_word(page: Path, server: JupyterServer, tmp_path: Path) -> None:
    """A stranger who follows the page gets what it says, and leaves nothing exposed."""
    runnable = [block for block in blocks(page) if block.language in {"python", "console"}]
    with server.kernel() as kernel:
        followed = Reader(kernel, tmp_path, environment(tmp_path)).follow(page)
    assert followed == len(runnable)
    assert server.request("GET", "api/ports").json()["data"] == []


def test_the_services_of_the_pages_are_on_known_ports() -> None:
    """A page that uses another port tells this test, which then waits for it too."""
    opened = set()
    for page in PAGES:
        for block in blocks(page):
            if block.language == "python":
                opened |= set(map(int, re.findall(r'"http.server", "(\d+)"', block.text)))
                opened |= set(map(int, re.findall(r"start_server\(.*, (\d+)\)", block.text)))
    assert opened == set(USED_PORTS)
