"""One port mapping as one person sees it: who can open it, how it does, where its link leads.

These are the words that every rendering shares. Pure but for `Viewer.of`; no markup.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from ..models import AccessControl, ObservedHealthCheck, PortMapping
from ..settings import Settings
from .moments import stamp

_ZERO_WIDTH_JOINER = "\u200d"
"""The one format character kept in names: it holds emoji together and reorders nothing."""


@dataclass(frozen=True)
class Viewer:
    """Who looks, and from where.

    Args:
        me: The person's name on the proxy; None if nobody said.
        go_url: The Jupyter server's address that signs people in to a port, ending in a slash.
        kernel_id: The kernel this is, if mappings can go with it.
    """

    me: str | None = None
    go_url: str | None = None
    kernel_id: str | None = None

    @classmethod
    def of(cls, settings: Settings, environ: Mapping[str, str] | None = None) -> Viewer:
        """Return whoever uses these settings, where ``TENSORONE_GO_URL`` says they are.

        Args:
            settings: They know in whose name the API is used; ``TENSORONE_USER`` knows better.
            environ: Environment to read; this process's by default.

        Example:
            >>> from pydantic import SecretStr
            >>> ana = Settings("http://127.0.0.1:1", SecretStr("k"), "local", user="ana")
            >>> Viewer.of(ana, {})
            Viewer(me='ana', go_url=None, kernel_id=None)
        """
        environ = os.environ if environ is None else environ
        go_url = environ.get("TENSORONE_GO_URL")
        me = environ.get("TENSORONE_USER") or settings.user or None
        # Only a gateway of ours knows kernels; its Jupyter server takes care of them.
        local = settings.source == "running gateway"
        kernel_id = environ.get("TENSORONE_KERNEL_ID") if local else None
        return cls(me, go_url if _is_link(go_url) else None, kernel_id)


@dataclass(frozen=True)
class Health:
    """How a service does, for people who see colours, shapes or hear words.

    Args:
        word: What it is, such as ``healthy``.
        shape: One character that differs where the word does.
        tone: Which colour fits.
    """

    word: str
    shape: str
    tone: Literal["good", "bad", "neutral"]


_HEALTH = {
    "healthy": Health("healthy", "●", "good"),
    "unhealthy": Health("unhealthy", "▲", "bad"),
    "unknown": Health("checking", "○", "neutral"),
    "disabled": Health("not checked", "◌", "neutral"),
}
_PROXY_OFF = Health("closed: the proxy is disabled", "■", "bad")


@dataclass(frozen=True)
class Row:
    """A mapping with what this viewer needs to know of it.

    Args:
        mapping: As the server sees it.
        who_can_open: In words.
        open_url: The link to click; None where there is nothing a browser could open.
    """

    mapping: PortMapping
    who_can_open: str
    open_url: str | None

    @property
    def name(self) -> str:
        """The mapping's name, fit to be shown."""
        return readable(self.mapping.description or f"port {self.mapping.internal_port}")

    @property
    def address(self) -> str:
        """The mapping's own address, fit to be shown."""
        return readable(self.mapping.url or "(no address yet)", limit=200)

    @property
    def health(self) -> Health:
        """How the service does."""
        return health_of(self.mapping)

    @property
    def until(self) -> str:
        """When it stops by itself; empty if it does not."""
        end: object = self.mapping.expires_at  # as it came, if that is no moment
        if end is None:
            return ""
        return f"until {stamp(end) if isinstance(end, datetime) else readable(end)}"

    @property
    def failures(self) -> int:
        """How many checks failed in a row."""
        check = self.mapping.health_check
        return check.consecutive_failures if isinstance(check, ObservedHealthCheck) else 0

    @property
    def is_public(self) -> bool:
        """Whether anyone may open it without signing in."""
        return self.who_can_open == _PUBLIC


_PUBLIC = "Public"


