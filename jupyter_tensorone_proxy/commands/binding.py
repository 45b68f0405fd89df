"""What ties a mapping to more than its port: its kernel, the name it follows, and its end."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from ..client import ProxyClient
from ..errors import NotSupportedError
from ..models import PortMapping
from ..sockets import only_address, own_addresses

_LOOPBACK = ("127.0.0.1", "::1")
_PATIENCE_SECONDS = 0.5
_EXPIRY = "expiry"
"""A server that lists it ends mappings at their `expires_at`."""


def moved_here(client: ProxyClient, port: int, fields: Mapping[str, Any]) -> PortMapping | None:
    """Return the mapping whose service came up again on another port.

    It is the one of the same name, if nothing listens on its own port any more. Pointed to the new
    port it keeps its URL.

    Args:
        client: Where.
        port: Where the service listens now.
        fields: What was asked for; without a name nothing is followed.
    """
    name = fields.get("description")
    if not name:
        return None
    namesakes = [m for m in client.list_ports() if m.description == name]
    if len(namesakes) != 1 or namesakes[0].internal_port in {None, port}:
        return None
    (mapping,) = namesakes
    return None if listens(mapping.internal_port or 0) else mapping


def require_expiry(client: ProxyClient, fields: Mapping[str, Any]) -> None:
    """Raise if a mapping should end by itself, and its server would not end it.

    Args:
        client: Where.
        fields: What was asked for.

    Raises:
        NotSupportedError: The server does not list the extension.
    """
    if fields.get("expires_at") is None or _EXPIRY in client.get_proxy().meta.extensions:
        return
    raise NotSupportedError(
        f"{client.settings.api_url} does not stop exposing anything by itself.",
        suggestion="Leave the time out, and stop it yourself with `unexpose`.",
    )


def listens(port: int) -> bool:
    """Say whether something listens on a port of this machine.

    Args:
        port: 1–65535.
    """
    elsewhere = only_address(own_addresses(port))
    for host in (elsewhere,) if elsewhere else _LOOPBACK:
        try:
            socket.create_connection((host, port), timeout=_PATIENCE_SECONDS).close()
        except OSError:
            continue
        return True
    return False
