"""Asking exposed services through their URLs, as a visitor: signed in, in time, and bounded.

The monitor signs in to one service at a time by a one-time link, whose session ends by itself soon
after the monitor does; or by a user's token, if it was given one. Nothing here judges an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

import httpx

from .. import __version__
from ..client import AsyncProxyClient
from ..commands.rows import Viewer
from ..errors import ProxyError
from ..models import PortMapping
from ..settings import is_loopback
from .unlogged import unlogged

USER_AGENT = f"jupyter-tensorone-proxy-monitor/{__version__}"
MOST_BYTES = 4 * 1024 * 1024
"""Of a page of metrics, as much is read; of others, less."""

User: TypeAlias = str | Mapping[int | str, str] | None
_MOST_OF_A_PAGE = 64 * 1024
_SESSION_SECONDS = 900
_RENEW_SECONDS = 600
_WANTS_SIGN_IN = {httpx.codes.UNAUTHORIZED, httpx.codes.FOUND}


@dataclass(frozen=True)
class Answer:
    """What a service answered.

    Args:
        status: The HTTP status.
        seconds: How long it took until the answer began.
        body: As much of it as was read.
        complete: Whether that is all of it.
        content_type: What it says it is.
    """

    status: int
    seconds: float
    body: bytes = field(repr=False)
    complete: bool
    content_type: str


class NoAnswerError(Exception):
    """There was no answer; the text says why, in a few words."""


@dataclass
class _Session:
    """How the monitor is signed in to one service."""

    cookie: str
    link_id: str
    began: float


class Visitor:
    """Asks exposed services, and counts in `sent` how often, by their mappings' ids.

    Args:
        client: Makes links, and ends sessions.
        user: In whose name it signs in; or port or name of a service → in whose there.
        token: A user's token, instead of links.
        timeout_seconds: How long one request may take, in all.
        keep_seconds: How long connections are kept open.
    """

    def __init__(
        self,
        client: AsyncProxyClient,
        *,
        user: User,
        token: str | None,
        timeout_seconds: float,
        keep_seconds: float,
    ) -> None:
        self._client = client
        self._user = user
        self._token = token
        self._timeout_seconds = timeout_seconds
        self._sessions: dict[str, _Session] = {}
        self.sent: dict[str, int] = {}
        # One pool each: a common one looks at all its connections for each request.
        self._http: dict[str, httpx.AsyncClient] = {}
        self._tls = client.settings.tls_context()
        self._keep_seconds = keep_seconds

    async def get(self, mapping: PortMapping, path: str, *, limit: int = _MOST_OF_A_PAGE) -> Answer:
        """Ask a service, signed in if it wants that.

        Args:
            mapping: The service's.
            path: Path and query.
            limit: How many bytes of the answer are read.

        Raises:
            NoAnswerError: There is no answer, or no way to sign in.
        """
        answer = await self._in_time(mapping, path, limit)
        if answer.status in _WANTS_SIGN_IN and not self._token and self._is_old(mapping.id):
            await self._sign_in(mapping)
            answer = await self._in_time(mapping, path, limit)
        return answer

    async def close(self) -> None:
        """Close the connections, and end the sessions."""
        ended = {session.link_id for session in self._sessions.values()}
        self._sessions.clear()
        with contextlib.suppress(ProxyError):  # what is left ends by itself
            for session in await self._client.list_sessions() if ended else []:
                if session.link_id in ended:
                    await self._client.revoke_session(session.id)
        for port_id in list(self._http):
            await self.forget(port_id)

    async def forget(self, port_id: str) -> None:
        """Forget a service that is no longer exposed.

        Args:
            port_id: The mapping's id.
        """
        self._sessions.pop(port_id, None)
        self.sent.pop(port_id, None)
        if (http := self._http.pop(port_id, None)) is not None:
            await http.aclose()

    def _is_old(self, port_id: str) -> bool:
        """Say whether signing in again is worth it: not if that was just done."""
        session = self._sessions.get(port_id)
        return session is None or time.monotonic() - session.began > self._timeout_seconds

    async def _in_time(self, mapping: PortMapping, path: str, limit: int) -> Answer:
        session = self._sessions.get(mapping.id)
        if session and time.monotonic() - session.began > _RENEW_SECONDS:
            await self._sign_in(mapping)
        try:
            return await asyncio.wait_for(self._ask(mapping, path, limit), self._timeout_seconds)
        except (asyncio.TimeoutError, httpx.TimeoutException):
            raise NoAnswerError(f"no answer within {self._timeout_seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswerError(_reason(error)) from None

    async def _ask(self, mapping: PortMapping, path: str, limit: int) -> Answer:
        if self._token:
            _require_private(str(mapping.url))
        url = urljoin(str(mapping.url), path)
        began = time.perf_counter()
        self.sent[mapping.id] = self.sent.get(mapping.id, 0) + 1
        http, headers = self._http_of(mapping), self._headers(mapping.id)
        async with http.stream("GET", url, headers=headers) as reply:
            seconds = time.perf_counter() - began
            body, complete = await _bounded(reply, limit)
        kind = reply.headers.get("content-type", "")[:100]
        return Answer(reply.status_code, seconds, body, complete, kind)

    def _http_of(self, mapping: PortMapping) -> httpx.AsyncClient:
        if mapping.id not in self._http:
            self._http[mapping.id] = _http_client(
                self._tls, mapping, self._timeout_seconds, self._keep_seconds
            )
        return self._http[mapping.id]

    def _headers(self, port_id: str) -> dict[str, str]:
        if self._token:
            return {"Authorization": f"Bearer {self._token}"}
        session = self._sessions.get(port_id)
        return {"Cookie": session.cookie} if session else {}

    def _user_at(self, mapping: PortMapping) -> str | None:
        """Return who signs in there: whoever was named, else whoever watches."""
        named = self._user
        if isinstance(named, Mapping):
            named = named.get(mapping.internal_port or 0) or named.get(mapping.description or "")
        return named or Viewer.of(self._client.settings).me

    async def _sign_in(self, mapping: PortMapping) -> None:
        """Begin a session that ends by itself, so that a killed monitor leaves none for long."""
        user = self._user_at(mapping)
        self._sessions.pop(mapping.id, None)
        if not user:
            raise NoAnswerError("it wants sign-in, and nobody said who you are: set TENSORONE_USER")
        try:
            link = await self._client.create_link(
                mapping.id, user=user, expires_in_seconds=_SESSION_SECONDS, ends_sessions=True
            )
        except ProxyError as error:
            raise NoAnswerError(f"signing in failed: {error}") from None
        _require_private(link.url)
        try:
            with unlogged():
                reply = await self._http_of(mapping).get(link.url)
        except httpx.HTTPError as error:
            raise NoAnswerError(_reason(error)) from None
        cookies = [text.partition(";")[0] for text in reply.headers.get_list("set-cookie")]
        self._sessions[mapping.id] = _Session("; ".join(cookies), link.id, time.monotonic())


def _require_private(url: str) -> None:
    """Raise if somebody on the way could read what is sent.

    Raises:
        NoAnswerError: It is plain http to another machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise NoAnswerError("its address is not https, so nobody is signed in there")


async def _bounded(reply: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """Read at most so much; what is compressed though nobody asked for it is not unpacked."""
    if reply.headers.get("content-encoding", "identity") != "identity":
        return b"", False
    pieces, size = [], 0
    async for piece in reply.aiter_raw(65_536):
        pieces.append(piece[: limit - size])
        size += len(piece)
        if size > limit:
            return b"".join(pieces), False
    return b"".join(pieces), True


def _http_client(
    tls: ssl.SSLContext, mapping: PortMapping, timeout_seconds: float, keep_seconds: float
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=tls,
        timeout=timeout_seconds,
        follow_redirects=False,
        trust_env=not is_loopback(urlsplit(str(mapping.url)).hostname or ""),
        limits=httpx.Limits(keepalive_expiry=keep_seconds),
        headers={
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "identity",
            "Accept": "text/plain, */*",
        },
        # What services set is theirs; our own cookie is sent as a header.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def _reason(error: Exception) -> str:
    text = str(error).rstrip(".")
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted"
    return f"no answer: {text[:200] or type(error).__name__}"
