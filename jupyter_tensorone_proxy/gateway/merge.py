"""JSON Merge Patch (RFC 7396): how a partial update becomes a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge_patch(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return target with the patch applied (RFC 7396).

    Example:
        >>> merge_patch({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 5}, "d": None})
        {'a': {'b': 5, 'c': 2}}
    """
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            old = merged.get(name)
            merged[name] = merge_patch(old if isinstance(old, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
