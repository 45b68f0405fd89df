"""The owner of the gateway's two processes: keeps both alive, and leaves neither behind.

::

    supervisor (this process; the one that is started and stopped)
    ├── control plane   REST, store, xDS; its API socket belongs to the supervisor
    └── Envoy           carries the traffic; goes on while the control plane is away

Either child is started again when it dies. When the supervisor dies, even by SIGKILL, the kernel
ends both (PR_SET_PDEATHSIG).

`launcher` judges and prepares everything, and then becomes this program: it stays as long as the
gateway, so it is a script of its own that loads nothing but a few built-in modules. Together they
take half of the memory of one that imports `subprocess`, `dataclasses` and `json`.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

_NO_SUCH_PROGRAM = 127
_BACK_OFF_SECONDS = (0.0, 0.2, 1.0, 5.0)
_PR_SET_PDEATHSIG = 1
_START_SECONDS = 60.0
_STEADY_SECONDS = 10.0
_STOP_SECONDS = 5.0


class Child:
    """A process that is started again when it ends, at once if it had been steady.

    Args:
        name: What it is called in messages.
        command: Program and arguments.
        keep: File descriptors that it gets.
    """

    def __init__(self, name: str, command: list[str], keep: tuple[int, ...] = ()) -> None:
        self.name = name
        self.ended: int | None = None
        self._command = command
        self._keep = keep
        self._pid: int | None = None
        self._failures = 0
        self._started_at = 0.0
        self._start_after = 0.0

    def keep_alive(self, *more: int) -> None:
        """Start the process if it is not running and its pause is over.

        Args:
            more: File descriptors that only this start gets.
        """
        current = time.monotonic()
        if self._pid is not None and self.has_ended():
            steady = current - self._started_at > _STEADY_SECONDS
            self._failures = 0 if steady else self._failures + 1
            pause = _BACK_OFF_SECONDS[min(self._failures, len(_BACK_OFF_SECONDS)) - 1]
            self._start_after = current + (pause if self._failures else 0.0)
            say(f"{self.name} ended with status {self.ended}; starting it again")
            self._pid = None
        if self._pid is None and current >= self._start_after:
            self.ended = None
            self._started_at = current
            options = [f"--ready-fd={descriptor}" for descriptor in more]
            self._pid = _spawn([*self._command, *options], (*self._keep, *more))

    def has_ended(self) -> bool:
        """Return whether it has; `ended` then is its status, or the signal's negative number."""
        if self._pid is not None and self.ended is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self.ended = os.waitstatus_to_exitcode(status)
        return self.ended is not None

    def stop(self) -> None:
        """End the process and wait for it."""
        if self._pid is None or self.has_ended():
            return
        os.kill(self._pid, signal.SIGTERM)  # not reaped yet: the number is still its own
        deadline = time.monotonic() + _STOP_SECONDS
        while not self.has_ended():
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                return
            time.sleep(0.01)


class Supervisor:
    """Runs both children in the foreground.

    Args:
        children: Envoy and the control plane, in the order they are started and stopped in.
        announcement: File with the line that says where the gateway is; it is moved to
            `published` and printed once the gateway serves.
        published: Where others look for it.
        watch_stdin: Stop when standard input ends, because the parent is gone.
    """

    def __init__(
        self, children: list[Child], announcement: str, published: str, *, watch_stdin: bool
    ) -> None:
        self._children = children
        self._announcement = announcement
        self._published = published
        self._watch_stdin = watch_stdin
        self._stopping = False

    def run(self) -> int:
        """Run until SIGTERM, SIGINT, or the end of standard input; return the exit status."""
        wake = _catch_signals()
        try:
            refusal = self._start(wake)
            if refusal:
                say(refusal)
                return 1
            if not self._stopping:
                self._announce()
            self._watch(wake)
        finally:
            # Envoy first: the control plane then reads the last lines of its log.
            for child in self._children:
                child.stop()
            if os.path.exists(self._published):  # noqa: PTH110 - pathlib takes as much memory as this
                os.unlink(self._published)  # noqa: PTH108 - the same
        return 0

    def _start(self, wake: int) -> str:
        """Start both and wait until the control plane serves; return why it does not."""
        ready, write = os.pipe()
        try:
            envoy, control = self._children
            envoy.keep_alive()
            control.keep_alive(write)
            return self._wait_until_ready(ready, wake)
        finally:
            os.close(ready)
            os.close(write)

    def _wait_until_ready(self, ready: int, wake: int) -> str:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and not self._stopping:
            readable, _, _ = select.select([ready, *self._inputs(wake)], [], [], 0.5)
            self._handle(readable, wake)
            if ready in readable:
                return ""
            for child in self._children:
                if child.has_ended():
                    return (
                        f"{child.name} could not start (status {child.ended}); the reason is above."
                    )
        if self._stopping:
            return ""
        return (
            f"The gateway did not serve within {_START_SECONDS:.0f} s. Its log above may say why."
        )

    def _announce(self) -> None:
        with open(self._announcement) as file:  # noqa: PTH123 - see `run`
            line = file.read()
        os.rename(self._announcement, self._published)  # noqa: PTH104 - see `run`
        print(line, flush=True)  # noqa: T201 - the documented output

    def _watch(self, wake: int) -> None:
        while not self._stopping:
            readable, _, _ = select.select(self._inputs(wake), [], [], 0.5)
            self._handle(readable, wake)
            if not self._stopping:
                for child in self._children:
                    child.keep_alive()

    def _inputs(self, wake: int) -> list[int]:
        return [wake, sys.stdin.fileno()] if self._watch_stdin else [wake]

    def _handle(self, readable: list[int], wake: int) -> None:
        if wake in readable:
            numbers = os.read(wake, 512)
            self._stopping |= any(n in (signal.SIGTERM, signal.SIGINT) for n in numbers)
        if self._watch_stdin and sys.stdin.fileno() in readable and not os.read(0, 512):
            self._stopping = True


def say(text: str) -> None:
    """Write a line to the gateway's log, which is standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - see above


def _catch_signals() -> int:
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return read


def _spawn(command: list[str], keep: tuple[int, ...]) -> int:
    """Start a program that reads and prints nothing, and return its process id."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        _die_with_parent(parent)
        _raise_file_limit()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores them; programs expect them
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        for descriptor in keep:
            os.set_inheritable(descriptor, True)
        os.execv(command[0], command)  # noqa: S606 - the programs are ours, and absolute
    except OSError as error:
        say(f"{command[0]} cannot be run: {error.strerror}.")
    finally:
        os._exit(_NO_SUCH_PROGRAM)  # whatever happens, the child never runs the parent's code


def _die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends (Linux)."""
    if sys.platform != "linux":
        return
    import ctypes  # in the child, which is about to become another program

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _raise_file_limit() -> None:
    import resource  # as above

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Run what `launcher` prepared, inside the run directory.

    The words are the announcement's file, the file it becomes, the descriptors of the lock and of
    the API socket, `watch` or `ignore` for standard input, Envoy's command, ``--``, and the
    control plane's.
    """
    announcement, published, lock, api_socket, stdin, *commands = sys.argv[1:]
    middle = commands.index("--")
    for descriptor in (int(lock), int(api_socket)):  # they survived one exec; no other inherits
        os.set_inheritable(descriptor, False)
    children = [
        Child("Envoy", commands[:middle]),
        Child("The control plane", commands[middle + 1 :], (int(api_socket),)),
    ]
    return Supervisor(children, announcement, published, watch_stdin=stdin == "watch").run()


if __name__ == "__main__":
    sys.exit(main())
