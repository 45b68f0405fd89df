"""R42: one HTTP/2 connection cannot raise the gateway's memory by 200 MB, whatever it does."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import ContinuationFrame, HeadersFrame, PingFrame, SettingsFrame

from tests.fixtures.gateway import RunningGateway
from tests.fixtures.processes import admin
from tests.fixtures.services.web import WebService
from tests.gateway.conftest import ExposePort

_MOST_BYTES = 200_000_000
_STREAMS = 100
_SECONDS = 8.0


class Client:
    """One HTTP/2 connection that keeps to the protocol only as far as it likes."""

    def __init__(self, opened: ssl.SSLSocket, authority: str, *, window: int) -> None:
        self.opened = opened
        self._host = authority
        self.h2 = H2Connection(H2Configuration(client_side=True, validate_outbound_headers=False))
        self.h2.initiate_connection()
        self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()

    def headers(self, path: str, method: str = "GET") -> list[tuple[str, str]]:
        """Return the headers of a request."""
        pseudo = {":method": method, ":scheme": "https", ":authority": self._host, ":path": path}
        return list(pseudo.items())

    def request(self, path: str, method: str = "GET", *, end: bool = True) -> int:
        """Begin a request; returns its stream."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, self.headers(path, method), end_stream=end)
        return stream

    def flush(self) -> None:
        """Send what is due; raises OSError once the gateway has closed."""
        self.opened.sendall(self.h2.data_to_send())

    def read(self, *, seconds: float = 0.05) -> bool:
        """Take in what has come; says whether the connection is still open."""
        self.opened.settimeout(seconds)
        try:
            data = self.opened.recv(1_000_000)
        except TimeoutError:
            return True
        except OSError:
            return False
        if not data:
            return False
        try:
            self.h2.receive_data(data)
        except ProtocolError:
            return False
        return True


@contextmanager
def connected(port: int, *, window: int = 65_535) -> Iterator[Client]:
    """Open one HTTP/2 connection."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    trust.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as opened,
    ):
        yield Client(opened, f"localhost:{port}", window=window)


def _read_nothing(port: int, _deaf: int) -> None:
    """Ask for a hundred large answers, and take none of them."""
    with connected(port, window=2**31 - 1) as client:
        for _ in range(_STREAMS):
            client.request("/bytes/50000000")
        client.flush()
        time.sleep(_SECONDS)


def _send_to_nobody(_port: int, deaf: int) -> None:
    """Send a hundred bodies, as much of each as is allowed, to a service that does not read."""
    with connected(deaf) as client:
        streams = [client.request("/", "POST", end=False) for _ in range(_STREAMS)]
        client.flush()
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end and client.read():
            for stream in streams:
                size = min(client.h2.local_flow_control_window(stream), 16_384)
                if size > 0:
                    client.h2.send_data(stream, b"x" * size)
            client.flush()


def _never_end_the_headers(port: int, _deaf: int) -> None:
    """Continue one header block for ever."""
    with connected(port) as client:
        block = client.h2.encoder.encode(client.headers("/"))
        first = HeadersFrame(1, data=block)
        client.opened.sendall(first.serialize())
        more = ContinuationFrame(1, data=b"\x00\x04x-aa\x7f\x80\x7e" + b"a" * 16_000).serialize()
        for _ in range(20_000):  # 320 MB
            client.opened.sendall(more)


def _blow_up_headers(port: int, _deaf: int) -> None:
    """Refer to one long header of the table as often as fits, on every stream."""
    with connected(port) as client:
        for _ in range(_STREAMS):
            stream = client.h2.get_next_available_stream_id()
            block = client.h2.encoder.encode([*client.headers("/"), ("x-long", "y" * 4000)])
            bomb = block + client.h2.encoder.encode([("x-long", "y" * 4000)]) * 10_000
            frame = HeadersFrame(stream, data=bomb[:16_000], flags=["END_HEADERS", "END_STREAM"])
            client.opened.sendall(frame.serialize())
            client.h2.highest_outbound_stream_id = stream
        client.read(seconds=2)


def _begin_and_cancel(port: int, _deaf: int) -> None:
    """Cancel each request as soon as it is asked (CVE-2023-44487)."""
    with connected(port) as client:
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            for _ in range(50):
                client.h2.reset_stream(client.request("/bytes/50000000"))
            client.flush()
            if not client.read(seconds=0.001):
                return


def _demand_answers(port: int, _deaf: int) -> None:
    """Send what must be acknowledged, and never read the acknowledgements (CVE-2019-9512)."""
    with connected(port) as client:
        many = PingFrame(0, opaque_data=b"12345678").serialize() + SettingsFrame(0).serialize()
        for _ in range(2_000):
            client.opened.sendall(many * 500)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Close what is put on it."""
    with ExitStack() as closing:
        yield closing


@pytest.mark.parametrize(
    "attack",
    [
        _read_nothing,
        _send_to_nobody,
        _never_end_the_headers,
        _blow_up_headers,
        _begin_and_cancel,
        _demand_answers,
    ],
)
def test_r42_one_connection_cannot_take_the_memory(
    gateway: RunningGateway,
    service: WebService,
    expose: ExposePort,
    attack: Callable[[int, int], None],
    stack: ExitStack,
) -> None:
    """Envoy's highest memory grows by less than 200 MB, and it goes on serving."""
    mapping = expose(service.port)
    assert mapping.external_port is not None
    deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2 * _STREAMS))
    deaf_port = expose(deaf.getsockname()[1], health_check={"enabled": False}).external_port
    assert deaf_port is not None
    pid = gateway.children()["envoy"]
    before = _highest_memory(pid)
    try:
        attack(mapping.external_port, deaf_port)
    except OSError:
        closed_by_the_gateway = True
    else:
        closed_by_the_gateway = False
    assert gateway.children()["envoy"] == pid
    assert _highest_memory(pid) - before < _MOST_BYTES, closed_by_the_gateway
    with gateway.visitor() as visitor:
        assert visitor.get(mapping.url or "").text == service.name


def _highest_memory(pid: int) -> int:
    """Return the most memory a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def test_the_overload_manager_is_in_force(gateway: RunningGateway, expose: ExposePort) -> None:
    """Envoy runs with bounds for its memory and its connections, and measures both."""
    expose(50_000)
    (bootstrap,) = [
        config["bootstrap"]
        for config in admin(gateway, "/config_dump")["configs"]
        if "bootstrap" in config
    ]
    overload = bootstrap["overload_manager"]
    monitors = {m["name"]: m["typed_config"] for m in overload["resource_monitors"]}
    heap = monitors["envoy.resource_monitors.fixed_heap"]
    connections = monitors["envoy.resource_monitors.global_downstream_max_connections"]
    assert int(heap["max_heap_size_bytes"]) <= 2 * 1024**3
    assert int(connections["max_active_downstream_connections"]) <= 500_000
    actions = {a["name"]: a["triggers"][0]["threshold"]["value"] for a in overload["actions"]}
    assert actions == {
        "envoy.overload_actions.shrink_heap": 0.9,
        "envoy.overload_actions.stop_accepting_requests": 0.95,
    }
