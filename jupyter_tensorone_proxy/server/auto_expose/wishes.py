"""What a notebook wishes to have exposed: its `metadata.tensorone.expose`.

A notebook may come from anybody. So a wish says which port and how it is called and checked, and
nothing of who may come in: that is always its own user alone. A wish for public access is kept as a
question for people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...detection.watcher import DetectedPort

_MOST_WISHES = 20
_LONGEST_NAME = 100
_LAST_PORT = 65_535


@dataclass(frozen=True)
class Wish:
    """One wish.

    Args:
        port: Which port; None if any with the service.
        service: The id of a service; empty if any on the port.
        name: What people see; empty for the service's own.
        health_path: A path to check; empty for the service's own.
        wants_public: It asks for access without sign-in, which only people can give.
    """

    port: int | None = None
    service: str = ""
    name: str = ""
    health_path: str = ""
    wants_public: bool = False

    def fits(self, port: DetectedPort) -> bool:
        """Say whether the wish is about a port."""
        by_service = not self.service or (
            port.service is not None and port.service.id == self.service
        )
        return by_service and (self.port is None or self.port == port.port)


def read_wishes(metadata: Any) -> tuple[tuple[Wish, ...], list[str]]:
    """Read a notebook's wishes leniently: what is wrong is told, the rest counts.

    Args:
        metadata: The notebook's metadata.

    Returns:
        The wishes, and what could not be read.

    Example:
        >>> read_wishes({"tensorone": {"expose": [{"port": 6006, "name": "Runs"}, 7]}})
        ((Wish(port=6006, service='', name='Runs', health_path='', wants_public=False),), \
['wish 2 is not an object'])
    """
    inside = metadata.get("tensorone") if isinstance(metadata, Mapping) else None
    entries = inside.get("expose") if isinstance(inside, Mapping) else None
    if entries is None:
        return (), []
    if not isinstance(entries, list):
        return (), ["metadata.tensorone.expose is not a list"]
    wishes, problems = [], []
    for number, entry in enumerate(entries[:_MOST_WISHES], start=1):
        wish = _read(entry)
        if isinstance(wish, Wish):
            wishes.append(wish)
        else:
            problems.append(f"wish {number} {wish}")
    if len(entries) > _MOST_WISHES:
        problems.append(f"only the first {_MOST_WISHES} of {len(entries)} wishes count")
    return tuple(wishes), problems


def _read(entry: Any) -> Wish | str:
    if not isinstance(entry, Mapping):
        return "is not an object"
    port, service = entry.get("port"), entry.get("service", "")
    if port is None and not service:
        return "names neither a port nor a service"
    whole = isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= _LAST_PORT
    if port is not None and not whole:
        return "has a port that is not a number from 1 to 65535"
    if not isinstance(service, str) or not re.fullmatch(r"[a-z0-9-]{0,60}", service):
        return "has a service that is not an id of the catalogue"
    path = entry.get("health_path", "")
    if not isinstance(path, str) or (path and not re.fullmatch(r"/(?!/)[!-~]{0,500}", path)):
        return "has a health_path that is not a path"
    name = "".join(c for c in str(entry.get("name", "")) if c.isprintable())[:_LONGEST_NAME]
    return Wish(port, service, name, path, wants_public=bool(entry.get("public")))
