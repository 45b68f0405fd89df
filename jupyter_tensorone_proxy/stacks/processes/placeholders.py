"""``{port}``, ``{replica}`` and ``{name}`` in a command, its environment and its folder. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from ...errors import ProcessError

NAMES = ("port", "replica", "name")
_FOUND = re.compile(r"\{\{(\w+)\}\}|\{([A-Za-z_]\w*)\}")


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return text with its placeholders replaced.

    Other braces stay as they are; ``{{port}}`` is the word ``{port}`` itself.

    Args:
        text: One word of a command, or a value.
        values: What each placeholder becomes.

    Raises:
        ProcessError: There is no such placeholder.

    Example:
        >>> filled('--port={port} {"a": 1} {{port}}', {"port": 6006})
        '--port=6006 {"a": 1} {port}'
    """

    def replaced(match: re.Match[str]) -> str:
        literal, name = match.groups()
        if literal:
            return f"{{{literal}}}"
        if name not in values:
            raise ProcessError(f"There is no placeholder {{{name}}}.", suggestion=_hint(name))
        return str(values[name])

    return _FOUND.sub(replaced, text)


def problem(text: str) -> str:
    """Return what is wrong with the placeholders of a text; empty if nothing is.

    Example:
        >>> problem("--port={prot}")
        'there is no placeholder {prot}; did you mean {port}?'
    """
    for literal, name in _FOUND.findall(text):
        if not literal and name not in NAMES:
            return f"there is no placeholder {{{name}}}; {_hint(name)}"
    return ""


def mentions(texts: Iterable[str], name: str) -> bool:
    """Say whether a placeholder is anywhere among texts.

    Example:
        >>> mentions(["--port", "{port}"], "port"), mentions(["{{port}}"], "port")
        (True, False)
    """
    return any(name == found for text in texts for _, found in _FOUND.findall(text))


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name, NAMES, n=1)
    known = ", ".join(f"{{{n}}}" for n in NAMES)
    meant = f"did you mean {{{near[0]}}}?" if near else f"there are {known}"
    return meant if near else f"{meant}; {{{{{name}}}}} is the word itself"
