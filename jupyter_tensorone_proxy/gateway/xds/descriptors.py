"""Message classes of Envoy's API, made from the descriptors that the build put beside this file.

The generated modules of xds-protos do the same, but they bring other projects' packages with them
(`opentelemetry.proto`, `google.rpc`, …), in versions that other programs of the environment, such
as MLflow, cannot use; and they are a hundred modules instead of one file. The pool is private for
the same reason: whatever else is imported here does not meet it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from ...errors import GatewayError
from .message_types import EXTENSIONS, RESOURCES, SERVICES

Message = Any
"""A protobuf message: its class is made at run time, so no type checker knows its fields."""

DESCRIPTORS = "envoy.binpb"
"""A serialized FileDescriptorSet in which every file comes after those it imports."""

_REMEDY = "Install the package again; in a checkout: pip install --editable ."


@cache
def pool() -> descriptor_pool.DescriptorPool:
    """Return the pool of everything in `message_types`; it is read once.

    Raises:
        GatewayError: The file is missing, damaged, or older than the list.
    """
    path = Path(__file__).with_name(DESCRIPTORS)
    try:
        files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
    except OSError as error:
        raise GatewayError(
            f"{path}, which the build makes, cannot be read: {error.strerror}.", suggestion=_REMEDY
        ) from None
    except message.DecodeError:
        raise GatewayError(f"{path} is damaged.", suggestion=_REMEDY) from None
    made = descriptor_pool.DescriptorPool()
    for file in files.file:
        made.Add(file)
    try:
        for name in (*RESOURCES, *EXTENSIONS):
            made.FindMessageTypeByName(name)
        for name in SERVICES:
            made.FindServiceByName(name)
    except KeyError:
        raise GatewayError(
            f"{path} is of another version: {name} is not in it.", suggestion=_REMEDY
        ) from None
    return made


@cache
def _classes() -> dict[str, type[Message]]:
    """Return every message class that may be needed, by name.

    protobuf forgets a class that nobody holds, and makes it anew for the next message.
    """
    made: dict[str, type[Message]] = {}
    waiting = [pool().FindMessageTypeByName(name) for name in (*RESOURCES, *EXTENSIONS)]
    methods = [m for name in SERVICES for m in pool().FindServiceByName(name).methods]
    waiting += [kind for method in methods for kind in (method.input_type, method.output_type)]
    while waiting:
        descriptor = waiting.pop()
        if descriptor.full_name not in made:
            made[descriptor.full_name] = message_factory.GetMessageClass(descriptor)
            waiting += [f.message_type for f in descriptor.fields if f.message_type is not None]
    return made


def message_class(name: str) -> type[Message]:
    """Return the class of a message.

    Args:
        name: Its full name: one of `message_types`, or one that those refer to.

    Raises:
        GatewayError: As for `pool`.

    Example:
        >>> message_class("envoy.config.cluster.v3.Cluster")(name="web").name
        'web'
    """
    return _classes()[name]
