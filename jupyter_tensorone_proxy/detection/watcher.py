"""The watcher: looks again and again, and tells which ports came and which went.

It costs nothing while there is neither a kernel nor a terminal. Never offered are the ports of
kernels themselves, of debuggers, of the workers of Dask, Ray and NCCL, of Jupyter and the gateway,
and those of the ephemeral range that do not answer HTTP.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from ..services import Catalogue, Service
from ..sockets import only_address
from .fingerprint import Page, ask
from .processes import Endpoint, Found, Process, Root, Scanner, best_scanner

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 0.25
_ASKED_AGAIN_SECONDS = (0.3, 1.0, 3.0)
"""A server listens before it answers: a port without HTTP is asked some more times."""

_RENDEZVOUS_PORTS = frozenset({12355, 29400, 29500, 29501})
"""Where `torch.distributed` workers meet; never a page."""

_MOST_OF_ONE_PROCESS = 20
_FLAPPING_TIMES, _FLAPPING_SECONDS = 3, 60.0


@dataclass(frozen=True)
class DetectedPort:
    """A port that something started from a kernel or terminal listens on.

    Args:
        port: 1–65535.
        host: The address it listens on.
        process: The process.
        root: The kernel or terminal that it comes from.
        service: What it is, if it was recognised.
        title: What its page calls itself.
        answers_http: Whether it does; None before it was asked.
        since: When it was found, in seconds since 1970.
    """

    port: int
    host: str
    process: Process
    root: Root
    service: Service | None = None
    title: str = ""
    answers_http: bool | None = None
    since: float = 0.0

    @property
    def can_be_exposed(self) -> bool:
        """Whether the gateway reaches it, which connects to loopback addresses alone."""
        return ipaddress.ip_address(_reachable(self.host)).is_loopback

    @property
    def address(self) -> str | None:
        """The loopback address to ask it at; None for the usual ones, which need not be said."""
        return only_address({self.host})

    @property
    def name(self) -> str:
        """What people would call it."""
        return self.service.name if self.service else self.title or self.process.name


@dataclass(frozen=True)
class Surroundings:
    """What the watcher asks at each look; all must be quick.

    Args:
        roots: Returns the kernels and terminals there are.
        barred: Returns ports that are never offered: of kernels, Jupyter, the gateway.
    """

    roots: Callable[[], tuple[Root, ...]]
    barred: Callable[[], Collection[int]]


Tell = Callable[[DetectedPort], Awaitable[None]]


@dataclass
class Watcher:
    """Watches for ports.

    Args:
        surroundings: What is there to look at.
        catalogue: How services are recognised.
        on_found: Told of each port that came, once it is known what it is.
        on_gone: Told of each port that went.
        scanner: Finds endpoints.
    """

    surroundings: Surroundings
    catalogue: Catalogue
    on_found: Tell
    on_gone: Tell
    scanner: Scanner = field(default_factory=best_scanner)
    _ports: dict[Endpoint, DetectedPort] = field(default_factory=dict)
    _asking: dict[Endpoint, asyncio.Task[None]] = field(default_factory=dict)
    _history: dict[int, deque[float]] = field(default_factory=dict)

    @property
    def ports(self) -> list[DetectedPort]:
        """What was found and is still there, by port."""
        offered = [p for p in self._ports.values() if p.answers_http is not None]
        return sorted(offered, key=lambda p: p.port)

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                roots = self.surroundings.roots()
                if not roots and not self._ports:
                    await asyncio.sleep(_IDLE_SECONDS)
                    continue
                await self.look(roots)
                await asyncio.sleep(self.scanner.period_seconds)
        finally:
            for task in self._asking.values():
                task.cancel()
            await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def look(self, roots: tuple[Root, ...]) -> None:
        """Look once."""
        found = self._worth_asking(self.scanner.scan(roots))
        for endpoint in self._ports.keys() - found.keys():
            await self._forget(endpoint)
        for endpoint in found.keys() - self._ports.keys():
            process, root = found[endpoint]
            service = self.catalogue.by_command(process.words)
            if service is not None and service.internal:
                continue
            self._ports[endpoint] = DetectedPort(
                endpoint.port, endpoint.host, process, root, service, since=time.time()
            )
            self._asking[endpoint] = asyncio.create_task(self._identify(endpoint))

    def _worth_asking(self, found: Found) -> Found:
        """Leave out what is never offered; of one process and one port only a part."""
        barred = {*self.surroundings.barred(), *_RENDEZVOUS_PORTS}
        kept: dict[Endpoint, tuple[Process, Root]] = {}
        taken: dict[int, set[int]] = {}
        for endpoint, owner in sorted(found.items(), key=lambda item: _preferred(item[0])):
            of_process = taken.setdefault(owner[0].pid, set())
            if endpoint.port in barred or endpoint.port in of_process:
                continue
            if len(of_process) >= _MOST_OF_ONE_PROCESS:
                continue
            of_process.add(endpoint.port)
            kept[endpoint] = owner
        return kept

    async def _identify(self, endpoint: Endpoint) -> None:
        """Ask a new port what it is, and tell of it if it is worth telling."""
        try:
            page = await ask(_reachable(endpoint.host), endpoint.port)
            known = self._ports[endpoint].service is not None
            for pause in _ASKED_AGAIN_SECONDS:
                if page is not None or known:
                    break
                await asyncio.sleep(pause)
                page = await ask(_reachable(endpoint.host), endpoint.port)
            if page is None and not known and _is_ephemeral(endpoint.port):
                return
            port = self._ports[endpoint] = _described(self._ports[endpoint], page, self.catalogue)
        except KeyError:  # gone while it was asked
            return
        finally:
            self._asking.pop(endpoint, None)
        if not self._flaps(endpoint.port):
            await self.on_found(port)

    async def _forget(self, endpoint: Endpoint) -> None:
        port = self._ports.pop(endpoint)
        if task := self._asking.pop(endpoint, None):
            task.cancel()
        elif port.answers_http is not None:
            await self.on_gone(port)

    def _flaps(self, port: int) -> bool:
        """Say whether a port comes and goes too often to be told of each time."""
        current = time.monotonic()
        times = self._history.setdefault(port, deque(maxlen=_FLAPPING_TIMES))
        flaps = len(times) == _FLAPPING_TIMES and current - times[0] < _FLAPPING_SECONDS
        if not flaps:
            times.append(current)
        return flaps


def _described(port: DetectedPort, page: Page | None, catalogue: Catalogue) -> DetectedPort:
    service, title = port.service, ""
    if page is not None:
        title = page.title
        service = service or catalogue.by_page(page.headers, title)
    return DetectedPort(
        port.port, port.host, port.process, port.root, service, title, page is not None, port.since
    )


def _preferred(endpoint: Endpoint) -> tuple[int, bool, str]:
    return (endpoint.port, ":" in endpoint.host, endpoint.host)


def _reachable(host: str) -> str:
    """Return where to connect to for a socket that listens on an address."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        return "::1" if address.version == 6 else "127.0.0.1"  # noqa: PLR2004 - IPv6
    return host


def _is_ephemeral(port: int) -> bool:
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        first, last = int(text[0]), int(text[1])
    except (OSError, ValueError, IndexError):
        first, last = 49_152, 65_535  # RFC 6335, section 6
    return first <= port <= last
