"""One process of the gateway, and how it is started again."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

_STOP_SECONDS = 5.0
_BACK_OFF_SECONDS = (0.0, 0.2, 1.0, 5.0)
_STEADY_SECONDS = 10.0


@dataclass
class Child:
    """A process that is started again when it ends, at once if it had been steady.

    Args:
        name: What it is called in messages.
        start: Starts it.
    """

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    start_after: float = 0.0

    def keep_alive(self) -> None:
        """Start the process if it is not running and its pause is over."""
        current = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            steady = current - self.started_at > _STEADY_SECONDS
            self.failures = 0 if steady else self.failures + 1
            pause = _BACK_OFF_SECONDS[min(self.failures, len(_BACK_OFF_SECONDS)) - 1]
            self.start_after = current + (pause if self.failures else 0.0)
            say(f"{self.name} ended with status {self.process.returncode}; starting it again")
            self.process = None
        if self.process is None and current >= self.start_after:
            self.process = self.start()
            self.started_at = current

    def stop(self) -> None:
        """End the process and wait for it."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def say(text: str) -> None:
    """Write a line to the gateway's log, which is standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - see above
