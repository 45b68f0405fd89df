"""Ports for services that name none, and whether a port is free."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Collection

from ...errors import ProcessError

FIRST, LAST = 20_500, 26_999
"""Below the ephemeral ports, which any client may get; no port in it is barred."""

_TRIES = 300


def free_port(taken: Collection[int]) -> int:
    """Return a port that nothing listens on.

    Args:
        taken: Ports that are promised already.

    Raises:
        ProcessError: None was found.
    """
    for _ in range(_TRIES):
        port = random.randint(FIRST, LAST)  # noqa: S311 - no secret; two runners should differ
        if port not in taken and is_free(port):
            return port
    raise ProcessError(
        f"No free port was found from {FIRST} to {LAST}.", suggestion="Name the service's port."
    )


def is_free(port: int) -> bool:
    """Say whether a service could listen on a port of this machine, on all its addresses.

    Args:
        port: 1–65535.
    """
    places = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, ""))
    return all(_can_bind(family, host, port) for family, host in places)


def _can_bind(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((host, port))
    except OSError as error:
        return error.errno != errno.EADDRINUSE  # no IPv6, no rights: the service will say so
    return True
