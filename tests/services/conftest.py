"""What every test of a real service needs: a gateway, a user, services, and a browser.

The services themselves come with `pip install '.[services]'` and scripts/install-test-services.sh.
"""

from __future__ import annotations

import pwd
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.services.browser import Chromium
from tests.fixtures.services.exposed import ExposedService, Start
from tests.fixtures.services.processes import need, program, run_service


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run one gateway for all services."""
    # PostgreSQL refuses to run as root, and another user's services are not exposed unasked.
    others = [user.pw_name for user in pwd.getpwall() if user.pw_name == "postgres"]
    options = ["--service-users", *others] if others else []
    state = tmp_path_factory.mktemp("state")
    with run_gateway(state, "--external-ports", free_range(40), *options) as running:
        yield running


@pytest.fixture(scope="session")
def client(gateway: RunningGateway) -> Iterator[ProxyClient]:
    """Return a client of the gateway's API."""
    with gateway.client() as api:
        yield api


@pytest.fixture(scope="session")
def token(client: ProxyClient) -> str:
    """Return the token of a user, as programs send it."""
    return str(client.create_user("program").token)


@pytest.fixture(scope="module")
def start(
    gateway: RunningGateway,
    client: ProxyClient,
    token: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Start]:
    """Return a function that starts a service and exposes it, privately unless told otherwise."""
    with ExitStack() as stack:

        def start(
            name: str,
            command: Sequence[str],
            *,
            folder: Path | None = None,
            mapping: dict[str, Any] | None = None,
            **options: Any,
        ) -> ExposedService:
            home = folder or tmp_path_factory.mktemp("service")
            service = stack.enter_context(run_service(name, command, home, **options))
            made = client.create_port(
                internal_port=service.port, description=name, **(mapping or {})
            )
            stack.callback(client.delete_port, made.id)
            return ExposedService(service, made, client, token, gateway.runtime["ca_file"])

        yield start


@pytest.fixture(scope="module")
def chromium(
    gateway: RunningGateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chromium]:
    """Start a real browser that trusts the gateway's authority and knows no other network."""
    need("playwright")
    home = tmp_path_factory.mktemp("browser")
    with Chromium.start(program("chromium"), home, gateway.runtime["ca_file"]) as browser:
        yield browser


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Any:
    """Show what the services printed next to a failure."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, ExposedService):
                report.sections.append((f"log of {value.service.name}", value.service.tail()))
    return report
