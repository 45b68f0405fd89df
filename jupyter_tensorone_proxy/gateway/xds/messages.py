"""Resources of Envoy, and the step from their JSON form to bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format

from .descriptors import Message, message_class, pool
from .message_types import RESOURCES
from .typed import TYPE_URL

TYPES = tuple(f"{TYPE_URL}{name}" for name in RESOURCES)
"""Resource types in the order in which Envoy must learn of them."""

CLUSTER, ENDPOINTS, LISTENER, ROUTES, SECRET = TYPES


@dataclass(frozen=True)
class Resource:
    """One resource, ready to send: its version is the hash of its configuration.

    Not of its bytes: protobuf puts a map's entries in another order in every process.

    Its introduction, if it has one, goes first to an Envoy that does not know the resource yet.
    """

    type_url: str
    name: str
    version: str
    body: Message = field(repr=False, compare=False)
    introduction: Resource | None = field(default=None, repr=False, compare=False)


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
    message = message_class(type_url.removeprefix(TYPE_URL))()
    json_format.ParseDict(config, message, descriptor_pool=pool())
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    version = hashlib.sha256(canonical.encode()).hexdigest()[:16]
    name = config["cluster_name"] if type_url == ENDPOINTS else config["name"]
    packed = message_class("google.protobuf.Any")
    body = packed(type_url=type_url, value=message.SerializeToString())
    first = make_resource(type_url, introduction) if introduction else None
    return Resource(type_url, name, version, body, first)
