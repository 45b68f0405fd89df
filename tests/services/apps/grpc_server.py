"""A gRPC server with every kind of call, without generated code. Argument: the port."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

SERVICE = "test.Echo"
cancelled = threading.Event()
taken = threading.Semaphore(0)


def reverse(message: bytes, context: grpc.ServicerContext) -> bytes:
    """Return a message backwards, with metadata before and after it."""
    metadata = dict(context.invocation_metadata())
    users = [value for key, value in context.invocation_metadata() if key == "x-forwarded-user"]
    context.send_initial_metadata((("x-before", "first"),))
    context.set_trailing_metadata(
        (
            ("x-after", "last"),
            ("x-bytes-bin", b"\x00\xff"),
            ("x-asked", metadata.get("x-ask", "")),
            ("x-asked-user", metadata.get("user_id", "")),
            ("x-users", ",".join(users)),
        )
    )
    return message[::-1]


def count(to: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    """Send numbers, each only after the client has said that it has the one before."""
    for number in range(int(to)):
        yield f"item {number}".encode()
        if not taken.acquire(timeout=20):
            context.abort(grpc.StatusCode.ABORTED, f"nobody took item {number}")


def take(message: bytes, context: grpc.ServicerContext) -> bytes:
    """Hear that the client has an item."""
    taken.release()
    return b""


def total(messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    """Return the sum of what the client sends."""
    return str(sum(map(int, messages))).encode()


def chat(messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    """Answer each message before the next."""
    for message in messages:
        yield b"you said " + message


def fail(message: bytes, context: grpc.ServicerContext) -> bytes:
    """Refuse, with a status, a text and metadata."""
    context.set_trailing_metadata((("x-reason", "test"),))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today: 50 % für Ana")
    return b""


def remaining(message: bytes, context: grpc.ServicerContext) -> bytes:
    """Return the seconds that are left of the client's deadline."""
    return str(context.time_remaining()).encode()


def wait(message: bytes, context: grpc.ServicerContext) -> bytes:
    """Answer only when the client has given up."""
    context.add_callback(cancelled.set)
    cancelled.wait(60)
    return b""


def was_cancelled(message: bytes, context: grpc.ServicerContext) -> bytes:
    """Say whether a waiting call learnt that its client gave up."""
    return b"yes" if cancelled.wait(10) else b"no"


HANDLERS = {
    "Reverse": grpc.unary_unary_rpc_method_handler(reverse),
    "Count": grpc.unary_stream_rpc_method_handler(count),
    "Take": grpc.unary_unary_rpc_method_handler(take),
    "Total": grpc.stream_unary_rpc_method_handler(total),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "Remaining": grpc.unary_unary_rpc_method_handler(remaining),
    "Wait": grpc.unary_unary_rpc_method_handler(wait),
    "WasCancelled": grpc.unary_unary_rpc_method_handler(was_cancelled),
}


def main(port: str) -> None:
    """Serve until the process is ended."""
    server = grpc.server(ThreadPoolExecutor(8))
    handler = grpc.method_handlers_generic_handler(SERVICE, HANDLERS)
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1])
