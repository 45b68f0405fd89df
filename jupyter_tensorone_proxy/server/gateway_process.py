"""The local gateway as a child process: started when it is needed, and never left behind.

The child's standard input is a pipe that only this process holds: when this process is gone, by
SIGKILL too, the gateway reads the end of it and stops with its Envoy. A gateway of somebody else
that owns the state directory is used, and not stopped.

This module does not import the gateway, speaks no HTTP and decides nothing about settings.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from logging import INFO, WARNING, Logger
from pathlib import Path
from time import monotonic
from typing import IO, cast

from ..errors import GatewayError
from ..settings import running_gateway

_OWNED_BY_ANOTHER = 3
"""The gateway's exit code when another one owns its state directory."""

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_ADOPT_SECONDS = 10.0
_POLL_SECONDS = 0.02
_STEADY_SECONDS = 60.0
"""A gateway that lived this long was no failure when it ended."""

_BACK_OFF_SECONDS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_SERIOUS = re.compile(r"\b(warn(ing)?|error|critical|fatal|traceback)\b", re.IGNORECASE)
_NO_MODULE = re.compile(r"No module named '?[\w.]+'?")
_SEE_ABOVE = "the reason is above."  # ends the last line if the one before has said why
_INSTALL_IT = (
    "Run `pip install 'jupyter-tensorone-proxy[gateway]'` in the environment of "
    "TensorOneProxy.gateway_command."
)
_Pipe = IO[bytes]
_WHAT_NOW = "The gateway's own words are in the Jupyter server's log."


class GatewayProcess:
    """Keeps one gateway running for a state directory.

    Args:
        command: Program and arguments that start a gateway, e.g.
            ``[sys.executable, "-m", "jupyter_tensorone_proxy.gateway"]``.
        arguments: Options for it; the state directory and ``--exit-with-parent`` are added.
        state_dir: The gateway's state directory.
        log: Where its messages go.
    """

    def __init__(
        self, command: Sequence[str], arguments: Sequence[str], state_dir: Path, log: Logger
    ) -> None:
        own = ["--state-dir", str(state_dir), "--exit-with-parent"]
        self._argv = [*command, *arguments, *own]
        self._state_dir = state_dir
        self._log = log
        self._child: _Child | None = None
        self._adopted = False
        self._starting: asyncio.Task[None] | None = None
        self._stopping = False
        self._failures = 0
        self._not_before = 0.0
        self._last_error: GatewayError | None = None

    @property
    def pid(self) -> int | None:
        """The process id of our gateway; None if there is none, or if it is somebody else's."""
        return self._child.pid if self._child and self._child.alive else None

    async def ensure(self) -> None:
        """Return when a gateway serves the state directory; start one if there is none.

        Raises:
            GatewayError: It cannot start; with the gateway's own reason.
            ConfigurationError: The state directory's runtime file cannot be read.
        """
        if self._serving():
            return
        if self._starting is None:
            self._require_patience()
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(self._started)
        await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """Stop our gateway, also one that is just starting; do nothing if there is none."""
        self._stopping = True
        starting = self._starting
        if self._child is not None:
            await self._child.end()
        if starting is not None:
            await asyncio.wait([starting])

    def _serving(self) -> bool:
        if self._starting is not None:
            return False
        if self._child is not None:
            if self._child.alive:
                return True
            self._died(self._child)
        return self._adopted and running_gateway(self._state_dir) is not None

    def _died(self, child: _Child) -> None:
        self._child = None
        child.close_input()
        if self._stopping:
            return
        if child.age_seconds > _STEADY_SECONDS:
            self._failures = 0
        error = GatewayError(f"The local gateway ended {child.outcome}.", suggestion=_WHAT_NOW)
        self._log.warning("%s It is started again when it is needed.", error.message)
        self._failed(error)

    def _failed(self, error: GatewayError) -> None:
        self._failures += 1
        step = min(self._failures, len(_BACK_OFF_SECONDS)) - 1
        self._not_before = monotonic() + _BACK_OFF_SECONDS[step]
        self._last_error = error

    def _require_patience(self) -> None:
        if self._stopping:
            raise GatewayError("The Jupyter server is stopping, and its gateway with it.")
        if self._last_error is not None and monotonic() < self._not_before:
            raise self._last_error

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting = None
        if not task.cancelled() and isinstance(error := task.exception(), GatewayError):
            self._failed(error)

    async def _start(self) -> None:
        self._adopted = False
        try:
            child = _Child(self._argv, self._log)
        except OSError as error:
            raise GatewayError(
                f"The local gateway cannot be started: {self._argv[0]}: {error.strerror}.",
                suggestion="Correct TensorOneProxy.gateway_command.",
            ) from None
        self._child = child
        try:
            line = await asyncio.wait_for(asyncio.wrap_future(child.first_line), _START_SECONDS)
            child.serves = _is_runtime(line)
            if not child.serves:
                await self._adopt_or_fail(child)
        except asyncio.TimeoutError:
            raise GatewayError(
                f"The local gateway did not start within {_START_SECONDS:.0f} s.",
                suggestion=_WHAT_NOW,
            ) from None
        finally:
            if self._stopping or not child.serves:
                await child.end()
                self._child = None

    async def _adopt_or_fail(self, child: _Child) -> None:
        await (
            child.ended()
        )  # by itself: its exit code says why, and its output ends a moment before
        await child.end()
        if child.returncode == _OWNED_BY_ANOTHER:
            deadline = monotonic() + _ADOPT_SECONDS
            while monotonic() < deadline:
                if (runtime := running_gateway(self._state_dir)) is not None:
                    self._adopted = True
                    self._log.info("Using the gateway that runs already (pid %s).", runtime["pid"])
                    return
                await asyncio.sleep(_POLL_SECONDS)
        missing = child.missing_module
        raise GatewayError(
            f"The local gateway did not start: {(missing or child.last_word).rstrip('.')}.",
            suggestion=_INSTALL_IT if missing else _WHAT_NOW,
        )


