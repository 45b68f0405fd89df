"""Making certificates: the CA's own, with what it may vouch for, and the ones it signs.

Pure functions of keys, names and times (RFC 5280); where they are kept is in `authority`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import GatewayError

Validity = tuple[datetime, datetime]
"""From when until when."""

Subtree = x509.DNSName | x509.IPAddress
"""Names that a CA may vouch for: a domain with all below it, or a network."""

LOOPBACK: tuple[Subtree, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")),
    x509.IPAddress(ipaddress.ip_network("::1/128")),
)
"""What every CA may vouch for; with a name and an address in it, no other is free."""

_SERVER_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key, of the kind every client takes."""
    return ec.generate_private_key(ec.SECP256R1())


def authority_name(key: ec.EllipticCurvePrivateKey) -> x509.Name:
    """Return the name of the CA with this key: its own, or trust stores would mix CAs up."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()
    return _name(f"jupyter-tensorone-proxy local CA {identifier[:8]}")


def make_authority(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    permitted: Sequence[x509.GeneralName],
    validity: Validity,
) -> x509.Certificate:
    """Return a CA's own certificate.

    Args:
        key: Its key.
        subject: Its name.
        permitted: What it may vouch for (RFC 5280, section 4.2.1.10).
        validity: From when until when.
    """
    return (
        _builder(subject, subject, key.public_key(), validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .sign(key, hashes.SHA256())
    )


def make_server_certificate(
    names: Sequence[str],
    public_key: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate,
    issuer_key: ec.EllipticCurvePrivateKey,
    validity: Validity,
) -> x509.Certificate:
    """Return a certificate for a server.

    Args:
        names: Host names and IP addresses it is for; the first also names its subject.
        public_key: The server's.
        issuer: The CA's certificate.
        issuer_key: The CA's key.
        validity: From when until when.
    """
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        _builder(_name(_common_name(names[0])), issuer.subject, public_key, validity)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(_SERVER_AUTH, critical=False)
        .add_extension(alternatives, critical=False)
        .add_extension(authority, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def permitted_subtrees(authority: x509.Certificate) -> list[x509.GeneralName] | None:
    """Return what a CA may vouch for; None if that is everything."""
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None
    return list(constraints.permitted_subtrees or [])


def missing_subtrees(permitted: Sequence[x509.GeneralName], names: Iterable[str]) -> list[Subtree]:
    """Return what a CA would have to be permitted besides, to vouch for these names.

    Raises:
        GatewayError: A name that no certificate can hold.

    Example:
        >>> [str(tree.value) for tree in missing_subtrees(LOOPBACK, ["a.localhost", "10.0.0.7"])]
        ['10.0.0.7/32']
    """
    return [tree for tree in map(_subtree, names) if not _contains(permitted, tree)]


def canonical(name: str) -> str:
    """Return a host name or address in the one form in which we compare it.

    Example:
        >>> canonical("Example.COM"), canonical("0:0::1")
        ('example.com', '::1')
    """
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower()


def pem(made: x509.Certificate | ec.EllipticCurvePrivateKey) -> str:
    """Return a certificate, or a private key without encryption, in PEM."""
    if isinstance(made, x509.Certificate):
        return made.public_bytes(serialization.Encoding.PEM).decode()
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _contains(permitted: Sequence[x509.GeneralName], wanted: Subtree) -> bool:
    if isinstance(wanted, x509.DNSName):
        names = [tree.value for tree in permitted if isinstance(tree, x509.DNSName)]
        return any(wanted.value == name or wanted.value.endswith(f".{name}") for name in names)
    address = ipaddress.ip_network(wanted.value).network_address
    networks = [
        ipaddress.ip_network(tree.value) for tree in permitted if isinstance(tree, x509.IPAddress)
    ]
    return any(address in network for network in networks)


def _subtree(name: str) -> Subtree:
    general = _general_name(name)
    if isinstance(general, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(general.value))
    return general


def _common_name(name: str) -> str:
    # OpenSSL takes one that could be a host name for one, and then this CA may not vouch for it.
    return f"address {name}" if isinstance(_general_name(name), x509.IPAddress) else name


def _general_name(name: str) -> Subtree:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass  # so it is a host name
    try:
        return x509.DNSName(name)
    except ValueError:
        raise GatewayError(
            f"{name!r} cannot be in a certificate.",
            suggestion="Write the host name in ASCII, as DNS has it (xn--…).",
        ) from None


def _usage(**used: bool) -> x509.KeyUsage:
    unused = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**{**unused, **used})


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, validity: Validity
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
