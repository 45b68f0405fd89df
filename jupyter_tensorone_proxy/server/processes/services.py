"""The services that one Jupyter server runs: from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import AsyncIterator, Collection
from typing import Any

from tornado.httpserver import HTTPServer

from ...client import AsyncProxyClient
from ...commands.binding import listens
from ...errors import PortNotFoundError, ProxyError
from ...stacks.processes.environment import own_environment, service_environment
from ...stacks.processes.finding import SOCKET_VARIABLE
from ...stacks.processes.folder import SOCKET, folder_of, make_folder
from ...stacks.processes.group import OnChange
from ...stacks.processes.local import LocalRunner
from ...stacks.processes.spec import ProcessSpec, is_run
from ...stacks.processes.states import GroupState
from ..connection import Connection
from .door import open_door
from .events import ProcessEvents

_log = logging.getLogger(__name__)
_FAREWELL_SECONDS = 5.0


class ServerRunner(LocalRunner):
    """Runs services without what is secret of this server in their environment.

    Args:
        connection: Leads to the API.
        secrets: Values that no service may know.
        on_change: Told whenever a process is in another state.
    """

    ends_here = False

    def __init__(
        self, connection: Connection, secrets: Collection[str], on_change: OnChange
    ) -> None:
        super().__init__(folder_of(os.getpid()), self._lend, on_change=on_change)
        self._connection, self._secrets = connection, secrets

    async def start(self, spec: ProcessSpec) -> GroupState:
        """Start what is not running of it; return when all of it is ready."""
        base = spec.inherited or own_environment()
        clean = service_environment(base, secrets=self._secrets)
        return await super().start(spec.model_copy(update={"inherited": clean}))

    @contextlib.asynccontextmanager
    async def _lend(self) -> AsyncIterator[AsyncProxyClient]:
        yield await self._connection.client()


class Services:
    """The services of one Jupyter server.

    Args:
        connection: Leads to the API.
        secrets: Values that no service may know: Jupyter's token, the API key.
        event_logger: The Jupyter server's.
    """

    def __init__(self, connection: Connection, secrets: Collection[str], event_logger: Any) -> None:
        self._connection = connection
        self.runner = ServerRunner(connection, secrets, ProcessEvents(event_logger).tell)
        self._socket = folder_of(os.getpid()) / SOCKET
        self._door: HTTPServer | None = None
        self._tidying: asyncio.Task[None] | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The variable that leads kernels here; none while nobody answers."""
        return {SOCKET_VARIABLE: str(self._socket)} if self._door is not None else {}

    def start(self) -> None:
        """Open the door for kernels, and clear away what a server that crashed has left."""
        try:
            make_folder()
            self._door = open_door(self.runner, self._socket)
        except OSError as error:
            _log.warning("Kernels run services by themselves: %s", error)
        self._tidying = asyncio.create_task(self._tidy())

    async def close(self) -> None:
        """Stop everything; what `run` exposed is no longer exposed, a stack's mappings stay."""
        if self._tidying is None:
            return  # it was never started
        self._tidying.cancel()
        if self._door is not None:
            self._door.stop()
        groups = await self.runner.list_groups()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._unexpose(groups), _FAREWELL_SECONDS)
        await self.runner.close()
        if self._door is not None:
            await self._door.close_all_connections()
        self._door = self._tidying = None
        shutil.rmtree(self._socket.parent, ignore_errors=True)

    async def _unexpose(self, groups: Collection[GroupState]) -> None:
        ports = {port for group in groups if is_run(group.stack) for port in group.ports}
        if not ports:
            return
        try:
            client = await self._connection.client()
            for mapping in await client.list_ports():
                if mapping.internal_port in ports:
                    with contextlib.suppress(PortNotFoundError):
                        await client.delete_port(mapping.id)
        except ProxyError as error:
            _log.warning("What was run is still exposed, and leads nowhere. %s", error)

    async def _tidy(self) -> None:
        """Stop exposing what `run` exposed for a server that is gone, with its process."""
        try:
            await self._connection.reached_by_others()
            client = await self._connection.client()
            for mapping in await client.list_ports():
                if not is_run(mapping.stack or "") or mapping.internal_port is None:
                    continue
                if not await asyncio.to_thread(listens, mapping.internal_port):
                    with contextlib.suppress(PortNotFoundError):
                        await client.delete_port(mapping.id)
                    _log.info("Port %s ended with its Jupyter server", mapping.internal_port)
        except ProxyError as error:
            _log.info("What an earlier server left is not cleared away: %s", error)
