"""Refused requests as events of the audit: the first one at once, then how many, once a minute.

Envoy refuses without asking anybody, and its access log has each request. The audit has one event
for each service, reason, address and person; so whoever has themselves refused a hundred thousand
times makes a handful of events. Of those who come from ever more addresses, some are named, and the
others are counted together.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..errors import StorageFullError
from .access_log import Request
from .audit import Note, Origin, current_origin
from .desired import Desired
from .refusal_reasons import may_be_refusal, reason_of
from .store import Store
from .usage_database import as_moment

_log = logging.getLogger(__name__)
_PERIOD_SECONDS = 0.5
_AGAIN_SECONDS = 60.0
_NAMED = 20
_MOST_KNOWN = 1_000
_MOST_JUDGED = 10_000


class Refusal(NamedTuple):
    """What is counted together; without an address, and whoever it was, it is all others."""

    mapping_id: str
    reason: str
    client_ip: str | None
    user: str | None


@dataclass
class _Count:
    """How often, since when, and when that was last told."""

    number: int = 0
    since: float = 0.0
    told_at: float | None = None


@dataclass
class RefusedRequests:
    """Tells that requests were refused.

    Args:
        desired: Returns what is wanted now, which says why.
        store: Keeps the events.
        again_seconds: How long the next event of the same kind waits.
        named: How many addresses and people are told apart for each service and reason.
    """

    desired: Callable[[], Desired]
    store: Store
    again_seconds: float = _AGAIN_SECONDS
    named: int = _NAMED
    _counts: dict[Refusal, _Count] = field(default_factory=dict)
    _named: Counter[tuple[str, str]] = field(default_factory=Counter)
    _judged: dict[tuple[Any, ...], Refusal | None] = field(default_factory=dict)

    def take(self, requests: Iterable[Request]) -> None:
        """Look through requests that have ended."""
        for request in requests:
            if may_be_refusal(request):
                self._count(request)

    def _count(self, request: Request) -> None:
        refusal = self._judge(request)
        if refusal is None:
            return
        count = self._counts[self._known(refusal)]
        if count.number == 0:
            count.since = request.timestamp
        count.number += 1

    def _judge(self, request: Request) -> Refusal | None:
        """Return what a request is counted as; for a while without judging its like again."""
        known_by = (
            *(request.mapping_id, request.client_ip, request.user, request.token_id),
            *(request.status, request.details),
        )
        if known_by not in self._judged:
            if len(self._judged) >= _MOST_JUDGED:
                self._judged.clear()
            reason = reason_of(request, self.desired())
            who = (request.client_ip, request.user)
            refusal = Refusal(request.mapping_id, reason, *who) if reason else None
            self._judged[known_by] = refusal
        return self._judged[known_by]

    def _known(self, refusal: Refusal) -> Refusal:
        """Return what a refusal is counted with: its like, or all that are not told apart."""
        if refusal in self._counts:
            return refusal
        place = (refusal.mapping_id, refusal.reason)
        if self._named[place] >= self.named or len(self._counts) >= _MOST_KNOWN:
            others = Refusal(*place, None, None)
            self._counts.setdefault(others, _Count())
            return others
        self._named[place] += 1
        self._counts[refusal] = _Count()
        return refusal

    async def run(self) -> None:
        """Write down what is due, again and again."""
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            self._judged.clear()  # what is wanted may be something else by now
            moment = time.monotonic()
            await self.tell(
                [r for r, c in self._counts.items() if c.number and self._is_due(c, moment)]
            )
            self._forget(moment)

    def _is_due(self, count: _Count, moment: float) -> bool:
        return count.told_at is None or moment - count.told_at >= self.again_seconds

    async def tell(self, refusals: list[Refusal] | None = None) -> None:
        """Write down what was counted; what cannot be written is counted on.

        Args:
            refusals: Only of these; None is all there are.
        """
        due = [r for r, c in self._counts.items() if c.number] if refusals is None else refusals
        if not due:
            return
        told = {refusal: self._counts[refusal].number for refusal in due}
        try:
            async with self.store.transaction() as transaction:
                for refusal, number in told.items():
                    current_origin.set(Origin(refusal.user, "visit", refusal.client_ip))
                    note = _note(refusal, number, self._counts[refusal].since)
                    transaction.events.add(note)
        except StorageFullError as error:
            _log.info("Refusals cannot be written down now: %s", error)
            return
        for refusal, number in told.items():
            count = self._counts[refusal]
            count.number, count.told_at = count.number - number, time.monotonic()
            count.since = time.time()

    def _forget(self, moment: float) -> None:
        """Forget what did not happen again, so that there is room for others."""
        for refusal, count in list(self._counts.items()):
            if count.number == 0 and self._is_due(count, moment):
                del self._counts[refusal]
                if refusal.client_ip is not None:
                    self._named[refusal.mapping_id, refusal.reason] -= 1
        self._named = +self._named


def _note(refusal: Refusal, number: int, since: float) -> Note:
    told: dict[str, Any] = {"reason": refusal.reason, "count": number}
    if refusal.user is not None:
        told["user"] = refusal.user
    if number > 1:
        told["since"] = f"{as_moment(since):%Y-%m-%dT%H:%M:%SZ}"
    return Note("request.refused", refusal.mapping_id or None, told)
