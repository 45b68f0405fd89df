"""What tests of the gateway's life need: gateways of their own, and services to expose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from tests.fixtures.gateway import RunningGateway, run_gateway
from tests.fixtures.services.web import WebService, web_service

PUBLIC = {"public_access": True}

RunGateway = Callable[..., RunningGateway]
ExposePort = Callable[..., PortMapping]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[RunGateway]:
    """Return a function that starts a gateway; all end with the test."""
    with ExitStack() as stack:

        def start(*arguments: str, state: Path | None = None, **options: Any) -> RunningGateway:
            running = run_gateway(state or tmp_path / "state", *arguments, **options)
            return stack.enter_context(running)

        yield start


@pytest.fixture
def gateway(start: RunGateway) -> RunningGateway:
    """Run a gateway for this test alone."""
    return start()


@pytest.fixture
def client(gateway: RunningGateway) -> Iterator[ProxyClient]:
    """Return a client of the gateway's API."""
    with gateway.client() as api:
        yield api


@pytest.fixture
def service() -> Iterator[WebService]:
    """Run a web service."""
    with web_service() as running:
        yield running


@pytest.fixture
def expose(client: ProxyClient) -> ExposePort:
    """Return a function that exposes a port, publicly unless told otherwise."""

    def expose(port: int, **fields: Any) -> PortMapping:
        options = {"description": "web", "access_control": PUBLIC, **fields}
        return client.create_port(internal_port=port, **options)

    return expose
