"""Reading answers: both error forms of the contract, and pages that are not the API's.

TensorOne documents a nested error, ``{"success": false, "error": {"code": …}}``, and a flat one,
``{"error": "CODE", "message": …}``; things in between answer with pages of their own. Only what is
really the API's becomes an `ApiError`, so that nobody reads "Envoy refused" off a router's page.

This module decides nothing about retries and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from ..errors import (
    API_ERRORS,
    ApiError,
    ForbiddenError,
    NotSupportedError,
    PayloadTooLargeError,
    ProxyError,
    RateLimitedError,
    UnauthorizedError,
    UnexpectedAnswerError,
    api_error_class,
)
from ._operations import Operation

T = TypeVar("T")
_MASK = "**********"
_MISSING_STATUSES = {404, 405, 501}
_SHOWN_CHARACTERS = 160
_PLAIN_HTTP: dict[int, tuple[type[ApiError], str]] = {
    401: (UnauthorizedError, "does not accept the API key"),
    403: (ForbiddenError, "does not allow this"),
    413: (PayloadTooLargeError, "finds the request too large"),
    429: (RateLimitedError, "had too many requests"),
}
"""Statuses that mean the same whoever says them, the API or something in front of it."""


@dataclass(frozen=True)
class Answer:
    """An answer, and what is needed to speak of it.

    Args:
        response: The answer, read to its end.
        server: Scheme, host and port that gave it.
        secret: Text that no message may repeat: the API key.
    """

    response: httpx.Response
    server: str
    secret: str

    def read(self, operation: Operation[T]) -> T:
        """Return what the operation asked for.

        Raises:
            ProxyError: The answer says no, or is not the contract's.
        """
        body = _json(self.response)
        if not self.response.is_success or _says_no(body):
            raise self._error(operation, body)
        if body is None and self.response.content:
            raise self._not_ours()
        try:
            return operation.parse(body)
        except ValueError as error:  # pydantic's ValidationError is one
            raise UnexpectedAnswerError(
                f"{self.server} answered {operation.method} with JSON that is not the Cluster "
                f"Proxy API's: {self._masked(_reason(error))}.",
                suggestion="Check that TENSORONE_API_URL is the base URL of the API.",
            ) from None

    def _error(self, operation: Operation[Any], body: Any) -> ProxyError:
        status = self.response.status_code
        error = _contract_error(body)
        known = API_ERRORS.get(error.get("code") or "")
        missing = status in _MISSING_STATUSES and (known is None or error["code"] == "NOT_FOUND")
        if operation.extension and missing:
            return NotSupportedError(
                f"{self.server} does not have {operation.extension}: they are an extension of "
                "the Cluster Proxy API.",
                suggestion="The local gateway has them: `jupyter tensorone gateway`.",
            )
        if error:
            return self._api_error(error, body)
        if status in _PLAIN_HTTP:
            kind, verb = _PLAIN_HTTP[status]
            return kind(
                f"{self.server} {verb} (HTTP {status})",
                request_id=self._request_id(body),
                retry_after=retry_after_seconds(self.response),
            )
        return self._not_ours()

    def _api_error(self, error: Mapping[str, Any], body: Any) -> ApiError:
        status = self.response.status_code
        if status < 400:  # noqa: PLR2004 - an error within a success: the body knows better
            status = error["status"]
        details = self._masked(error.get("details"))
        if details is not None and not isinstance(details, Mapping):
            details = {"details": details}
        kind = api_error_class(error["code"], status or 0)
        message = error.get("message") or f"{self.server} answered {error['code']}"
        return kind(
            self._masked(str(message)),
            code=error["code"],
            status=status,
            details=details,
            request_id=self._request_id(body),
            retry_after=retry_after_seconds(self.response),
        )

    def _not_ours(self) -> UnexpectedAnswerError:
        response = self.response
        kind = response.headers.get("content-type", "").partition(";")[0] or "no content type"
        what = f"{response.status_code} {response.reason_phrase}".strip()
        text = "" if "html" in kind else " ".join(response.text.split())[:_SHOWN_CHARACTERS]
        said = f": {self._masked(text)!r}" if text else ""
        return UnexpectedAnswerError(
            f"{self.server} answered {what} ({kind}), which is not the Cluster Proxy API's{said}.",
            suggestion="Check TENSORONE_API_URL, and what stands between here and there.",
        )

    def _request_id(self, body: Any) -> str | None:
        inside = body if isinstance(body, Mapping) else {}
        nested = inside.get("error")
        deeper = nested.get("request_id") if isinstance(nested, Mapping) else None
        found = inside.get("request_id") or deeper or self.response.headers.get("x-request-id")
        return str(found) if found else None

    def _masked(self, value: Any) -> Any:
        """Return a value with the key masked wherever a server repeats it."""
        if isinstance(value, str):
            return value.replace(self.secret, _MASK)
        if isinstance(value, Mapping):
            return {self._masked(name): self._masked(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._masked(inner) for inner in value]
        return value


def is_the_apis_own(response: httpx.Response) -> bool:
    """Say whether an error is in one of the contract's forms, and not somebody else's page."""
    return bool(_contract_error(_json(response)))


def retry_after_seconds(response: httpx.Response) -> float | None:
    """Return how long the server asks to wait, in seconds; None if it does not say.

    Example:
        >>> retry_after_seconds(httpx.Response(503, headers={"Retry-After": "7"}))
        7.0
        >>> retry_after_seconds(httpx.Response(503, headers={
        ...     "Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT",
        ...     "Date": "Fri, 31 Dec 1999 23:59:39 GMT",
        ... }))
        20.0
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    until = _date(value)
    if until is None:
        return None
    # The server's own clock, if it shows it: ours may be wrong.
    now = _date(response.headers.get("date", "")) or datetime.now(timezone.utc)
    return max(0.0, (until - now).total_seconds())


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError):  # TypeError: Python 3.10 on text that is no date
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _says_no(body: Any) -> bool:
    return isinstance(body, Mapping) and body.get("success") is False


def _contract_error(body: Any) -> dict[str, Any]:
    """Return code, status, message and details of either error form; empty if it is neither."""
    if not isinstance(body, Mapping):
        return {}
    error = body.get("error")
    if isinstance(error, Mapping) and isinstance(error.get("code"), str):
        return {"status": None, **error}
    if isinstance(error, str) and error and ("message" in body or _says_no(body)):
        status = body.get("code")
        return {**body, "code": error, "status": status if isinstance(status, int) else None}
    return {}


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    # Without the values: an answer may hold a token.
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, p['loc'])) or 'it'}: {p['msg']}" for p in problems)
