"""Reading a declaration from TOML, with the line and column of what is no TOML."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..errors import InvalidStackError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "tensorone.toml"
_LARGEST_BYTES = 1_000_000


def read_toml(source: str, where: str) -> dict[str, Any]:
    """Return what TOML says.

    Args:
        source: The text.
        where: What people call it, for messages.

    Raises:
        InvalidStackError: It is no TOML; the message has line and column.
    """
    try:
        declared: dict[str, Any] = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        lines = source.rstrip("\n").split("\n")
        end = f"at line {len(lines)}, column {len(lines[-1]) + 1}, the end"
        reason = reason.replace("at end of document", end)
        raise InvalidStackError(
            f"{where} is not TOML: {reason}.", suggestion="https://toml.io explains the form."
        ) from None
    return declared


def read_file(path: Path) -> str:
    """Return a file's text.

    Args:
        path: The file.

    Raises:
        InvalidStackError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            raise InvalidStackError(f"{path} is larger than a stack's file: 1 MB at most.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InvalidStackError(
            f"{path} cannot be read: {error.strerror}.",
            suggestion=f"Name a file: `apply FILE`; {FILE} is taken if none is named.",
        ) from None
    except UnicodeDecodeError as error:
        raise InvalidStackError(
            f"{path} is not UTF-8: byte {error.start} ({error.reason}).",
            suggestion="Save it as UTF-8.",
        ) from None
