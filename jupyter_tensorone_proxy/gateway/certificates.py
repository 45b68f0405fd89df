"""Reading certificates and keys: what a PEM pair holds, and whether a server can use it.

It neither makes nor keeps any: that is in `issuing` and `authority`; the files an administrator
gives are in `given_certificate`, and who is shown which is in `tls`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from .desired import Certificate
from .issuing import pem

_SMALLEST_RSA_BITS = 2048


class UnusableCertificateError(Exception):
    """A certificate or its key cannot be used; the text says why, as the end of a sentence.

    Args:
        reason: What is wrong with it.
        suggestion: What to do about it.
        key: Whether it is the key.
    """

    def __init__(self, reason: str, suggestion: str, *, key: bool = False) -> None:
        super().__init__(reason)
        self.suggestion = suggestion
        self.key = key


def read_pair(chain_pem: bytes, key_pem: bytes, *, now: datetime | None = None) -> Certificate:
    """Return what a certificate chain and its key say.

    Args:
        chain_pem: The server's certificate, then those between it and the root, in PEM.
        key_pem: The private key, in PEM, not encrypted.
        now: When it must be valid; the current time by default.

    Raises:
        UnusableCertificateError: Not PEM, not a pair, expired, or nothing that Envoy can use.
    """
    chain = _read_chain(chain_pem)
    key = _read_key(key_pem)
    own = chain[0]
    if own.public_key() != key.public_key():
        if any(other.public_key() == key.public_key() for other in chain[1:]):
            raise UnusableCertificateError(
                "begins with another certificate than the key's",
                "Put the server's own certificate first and the others after it.",
            )
        raise UnusableCertificateError(
            "does not belong to the key", "Give the key that the certificate was made for."
        )
    moment = now or datetime.now(timezone.utc)
    if moment >= own.not_valid_after_utc:
        raise UnusableCertificateError(
            f"expired on {own.not_valid_after_utc:%Y-%m-%d}", "Renew it."
        )
    if moment < own.not_valid_before_utc:
        raise UnusableCertificateError(
            f"is not valid before {own.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            "Wait, or correct this machine's clock.",
        )
    return Certificate(
        chain_pem="".join(pem(certificate) for certificate in chain),
        private_key_pem=key_pem.decode("ascii"),
        issuer=_issuer(own),
        names=frozenset(names_of(own)),
        valid_from=own.not_valid_before_utc,
        valid_until=own.not_valid_after_utc,
    )


def covers(names: Iterable[str], host: str) -> bool:
    """Say whether a certificate for these names is one for this host (RFC 9525, section 6.3).

    Example:
        >>> covers(["*.example.com"], "api.example.com"), covers(["*.example.com"], "example.com")
        (True, False)
    """
    wildcard = None if is_address(host) else f"*.{host.partition('.')[2]}"
    return any(name in {host, wildcard} for name in names)


def is_address(name: str) -> bool:
    """Say whether a host is named by an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the host names and IP addresses a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:  # browsers have not looked at the common name for years
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*(n.lower() for n in names.get_values_for_type(x509.DNSName)), *addresses]


def _read_chain(text: bytes) -> list[x509.Certificate]:
    try:
        chain = x509.load_pem_x509_certificates(text)
        # An extension that is not well-formed is only noticed when it is read.
        names_of(chain[0])
    except ValueError as error:
        if b"PRIVATE KEY" in text and b"BEGIN CERTIFICATE" not in text:
            raise UnusableCertificateError(
                "holds a key and no certificate", "Exchange the two files."
            ) from None
        raise UnusableCertificateError(
            f"is not a certificate in PEM ({error})",
            "Give the chain in PEM, the server's own certificate first.",
        ) from None
    return chain


def _read_key(text: bytes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except TypeError:
        raise UnusableCertificateError(
            "is encrypted", "Decrypt it with `openssl pkey -in KEY -out NEW`.", key=True
        ) from None
    except ValueError:
        raise UnusableCertificateError(
            "is not a private key in PEM", "Give the certificate's key in PEM.", key=True
        ) from None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SMALLEST_RSA_BITS:
        return key
    raise UnusableCertificateError(
        "is of a kind that Envoy does not take",
        "Use an elliptic curve key (P-256), or RSA of 2048 bits or more.",
        key=True,
    )


def _issuer(certificate: x509.Certificate) -> str:
    """Return who issued it, as people call them: the organisation, else the common name."""
    name = certificate.issuer
    for wanted in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        if found := name.get_attributes_for_oid(wanted):
            return str(found[0].value)
    return name.rfc4514_string()


def is_issued_by(certificate: Certificate, authority: x509.Certificate) -> bool:
    """Say whether the authority's key signed the certificate."""
    own = x509.load_pem_x509_certificate(certificate.chain_pem.encode())
    try:
        own.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
