"""Mappings go with their kernels: a loop that makes what is exposed and what runs agree.

It looks when the set of kernels changes, and every half minute, so that a missed event, a crash of
anything or an API that was away is healed. A kernel of this server is gone when the server no
longer lists it; one of another server, or of a server that crashed, when no process runs for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from ..client import AsyncProxyClient
from ..errors import PortNotFoundError, ProxyError
from ..kernels import files_named, kernel_id_of

_log = logging.getLogger(__name__)
_PERIOD_SECONDS = 0.25
_SWEEP_SECONDS = 30.0
_AGAIN_SECONDS = 2.0


@dataclass
class Lifecycle:
    """Unexposes what belongs to kernels that are gone.

    Args:
        client: Returns the API's client.
        kernel_ids: Returns the ids of this server's kernels, and of those outside that it sees.
        retry: Does what else had to wait for the API; says whether nothing is left.
    """

    client: Callable[[], Awaitable[AsyncProxyClient]]
    kernel_ids: Callable[[], Collection[str]]
    retry: Callable[[], Awaitable[bool]]
    _ours: set[str] = field(default_factory=set)
    """Every kernel that this server ever listed."""

    async def run(self) -> None:
        """Look until cancelled."""
        loop = asyncio.get_running_loop()
        due, healthy, seen = loop.time(), True, set[str]()
        while True:
            current = set(self.kernel_ids())
            self._ours |= current
            if loop.time() >= due or (healthy and not seen <= current):
                healthy = await self._sweep(current)
                due = loop.time() + (_SWEEP_SECONDS if healthy else _AGAIN_SECONDS)
                seen = set() if healthy else seen
            seen |= current
            await asyncio.sleep(_PERIOD_SECONDS)

    async def _sweep(self, current: set[str]) -> bool:
        """Make both agree; say whether that worked."""
        try:
            client = await self.client()
            bound = [m for m in await client.list_ports() if m.kernel_id]
            strange = {str(m.kernel_id) for m in bound} - self._ours
            alive = current | (running_kernels() & strange if strange else set())
            for mapping in bound:
                if mapping.kernel_id in alive:
                    continue
                try:
                    await client.delete_port(mapping.id)
                except PortNotFoundError:
                    continue  # somebody else did
                _log.info("Port %s went with its kernel", mapping.internal_port)
            return await self.retry()
        except ProxyError as error:
            _log.info("What is exposed is compared with the kernels later: %s", error)
            return False


def running_kernels() -> set[str]:
    """Return the ids of the kernels of this user that run, whoever started them (Linux).

    A kernel is given its connection file, which has its id in its name.
    """
    found = set()
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are all that is needed
        if not name.isdigit():
            continue
        try:
            words = Path("/proc", name, "cmdline").read_bytes()
        except OSError:  # gone
            continue
        files = files_named(words.decode(errors="replace").split("\0"))
        found |= {kernel_id for file in files if (kernel_id := kernel_id_of(file))}
    return found
