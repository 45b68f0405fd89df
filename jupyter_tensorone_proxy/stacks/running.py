"""Waiting for what is asynchronous where nobody can await."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def in_a_loop(ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in a thread of its own: a notebook's thread has a loop already.

    The thread takes the cell's context along: by it ipykernel knows whose output this is.
    """
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def run() -> T:
        running.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await ask()

    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(contextvars.copy_context().run, asyncio.run, run())
        try:
            return future.result()
        except BaseException:
            for loop, task in running:  # the person interrupted: end at once, as well as it goes
                if task is not None and not task.done():
                    loop.call_soon_threadsafe(task.cancel)
            raise
