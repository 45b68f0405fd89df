"""Refusals of people who are known, as events of the audit.

Envoy refuses requests without asking anybody, and its access log has each. What an owner wants to
be told is that somebody who is signed in tried what they may not: once in a while, not each time.
Requests of nobody known stay in the access log alone, so that no stranger can fill the audit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import StorageFullError
from .access_log import Request
from .audit import Note, Origin, current_origin
from .control import Controller
from .store import Store
from .xds.access import is_private
from .xds.filters import VISITOR_PREFIX

_log = logging.getLogger(__name__)
_PERIOD_SECONDS = 0.5
_AGAIN_SECONDS = 300.0
_MOST_KNOWN = 1_000
_STATUSES = frozenset({302, 401, 403})
"""What somebody refused gets: the sign-in page, or the refusal."""


@dataclass
class RefusedRequests:
    """Tells that somebody known was refused, at most once in five minutes for each service.

    Args:
        controller: Knows who may come in.
        store: Keeps the events.
    """

    controller: Controller
    store: Store
    _told: dict[tuple[str, str, str], float] = field(default_factory=dict)
    _untold: list[tuple[Request, str]] = field(default_factory=list)

    def take(self, requests: Iterable[Request]) -> None:
        """Look through requests that have ended."""
        for request in requests:
            if request.user is not None and request.status in _STATUSES:
                reason = self._reason(request)
                if reason and self._is_news((request.mapping_id, request.user, reason)):
                    self._untold.append((request, reason))

    def _reason(self, request: Request) -> str | None:
        """Return why Envoy refused it; None if it did not: the service has refusals of its own."""
        desired = self.controller.desired
        mapping = desired.mappings.get(request.mapping_id)
        own_page = (request.path or "").startswith(VISITOR_PREFIX)
        if mapping is None or own_page or not is_private(mapping, desired.cluster):
            return None
        if request.token_id in desired.revocations.of(mapping.id):
            return "ended"
        return None if mapping.is_for(request.user or "") else "not invited"

    def _is_news(self, refusal: tuple[str, str, str]) -> bool:
        moment = time.monotonic()
        if moment - self._told.get(refusal, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            return False
        if len(self._told) >= _MOST_KNOWN:
            self._told = {r: t for r, t in self._told.items() if moment - t < _AGAIN_SECONDS}
        if len(self._told) >= _MOST_KNOWN:
            return False  # the access log has it
        self._told[refusal] = moment
        return True

    async def run(self) -> None:
        """Write down what was found, again and again."""
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            untold, self._untold = self._untold, []
            for request, reason in untold:
                await self._write(request, reason)

    async def _write(self, request: Request, reason: str) -> None:
        current_origin.set(Origin(request.user, "visit", request.client_ip))
        told = {"reason": reason, "user": request.user}
        try:
            async with self.store.transaction() as transaction:
                transaction.events.add(Note("request.refused", request.mapping_id, told))
        except StorageFullError as error:
            _log.info("A refusal cannot be written down now: %s", error)
