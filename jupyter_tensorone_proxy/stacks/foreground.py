"""Staying in the foreground of a terminal while what was started there runs, and ending it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

from ..client import ProxyClient
from ..commands.rows import readable
from ..errors import PortNotFoundError, ProcessError
from .processes.host import host
from .processes.runner import Runner
from .processes.states import GroupState
from .results import StackResult
from .run_results import RunResult

_LOOK_SECONDS = 0.3
_MOST_LINES = 1000
_ENDED = {"stopped", "failed"}
Echo = Callable[[str], None]


def stay(client: ProxyClient, result: object, echo: Echo) -> None:
    """Wait until somebody interrupts, or everything has ended; then end what is left.

    What `run` exposed is no longer exposed then; a stack's mappings stay.

    Args:
        client: Where it is exposed.
        result: What a verb returned; nothing happens unless it started something here.
        echo: Told what services print.

    Raises:
        ProcessError: A service that was run alone has failed.
    """
    if not isinstance(result, RunResult | StackResult) or not result.ends_here:
        return
    runner = host.runner
    if runner is None:
        return
    output = _Output(runner, echo)
    try:
        with contextlib.suppress(KeyboardInterrupt), _terminated_like_interrupted():
            echo("Running until Ctrl-C.")
            output.follow()
        groups = output.tell()
    finally:
        if isinstance(result, RunResult):
            with contextlib.suppress(PortNotFoundError):  # somebody did
                client.delete_port(result.id)
        host.close()
    for group in groups:
        if isinstance(result, RunResult) and group.state == "failed":
            raise ProcessError(f"{readable(group.name)} failed. {group.replicas[0].reason}")


class _Output:
    """Says what services print, each line once.

    Args:
        runner: Who runs them.
        echo: Told each line.
    """

    def __init__(self, runner: Runner, echo: Echo) -> None:
        self._runner, self._echo = runner, echo
        self._cursors: dict[tuple[str, int], str] = {}

    def follow(self) -> None:
        """Say what they print, until all of them have ended."""
        while not all(group.state in _ENDED for group in self.tell()):
            time.sleep(_LOOK_SECONDS)

    def tell(self) -> list[GroupState]:
        """Say what they have printed since the last time; return how they do."""
        return asyncio.run(self._tell())

    async def _tell(self) -> list[GroupState]:
        groups = await self._runner.list_groups()
        for group in groups:
            label = f"{readable(group.name, limit=20)} | " if len(groups) > 1 else ""
            for replica in group.replicas:
                for line in await self._new_lines(group.id, replica.replica):
                    self._echo(f"{label}{line}")
        return groups

    async def _new_lines(self, service_id: str, replica: int) -> list[str]:
        after = self._cursors.get((service_id, replica), "")
        part = await self._runner.log(service_id, lines=_MOST_LINES, replica=replica, after=after)
        self._cursors[service_id, replica] = part.cursor
        return part.lines


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """End in good order when the terminal is closed, or somebody ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {n: signal.signal(n, interrupt) for n in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
