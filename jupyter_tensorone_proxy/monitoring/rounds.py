"""One look after the other at everything that is watched, and telling of what begins and recovers.

A round asks the API what is exposed and how much it was used, then each service how it does and for
its metrics, spread over the interval so that nothing comes in bursts.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from ..client import AsyncProxyClient
from ..errors import NotSupportedError, ProxyError
from ..models import AccessLogEntry, PortMapping, UsageStatistics
from .alerts import Alert, AlertEvent
from .board import Board, Plan
from .delivery import Delivery, log
from .rates import Rates, rates_of
from .services import WatchedService
from .thresholds import measure_of, quantity
from .visiting import MOST_BYTES, USER_AGENT, NoAnswerError, Visitor

_AT_ONCE = 50
"""How many services are asked at once: one that hangs takes a place until it is given up."""

_SPREAD = 0.8
"""Which part of the interval a round takes, if the services are quick."""

_LOG_PAGE = 1000


@dataclass(frozen=True)
class _Usage:
    """What the proxy had counted at one moment."""

    at: float
    totals: Mapping[str, int]


class Rounds:
    """Looks, round by round.

    Args:
        plan: What is watched.
        client: Leads to the API.
        visitor: Asks the services.
        delivery: Tells of alerts.
        board: Where what is known is put.
    """

    def __init__(
        self,
        plan: Plan,
        client: AsyncProxyClient,
        visitor: Visitor,
        delivery: Delivery,
        board: Board,
    ) -> None:
        self._plan, self._client, self._visitor = plan, client, visitor
        self._delivery, self._board = delivery, board
        self._services: dict[str, WatchedService] = {}
        self._usage: _Usage | None = None
        self._last_entry: int | None = None
        self._has_log = True
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            began = time.monotonic()
            try:
                await self.look(spread_seconds=self._plan.interval_seconds * _SPREAD)
            except Exception as error:  # noqa: BLE001 - a mistake of ours must not end the watch
                log.error("One look failed: %s: %s.", type(error).__name__, error)
            taken = time.monotonic() - began
            await asyncio.sleep(max(0.0, self._plan.interval_seconds - taken))

    async def look(self, *, spread_seconds: float = 0.0) -> None:
        """Look at everything once.

        Args:
            spread_seconds: Over how long.
        """
        problem = ""
        for service in self._services.values():
            service.forget_rates()
        try:
            await self._ask_the_api()
        except ProxyError as error:
            problem = str(error)
        step = spread_seconds / max(1, len(self._services))
        looks = [
            self._look_at(service, after_seconds=index * step)
            for index, service in enumerate(list(self._services.values()))
        ]
        await asyncio.gather(*looks)
        self._publish(problem)

    async def _ask_the_api(self) -> None:
        """Learn what is exposed, and how it was used since the last time."""
        exposed = {m.id: m for m in await self._client.list_ports() if self._plan.includes(m)}
        for gone in set(self._services) - set(exposed):
            self._say_gone(self._services.pop(gone))
            await self._visitor.forget(gone)
        for port_id, mapping in exposed.items():
            if port_id in self._services:
                self._services[port_id].mapping = mapping
            else:
                self._services[port_id] = self._plan.watch(mapping)
        await self._count(exposed)

    async def _count(self, exposed: Mapping[str, PortMapping]) -> None:
        """Say how many requests others made since the last time, and how many of them failed."""
        now, before = time.monotonic(), self._usage
        totals = {
            port_id: usage.total_requests
            for port_id, mapping in exposed.items()
            if isinstance(usage := mapping.usage_statistics, UsageStatistics)
        }
        self._usage = _Usage(now, totals)
        logged = await self._logged_since()
        for port_id, total in totals.items():
            service = self._services[port_id]
            ours = self._visitor.sent.pop(port_id, 0)
            if before is None or port_id not in before.totals or now <= before.at:
                continue
            grown = total - before.totals[port_id]
            others = service.others(grown if grown >= 0 else total, ours)
            rates = Rates(request_rate=others / (now - before.at) * 60)
            if logged is not None:
                rates = rates_of(logged[port_id], rates)
            service.take_traffic(rates)

    async def _logged_since(self) -> dict[str, list[AccessLogEntry]] | None:
        """Return others' last requests since the last time, by mapping; None if nobody knows."""
        if not self._has_log:
            return None
        try:
            entries = await self._client.access_logs(limit=_LOG_PAGE)
        except NotSupportedError:
            self._has_log = False
            return None
        last, self._last_entry = self._last_entry, max((e.id or 0 for e in entries), default=0)
        if last is None:
            return None
        found: dict[str, list[AccessLogEntry]] = defaultdict(list)
        for entry in entries:
            if (entry.id or 0) > last and entry.user_agent != USER_AGENT:
                found[entry.port_id or ""].append(entry)
        return found

    async def _look_at(self, service: WatchedService, *, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        if not service.speaks_http:
            service.take_word(service.mapping.health_status)
        else:
            async with self._at_once:
                await self._ask(service)
        now = time.time()
        with self._board.lock:
            service.remember(now)
        self._judge(service)

    async def _ask(self, service: WatchedService) -> None:
        try:
            answer = await self._visitor.get(service.mapping, service.path)
            service.take_health(answer)
        except NoAnswerError as error:
            service.take_failure(str(error))
            return
        if path := service.metrics_path:
            try:
                page = await self._visitor.get(service.mapping, path, limit=MOST_BYTES)
                service.take_metrics(page)
            except NoAnswerError as error:
                service.take_no_metrics(str(error))

    def _judge(self, service: WatchedService) -> None:
        values = service.seen.values()
        for vigil in service.vigils:
            value = values.get(vigil.alert.measure)
            state = vigil.look(value, time.monotonic())
            if state is None:
                continue
            reason, shown = "", quantity(measure_of(vigil.alert.measure), value)
            if vigil.alert.measure == "health":
                shown = "healthy" if value else "not well"
                reason = "" if value else service.seen.reason
            self._tell(service, vigil.alert, state, shown, reason)

    def _say_gone(self, service: WatchedService) -> None:
        """Take back the alerts of a service that is no longer exposed."""
        for vigil in service.vigils:
            if vigil.firing:
                self._tell(service, vigil.alert, "recovered", "-", "it is no longer exposed")

    def _tell(
        self, service: WatchedService, alert: Alert, state: str, value: str, reason: str
    ) -> None:
        event = AlertEvent(
            state="firing" if state == "firing" else "recovered",
            alert=str(alert),
            measure=alert.measure,
            value=value,
            name=service.name,
            port=service.mapping.internal_port,
            port_id=service.mapping.id,
            reason=reason,
            timestamp=datetime.now(timezone.utc),
        )
        with self._board.lock:
            self._board.events.append(event)
        self._delivery.tell(event)

    def _publish(self, problem: str) -> None:
        if problem and problem != self._board.problem:
            log.warning("What is exposed cannot be asked now. %s", problem)
        by_port = sorted(self._services.values(), key=lambda s: s.mapping.internal_port or 0)
        with self._board.lock:
            self._board.views = tuple(service.view() for service in by_port)
            self._board.problem = problem
            self._board.looks += 1
        self._board.told()
