"""The REST door for the front ends: the contract's proxy and ports, for this server's cluster.

Every handler judges the request, makes one call of the client and answers in the contract's
envelope. The API key stays in the client. The addresses are in `handlers`.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..models import PortRequest, PortSettings, ProxySettings
from ..validation import parse_patch, parse_request
from .connection import Connection
from .go import GO_PATH, GoHandler
from .opening import Opener
from .own_answers import ServiceEntry
from .panel_routes import panel_handlers
from .people_routes import people_handlers
from .ports import Ports
from .processes import Services
from .processes.routes import process_handlers
from .rest import API_PATH, RestHandler, Route


class ProxyRoute(RestHandler):
    """`api/proxy`: the whole proxy."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the proxy's configuration; the `include_…` flags ask for more."""
        flags = {f"include_{n}": self.flag(f"include_{n}") for n in _INCLUDABLE}
        config = await (await self.api()).get_proxy(**flags)
        self.answer(config.to_wire())

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Change the proxy's settings."""
        wanted = parse_request(ProxySettings, self.body())
        changes = {name: getattr(wanted, name) for name in wanted.model_fields_set}
        state = await (await self.api()).update_proxy(**changes)
        self.answer(state.to_wire())


class PortsRoute(RestHandler):
    """`api/ports`: all port mappings."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer every mapping with its observed state."""
        ports = await (await self.api()).list_ports()
        self.answer([port.to_wire() for port in ports])

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Expose a port."""
        request = parse_request(PortRequest, self.body()).to_wire()
        port = await (await self.api()).create_port(**request)
        self.answer(port.to_wire(), status=201)


class PortRoute(RestHandler):
    """`api/ports/{id}`: one port mapping."""

    @web.authenticated
    @authorized
    async def put(self, port_id: str) -> None:
        """Change the given fields; null resets one."""
        changes = parse_patch(PortSettings, self.body())
        port = await (await self.api()).update_port(port_id, **changes)
        self.answer(port.to_wire())

    @web.authenticated
    @authorized
    async def delete(self, port_id: str) -> None:
        """Stop exposing a port."""
        await (await self.api()).delete_port(port_id)
        self.answer(None)


class DetectedRoute(RestHandler):
    """`api/detected`: ports of kernels and terminals, exposed or not."""

    def initialize(self, connection: Connection, ports: Ports | None = None) -> None:
        """Take what every request needs."""
        super().initialize(connection)
        if ports is None:
            raise TypeError("these handlers are about ports")
        self._ports = ports

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer every port with where it comes from."""
        self.answer(await self._ports.detected())


class ServicesRoute(DetectedRoute):
    """`api/services`: the catalogue of services that are recognised."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer what is known of each."""
        self.answer(
            [
                ServiceEntry.of(service).to_wire()
                for service in self._ports.catalogue.services
                if not service.internal
            ]
        )


_INCLUDABLE = ("health", "access_logs", "ssl_info")


def handlers(
    connection: Connection, opener: Opener, ports: Ports, services: Services
) -> list[Route]:
    """Return every address of this extension with its handler, below Jupyter's base URL."""
    api: dict[str, Any] = {"connection": connection}
    return [
        (rf"{API_PATH}/proxy", ProxyRoute, api),
        (rf"{API_PATH}/ports", PortsRoute, api),
        (rf"{API_PATH}/ports/([A-Za-z0-9._~-]+)", PortRoute, api),
        (rf"{API_PATH}/detected", DetectedRoute, {**api, "ports": ports}),
        (rf"{API_PATH}/services", ServicesRoute, {**api, "ports": ports}),
        *panel_handlers(api),
        *people_handlers(api),
        *process_handlers(api, services),
        (rf"{GO_PATH}.*", GoHandler, {**api, "opener": opener}),
    ]
