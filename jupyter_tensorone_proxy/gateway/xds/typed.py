"""Envoy configuration as protobuf's JSON form: the one helper everything here is written with."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]
"""A message in protobuf's JSON form."""


def typed(name: str, config: Config) -> Config:
    """Return a message packed into an Any.

    Example:
        >>> typed("envoy.extensions.filters.http.router.v3.Router", {})
        {'@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router'}
    """
    return {"@type": f"type.googleapis.com/{name}", **config}
