"""Cookies in odd shapes, byte for byte: what a service may see, and what it may set.

Pure functions over header lines (RFC 6265; its successor 6265bis for prefixes and nameless
cookies). Usual requests never come here: Envoy treats them itself (`xds/cookies.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from .xds.cookies import XSRF, hidden_names, xsrf_marker
from .xds.sign_in import COOKIE_PREFIX, session_cookie

_AFTER_COMMA = re.compile(rf",[ \t]*{COOKIE_PREFIX}[fx]?-[^;,]*")  # a separator to old servers
_ENDED = re.compile(r";\s*max-age\s*=\s*(0|-\d+)\s*(;|$)", re.IGNORECASE)
_DOMAIN = re.compile(r";[ \t]*domain[ \t]*(=[^;]*)?(?=;|$)", re.IGNORECASE)
_HTTP_ONLY = re.compile(r";\s*httponly\s*(=[^;]*)?(;|$)", re.IGNORECASE)
_PATH = re.compile(r";\s*path\s*=\s*([^;]*?)\s*(?=;|$)", re.IGNORECASE)


def visible(lines: Sequence[str], mapping_id: str, exact: str) -> str:
    """Return the Cookie header a service gets: every cookie but ours and Jupyter's.

    Args:
        lines: The Cookie header's lines; several are joined as HTTP/2 does (RFC 9113, 8.2.3).
        mapping_id: Whose service it is.
        exact: Expression for the names that are not the service's (`xds.cookies.exact_names`).
            `_xsrf` is, if the service has set this very value.

    Example:
        >>> visible(['a="1,2"; __Host-t1-port_1=x', "b=3"], "port_1", "_xsrf")
        'a="1,2"; b=3'
    """
    markers = _values(lines, xsrf_marker(mapping_id))
    hidden = re.compile(hidden_names(exact))

    def is_visible(cookie: str) -> bool:
        name, _, value = cookie.strip().partition("=")
        if not hidden.fullmatch(name):
            return True
        return name == XSRF and _digest(value) in markers

    return "; ".join(kept for line in lines if (kept := _keep(line, is_visible)))


def sessions(lines: Sequence[str], mapping_id: str, is_good: Callable[[str], bool]) -> list[str]:
    """Return the mapping's session cookies, each name once: a good one, if there is one.

    Args:
        lines: The Cookie header's lines.
        mapping_id: The mapping.
        is_good: Says whether a token is a session of the mapping's.
    """
    found = []
    for framed in (False, True):
        name = session_cookie(mapping_id, framed=framed)
        if tokens := _values(lines, name):
            token = next((t for t in tokens if is_good(t)), tokens[0])
            found.append(f"{name}={token}")
    return found


def admitted(lines: Sequence[str], mapping_id: str, exact: str) -> list[str]:
    """Return the Set-Cookie lines that a service may send, without their Domain.

    Args:
        lines: What it sent.
        mapping_id: Whose service it is.
        exact: Expression for the names that are not the service's to set. `_xsrf` is shared by all
            Jupyter servers of a host; it may be set as they do, for scripts and the whole origin.

    Example:
        >>> admitted(["a=1; Domain=.example.com; Path=/", "__Host-t1-port_1=x; Path=/"], "", "x")
        ['a=1; Path=/']
    """
    hidden = re.compile(hidden_names(exact), re.IGNORECASE)
    made = []
    for line in lines:
        name, value = _pair(line)
        if hidden.fullmatch(name) or name.lower().startswith(COOKIE_PREFIX.lower()):
            if name != XSRF or not _harmless(line):
                continue
            made.append(_marker(line, value, mapping_id))
        made.append(_DOMAIN.sub("", line))
    return made


def _harmless(line: str) -> bool:
    """Say whether Jupyter's pages would still find this `_xsrf`."""
    return not _HTTP_ONLY.search(line) and all(path == "/" for path in _PATH.findall(line))


def _keep(line: str, is_visible: Callable[[str], bool]) -> str:
    """Return a line without some cookies; the others keep their bytes, spaces included."""
    kept = [part for part in line.split(";") if not part.strip() or is_visible(part)]
    if not any(part.strip() for part in kept):
        return ""
    return _AFTER_COMMA.sub("", ";".join(kept)).strip(" \t")


def _values(lines: Sequence[str], name: str) -> list[str]:
    pairs = (part.strip().partition("=") for line in lines for part in line.split(";"))
    return [value for found, _, value in pairs if found == name]


def _pair(line: str) -> tuple[str, str]:
    """Return name and value; a nameless cookie's value is taken for a name, as servers do."""
    first = line.partition(";")[0].strip()
    name, _, value = first.partition("=")
    return (name.strip(), value.strip()) if name.strip() else (value.strip(), "")


def _marker(line: str, value: str, mapping_id: str) -> str:
    life = "; Max-Age=0" if _ENDED.search(line) or not value else ""
    name = xsrf_marker(mapping_id)
    return f"{name}={_digest(value)}; Path=/; Secure; HttpOnly; SameSite=Lax{life}"


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("latin-1", "replace")).hexdigest()[:32]
