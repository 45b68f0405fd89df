"""`app_protocol: tcp`: any bytes over TLS, guarded by addresses alone."""

from __future__ import annotations

import os
import ssl
import threading
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.raw_clients import dial, is_cut
from tests.fixtures.services.echo import GREETING, greeter, tcp_echo
from tests.fixtures.traffic import RAW, ExposeRaw


def test_raw_bytes_pass_over_tls_unchanged(expose_raw: ExposeRaw, trust: ssl.SSLContext) -> None:
    """Any bytes, 2 MB of them, both ways at once; the URL says tls."""
    sent = os.urandom(2_000_000)
    with tcp_echo() as (port, _):
        made = expose_raw(port, app_protocol="tcp")
        assert made.url == f"tls://localhost:{made.external_port}"
        with dial(made, trust) as raw:
            writer = threading.Thread(target=raw.sendall, args=(sent,))
            writer.start()
            received = b""
            while len(received) < len(sent):
                received += raw.recv(65_536)
            writer.join()
    assert received == sent


@pytest.mark.parametrize(
    "access",
    [{"ip_whitelist": ["127.0.0.2"]}, {"blocked_ips": ["127.0.0.1", "127.0.0.3"]}],
)
def test_raw_connections_are_judged_by_address(
    expose_raw: ExposeRaw, trust: ssl.SSLContext, access: dict[str, Any]
) -> None:
    """Who is not admitted hears nothing of a service that speaks first, nor it of them."""
    listed = {"access_control": {**RAW, **access}, "health_check": {"enabled": False}}
    with greeter() as (port, peers):
        made = expose_raw(port, app_protocol="tcp", **listed)
        with dial(made, trust, "127.0.0.2") as raw:
            assert raw.recv(100) == GREETING
        assert [is_cut(made, trust, address) for address in ("127.0.0.1", "127.0.0.3")] == [
            True
        ] * 2
        assert len(peers) == 1


def test_who_is_blocked_by_an_empty_overlap_is_everybody(
    expose_raw: ExposeRaw, trust: ssl.SSLContext, cluster: ProxyClient
) -> None:
    """Lists that have nothing in common admit nobody, and not all."""
    cluster.update_access(ip_whitelist=["127.0.0.3"])
    listed = {"access_control": {**RAW, "ip_whitelist": ["127.0.0.2"]}}
    with greeter() as (port, peers):
        made = expose_raw(port, app_protocol="tcp", health_check={"enabled": False}, **listed)
        assert [is_cut(made, trust, f"127.0.0.{n}") for n in (1, 2, 3)] == [True] * 3
        assert peers == []
