"""Which process listens on a socket, and which kernel or terminal it comes from.

On Linux from `/proc`, elsewhere with psutil if it is installed. A process belongs to a kernel by
the tree of parents, or, when it left that (a daemon), by `TENSORONE_KERNEL_ID` in its environment.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...kernels import MARKER
from ...sockets import Listening, listening_sockets

_PROC = Path("/proc")


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
    """Finds endpoints by the kernel's tables; looks at processes only when those have changed."""

    period_seconds = 0.25

    def __init__(self) -> None:
        self._seen: tuple[frozenset[Listening], tuple[Root, ...]] = (frozenset(), ())
        self._found: Found = {}

    def scan(self, roots: tuple[Root, ...]) -> Found:
        """Return what listens now, and where it comes from.

        Args:
            roots: The kernels and terminals there are.
        """
        uid = os.getuid()
        sockets = frozenset(s for s in listening_sockets() if s.protocol == "tcp" and s.uid == uid)
        if (sockets, roots) != self._seen:
            found = _owners({socket.inode for socket in sockets}, roots)
            self._found = {
                Endpoint(s.host, s.port, s.inode): found[s.inode]
                for s in sockets
                if s.inode in found
            }
            self._seen = (sockets, roots)
        return self._found


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


def _owners(inodes: Collection[int], roots: Iterable[Root]) -> dict[int, tuple[Process, Root]]:
    """Return for each socket the process that has it, and where that comes from.

    Of several processes that share a socket (a server and its workers) it is the one nearest to
    the root.
    """
    parents = _parents()
    by_pid = {root.pid: root for root in roots}
    by_kernel = {root.id: root for root in by_pid.values() if root.kind == "kernel"}
    found: dict[int, tuple[int, Process, Root]] = {}
    for pid in parents:
        held = _held(pid, inodes)
        distance, root = _root_of(pid, parents, by_pid) if held else (0, None)
        root = root or (by_kernel.get(marker_of(pid)) if held else None)
        process = process_of(pid) if root else None
        if root is None or process is None:
            continue
        for inode in held:
            if inode not in found or distance < found[inode][0]:
                found[inode] = (distance, process, root)
    return {inode: (process, root) for inode, (_, process, root) in found.items()}


def process_of(pid: int) -> Process | None:
    """Return a process; None if it is gone or another user's."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        name = (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return None
    return Process(pid, name, tuple(word for word in words if word))


def marker_of(pid: int) -> str:
    """Return the id of the kernel whose environment a process inherited; empty if none's."""
    try:
        variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    prefix = f"{MARKER}=".encode()
    value = next((v.removeprefix(prefix) for v in variables if v.startswith(prefix)), b"")
    return value.decode(errors="replace")


def _root_of(
    pid: int, parents: Mapping[int, int], roots: Mapping[int, Root]
) -> tuple[int, Root | None]:
    """Return the nearest root above a process, and how far it is."""
    distance, seen = 0, set()
    while pid not in roots:
        seen.add(pid)
        pid = parents.get(pid, 0)
        distance += 1
        if pid == 0 or pid in seen:
            return distance, None
    return distance, roots[pid]


def _held(pid: int, inodes: Collection[int]) -> set[int]:
    try:
        with os.scandir(_PROC / str(pid) / "fd") as entries:
            targets = [_target(entry.path) for entry in entries]
    except OSError:  # gone, or another user's
        return set()
    return {int(t[8:-1]) for t in targets if t.startswith("socket:[")} & set(inodes)


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - thousands of them
    except OSError:  # closed meanwhile
        return ""


def pids() -> list[int]:
    """Return the ids of all processes (Linux)."""
    with os.scandir(_PROC) as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


def _parents() -> dict[int, int]:
    """Return every process's parent."""
    parents: dict[int, int] = defaultdict(int)
    for pid in pids():
        try:
            stat = (_PROC / str(pid) / "stat").read_text()
        except OSError:
            continue
        parents[pid] = int(stat.rpartition(")")[2].split()[1])
    return parents
