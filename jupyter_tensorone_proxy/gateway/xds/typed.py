"""Envoy configuration as protobuf's JSON form: the one helper everything here is written with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .message_types import EXTENSIONS

Config = dict[str, Any]
"""A message in protobuf's JSON form."""

TYPE_URL = "type.googleapis.com/"
"""What protobuf puts before a message's name in an Any."""

_KNOWN = frozenset(EXTENSIONS)


@dataclass(frozen=True, eq=False)
class Constant:
    """A field's value that many resources hold unchanged: the same object is parsed once.

    Args:
        config: The message; never changed.
    """

    config: Config

    @cached_property
    def version(self) -> str:
        """The hash of the message."""
        return version_of(self.config)


def version_of(config: Config) -> str:
    """Return the hash of a message, whichever process asks.

    Not of its bytes: protobuf puts a map's entries in another order in every process.
    """
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"), default=_version)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _version(constant: Constant) -> str:
    return constant.version


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
