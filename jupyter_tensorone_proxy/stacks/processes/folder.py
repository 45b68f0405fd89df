"""The folder of one owner of processes: its services' output, and the socket it answers at.

It is in Jupyter's runtime directory, for this user alone, and named after the owner's process; the
next owner removes those of owners that are gone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

SOCKET = "server.sock"
_PREFIX = "tensorone-services-"
_LONGEST = 100
"""The path of a unix socket may have 107 bytes (Linux), or 103 (macOS)."""


def folder_of(pid: int) -> Path:
    """Return the folder of one process; it need not exist.

    Args:
        pid: The process.
    """
    return Path(jupyter_runtime_dir()) / f"{_PREFIX}{pid}"


def make_folder() -> Path:
    """Make this process's folder with mode 0700; remove those of processes that are gone."""
    folder = folder_of(os.getpid())
    for other in folder.parent.glob(f"{_PREFIX}*"):
        pid = other.name.removeprefix(_PREFIX)
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(other, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def sockets() -> list[Path]:
    """Return the sockets of the Jupyter servers of this user that run."""
    found = Path(jupyter_runtime_dir()).glob(f"{_PREFIX}*/{SOCKET}")
    return sorted(path for path in found if _is_alive(_pid(path)))


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Lend a path of a unix socket that is short enough for the system.

    Args:
        path: Where the socket is.
    """
    if len(os.fsencode(path)) <= _LONGEST or sys.platform != "linux":
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _pid(path: Path) -> int:
    pid = path.parent.name.removeprefix(_PREFIX)
    return int(pid) if pid.isdigit() else 0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
