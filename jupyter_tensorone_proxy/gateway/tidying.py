"""The loops that end things: mappings whose time is over, and what is too old to be kept.

Without the second, what Envoy is told to refuse would grow with every revocation until the next
one, and tables with every visitor.
"""

from __future__ import annotations

import asyncio
import logging

from ..errors import ApiError
from .control import Controller
from .usage import Usage

_log = logging.getLogger(__name__)
_EXPIRY_SECONDS = 1.0
_PERIOD_SECONDS = 10.0


async def stop_expired(controller: Controller) -> None:
    """Stop exposing what was to be exposed until now; look every second."""
    told = ""
    while True:
        try:
            await controller.stop_expired()
            told = ""
        except ApiError as error:
            if told != str(error):
                _log.warning("What was exposed until now cannot be stopped yet: %s", error)
            told = str(error)
        await asyncio.sleep(_EXPIRY_SECONDS)


async def keep_tidy(controller: Controller, usage: Usage) -> None:
    """Forget again and again; what cannot be forgotten now is tried at the next look."""
    told = ""
    while True:
        try:
            await controller.forget_ended()
            told = ""
        except ApiError as error:
            if told != str(error):
                _log.warning("What has ended cannot be forgotten now: %s", error)
            told = str(error)
        usage.forget_unseen()
        await asyncio.sleep(_PERIOD_SECONDS)
