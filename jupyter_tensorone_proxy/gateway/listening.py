"""Waiting until Envoy really listens: a listener's first certificate reaches the workers late.

An acknowledgement says that the main thread has taken a listener; the workers accept connections a
moment after that.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

_PAUSES = [0.001] * 20 + [0.05] * 40


async def first_silent_port(listen: str, ports: Iterable[int]) -> int | None:
    """Return the first of some TCP ports that does not listen within two seconds; None if all do.

    Args:
        listen: The address that the ports are bound to.
        ports: Which.
    """
    address = ipaddress.ip_address(listen)
    loopback = "::1" if address.version == 6 else "127.0.0.1"  # noqa: PLR2004 - IPv6
    host = loopback if address.is_unspecified else str(address)
    for port in ports:
        for pause in _PAUSES:
            if await _listens(host, port):
                break
            await asyncio.sleep(pause)
        else:
            return port
    return None


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
