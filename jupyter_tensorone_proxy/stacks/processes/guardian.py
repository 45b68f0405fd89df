"""The guardian of one service: a process that starts it, keeps its output, and ends it.

``python -I -S guardian.py LOG LIMIT GRACE CWD WORD…``

It says on standard output, one JSON object a line: ``{"pid": N}`` once the service runs, or
``{"error": …}``; and ``{"code": N}`` when the service and everything it started is gone. Its
standard input is a pipe that only its owner holds: a line there, its end because the owner is gone
(by SIGKILL too), or SIGTERM mean that the service has to stop.

The service leads a process group of its own. What leaves that group, as daemons do, comes back to
the guardian as its child (Linux), so nothing is left behind. Should the guardian itself be killed,
the kernel kills the service, and the owner its group.

Only the standard library, and as little of it as possible: there is one guardian for each service.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LOOK_SECONDS = 0.05
_LAST_WORDS_SECONDS = 1.0
_CHUNK = 65_536
_ON_LINUX = sys.platform == "linux"


class BoundedLog:
    """A file that only this user can read, with one older part of the same size behind it.

    Args:
        path: The file; the older part has ``.1`` behind its name.
        limit: How large each part may be, in bytes.
    """

    def __init__(self, path: str, limit: int) -> None:
        self._path, self._limit = path, limit
        self._file = self._opened()

    def _opened(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._path, flags, 0o600)

    def write(self, data: bytes) -> None:
        """Append; a disk that is full must not stop the service, so that is lost."""
        with contextlib.suppress(OSError):
            if os.fstat(self._file).st_size + len(data) > self._limit:
                os.replace(self._path, f"{self._path}.1")  # noqa: PTH105 - pathlib costs 10 ms
                os.close(self._file)
                self._file = self._opened()
            os.write(self._file, data)


class Guardian:
    """Watches over one service.

    Args:
        words: The service's command.
        cwd: Where it works.
        grace: Seconds between asking it to stop and making it.
        log: Where its output goes.
    """

    def __init__(self, words: list[str], cwd: str, grace: float, log: BoundedLog) -> None:
        self._grace, self._log, self._pid = grace, log, 0
        self._code: int | None = None
        self._deadline: float | None = None
        self._wake, wake = os.pipe()
        for end in (self._wake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stop())
        if _ON_LINUX:
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._output, output = os.pipe()
        self._pid = _start(words, cwd, output)
        os.close(output)

    @property
    def pid(self) -> int:
        """The service's process, and its group."""
        return self._pid

    def watch(self) -> int:
        """Return the service's exit code when nothing of it is left; negative for a signal."""
        with selectors.DefaultSelector() as selector:
            for number in (0, self._wake, self._output):
                selector.register(number, selectors.EVENT_READ)
            while not self._is_over():
                for key, _ in selector.select(self._patience()):
                    self._read(selector, key.fd)
            ends = time.monotonic() + _LAST_WORDS_SECONDS
            while self._output in selector.get_map() and time.monotonic() < ends:
                for key, _ in selector.select(0):
                    self._read(selector, key.fd)
                if not any(key.fd == self._output for key, _ in selector.select(0)):
                    break  # nothing is left, and somebody else has the pipe
        return self._code if self._code is not None else -signal.SIGKILL

    def _read(self, selector: selectors.BaseSelector, number: int) -> None:
        data = os.read(number, _CHUNK)
        if number == self._output and data:
            self._log.write(data)
        if number == 0:
            self._stop()
        if not data:
            selector.unregister(number)

    def _patience(self) -> float | None:
        return None if self._deadline is None else _LOOK_SECONDS

    def _stop(self) -> None:
        """Ask everything to stop, once; the deadline does the rest."""
        if self._deadline is None and self._pid:
            self._deadline = time.monotonic() + self._grace
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):  # nobody is left in it
            os.killpg(self._pid, number)
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):  # gone, or somebody else's now
                if pid == self._pid or os.getpgid(pid) != self._pid:
                    os.kill(pid, number)

    def _is_over(self) -> bool:
        """Take in who has ended; say whether nobody is left."""
        nobody = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                nobody = True
                break
            if pid == 0:
                break
            if pid == self._pid:
                self._code = os.waitstatus_to_exitcode(status)
        if self._code is not None:
            self._stop()  # what it started ends with it
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._signal(signal.SIGKILL)
        return nobody and not _has_members(self._pid)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return _ON_LINUX
    return True


def descendants(pid: int) -> list[int]:
    """Return every process below one (Linux; elsewhere the group is all that is known)."""
    found, fresh = [], [pid]
    while fresh:
        children: list[int] = []
        for parent in fresh:
            with contextlib.suppress(OSError, ValueError):
                for task in os.listdir(f"/proc/{parent}/task"):  # noqa: PTH208 - as above
                    with open(f"/proc/{parent}/task/{task}/children") as file:  # noqa: PTH123 - as above
                        children += map(int, file.read().split())
        found += children
        fresh = children
    return found


def _start(words: list[str], cwd: str, output: int) -> int:
    """Start the service; return its process id.

    Raises:
        OSError: It cannot be started.
    """
    failed, failure = os.pipe()
    own = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(words, cwd, output, failure, own)
    os.close(failure)
    said = os.read(failed, 4096)  # ends when the program runs
    os.close(failed)
    if said:
        os.waitpid(pid, 0)
        number, _, what = said.decode().partition(" ")
        raise OSError(int(number), os.strerror(int(number)), what)
    return pid


def _become(words: list[str], cwd: str, output: int, failure: int, guardian: int) -> None:
    """Become the service; never returns. Safe after fork: this process has one thread."""
    what = cwd
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if _ON_LINUX:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guardian:  # it was killed just now
                os._exit(127)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(cwd)
        what = words[0]
        os.execvp(words[0], words)  # noqa: S606 - never through a shell
    except OSError as error:
        os.write(failure, f"{error.errno} {what}".encode(errors="replace"))
    finally:
        os._exit(127)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value)


def _say(**said: object) -> None:
    with contextlib.suppress(OSError):  # the owner is gone
        os.write(1, f"{json.dumps(said)}\n".encode())


def main(arguments: list[str]) -> int:
    """Guard one service until nothing of it is left.

    Args:
        arguments: Log, its limit in bytes, grace in seconds, folder, and the command's words.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    log, limit, grace, cwd, *words = arguments
    try:
        guardian = Guardian(words, cwd, float(grace), BoundedLog(log, int(limit)))
    except OSError as error:
        _say(error=error.strerror, file=str(error.filename or ""), number=error.errno)
        return 1
    _say(pid=guardian.pid)
    _say(code=guardian.watch())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
