"""The store of the whole machine, which curl, Python, git and most programs use."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .authority import Authority
from .stores import Command, State, Store, output_of


@dataclass(frozen=True)
class _Kind:
    """How a family of systems keeps its store.

    Args:
        name: The family.
        anchors: Where certificates are put.
        suffix: What their names must end with.
        refresh: What makes a new one known.
        forget: What makes it known that one is gone.
    """

    name: str
    anchors: str
    suffix: str
    refresh: Command
    forget: Command


_KINDS = (
    _Kind(
        "Fedora, RHEL",
        "etc/pki/ca-trust/source/anchors",
        ".pem",
        ("update-ca-trust", "extract"),
        ("update-ca-trust", "extract"),
    ),
    _Kind(
        "Arch",
        "etc/ca-certificates/trust-source/anchors",
        ".crt",
        ("update-ca-trust",),
        ("update-ca-trust",),
    ),
    _Kind(
        "openSUSE",
        "etc/pki/trust/anchors",
        ".pem",
        ("update-ca-certificates",),
        ("update-ca-certificates",),
    ),
    _Kind(
        "Debian, Ubuntu, Alpine",
        "usr/local/share/ca-certificates",
        ".crt",
        ("update-ca-certificates",),
        ("update-ca-certificates", "--fresh"),
    ),
)


class SystemStore(Store):
    """A Linux system's store: a directory, and a program that makes its contents known.

    Args:
        kind: How this family of systems keeps it.
        root: The root directory.
        interactive: Whether somebody can type a password for `sudo`.
    """

    needs_root = True

    def __init__(self, kind: _Kind, root: Path, *, interactive: bool) -> None:
        super().__init__(f"This system ({kind.name})", root / kind.anchors)
        self._kind = kind
        self._interactive = interactive
        self._elevate: Command = ("sudo",) if os.geteuid() else ()

    def state(self, authority: Authority) -> State:
        """Return whether a CA is trusted here."""
        try:
            installed = self._file(authority).read_bytes()
        except FileNotFoundError:
            return "not trusted"
        except OSError:
            return "unknown"
        return "trusted" if installed == authority.file.read_bytes() else "older"

    def installing(self, authority: Authority) -> list[Command]:
        """Return the commands that have it trusted, and no other certificate of the same CA."""
        put = ("install", "-m", "0644", str(authority.file), str(self._file(authority)))
        return [(*self._elevate, *put), (*self._elevate, *self._kind.refresh)]

    def removing(self, authority: Authority) -> list[Command]:
        """Return the commands that end the trust in every certificate of the CA."""
        if not self._file(authority).exists():
            return []
        take = ("rm", "-f", str(self._file(authority)))
        return [(*self._elevate, *take), (*self._elevate, *self._kind.forget)]

    def missing(self) -> str:
        """Return what must be installed before the commands can run; empty if nothing."""
        return "root" if self._elevate and not shutil.which("sudo") else ""

    def run(self, commands: Sequence[Command]) -> None:
        """Run commands one after the other; `sudo` asks for a password only where it can."""
        if self._elevate and not self._interactive:
            commands = [("sudo", "-n", *command[1:]) for command in commands]
        super().run(commands)

    def _file(self, authority: Authority) -> Path:
        return self.location / f"{authority.label}{self._kind.suffix}"


class Keychain(Store):
    """The login keychain of macOS, which Safari and Chrome use. macOS itself asks for consent.

    Args:
        home: The user's home directory.
    """

    def __init__(self, home: Path) -> None:
        super().__init__("The login keychain", home / "Library/Keychains/login.keychain-db")

    def state(self, authority: Authority) -> State:
        """Return whether a CA is trusted here."""
        verify = ("security", "verify-cert", "-q", "-L", "-l", "-c", str(authority.file))
        return "trusted" if output_of(verify).returncode == 0 else "not trusted"

    def installing(self, authority: Authority) -> list[Command]:
        """Return the commands that have it trusted."""
        add = ("security", "add-trusted-cert", "-r", "trustRoot", "-p", "ssl")
        return [(*add, "-k", str(self.location), str(authority.file))]

    def removing(self, authority: Authority) -> list[Command]:
        """Return the commands that end the trust."""
        fingerprint = authority.sha256.replace(":", "")
        return [
            ("security", "remove-trusted-cert", str(authority.file)),
            ("security", "delete-certificate", "-Z", fingerprint, str(self.location)),
        ]

    def missing(self) -> str:
        """Return what must be installed before the commands can run; empty if nothing."""
        return ""


def system_stores(home: Path, root: Path, *, interactive: bool) -> Iterator[Store]:
    """Yield the store of this machine, if it is of a known kind.

    Args:
        home: The user's home directory.
        root: The root directory.
        interactive: Whether somebody can type root's password.
    """
    if sys.platform == "darwin":
        yield Keychain(home)
        return
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    for kind in _KINDS:
        if (root / kind.anchors).is_dir() and shutil.which(kind.refresh[0], path=path):
            yield SystemStore(kind, root, interactive=interactive)
            return
