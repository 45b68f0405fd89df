"""Serves methods of Envoy's gRPC services without generated code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import grpc
from google.protobuf import message_factory

from .descriptors import Message, pool

Behavior = Callable[[AsyncIterator[Message], grpc.aio.ServicerContext], AsyncIterator[Message]]
"""Gets the requests of one call, and yields the answers."""


def stream_handler(service: str, method: str, behavior: Behavior) -> grpc.GenericRpcHandler:
    """Return what makes a gRPC server serve one method with streams in both directions.

    Args:
        service: Its full name, one of `message_types.SERVICES`.
        method: The method's name.
        behavior: What serves one call.

    Raises:
        GatewayError: As for `descriptors.pool`.
    """
    described = pool().FindServiceByName(service).methods_by_name[method]
    handler = grpc.stream_stream_rpc_method_handler(
        behavior,
        request_deserializer=message_factory.GetMessageClass(described.input_type).FromString,
        response_serializer=message_factory.GetMessageClass(
            described.output_type
        ).SerializeToString,
    )
    return grpc.method_handlers_generic_handler(service, {method: handler})
