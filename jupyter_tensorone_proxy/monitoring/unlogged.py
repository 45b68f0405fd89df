"""Keeping credentials out of the logs of httpx and httpcore.

The one logs every address it asks, the other, for those who debug, the headers of every answer.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar

_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy")))
_hidden: ContextVar[bool] = ContextVar("hidden", default=False)


class _Silence(logging.Filter):
    """Drops what is logged while a credential is on its way, and nothing of anybody else's."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line is written (logging calls this)."""
        del record
        return not _hidden.get()


_SILENCE = _Silence()


@contextlib.contextmanager
def unlogged() -> Iterator[None]:
    """Have nothing logged of what the block asks; other tasks and threads are not concerned.

    Example:
        >>> with unlogged():
        ...     logging.getLogger("httpx").warning("GET https://example.com/?token=secret")
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_SILENCE)  # once, however often it is added
    before = _hidden.set(True)
    try:
        yield
    finally:
        _hidden.reset(before)
