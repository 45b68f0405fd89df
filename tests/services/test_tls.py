"""The TLS of an exposed port, as strict clients and two scanners see it."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.services.processes import program
from tests.fixtures.services.web import web_service

pytestmark = pytest.mark.services

HARMLESS = {"OK", "INFO", "WARN", "DEBUG"}
"""What testssl.sh calls a finding that is none; WARN and DEBUG are about testssl.sh itself."""

LOOKED_FOR = {"heartbleed", "CCS", "ROBOT", "secure_renego", "CRIME_TLS", "POODLE_SSL"} | {
    "SWEET32",
    "FREAK",
    "DROWN",
    "LOGJAM",
    "BEAST",
    "LUCKY13",
    "RC4",
}
"""What testssl.sh looks for, by its own names (those without a CVE left out)."""


@dataclass
class Door:
    """An exposed port, and the authority that vouches for it."""

    port: int
    ca_file: str


@pytest.fixture(scope="module")
def door(gateway: RunningGateway, client: ProxyClient) -> Iterator[Door]:
    """Expose a web service."""
    with web_service() as service:
        mapping = client.create_port(internal_port=service.port, description="web")
        assert mapping.external_port is not None
        yield Door(mapping.external_port, gateway.runtime["ca_file"])
        client.delete_port(mapping.id)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_p16_pythons_default_settings_accept_the_chain(door: Door, name: str) -> None:
    """Python checks the name and the chain, with the strictness that it has since 3.13."""
    context = ssl.create_default_context(cafile=door.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    with (
        socket.create_connection(("127.0.0.1", door.port), 20) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        certificate = connection.getpeercert()
    assert certificate is not None
    assert name in [pair[1] for pair in certificate["subjectAltName"]]


def test_p16_python_refuses_the_chain_without_the_authority(door: Door) -> None:
    """Nobody trusts the local authority who was not told to."""
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", door.port), 20) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize(
    "name", [["-servername", "localhost"], ["-noservername"]], ids=["by name", "by address"]
)
def test_p16_openssl_accepts_the_chain_strictly(door: Door, name: list[str]) -> None:
    """`openssl s_client` verifies the chain by the letter of RFC 5280, and the name."""
    checks = ["-x509_strict", "-verify_return_error", "-CAfile", door.ca_file]
    host = ["-verify_hostname", "localhost"] if "localhost" in name else ["-verify_ip", "127.0.0.1"]
    client = [program("openssl"), "s_client", "-brief", "-connect", f"127.0.0.1:{door.port}"]
    done = subprocess.run(
        [*client, *name, *checks, *host],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in done.stderr


def test_p16_sslyze_finds_mozillas_intermediate_configuration(door: Door) -> None:
    """Protocols, ciphers, curves, key and certificate are what Mozilla recommends."""
    trust = ["--certinfo_ca_file", door.ca_file]
    done = subprocess.run(
        [program("sslyze"), f"localhost:{door.port}", "--mozilla_config", "intermediate", *trust],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )
    verdict = done.stdout.partition("COMPLIANCE AGAINST TLS CONFIGURATION")[2]
    assert done.returncode == 0, verdict
    assert f"localhost:{door.port}: OK - Compliant." in verdict


def test_p16_testssl_finds_nothing_vulnerable(door: Door, tmp_path: Path) -> None:
    """testssl.sh looks for every attack that it knows, and finds none."""
    report = tmp_path / "report.json"
    command = [program("testssl"), "--vulnerable", "--quiet", "--warnings", "batch", "--ip", "one"]
    done = subprocess.run(
        [*command, "--jsonfile", report, f"localhost:{door.port}"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert report.exists(), done.stdout
    findings = json.loads(report.read_text())
    assert [f for f in findings if f["severity"] not in HARMLESS] == []
    assert {f["id"] for f in findings} >= LOOKED_FOR
