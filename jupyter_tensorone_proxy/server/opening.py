"""From a port to the address that lets one person in: find it, expose it if need be, make a link.

This module decides nothing about who may ask; `go.py` did that before. It answers no requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus, urlsplit

from ..client import AsyncProxyClient
from ..errors import (
    ConflictError,
    NotFoundError,
    NotSupportedError,
    PortAlreadyMappedError,
    PortNotFoundError,
    ProtectedPortError,
)
from ..models import PortMapping
from ..sockets import only_address, own_addresses

_LOOPBACK = ("127.0.0.1", "::1")
_PROBE_SECONDS = 1.0
_MAX_PORT = 65_535
_LINK_PATH = "/.tensorone/link"
_AS_IT_CAME = "/%:;=&?@!$'()*+,~[]|"
"""Characters of a path or query that are passed on unchanged; anything odd is escaped."""


@dataclass(frozen=True)
class Opener:
    """Opens ports for one Jupyter server.

    Args:
        auto_expose: Expose a port that is not exposed yet, if something listens on it.
        reserved_ports: Ports never exposed by this, each with what it is.
    """

    auto_expose: bool
    reserved_ports: Callable[[], Mapping[int, str]]

    async def find(self, client: AsyncProxyClient, port: int) -> PortMapping | None:
        """Return the mapping of a port; None if the port may be exposed by opening it.

        Raises:
            NotFoundError: It is not exposed and would not be.
            ProtectedPortError: It is one of Jupyter's own.
        """
        if (mapping := await _mapping_of(client, port)) is not None:
            return mapping
        await self._require_exposable(port)
        return None

    async def open(
        self,
        client: AsyncProxyClient,
        port: int,
        user: str,
        path: str,
        *,
        frame_origin: str | None = None,
    ) -> str:
        """Return the address that signs the user in to the service on a port.

        Args:
            client: The API.
            port: The service's port on this machine, 1–65535.
            user: Who.
            path: Where to land, with the query; starts with a single slash.
            frame_origin: Origin of the page around, if it is opened in a frame.

        Raises:
            ApiError: The port is not exposed and cannot be, or the API refuses the link.
        """
        mapping = await self.find(client, port) or await _expose_privately(client, port, user)
        try:
            link = await client.create_link(
                mapping.id, user=user, path=path, frame_origin=frame_origin
            )
        except NotSupportedError:
            return _public_address(mapping, path)
        return link.url

    async def _require_exposable(self, port: int) -> None:
        if what := self.reserved_ports().get(port):
            raise ProtectedPortError(
                f"Port {port} is {what}; it is not exposed by opening it.",
                details={"suggestion": "Open Jupyter itself at its own address."},
            )
        if not self.auto_expose:
            raise _not_exposed(port, f"Run `%tensorone expose {port}` in a notebook.")
        if not await _something_listens(port):
            raise _not_exposed(port, "Nothing listens on it: start the service, then try again.")


def origin_of_link(address: str) -> str | None:
    """Return the origin of a gateway's link; None for any other address.

    Example:
        >>> origin_of_link("https://localhost:32001/.tensorone/link?token=t&next=/")
        'https://localhost:32001'
        >>> origin_of_link("https://app.example.com/") is None
        True
    """
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.path == _LINK_PATH else None


def parse_port(text: str) -> int:
    """Read a port from an address.

    Raises:
        NotFoundError: Not a plain number from 1 to 65535.

    Example:
        >>> parse_port("6006")
        6006
        >>> parse_port("+80")
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.errors.NotFoundError: '+80' is not a port. ...
    """
    plain = text.isascii() and text.isdigit() and not text.startswith("0")
    if not plain or len(text) > len(str(_MAX_PORT)) or int(text) > _MAX_PORT:
        raise NotFoundError(
            f"{text[:40]!r} is not a port.",
            details={"suggestion": "The address is …/go/PORT/ with a number from 1 to 65535."},
        )
    return int(text)


def landing_path(path: str, query: str, *, drop_token: bool) -> str:
    r"""Return where to land in the service: a path on its own origin, whatever was asked for.

    Args:
        path: What follows the port in the address, as it came.
        query: The query as it came, without the question mark.
        drop_token: Leave out ``token=…``, because it is Jupyter's.

    Example:
        >>> landing_path("//evil.example/\\x", "a=1&token=t", drop_token=True)
        '/evil.example/%5Cx?a=1'
    """
    pieces = query.split("&") if query else []
    kept = [p for p in pieces if not (drop_token and unquote_plus(p.partition("=")[0]) == "token")]
    landing = "/" + path.lstrip("/\\") + ("?" + "&".join(kept) if kept else "")
    return quote(landing, safe=_AS_IT_CAME, encoding="latin-1", errors="replace")


async def _mapping_of(client: AsyncProxyClient, port: int) -> PortMapping | None:
    return next((m for m in await client.list_ports() if m.internal_port == port), None)


async def _expose_privately(client: AsyncProxyClient, port: int, user: str) -> PortMapping:
    try:
        return await client.create_port(
            internal_port=port,
            description=f"Port {port}",
            access_control={"authentication_required": True, "allowed_users": [user]},
        )
    except PortAlreadyMappedError:  # by somebody else, a moment ago
        if (mapping := await _mapping_of(client, port)) is None:
            raise
        return mapping


def _public_address(mapping: PortMapping, path: str) -> str:
    parts = urlsplit(mapping.url or "")
    if parts.scheme not in {"http", "https"}:
        raise ConflictError(
            f"Port {mapping.internal_port} is no web page.",
            details={"suggestion": f"Its address is {mapping.url}." if mapping.url else ""},
        )
    return f"{parts.scheme}://{parts.netloc}{path}"


def _not_exposed(port: int, suggestion: str) -> PortNotFoundError:
    return PortNotFoundError(f"Port {port} is not exposed.", details={"suggestion": suggestion})


async def _something_listens(port: int) -> bool:
    elsewhere = only_address(own_addresses(port))
    for host in (elsewhere,) if elsewhere else _LOOPBACK:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _PROBE_SECONDS)
        except (OSError, asyncio.TimeoutError):
            continue
        writer.close()
        return True
    return False
