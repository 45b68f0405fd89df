"""From an operation to its result, without doing any I/O.

`exchange` is a generator: it yields the requests to send and the pauses to make, and is sent the
answers. So headers, redirects, retries and errors exist once for both rims, and tests drive them
without a network and without waiting.

Retries:

* at most four tries, with pauses that double and together stay under `LONGEST_PAUSE_SECONDS`; a
  server that asks for more (``Retry-After``) gets no further try, and the error says for how long;
* 429 is retried for every call: the server turned it away;
* 503 is retried for idempotent calls (GET, PUT, DELETE), and for POST if the API itself says so in
  the contract's form, which means that nothing was changed; a 503 page of something in between
  may have cut off a request at work;
* a broken connection is retried for idempotent calls only;
* no answer in time is not retried: the caller said how long to wait.

Redirects are followed for GET, and for writes where the method is kept (307, 308). The key goes
only to the API's own scheme, host and port, and nothing goes in plain http to another machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

import httpx

from .. import __version__
from ..errors import (
    ApiTimeoutError,
    ApiUnreachableError,
    ClusterNotFoundError,
    ConfigurationError,
    InsecureUrlError,
    NotFoundError,
    ProxyError,
    UnauthorizedError,
    UnexpectedAnswerError,
)
from ..settings import Settings, is_loopback, require_safe_url
from ._answers import Answer, is_the_apis_own, retry_after_seconds
from ._operations import Operation

T = TypeVar("T")
MAX_TRIES = 4
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
_MOST_REDIRECTS = 5
_KEEPING_REDIRECTS = {307, 308}
_REDIRECTS = {301, 302, 303, *_KEEPING_REDIRECTS}


@dataclass(frozen=True)
class Pause:
    """A wait before the next try.

    Args:
        seconds: How long.
    """

    seconds: float


Step: TypeAlias = httpx.Request | Pause
Outcome: TypeAlias = httpx.Response | httpx.RequestError | None
"""What is sent back for a step: an answer, why there is none, or None after a pause."""


@dataclass(frozen=True)
class _Try:
    """How one try ended."""

    reply: httpx.Response | httpx.RequestError
    url: httpx.URL
    left_home: bool
    """A redirect led away from the API's own origin, so the key was not sent."""

    def may_have_been_done(self) -> bool:
        """Say whether the API may have acted although its answer did not arrive."""
        if isinstance(self.reply, httpx.Response):
            turned_away = self.reply.status_code == httpx.codes.TOO_MANY_REQUESTS
            return not turned_away and not is_the_apis_own(self.reply)
        return not isinstance(self.reply, httpx.ConnectError)


def exchange(
    operation: Operation[T],
    settings: Settings,
    *,
    jitter: Callable[[], float] = random.random,
) -> Generator[Step, Outcome, T]:
    """Yield what to do for an operation; return its result.

    Args:
        operation: What is asked of the API.
        settings: Where the API is and how to sign in to it.
        jitter: Random numbers between 0 and 1.

    Raises:
        ProxyError: There is no result; the class says why.
    """
    maybe_done = False
    paused = 0.0
    for attempt in range(MAX_TRIES):
        result = yield from _follow(operation, settings)
        try:
            return _read(operation, settings, result)
        except NotFoundError as error:
            # An earlier try did it, and only the answer was lost.
            if maybe_done and operation.missing_is_done and not _no_cluster(error):
                return operation.parse(None)
            raise
        except ProxyError:
            if attempt == MAX_TRIES - 1 or not _worth_another_try(operation, result.reply):
                raise
            pause = _pause_seconds(attempt, result.reply, jitter())
            if paused + pause > LONGEST_PAUSE_SECONDS:
                raise
        maybe_done = maybe_done or result.may_have_been_done()
        paused += pause
        yield Pause(pause)
    raise AssertionError("the last try returns or raises")


def _follow(operation: Operation[Any], settings: Settings) -> Generator[Step, Outcome, _Try]:
    """Send one request and follow where it is redirected to."""
    first = _request(operation, settings)
    request, left_home = first, False
    for _ in range(_MOST_REDIRECTS + 1):
        reply = yield request
        if reply is None:
            raise TypeError("a request is answered by a response or an error")
        if isinstance(reply, httpx.RequestError) or reply.status_code not in _REDIRECTS:
            return _Try(reply, request.url, left_home)
        url = _redirect_target(operation, request.url, reply)
        left_home = left_home or _origin(url) != _origin(first.url)
        request = _redirected(first, url, with_key=not left_home)
    raise UnexpectedAnswerError(
        f"{_origin(first.url)} redirects in circles.",
        suggestion="Check that TENSORONE_API_URL is the base URL of the API.",
    )


