"""Which TLS an exposed port speaks, and when it asks browsers to insist on it."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fixtures.certificates import CompanyAuthority
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.services.web import web_service

STRONG = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"]
"""Authenticated encryption; with a key exchange that keeps the past secret."""

WEAK = [
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "DHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-NULL-SHA",
    "AECDH-AES128-SHA",
]
"""No authenticated encryption, or no forward secrecy, or no certificate."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run a gateway that has a key of each kind: RSA for one name, elliptic for the others."""
    directory = tmp_path_factory.mktemp("tls")
    pair = CompanyAuthority(directory / "company").issue(
        "rsa.localhost", key=rsa.generate_private_key(65537, 2048)
    )
    host = ("--public-host", "rsa.localhost", "--external-ports", free_range(10))
    with run_gateway(directory / "state", *host, *pair.write().options) as running:
        yield running


@pytest.fixture(scope="module")
def port(gateway: RunningGateway) -> Iterator[int]:
    """Expose a web service and return its external port."""
    with web_service() as service, gateway.client() as client:
        mapping = client.create_port(internal_port=service.port, description="web")
        assert mapping.external_port is not None
        yield mapping.external_port
        client.delete_port(mapping.id)


def connect(port: int, context: ssl.SSLContext, name: str) -> tuple[str, str]:
    """Shake hands and return (protocol, cipher suite)."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        cipher = tls.cipher()
        assert cipher is not None
        return str(tls.version()), cipher[0]


def careless_client(
    version: ssl.TLSVersion, ciphers: str = "ALL:COMPLEMENTOFALL"
) -> ssl.SSLContext:
    """Return a client that takes whatever the server takes, of one version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # being old is what they are here for
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_p16_old_protocols_are_refused(port: int, version: ssl.TLSVersion) -> None:
    """The server answers TLS 1.0 and 1.1 with an alert that says why."""
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        connect(port, careless_client(version), "localhost")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_p16_current_protocols_are_spoken(port: int, version: ssl.TLSVersion) -> None:
    """TLS 1.3 is what clients get that know it; 1.2 is there for the others."""
    assert connect(port, careless_client(version), "localhost")[0] == version.name.replace("_", ".")
    assert connect(port, _client_of_today(), "localhost")[0] == "TLSv1.3"


def _client_of_today() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize("name", ["localhost", "rsa.localhost"])
@pytest.mark.parametrize("suite", STRONG)
def test_p16_strong_suites_are_spoken_with_either_kind_of_key(
    port: int, name: str, suite: str
) -> None:
    """A client of TLS 1.2 may choose any of them."""
    full = f"ECDHE-{'RSA' if name == 'rsa.localhost' else 'ECDSA'}-{suite}"
    client = careless_client(ssl.TLSVersion.TLSv1_2, full)
    assert connect(port, client, name) == ("TLSv1.2", full)


@pytest.mark.parametrize("suite", WEAK)
def test_p16_weak_suites_are_refused(port: int, suite: str) -> None:
    """A client that knows nothing better gets an alert, whichever certificate it asks for."""
    client = careless_client(ssl.TLSVersion.TLSv1_2, suite)
    for name in ("localhost", "rsa.localhost"):
        with pytest.raises(ssl.SSLError, match="alert handshake failure"):
            connect(port, client, name)


def test_hsts_is_sent_only_when_it_is_configured(gateway: RunningGateway) -> None:
    """It holds for a host name with all its ports, Jupyter's own too, so it is never a default."""
    header = "strict-transport-security"
    with web_service() as service, gateway.client() as client, gateway.visitor() as visitor:
        mapping = client.create_port(
            internal_port=service.port,
            description="web",
            access_control={"public_access": True},
        )
        url = f"https://localhost:{mapping.external_port}"
        refused = {"origin": "https://foreign.example"}
        assert header not in visitor.get(url).headers
        assert header not in visitor.post(url, headers=refused).headers
        client.update_access(security_headers={"hsts_enabled": True})
        assert visitor.get(url).headers[header] == "max-age=31536000"
        client.update_access(security_headers={"hsts_enabled": False})
        assert header not in visitor.get(url).headers
        client.delete_port(mapping.id)


def test_plain_http_never_carries_hsts(gateway: RunningGateway) -> None:
    """The redirect from http says where https is, and asks for nothing (RFC 6797, section 7.2)."""
    with web_service() as service, gateway.client() as client, gateway.visitor() as visitor:
        mapping = client.create_port(internal_port=service.port, description="web")
        client.update_access(security_headers={"hsts_enabled": True})
        answer = visitor.get(f"http://localhost:{mapping.external_port}/a?b")
        assert answer.status_code == 308
        assert answer.headers["location"] == f"https://localhost:{mapping.external_port}/a?b"
        assert "strict-transport-security" not in answer.headers
        client.update_access(security_headers={"hsts_enabled": False})
        client.delete_port(mapping.id)


def test_the_authority_file_is_of_the_local_ca_whatever_is_given(gateway: RunningGateway) -> None:
    """`ca_file` is for the names that the given certificate does not cover."""
    ca_file = Path(gateway.runtime["ca_file"])
    assert ca_file == gateway.state_dir / "ca.pem"
    assert ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")
