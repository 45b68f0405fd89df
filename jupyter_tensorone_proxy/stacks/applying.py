"""Carrying out a plan: in the order of priority, several at once, each for itself.

What has to run for a service is ready before it is exposed, and stops after it no longer is. A
change that fails is told in its outcome; it neither stops nor undoes the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..client import AsyncProxyClient
from ..errors import ConflictError, ProxyError
from ..models import PortMapping
from .declaration import PRIORITIES
from .planning import Change
from .processes.runner import Runner
from .processing import end, start

_MOST_AT_ONCE = 10
"""Changes on the way at the same time; the gateway makes them one after the other anyway."""

Report = Callable[[str, int, int], None]
"""Told after each change: the service's name, how many are done, and of how many."""


@dataclass(frozen=True)
class Outcome:
    """What became of a change.

    Args:
        change: The change.
        mapping: The mapping now; None if there is none.
        error: Why it failed; None if it did not.
    """

    change: Change
    mapping: PortMapping | None
    error: ProxyError | None = None


async def carry_out(
    client: AsyncProxyClient,
    changes: Sequence[Change],
    removals: Sequence[Change],
    report: Report,
    runner: Runner | None = None,
) -> list[Outcome]:
    """Make the changes.

    What goes is removed first: its external port or domain may be wanted by what comes.

    Args:
        client: Where.
        changes: One for each service.
        removals: What goes.
        report: Told about progress.
        runner: Who runs their processes; None if there are none.

    Returns:
        The outcomes, the changes' first, in their order.
    """
    slots = asyncio.Semaphore(_MOST_AT_ONCE)
    total, done = len(changes) + len(removals), 0
    outcomes: dict[int, Outcome] = {}

    async def one(change: Change) -> None:
        nonlocal done
        async with slots:
            report(change.name, done, total)
            outcomes[id(change)] = await _attempt(client, change, runner)
        done += 1
        report(change.name, done, total)

    for together in (removals, *_by_priority(changes)):
        await asyncio.gather(*map(one, together))
    return [outcomes[id(change)] for change in (*changes, *removals)]


def _by_priority(changes: Sequence[Change]) -> Iterable[list[Change]]:
    for priority in PRIORITIES:
        yield [change for change in changes if change.priority == priority]


async def _attempt(client: AsyncProxyClient, change: Change, runner: Runner | None) -> Outcome:
    try:
        if change.action != "refuse":
            await start(change, runner)
        mapping = await _make(client, change)
        await end(change, runner)
        return Outcome(change, mapping)
    except ProxyError as error:
        return Outcome(change, change.mapping, error)


async def _make(client: AsyncProxyClient, change: Change) -> PortMapping | None:
    mapping = change.mapping
    if change.error is not None:
        raise change.error
    if change.action == "refuse":
        raise ConflictError(
            f"{change.reason[:1].upper()}{change.reason[1:]}.",
            details={"suggestion": "Remove it there, or give this service another port."},
        )
    if change.action == "create":
        return await client.create_port(**change.body)
    if mapping is None:
        return None  # only its processes are to end
    if change.action == "update":
        return await client.update_port(mapping.id, **change.body)
    if change.action == "remove":
        await client.delete_port(mapping.id)
        return None
    return mapping
