"""How a call is carried out, without doing it: a generator of requests and pauses.

The rims send what it yields and hand back what came of it. So headers, retries and the reading of
errors exist once, for sync and async, and are tested without a network or a clock.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from .. import __version__
from ..errors import (
    ApiError,
    ApiTimeoutError,
    ApiUnreachableError,
    NotSupportedError,
    ProxyError,
    UnexpectedAnswerError,
    api_error_class,
)
from ..settings import Settings, require_safe_url
from ._operations import Operation

T = TypeVar("T")

MAX_TRIES = 4
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 30.0
_MAX_REDIRECTS = 5
_BUSY = {429, 503}
_KEPT_METHOD = {307, 308}


@dataclass(frozen=True)
class Pause:
    """Wait this many seconds, then go on."""

    seconds: float


Step = httpx.Request | Pause
Outcome = httpx.Response | httpx.TransportError | None


def exchange(operation: Operation[T], settings: Settings) -> Generator[Step, Outcome, T]:
    """Carry out a call: yield requests and pauses, take responses and transport errors.

    Idempotent calls are tried again after a lost connection; all calls after 429 and 503, which say
    that nothing was done. `Retry-After` is obeyed, up to 30 s (RFC 9110, section 10.2.3).

    Args:
        operation: What to do.
        settings: Where, and with which key.

    Returns:
        What the operation reads from the answer.

    Raises:
        ProxyError: The call failed; the class says how.
    """
    lost = False
    attempt = 0
    while True:
        attempt += 1
        last = attempt == MAX_TRIES
        outcome = yield from _follow(operation, settings)
        if isinstance(outcome, httpx.TransportError):
            lost = True
            if last or not operation.idempotent:
                raise _unreachable(outcome, settings) from None
            yield Pause(_back_off(attempt))
            continue
        pause = None if last else _pause_if_busy(outcome, attempt)
        if pause is not None:
            yield pause
        elif lost and operation.missing_is_done and outcome.status_code == httpx.codes.NOT_FOUND:
            return operation.parse(None)
        else:
            return _read(operation, outcome, settings)


def _pause_if_busy(response: httpx.Response, attempt: int) -> Pause | None:
    if response.status_code not in _BUSY:
        return None
    wanted = _retry_after(response)
    if wanted is None:
        return Pause(_back_off(attempt))
    return Pause(wanted) if wanted <= _LONGEST_PAUSE_SECONDS else None


def _follow(
    operation: Operation[Any], settings: Settings
) -> Generator[Step, Outcome, httpx.Response | httpx.TransportError]:
    """Send one request and follow its redirects, without the key to another origin."""
    request = _build(operation, settings)
    for _ in range(_MAX_REDIRECTS + 1):
        outcome = yield request
        assert outcome is not None  # noqa: S101 - the rims answer every request
        if isinstance(outcome, httpx.TransportError) or not outcome.has_redirect_location:
            return outcome
        if operation.method != "GET" and outcome.status_code not in _KEPT_METHOD:
            raise UnexpectedAnswerError(
                f"{settings.api_url} answered a change with redirect {outcome.status_code}.",
                suggestion="Correct the API's URL: nothing was changed.",
            )
        request = _redirected(request, outcome)
    raise UnexpectedAnswerError(f"{settings.api_url} redirects in a circle.")


def _build(operation: Operation[Any], settings: Settings) -> httpx.Request:
    values = {"cluster_id": settings.cluster_id, **operation.path_values}
    path = operation.path.format(**{k: _quoted(v) for k, v in values.items()})
    key = settings.api_key.get_secret_value()
    return httpx.Request(
        operation.method,
        settings.api_url + path,
        params=operation.query or None,
        json=operation.body,
        headers={
            "authorization": key if path.startswith("/v2/") else f"Bearer {key}",
            "accept": "application/json",
            "user-agent": f"jupyter-tensorone-proxy/{__version__}",
        },
    )


def _quoted(value: str) -> str:
    """Quote a path segment; dots too, because `..` would climb."""
    quoted = quote(value, safe="")
    return quoted.replace(".", "%2E") if set(value) == {"."} else quoted


def _redirected(request: httpx.Request, response: httpx.Response) -> httpx.Request:
    target = request.url.join(response.headers["location"])
    require_safe_url(str(target.copy_with(username=None, password=None, query=None)))
    headers = httpx.Headers(request.headers)
    del headers["host"]
    if _origin(target) != _origin(request.url):
        headers.pop("authorization", None)
    return httpx.Request(request.method, target, headers=headers, content=request.content)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _back_off(attempt: int) -> float:
    """Return the pause after the given try, in seconds: exponential, with jitter."""
    jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    return _FIRST_PAUSE_SECONDS * float(2 ** (attempt - 1)) * jitter


def _retry_after(response: httpx.Response) -> float | None:
    """Return `Retry-After` in seconds, whether it is a number or a date."""
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def _unreachable(error: httpx.TransportError, settings: Settings) -> ProxyError:
    where = f"The API at {settings.api_url}"
    if isinstance(error, httpx.TimeoutException):
        return ApiTimeoutError(
            f"{where} did not answer in time.", suggestion="Try again, or raise timeout_seconds."
        )
    if settings.source == "running gateway":
        hint = "The local gateway may have stopped: start it again."
    else:
        hint = f"Check the address (it came from: {settings.source}) and the network."
    return ApiUnreachableError(f"{where} cannot be reached: {_reason(error)}.", suggestion=hint)


def _reason(error: httpx.TransportError) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _read(operation: Operation[T], response: httpx.Response, settings: Settings) -> T:
    body = _json(response)
    failed = isinstance(body, dict) and body.get("success") is False
    if response.is_success and not failed:
        if body is None and response.content:
            raise UnexpectedAnswerError(
                f"{settings.api_url} answered with something that is not JSON.",
                suggestion="Correct the API's URL; a proxy in between may have answered.",
            )
        return operation.parse(body if body is not None else {})
    error = read_error(response.status_code, body, response.headers)
    unknown_path = error.code.startswith("HTTP_") or error.code in {
        "NOT_FOUND",
        "METHOD_NOT_ALLOWED",
    }
    if operation.extension and error.status in {404, 405} and unknown_path:
        raise NotSupportedError(
            f"{settings.api_url} has no {operation.extension}.",
            suggestion="They are an extension of the local gateway.",
        )
    raise error


def read_error(status: int, body: Any, headers: httpx.Headers) -> ApiError:
    """Return the error that an answer means, in either of the two documented forms.

    Args:
        status: HTTP status.
        body: The decoded JSON body; None if it was not JSON.
        headers: The answer's headers.

    Example:
        >>> flat = {"error": "UNAUTHORIZED", "message": "No.", "code": 401}
        >>> read_error(401, flat, httpx.Headers())
        UnauthorizedError('No.')
    """
    answer = body if isinstance(body, dict) else {}
    nested = answer.get("error")
    source = nested if isinstance(nested, dict) else answer
    code = source.get("code") if isinstance(nested, dict) else nested
    text_code = code if isinstance(code, str) and code else f"HTTP_{status}"
    message = source.get("message")
    details = source.get("details")
    request_id = answer.get("request_id") or headers.get("x-request-id")
    return api_error_class(text_code, status)(
        message if isinstance(message, str) and message else f"The API answered {status}",
        code=text_code,
        status=status,
        details=details if isinstance(details, dict) else None,
        request_id=str(request_id) if request_id else None,
        retry_after=_retry_after(httpx.Response(status, headers=headers)),
    )


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
