"""A local certificate authority, and the leaf certificate that all exposed ports share.

One leaf for all ports: a browser that accepted or trusts it once does so for every port. What the
certificates hold follows RFC 5280 as strictly as Python 3.13 and sslyze check it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import GatewayError
from .files import write_private

_CA_DAYS = 3650
_LEAF_DAYS = 90
_RENEW_BEFORE = timedelta(days=30)
_CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Leaf:
    """A certificate for the exposed ports, with its chain and key, in PEM."""

    chain_pem: str
    private_key_pem: str = field(repr=False)
    issuer: str
    valid_from: datetime
    valid_until: datetime


class LocalAuthority:
    """The certificate authority of one installation.

    Args:
        directory: Where `ca.pem` and `ca.key` are, or will be made.

    Raises:
        GatewayError: They are there, but cannot be read; nothing is replaced.
    """

    def __init__(self, directory: Path) -> None:
        self._certificate_file = directory / "ca.pem"
        self._key_file = directory / "ca.key"
        self._leaf_file = directory / "leaf.pem"
        self._leaf_key_file = directory / "leaf.key"
        if not self._certificate_file.exists() and not self._key_file.exists():
            self._create()
        try:
            self.certificate = x509.load_pem_x509_certificate(self._certificate_file.read_bytes())
            key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise GatewayError(
                f"The certificate authority in {directory} cannot be read ({error}).",
                suggestion="Restore ca.pem and ca.key, or remove both to make new ones "
                "(browsers must then trust the new one).",
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise GatewayError(f"{self._key_file} is not an elliptic curve key.")
        self._key = key

    def current_leaf(self, names: Iterable[str]) -> Leaf:
        """Return the kept leaf, or a new one if it is missing, for other names, or near its end.

        A leaf that stays the same over restarts keeps the exceptions people made in browsers.
        """
        wanted = list(names)
        try:
            chain, key = self._leaf_file.read_text(), self._leaf_key_file.read_text()
            leaf = self._describe(chain, key)
            kept = {_san(n) for n in wanted} == _names_of(chain) and not needs_renewal(leaf)
        except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            kept = False
        if not kept:
            leaf = self.issue(wanted)
            write_private(self._leaf_key_file, leaf.private_key_pem)
            write_private(self._leaf_file, leaf.chain_pem)
        return leaf

    def issue(self, names: Iterable[str], *, now: datetime | None = None) -> Leaf:
        """Return a new leaf certificate.

        Args:
            names: Host names and IP addresses it is for.
            now: Start of its validity; the current time by default.
        """
        start = (now or datetime.now(timezone.utc)) - _CLOCK_SKEW
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._leaf_builder(list(names), key.public_key(), start).sign(
            self._key, hashes.SHA256()
        )
        return self._describe(_pem(certificate) + _pem(self.certificate), _key_pem(key))

    def _describe(self, chain_pem: str, private_key_pem: str) -> Leaf:
        certificate = x509.load_pem_x509_certificate(chain_pem.encode())
        certificate.verify_directly_issued_by(self.certificate)
        return Leaf(
            chain_pem=chain_pem,
            private_key_pem=private_key_pem,
            issuer=self.certificate.subject.rfc4514_string().removeprefix("CN="),
            valid_from=certificate.not_valid_before_utc,
            valid_until=certificate.not_valid_after_utc,
        )

    def _leaf_builder(
        self, names: list[str], public_key: ec.EllipticCurvePublicKey, start: datetime
    ) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            _builder(_name(names[0]), self.certificate.subject, public_key, start, _LEAF_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_san(n) for n in names]), critical=False)
            .add_extension(issuer_key, critical=False)
        )

    def _create(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("jupyter-tensorone-proxy local CA")
        start = datetime.now(timezone.utc) - _CLOCK_SKEW
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            _builder(name, name, key.public_key(), start, _CA_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        write_private(self._key_file, _key_pem(key))
        write_private(self._certificate_file, _pem(builder.sign(key, hashes.SHA256())))


def needs_renewal(leaf: Leaf, *, now: datetime | None = None) -> bool:
    """Say whether a leaf has less than 30 days left."""
    return leaf.valid_until - (now or datetime.now(timezone.utc)) < _RENEW_BEFORE


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    start: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names_of(chain_pem: str) -> set[x509.GeneralName]:
    certificate = x509.load_pem_x509_certificate(chain_pem.encode())
    return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
