"""Envoy configuration as protobuf's JSON form: the one helper everything here is written with."""

from __future__ import annotations

from typing import Any

from .message_types import EXTENSIONS

Config = dict[str, Any]
"""A message in protobuf's JSON form."""

TYPE_URL = "type.googleapis.com/"
"""What protobuf puts before a message's name in an Any."""

_KNOWN = frozenset(EXTENSIONS)


def typed(name: str, config: Config) -> Config:
    """Return a message packed into an Any.

    Raises:
        LookupError: A bug: the message is not listed in `message_types`.

    Example:
        >>> typed("envoy.extensions.filters.http.router.v3.Router", {})
        {'@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router'}
    """
    if name not in _KNOWN:
        raise LookupError(
            f"{name} is not in EXTENSIONS of message_types.py: add it there, "
            "and install the package again (pip install --editable .)"
        )
    return {"@type": f"{TYPE_URL}{name}", **config}