def _is_runtime(line: str) -> bool:
    try:
        return "api_url" in json.loads(line)
    except (ValueError, TypeError):
        return False


class _Child:
    """One started process with its two readers, which are threads: pipes need no event loop."""

    def __init__(self, argv: Sequence[str], log: Logger) -> None:
        self._log = log
        self._since = monotonic()
        self._tail: deque[str] = deque(maxlen=10)
        self.first_line: Future[str] = Future()
        self.serves = False
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C asks Jupyter a question; the gateway goes on meanwhile
        )
        self._readers = [
            _reader(cast("_Pipe", self._process.stdout), self._on_output, self._on_output_end),
            _reader(cast("_Pipe", self._process.stderr), self._on_message, lambda: None),
        ]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    @property
    def age_seconds(self) -> float:
        return monotonic() - self._since

    @property
    def outcome(self) -> str:
        """How it ended."""
        code = self.returncode or 0
        return f"with exit code {code}" if code >= 0 else f"by signal {-code}"

    @property
    def last_word(self) -> str:
        """The last line of its messages that says something, else how it ended."""
        telling = [line for line in self._tail if not line.endswith(_SEE_ABOVE)]
        return telling[-1] if telling else f"it ended {self.outcome}"

    @property
    def missing_module(self) -> str | None:
        """What Python said of a module that is not installed, if that is why it ended."""
        found = (_NO_MODULE.search(line) for line in self._tail)
        return next((match.group() for match in found if match), None)

    def close_input(self) -> None:
        """Let it see that its owner has no more use for it."""
        cast("_Pipe", self._process.stdin).close()

    async def ended(self) -> None:
        """Wait, within bounds, until it is gone."""
        await self._wait(lambda: not self.alive, _STOP_SECONDS)

    async def end(self) -> None:
        """Ask it to stop, then make it stop; returns when it is gone and its output is read."""
        self.close_input()
        if self.alive:
            self._process.terminate()
            await self.ended()
        if self.alive:
            self._log.warning("The local gateway did not stop in time and is killed.")
            self._process.kill()
            await self.ended()
        await self._wait(lambda: not any(r.is_alive() for r in self._readers), 1.0)

    async def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = monotonic() + seconds
        while not condition() and monotonic() < deadline:  # noqa: ASYNC110 - ending sets no event
            await asyncio.sleep(_POLL_SECONDS)

    def _on_output(self, line: str) -> None:
        if not self.first_line.done():
            self.first_line.set_result(line)

    def _on_output_end(self) -> None:
        self._on_output("")

    def _on_message(self, line: str) -> None:
        text = "".join(c if c.isprintable() else " " for c in line).strip()
        if text:
            self._tail.append(text)
            self._log.log(WARNING if _SERIOUS.search(text[:80]) else INFO, "gateway: %s", text)


def _reader(
    stream: _Pipe, on_line: Callable[[str], None], on_end: Callable[[], None]
) -> threading.Thread:
    def read() -> None:
        with stream:
            for line in iter(lambda: stream.readline(65_536), b""):
                on_line(line.decode(errors="replace"))
        on_end()

    thread = threading.Thread(target=read, name="tensorone-gateway-output", daemon=True)
    thread.start()
    return thread
