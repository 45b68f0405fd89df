"""Private files of the state directory: readable by their owner alone, replaced in one step."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import GatewayError

_KEY_BYTES = 32
_SPACE_BYTES = 65_536
"""What a start needs at least: a database's shared memory alone is half of it."""


def private_directory(path: Path) -> Path:
    """Create a directory of mode 0700, or make an existing one so.

    Raises:
        GatewayError: It cannot be created or written, or belongs to somebody else.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid != os.getuid():
            raise GatewayError(
                f"The directory {path} belongs to another user.",
                suggestion="Choose your own with --state-dir.",
            )
        path.chmod(0o700)
        _require_space(path)
    except OSError as error:
        raise GatewayError(
            f"The directory {path} cannot be written: {error.strerror}.",
            suggestion="Choose another with --state-dir, or free it.",
        ) from None
    return path


def _require_space(directory: Path) -> None:
    probe = directory / f".probe-{os.urandom(4).hex()}"
    try:
        probe.touch(mode=0o600)
        probe.write_bytes(bytes(_SPACE_BYTES))
    finally:
        probe.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 so that a reader sees the old text or the new, never half of it."""
    temporary = path.with_name(f".{path.name}-{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_or_create(path: Path, create: str) -> str:
    """Return a private file's text; write `create` first if there is no such file.

    Raises:
        GatewayError: It is there, but cannot be read, or it cannot be written. It is left as it is.
    """
    try:
        if not path.exists():
            write_private(path, create)
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayError(
            f"The file {path} cannot be used: {_why(error)}.",
            suggestion="Restore it from a backup, or remove it to have a new one made.",
        ) from None


def _why(error: OSError | UnicodeDecodeError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "it is not text"


def read_api_key(path: Path) -> str:
    """Return the installation's API key; a random one is made if there is no such file.

    Raises:
        GatewayError: It cannot be read, or is not a key. Nothing is replaced, nobody gets in.
    """
    key = read_or_create(path, os.urandom(_KEY_BYTES).hex()).strip()
    if not re.fullmatch(r"[!-~]{32,}", key):
        raise GatewayError(
            f"The API key in {path} is damaged: it must be 32 or more characters without spaces.",
            suggestion="Restore it from a backup, or remove it to have a new one made.",
        )
    return key
