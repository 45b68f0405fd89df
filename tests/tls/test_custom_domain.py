"""Custom domains have certificates of their own."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509

from tests.fixtures.certificates import shown, strict_context, verify
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.services.web import web_service
from tests.tls.conftest import ExposeOn

DOMAIN = "api.lab.example"
OTHER = "docs.lab.example"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    """Run one gateway for each test: its authority must not know the names yet."""
    with run_gateway(tmp_path / "state") as running:
        yield running


def _names(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(names.get_values_for_type(x509.DNSName))


def test_a_custom_domain_has_a_certificate_in_its_name(
    gateway: RunningGateway, expose_on: ExposeOn
) -> None:
    """A client that trusts the local CA accepts the domain, and the host as before."""
    host = expose_on(gateway)
    before = shown(host.port).serial_number
    exposed = expose_on(gateway, custom_domain=DOMAIN)
    trusted = strict_context(Path(gateway.runtime["ca_file"]))
    assert _names(shown(exposed.port, DOMAIN)) == [DOMAIN]
    assert verify(exposed.port, DOMAIN, trusted) == "TLSv1.3"
    with gateway.visitor() as visitor:
        url = f"https://127.0.0.1:{exposed.port}/"
        headers, extensions = {"host": DOMAIN}, {"sni_hostname": DOMAIN}
        assert visitor.get(url, headers=headers, extensions=extensions).text == "web"
    assert verify(host.port, "localhost", trusted)
    assert shown(host.port).serial_number == before


def test_domains_on_one_port_have_a_certificate_each_at_once(gateway: RunningGateway) -> None:
    """The first handshake after each `create_port` is answered, and in the right name."""
    port = int(free_range(1).partition("-")[0])
    with gateway.client() as client, ExitStack() as services:
        for number in range(12):
            service = services.enter_context(web_service())
            domain = f"app-{number}.lab.example"
            client.create_port(
                internal_port=service.port,
                external_port=port,
                custom_domain=domain,
                description=domain,
                access_control={"public_access": True, "ip_whitelist": ["192.0.2.0/24"]},
            )
            assert _names(shown(port, domain)) == [domain]
        trusted = strict_context(Path(gateway.runtime["ca_file"]))
        assert verify(port, "app-0.lab.example", trusted)
        with pytest.raises(OSError, match=r".+"):
            shown(port, "unknown.lab.example")


def test_another_domain_for_a_mapping_is_served_at_once(
    gateway: RunningGateway, expose_on: ExposeOn
) -> None:
    """After an update the new name is answered, and the old one no more."""
    exposed = expose_on(gateway, custom_domain=DOMAIN)
    with gateway.client() as client:
        client.update_port(exposed.mapping.id, custom_domain=OTHER)
    assert _names(shown(exposed.port, OTHER)) == [OTHER]
    with pytest.raises(OSError, match=r".+"):
        shown(exposed.port, DOMAIN)


def test_raw_services_share_a_port_by_their_domains(gateway: RunningGateway) -> None:
    """Bytes over TLS reach the service whose name the client asked for."""
    port = int(free_range(1).partition("-")[0])
    with gateway.client() as client, ExitStack() as services:
        for domain in (DOMAIN, OTHER):
            service = services.enter_context(web_service(domain))
            client.create_port(
                internal_port=service.port,
                external_port=port,
                custom_domain=domain,
                description=domain,
                app_protocol="tcp",
                access_control={"authentication_required": False, "public_access": True},
            )
        for domain in (DOMAIN, OTHER):
            with gateway.visitor() as visitor:
                extensions = {"sni_hostname": domain}
                url = f"https://127.0.0.1:{port}/"
                assert visitor.get(url, extensions=extensions).text == domain


def test_a_domains_certificate_survives_restarts_and_removal(
    tmp_path: Path, expose_on: ExposeOn
) -> None:
    """What people accepted in their browser stays what they accepted."""
    with run_gateway(tmp_path / "state") as gateway:
        exposed = expose_on(gateway, custom_domain=DOMAIN)
        first = shown(exposed.port, DOMAIN).serial_number
        with gateway.client() as client:
            client.delete_port(exposed.mapping.id)
        again = expose_on(gateway, custom_domain=DOMAIN)
        assert shown(again.port, DOMAIN).serial_number == first
    with run_gateway(tmp_path / "state"):
        assert shown(again.port, DOMAIN).serial_number == first


def test_r23_a_domain_is_no_path(gateway: RunningGateway, expose_on: ExposeOn) -> None:
    """No file or directory is named by what somebody asked for, and all are private (R50)."""
    expose_on(gateway, custom_domain=DOMAIN)
    files = list(gateway.state_dir.rglob("*"))
    assert not [file for file in files if "lab" in file.name or "example" in file.name]
    kept = list((gateway.state_dir / "domains").iterdir())
    assert len(kept) == 2
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}
    assert (gateway.state_dir / "domains").stat().st_mode & 0o777 == 0o700


def test_who_trusts_the_authority_of_before_goes_on_to_trust_the_host(
    gateway: RunningGateway, expose_on: ExposeOn, tmp_path: Path
) -> None:
    """The CA vouches for a new name only to those who trust its new certificate."""
    host = expose_on(gateway)
    before = tmp_path / "before.pem"
    shutil.copy(gateway.runtime["ca_file"], before)
    exposed = expose_on(gateway, custom_domain=DOMAIN)
    old, new = strict_context(before), strict_context(Path(gateway.runtime["ca_file"]))
    assert verify(host.port, "localhost", old)
    assert verify(host.port, "localhost", new)
    assert verify(exposed.port, DOMAIN, new)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        verify(exposed.port, DOMAIN, old)


def test_a_domain_of_datagrams_needs_no_certificate(gateway: RunningGateway) -> None:
    """Datagrams have no TLS: their domain is only a name, and nothing waits for a certificate."""
    with gateway.client() as client:
        mapping = client.create_port(
            internal_port=9,
            description="datagrams",
            protocol="udp",
            custom_domain=DOMAIN,
            access_control={"authentication_required": False, "public_access": True},
        )
        assert (mapping.url or "").startswith(f"udp://{DOMAIN}:")
        client.delete_port(mapping.id)
