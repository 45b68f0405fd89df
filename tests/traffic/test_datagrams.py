"""`protocol: udp`: datagrams, guarded by addresses alone."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import wait_until
from tests.fixtures.raw_clients import ask, dial, is_cut
from tests.fixtures.services.echo import greeter, udp_echo
from tests.fixtures.traffic import RAW, ExposeRaw


def test_datagrams_come_back(expose_raw: ExposeRaw) -> None:
    """Small and large, many of them; the URL says udp."""
    with udp_echo() as (port, _):
        made = expose_raw(port, protocol="udp")
        assert made.url == f"udp://localhost:{made.external_port}"
        for size in (1, 100, 1400):
            data = os.urandom(size)
            assert ask(made, data) == data
        answers = {ask(made, str(number).encode()) for number in range(200)}
        assert answers == {str(number).encode() for number in range(200)}


@pytest.mark.parametrize(
    ("access", "admitted", "refused"),
    [
        ({"ip_whitelist": ["127.0.0.2"]}, ["127.0.0.2"], ["127.0.0.1"]),
        ({"ip_whitelist": ["127.0.0.0/30"]}, ["127.0.0.1", "127.0.0.3"], ["127.0.0.4"]),
        (
            {"ip_whitelist": ["127.0.0.0/8"], "blocked_ips": ["127.0.0.2"]},
            ["127.0.0.1"],
            ["127.0.0.2"],
        ),
        ({"blocked_ips": ["127.0.0.0/30"]}, ["127.0.0.4"], ["127.0.0.1", "127.0.0.3"]),
        ({"blocked_ips": ["0.0.0.0/0"]}, [], ["127.0.0.1"]),
    ],
)
def test_datagrams_are_judged_by_address(
    expose_raw: ExposeRaw, access: dict[str, Any], admitted: list[str], refused: list[str]
) -> None:
    """What is not admitted gets no answer, and does not reach the service."""
    with udp_echo() as (port, heard):
        made = expose_raw(port, protocol="udp", access_control={**RAW, **access})
        assert [ask(made, b"in", a) for a in admitted] == [b"in"] * len(admitted)
        assert [ask(made, b"out", a) for a in refused] == [None] * len(refused)
        assert b"out" not in heard


def test_the_clusters_lists_hold_for_raw_services_too(
    expose_raw: ExposeRaw, trust: ssl.SSLContext, cluster: ProxyClient
) -> None:
    """They are in force at once for bytes and for datagrams."""
    with greeter() as (tcp, _), udp_echo() as (udp, _):
        bytes_, datagrams = expose_raw(tcp, app_protocol="tcp"), expose_raw(udp, protocol="udp")
        cluster.update_access(blocked_ips=["127.0.0.1"])
        assert wait_until(lambda: is_cut(bytes_, trust, "127.0.0.1"))
        assert wait_until(lambda: ask(datagrams, b"x") is None)
        assert ask(datagrams, b"x", "127.0.0.2") == b"x"


def test_tcp_and_udp_of_one_number_are_two_mappings(
    expose_raw: ExposeRaw, trust: ssl.SSLContext
) -> None:
    """DNS and QUIC use both; each is exposed by itself."""
    with udp_echo() as (port, _), socket.create_server(("127.0.0.1", port)) as listening:

        def hang_up() -> None:
            listening.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        check = {"enabled": False}
        bytes_ = expose_raw(port, app_protocol="tcp", health_check=check)
        datagrams = expose_raw(port, protocol="udp")
        assert ask(datagrams, b"x") == b"x"
        with dial(bytes_, trust) as raw:
            assert raw.recv(10) == b""
