"""The owner of the gateway's two processes: keeps both alive, and leaves neither behind.

::

    supervisor (this process; the one that is started and stopped)
    ├── control plane   REST, store, xDS; its API socket belongs to the supervisor
    └── Envoy           carries the traffic; goes on while the control plane is away

Either child is started again when it dies. When the supervisor dies, even by SIGKILL, the kernel
ends both (PR_SET_PDEATHSIG). Only the standard library is used here: this process is one more.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..errors import GatewayError, GatewayRunningError, ProxyError
from . import envoy
from .child import Child, say
from .config import CLUSTER_ID, GatewayConfig, parse_arguments
from .files import private_directory, write_private

RUNNING_STATUS = 3
"""Exit status when another gateway owns the state directory."""

_KEPT_SUFFIXES = {".log", ".old"}
_PR_SET_PDEATHSIG = 1
_START_SECONDS = 60.0


@dataclass
class Supervisor:
    """Runs one gateway in the foreground.

    Args:
        config: Its options.
        watch_stdin: Stop when standard input ends, because the parent is gone.
    """

    config: GatewayConfig
    watch_stdin: bool
    _stopping: bool = False
    _children: list[Child] = field(default_factory=list)
    _ready_fd: int | None = None

    def run(self) -> None:
        """Run until SIGTERM, SIGINT, or the end of standard input.

        Raises:
            GatewayRunningError: Another gateway owns the state directory.
            GatewayError: It cannot start; the message says why.
        """
        os.umask(0o077)
        private_directory(self.config.state_path)
        with self._lock(), self._api_socket() as api_socket:
            binary = envoy.find_envoy()
            envoy.mapping_capacity()
            self._prepare_run_directory()
            wake = self._catch_signals()
            self._children = [
                Child("Envoy", lambda: self._start_envoy(binary)),
                Child("The control plane", lambda: self._start_control(api_socket)),
            ]
            try:
                self._start(wake)
                self._announce(api_socket)
                self._watch(wake)
            finally:
                # Envoy first: the control plane then reads the last lines of its log.
                for child in self._children:
                    child.stop()
                self._runtime_file.unlink(missing_ok=True)

    @property
    def _runtime_file(self) -> Path:
        return self.config.state_path / "runtime.json"

    @contextlib.contextmanager
    def _lock(self) -> Any:
        """Own the state directory; the kernel lets go of the lock when this process ends."""
        path = self.config.state_path / "lock"
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                owner = file.read().strip() or "unknown"
                raise GatewayRunningError(
                    f"Another gateway (pid {owner}) owns {self.config.state_dir}.",
                    suggestion="Use that one, stop it, or choose another --state-dir.",
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _api_socket(self) -> socket.socket:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(("127.0.0.1", self.config.api_port))
        except OSError as error:
            bound.close()
            raise GatewayError(
                f"The API port {self.config.api_port} cannot be used: {error.strerror}.",
                suggestion="Choose another with --api-port, or 0 for a free one.",
            ) from None
        bound.listen(128)
        return bound

    def _prepare_run_directory(self) -> None:
        run = private_directory(self.config.run_path)
        for leftover in run.iterdir():
            if leftover.suffix not in _KEPT_SUFFIXES:
                leftover.unlink()
        self.config.save(run / "config.json")
        envoy.write_bootstrap(run)

    def _start_envoy(self, binary: str) -> subprocess.Popen[bytes]:
        (self.config.run_path / envoy.ADMIN_SOCKET).unlink(missing_ok=True)
        return self._spawn(envoy.command(binary), preexec=_raise_file_limit)

    def _start_control(self, api_socket: socket.socket) -> subprocess.Popen[bytes]:
        module = f"{__package__}.app"
        api_fd, ready_fd = api_socket.fileno(), self._ready_fd
        command = [sys.executable, "-m", module, "--config", "config.json", "--api-fd", str(api_fd)]
        if ready_fd is None:
            return self._spawn(command, pass_fds=(api_fd,))
        return self._spawn([*command, "--ready-fd", str(ready_fd)], pass_fds=(api_fd, ready_fd))

    def _spawn(
        self,
        command: list[str],
        *,
        pass_fds: tuple[int, ...] = (),
        preexec: Callable[[], None] | None = None,
    ) -> subprocess.Popen[bytes]:
        parent = os.getpid()

        def before_exec() -> None:
            _die_with_parent(parent)
            if preexec is not None:
                preexec()

        return subprocess.Popen(
            command,
            cwd=self.config.run_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=pass_fds,
            preexec_fn=before_exec,  # noqa: PLW1509 - this process has one thread
        )

    def _start(self, wake: int) -> None:
        """Start both and wait until the control plane serves."""
        ready, self._ready_fd = os.pipe()
        try:
            for child in self._children:
                child.keep_alive()
            self._wait_until_ready(ready, wake)
        finally:
            os.close(ready)
            os.close(self._ready_fd)
            self._ready_fd = None

    def _wait_until_ready(self, ready: int, wake: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and not self._stopping:
            readable, _, _ = select.select([ready, *self._inputs(wake)], [], [], 0.5)
            self._handle(readable, wake)
            if ready in readable:
                return
            for child in self._children:
                if child.process is not None and child.process.poll() is not None:
                    raise GatewayError(
                        f"{child.name} could not start (status {child.process.returncode}); "
                        "the reason is above."
                    )
        if not self._stopping:
            raise GatewayError(
                f"The gateway did not serve within {_START_SECONDS:.0f} s.",
                suggestion="Its log above may say why.",
            )

    def _announce(self, api_socket: socket.socket) -> None:
        if self._stopping:
            return
        runtime = {
            "api_url": f"http://127.0.0.1:{api_socket.getsockname()[1]}",
            "api_key_file": str(self.config.api_key_file),
            "cluster_id": CLUSTER_ID,
            "proxy_url": self.config.proxy_url,
            "ca_file": str(self.config.ca_file),
            "pid": os.getpid(),
        }
        write_private(self._runtime_file, json.dumps(runtime))
        print(json.dumps(runtime), flush=True)  # noqa: T201 - the documented output

    def _watch(self, wake: int) -> None:
        while not self._stopping:
            readable, _, _ = select.select(self._inputs(wake), [], [], 0.5)
            self._handle(readable, wake)
            if not self._stopping:
                for child in self._children:
                    child.keep_alive()

    def _inputs(self, wake: int) -> list[int | IO[str]]:
        return [wake, sys.stdin] if self.watch_stdin else [wake]

    def _handle(self, readable: Sequence[int | IO[str]], wake: int) -> None:
        if wake in readable:
            numbers = os.read(wake, 512)
            self._stopping |= any(n in (signal.SIGTERM, signal.SIGINT) for n in numbers)
        if self.watch_stdin and sys.stdin in readable and not os.read(sys.stdin.fileno(), 512):
            self._stopping = True

    def _catch_signals(self) -> int:
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        return read


def _die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends (Linux)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the gateway in the foreground.

    Args:
        argv: Command line without the program; the process's own by default.

    Returns:
        0 after a stop, 1 if it could not start, 3 if another gateway owns the state directory.
    """
    config, watch_stdin = parse_arguments(argv)
    try:
        Supervisor(config, watch_stdin).run()
    except GatewayRunningError as error:
        say(str(error))
        return RUNNING_STATUS
    except ProxyError as error:
        say(str(error))
        return 1
    return 0
