"""The panel's one thread: it looks, waits for news, and does what was clicked.

A thread, because updates from the kernel's own event loop stop while a cell runs. It has an event
loop, so that waiting ends at once: for a click, for news, for the end. It never touches a widget;
an `Audience` is told, and has to be ready to be told from this thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ...client import AsyncProxyClient, ProxyClient
from ...commands.rows import Viewer
from ...detection.watcher import DetectedPort
from ...errors import NotSupportedError, ProxyError
from ...settings import Settings, resolve_settings
from .news import Feed, Pace
from .own_ports import OwnPorts
from .picture import Picture, look

_log = logging.getLogger(__name__)
VIA = "panel"
_TICK_SECONDS = 2.0
_GAP_SECONDS = 0.5
"""The least time between two looks that nobody asked for, however much happens."""

_WITH_FEED_SECONDS, _WITHOUT_SECONDS, _AWAY_SECONDS = 5.0, 2.0, 2.0


@dataclass(frozen=True)
class Job:
    """Something that was clicked.

    Args:
        doing: What to say while it lasts.
        run: Does it; its result is what `done` gets.
        done: Told of the result, from the worker's thread.
    """

    doing: str
    run: Callable[[ProxyClient, Viewer], Any]
    done: Callable[[Any], None]


class Audience(Protocol):
    """Who is told; every method is called from the worker's thread."""

    def opened(self) -> Collection[str]:
        """Return the ids of mappings that are looked at closely."""

    def is_watching(self) -> bool:
        """Say whether anybody may still be looking; asked every other second."""

    def show(self, picture: Picture, viewer: Viewer, settings: Settings) -> None:
        """Take a new picture."""

    def offer(self, ports: tuple[DetectedPort, ...]) -> None:
        """Take what this kernel's programs listen on."""

    def away(self, error: ProxyError) -> None:
        """Take that the API cannot be asked, and why."""

    def failed(self, error: Exception) -> None:
        """Take that a job did not work, and why."""

    def paused(self) -> None:
        """Take that nothing more comes until somebody asks."""


