"""Reading single words of a command strictly, and refusing those that look like a key.

Messages never repeat the word: it may be somebody's key in the wrong place.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import UsageError

_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LAST_PORT = 65_535
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_STATUS = re.compile(r"([1-5])(?:xx|[0-9]{2})?", re.IGNORECASE)
_LONGEST_LINK_SECONDS = 30 * 86_400
_LONGEST_MAPPING_SECONDS = 3650 * 86_400
_LONGEST_NAME = 200
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


def name(word: str) -> str:
    """Read one person's name.

    Raises:
        argparse.ArgumentTypeError: It is empty, too long, or has control characters.
    """
    if not 0 < len(word) <= _LONGEST_NAME or not word.isprintable():
        raise argparse.ArgumentTypeError("a name is one line of 1–200 characters")
    return word


def duration(word: str) -> int:
    """Read a length of time; return seconds.

    Args:
        word: A whole number and a unit: s, m, h, d or w.

    Raises:
        argparse.ArgumentTypeError: Anything else.

    Example:
        >>> duration("30m"), duration("8h"), duration("1d")
        (1800, 28800, 86400)
    """
    found = _SPAN.fullmatch(word)
    if found is None:
        raise argparse.ArgumentTypeError(
            "a length of time is a number and a unit, such as 30m, 8h, 1d or 2w"
        )
    return int(found[1]) * _UNIT_SECONDS[found[2]]


def link_life(word: str) -> int:
    """Read how long a link works, at most 30 days; return seconds.

    Raises:
        argparse.ArgumentTypeError: It is no length of time, or too long.
    """
    seconds = duration(word)
    if seconds > _LONGEST_LINK_SECONDS:
        raise argparse.ArgumentTypeError("a link works for 30 days at most (30d)")
    return seconds


def mapping_life(word: str) -> int:
    """Read how long a port is exposed, at most ten years; return seconds.

    Raises:
        argparse.ArgumentTypeError: It is no length of time, or too long.
    """
    seconds = duration(word)
    if seconds > _LONGEST_MAPPING_SECONDS:
        raise argparse.ArgumentTypeError("this is ten years at most (3650d), or 'ever'")
    return seconds


def minutes(word: str) -> int:
    """Read a length of time of at least a minute; return whole minutes.

    Raises:
        argparse.ArgumentTypeError: It is no length of time, or too short.

    Example:
        >>> minutes("8h")
        480
    """
    whole = duration(word) // 60
    if not whole:
        raise argparse.ArgumentTypeError("a session lives for a minute (1m) at least")
    return whole


def status(word: str) -> int:
    """Read an HTTP status, or a class of them.

    Returns:
        100–599, or 1–5 for a class.

    Raises:
        argparse.ArgumentTypeError: It is neither.

    Example:
        >>> status("404"), status("5xx"), status("5")
        (404, 5, 5)
    """
    found = _STATUS.fullmatch(word)
    if found is None:
        raise argparse.ArgumentTypeError("a status is such as 404, or 5xx for a whole class")
    return int(word) if word.isdigit() else int(found[1])


def or_word(none: str, read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a reader to which one word means nothing at all.

    Args:
        none: That word.
        read: Reads all others.

    Example:
        >>> limit = or_word("none", count)
        >>> limit("60"), limit("none")
        (60, None)
    """
    return lambda word: None if word == none else read(word)


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader of one of several words; argparse's own repeats a wrong one.

    Example:
        >>> one_of("add", "remove")("sk-12345")
        Traceback (most recent call last):
        ...
        argparse.ArgumentTypeError: this is one of: add, remove
    """

    def read(word: str) -> str:
        if word not in choices:
            raise argparse.ArgumentTypeError(f"this is one of: {', '.join(choices)}")
        return word

    return read


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
