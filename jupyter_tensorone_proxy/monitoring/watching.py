"""Opening what watching needs, watching until told to stop, and closing it again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from ..client import AsyncProxyClient
from ..errors import ProxyError
from ..settings import Settings
from .board import Board, Plan
from .delivery import Channel, Delivery, log
from .rounds import Rounds
from .visiting import User, Visitor

_DELIVERY_SECONDS = 3.0
_KEEP_SECONDS = 5.0


@dataclass(frozen=True)
class Visit:
    """How services are asked.

    Args:
        user: In whose name the monitor signs in; whoever watches by default.
        token: A user's token, instead of links.
        timeout_seconds: How long one request may take.
    """

    user: User
    token: str | None = field(repr=False)
    timeout_seconds: float


@dataclass(frozen=True)
class Watching:
    """All it takes to watch.

    Args:
        plan: What is watched.
        settings: Where the API is.
        visit: How services are asked.
        channels: The ways to tell of alerts.
        board: Where what is known is put.
    """

    plan: Plan
    settings: Settings
    visit: Visit
    channels: list[Channel]
    board: Board

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until told to stop.

        Args:
            stop: Tells it.
        """
        with self._said():
            async with self._opened() as rounds:
                looking = asyncio.create_task(rounds.run())
                stopping = asyncio.create_task(stop.wait())
                try:
                    await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    looking.cancel()
                    stopping.cancel()
                    await asyncio.gather(looking, stopping, return_exceptions=True)

    async def look_once(self) -> None:
        """Look at everything once, without telling anybody of alerts."""
        with self._said():
            async with self._opened(silent=True) as rounds:
                await rounds.look()

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Say what keeps it from watching, rather than raise it where nobody would catch it."""
        try:
            yield
        except ProxyError as error:
            log.warning("Nothing is watched. %s", error)
            with self.board.lock:
                self.board.problem = str(error)

    @contextlib.asynccontextmanager
    async def _opened(self, *, silent: bool = False) -> AsyncIterator[Rounds]:
        async with AsyncProxyClient(settings=self.settings) as client:
            visitor = Visitor(
                client,
                user=self.visit.user,
                token=self.visit.token,
                timeout_seconds=self.visit.timeout_seconds,
                keep_seconds=self.plan.interval_seconds * 2 + _KEEP_SECONDS,
            )
            delivery = Delivery([] if silent else self.channels)
            delivery.start()
            try:
                yield Rounds(self.plan, client, visitor, delivery, self.board)
            finally:
                await delivery.stop(patience_seconds=_DELIVERY_SECONDS)
                await visitor.close()
