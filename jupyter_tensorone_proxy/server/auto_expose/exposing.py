"""Doing what was decided: exposing a detected port for its own user, and telling of it.

What could not be done because the API is away is tried again until the port is gone.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...client import AsyncProxyClient
from ...detection.watcher import DetectedPort
from ...errors import (
    ApiUnreachableError,
    ConfigurationError,
    GatewayError,
    PortAlreadyMappedError,
    ProxyError,
)
from ...models import PortMapping
from .personal import NOTHING, Personal
from .policy import Decision, Limits, Wanted, decide
from .rules import Rule
from .wishes import Wish

_log = logging.getLogger(__name__)
_AWAY = (ApiUnreachableError, ConfigurationError, GatewayError)

WishesOf = Callable[[str], Awaitable[tuple[tuple[Wish, ...], list[str]]]]
Tell = Callable[[DetectedPort, Decision], None]


@dataclass
class AutoExposer:
    """Follows rules and wishes for detected ports.

    Args:
        client: Returns the API's client.
        user: In whose name, and for whom.
        rules: The configuration's.
        limits: What the administrator allows.
        wishes_of: Returns what a kernel's notebook wishes.
        tell: Told of what was decided, for people.
        personal: Returns what the user answered in a front end.
    """

    client: Callable[[], Awaitable[AsyncProxyClient]]
    user: str
    rules: Sequence[Rule]
    limits: Limits
    wishes_of: WishesOf
    tell: Tell
    personal: Callable[[], Personal] = lambda: NOTHING
    decisions: dict[int, Decision] = field(default_factory=dict)
    _waiting: dict[int, tuple[DetectedPort, Decision]] = field(default_factory=dict)

    async def found(self, port: DetectedPort) -> None:
        """Decide about a port that came, and do it."""
        wishes: tuple[Wish, ...] = ()
        if port.root.kind == "kernel":
            wishes, problems = await self.wishes_of(port.root.id)
            for problem in problems:
                _log.warning("The notebook of kernel %s: %s", port.root.id, problem)
        decision = decide(
            port,
            Wanted(self.rules, self.personal(), wishes),
            self.limits,
            exposed=sum(d.action == "expose" for d in self.decisions.values()),
        )
        self.decisions[port.port] = decision
        if decision.action == "expose":
            await self._try(port, decision)
        if decision.action != "ignore":
            self.tell(port, self.decisions[port.port])

    def gone(self, port: DetectedPort) -> None:
        """Forget a port that went; its mapping stays for as long as its kernel does."""
        self.decisions.pop(port.port, None)
        self._waiting.pop(port.port, None)

    async def retry(self) -> bool:
        """Try again what could not be done; say whether nothing is left."""
        for port, decision in list(self._waiting.values()):
            await self._try(port, decision)
        return not self._waiting

    async def _try(self, port: DetectedPort, decision: Decision) -> None:
        self._waiting.pop(port.port, None)
        try:
            await self._expose(await self.client(), port, decision.settings)
        except _AWAY as error:
            _log.info("Port %s is exposed as soon as the API is there: %s", port.port, error)
            self._waiting[port.port] = (port, decision)
        except ProxyError as error:
            _log.warning("Port %s is not exposed by itself: %s", port.port, error)
            self.decisions[port.port] = Decision("notify", because=error.message)

    async def _expose(
        self, client: AsyncProxyClient, port: DetectedPort, settings: Mapping[str, Any]
    ) -> None:
        fields = self._fields(port, settings)
        moved = await _mapping_to_move(client, fields)
        if moved is not None:
            host = {"internal_host": port.address} if port.address else {}
            await client.update_port(moved.id, internal_port=port.port, **host)
            return
        try:
            await client.create_port(**fields)
        except PortAlreadyMappedError as error:
            known_id = error.details.get("existing_mapping_id")
            known = next((m for m in await client.list_ports() if m.id == known_id), None)
            # What people exposed is theirs; what an earlier kernel left behind is this one's now.
            if known is not None and known.kernel_id and "kernel_id" in fields:
                await client.update_port(known.id, kernel_id=fields["kernel_id"])

    def _fields(self, port: DetectedPort, settings: Mapping[str, Any]) -> dict[str, Any]:
        mine = {"authentication_required": True, "allowed_users": [self.user]}
        fields: dict[str, Any] = {
            "internal_port": port.port,
            "description": port.name,
            **settings,
            "access_control": mine | dict(settings.get("access_control", {})),
        }
        if port.service and port.service.health_path and "health_check" not in fields:
            fields["health_check"] = {"path": port.service.health_path}
        if port.address:
            fields["internal_host"] = port.address
        if port.root.kind == "kernel":
            fields["kernel_id"] = port.root.id
        return fields


async def _mapping_to_move(
    client: AsyncProxyClient, fields: Mapping[str, Any]
) -> PortMapping | None:
    """Return the kernel's mapping of the same name, if that has another port: it keeps its URL."""
    if "kernel_id" not in fields:
        return None
    for mapping in await client.list_ports():
        same = (mapping.kernel_id, mapping.description)
        if same != (fields["kernel_id"], fields["description"]):
            continue
        if mapping.internal_port != fields["internal_port"]:
            return mapping
    return None
