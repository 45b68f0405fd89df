"""A certificate that an administrator keeps in two files, and that somebody else renews.

The files are looked at every few seconds. What they hold is judged before it is used; while it is
not right, the last good pair stays in force.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ..errors import GatewayError
from .certificates import UnusableCertificateError, covers, read_pair
from .desired import Certificate
from .files import write_private

_log = logging.getLogger(__name__)
_LONGEST = 1_000_000
_ENDING_SOON = timedelta(days=14)
_READABLE_BY_ALL = 0o004

Contents = tuple[bytes, bytes]
"""Of the certificate's file and of the key's."""


@dataclass(frozen=True)
class CertificateFiles:
    """Where a certificate and its key are.

    Args:
        certificate: The chain in PEM, the server's own certificate first.
        key: Its key in PEM, not encrypted.
        option: What named them, for messages.
        name: The host name they are for; may begin with `*.`.
    """

    certificate: Path
    key: Path
    option: str
    name: str

    def read(self) -> Contents:
        """Return what the files hold.

        Raises:
            GatewayError: One of them cannot be read.
        """
        return self._read(self.certificate), self._read(self.key)

    def judge(self, contents: Contents) -> Certificate:
        """Return the certificate.

        Raises:
            GatewayError: It cannot be used; the message names the file, and the way out.
        """
        try:
            return read_pair(*contents)
        except UnusableCertificateError as error:
            file, other = self.certificate, self.key
            if error.key:
                file, other = other, file
            raise GatewayError(
                f"{self.option}: {file} {error} ({other}).", suggestion=error.suggestion
            ) from None

    def _read(self, path: Path) -> bytes:
        try:
            if path.exists() and not path.is_file():
                raise self._unreadable(path, "it is not a file")
            with path.open("rb") as file:
                contents = file.read(_LONGEST + 1)
        except OSError as error:
            raise self._unreadable(path, error.strerror or "unknown") from None
        if len(contents) > _LONGEST:
            raise self._unreadable(path, "it is too long for a certificate")
        return contents

    def _unreadable(self, path: Path, reason: str) -> GatewayError:
        return GatewayError(
            f"{self.option}: {path} cannot be read: {reason}.",
            suggestion=f"Correct {self.option}, or let this user read the file.",
        )


class GivenCertificate:
    """The certificate of two files, as it is in force.

    Args:
        files: Where it is.
        copy: File for a private copy of the pair in force, so that a control plane that is started
            again while the files are wrong has it still.

    Raises:
        GatewayError: The files cannot be used, and there is no copy.
    """

    def __init__(
        self,
        files: CertificateFiles,
        copy: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._files = files
        self._copy = copy
        self._clock = clock
        self._told: set[str] = set()
        self._doubtful: object = None
        self._in_force: Contents = (b"", b"")
        try:
            contents = files.read()
            self.current = files.judge(contents)
        except GatewayError as error:
            kept = self._kept()
            if kept is None:
                raise
            self.current = kept
            self._refuse(error)
        else:
            self._use(contents)
        self._warn_of_key()

    def refresh(self) -> None:
        """Look at the files; use what they hold if it is good, else say once what is wrong."""
        self._warn_of_end()
        contents: Contents | None = None
        try:
            contents = self._files.read()
            if contents == self._in_force:
                self._doubtful = None
                return
            self.current = self._files.judge(contents)
        except GatewayError as error:
            # Whoever replaces two files is in between for a moment: only the second look counts.
            seen = contents or str(error)
            if seen == self._doubtful:
                self._refuse(error)
            self._doubtful = seen
            return
        self._use(contents)

    def forget(self) -> None:
        """Remove the copy."""
        self._copy.unlink(missing_ok=True)

    def _use(self, contents: Contents) -> None:
        self._in_force = contents
        self._doubtful = None
        self._told.clear()
        with contextlib.suppress(OSError):  # a full disk takes the copy, not the certificate
            write_private(self._copy, self.current.private_key_pem + self.current.chain_pem)
        if not covers(self.current.names, self._files.name.replace("*.", "any.", 1)):
            self._warn(
                f"{self._files.option}: {self._files.certificate} is not for {self._files.name} "
                f"but for {', '.join(sorted(self.current.names)) or 'no name'}; browsers refuse it."
            )
        self._warn_of_end()

    def _kept(self) -> Certificate | None:
        try:
            kept = self._copy.read_bytes()
            return read_pair(kept, kept)
        except (OSError, UnusableCertificateError):
            return None

    def _refuse(self, error: GatewayError) -> None:
        self._warn(f"{error} Until then the certificate read before stays in force.")

    def _warn_of_end(self) -> None:
        left = self.current.valid_until - self._clock()
        if left < _ENDING_SOON:
            end = f"{self.current.valid_until:%Y-%m-%d %H:%M} UTC"
            what = "ends on" if left > timedelta(0) else "expired on"
            self._warn(f"{self._files.option}: {self._files.certificate} {what} {end}; renew it.")

    def _warn_of_key(self) -> None:
        with contextlib.suppress(OSError):
            if self._files.key.stat().st_mode & _READABLE_BY_ALL:
                self._warn(
                    f"{self._files.option}: every user of this machine can read the key "
                    f"{self._files.key}; run `chmod o= {self._files.key}`."
                )

    def _warn(self, text: str) -> None:
        """Say something once for as long as the same certificate is in force."""
        if text not in self._told:
            self._told.add(text)
            _log.warning("%s", text)
