"""Saying that something takes longer than expected. Knows no terminal and no notebook."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator

PATIENCE_SECONDS = 1.0
"""How long people wait before they want to know what is going on."""


@contextlib.contextmanager
def announce_if_slow(
    announce: Callable[[], object], *, after_seconds: float = PATIENCE_SECONDS
) -> Iterator[None]:
    """Call `announce` once, from another thread, if the block is still running after a while.

    When the block has ended, `announce` has returned or will never be called.

    Args:
        announce: Says what is going on.
        after_seconds: Patience, in seconds.

    Example:
        >>> with announce_if_slow(lambda: print("Exposing port 6006 …")):
        ...     pass
    """
    # The thread takes the cell's context along: by it ipykernel knows whose output this is.
    context = contextvars.copy_context()
    timer = threading.Timer(after_seconds, context.run, [announce])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
