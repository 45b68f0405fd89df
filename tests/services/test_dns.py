"""A name server behind a datagram mapping (`protocol: udp`), asked with dig."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.services.exposed import ExposedService, Start
from tests.fixtures.services.processes import ServiceProcess, program

pytestmark = pytest.mark.services

QUERIES = 300
LONG_TEXT = "x" * 250
UDP: dict[str, Any] = {
    "protocol": "udp",
    "access_control": {"authentication_required": False, "ip_whitelist": ["127.0.0.1"]},
}


@pytest.fixture(scope="module")
def dnsmasq(start: Start) -> ExposedService:
    """Start dnsmasq with records of its own; it asks nobody else."""
    command = [
        *(program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file"),
        *("--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces"),
        *("--no-resolv", "--no-hosts", "--user=", "--edns-packet-max=4096"),
        "--address=/service.test/192.0.2.7",
        *(f"--txt-record=long.test,{LONG_TEXT}" for _ in range(10)),
    ]
    return start("dnsmasq", command, mapping=UDP, ready=_answers_directly)


def _dig(port: int, *words: str) -> subprocess.CompletedProcess[str]:
    command = [program("dig"), "@127.0.0.1", "-p", str(port), "+tries=1", "+time=2", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def _answers_directly(service: ServiceProcess) -> bool:
    return _dig(service.port, "+short", "service.test").stdout == "192.0.2.7\n"


def test_p8_dig_resolves_through_the_exposed_port(dnsmasq: ExposedService) -> None:
    """A name server exposed as datagrams answers with its record."""
    assert dnsmasq.mapping.url == f"udp://localhost:{dnsmasq.port}"
    assert _dig(dnsmasq.port, "+short", "service.test").stdout == "192.0.2.7\n"


def test_p8_dig_gets_every_one_of_many_answers(dnsmasq: ExposedService, tmp_path: Path) -> None:
    """Three hundred queries, each from a port of its own, get their own answers."""
    names = [f"host-{number}.service.test" for number in range(QUERIES)]
    batch = tmp_path / "names"
    batch.write_text("".join(f"{name} A\n" for name in names))
    done = _dig(dnsmasq.port, "+noall", "+answer", "-f", str(batch))
    assert (
        re.findall(r"^(\S+)\.\s+\d+\s+IN\s+A\s+192\.0\.2\.7$", done.stdout, re.MULTILINE) == names
    )


def test_p8_answer_longer_than_a_packet_of_ethernet_arrives(dnsmasq: ExposedService) -> None:
    """A datagram of 2.5 KB passes whole (EDNS): it is neither cut nor asked for again by TCP."""
    done = _dig(dnsmasq.port, "+bufsize=4096", "+ignore", "long.test", "TXT")
    assert done.stdout.count(f'"{LONG_TEXT}"') == 10
    assert "(UDP)" in done.stdout
    assert "flags: qr aa" in done.stdout


def test_p8_address_that_is_not_listed_gets_no_answer(dnsmasq: ExposedService) -> None:
    """Another loopback address than the listed one is not served."""
    query = ["-b", "127.0.0.2", "+short", "service.test"]
    assert "192.0.2.7" not in _dig(dnsmasq.port, *query).stdout
    assert _dig(dnsmasq.service.port, *query).stdout == "192.0.2.7\n"
