"""Errors as answers: which status, code and words each kind of failure gets, in one place.

The API's own refusals keep their code, status and details. Everything else that can go wrong on
purpose is put into the same form here, so that front ends read one kind of error.
"""

from __future__ import annotations

from http.client import responses
from typing import Any

from tornado.web import HTTPError

from ..errors import (
    ApiError,
    ApiUnreachableError,
    ConfigurationError,
    GatewayError,
    NotSupportedError,
    PayloadTooLargeError,
    ProcessError,
    ProxyError,
    UnexpectedAnswerError,
    UsageError,
    api_error_class,
)

MAX_BODY_BYTES = 256 * 1024

_JUPYTER_REFUSALS = {
    403: "Jupyter refused: not signed in, not allowed, or not asked for by one of its pages.",
    405: "This address does not answer that method.",
}

_KINDS: tuple[tuple[type[ProxyError], str, int], ...] = (
    (ConfigurationError, "NOT_CONFIGURED", 503),
    (ApiUnreachableError, "API_UNREACHABLE", 503),
    (GatewayError, "GATEWAY_UNAVAILABLE", 503),
    (ProcessError, "PROCESS_FAILED", 502),
    (UsageError, "VALIDATION_ERROR", 422),
    (UnexpectedAnswerError, "UNEXPECTED_ANSWER", 502),
    (NotSupportedError, "NOT_SUPPORTED", 501),
)


def as_api_error(error: BaseException | None, status: int) -> ApiError:
    """Put any failure of a request into the API's form.

    Args:
        error: What was raised; None if only a status is known.
        status: The HTTP status that Jupyter would answer.

    Example:
        >>> as_api_error(ConfigurationError("No key.", suggestion="Set one."), 500).status
        503
        >>> as_api_error(ValueError("/home/me/secret"), 500).message
        'The Jupyter server failed on this request; its log says why.'
    """
    if isinstance(error, ApiError):
        return error
    for kind, code, own_status in _KINDS:
        if isinstance(error, kind):
            details = {"suggestion": error.suggestion} if error.suggestion else {}
            return ApiError(error.message, code=code, status=own_status, details=details)
    if isinstance(error, HTTPError):
        return _from_http_error(error)
    return ApiError(
        "The Jupyter server failed on this request; its log says why.",
        code="INTERNAL_ERROR",
        status=status,
    )


def error_body(error: ApiError) -> dict[str, Any]:
    """Return the contract's form of an error."""
    described = {"code": error.code, "message": error.message, "details": error.details}
    return {"success": False, "error": described, "request_id": error.request_id}


def require_small(body: bytes) -> bytes:
    """Return the body, or raise.

    Raises:
        PayloadTooLargeError: Over `MAX_BODY_BYTES`.
    """
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"The request's body has {len(body)} bytes; at most {MAX_BODY_BYTES} are accepted."
        )
    return body


def _from_http_error(error: HTTPError) -> ApiError:
    status = error.status_code
    message = _JUPYTER_REFUSALS.get(status) or error.reason or responses.get(status, "Refused.")
    return api_error_class("", status)(message, status=status)