def make_row(mapping: PortMapping, viewer: Viewer, *, default_authentication: bool) -> Row:
    """See a mapping with one person's eyes.

    Args:
        mapping: As the server sees it.
        viewer: Who looks, and from where.
        default_authentication: The cluster's default, where the mapping is silent.
    """
    who = who_can_open(mapping, default_authentication=default_authentication, me=viewer.me)
    return Row(mapping, who, open_url(mapping, viewer))


def who_can_open(mapping: PortMapping, *, default_authentication: bool, me: str | None) -> str:
    """Say in words who can open a mapping.

    Args:
        mapping: As the server sees it.
        default_authentication: The cluster's default, where the mapping is silent.
        me: My name on the proxy; None if nobody said.

    Returns:
        ``Only me``, ``1 person``, ``2 people``, …, ``Anyone who signs in`` or ``Public``.

    Example:
        >>> mapping = PortMapping(id="port_1", access_control=AccessControl(allowed_users=["ana"]))
        >>> who_can_open(mapping, default_authentication=True, me="ana")
        'Only me'
    """
    access = mapping.access_control
    access = access if isinstance(access, AccessControl) else AccessControl()
    if not access.requires_sign_in(default=default_authentication):
        return _PUBLIC
    users = access.allowed_users or []
    if not users:
        return "Anyone who signs in"
    if users == [me]:
        return "Only me"
    return "1 person" if len(users) == 1 else f"{len(users)} people"


def says_who(mapping: PortMapping) -> bool:
    """Say whether the mapping itself decides on sign-in, whatever the cluster's default is."""
    access = mapping.access_control
    return isinstance(access, AccessControl) and (
        access.authentication_required is not None or access.public_access is not None
    )


def health_of(mapping: PortMapping) -> Health:
    """Say how the service behind a mapping does.

    Example:
        >>> health_of(PortMapping(id="port_1", health_status="unknown")).word
        'checking'
    """
    return _PROXY_OFF if mapping.status == "disabled" else health_word(mapping.health_status)


def health_word(status: str | None) -> Health:
    """Say what a `health_status` of the contract means; one that is new to us speaks for itself.

    Args:
        status: As the server says it.

    Example:
        >>> health_word("unhealthy").shape, health_word(None).word
        ('▲', 'not checked')
    """
    status = str(status or "disabled")
    return _HEALTH.get(status) or Health(readable(status, limit=20), "○", "neutral")


def open_url(mapping: PortMapping, viewer: Viewer) -> str | None:
    """Return the link a person clicks to open a mapping; None if a browser cannot open it.

    Args:
        mapping: As the server sees it.
        viewer: With a ``go_url`` the link leads through the Jupyter server, which signs in.

    Example:
        >>> mapping = PortMapping(id="port_1", internal_port=6006, url="https://localhost:32001")
        >>> open_url(mapping, Viewer(go_url="/tensorone-proxy/go/"))
        '/tensorone-proxy/go/6006/'
    """
    if mapping.protocol == "udp" or mapping.app_protocol == "tcp":
        return None
    if viewer.go_url and mapping.internal_port:
        return f"{viewer.go_url.rstrip('/')}/{mapping.internal_port}/"
    return mapping.url if _is_link(mapping.url) else None


def _is_link(url: str | None) -> bool:
    """Say whether a link to this leads to a page, and not to a script or a share."""
    if not isinstance(url, str):
        return False
    if urlsplit(url).scheme in {"http", "https"}:
        return bool(urlsplit(url).hostname)
    return url.startswith("/") and not url.startswith(("//", "/\\"))


def readable(text: object, *, limit: int = 60) -> str:
    r"""Return text that cannot move the cursor, turn the direction, or fill the screen.

    Args:
        text: From anywhere.
        limit: The most characters to show.

    Example:
        >>> readable("Tensor\x1b[31mBoard\u202e")
        'Tensor[31mBoard'
    """
    kept = "".join(
        char
        for char in str(text)
        if char == _ZERO_WIDTH_JOINER
        or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    ).strip()
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"
