"""How late each piece of a stream arrives, directly and through the gateway.

``python benchmarks/streaming.py [--events 200] [--messages 50]``

Server-sent events and gRPC messages carry the time they were sent at, so that nothing but the way
is measured; the client of the events accepts gzip and br. WebSocket frames of 1 MB are echoed: the
time is there and back. All are the very same service, once by its own port and once by its URL.
"""

from __future__ import annotations

import argparse
import http.server
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import httpx
from websockets.sync.client import connect
from websockets.typing import Origin

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measuring import percentiles
from jupyter_tensorone_proxy import PortMapping, ProxyClient
from tests.fixtures.gateway import RunningGateway, run_gateway
from tests.fixtures.services.web import web_service

PAUSE_SECONDS = 0.02


def main() -> None:
    """Run the benchmark and print delays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--messages", type=int, default=50)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        run_gateway(Path(directory)) as gateway,
        gateway.client() as client,
    ):
        with event_service(options.events) as port:
            mapping = expose(client, port)
            urls = {"direct": f"http://127.0.0.1:{port}", "gateway": f"{mapping.url}"}
            for name, url in urls.items():
                report("server-sent events", name, events(gateway, url))
        with web_service() as service:
            mapping = expose(client, service.port)
            report("1 MB WebSocket echo", "direct", echoes(service.port, None, options.messages))
            report("1 MB WebSocket echo", "gateway", echoes(gateway, mapping, options.messages))
        with grpc_service(options.events) as port:
            mapping = expose(client, port, app_protocol="grpc")
            for name, channel in channels(gateway, port, mapping).items():
                report("gRPC messages", name, messages(channel))


def expose(client: ProxyClient, port: int, **fields: str) -> PortMapping:
    """Expose a service to everybody."""
    access = {"public_access": True}
    return client.create_port(
        internal_port=port, description="stream", access_control=access, **fields
    )


def report(what: str, way: str, delays: list[float]) -> None:
    """Print one line."""
    p50, p99 = percentiles([delay * 1000 for delay in delays])
    print(f"{what:20} {way:8} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  ({len(delays)})")


# --- server-sent events --------------------------------------------------------------------


@contextmanager
def event_service(count: int) -> Iterator[int]:
    """Run a service that sends the time, again and again."""

    class Events(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for _ in range(count):
                event = f"data: {time.monotonic()}\n\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                time.sleep(PAUSE_SECONDS)
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Events)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def events(gateway: RunningGateway, url: str) -> list[float]:
    """Return how late each event came."""
    headers = {"accept-encoding": "gzip, br"}
    with gateway.visitor(headers=headers) as visitor, visitor.stream("GET", url) as answer:
        require_ok(answer)
        return [
            time.monotonic() - float(line.removeprefix("data: "))
            for line in answer.iter_lines()
            if line.startswith("data: ")
        ]


def require_ok(answer: httpx.Response) -> None:
    """End the benchmark unless the answer is a good one."""
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(f"the service was answered for by {answer.status_code}")


# --- WebSocket -----------------------------------------------------------------------------


def echoes(target: RunningGateway | int, mapping: PortMapping | None, count: int) -> list[float]:
    """Return how long each frame of 1 MB took there and back."""
    frame, times = bytes(1_000_000), []
    if isinstance(target, int):
        url, origin, context = f"ws://127.0.0.1:{target}/ws", None, None
    else:
        assert mapping
        url, origin = f"{mapping.url}/ws".replace("https", "wss"), Origin(str(mapping.url))
        context = ssl.create_default_context(cafile=target.runtime["ca_file"])
    with connect(url, ssl=context, origin=origin, max_size=None, compression=None) as socket:
        for _ in range(count):
            start = time.perf_counter()
            socket.send(frame)
            received = socket.recv()
            times.append(time.perf_counter() - start)
            if received != frame:
                raise SystemExit("a frame came back as another one")
    return times


# --- gRPC ----------------------------------------------------------------------------------


@contextmanager
def grpc_service(count: int) -> Iterator[int]:
    """Run a server that sends the time, again and again."""

    def stream(_: bytes, __: grpc.ServicerContext) -> Iterator[bytes]:
        for _number in range(count):
            yield str(time.monotonic()).encode()
            time.sleep(PAUSE_SECONDS)

    handlers = {"Stream": grpc.unary_stream_rpc_method_handler(stream)}
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("Time", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(grace=1).wait()


def channels(gateway: RunningGateway, port: int, mapping: PortMapping) -> dict[str, grpc.Channel]:
    """Return a channel to the server itself, and one through the gateway."""
    authority = Path(gateway.runtime["ca_file"]).read_bytes()
    address = str(mapping.url).removeprefix("https://")
    return {
        "direct": grpc.insecure_channel(f"127.0.0.1:{port}"),
        "gateway": grpc.secure_channel(address, grpc.ssl_channel_credentials(authority)),
    }


def messages(channel: grpc.Channel) -> list[float]:
    """Return how late each of a stream's messages came."""
    with channel:
        sent = channel.unary_stream("/Time/Stream")(b"")
        return [time.monotonic() - float(message) for message in sent]


if __name__ == "__main__":
    main()
