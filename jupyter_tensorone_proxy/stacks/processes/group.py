"""The processes of one service: as many as are wanted, replaced and drained one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from ...errors import NotFoundError, ProcessError, ProxyError
from .balancing import OpenClient, idle, lead_to
from .output import OutputLog
from .replica import Replica
from .scaling import Calm, Meter, Pace, wanted
from .spec import ProcessSpec
from .states import GroupState, LogPart, ReplicaState

OnChange = Callable[[GroupState, ReplicaState], None]
"""Told of a service, and of that process of it which is in another state."""

_log = logging.getLogger(__name__)


class Group:
    """One service with its processes.

    Args:
        spec: The service.
        directory: Where its output goes.
        open_client: Lends a client of the proxy where it is exposed.
        new_port: Returns a free port.
        pace: How fast replicas come and go.
        on_change: Told whenever one of its processes is in another state.
    """

    def __init__(  # noqa: PLR0913 - keyword-only: what a service needs
        self,
        spec: ProcessSpec,
        *,
        directory: Path,
        open_client: OpenClient,
        new_port: Callable[[], int],
        pace: Pace,
        on_change: OnChange,
    ) -> None:
        self.spec = spec
        self.open_client = open_client
        self._directory, self._new_port, self._pace = directory, new_port, pace
        self._on_change = on_change
        self._replicas: list[Replica] = []
        self._changing = asyncio.Lock()
        self._scaling: asyncio.Task[None] | None = None

    @property
    def ports(self) -> list[int]:
        """Where its replicas listen, its own port first."""
        return [replica.port for replica in self._replicas]

    def state(self) -> GroupState:
        """Return how it does."""
        return GroupState(
            id=self.spec.id,
            stack=self.spec.stack,
            name=self.spec.name,
            command=self.spec.command,
            replicas=[replica.state() for replica in self._replicas],
        )

    async def start(self, spec: ProcessSpec, ports: Sequence[int]) -> None:
        """Have a replica run on each of some ports.

        Args:
            spec: The service, as it is wanted now.
            ports: Where; more may run already, until `settle`.

        Raises:
            ProcessError: One does not; those that were running go on.
        """
        async with self._changing:
            known = {replica.port: replica for replica in self._replicas}
            self.spec = spec
            others = [r for r in self._replicas if r.port not in ports]
            kept = [known.get(port) or self._new_replica(port) for port in ports]
            self._replicas = [*kept, *others]
            old = [r for r in kept if r.is_running and r.spec.identity != spec.identity]
            new = [replica for replica in kept if replica not in old]
            for replica in new:
                replica.spec = spec
            await _all(replica.start() for replica in new)
            for replica in old:
                await self._replace(replica, spec)
        self._scale()

    async def settle(self, ports: Sequence[int]) -> None:
        """Stop the replicas elsewhere: nothing is led to them any more.

        Args:
            ports: Where replicas stay.
        """
        async with self._changing:
            for replica in [r for r in self._replicas if r.port not in ports]:
                await self._retire(replica)

    async def halt(self) -> None:
        """Stop what runs or is just starting; whoever waits for that is told that it ended."""
        await self._end_scaling()
        await asyncio.gather(*(replica.stop() for replica in self._replicas))

    async def stop(self) -> None:
        """Stop all of it."""
        await self._end_scaling()
        async with self._changing:
            await asyncio.gather(*(replica.stop() for replica in self._replicas))

    async def restart(self) -> None:
        """Start it anew, one replica after the other.

        Raises:
            ProcessError: A replica did not come back; those after it go on as they were.
        """
        async with self._changing:
            for replica in list(self._replicas):
                await self._replace(replica, self.spec)
        self._scale()

    async def remove(self) -> None:
        """Stop all of it, and remove what it printed."""
        await self.stop()
        for replica in self._replicas:
            replica.log.remove()

    def log(self, number: int, lines: int, after: str) -> LogPart:
        """Return what a replica printed.

        Args:
            number: Which, from 0.
            lines: At most how many, the last ones.
            after: Only what came after this cursor.

        Raises:
            NotFoundError: There is no such replica.
        """
        for replica in self._replicas:
            if replica.number == number:
                return replica.log.tail(lines, after=after)
        raise NotFoundError(f"{self.spec.name} has no replica {number}.")

    def _new_replica(self, port: int) -> Replica:
        taken = {replica.number for replica in self._replicas}
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        log = OutputLog(self._directory / f"{self.spec.id}.{number}.log")
        replica = Replica(self.spec, number, port, log, self._tell)
        self._replicas.append(replica)
        return replica

    def _tell(self, replica: ReplicaState) -> None:
        self._on_change(self.state(), replica)

    async def _replace(self, replica: Replica, spec: ProcessSpec) -> None:
        """Start a replica anew; where there are others, they have its requests meanwhile."""
        others = [r.port for r in self._replicas if r is not replica and r.is_running]
        all_ports = self.ports
        if others and replica.is_running and await self._lead_to(others):
            await idle(replica.port, self._pace.drain_seconds)
        await replica.stop()
        replica.spec = spec
        await replica.start()
        if others:
            await self._lead_to(all_ports)

    async def _retire(self, replica: Replica) -> None:
        """Stop a replica to which nothing is led any more, when its requests are done."""
        await idle(replica.port, self._pace.drain_seconds)
        await replica.stop()
        replica.log.remove()
        self._replicas.remove(replica)

    async def _lead_to(self, ports: Sequence[int]) -> bool:
        """Have the mapping lead to these ports; say whether there is one."""
        try:
            return await lead_to(self.open_client, ports, self.ports) is not None
        except ProxyError as error:
            _log.warning("%s: its mapping could not be changed. %s", self.spec.name, error)
            return False

    # --- by load ------------------------------------------------------------------------------

    def _scale(self) -> None:
        least, most = self.spec.bounds
        if most > least and self._scaling is None:
            self._scaling = asyncio.create_task(self._follow_the_load())

    async def _end_scaling(self) -> None:
        scaling, self._scaling = self._scaling, None
        if scaling is not None:
            scaling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await scaling

    async def _follow_the_load(self) -> None:
        meter, calm = Meter(), Calm(self._pace.calm_seconds)
        while True:
            await asyncio.sleep(self._pace.look_seconds)
            (least, most), aim = self.spec.bounds, self.spec.scaling
            running = [r for r in self._replicas if r.is_running]
            pids = [replica.pid for replica in running if replica.pid is not None]
            if aim is None or most <= least or len(running) < len(self._replicas):
                continue  # one that is just coming back is not judged
            usage, has_room = await asyncio.to_thread(meter.measure, pids, most)
            current = len(running)
            number = calm.settled(wanted(current, usage, aim, (least, most)), current, monotonic())
            try:
                async with self._changing:
                    if number > current and has_room:
                        await self._grow(number - current)
                    elif number < current:
                        await self._shrink()
            except ProcessError as error:
                _log.warning("%s: no replica could be added. %s", self.spec.name, error)

    async def _grow(self, count: int) -> None:
        """Start more replicas, and lead requests to them once they are ready."""
        if not await self._lead_to(self.ports):
            return  # it is not exposed: nothing would come to them
        before = list(self._replicas)
        added = [self._new_replica(self._new_port()) for _ in range(count)]
        try:
            await _all(replica.start() for replica in added)
        finally:
            for replica in added:
                if not replica.is_running:
                    self._replicas.remove(replica)
        if len(self._replicas) > len(before) and not await self._lead_to(self.ports):
            for replica in added:
                await self._retire(replica)

    async def _shrink(self) -> None:
        """Let the last replica go: nothing new is led to it, and what it has it finishes."""
        *stay, going = self._replicas
        if await self._lead_to([replica.port for replica in stay]):
            await self._retire(going)


async def _all(starting: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all, also when one fails; then raise the first failure."""
    for failure in await asyncio.gather(*starting, return_exceptions=True):
        if isinstance(failure, BaseException):
            raise failure
