"""The stores of browsers: Chromium and its kin share one on Linux, each Firefox profile has one.

They are NSS databases, changed with `certutil` (Debian: libnss3-tools, Fedora: nss-tools).
"""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from .authority import Authority
from .stores import Command, State, Store, output_of

_CHROMIUMS = (
    "brave-browser",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "opera",
    "vivaldi",
)
_SHARED = ".pki/nssdb"
_CHROMIUM_HOMES = ("snap/chromium/current", ".var/app/org.chromium.Chromium")
"""Where Chromium believes its home to be, when it comes as a snap or a flatpak."""

_FIREFOX_HOMES = (
    ".mozilla/firefox",
    ".config/mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
    "Library/Application Support/Firefox/Profiles",
)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_FOR_SERVERS = "C,,"
"""NSS's trust flags: a CA for TLS servers, and for nothing else."""


class NssStore(Store):
    """One NSS database; it is made if it is not there yet.

    Args:
        name: The browser.
        location: The database's directory.
    """

    def state(self, authority: Authority) -> State:
        """Return whether a CA is trusted here."""
        if not self._exists():
            return "not trusted"
        if self.missing():
            return "unknown"
        found = self._certificates(authority)
        if not found:
            return "not trusted"
        return "trusted" if found == [authority.der] and self._is_trusted(authority) else "older"

    def installing(self, authority: Authority) -> list[Command]:
        """Return the commands that have it trusted, and no other certificate of the same CA."""
        create: list[Command] = []
        if not self._exists():
            create = [
                ("mkdir", "-p", "-m", "0700", str(self.location)),
                self._certutil("-N", "--empty-password"),
            ]
        add = self._certutil(
            *("-A", "-t", _FOR_SERVERS, "-n", authority.label, "-i", str(authority.file))
        )
        return [*create, *([] if self.missing() else self.removing(authority)), add]

    def removing(self, authority: Authority) -> list[Command]:
        """Return the commands that end the trust in every certificate of the CA."""
        if not self._exists():
            return []
        remove = self._certutil("-D", "-n", authority.label)  # takes one of them away
        return [remove] if self.missing() else [remove] * len(self._certificates(authority))

    def missing(self) -> str:
        """Return what must be installed before the commands can run; empty if nothing."""
        if shutil.which("certutil"):
            return ""
        return "certutil (Debian and Ubuntu: libnss3-tools; Fedora: nss-tools; macOS: brew's nss)"

    def _exists(self) -> bool:
        return (self.location / "cert9.db").exists()

    def _certutil(self, *words: str) -> Command:
        return ("certutil", "-d", f"sql:{self.location}", *words)

    def _certificates(self, authority: Authority) -> list[bytes]:
        told = output_of(self._certutil("-L", "-n", authority.label, "-a"))
        if told.returncode != 0:
            return []
        return [base64.b64decode(found) for found in _PEM.findall(told.stdout)]

    def _is_trusted(self, authority: Authority) -> bool:
        lines = output_of(self._certutil("-L")).stdout.splitlines()
        flags = [line.split()[-1] for line in lines if line.startswith(f"{authority.label} ")]
        return bool(flags) and all("C" in flag.split(",")[0] for flag in flags)


def browser_stores(home: Path) -> Iterator[NssStore]:
    """Yield the stores of the browsers that somebody uses.

    Args:
        home: Their home directory.
    """
    shared = home / _SHARED
    if shared.is_dir() or any(map(shutil.which, _CHROMIUMS)):
        yield NssStore("Chromium, Chrome and their kin", shared)
    for inside in _CHROMIUM_HOMES:
        if (home / inside).is_dir():
            yield NssStore("Chromium in its sandbox", home / inside / _SHARED)
    for profiles in _FIREFOX_HOMES:
        for database in sorted((home / profiles).glob("*/cert9.db")):
            yield NssStore(f"Firefox, profile {database.parent.name}", database.parent)
