"""The local certificate authority: one for each installation, and the certificates it keeps.

All ports of the host share one certificate for its names and one for its addresses: a browser that
accepted it once did so for every port. Each custom domain has its own.

The CA can vouch only for the gateway's own names: who steals its key cannot pose as a bank to those
who trust it. When the gateway gets another name, or a year before the end, the CA's certificate is
made anew with the same key; whoever trusts the old one goes on to trust the names that it has.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ..errors import GatewayError, StorageFullError
from .certificates import UnusableCertificateError, is_issued_by, read_pair
from .desired import Certificate
from .files import private_directory, write_private
from .issuing import (
    LOOPBACK,
    authority_name,
    canonical,
    make_authority,
    make_server_certificate,
    missing_subtrees,
    new_key,
    pem,
    permitted_subtrees,
)

_log = logging.getLogger(__name__)
_CA_LIFE = timedelta(days=3650)
_CA_RENEWED_BEFORE = timedelta(days=365)
_LIFE = timedelta(days=90)
_RENEWED_BEFORE = timedelta(days=30)
_CLOCK_SKEW = timedelta(minutes=10)
_TRUST_AGAIN = "Where it is trusted, run `jupyter tensorone trust` again."


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class LocalAuthority:
    """The certificate authority of one installation.

    Args:
        directory: Where `ca.pem` and `ca.key` are, or will be made.
        names: Host names and IP addresses it must be able to vouch for.
        clock: The current time.

    Raises:
        GatewayError: They are there, but cannot be used; nothing is replaced.
    """

    def __init__(
        self, directory: Path, names: Sequence[str], *, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._directory = directory
        self._certificate_file = directory / "ca.pem"
        self._key_file = directory / "ca.key"
        self._clock = clock
        self._issued: dict[str, Certificate] = {}
        if not self._certificate_file.exists() and not self._key_file.exists():
            self._create(names)
        self.certificate, self._key = self._read()
        self._remove_unused()
        self.vouch_for(names)

    def host_certificate(self, names: Sequence[str], *, kept_as: str) -> Certificate:
        """Return a certificate that all ports of the host share.

        It stays the same over restarts, and with it the exceptions that people made in browsers.

        Args:
            names: Host names or IP addresses it is for; the first also names its subject.
            kept_as: Name of its files.
        """
        return self._current(self._directory / kept_as, names)

    def domain_certificate(self, domain: str) -> Certificate:
        """Return the certificate of one custom domain.

        Raises:
            StorageFullError: The CA must be told of a new name, and its file cannot be written.
        """
        name = hashlib.sha256(domain.encode()).hexdigest()[:32]  # no name from outside is a path
        if name not in self._issued:
            self.vouch_for([domain])
        return self._current(self._domains / name, [domain])

    def vouch_for(self, names: Sequence[str] = ()) -> None:
        """Make the CA's certificate anew if it cannot vouch for these names, or ends within a year.

        Raises:
            StorageFullError: It cannot be written; the old one stays in force.
        """
        far = self._is_far_from(self.certificate, _CA_RENEWED_BEFORE)
        if far and not names:
            return
        permitted = permitted_subtrees(self.certificate)
        if permitted is None or self.certificate.issuer != self.certificate.subject:
            return  # a CA of their own, which is not ours to change
        missing = missing_subtrees(permitted, map(canonical, names))
        if far and not missing:
            return
        subject = self.certificate.subject
        renewed = make_authority(
            self._key, subject, [*permitted, *missing], self._validity(_CA_LIFE)
        )
        self._write(renewed)
        self.certificate = renewed
        told = ", ".join(str(tree.value) for tree in missing)
        what = f"now vouches for {told} too" if told else "was renewed with the same key"
        _log.warning("The certificate of the local CA %s. %s", what, _TRUST_AGAIN)

    def issue(self, names: Sequence[str]) -> Certificate:
        """Return a new certificate, which nothing keeps.

        Args:
            names: Host names and IP addresses it is for; the first also names its subject.
        """
        key = new_key()
        start, end = self._validity(_LIFE)
        validity = (start, min(end, self.certificate.not_valid_after_utc))
        made = make_server_certificate(
            names, key.public_key(), self.certificate, self._key, validity
        )
        # Without the CA's own: visitors have it, or no use for it, and need not see what it names.
        return read_pair(pem(made).encode(), pem(key).encode(), now=self._clock())

    @property
    def _domains(self) -> Path:
        return self._directory / "domains"

    def _current(self, stem: Path, names: Sequence[str]) -> Certificate:
        """Return the kept certificate, or a new one: none, other names, or near its end."""
        wanted = [canonical(name) for name in names]
        kept = self._issued.get(stem.name) or self._kept(stem)
        if kept is None or kept.names != set(wanted) or not self._is_far_from(kept):
            kept = self.issue(wanted)
            # Without its files it serves all the same, and only lasts until the restart.
            with contextlib.suppress(OSError, GatewayError):
                private_directory(stem.parent)
                write_private(stem.with_suffix(".key"), kept.private_key_pem)
                write_private(stem.with_suffix(".pem"), kept.chain_pem)
        self._issued[stem.name] = kept
        return kept

    def _kept(self, stem: Path) -> Certificate | None:
        try:
            chain = stem.with_suffix(".pem").read_bytes()
            key = stem.with_suffix(".key").read_bytes()
            kept = read_pair(chain, key, now=self._clock())
        except (OSError, UnusableCertificateError):
            return None
        return kept if is_issued_by(kept, self.certificate) else None

    def _is_far_from(
        self, end: Certificate | x509.Certificate, margin: timedelta = _RENEWED_BEFORE
    ) -> bool:
        until = end.valid_until if isinstance(end, Certificate) else end.not_valid_after_utc
        return until - self._clock() >= margin

    def _validity(self, life: timedelta) -> tuple[datetime, datetime]:
        start = self._clock() - _CLOCK_SKEW
        return start, start + life

    def _create(self, names: Sequence[str]) -> None:
        key = new_key()
        permitted = [*LOOPBACK, *missing_subtrees(LOOPBACK, map(canonical, names))]
        made = make_authority(key, authority_name(key), permitted, self._validity(_CA_LIFE))
        write_private(self._key_file, pem(key))
        self._write(made)

    def _read(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        try:
            certificate = x509.load_pem_x509_certificate(self._certificate_file.read_bytes())
            key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise GatewayError(
                f"The certificate authority in {self._directory} cannot be read ({error}).",
                suggestion="Restore ca.pem and ca.key, or remove both to make new ones "
                "(browsers must then trust the new one).",
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise GatewayError(
                f"{self._key_file} is not an elliptic curve key.",
                suggestion="Restore ca.pem and ca.key, or remove both to make new ones.",
            )
        if certificate.public_key() != key.public_key():
            raise GatewayError(
                f"{self._certificate_file} and {self._key_file.name} do not belong together.",
                suggestion="Restore both from one backup, or remove both to make new ones.",
            )
        return certificate, key

    def _write(self, certificate: x509.Certificate) -> None:
        try:
            write_private(self._certificate_file, pem(certificate))
        except OSError as error:
            raise StorageFullError(
                f"{self._certificate_file} cannot be written: {error.strerror}",
                details={"suggestion": "Free some space and try again"},
            ) from None

    def _remove_unused(self) -> None:
        """Remove the certificates of domains that nobody has used for as long as they last."""
        oldest = (self._clock() - _LIFE).timestamp()
        for file in self._domains.glob("*.*"):
            if file.stat().st_mtime < oldest:
                file.unlink()
