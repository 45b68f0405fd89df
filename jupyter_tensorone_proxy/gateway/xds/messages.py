"""Resources of Envoy, and the step from their JSON form to bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from google.protobuf import json_format

from .descriptors import Message, message_class, pool
from .message_types import RESOURCES
from .typed import TYPE_URL, Constant, version_of

TYPES = tuple(f"{TYPE_URL}{name}" for name in RESOURCES)
"""Resource types in the order in which Envoy must learn of them."""

CLUSTER, ENDPOINTS, LISTENER, ROUTES, SECRET = TYPES


_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Resource:
    """One resource, ready to send: its version is the hash of its configuration.

    Its introduction, if it has one, goes first to an Envoy that does not know the resource yet.
    """

    type_url: str
    name: str
    version: str
    body: Message = field(repr=False, compare=False)
    introduction: Resource | None = field(default=None, repr=False)


def make_resource(
    type_url: str, config: dict[str, Any], *, introduction: dict[str, Any] | None = None
) -> Resource:
    """Check a config against its message and serialize it.

    Args:
        type_url: The resource's type.
        config: The resource, in protobuf's JSON form.
        introduction: What an Envoy that does not know it gets first; the same name.

    Raises:
        google.protobuf.json_format.ParseError: A field is misspelt or of the wrong type; the
            message has the field's path.
    """
    message = _parse(config, type_url.removeprefix(TYPE_URL))
    version = version_of(config)
    name = config["cluster_name"] if type_url == ENDPOINTS else config["name"]
    packed = message_class("google.protobuf.Any")
    body = packed(type_url=type_url, value=message.SerializeToString())
    first = make_resource(type_url, introduction) if introduction else None
    return Resource(type_url, name, version, body, first)


def _parse(config: dict[str, Any], name: str) -> Message:
    """Parse a config; its constant parts, most of a listener, are merged in ready-made."""
    constants: list[tuple[_Path, Constant]] = []
    message = message_class(name)()
    plain = _without_constants(config, (), constants)
    json_format.ParseDict(plain, message, descriptor_pool=pool())
    for path, constant in constants:
        _merge(message, path, constant)
    return message


def _without_constants(value: Any, path: _Path, found: list[tuple[_Path, Constant]]) -> Any:
    if isinstance(value, list):
        return [_without_constants(v, (*path, i), found) for i, v in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found += [((*path, k), v) for k, v in value.items() if isinstance(v, Constant)]
    return {
        k: _without_constants(v, (*path, k), found)
        for k, v in value.items()
        if not isinstance(v, Constant)
    }


def _merge(part: Any, path: _Path, constant: Constant) -> None:
    """Merge a constant into a message, or into one within a list, a map or an Any."""
    kind = getattr(part, "DESCRIPTOR", None)  # lists and maps have none
    if kind is not None and kind.full_name == "google.protobuf.Any":
        inner = message_class(part.type_url.removeprefix(TYPE_URL))()
        inner.ParseFromString(part.value)
        _merge(inner, path, constant)
        part.value = inner.SerializeToString()
    elif path:
        inner = part[path[0]] if kind is None else getattr(part, str(path[0]))
        _merge(inner, path[1:], constant)
    else:
        part.MergeFrom(_parsed(constant, part.DESCRIPTOR.full_name))


@lru_cache(maxsize=16)
def _parsed(constant: Constant, name: str) -> Message:
    return _parse(constant.config, name)
