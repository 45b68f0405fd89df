"""PostgreSQL as raw bytes over TLS (`app_protocol: tcp`), reached in the two ways there are.

A client since PostgreSQL 17 starts with TLS at once if asked to (`sslnegotiation=direct`). An older
one first asks in plain text whether TLS is spoken, which no TLS port can answer: it needs a relay
that puts TLS around it, such as socat.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.services.exposed import RAW_TCP, ExposedService, Start
from tests.fixtures.services.processes import ServiceProcess, need, program, run_service

pytestmark = pytest.mark.services

PASSWORD = "of-this-test"
OWNER = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL refuses to run as root."""


@pytest.fixture(scope="module")
def postgresql(start: Start) -> Iterator[ExposedService]:
    """Start PostgreSQL on a new database that asks for a password."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql"))  # pytest's own folders are root's alone
    password = folder / "password"
    password.write_text(PASSWORD)
    if OWNER:
        for path in (folder, password):
            shutil.chown(path, OWNER)
    initdb = [program("initdb"), "-D", "data", "-U", "ana", "--auth=scram-sha-256", "--no-sync"]
    subprocess.run(
        [*initdb, "--pwfile=password"], cwd=folder, user=OWNER, check=True, stdout=subprocess.PIPE
    )
    settings = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    command = [program("postgres"), "-D", "data", "-p", "{port}", *settings]
    yield start("PostgreSQL", command, folder=folder, user=OWNER, mapping=RAW_TCP)
    shutil.rmtree(folder)


@pytest.fixture
def relay(postgresql: ExposedService, tmp_path: Path) -> Iterator[ServiceProcess]:
    """Run socat: plain text on a local port, TLS with a checked certificate beyond it."""
    beyond = f"OPENSSL:localhost:{postgresql.port},cafile={postgresql.ca_file}"
    command = [program("socat"), "TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork", beyond]
    with run_service("socat", command, tmp_path) as running:
        yield running


def test_p6_psql_queries_through_a_tls_relay(relay: ServiceProcess) -> None:
    """Any version of psql works through socat."""
    address = ["-h", "127.0.0.1", "-p", str(relay.port), "-U", "ana", "-d", "postgres"]
    done = subprocess.run(
        [program("psql"), *address, "-Atc", "SELECT sum(n) FROM generate_series(1, 100000) AS n"],
        env={**os.environ, "PGPASSWORD": PASSWORD},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "5000050000\n"


def test_p6_postgresql_client_negotiates_tls_directly(postgresql: ExposedService) -> None:
    """A client since PostgreSQL 17 needs no relay, and checks the certificate and its name."""
    need("psycopg")
    import psycopg

    tls = {"sslmode": "verify-full", "sslnegotiation": "direct", "sslrootcert": postgresql.ca_file}
    with psycopg.connect(
        host="localhost",
        port=postgresql.port,
        user="ana",
        password=PASSWORD,
        dbname="postgres",
        connect_timeout=20,
        **tls,
    ) as connection:
        rows = connection.execute("SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) AS n")
        assert [(n, len(text)) for n, text in rows] == [(n, 1000) for n in range(1, 5001)]
