"""R36, trap 7: a route that forgets one of its settings lets nobody in, with a good session too."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.gateway.config import GatewayConfig
from jupyter_tensorone_proxy.gateway.desired import Desired, DesiredCluster, DesiredMapping, Edge
from jupyter_tensorone_proxy.gateway.identity import Signer, new_id
from jupyter_tensorone_proxy.gateway.tables import now
from jupyter_tensorone_proxy.gateway.tls import TlsCertificates
from jupyter_tensorone_proxy.gateway.xds import filters, messages, resources
from jupyter_tensorone_proxy.gateway.xds.discovery import DiscoveryServer
from jupyter_tensorone_proxy.gateway.xds.messages import make_resource
from jupyter_tensorone_proxy.gateway.xds.sign_in import session_cookie
from jupyter_tensorone_proxy.gateway.xds.snapshot import Snapshot, build_snapshot
from jupyter_tensorone_proxy.models import PortRequest
from tests.fixtures.bare_envoy import Scenario, scenarios
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.services.web import WebService, web_service

NAMES = ("localhost", "127.0.0.1")
SETTINGS = [filters.IP, filters.SIGN_IN, filters.REVOKED, filters.ACCESS]


@pytest.fixture
def run() -> Iterator[Callable[[Scenario], None]]:
    """Return a function that runs a scenario with a discovery server and a real Envoy."""
    with scenarios() as run_scenario:
        yield run_scenario


@dataclass
class World:
    """One private mapping as the gateway would configure it, and a session that opens it."""

    desired: Desired
    mapping: DesiredMapping
    service: WebService
    session: str

    def snapshot(self, forgotten: set[str]) -> Snapshot:
        """Return the configuration, with a service's route that lacks some settings."""
        right = build_snapshot(self.desired)
        config = resources.make_routes(self.mapping, self.desired.cluster, self.desired.edge, ())
        for route in config["virtual_hosts"][0]["routes"]:
            if route["match"] == {"prefix": "/"}:
                for name in forgotten:
                    route["typed_per_filter_config"].pop(name)
        wrong = make_resource(messages.ROUTES, config)
        routes = {**right.of(messages.ROUTES), wrong.name: wrong}
        return Snapshot({**right.resources, messages.ROUTES: routes})

    async def status(self) -> int:
        """Ask for a page with the session."""
        cookie = {"cookie": f"{session_cookie(self.mapping.id)}={self.session}"}
        url = f"https://localhost:{self.mapping.external_port}/"
        async with httpx.AsyncClient(verify=False, headers=cookie) as visitor:  # noqa: S501 - tested elsewhere
            return int((await visitor.get(url)).status_code)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Build the desired state of one private mapping."""
    with web_service() as service:
        signer = Signer(tmp_path, issuer="test")
        certificates = TlsCertificates(GatewayConfig(state_dir=str(tmp_path)), NAMES)
        edge = Edge(
            listen="127.0.0.1",
            public_host="localhost",
            host_names=NAMES,
            host_secrets=certificates.host_secrets,
            jwks=signer.jwks,
            key_ids=signer.key_ids,
            issuer=signer.issuer,
            owner="ana",
        )
        check: Any = {"enabled": False}
        request = PortRequest(internal_port=service.port, description="x", health_check=check)
        mapping = DesiredMapping(new_id("port"), request, free_port(), now(), now())
        desired = Desired(DesiredCluster("local"), {mapping.id: mapping}, edge)
        desired = replace(desired, certificates=certificates.served([]))
        session = signer.session(mapping.id, "ana", new_id("ses"), lifetime_seconds=60)
        yield World(desired, mapping, service, session)
        certificates.close()


def _accepts(port: int) -> bool:
    """Say whether the workers have the listener, which is a moment after Envoy has taken it."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize(
    "forgotten",
    [*({name} for name in SETTINGS), set(SETTINGS)],
    ids=lambda names: "+".join(sorted(names)),
)
def test_r36_a_route_without_a_setting_lets_nobody_in(
    run: Callable[[Scenario], None], world: World, forgotten: set[str]
) -> None:
    """Each setting by itself, and all of them: 401 or 403, and the service hears nothing."""

    async def scenario(server: DiscoveryServer, start_envoy: Callable[[], None]) -> None:
        start_envoy()
        await server.apply(world.snapshot(set()), timeout_seconds=30)
        await asyncio.to_thread(wait_until, lambda: _accepts(world.mapping.external_port))
        assert await world.status() == 200
        assert len(world.service.seen) == 1
        await server.apply(world.snapshot(forgotten), timeout_seconds=30)
        assert await world.status() in {401, 403}
        assert len(world.service.seen) == 1
        await server.apply(world.snapshot(set()), timeout_seconds=30)
        assert await world.status() == 200

    run(scenario)
