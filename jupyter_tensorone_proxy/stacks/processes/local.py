"""`LocalRunner`: processes that belong to this process, whose event loop looks after them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ...errors import NotFoundError, ProcessError
from .balancing import OpenClient
from .free_ports import free_port
from .group import Group, OnChange
from .runner import Action, Runner
from .scaling import Pace
from .spec import ProcessSpec
from .states import GroupState, LogPart


class LocalRunner(Runner):
    """Runs services as long as this process lives.

    Args:
        directory: Where their output goes; made with mode 0700.
        open_client: Lends a client of the proxy, which leads to the replicas of a service.
        pace: How fast replicas come and go.
        on_change: Told whenever a process is in another state.
    """

    ends_here = True

    def __init__(
        self,
        directory: Path,
        open_client: OpenClient,
        pace: Pace | None = None,
        on_change: OnChange | None = None,
    ) -> None:
        self._directory = directory
        self._open_client = open_client
        self._pace = pace or Pace()
        self._on_change = on_change or (lambda *_: None)
        self._groups: dict[str, Group] = {}
        self._promised: dict[str, list[int]] = {}
        self._busy: dict[str, asyncio.Lock] = {}

    async def place(self, spec: ProcessSpec) -> list[int]:
        """Return where its replicas listen; ports that are promised stay so until it starts."""
        group = self._groups.get(spec.id)
        have = group.ports if group is not None else []
        promised = self._promised.get(spec.id, [])
        ports = promised if promised[: len(have)] == have else have
        if spec.port is not None and ports[:1] != [spec.port]:
            ports, have = [spec.port], []
        if spec.ports:
            ports = [*ports[:1], *spec.ports]
        least, most = spec.bounds
        follows_load = most > least and bool(have)
        count = max(least, min(len(have) if follows_load else spec.replicas, most))
        ports = ports[:count]
        while len(ports) < count:
            ports = [*ports, free_port({*ports, *self._taken()})]
        self._promised[spec.id] = ports
        return ports

    async def start(self, spec: ProcessSpec) -> GroupState:
        """Start what is not running of it; return when all of it is ready."""
        async with self._lock(spec.id):
            ports = await self.place(spec)
            group = self._groups.get(spec.id)
            if group is None:
                self._make_directory(spec.name)
                group = Group(
                    spec,
                    directory=self._directory,
                    open_client=self._open_client,
                    new_port=self._new_port,
                    pace=self._pace,
                    on_change=self._on_change,
                )
                self._groups[spec.id] = group
            await group.start(spec, ports)
            return group.state()

    async def settle(self, spec: ProcessSpec) -> None:
        """Stop replicas that are too many."""
        async with self._lock(spec.id):
            if (group := self._groups.get(spec.id)) is not None:
                await group.settle(await self.place(spec))

    async def act(self, service_id: str, action: Action) -> GroupState:
        """Start, stop or restart a service that is known, or stop and forget it."""
        if action in {"stop", "remove"}:
            await self._group(service_id).halt()  # also what is just starting
        async with self._lock(service_id):
            group = self._group(service_id)
            if action == "start":
                await group.start(group.spec, group.ports)
            elif action == "restart":
                await group.restart()
            elif action == "stop":
                await group.stop()
            else:
                await group.remove()
                self._groups.pop(service_id, None)
                self._promised.pop(service_id, None)
            return group.state()

    async def list_groups(self, stack: str | None = None) -> list[GroupState]:
        """Return the services that are known, by stack and name."""
        states = [group.state() for group in self._groups.values()]
        chosen = [state for state in states if stack in {None, state.stack}]
        return sorted(chosen, key=lambda state: (state.stack, state.name))

    async def log(self, service_id: str, *, lines: int, replica: int, after: str = "") -> LogPart:
        """Return what a service printed."""
        group = self._group(service_id)
        return await asyncio.to_thread(group.log, replica, lines, after)

    async def close(self) -> None:
        """Stop everything, all at once."""
        await asyncio.gather(*(group.stop() for group in self._groups.values()))

    def _make_directory(self, name: str) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ProcessError(
                f"{name} cannot be started. Its output cannot be kept in {self._directory}: "
                f"{error.strerror}.",
                suggestion="Set JUPYTER_RUNTIME_DIR to a folder of yours.",
            ) from None

    def _group(self, service_id: str) -> Group:
        if service_id not in self._groups:
            raise NotFoundError("No such service is run here.")
        return self._groups[service_id]

    def _lock(self, service_id: str) -> asyncio.Lock:
        return self._busy.setdefault(service_id, asyncio.Lock())

    def _taken(self) -> set[int]:
        running = (port for group in self._groups.values() for port in group.ports)
        promised = (port for ports in self._promised.values() for port in ports)
        return {*running, *promised}

    def _new_port(self) -> int:
        return free_port(self._taken())
