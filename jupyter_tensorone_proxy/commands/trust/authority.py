"""Reading the certificate of a CA that somebody may want to trust. No private key is ever read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigurationError
from ...settings import default_state_dir

if TYPE_CHECKING:
    from cryptography import x509

_CA_FILE = "ca.pem"
_LONGEST = 1_000_000


@dataclass(frozen=True)
class Authority:
    """A CA's certificate.

    Args:
        file: Where it is.
        subject: Its name.
        key_id: Short name of its key, the same for every certificate of this CA.
        sha256: Fingerprint of the certificate, as browsers show it.
        names: What it can vouch for; None if that is everything.
        valid_from: Start of its life.
        valid_until: Its end.
        der: The certificate itself.
    """

    file: Path
    subject: str
    key_id: str
    sha256: str
    names: tuple[str, ...] | None
    valid_from: datetime
    valid_until: datetime
    der: bytes

    @property
    def label(self) -> str:
        """What the CA is called in stores and file names: letters, digits and dashes."""
        return f"jupyter-tensorone-proxy-{self.key_id}"


def ca_file(environ: Mapping[str, str] | None = None) -> Path:
    """Return where the local gateway keeps its CA's certificate.

    Args:
        environ: Environment to read; this process's by default.
    """
    return default_state_dir(environ) / _CA_FILE


def read_authority(file: Path) -> Authority:
    """Read a CA's certificate.

    Args:
        file: Its file, PEM.

    Raises:
        ConfigurationError: There is none, or it is no CA's, or there is more in it.
    """
    text = _read(file)
    if b"PRIVATE KEY" in text:
        raise ConfigurationError(
            f"{file} holds a private key.",
            suggestion="Give the file of the CA's certificate alone; its key stays where it is.",
        )
    try:
        from cryptography import x509
    except ImportError:
        raise ConfigurationError(
            "Reading certificates needs cryptography, not installed here.",
            suggestion='Run: pip install "jupyter-tensorone-proxy[gateway]"',
        ) from None
    try:
        certificates = x509.load_pem_x509_certificates(text)
    except ValueError:
        certificates = []
    if len(certificates) != 1:
        raise ConfigurationError(
            f"{file} holds {len(certificates) or 'no'} certificates in PEM; it should be one.",
            suggestion="Give the file of the CA's own certificate.",
        )
    return _described(file, certificates[0])


def _read(file: Path) -> bytes:
    try:
        if file.exists() and not file.is_file():
            raise ConfigurationError(f"{file} is not a file.")
        with file.open("rb") as opened:
            return opened.read(_LONGEST)
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no certificate at {file}.",
            suggestion="Start the gateway once (JupyterLab does, or `jupyter tensorone gateway`); "
            "it makes its CA. For the CA of another machine say --ca-file FILE.",
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None


def _described(file: Path, certificate: x509.Certificate) -> Authority:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        extensions = certificate.extensions
        is_authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        is_authority = False
    if not is_authority:
        raise ConfigurationError(
            f"The certificate in {file} is not a CA's; trusting it would do nothing.",
            suggestion="Give the certificate of the CA that issued it.",
        )
    try:
        constraints = extensions.get_extension_for_class(x509.NameConstraints).value
        names = tuple(str(tree.value) for tree in constraints.permitted_subtrees or [])
    except x509.ExtensionNotFound:
        names = ()
    key = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    der = certificate.public_bytes(Encoding.DER)
    return Authority(
        file=file,
        subject=certificate.subject.rfc4514_string().removeprefix("CN="),
        key_id=key.hex()[:8],
        sha256=hashlib.sha256(der).digest().hex(":").upper(),
        names=names or None,
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
        der=der,
    )
