"""One run of a service: its guardian, and through it the service itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from ...errors import ProcessError
from .output import LIMIT_BYTES, OutputLog

_GUARDIAN = Path(__file__).with_name("guardian.py")
_START_SECONDS = 30.0
_LATE_SECONDS = 10.0
"""How much longer than its grace a service may take to be gone."""


class Run:
    """A service that was started; `ended` has its exit code when nothing of it is left.

    Args:
        command: The service's words, its program resolved.
        env: All of its environment.
        cwd: Where it works.
        grace_seconds: Between asking it to stop and making it.
        log: Where its output goes.
    """

    def __init__(
        self,
        *,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        grace_seconds: float,
        log: OutputLog,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._grace_seconds = grace_seconds
        self._said: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self.pid: int | None = None
        self._guardian = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(_GUARDIAN), str(log.path), str(LIMIT_BYTES)),
                *(str(grace_seconds), cwd),
                *command,
            ],
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for its owner, who stops it
        )
        reading = threading.Thread(target=self._read, name="tensorone-service", daemon=True)
        reading.start()

    async def started(self) -> None:
        """Return when the service runs.

        Raises:
            ProcessError: It cannot be started.
        """
        try:
            said = await asyncio.wait_for(asyncio.shield(self._said), _START_SECONDS)
        except asyncio.TimeoutError:
            await self.stop()
            raise ProcessError(f"It could not be started within {_START_SECONDS:.0f} s.") from None
        if "pid" not in said:
            why = said.get("error") or "its guardian ended"
            file = said.get("file")
            raise ProcessError(f"{file}: {why}." if file else f"It cannot be started: {why}.")

    async def stop(self) -> None:
        """Ask the service to stop, then make it; return when nothing of it is left."""
        stdin = cast("IO[bytes]", self._guardian.stdin)
        with contextlib.suppress(OSError, ValueError):  # it has ended
            stdin.close()
        try:
            patience = self._grace_seconds + _LATE_SECONDS
            await asyncio.wait_for(asyncio.shield(self.ended), patience)
        except asyncio.TimeoutError:
            self._guardian.kill()
            await self.ended

    def _read(self) -> None:
        """Take in what the guardian says, in a thread: pipes need no event loop."""
        code = None
        with cast("IO[bytes]", self._guardian.stdout) as stdout:
            for line in stdout:
                said = json.loads(line)
                code = said.get("code", code)
                if "pid" in said:
                    self.pid = said["pid"]
                self._tell(self._said, said)
        self._guardian.wait()
        with contextlib.suppress(OSError, ValueError):
            cast("IO[bytes]", self._guardian.stdin).close()
        if code is None and self.pid is not None:  # somebody killed the guardian
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.pid = None
        self._tell(self._said, {})
        self._tell(self.ended, -signal.SIGKILL if code is None else code)

    def _tell(self, future: asyncio.Future[Any], value: Any) -> None:
        def settle() -> None:
            if not future.done():
                future.set_result(value)

        with contextlib.suppress(RuntimeError):  # the loop is gone, and its owner with it
            self._loop.call_soon_threadsafe(settle)


def outcome(code: int) -> str:
    """Return how a process ended, in words.

    Example:
        >>> outcome(1), outcome(-9)
        ('with exit code 1', 'by signal 9 (SIGKILL)')
    """
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"by signal {-code}"
