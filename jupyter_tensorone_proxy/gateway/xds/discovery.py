"""The delta ADS server: hands a snapshot to Envoy, and says what Envoy thought of it.

One Envoy is connected at a time. `apply` returns when Envoy has acknowledged every changed
resource (Envoy's xDS protocol, "Incremental xDS"; traps are named where they are avoided).

This module knows nothing of what the resources mean, except the order in which they must travel.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import grpc

from .descriptors import Message
from .messages import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SECRET, TYPES, Resource
from .rpc import stream_handler
from .snapshot import EMPTY, Snapshot
from .stream import Key, Stream

_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_UPSTREAM = {CLUSTER, ENDPOINTS}
_DOWNSTREAM = {LISTENER, ROUTES, SECRET}


class RejectedError(Exception):
    """Envoy refused resources.

    Args:
        reasons: (resource name, Envoy's reason without the dump of the resource).
    """

    def __init__(self, reasons: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in reasons))
        self.reasons = reasons


class NotConnectedError(Exception):
    """No Envoy is connected, or it did not answer in time."""


@dataclass
class Statistics:
    """What happened on the wire, for monitoring."""

    pushes: int = 0
    resources: int = 0
    rejections: int = 0
    connections: int = 0
    reconciles: int = 0


@dataclass
class _Waiting:
    """Resources whose acknowledgement somebody waits for."""

    keys: set[Key]
    reasons: list[tuple[str, str]] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, keys: Iterable[Key], reason: str | None = None) -> None:
        settled = self.keys & set(keys)
        self.keys -= settled
        if reason is not None:
            self.reasons += [(name, reason) for _, name in sorted(settled)]
        self.wait_only_for(self.keys)

    def wait_only_for(self, keys: set[Key]) -> None:
        self.keys &= keys
        if not self.keys:
            self.done.set()


class DiscoveryServer:
    """Serves one Envoy over a unix socket.

    Args:
        snapshot: What to serve at first. It must be complete before `start`: an Envoy that outlived
            a crash of ours takes what is missing for removed.
    """

    def __init__(self, snapshot: Snapshot = EMPTY) -> None:
        self.statistics = Statistics()
        self.refusals: dict[Key, str] = {}
        """What Envoy refuses now, and why."""
        self._visible: dict[str, dict[str, Resource]] = {t: dict(snapshot.of(t)) for t in TYPES}
        self._stream: Stream | None = None
        self._connected = asyncio.Event()
        self._waiting: _Waiting | None = None
        self._server: grpc.aio.Server | None = None

    @property
    def connected(self) -> bool:
        """Whether an Envoy is connected now."""
        return self._stream is not None

    async def start(self, socket_path: str) -> None:
        """Listen on a unix socket."""
        self._server = grpc.aio.server()
        handler = stream_handler(_SERVICE, "DeltaAggregatedResources", self._serve)
        self._server.add_generic_rpc_handlers((handler,))
        self._server.add_insecure_port(f"unix:{socket_path}")
        await self._server.start()

    async def stop(self) -> None:
        """Close the connection and the socket."""
        if self._stream is not None:
            self._stream.outgoing.put_nowait(None)
        if self._server is not None:
            await self._server.stop(grace=1)

    async def apply(self, snapshot: Snapshot, *, timeout_seconds: float = 10.0) -> None:
        """Make Envoy's configuration this snapshot.

        Clusters come before what routes to them, and go after it. Only one call at a time.

        Args:
            snapshot: The whole configuration wanted.
            timeout_seconds: How long Envoy may take, connecting included.

        Raises:
            RejectedError: Envoy refused some of it; the rest is in force, so apply the last one.
            NotConnectedError: No Envoy, or no answer in time; it takes all of it when it is back.
        """
        try:
            await asyncio.wait_for(self._apply(snapshot), timeout_seconds)
        except asyncio.TimeoutError:
            self._waiting = None
            self._show(snapshot, snapshot.changes_from(Snapshot(self._visible)))
            raise NotConnectedError(
                "Envoy did not answer in time" if self.connected else "Envoy is not connected"
            ) from None

    async def synchronize(self, *, timeout_seconds: float) -> None:
        """Wait until a connecting Envoy has everything that is visible now.

        Raises:
            RejectedError, NotConnectedError: As for `apply`.
        """
        keys = {(t, name) for t, by_name in self._visible.items() for name in by_name}
        self._waiting = _Waiting(keys)
        self._waiting.settle(())  # there may be nothing to wait for
        try:
            await asyncio.wait_for(self._connected.wait(), timeout_seconds)
            await asyncio.wait_for(self._settled(self._waiting), timeout_seconds)
        except asyncio.TimeoutError:
            self._waiting = None
            raise NotConnectedError("Envoy did not connect in time") from None

    async def retry(self, *, timeout_seconds: float = 5.0) -> None:
        """Offer Envoy again what it refused: the reason may be gone, such as a port in use.

        Raises:
            RejectedError, NotConnectedError: As for `apply`.
        """
        keys = set(self.refusals)
        if not keys:
            return
        self.statistics.reconciles += 1
        try:
            await asyncio.wait_for(self._push(keys), timeout_seconds)
        except asyncio.TimeoutError:
            self._waiting = None
            raise NotConnectedError("Envoy did not answer in time") from None

    async def _settled(self, waiting: _Waiting) -> None:
        await waiting.done.wait()
        self._waiting = None
        if waiting.reasons:
            raise RejectedError(waiting.reasons)

    async def _apply(self, snapshot: Snapshot) -> None:
        changed = snapshot.changes_from(Snapshot(self._visible))
        gone = {key for key in changed if key[1] not in snapshot.of(key[0])}
        await self._publish(snapshot, {k for k in changed - gone if k[0] in _UPSTREAM})
        await self._publish(snapshot, {k for k in changed if k[0] in _DOWNSTREAM})
        await self._publish(snapshot, {k for k in gone if k[0] in _UPSTREAM})

    async def _publish(self, snapshot: Snapshot, keys: set[Key]) -> None:
        if not keys:
            return
        self._show(snapshot, keys, push=False)
        # Endpoints and routes go with the cluster or listener that asked for them.
        keys = {k for k in keys if k[1] in snapshot.of(k[0]) or k[0] in {CLUSTER, LISTENER}}
        if keys:
            await self._push(keys)

    def _show(self, snapshot: Snapshot, keys: set[Key], *, push: bool = True) -> None:
        """Make these resources what an Envoy gets to see, now or when it connects."""
        for type_url, name in keys:
            resource = snapshot.of(type_url).get(name)
            if resource is None:
                self._visible[type_url].pop(name, None)
                self.refusals.pop((type_url, name), None)
            else:
                self._visible[type_url][name] = resource
        if push and self._stream is not None:
            self._stream.push(keys)

    async def _push(self, keys: set[Key]) -> None:
        self._waiting = _Waiting(set(keys))
        await self._connected.wait()
        if self._stream is not None:
            self._stream.push(keys)
        await self._settled(self._waiting)

    def settle(self, keys: Iterable[Key], reason: str | None = None) -> None:
        """Note that Envoy has taken (or, with a reason, refused) resources."""
        settled = set(keys)
        for key in settled:
            if reason is None:
                self.refusals.pop(key, None)
            else:
                self.statistics.rejections += 1
                self.refusals[key] = reason
        if self._waiting is None:
            return
        self._waiting.settle(settled, reason)
        if reason is not None and self._stream is not None:
            # Envoy does not ask for what hangs on a refused resource.
            self._waiting.wait_only_for(self._stream.in_flight())

    async def _serve(
        self,
        requests: AsyncIterator[Message],
        context: grpc.aio.ServicerContext,  # noqa: ARG002 - gRPC's signature
    ) -> AsyncIterator[Message]:
        """Serve one connection of Envoy (gRPC calls this)."""
        stream = Stream(self._visible, self.settle)
        self._stream = stream
        self.statistics.connections += 1
        self._connected.set()
        reader = asyncio.create_task(stream.read(requests))
        try:
            while (response := await stream.outgoing.get()) is not None:
                self.statistics.pushes += 1
                self.statistics.resources += len(response.resources)
                yield response
        finally:
            reader.cancel()
            if self._stream is stream:
                self._stream = None
                self._connected.clear()
