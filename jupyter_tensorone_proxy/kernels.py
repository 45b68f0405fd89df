"""How a kernel is called: by its connection file, which whoever starts a kernel gives it.

A Jupyter server names the file after the kernel's id; `jupyter console` after itself, and
`nbclient` by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MARKER = "TENSORONE_KERNEL_ID"
"""What kernels and their children have in their environment: the kernel's id."""

_FILE = re.compile(r"(?:.*/)?(?:kernel-)?([A-Za-z0-9_-]{1,100})\.json", re.DOTALL)
_IN_WORD = re.compile(r"(/.*\.json)", re.DOTALL)


def kernel_id_of(file: str) -> str | None:
    """Return the id of the kernel whose connection file this is; None if it cannot be one.

    Args:
        file: Its path.

    Example:
        >>> kernel_id_of("/run/kernel-6f3c1f.json"), kernel_id_of("/tmp/tmp3gi8605z.json")
        ('6f3c1f', 'tmp3gi8605z')
        >>> kernel_id_of("/etc/hosts")
    """
    match = _FILE.fullmatch(file)
    return match[1] if match else None


def files_named(words: Iterable[str]) -> list[str]:
    """Return the paths of JSON files in a command line, also behind an option's ``=``.

    Args:
        words: The command line.

    Example:
        >>> files_named(["xpython", "-f", "/run/kernel-7.json", "--file=/tmp/k.json"])
        ['/run/kernel-7.json', '/tmp/k.json']
    """
    found = (_IN_WORD.search(word) for word in words if word.endswith(".json"))
    return [match[1] for match in found if match]
