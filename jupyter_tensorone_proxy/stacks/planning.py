"""What has to be done so that the proxy is as a stack says. Pure.

A mapping belongs to a stack if it carries the stack's name, which the gateway keeps. A mapping that
was there before without a stack's name is brought into line where the stack says something, and is
never removed. A mapping of another stack is left alone, and the service counts as failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ProxyError
from ..models import PortMapping, PortSettings, ProxyConfig
from .declaration import PRIORITIES, Priority, StackService
from .processes.spec import ProcessSpec

Action = Literal["create", "update", "leave", "remove", "refuse"]
EXTENSION = "stacks"
"""A server that lists it keeps the name of the stack that made a mapping."""

_NOT_RESET = {
    "internal_port",
    "internal_host",
    "external_port",
    "protocol",
    "description",
    "kernel_id",
    "stack",
    "expires_at",
}
"""What the server chooses if nobody says, what every mapping has, and what is not a stack's."""


@dataclass(frozen=True)
class Difference:
    """One value that is to change.

    Args:
        field: Its name, with dots.
        before: What it is; None if it is not set.
        after: What it becomes; None if it is reset.
    """

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What is to be done about one service.

    Args:
        action: What.
        name: The service's name, or the mapping's.
        port: The service's port.
        service: As it is declared; None if it no longer is.
        mapping: As it is; None if there is none yet.
        body: What to send.
        differences: The same, for people.
        reason: Why it is refused.
        error: The same, as it is raised, if it was raised already.
        process: What has to run before it is exposed.
        starts: Whether something of that is to be started.
        ends: Services whose processes end with it.
    """

    action: Action
    name: str
    port: int | None
    service: StackService | None = None
    mapping: PortMapping | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    error: ProxyError | None = None
    process: ProcessSpec | None = None
    starts: bool = False
    ends: tuple[str, ...] = ()

    @property
    def priority(self) -> Priority:
        """When it is its turn."""
        return self.service.priority if self.service else PRIORITIES[-1]


def remembers(config: ProxyConfig) -> bool:
    """Say whether a server keeps the name of the stack that made a mapping."""
    return EXTENSION in config.meta.extensions


def make_changes(
    name: str,
    wanted: Sequence[tuple[StackService, Mapping[str, Any]]],
    config: ProxyConfig,
) -> tuple[list[Change], list[Change]]:
    """Compare what a stack says with what there is.

    Args:
        name: The stack's name.
        wanted: Each service with the body that creates it.
        config: The proxy, without health: a mapping then has what was asked for, and no more.

    Returns:
        A change for each service, in their order; and the removal of each mapping that this stack
        made and no longer names.
    """
    mark = {"stack": name} if remembers(config) else {}
    mappings = _mappings(config)
    named = {service.port for service, _ in wanted if service.port is not None}
    taken: set[str] = set()
    changes = []
    for service, body in wanted:
        found = _find(name, body, mappings, named, taken)
        if found is not None:
            taken.add(found.id)
        changes.append(_change(name, service, {**body, **mark}, found))
    stale = [m for m in mappings if mark and m.stack == name and m.id not in taken]
    removals = [
        Change("remove", m.description or f"port {m.internal_port}", m.internal_port, mapping=m)
        for m in sorted(stale, key=lambda mapping: mapping.internal_port or 0)
    ]
    return changes, removals


def _mappings(config: ProxyConfig) -> list[PortMapping]:
    """Return the mappings; what a server says that is none is not looked at."""
    listed: Any = config.port_mappings
    return [m for m in listed if isinstance(m, PortMapping)] if isinstance(listed, list) else []


def _find(
    name: str,
    body: Mapping[str, Any],
    mappings: Sequence[PortMapping],
    named: set[int],
    taken: set[str],
) -> PortMapping | None:
    """Return the mapping of a service: that of its port, or its own of before it moved."""
    of_port = [m for m in mappings if m.internal_port == body["internal_port"]]
    moved = [
        m
        for m in mappings
        if m.stack == name
        and m.description == body["description"]
        and m.internal_port not in named
        and m.id not in taken
    ]
    return next(iter(of_port or moved), None)


def _change(
    name: str, service: StackService, body: dict[str, Any], found: PortMapping | None
) -> Change:
    if found is None:
        lines = tuple(_flat(body, {}))
        return Change("create", service.name, service.port, service, None, body, lines)
    if found.stack not in {None, name}:
        reason = f"port {service.port} belongs to the stack {found.stack!r}"
        return Change("refuse", service.name, service.port, service, found, reason=reason)
    ours = found.stack == name
    if not ours:
        body = {k: v for k, v in body.items() if k != "stack"}  # it is not this stack's to remove
    have = found.to_wire()
    patch = _patch(body, have, reset=ours)
    action: Action = "update" if patch else "leave"
    lines = tuple(_flat(patch, have))
    return Change(action, service.name, service.port, service, found, patch, lines)


def _patch(
    want: Mapping[str, Any], have: Mapping[str, Any], *, reset: bool, inside: bool = False
) -> dict[str, Any]:
    """Return the partial update (RFC 7396) that makes what there is into what is wanted.

    What this stack once set and no longer says is reset; what others set stays.
    """
    patch: dict[str, Any] = {}
    for name, value in want.items():
        old = have.get(name)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if inner := _patch(value, old, reset=reset, inside=True):
                patch[name] = inner
        elif value != old:
            patch[name] = value
    if reset:
        known = have.keys() if inside else PortSettings.model_fields.keys() - _NOT_RESET
        patch |= {k: None for k in have if k in known and k not in want and have[k] is not None}
    return patch


def _flat(patch: Mapping[str, Any], have: Any, prefix: str = "") -> Iterator[Difference]:
    for name, value in patch.items():
        old = have.get(name) if isinstance(have, Mapping) else None
        if isinstance(value, Mapping):
            yield from _flat(value, old, f"{prefix}{name}.")
        else:
            yield Difference(f"{prefix}{name}", old, value)
