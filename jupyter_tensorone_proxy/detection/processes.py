"""Which process listens on a socket, and which kernel or terminal it comes from.

On Linux from `/proc`, elsewhere with psutil if it is installed. A process belongs to a kernel by
the tree of parents, or, when it left that (a daemon), by `TENSORONE_KERNEL_ID` in its environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..sockets import Listening, listening_sockets
from .proc import ProcessNotes, marker_of, name_of, parent_of, sockets_of, words_of

_LOOKUPS = 2
"""How often somebody is looked for who has a socket: it may just be on its way to a child."""


@dataclass(frozen=True)
class Process:
    """A running process of this user.

    Args:
        pid: Its id.
        name: Its program's name, for people.
        words: Its command line.
    """

    pid: int
    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Root:
    """What starts processes: a kernel, or a terminal.

    Args:
        kind: ``kernel`` or ``terminal``.
        id: The kernel's id, or the terminal's name.
        pid: Its own process.
    """

    kind: str
    id: str
    pid: int


@dataclass(frozen=True)
class Endpoint:
    """One listening TCP socket of a kernel's or a terminal's processes.

    Args:
        host: The address it listens on.
        port: 1–65535.
        key: Differs when another socket takes the same place.
    """

    host: str
    port: int
    key: int


Found = Mapping[Endpoint, tuple[Process, Root]]


class LinuxScanner:
    """Finds endpoints by the kernel's tables; looks at processes only when there are new sockets.

    Even then it looks only at those that come from a kernel or terminal, and at young ones.
    """

    period_seconds = 0.25

    def __init__(self) -> None:
        self._sockets: frozenset[Listening] = frozenset()
        self._roots: tuple[Root, ...] = ()
        self._notes = _origins(())
        self._owners: dict[int, tuple[Process, Root]] = {}
        self._looked_up: dict[int, int] = {}
        """How often somebody was looked for who has a socket, by inode."""
        self._found: Found = {}

    def scan(self, roots: tuple[Root, ...]) -> Found:
        """Return what listens now, and where it comes from.

        Args:
            roots: The kernels and terminals there are.
        """
        uid = os.getuid()
        sockets = frozenset(s for s in listening_sockets() if s.protocol == "tcp" and s.uid == uid)
        if roots != self._roots:
            self._roots, self._notes = roots, _origins(roots)
            self._owners, self._looked_up = {}, {}
        unknown = {s.inode for s in sockets if self._looked_up.get(s.inode, 0) < _LOOKUPS}
        unknown -= self._owners.keys()
        if unknown:
            self._owners |= _owners(unknown, self._notes)
        if unknown or sockets != self._sockets:
            self._sockets = sockets
            self._forget_closed({s.inode for s in sockets}, unknown)
        return self._found

    def _forget_closed(self, there: set[int], looked_up: set[int]) -> None:
        counts = self._looked_up
        self._looked_up = {i: counts.get(i, 0) + (i in looked_up) for i in there}
        self._owners = {inode: owner for inode, owner in self._owners.items() if inode in there}
        self._found = {
            Endpoint(s.host, s.port, s.inode): self._owners[s.inode]
            for s in self._sockets
            if s.inode in self._owners
        }


class PsutilScanner:
    """Finds endpoints with psutil, where the system has no tables to read."""

    period_seconds = 2.0

    def scan(self, roots: tuple[Root, ...]) -> Found:
        """Return what listens now, and where it comes from; see `LinuxScanner`."""
        import psutil

        found: dict[Endpoint, tuple[Process, Root]] = {}
        for root in roots:
            try:
                top = psutil.Process(root.pid)
                tree = [top, *top.children(recursive=True)]
            except psutil.Error:
                continue
            for process in tree:
                try:
                    listening = [
                        c.laddr for c in process.net_connections("tcp") if c.status == "LISTEN"
                    ]
                    told = Process(process.pid, process.name(), tuple(process.cmdline()))
                except psutil.Error:
                    continue
                for host, port in listening:
                    found.setdefault(Endpoint(host, port, 0), (told, root))
        return found


Scanner = LinuxScanner | PsutilScanner


def best_scanner() -> Scanner:
    """Return the scanner for this system."""
    return LinuxScanner() if sys.platform == "linux" else PsutilScanner()


def _origins(roots: tuple[Root, ...]) -> ProcessNotes[tuple[int, Root] | None]:
    """Return notes that know of each process the nearest root above it, and how far that is."""
    by_pid = {root.pid: root for root in roots}
    by_kernel = {root.id: root for root in roots if root.kind == "kernel"}

    def find(pid: int) -> tuple[int, Root] | None:
        distance, seen, at = 0, set[int](), pid
        while at not in by_pid:
            seen.add(at)
            at = parent_of(at)
            distance += 1
            if at == 0 or at in seen:
                marked = by_kernel.get(marker_of(pid))
                return (distance, marked) if marked else None
        return distance, by_pid[at]

    return ProcessNotes(find)


def _owners(
    inodes: Collection[int], notes: ProcessNotes[tuple[int, Root] | None]
) -> dict[int, tuple[Process, Root]]:
    """Return for each socket the process that has it, and where that comes from.

    Of several processes that share a socket (a server and its workers) it is the one nearest to
    the root.
    """
    found: dict[int, tuple[int, Process, Root]] = {}
    for pid, origin in notes.all():
        if origin is None:
            continue
        distance, root = origin
        held, name = sockets_of(pid, inodes), name_of(pid)
        if not held or name is None:
            continue
        process = Process(pid, name, words_of(pid))
        for inode in held:
            if inode not in found or distance < found[inode][0]:
                found[inode] = (distance, process, root)
    return {inode: (process, root) for inode, (_, process, root) in found.items()}