class Worker:
    """Runs at most one thread, and none while nobody watches.

    Args:
        audience: Who is told.
        settings: Where the API is; found out, again after each failure, if None.
    """

    def __init__(self, audience: Audience, settings: Settings | None) -> None:
        self._audience = audience
        self._settings = settings
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._bell: asyncio.Event | None = None
        self._rung = self._ended = False
        self._looked_at = 0.0

    @property
    def is_running(self) -> bool:
        """Whether there is a thread."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def wake(self, job: Job | None = None) -> None:
        """Look now, and before that do a job; starts the thread if there is none.

        Args:
            job: What was clicked.
        """
        with self._lock:
            if self._ended:
                return
            if job is not None:
                self._jobs.append(job)
            self._rung = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tensorone-panel")
                self._thread.daemon = True  # a hanging API holds no kernel's end up
                self._thread.start()
            elif self._loop is not None and self._bell is not None:
                self._loop.call_soon_threadsafe(self._bell.set)

    def end(self, patience_seconds: float) -> None:
        """Stop for good; returns once the thread is gone.

        Args:
            patience_seconds: How long to wait for it; a job that hangs is left alone then.
        """
        with self._lock:
            self._ended, thread = True, self._thread
            if self._loop is not None and self._main is not None:
                self._loop.call_soon_threadsafe(self._main.cancel)
        if thread is not None and thread is not threading.current_thread():
            thread.join(patience_seconds)

    # --- on the thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except asyncio.CancelledError:
            pass  # `end` said so
        except Exception as error:  # noqa: BLE001 - a mistake of ours is a line in the panel
            _log.debug("The panel failed.", exc_info=error)
            self._audience.failed(error)
        finally:
            self._let_go()

    async def _watch(self) -> None:
        with self._lock:
            self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
            self._bell = asyncio.Event()
            if self._ended:
                return
        ports, away = OwnPorts(), Pace(_AWAY_SECONDS)
        while not self._pauses():
            error = await self._failure(ports, away)
            if error is not None:
                self._audience.away(error)
                await self._rest(away.after(changed=False), ports)

    async def _failure(self, ports: OwnPorts, away: Pace) -> ProxyError | None:
        """Look until that fails, and return why; None once nobody looks."""
        try:
            await self._look_until_it_fails(ports, away)
        except ProxyError as error:
            return error
        return None

    async def _look_until_it_fails(self, ports: OwnPorts, away: Pace) -> None:
        self._do_jobs()
        settings = self._settings or resolve_settings()
        async with AsyncProxyClient(settings=replace(settings, via=VIA)) as client:
            feed = Feed(client)
            has_feed = await _begun(feed)
            pace = Pace(_WITH_FEED_SECONDS if has_feed else _WITHOUT_SECONDS)
            news = asyncio.create_task(feed.news()) if has_feed else None
            seen: object = None
            try:
                while self._audience.is_watching():
                    seen, before = await self._look(client, settings), seen
                    away.after(changed=True)
                    await self._rest(pace.after(changed=seen != before), ports, news)
                    if news is not None and news.done():
                        news.result()
                        pace.after(changed=True)
                        news = asyncio.create_task(feed.news())
                        await self._rest(self._looked_at + _GAP_SECONDS - _time(), ports)
            finally:
                if news is not None:
                    news.cancel()
                    await asyncio.gather(news, return_exceptions=True)

    async def _look(self, client: AsyncProxyClient, settings: Settings) -> object:
        """Do what was clicked, tell of what is there, and return what people would see change."""
        self._take_ring()
        self._do_jobs()
        self._looked_at = _time()
        viewer = Viewer.of(settings)
        picture = await look(client, viewer, self._audience.opened())
        self._audience.show(picture, viewer, settings)
        return picture.shown

    def _do_jobs(self) -> None:
        while self._jobs:
            job = self._jobs.popleft()
            try:
                settings = self._settings or resolve_settings()
                with ProxyClient(settings=replace(settings, via=VIA)) as client:
                    job.done(job.run(client, Viewer.of(settings)))
            except Exception as error:  # noqa: BLE001 - the panel says it; nobody else would hear
                _log.debug("The panel could not do it.", exc_info=error)
                self._audience.failed(error)

    async def _rest(
        self, seconds: float, ports: OwnPorts, news: asyncio.Task[None] | None = None
    ) -> None:
        """Wait for a click, for news or for the time to pass; look at our own ports meanwhile."""
        bell, end = self._bell, _time() + seconds
        while bell is not None and not self._take_ring():
            self._audience.offer(await ports.look())
            left = end - _time()
            if left <= 0 or not self._audience.is_watching():
                return
            ring = asyncio.create_task(bell.wait())
            waiting = {ring} if news is None else {ring, news}
            step = min(left, _TICK_SECONDS)
            done, _ = await asyncio.wait(waiting, timeout=step, return_when=asyncio.FIRST_COMPLETED)
            ring.cancel()
            if news in done:
                return

    def _take_ring(self) -> bool:
        """Say whether there was a `wake` since the last time."""
        with self._lock:
            rung, self._rung = self._rung, False
            if self._bell is not None:
                self._bell.clear()
            return rung

    def _pauses(self) -> bool:
        """Say whether to stop until somebody asks; from then on `wake` starts a new thread."""
        if self._audience.is_watching():
            return False
        with self._lock:
            if self._rung or self._jobs:
                return False
            self._forget_thread()
        self._audience.paused()
        return True

    def _let_go(self) -> None:
        with self._lock:
            if self._thread is threading.current_thread():
                self._forget_thread()

    def _forget_thread(self) -> None:
        self._thread = self._loop = self._main = self._bell = None


def _time() -> float:
    return asyncio.get_running_loop().time()


async def _begun(feed: Feed) -> bool:
    try:
        await feed.begin()
    except NotSupportedError:
        return False
    return True
