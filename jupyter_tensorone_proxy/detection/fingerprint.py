"""Asking a port what it is: one short GET, and what the answer says of itself.

Bounded in time and bytes, follows no redirect but one to the same port, and sends nothing but a
request line and a Host: whoever listens there did not ask for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape

_SECONDS = 1.5
_MOST_BYTES = 65_536
_MOST_REDIRECTS = 2
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")


@dataclass(frozen=True)
class Page:
    """What a port answered.

    Args:
        status: The HTTP status.
        headers: Names in lower case.
        title: The page's title, one line; empty if it has none.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    title: str = ""


async def ask(host: str, port: int) -> Page | None:
    """Return what a port answers to `GET /`; None if that is not HTTP.

    Args:
        host: A loopback address.
        port: 1–65535.
    """
    path = "/"
    for _ in range(_MOST_REDIRECTS + 1):
        answer = await _get(host, port, path)
        if answer is None:
            return None
        page = parse(answer)
        if page is None or not 300 <= page.status < 400:  # noqa: PLR2004 - redirects
            return page
        path = _own_path(page.headers.get("location", ""))
        if not path:
            return page
    return page


def parse(answer: bytes) -> Page | None:
    r"""Read the beginning of an HTTP/1 answer.

    Example:
        >>> parse(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n<title>My &amp; app</title>")
        Page(status=200, headers={'server': 'x'}, title='My & app')
        >>> parse(b"SSH-2.0-OpenSSH")
    """
    match = _STATUS.match(answer)
    if match is None:
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = {}
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    found = _TITLE.search(body.decode("utf-8", "replace"))
    title = " ".join(unescape(found[1]).split())[:200] if found else ""
    return Page(int(match[1]), headers, title)


def _own_path(location: str) -> str:
    """Return the path of a redirect that stays at home; empty for others."""
    match = re.fullmatch(
        r"(?:https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?)?(/.*)", location
    )
    path = match[1] if match else ""
    return path if path.isascii() and path.isprintable() and not path.startswith("//") else ""


async def _get(host: str, port: int, path: str) -> bytes | None:
    name = f"[{host}]" if ":" in host else host
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nAccept: text/html\r\n"
        "User-Agent: jupyter-tensorone-proxy\r\nConnection: close\r\n\r\n"
    )
    try:
        return await asyncio.wait_for(_exchange(host, port, request.encode()), _SECONDS)
    except (OSError, asyncio.TimeoutError, EOFError):
        return None


async def _exchange(host: str, port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        received = b""
        while len(received) < _MOST_BYTES:
            piece = await reader.read(8192)
            received += piece
            if not piece or b"</title" in received:
                break
            if len(received) >= 8 and not received.startswith(b"HTTP/1."):  # noqa: PLR2004 - enough to tell
                break
        return received
    finally:
        writer.close()
