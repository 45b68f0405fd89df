"""What the tests of monitoring may ask for: a real gateway, being ana, and services to watch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from jupyter_tensorone_proxy import Monitor, MonitorResult, PortMapping, ProxyClient
from tests.fixtures.ana import client, gateway, running_gateway  # noqa: F401 - fixtures
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.services.web import WebService, web_service

Expose = Callable[..., PortMapping]
PUBLIC = {"authentication_required": False}
QUICK_SECONDS = 0.3
HEALTH = {"path": "/health", "interval_seconds": 30}


@pytest.fixture
def expose(client: ProxyClient) -> Iterator[Expose]:  # noqa: F811 - the fixture
    """Return a function that exposes a port, for everybody unless told."""

    def expose(port: int, name: str = "board", **fields: Any) -> PortMapping:
        asked = {"access_control": PUBLIC, **fields}
        return client.create_port(internal_port=port, description=name, **asked)

    yield expose
    for mapping in client.list_ports():
        client.delete_port(mapping.id)


@dataclass
class PageService:
    """A service whose pages a test writes.

    Args:
        pages: Path → content type and body; a body may be made piece by piece.
        statuses: Path → status, 200 at first.
        headers: Path → further headers.
        asked: The paths that were asked for.
    """

    pages: dict[str, tuple[str, bytes | Callable[[], Iterator[bytes]]]] = field(
        default_factory=lambda: {"/": ("text/plain", b"fine")}
    )
    statuses: dict[str, int] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: int = 0
    port: int = 0


@pytest.fixture
def pages() -> Iterator[PageService]:
    """Run a service whose pages the test writes."""
    with page_service() as service:
        yield service


@contextmanager
def page_service() -> Iterator[PageService]:
    """Run a service whose pages can be written."""
    service = PageService()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            service.asked.append(self.path)
            kind, body = service.pages.get(self.path, ("text/html", b"<p>not here</p>"))
            status = service.statuses.get(self.path, 200 if self.path in service.pages else 404)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            for name, value in service.headers.get(self.path, {}).items():
                self.send_header(name, value)
            if isinstance(body, bytes):
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            self.send_header("Connection", "close")
            self.end_headers()
            for piece in body():
                try:
                    self.wfile.write(piece)
                except OSError:  # the reader has had enough
                    return
                service.sent += len(piece)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield service
        server.shutdown()
        thread.join()


@dataclass
class MetricsService:
    """A service with Prometheus' own client: it counts requests that a test makes up.

    Args:
        port: Where it listens.
    """

    port: int
    _running: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Start it, with all counters at nothing."""
        registry = CollectorRegistry()
        labels = ["method", "status"]
        self.requests = Counter("http_requests", "Requests.", labels, registry=registry)
        buckets = (0.1, 0.2, 0.5, 1.0)
        self.durations = Histogram(
            "http_request_duration_seconds", "How long.", buckets=buckets, registry=registry
        )
        self.orders = Counter("shop_orders", "Orders.", registry=registry)
        server, thread = start_http_server(self.port, "127.0.0.1", registry)
        self._running.callback(thread.join)
        self._running.callback(server.server_close)
        self._running.callback(server.shutdown)

    def serve(self, count: int, *, status: int = 200, seconds: float = 0.15) -> None:
        """Count some requests."""
        self.requests.labels("GET", str(status)).inc(count)
        for _ in range(count):
            self.durations.observe(seconds)

    def stop(self) -> None:
        """End it, as a crash would."""
        self._running.close()


@pytest.fixture
def metrics() -> Iterator[MetricsService]:
    """Run a service with Prometheus' own client."""
    service = MetricsService(free_port())
    service.start()
    yield service
    service.stop()


def quick(*services: int | str, **options: Any) -> Monitor:
    """Return a monitor that looks often."""
    return Monitor(*services, interval_seconds=QUICK_SECONDS, **options)


@pytest.fixture
def board() -> Iterator[WebService]:
    """Run a web service."""
    with web_service("board") as service:
        yield service


def shows(
    monitor: Monitor, condition: Callable[[MonitorResult], bool], seconds: float = 30
) -> bool:
    """Wait until a monitor shows something; a service that is not seen yet shows nothing."""

    def shown() -> bool:
        try:
            return condition(monitor.result())
        except KeyError:
            return False

    return wait_until(shown, seconds=seconds)
