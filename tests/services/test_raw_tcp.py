"""Services that are not HTTP, as raw bytes over TLS: Redis and Dask.

Nobody can sign in there, so they are exposed to listed addresses only, and on purpose.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.services.exposed import RAW_TCP, ExposedService, Start
from tests.fixtures.services.processes import accepts, need, program, run_service

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def redis(start: Start) -> ExposedService:
    """Start Redis without persistence."""
    command = [program("redis-server"), "--bind", "127.0.0.1", "--port", "{port}", "--save", ""]
    return start("Redis", command, mapping=RAW_TCP)


@pytest.fixture(scope="module")
def dask(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExposedService]:
    """Start a Dask scheduler with one worker; only the scheduler is exposed."""
    need("distributed")
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host=127.0.0.1", "--port={port}", "--no-dashboard"]
    exposed = start("Dask", scheduler, mapping=RAW_TCP)
    address = f"tcp://127.0.0.1:{exposed.service.port}"
    worker = [*dask, "worker", address, "--no-nanny", "--nthreads=1", "--no-dashboard"]
    listening = "--listen-address=tcp://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("worker")
    with run_service("Dask worker", [*worker, listening], folder, ready=accepts):
        yield exposed


def _redis_cli(redis: ExposedService, *words: str, stdin: bytes = b"") -> bytes:
    """Run redis-cli through the exposed port; its certificate is checked."""
    address = [program("redis-cli"), "-h", "localhost", "-p", str(redis.port)]
    command = [*address, "--tls", "--cacert", redis.ca_file, *words]
    return subprocess.run(command, check=True, input=stdin, capture_output=True, timeout=60).stdout


def test_p6_redis_answers_a_ping(redis: ExposedService) -> None:
    """redis-cli with TLS speaks to a Redis that has none."""
    assert redis.mapping.url == f"tls://localhost:{redis.port}"
    assert _redis_cli(redis, "PING") == b"PONG\n"


def test_p6_redis_returns_a_large_value_unchanged(redis: ExposedService) -> None:
    """5 MB of any bytes come back as they went."""
    value = bytes(range(256)) * 20_000
    assert _redis_cli(redis, "-x", "SET", "large", stdin=value) == b"OK\n"
    assert _redis_cli(redis, "--raw", "GET", "large") == value + b"\n"


@pytest.mark.parametrize("offered", [[], ["redis"], ["h2", "http/1.1"]], ids=str)
def test_p6_raw_client_may_offer_any_protocol_name(
    redis: ExposedService, offered: list[str]
) -> None:
    """What a TLS client offers as its protocol (ALPN) closes no door: the bytes pass."""
    context = redis.tls()
    if offered:
        context.set_alpn_protocols(offered)
    with (
        socket.create_connection(("127.0.0.1", redis.port), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"
        assert connection.selected_alpn_protocol() is None


def test_p6_dask_client_computes_through_the_url(dask: ExposedService, tmp_path: Path) -> None:
    """A Dask client over TLS submits work to a scheduler that speaks plain TCP."""
    from distributed import Client, Security

    assert dask.mapping.url is not None
    # Dask takes an authority only together with a certificate of the client's own; nobody reads it.
    own: Any = Security.temporary()
    security = Security(
        tls_ca_file=dask.ca_file,
        tls_client_cert=own.tls_client_cert,
        tls_client_key=own.tls_client_key,
        require_encryption=True,
    )
    with Client(dask.mapping.url, security=security, timeout="30s") as client:
        assert client.submit(pow, 2, 10).result(timeout=30) == 1024
        assert client.gather(client.map(abs, range(-50, 0))) == list(range(50, 0, -1))
        large = client.submit(bytes, 10_000_000).result(timeout=60)
    assert large == bytes(10_000_000)
