"""A health check of a host that drops packets holds nobody else up.

Targets are loopback ports, which drop nothing by themselves. A socket that listens and accepts
nothing does, once its queue is full: the kernel then lets further connections wait (Linux).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import wait_until
from tests.fixtures.traffic import Expose, Visit

TIMEOUT_SECONDS = 20
"""How long a check waits; whoever has to wait for one waits about as long."""


@contextmanager
def black_hole() -> Iterator[int]:
    """Listen on a port where connections are never answered; yields the port."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(address)
        probe = stack.enter_context(socket.socket())
        probe.settimeout(1)
        with pytest.raises(TimeoutError):
            probe.connect(address)
        yield address[1]


@pytest.mark.parametrize("path", ["/health", None])
def test_a_check_that_gets_no_answer_delays_no_other_mapping(
    client: ProxyClient, expose: Expose, visit: Visit, path: str | None
) -> None:
    """Others are created, changed and removed, and serve, while the first check still waits."""
    check = {"path": path, "interval_seconds": 60, "timeout_seconds": TIMEOUT_SECONDS}
    with black_hole() as port:
        start = time.monotonic()
        silent = client.create_port(
            internal_port=port,
            description="silent",
            access_control={"public_access": True},
            health_check={k: v for k, v in check.items() if v is not None},
        )
        other = expose("other", health_check={"path": "/health", "interval_seconds": 1})
        assert visit().get(other.url).status_code == 200
        client.update_port(other.mapping.id, description="changed")
        client.update_port(silent.id, description="still silent")
        another = expose("another")
        assert visit().get(another.url).status_code == 200
        assert wait_until(lambda: health(client, other.mapping.id) == "healthy", seconds=10)
        client.delete_port(silent.id)
        assert time.monotonic() - start < TIMEOUT_SECONDS - 5


def health(client: ProxyClient, mapping_id: str) -> str | None:
    """Return a mapping's health."""
    return next(m.health_status for m in client.list_ports() if m.id == mapping_id)


def test_a_new_check_that_gets_no_answer_delays_no_other_mapping(
    client: ProxyClient, expose: Expose, visit: Visit
) -> None:
    """The same when an existing mapping is led to the silent port, or a replica is."""
    moved = expose("moved", health_check={"path": "/health", "timeout_seconds": TIMEOUT_SECONDS})
    with black_hole() as port, black_hole() as replica:
        start = time.monotonic()
        client.update_port(moved.mapping.id, internal_port=port)
        other = expose("other")
        assert visit().get(other.url).status_code == 200
        client.update_port(moved.mapping.id, replicas=[replica])
        another = expose("another")
        assert visit().get(another.url).status_code == 200
        assert time.monotonic() - start < TIMEOUT_SECONDS - 5
