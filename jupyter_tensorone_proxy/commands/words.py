"""Reading single words of a command strictly, and refusing those that look like a key.

Messages never repeat the word: it may be somebody's key in the wrong place.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from ..errors import UsageError

_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LAST_PORT = 65_535
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_SECRET_WORD = r"(?:key|token|secret|passw(?:or)?d|authorization)"  # noqa: S105 - a pattern
_CREDENTIAL = re.compile(
    rf"^--?[\w-]*{_SECRET_WORD}\b|{_SECRET_WORD}=|authorization:|\bbearer\b|\beyJ[\w-]+\.",
    re.IGNORECASE,
)


def port(word: str) -> int:
    """Read a port number strictly.

    Args:
        word: ASCII digits, 1–65535; no sign, space, leading zero or other digits.

    Raises:
        argparse.ArgumentTypeError: Anything else.

    Example:
        >>> port("6006")
        6006
        >>> port("80 ")
        Traceback (most recent call last):
        ...
        argparse.ArgumentTypeError: a port is a number from 1 to 65535 in plain digits
    """
    if not _PORT.fullmatch(word) or int(word) > _LAST_PORT:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535 in plain digits")
    return int(word)


def count(word: str) -> int:
    """Read a positive whole number strictly.

    Args:
        word: ASCII digits, from 1.

    Raises:
        argparse.ArgumentTypeError: Anything else.
    """
    if not _COUNT.fullmatch(word):
        raise argparse.ArgumentTypeError("this is a whole number from 1 in plain digits")
    return int(word)


def names(word: str) -> list[str]:
    """Read a comma-separated list of people.

    Raises:
        argparse.ArgumentTypeError: Nobody is named.

    Example:
        >>> names("ana, ben,")
        ['ana', 'ben']
    """
    people = [name.strip() for name in word.split(",") if name.strip()]
    if not people:
        raise argparse.ArgumentTypeError("name at least one person, such as ana,ben")
    return people


def refuse_credentials(words: Sequence[str]) -> None:
    """Raise if a word looks like a key: a command line is shown, saved and logged.

    Args:
        words: What was typed.

    Raises:
        UsageError: Says how to hand over a key instead; does not repeat the words.

    Example:
        >>> refuse_credentials(["expose", "6006", "--name", "Key figures"])
        >>> refuse_credentials(["list", "--api-key", "k"])
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.errors.UsageError: A key does not belong on a command's line: ...
    """
    if any(_CREDENTIAL.search(word) for word in words):
        raise UsageError(
            "A key does not belong on a command's line: it would be saved with the notebook or the "
            "history.",
            suggestion="Delete it there, and set TENSORONE_API_KEY or use ProxyClient(api_key="
            "getpass.getpass()).",
        )
