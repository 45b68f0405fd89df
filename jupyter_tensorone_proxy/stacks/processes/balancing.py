"""Which replicas a service's mapping leads to, and waiting until one has nothing left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager

import psutil

from ...client import AsyncProxyClient
from ...models import PortMapping

OpenClient = Callable[[], AbstractAsyncContextManager[AsyncProxyClient]]
"""Lends a client of the proxy."""

_SETTLE_SECONDS = 0.3
"""Envoy's workers hear of a change a moment after it is acknowledged."""

_LOOK_SECONDS = 0.1


async def lead_to(
    open_client: OpenClient, ports: Sequence[int], known: Collection[int]
) -> PortMapping | None:
    """Have the mapping of a service lead to some of its replicas.

    Args:
        open_client: Lends a client.
        ports: Where they listen.
        known: All ports of the service, by which its mapping is found.

    Returns:
        The mapping; None if the service is not exposed.
    """
    async with open_client() as client:
        mappings = [m for m in await client.list_ports() if m.internal_port in known]
        if not mappings:
            return None
        first, *further = ports
        changes = {} if mappings[0].internal_port == first else {"internal_port": first}
        return await client.update_port(mappings[0].id, **changes, replicas=further)


async def idle(port: int, seconds: float) -> bool:
    """Wait until nobody is connected to a port any more.

    Args:
        port: Where the replica listens; nothing new is led to it.
        seconds: How long to wait at most.

    Returns:
        Whether nobody is.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    await asyncio.sleep(_SETTLE_SECONDS)
    while await asyncio.to_thread(_is_used, port):
        if loop.time() > deadline:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return True


def _is_used(port: int) -> bool:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # a system that does not tell: then all the time there is is given
        return True
    return any(
        connection.status == psutil.CONN_ESTABLISHED
        and connection.laddr
        and connection.laddr.port == port
        for connection in connections
    )
