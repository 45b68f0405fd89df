"""Kernels of this user that no Jupyter server lists: those of `nbclient` and of consoles.

A kernel is known by its command line, which names a connection file, whatever its language. Whether
there are new ones is looked up only when the set of listening sockets changes: a kernel listens on
five ports at least.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..kernels import files_named, kernel_id_of
from ..settings import default_state_dir
from ..sockets import listening_sockets
from .proc import ProcessNotes, environment_of, words_of
from .processes import Root

_LOOK_SECONDS = 0.2
_SCAN_ANYWAY_SECONDS = 10.0
_RESTART_SECONDS = 1.0
_PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


@dataclass(frozen=True)
class Started:
    """A process that was given a connection file.

    Args:
        pid: Its id.
        files: The paths of JSON files that its command line names.
        environ: Its environment at its start.
    """

    pid: int
    files: tuple[str, ...]
    environ: Mapping[str, str]


@dataclass
class OutsideKernels:
    """Finds kernels that would use this server's gateway, and are not the server's own.

    Args:
        own_ids: Returns the ids of the server's kernels.
        state_dirs: The directories of the gateway's state; a kernel that would look for the gateway
            elsewhere belongs elsewhere.
        processes: Yields every process that may be a kernel.
    """

    own_ids: Callable[[], Collection[str]]
    state_dirs: frozenset[Path]
    processes: Callable[[], Iterator[Started]]
    _sockets: frozenset[int] = frozenset()
    _looked_at: float = 0.0
    _scanned_at: float = 0.0
    _found: dict[str, tuple[Root, frozenset[int]]] = field(default_factory=dict)
    _seen_at: dict[str, float] = field(default_factory=dict)

    def roots(self) -> tuple[Root, ...]:
        """Return the processes of the kernels that run now."""
        self._look()
        return tuple(root for root, _ in self._listed().values())

    def ports(self) -> dict[int, str]:
        """Return the kernels' own ports, each with what it is."""
        self._look()
        numbers = (number for _, ports in self._listed().values() for number in ports)
        return dict.fromkeys(numbers, "a kernel's own port")

    def ids(self) -> set[str]:
        """Return the ids of the kernels that run, or have just ended: they may be restarting."""
        self._look()
        return set(self._seen_at)

    def _listed(self) -> dict[str, tuple[Root, frozenset[int]]]:
        own = set(self.own_ids())
        return {id_: found for id_, found in self._found.items() if id_ not in own}

    def _look(self) -> None:
        moment = time.monotonic()
        if moment - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = moment
        if self._may_have_changed(moment):
            self._scanned_at = moment
            self._found = dict(self._scan())
        self._seen_at |= dict.fromkeys(self._listed(), moment)
        for kernel_id, seen_at in list(self._seen_at.items()):
            if moment - seen_at > _RESTART_SECONDS:
                del self._seen_at[kernel_id]

    def _may_have_changed(self, moment: float) -> bool:
        uid = os.getuid()
        before = self._sockets
        self._sockets = frozenset(s.inode for s in listening_sockets() if s.uid == uid)
        ended = bool(self._found) and bool(before - self._sockets)
        came = bool(self._sockets - before)
        return came or ended or moment - self._scanned_at > _SCAN_ANYWAY_SECONDS

    def _scan(self) -> Iterator[tuple[str, tuple[Root, frozenset[int]]]]:
        for process in sorted(self.processes(), key=lambda p: p.pid, reverse=True):
            for file in process.files:
                kernel_id, ports = kernel_id_of(file), _ports_in(Path(file))
                if kernel_id and ports and self._belongs_here(process, Path(file)):
                    yield kernel_id, (Root("kernel", kernel_id, process.pid), ports)

    def _belongs_here(self, process: Started, file: Path) -> bool:
        """Say whether a kernel is of no Jupyter server, and would use this one's gateway."""
        starter = process.environ.get("JPY_PARENT_PID", "")
        if starter == str(os.getpid()) or (file.parent / f"jpserver-{starter}.json").exists():
            return False
        return _state_dir_of(process.environ) in self.state_dirs


def _state_dir_of(environ: Mapping[str, str]) -> Path | None:
    """Return where a process would look for the gateway; None if that is not known."""
    if told := environ.get("TENSORONE_STATE_DIR"):
        return Path(told)
    if data := environ.get("JUPYTER_DATA_DIR"):
        return Path(data) / "tensorone-proxy"
    alike = all(environ.get(n) == os.environ.get(n) for n in ("HOME", "XDG_DATA_HOME"))
    if not alike or os.environ.get("JUPYTER_DATA_DIR"):
        return None
    return default_state_dir({})


def _ports_in(file: Path) -> frozenset[int]:
    """Return the ports of a connection file; none if it is something else."""
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return frozenset()
    if not isinstance(content, dict) or not isinstance(content.get("shell_port"), int):
        return frozenset()
    return frozenset(p for name in _PORTS if isinstance(p := content.get(name), int))


def process_reader() -> Callable[[], Iterator[Started]]:
    """Return what yields this user's processes whose command line names a JSON file."""
    return linux_reader() if sys.platform == "linux" else psutil_processes


def linux_reader() -> Callable[[], Iterator[Started]]:
    """Return what reads them from `/proc`, and remembers those that are none."""
    notes = ProcessNotes(_started)
    # One that has ended may wait for its parent to notice, and has no command line any more.
    return lambda: (found for pid, found in notes.all() if found is not None and words_of(pid))


def _started(pid: int) -> Started | None:
    files = files_named(words_of(pid))
    return Started(pid, tuple(files), environment_of(pid)) if files else None


def psutil_processes() -> Iterator[Started]:
    """Yield them with psutil, where there is no `/proc`."""
    import psutil

    uid = os.getuid()
    for process in psutil.process_iter():
        try:
            if process.uids().real != uid or not (files := files_named(process.cmdline())):
                continue
            yield Started(process.pid, tuple(files), process.environ())
        except psutil.Error:
            continue
