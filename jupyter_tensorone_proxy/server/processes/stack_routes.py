"""The REST door for stacks: which there are, applying one, and removing one with all it made."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...models import PortMapping
from ...stacks.processes.states import GroupState, told
from ...validation import parse_request
from .handler import ServicesHandler


class StacksRoute(ServicesHandler):
    """`api/stacks`: several services declared together."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the stacks of which something is exposed, or runs here."""
        mappings = await (await self.api()).list_ports()
        self.answer(_stacks(mappings, await self.runner.list_groups()))

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Apply a stack; `prune` removes what it no longer names, `dry_run` changes nothing.

        One service that fails neither stops nor undoes the others: `services_failed` has it.
        """
        from ...stacks.stack import Stack  # with monitoring and all verbs: not for a server's start

        prune, dry_run = self.flag("prune"), self.flag("dry_run")
        stack, client = parse_request(Stack, self.body()), await self.api()
        if dry_run:
            planned = await stack.plan_async(client, prune=prune, runner=self.runner)
            self.answer(planned.json())
            return
        result = await stack.apply_async(client, prune=prune, runner=self.runner)
        self.answer(result.json())


class StackRoute(ServicesHandler):
    """`api/stacks/{name}`: one stack; the name is percent-encoded."""

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """Remove all that the stack made: its mappings, then its processes."""
        from ...stacks.stack import Stack  # see `put`

        empty = Stack(name=name, services=[])
        client = await self.api()
        result = await empty.apply_async(client, prune=True, runner=self.runner)
        self.answer(result.json())


def _stacks(mappings: list[PortMapping], groups: list[GroupState]) -> list[dict[str, Any]]:
    """Return each stack with what is exposed of it and what runs of it, by name."""
    names = {mapping.stack for mapping in mappings if mapping.stack}
    names |= {group.stack for group in groups}
    return [
        {
            "name": name,
            "ports": [mapping.to_wire() for mapping in mappings if mapping.stack == name],
            "processes": [told(group) for group in groups if group.stack == name],
        }
        for name in sorted(names)
    ]
