"""The REST door for the front ends: the contract's proxy and ports, for this server's cluster.

Every handler judges the request, makes one call of the client and answers in the contract's
envelope. The API key stays in the client. The addresses are in `handlers`.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..errors import InvalidRequestError
from ..models import PortRequest, PortSettings, ProxySettings
from ..validation import parse_patch, parse_request
from .answers import error_body, require_small
from .connection import Connection
from .go import GO_PATH, GoHandler
from .handler import ProxyHandler
from .opening import Opener

_API_PATH = "tensorone-proxy/api"


class _RestHandler(ProxyHandler, APIHandler):
    def initialize(self, connection: Connection) -> None:
        self.connection = connection

    def answer(self, data: Any, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish({"success": True, "data": data})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish(error_body(self.failure(status_code, kwargs)))

    def body(self) -> bytes:
        return require_small(self.request.body)

    def flag(self, name: str) -> bool:
        text = self.get_query_argument(name, "false").lower()
        if text not in {"true", "false", "1", "0"}:
            field = {"field": name, "message": "must be true or false"}
            raise InvalidRequestError("The query is wrong.", details={"fields": [field]})
        return text in {"true", "1"}


class ProxyRoute(_RestHandler):
    """`api/proxy`: the whole proxy."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the proxy's configuration; the `include_…` flags ask for more."""
        flags = {f"include_{n}": self.flag(f"include_{n}") for n in _INCLUDABLE}
        config = await (await self.connection.client()).get_proxy(**flags)
        self.answer(config.to_wire())

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Change the proxy's settings."""
        wanted = parse_request(ProxySettings, self.body())
        changes = {name: getattr(wanted, name) for name in wanted.model_fields_set}
        state = await (await self.connection.client()).update_proxy(**changes)
        self.answer(state.to_wire())


class PortsRoute(_RestHandler):
    """`api/ports`: all port mappings."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer every mapping with its observed state."""
        ports = await (await self.connection.client()).list_ports()
        self.answer([port.to_wire() for port in ports])

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Expose a port."""
        request = parse_request(PortRequest, self.body()).to_wire()
        port = await (await self.connection.client()).create_port(**request)
        self.answer(port.to_wire(), status=201)


class PortRoute(_RestHandler):
    """`api/ports/{id}`: one port mapping."""

    @web.authenticated
    @authorized
    async def put(self, port_id: str) -> None:
        """Change the given fields; null resets one."""
        changes = parse_patch(PortSettings, self.body())
        port = await (await self.connection.client()).update_port(port_id, **changes)
        self.answer(port.to_wire())

    @web.authenticated
    @authorized
    async def delete(self, port_id: str) -> None:
        """Stop exposing a port."""
        await (await self.connection.client()).delete_port(port_id)
        self.answer(None)


_INCLUDABLE = ("health", "access_logs", "ssl_info")

Route = tuple[str, type[ProxyHandler], dict[str, Any]]


def handlers(connection: Connection, opener: Opener) -> list[Route]:
    """Return every address of this extension with its handler, below Jupyter's base URL."""
    api: dict[str, Any] = {"connection": connection}
    return [
        (rf"{_API_PATH}/proxy", ProxyRoute, api),
        (rf"{_API_PATH}/ports", PortsRoute, api),
        (rf"{_API_PATH}/ports/([A-Za-z0-9._~-]+)", PortRoute, api),
        (rf"{GO_PATH}.*", GoHandler, {**api, "opener": opener}),
    ]