def _request(operation: Operation[Any], settings: Settings) -> httpx.Request:
    key = settings.api_key.get_secret_value()
    path = operation.filled_path(settings.require_cluster)
    try:
        url = httpx.URL(settings.api_url.rstrip("/") + path)
    except httpx.InvalidURL as error:
        raise ConfigurationError(
            f"The API's address is not a URL: {error}.", suggestion="Correct TENSORONE_API_URL."
        ) from None
    return httpx.Request(
        operation.method,
        url,
        params=operation.query or None,
        json=operation.body,
        headers={
            "Accept": "application/json",
            "Authorization": key if path.startswith("/v2/") else f"Bearer {key}",
            "User-Agent": f"jupyter-tensorone-proxy/{__version__}",
            **_told_to_a_gateway(url, settings),
        },
    )


def _told_to_a_gateway(url: httpx.URL, settings: Settings) -> dict[str, str]:
    """Return who asks and through what, for the audit; only a server on this machine is told."""
    if not is_loopback(url.host):
        return {}
    user = {"X-TensorOne-User": quote(settings.user)} if settings.user else {}
    return {"X-TensorOne-Via": settings.via, **user}


def _redirect_target(
    operation: Operation[Any], url: httpx.URL, response: httpx.Response
) -> httpx.URL:
    if operation.method != "GET" and response.status_code not in _KEEPING_REDIRECTS:
        raise UnexpectedAnswerError(
            f"{_origin(url)} answered {operation.method} with a redirect "
            f"({response.status_code}), which would lose the request.",
            suggestion="The base URL is wrong: set TENSORONE_API_URL to where it redirects to.",
        )
    try:
        target = url.join(response.headers["location"])
        require_safe_url(str(target.copy_with(query=None, fragment=None)))
    except InsecureUrlError:
        raise InsecureUrlError(
            f"{_origin(url)} redirects to {_origin(target)}, which is not encrypted.",
            suggestion="Set TENSORONE_API_URL to the API's https address.",
        ) from None
    except (KeyError, httpx.InvalidURL, ConfigurationError):
        raise UnexpectedAnswerError(
            f"{_origin(url)} redirects to nowhere ({response.status_code}).",
            suggestion="Check that TENSORONE_API_URL is the base URL of the API.",
        ) from None
    return target


def _redirected(first: httpx.Request, url: httpx.URL, *, with_key: bool) -> httpx.Request:
    dropped = {"host"} if with_key else {"host", "authorization"}
    headers = [(k, v) for k, v in first.headers.multi_items() if k.lower() not in dropped]
    return httpx.Request(first.method, url, headers=headers, content=first.content)


def _read(operation: Operation[T], settings: Settings, result: _Try) -> T:
    server = _origin(result.url)
    if isinstance(result.reply, httpx.RequestError):
        raise _no_answer(result.reply, server, settings) from None
    answer = Answer(result.reply, server, settings.api_key.get_secret_value())
    try:
        return answer.read(operation)
    except UnauthorizedError:
        if not result.left_home:
            raise
    raise UnexpectedAnswerError(
        f"{settings.api_url} redirects to {server}, which got no API key and refuses.",
        suggestion=f"If {server} is the API, set TENSORONE_API_URL to it.",
    )


def _no_answer(error: httpx.RequestError, server: str, settings: Settings) -> ProxyError:
    text = str(error).replace(settings.api_key.get_secret_value(), "**********")
    reason = text.rstrip(".") or type(error).__name__
    if isinstance(error, httpx.DecodingError):
        return UnexpectedAnswerError(f"{server} sent an answer that cannot be decoded: {reason}.")
    if isinstance(error, httpx.TimeoutException):
        return ApiTimeoutError(
            f"{server} gave no answer in time ({type(error).__name__}).",
            suggestion="Try again, or with a longer timeout_seconds.",
        )
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        hint = "If the certificate is your organisation's own, set SSL_CERT_FILE to its authority."
    elif settings.source == "running gateway":
        hint = "The local gateway is gone: start it with `jupyter tensorone gateway`."
    else:
        hint = f"Check the network, and the API's address (it came from: {settings.source})."
    return ApiUnreachableError(f"{server} cannot be reached: {reason}.", suggestion=hint)


def _worth_another_try(
    operation: Operation[Any], reply: httpx.Response | httpx.RequestError
) -> bool:
    if isinstance(reply, httpx.RequestError):
        broken = isinstance(reply, httpx.NetworkError | httpx.RemoteProtocolError)
        return broken and operation.idempotent
    if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return operation.idempotent or is_the_apis_own(reply)
    return reply.status_code == httpx.codes.TOO_MANY_REQUESTS


def _pause_seconds(
    attempt: int, reply: httpx.Response | httpx.RequestError, jitter: float
) -> float:
    asked = retry_after_seconds(reply) if isinstance(reply, httpx.Response) else None
    # Jitter is added, not taken off: never earlier than asked, and never all clients at once.
    wanted: float = FIRST_PAUSE_SECONDS * 2**attempt
    return max(asked or 0.0, wanted) + jitter * wanted / 2


def _origin(url: httpx.URL) -> str:
    """Return scheme, host and port: what may be shown, and what may have the key."""
    return f"{url.scheme}://{url.netloc.decode()}"  # httpx leaves default ports out


def _no_cluster(error: NotFoundError) -> bool:
    return isinstance(error, ClusterNotFoundError)
