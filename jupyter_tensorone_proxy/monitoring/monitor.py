"""`Monitor`: watches exposed services in the background, and says how they do.

It runs in a thread of its own, or in the caller's event loop; either way it raises nothing while it
watches: what goes wrong is what it shows.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..client import AsyncProxyClient, ProxyClient
from ..settings import Settings
from .alerts import Alert, AlertEvent
from .arguments import check_metrics, check_people, check_services, read_alerts, within
from .board import Board, Plan
from .delivery import Callback, Channel, JupyterEvents, LogLines, OnAlert, Webhook
from .results import MonitorResult
from .visiting import User
from .watching import Visit, Watching

if TYPE_CHECKING:
    from typing_extensions import Self

_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.2, 3600.0
_LONGEST_HISTORY = 10_000
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02


class Monitor:
    """Watches exposed services through their URLs.

    Args:
        services: Ports or names; everything that is exposed, also later, if there is none.
        alerts: When you want to hear of it: `Alert`s, or lines such as ``error_rate > 5 %``.
        interval_seconds: From one look to the next, 0.2–3600 s.
        history: How many values are kept of each measure, 2–10,000.
        metrics: Port or name → path of its Prometheus metrics. None looks for them at
            ``/metrics`` of each service that has no replicas.
        on_alert: Called with each `AlertEvent`, in another thread; may be asynchronous.
        webhook: Where each alert is posted as JSON; http or https.
        client: Where; by default what `ProxyClient()` finds. Its settings are used.
        user: In whose name the monitor signs in, or port or name → in whose there; you by default.
        token: A user's token to sign in with, instead of links of the gateway.
        timeout_seconds: How long one request may take, 0.1–60 s.

    Raises:
        InvalidAlertError: An alert is wrong.
        ConfigurationError: Another value is wrong, or the API is missing.

    Example:
        >>> monitor = Monitor(8000, alerts=["response_time > 2 s for 30 s"])  # doctest: +SKIP
        >>> with monitor:  # doctest: +SKIP
        ...     print(monitor.result())
    """

    def __init__(  # noqa: PLR0913 - keyword-only, each with a default
        self,
        *services: int | str,
        alerts: Sequence[Alert | str] = ("health",),
        interval_seconds: float = 10.0,
        history: int = 360,
        metrics: Mapping[int | str, str] | None = None,
        on_alert: OnAlert | None = None,
        webhook: str | None = None,
        client: ProxyClient | AsyncProxyClient | None = None,
        user: User = None,
        token: str | None = None,
        timeout_seconds: float = 5.0,
    ) -> None:
        within("interval_seconds", interval_seconds, _SHORTEST_SECONDS, _LONGEST_SECONDS)
        within("history", history, 2, _LONGEST_HISTORY)
        within("timeout_seconds", timeout_seconds, 0.1, 60)
        check_services(services)
        check_metrics(metrics)
        check_people(user, token)
        judged = read_alerts(alerts)
        self._plan = Plan(services, judged, metrics, float(interval_seconds), int(history))
        self._channels: list[Channel] = [LogLines()]
        if on_alert is not None:
            self._channels.append(Callback(on_alert))
        if webhook is not None:
            self._channels.append(Webhook(webhook))
        if (told := JupyterEvents.of_this_kernel()) is not None:
            self._channels.append(told)
        self._settings: Settings | None = None if client is None else client.settings
        self._visit = Visit(user, token, float(timeout_seconds))
        self._board = Board()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    def __repr__(self) -> str:
        state = "watching" if self.running else "stopped"
        return f"<Monitor: {state}, {len(self._board.views)} services>"

    @property
    def running(self) -> bool:
        """Whether it watches now."""
        thread, task = self._thread, self._task
        return (thread is not None and thread.is_alive()) or (task is not None and not task.done())

    @property
    def interval_seconds(self) -> float:
        """From one look to the next."""
        return self._plan.interval_seconds

    @property
    def events(self) -> tuple[AlertEvent, ...]:
        """The last alerts that began or recovered, the oldest first."""
        with self._board.lock:
            return tuple(self._board.events)

    def result(self) -> MonitorResult:
        """Return how everything does, as it was at the last look."""
        with self._board.lock:
            board = self._board
            return MonitorResult(board.views, tuple(board.events), board.problem, board.looks)

    def start(self) -> Self:
        """Begin to watch, in a thread of its own; nothing happens if it does already.

        Raises:
            ConfigurationError: Nothing says where the API is.
        """
        if not self.running:
            watching = self._watching()
            self._stop, self._loop = asyncio.Event(), asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_run, args=(self._loop, watching.run(self._stop)), daemon=True
            )
            self._thread.start()
            atexit.register(self.stop)  # a kernel that ends signs its monitors out
        return self

    def stop(self) -> None:
        """Stop watching, sign out, and wait until that is done, if a thread watches."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        with contextlib.suppress(RuntimeError):  # it ended by itself meanwhile
            loop.call_soon_threadsafe(self._stop.set)
        if thread is not threading.current_thread():
            thread.join(_STOP_SECONDS)
        self._thread = self._loop = None
        atexit.unregister(self.stop)

    def check(self) -> MonitorResult:
        """Look at everything once, now, and return how it does; rates need two looks.

        Raises:
            ConfigurationError: Nothing says where the API is.
        """
        if self.running:
            return self.wait_for_look()
        watching = self._watching()
        thread = threading.Thread(target=lambda: asyncio.run(watching.look_once()))
        thread.start()  # a notebook's own thread has a loop already
        thread.join()
        return self.result()

    def wait_for_look(self) -> MonitorResult:
        """Wait until the round that comes next is done, and return how everything does.

        Returns at once if it does not watch.
        """
        seen = self._board.looks
        while self._board.looks < seen + 1 and self.running:
            time.sleep(_POLL_SECONDS)
        return self.result()

    def on_look(self, call: Callable[[], None]) -> None:
        """Have something called after each round, in the thread that watches.

        Args:
            call: What is called; it should be quick.
        """
        self._board.on_look.append(call)

    def show(self) -> Any:
        """Show how everything does, and go on showing it while it watches; starts it if need be.

        Returns:
            In a notebook with ipywidgets a widget, else what was shown last.

        Raises:
            ConfigurationError: Nothing says where the API is.
        """
        from .live import show

        return show(self.start())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        result = self.result()
        return {"text/plain": f"{self!r}\n{result.text()}", "text/html": result.html()}

    async def run_async(self) -> None:
        """Watch in the caller's event loop, until cancelled.

        Raises:
            ConfigurationError: Nothing says where the API is.
        """
        await self._watching().run(asyncio.Event())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._watching().run(self._stop))
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._task is not None:
            await self._task
        self._task = None

    def _watching(self) -> Watching:
        """Return what watches; a gateway that is just starting is waited for.

        Raises:
            ConfigurationError: Nothing says where the API is.
        """
        if self._settings is None:
            with ProxyClient() as client:
                self._settings = client.settings
        return Watching(self._plan, self._settings, self._visit, self._channels, self._board)


def _run(loop: asyncio.AbstractEventLoop, watching: Coroutine[Any, Any, None]) -> None:
    try:
        loop.run_until_complete(watching)
    finally:
        loop.close()
