"""Showing how far a stack is, once it takes longer than people wait without a word.

A terminal has one line that is written over; a notebook has one display that is updated; nobody
else is told anything. This is the one module of the package that knows IPython.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Any

from ..commands.progress import PATIENCE_SECONDS
from ..commands.rows import readable
from ..commands.surroundings import in_kernel

_WIDTH = 78
"""A line that wraps could not be written over."""


class Progress:
    """One line that says how far it is.

    Args:
        what: What is going on, such as ``Applying research``.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._line = f"{what} …"
        self._shown = False
        self._display: Any = None

    def __call__(self, name: str, done: int, total: int) -> None:
        """Say what is done; it is shown if the wait is long already."""
        self._line = f"{self._what}: {done} of {total}, {readable(name, limit=30)}"
        if self._shown:
            self._show()

    @contextlib.asynccontextmanager
    async def shown_if_slow(self) -> AsyncIterator[None]:
        """Show the line if the block takes longer than people wait, and take it away after it."""
        waiting = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._appear)
        try:
            yield
        finally:
            waiting.cancel()
            if self._shown:
                self._end()

    def _appear(self) -> None:
        self._shown = True
        self._show()

    def _show(self) -> None:
        if in_kernel():
            if self._display is None:
                from IPython.display import DisplayHandle

                new_handle: Any = DisplayHandle  # IPython annotates it partly
                self._display = new_handle()
                self._display.display({"text/plain": self._line}, raw=True)
            else:
                self._display.update({"text/plain": self._line}, raw=True)
        elif sys.stderr.isatty():
            print(f"\r{self._line[:_WIDTH]:<{_WIDTH}}", end="", file=sys.stderr, flush=True)  # noqa: T201 - a terminal's progress

    def _end(self) -> None:
        if self._display is not None:
            self._display.update({"text/plain": f"{self._line} · ended"}, raw=True)
        elif sys.stderr.isatty():
            print(f"\r{'':<{_WIDTH}}\r", end="", file=sys.stderr, flush=True)  # noqa: T201 - the line goes
