"""Reading what a service printed: the last lines, and what comes after them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .states import LogPart

LIMIT_BYTES = 1_000_000
"""How large a log may be; as much again is in the older part behind it."""

_LONGEST_LINE = 2000
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class OutputLog:
    """The log of one replica, which its guardian writes.

    Args:
        path: The file; the older part has ``.1`` behind its name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._older = path.with_name(f"{path.name}.1")

    def cursor(self) -> str:
        """Return where the log ends now."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return "0:0"
        return f"{status.st_ino}:{status.st_size}"

    def read(self, *, after: str = "") -> LogPart:
        """Return whole lines.

        Args:
            after: A cursor; without one from the beginning of what is kept. A cursor of a part
                that is gone, or that is none, means the same.
        """
        older, _ = _content(self._older)
        newer, inode = _content(self.path)
        known, _, offset = after.partition(":")
        start = int(offset) if offset.isdigit() else 0
        if known == str(inode):
            data, base = newer[start:], start
        else:
            was_older = self._older.exists() and known == str(self._older.stat().st_ino)
            data, base = (older[start:] if was_older else older) + newer, None
        whole = data[: data.rfind(b"\n") + 1]
        left = len(data) - len(whole)
        end = len(newer) - left if base is None else base + len(whole)
        return LogPart(lines=_lines(whole), cursor=f"{inode}:{max(end, 0)}")

    def tail(self, count: int, *, after: str = "") -> LogPart:
        """Return the last lines.

        Args:
            count: At most how many.
            after: Only of what came after this cursor.
        """
        part = self.read(after=after)
        return LogPart(lines=part.lines[-count:], cursor=part.cursor)

    def last_words(self, *, after: str, count: int = 5) -> str:
        """Return the last lines that say something, in one; what a process ended with.

        Args:
            after: The cursor of its beginning.
            count: At most how many lines.
        """
        data, _ = _content(self.path)
        unfinished = data[data.rfind(b"\n") + 1 :]
        lines = [*self.read(after=after).lines, *_lines(unfinished)]
        said = [stripped for line in lines if (stripped := line.strip())]
        return " · ".join(said[-count:])[-600:]

    def remove(self) -> None:
        """Remove it with its older part."""
        for path in (self.path, self._older):
            path.unlink(missing_ok=True)


def _content(path: Path) -> tuple[bytes, int]:
    """Return a file's bytes and its number; nothing if there is none."""
    try:
        with path.open("rb") as file:
            return file.read(), os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return b"", 0


def _lines(data: bytes) -> list[str]:
    """Return lines without what moves a terminal's cursor; a progress bar's last state counts."""
    lines = data.decode(errors="replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [_shown(line)[:_LONGEST_LINE] for line in lines]


def _shown(line: str) -> str:
    last = line.rstrip("\r").rpartition("\r")[2]
    return "".join(c for c in _ESCAPE.sub("", last) if c.isprintable() or c == "\t")
