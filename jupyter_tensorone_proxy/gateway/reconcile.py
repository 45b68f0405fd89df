"""The loop that keeps Envoy in agreement with what is stored, whatever happened around it.

Two things come from outside and at any time: another user takes the port of a service, and a port
that Envoy could not bind becomes free. Everything else comes right when Envoy connects.
"""

from __future__ import annotations

import asyncio
import time

from .control import Controller

_OWNERSHIP_SECONDS = 0.5
_FIRST_RETRY_SECONDS = 0.5
_LAST_RETRY_SECONDS = 5.0


async def keep_agreeing(controller: Controller) -> None:
    """Look at ownership twice a second; retry what Envoy refused, ever less often up to 5 s."""
    pause = _FIRST_RETRY_SECONDS
    next_retry = time.monotonic() + pause
    while True:
        await asyncio.sleep(_OWNERSHIP_SECONDS)
        await controller.watch_ownership()
        if not controller.discovery.refusals:
            pause = _FIRST_RETRY_SECONDS
        elif time.monotonic() >= next_retry:
            await controller.reconcile()
            pause = min(2 * pause, _LAST_RETRY_SECONDS)
        else:
            continue
        next_retry = time.monotonic() + pause
