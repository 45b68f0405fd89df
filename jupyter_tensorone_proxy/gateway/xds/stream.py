"""One connection of Envoy: what it subscribed to, what it has, and what it was sent.

The rules are those of Envoy's xDS protocol, "Incremental xDS"; traps are named where they are
avoided.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Protocol

from .descriptors import Message, message_class
from .messages import CLUSTER, ENDPOINTS, TYPES, Resource

Key = tuple[str, str]
"""(type URL, resource name)"""

_LONGEST_REASON = 300
_RESPONSE = "envoy.service.discovery.v3.DeltaDiscoveryResponse"


class Settle(Protocol):
    """Is told what Envoy has taken, or (with a reason) refused."""

    def __call__(self, keys: Iterable[Key], reason: str | None = None) -> None:
        """Note it."""


class Stream:
    """One connection of Envoy.

    Args:
        visible: What Envoy gets to see, type → name → resource; changed by the caller.
        settle: Told what Envoy has taken, or refused and why.
    """

    def __init__(self, visible: Mapping[str, Mapping[str, Resource]], settle: Settle) -> None:
        self.outgoing: asyncio.Queue[Message | None] = asyncio.Queue()
        self._settle = settle
        self._visible = visible
        self._subscribed: dict[str, set[str]] = {}
        self._known: dict[str, dict[str, str]] = {t: {} for t in TYPES}
        self._sent: dict[str, list[Key]] = {}
        self._nonces = itertools.count(1)

    async def read(self, requests: AsyncIterator[Message]) -> None:
        """Take in what Envoy says until it goes; then `outgoing` ends too."""
        try:
            async for request in requests:
                if request.type_url in self._known:
                    self._receive(request)
        finally:
            self.outgoing.put_nowait(None)

    def push(self, keys: set[Key]) -> None:
        """Send changed resources that Envoy subscribed to, in the order of their types."""
        for type_url in TYPES:
            names = {name for key_type, name in keys if key_type == type_url}
            wanted = {n for n in names if self._wants(type_url, n)}
            # Envoy may still have it from a listener that is draining.
            self._settle((type_url, n) for n in wanted if self._is_current(type_url, n))
            self._send(type_url, wanted)
            if type_url == CLUSTER:
                # A changed cluster waits for its endpoints again, even if those are the same.
                again = names & self._known[ENDPOINTS].keys()
                self._send(ENDPOINTS, {n for n in again if self._wants(ENDPOINTS, n)}, force=True)

    def in_flight(self) -> set[Key]:
        """Return what was sent and not answered yet."""
        return {key for keys in self._sent.values() for key in keys}

    def _wants(self, type_url: str, name: str) -> bool:
        subscribed = self._subscribed.get(type_url, set())
        return name in subscribed or "*" in subscribed

    def _receive(self, request: Message) -> None:
        type_url = request.type_url
        if request.response_nonce:
            self._acknowledge(request)
        first = type_url not in self._subscribed
        subscribed = self._subscribed.setdefault(type_url, set())
        added = set(request.resource_names_subscribe)
        for name in added:  # asked for again, it is gone on Envoy's side
            self._known[type_url].pop(name, None)
        if first:
            self._known[type_url].update(request.initial_resource_versions)
            added = added or {"*"}  # an old form of "everything"
        subscribed |= added
        for name in added if not first else ():
            # Envoy asks again for what it threw away, e.g. with a listener that could not bind.
            self._known[type_url].pop(name, None)
        for name in request.resource_names_unsubscribe:
            subscribed.discard(name)
            self._known[type_url].pop(name, None)
        if "*" in added:
            added |= self._visible[type_url].keys() | self._known[type_url].keys()
        # Before it is sent: what is on its way is not yet taken.
        self._settle([(type_url, n) for n in added if self._is_current(type_url, n)])
        if added:
            self._send(type_url, added - {"*"}, answer=first, asked=True)

    def _is_current(self, type_url: str, name: str) -> bool:
        resource = self._visible[type_url].get(name)
        return resource is not None and self._known[type_url].get(name) == resource.version

    def _acknowledge(self, request: Message) -> None:
        type_url = request.type_url
        keys = self._sent.pop(request.response_nonce, [])
        if not request.HasField("error_detail"):
            later = self.in_flight()
            self._settle(key for key in keys if key not in later)
            self._send(type_url, {name for _, name in keys if self._is_introduced(type_url, name)})
            return
        for _, name in keys:
            self._known[type_url].pop(name, None)
        if len(keys) == 1:
            self._settle(keys, short_reason(request.error_detail.message))
        for _, name in keys if len(keys) > 1 else []:
            # The refusal of several names none of them; each by itself says which it is.
            self._send(type_url, {name})

    def _is_introduced(self, type_url: str, name: str) -> bool:
        resource = self._visible[type_url].get(name)
        first = resource.introduction if resource is not None else None
        return first is not None and self._known[type_url].get(name) == first.version

    def _send(
        self,
        type_url: str,
        names: set[str],
        *,
        force: bool = False,
        answer: bool = False,
        asked: bool = False,
    ) -> None:
        """Send what differs from what Envoy has.

        Args:
            type_url: The type.
            names: Which resources.
            force: Send them even if Envoy has them.
            answer: Send the response even if nothing is in it.
            asked: Say so if one does not exist; Envoy would wait 15 s for it, with everything else.
        """
        visible, known = self._visible[type_url], self._known[type_url]
        response = message_class(_RESPONSE)(type_url=type_url)
        keys: list[Key] = []
        for name in sorted(names):
            resource = visible.get(name)
            if resource is None:
                if known.pop(name, None) is not None or asked:
                    response.removed_resources.append(name)
                    keys.append((type_url, name))
                else:
                    self._settle([(type_url, name)])
            elif force or known.get(name) != resource.version:
                is_new = force or name not in known
                sent = resource.introduction if is_new and resource.introduction else resource
                response.resources.add(name=name, version=sent.version, resource=sent.body)
                known[name] = sent.version
                keys.append((type_url, name))
        if keys or answer:
            response.nonce = str(next(self._nonces))
            self._sent[response.nonce] = keys
            self.outgoing.put_nowait(response)


def short_reason(message: str) -> str:
    """Return Envoy's reason without the resource it printed, which may hold keys.

    Example:
        >>> short_reason("Proto constraint validation failed (X.Y: value must be > 0): name: ...")
        'X.Y: value must be > 0'
        >>> short_reason("Invalid duration: goo.gle/debugstr  seconds: -1")
        'Invalid duration'
    """
    match = re.search(r"Proto constraint validation failed \((.*?)\)(: |$)", message, re.DOTALL)
    # Newer protobuf puts "goo.gle/debug…" before what it prints.
    before = re.split(r"(?::\s*|^)goo\.gle/debug|: name:", message, maxsplit=1)[0]
    reason = match.group(1) if match else "".join(before.splitlines()[:1])
    if not reason or "BEGIN " in reason or "inline_string" in reason:
        reason = "the configuration was refused"
    return reason[:_LONGEST_REASON]
