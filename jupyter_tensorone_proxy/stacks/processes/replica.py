"""One process of a service: started, found ready, started again when it ends, stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timezone
from time import monotonic

from ...errors import ProcessError
from .output import OutputLog
from .readiness import ready
from .run import Run, outcome
from .spec import ProcessSpec
from .starting import command_of, environment_of, folder_of, require_free
from .states import ReplicaState, State

_BACK_OFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_STEADY_SECONDS = 10.0
"""A process that ran this long had no trouble starting: it is started again at once."""


def back_off(failures: int) -> float:
    """Return how long to wait before a process is started again, in seconds.

    Args:
        failures: How often in a row it ended soon after its start.

    Example:
        >>> [back_off(failures) for failures in (0, 1, 2, 3, 100)]
        [0.0, 0.0, 0.5, 1.0, 30.0]
    """
    return _BACK_OFF_SECONDS[min(max(failures, 1), len(_BACK_OFF_SECONDS)) - 1]


class Replica:
    """One process, kept running as the service's restart policy says.

    Args:
        spec: Its service.
        number: Which of its replicas, from 0.
        port: Where it listens.
        log: Where its output is.
        on_change: Told whenever it is in another state.
    """

    def __init__(
        self,
        spec: ProcessSpec,
        number: int,
        port: int,
        log: OutputLog,
        on_change: Callable[[ReplicaState], None],
    ) -> None:
        self.spec, self.number, self.port, self.log = spec, number, port, log
        self._on_change = on_change
        self._state: State = "stopped"
        self._since = datetime.now(timezone.utc)
        self._reason = ""
        self._restarts = 0
        self._run: Run | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The service's process; None if there is none."""
        return self._run.pid if self._run is not None else None

    @property
    def is_running(self) -> bool:
        """Whether it is ready."""
        return self._state == "running"

    def state(self) -> ReplicaState:
        """Return how it does."""
        return ReplicaState(
            replica=self.number,
            port=self.port,
            state=self._state,
            pid=self.pid,
            restarts=self._restarts,
            since=self._since,
            reason=self._reason,
        )

    async def start(self) -> None:
        """Start it, unless it runs; return when it is ready.

        Raises:
            ProcessError: It cannot start, ended at once, or was not ready in time. It is not tried
                again by itself: what never worked needs somebody to look at it.
        """
        if self.is_running:
            return
        if self._run is not None or self._keeping is not None:
            await self.stop()
        self._become("starting")
        try:
            run = await self._ready_run()
        except ProcessError as error:
            self._become("failed", str(error))
            raise
        except BaseException:
            await self.stop()
            raise
        self._become("running")
        self._keeping = asyncio.create_task(self._keep(run))

    async def stop(self) -> None:
        """Stop it, and everything that it started."""
        keeping, self._keeping = self._keeping, None
        if self.pid is not None or keeping is not None:
            self._become("stopping")
        if keeping is not None:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
        run, self._run = self._run, None
        if run is not None:
            await run.stop()
        self._become("stopped")

    async def _ready_run(self) -> Run:
        """Start the process once; return when it is ready.

        Raises:
            ProcessError: It is not, and is stopped.
        """
        spec, cursor = self.spec, self.log.cursor()
        await asyncio.to_thread(require_free, spec, self.port)
        self._run = run = self._started_run()
        try:
            await run.started()
        except ProcessError as error:
            raise ProcessError(f"{spec.name} cannot be started: {error}") from None
        readying = asyncio.create_task(ready(spec, self.port, self.log, cursor))
        try:
            await asyncio.wait(
                (readying, run.ended),
                timeout=spec.ready_timeout_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            readying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await readying
        if run.ended.done():
            raise self._ended_at_once(run.ended.result(), cursor)
        if readying.cancelled():
            await run.stop()
            raise self._never_ready(cursor)
        return run

    def _started_run(self) -> Run:
        spec, port, number = self.spec, self.port, self.number
        env, cwd = environment_of(spec, port, number), folder_of(spec, port, number)
        return Run(
            command=command_of(spec, port, number, env, cwd),
            env=env,
            cwd=cwd,
            grace_seconds=spec.stop_grace_seconds,
            log=self.log,
        )

    async def _keep(self, run: Run) -> None:
        """Start it again whenever it ends, as the policy says, with growing pauses."""
        failures = 0
        begun = monotonic()
        while True:
            code = await asyncio.shield(run.ended)
            how = f"It ended {outcome(code)}."
            if self.spec.restart == "never" or (self.spec.restart == "on-failure" and code == 0):
                self._run = None
                self._become("stopped" if code == 0 else "failed", how)
                return
            failures = 0 if monotonic() - begun > _STEADY_SECONDS else failures + 1
            self._become("restarting", how)
            while True:
                await asyncio.sleep(back_off(failures))
                self._restarts += 1
                begun = monotonic()
                try:
                    run = await self._ready_run()
                except ProcessError as error:
                    failures += 1
                    self._become("restarting", str(error))
                else:
                    break
            self._become("running")

    def _become(self, state: State, reason: str = "") -> None:
        before, self._state, self._reason = self._state, state, reason
        self._since = datetime.now(timezone.utc)
        if state != before:
            self._on_change(self.state())

    def _ended_at_once(self, code: int, cursor: str) -> ProcessError:
        return ProcessError(
            f"{self.spec.name} ended at once, {outcome(code)}, before it was ready."
            f"{self._last_words(cursor)}",
            suggestion=f"`logs {self.port} --output` shows all it printed.",
        )

    def _never_ready(self, cursor: str) -> ProcessError:
        spec = self.spec
        waited = f"port {self.port} to take connections"
        if spec.ready_path is not None:
            waited = f"{spec.ready_path} on port {self.port} to answer"
        if spec.ready_log is not None:
            waited = f"its log to match {spec.ready_log!r}"
        return ProcessError(
            f"{spec.name} was not ready within {spec.ready_timeout_seconds} s, and is stopped: it "
            f"was waited for {waited}.{self._last_words(cursor)}",
            suggestion="If it only needs longer, raise `ready_timeout_seconds`.",
        )

    def _last_words(self, cursor: str) -> str:
        said = self.log.last_words(after=cursor)
        return f" Its last words: “{said}”" if said else " It printed nothing."
