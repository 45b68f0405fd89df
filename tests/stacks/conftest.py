"""What the tests of stacks may ask for: a real gateway, being ana, and services to declare."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import PortMapping, ProxyClient, Stack
from jupyter_tensorone_proxy.stacks.processes.host import host
from tests.fixtures.ana import client, gateway, running_gateway  # noqa: F401 - fixtures
from tests.fixtures.gateway import free_port
from tests.fixtures.runner import runner  # noqa: F401 - a fixture

MakeStack = Callable[..., Stack]
APPS = Path(__file__).parent / "apps"
UVICORN_MODEL: dict[str, Any] = {
    "command": [sys.executable, "-m", "uvicorn", "model:app", "--port", "{port}"],
    "cwd": str(APPS),
}
"""What starts the model's API in `apps`."""


@pytest.fixture
def proxy(client: ProxyClient) -> Iterator[ProxyClient]:  # noqa: F811 - the fixture
    """Return ana's client of a gateway where nothing is exposed before, nor after."""
    yield client
    for mapping in client.list_ports():
        client.delete_port(mapping.id)


@pytest.fixture
def ports() -> list[int]:
    """Return four free ports."""
    found: set[int] = set()
    while len(found) < 4:
        found.add(free_port())
    return sorted(found)


def stack_of(*services: dict[str, Any], name: str = "lab", **fields: Any) -> Stack:
    """Return a stack of some services."""
    return Stack.model_validate({"name": name, "services": list(services), **fields})


def by_name(api: ProxyClient) -> dict[str, PortMapping]:
    """Return what is exposed."""
    return {str(mapping.description): mapping for mapping in api.list_ports()}


@contextmanager
def here_only(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run processes in this very process, in a directory of their own, and leave none behind."""
    monkeypatch.delenv("TENSORONE_SERVER_SOCKET", raising=False)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(directory / "runtime"))
    monkeypatch.chdir(directory)
    yield
    host.close()
    assert list((directory / "runtime").glob("*")) == []
