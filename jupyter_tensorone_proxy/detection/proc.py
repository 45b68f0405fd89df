"""Reading `/proc` (Linux), and remembering what was read for as long as it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from ..kernels import MARKER

T = TypeVar("T")

PROC = Path("/proc")
_SETTLED_SECONDS = 2.0
"""So long after it was first seen, a process has become what it was started to be (`exec`)."""


class _Note(NamedTuple, Generic[T]):
    """What was found out about a process, and since when it is known."""

    born: int
    seen_at: float
    text: T


class ProcessNotes(Generic[T]):
    """Finds something out about each process of this user, and asks again only about young ones.

    On a busy machine sockets come and go all the time, mostly of processes that are nothing to us.

    Args:
        find: Returns what there is to know of a process, by its id.
    """

    def __init__(self, find: Callable[[int], T]) -> None:
        self._find = find
        self._notes: dict[int, _Note[T]] = {}
        self._uid = os.getuid()

    def all(self) -> Iterator[tuple[int, T]]:
        """Yield every process of this user with what is known of it."""
        moment, kept = time.monotonic(), dict[int, _Note[T]]()
        for pid in pids():
            note = self._note_of(pid, moment)
            if note is not None:
                kept[pid] = note
        self._notes = kept
        return ((pid, note.text) for pid, note in kept.items())

    def _note_of(self, pid: int, moment: float) -> _Note[T] | None:
        try:
            found = os.stat(f"/proc/{pid}")  # noqa: PTH116 - hundreds of them, each time
        except OSError:  # gone
            return None
        if found.st_uid != self._uid:
            return None
        known = self._notes.get(pid)
        if known is None or known.born != found.st_ctime_ns:  # another process has its id now
            return _Note(found.st_ctime_ns, moment, self._find(pid))
        if moment - known.seen_at < _SETTLED_SECONDS:
            return known._replace(text=self._find(pid))
        return known


def pids() -> list[int]:
    """Return the ids of all processes."""
    with os.scandir(PROC) as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


def parent_of(pid: int) -> int:
    """Return the id of a process's parent; 0 if there is none, or it is gone."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def words_of(pid: int) -> tuple[str, ...]:
    """Return a process's command line; nothing if it is gone or has none."""
    try:
        line = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(word for word in line.decode(errors="replace").split("\0") if word)


def name_of(pid: int) -> str | None:
    """Return what a process is called; None if it is gone."""
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return None


def environment_of(pid: int) -> dict[str, str]:
    """Return a process's environment at its start; nothing if it is gone or another user's."""
    try:
        variables = (PROC / str(pid) / "environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(variable.split("=", 1) for variable in variables if "=" in variable)


def marker_of(pid: int) -> str:
    """Return the id of the kernel whose environment a process inherited; empty if none's."""
    return environment_of(pid).get(MARKER, "")


def sockets_of(pid: int, among: Collection[int]) -> set[int]:
    """Return which of some sockets a process has, by their inodes."""
    try:
        with os.scandir(PROC / str(pid) / "fd") as entries:
            targets = [_target(entry.path) for entry in entries]
    except OSError:  # gone, or another user's
        return set()
    return {int(t[8:-1]) for t in targets if t.startswith("socket:[")} & set(among)


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - thousands of them
    except OSError:  # closed meanwhile
        return ""
