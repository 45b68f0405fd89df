"""The local CA: what its certificates hold, for whom it vouches, and when they are renewed."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from jupyter_tensorone_proxy.gateway.authority import LocalAuthority
from jupyter_tensorone_proxy.gateway.issuing import make_server_certificate, pem
from tests.fixtures.certificates import shake_hands, strict_context
from tests.tls.conftest import DAY, NAMES, accepts, host, now


def test_the_certificates_hold_what_rfc_5280_asks_for(tmp_path: Path) -> None:
    """The CA may sign certificates and nothing below; a leaf is for servers, and names its CA."""
    authority = LocalAuthority(tmp_path, NAMES)
    ca = authority.certificate.extensions
    leaf = x509.load_pem_x509_certificate(host(authority).chain_pem.encode()).extensions
    constraints = ca.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    usage = ca.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign) == (True, True)
    assert not usage.value.digital_signature
    assert ca.get_extension_for_class(x509.NameConstraints).critical
    identifier = ca.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    named = leaf.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert named == identifier
    assert not leaf.get_extension_for_class(x509.BasicConstraints).value.ca
    purposes = list(leaf.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert purposes == [ExtendedKeyUsageOID.SERVER_AUTH]
    names = leaf.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == NAMES


def test_openssl_verifies_the_chain_strictly(tmp_path: Path) -> None:
    """`openssl verify -x509_strict` finds nothing to complain about, for names and addresses."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    authority = LocalAuthority(tmp_path, [*NAMES, "192.0.2.7"])
    file = tmp_path / "shown.pem"
    checks = {"-verify_hostname": "nb.lab.example", "-verify_ip": "192.0.2.7"}
    for check, name in checks.items():
        file.write_text(authority.issue([name]).chain_pem)
        command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", check, name]
        done = subprocess.run(
            [*command, "-CAfile", str(tmp_path / "ca.pem"), str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.strip().endswith(": OK"), done.stderr


@pytest.mark.parametrize("name", ["bank.example", "lab.example", "8.8.8.8", "2001:db8::1"])
def test_a_stolen_ca_key_vouches_for_nobody_else(tmp_path: Path, name: str) -> None:
    """Who trusts the CA refuses what its key signs for a name that is not the gateway's."""
    authority = LocalAuthority(tmp_path, NAMES)
    accepts(host(authority), "nb.lab.example", tmp_path / "ca.pem")
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        accepts(authority.issue([name]), name, tmp_path / "ca.pem")


def test_a_stolen_ca_key_makes_no_other_ca(tmp_path: Path) -> None:
    """An authority below it is refused, whatever it may vouch for."""
    authority = LocalAuthority(tmp_path, NAMES)
    validity = (now() - DAY, now() + DAY)
    between, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=between")
    signed = (
        x509.CertificateBuilder(
            authority.certificate.subject, name, between.public_key(), 7, *validity
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority._key, hashes.SHA256())
    )
    leaf = make_server_certificate(["localhost"], key.public_key(), signed, between, validity)
    chain = pem(leaf) + pem(signed) + pem(key)
    relaxed = strict_context(tmp_path / "ca.pem")
    relaxed.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    with pytest.raises(ssl.SSLCertVerificationError, match="path length constraint exceeded"):
        shake_hands(chain, "localhost", relaxed)


def test_a_name_that_is_new_is_vouched_for_and_the_key_stays(tmp_path: Path) -> None:
    """With another public host the CA gets another certificate, and the old trust goes on."""
    before = tmp_path / "before.pem"
    first = LocalAuthority(tmp_path, ["localhost"])
    shutil.copy(tmp_path / "ca.pem", before)
    second = LocalAuthority(tmp_path, NAMES)
    assert second.certificate.public_key() == first.certificate.public_key()
    assert second.certificate.serial_number != first.certificate.serial_number
    accepts(host(second), "nb.lab.example", tmp_path / "ca.pem")
    accepts(second.issue(["localhost"]), "localhost", before)
    third = LocalAuthority(tmp_path, ["deeper.nb.lab.example"])
    assert third.certificate.serial_number == second.certificate.serial_number


def test_two_installations_have_different_names(tmp_path: Path) -> None:
    """Trust stores tell CAs apart by name."""
    subjects = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        subjects.add(LocalAuthority(tmp_path / name, NAMES).certificate.subject)
    assert len(subjects) == 2


def test_a_certificate_is_kept_until_30_days_before_its_end(tmp_path: Path) -> None:
    """Over restarts and while it runs; then there is another, and the old one never comes back."""
    start = now()
    moment = start
    authority = LocalAuthority(tmp_path, NAMES, clock=lambda: moment)
    first = host(authority)
    assert first.valid_until - start < 90 * DAY
    for moment in (start + 30 * DAY, start + 59 * DAY):
        assert host(authority) is first
        again = host(LocalAuthority(tmp_path, NAMES, clock=lambda: moment))  # noqa: B023 - now
        assert again.chain_pem == first.chain_pem
    moment = start + 61 * DAY
    second = host(authority)
    assert second.chain_pem != first.chain_pem
    assert second.valid_until - moment > 89 * DAY
    restarted = LocalAuthority(tmp_path, NAMES, clock=lambda: moment)
    assert host(restarted).chain_pem == second.chain_pem


@pytest.mark.parametrize("age_in_days", [9 * 365 + 10, 12 * 365])
def test_the_ca_is_renewed_a_year_before_its_end_with_the_same_key(
    tmp_path: Path, age_in_days: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Both certificates verify what it signs until the old one ends; people are told to renew."""
    then = now() - age_in_days * DAY
    old = LocalAuthority(tmp_path, NAMES, clock=lambda: then)
    before = tmp_path / "before.pem"
    shutil.copy(tmp_path / "ca.pem", before)
    renewed = LocalAuthority(tmp_path, NAMES)
    assert renewed.certificate.public_key() == old.certificate.public_key()
    assert renewed.certificate.not_valid_after_utc - now() > 9 * 365 * DAY
    assert "jupyter tensorone trust" in caplog.text
    accepts(host(renewed), "localhost", tmp_path / "ca.pem")
    if old.certificate.not_valid_after_utc > now():
        accepts(host(renewed), "localhost", before)


def test_a_running_gateway_renews_its_ca_too(tmp_path: Path) -> None:
    """What is looked at every few seconds counts, not only the start."""
    moment = now()
    authority = LocalAuthority(tmp_path, NAMES, clock=lambda: moment)
    first = authority.certificate
    authority.vouch_for()
    assert authority.certificate is first
    moment += 3300 * DAY
    authority.vouch_for()
    assert authority.certificate.serial_number != first.serial_number
    assert host(authority).valid_until <= authority.certificate.not_valid_after_utc
