"""Processes of this very Python process, where no Jupyter server looks after them.

They run beside whatever this process does, with an event loop of their own, and end with it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import shutil
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent import futures
from typing import Any, TypeVar

from ...client import AsyncProxyClient
from ...settings import Settings
from .folder import make_folder
from .local import LocalRunner
from .runner import Action, Runner
from .spec import ProcessSpec
from .states import GroupState, LogPart

T = TypeVar("T")
_CLOSE_SECONDS = 30.0


class HostRunner(Runner):
    """Hands everything on to a `LocalRunner` in a thread of its own."""

    ends_here = True

    def __init__(self) -> None:
        self.settings: Settings | None = None
        """Where the services are exposed: as whoever used it last."""

        self._folder = make_folder()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="tensorone-services", daemon=True)
        self._thread.start()
        self._runner = LocalRunner(self._folder, self._client)
        atexit.register(self.close)

    async def place(self, spec: ProcessSpec) -> list[int]:
        """Return where its replicas listen."""
        return await self._there(self._runner.place(spec))

    async def start(self, spec: ProcessSpec) -> GroupState:
        """Start what is not running of it."""
        return await self._there(self._runner.start(spec))

    async def settle(self, spec: ProcessSpec) -> None:
        """Stop replicas that are too many."""
        await self._there(self._runner.settle(spec))

    async def act(self, service_id: str, action: Action) -> GroupState:
        """Start, stop, restart or remove a service."""
        return await self._there(self._runner.act(service_id, action))

    async def list_groups(self, stack: str | None = None) -> list[GroupState]:
        """Return the services that are known."""
        return await self._there(self._runner.list_groups(stack))

    async def log(self, service_id: str, *, lines: int, replica: int, after: str = "") -> LogPart:
        """Return what a service printed."""
        asked = self._runner.log(service_id, lines=lines, replica=replica, after=after)
        return await self._there(asked)

    def close(self) -> None:
        """Stop everything, and wait for it."""
        atexit.unregister(self.close)
        stopping = asyncio.run_coroutine_threadsafe(self._runner.close(), self._loop)
        with contextlib.suppress(futures.TimeoutError):  # their guardians see to it that they end
            stopping.result(_CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _there(self, asked: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asked, self._loop))

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncProxyClient]:
        client = AsyncProxyClient(settings=self.settings) if self.settings else AsyncProxyClient()
        async with client:
            yield client


class _Host:
    """The one runner of this process, made when it is first needed."""

    def __init__(self) -> None:
        self._runner: HostRunner | None = None
        self._making = threading.Lock()

    @property
    def runner(self) -> HostRunner | None:
        """The runner, if there is one."""
        return self._runner

    def make(self, settings: Settings) -> HostRunner:
        """Return the runner.

        Args:
            settings: Where its services are exposed.
        """
        with self._making:
            if self._runner is None:
                self._runner = HostRunner()
        self._runner.settings = settings
        return self._runner

    def close(self) -> None:
        """Stop everything that runs here, if anything does."""
        with self._making:
            runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()


host = _Host()
"""This process's own runner: there is one process, so there is one of it."""
