"""Every way an operation can fail, as one tree.

::

    ProxyError
    ├── ConfigurationError          we do not know where the API is, or how to sign in to it
    │   └── InsecureUrlError        the key would travel in the clear
    ├── ApiUnreachableError         no answer: refused, reset, unknown host
    │   └── ApiTimeoutError         no answer in time
    ├── UnexpectedAnswerError       an answer that is not the contract's
    ├── NotSupportedError           this server does not have that extension
    ├── UsageError                  a command's words cannot be understood
    │   ├── InvalidStackError       a stack's declaration cannot be understood
    │   └── InvalidAlertError       an alert's declaration cannot be understood
    ├── ProcessError                a service's process cannot start, or does not go on
    ├── GatewayError                the embedded gateway cannot start or go on
    │   └── GatewayRunningError     another gateway owns the state directory
    └── ApiError                    the API said no
        ├── InvalidJsonError        400 INVALID_JSON
        ├── UnauthorizedError       401 UNAUTHORIZED
        ├── ForbiddenError          403 FORBIDDEN
        │   └── ProtectedPortError  403 PROTECTED_PORT
        ├── NotFoundError           404 NOT_FOUND
        │   ├── ClusterNotFoundError    404 CLUSTER_NOT_FOUND
        │   ├── PortNotFoundError       404 PORT_NOT_FOUND
        │   ├── LinkNotFoundError       404 LINK_NOT_FOUND
        │   ├── SessionNotFoundError    404 SESSION_NOT_FOUND
        │   └── UserNotFoundError       404 USER_NOT_FOUND
        ├── ConflictError           409 CONFLICT
        │   ├── PortAlreadyMappedError  409 PORT_ALREADY_MAPPED
        │   └── ExternalPortInUseError  409 EXTERNAL_PORT_IN_USE
        ├── PayloadTooLargeError    413 PAYLOAD_TOO_LARGE
        ├── InvalidRequestError     422 VALIDATION_ERROR
        ├── RateLimitedError        429 RATE_LIMIT_EXCEEDED
        ├── DataPlaneRejectedError  502 DATA_PLANE_REJECTED
        ├── DataPlaneUnavailableError   503 DATA_PLANE_UNAVAILABLE
        └── StorageFullError        507 STORAGE_FULL

The gateway raises the `ApiError` classes and its REST layer turns them into answers; the client
turns those answers back into the same classes. Both use `API_ERRORS`, so they cannot disagree.

This module holds no text of a particular failure and imports nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ProxyError(Exception):
    """Base of everything this package raises on purpose.

    Args:
        message: What happened, to what and why, in one sentence.
        suggestion: What to do next, in one sentence; empty if there is nothing to say.

    Example:
        >>> str(ProxyError("No API key.", suggestion="Set TENSORONE_API_KEY."))
        'No API key. Set TENSORONE_API_KEY.'
    """

    def __init__(self, message: str, *, suggestion: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion

    def __str__(self) -> str:
        return f"{self.message} {self.suggestion}".strip()

    def _render_traceback_(self) -> list[str]:
        """Show IPython the message instead of a traceback of our internals."""
        return [f"{type(self).__name__}: {self}"]


class ConfigurationError(ProxyError):
    """Where the API is, or how to sign in to it, is missing or contradictory."""


class InsecureUrlError(ConfigurationError):
    """The URL would send the API key unencrypted to another machine."""


class ApiUnreachableError(ProxyError):
    """The API gave no answer at all."""


class ApiTimeoutError(ApiUnreachableError):
    """The API gave no answer in time."""


class UnexpectedAnswerError(ProxyError):
    """The answer is not one of the contract's forms."""


class NotSupportedError(ProxyError):
    """The server does not offer this extension of the contract."""


class UsageError(ProxyError):
    """The words of a command (`jupyter tensorone …`, `%tensorone …`) cannot be understood."""


class InvalidStackError(UsageError):
    """A stack's declaration is wrong; the message names each place, and nothing was done."""


class InvalidAlertError(UsageError):
    """An alert's declaration is wrong; the message names the value, its type or its unit."""


class ProcessError(ProxyError):
    """A process of a service cannot start, or does not go on; the message has its last words."""


class GatewayError(ProxyError):
    """The embedded gateway cannot start, or cannot go on."""


class GatewayRunningError(GatewayError):
    """Another gateway already owns the state directory."""


class ApiError(ProxyError):
    """The API refused the request.

    Args:
        message: The server's sentence.
        code: The server's error code; the class's own by default.
        status: The HTTP status; the class's own by default.
        details: The server's details, e.g. the mapping that is in the way.
        request_id: The server's name for this request, for its operators.
        retry_after: Seconds to wait before another try, if the server said so.
    """

    default_code: ClassVar[str] = "ERROR"
    default_status: ClassVar[int] = 500

    def __init__(  # noqa: PLR0913 - keyword-only: the parts of the contract's error form
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.details: dict[str, Any] = dict(details or {})
        suggestion = self.details.get("suggestion")
        super().__init__(message, suggestion=suggestion if isinstance(suggestion, str) else "")
        self.code = code or self.default_code
        self.status = status or self.default_status
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        text = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        parts = [text, self.suggestion, *self._field_messages()]
        if self.request_id:
            parts.append(f"(request {self.request_id})")
        return " ".join(part for part in parts if part)

    def _field_messages(self) -> list[str]:
        fields = self.details.get("fields")
        if not isinstance(fields, list):
            return []
        return [
            f"{f['field']}: {f['message']}."
            for f in fields
            if isinstance(f, Mapping) and {"field", "message"} <= set(f)
        ]


class InvalidJsonError(ApiError):
    """The request's body is not JSON."""

    default_code, default_status = "INVALID_JSON", 400


class UnauthorizedError(ApiError):
    """The API key is missing or refused."""

    default_code, default_status = "UNAUTHORIZED", 401


class ForbiddenError(ApiError):
    """The key is good, but this is not allowed."""

    default_code, default_status = "FORBIDDEN", 403


class ProtectedPortError(ForbiddenError):
    """This port is not exposed for safety's sake."""

    default_code = "PROTECTED_PORT"


class NotFoundError(ApiError):
    """No such thing."""

    default_code, default_status = "NOT_FOUND", 404


class ClusterNotFoundError(NotFoundError):
    """No cluster of that id."""

    default_code = "CLUSTER_NOT_FOUND"


class PortNotFoundError(NotFoundError):
    """No port mapping of that id."""

    default_code = "PORT_NOT_FOUND"


class LinkNotFoundError(NotFoundError):
    """No link of that id that can still be used."""

    default_code = "LINK_NOT_FOUND"


class SessionNotFoundError(NotFoundError):
    """No live session of that id."""

    default_code = "SESSION_NOT_FOUND"


class UserNotFoundError(NotFoundError):
    """No user of that name."""

    default_code = "USER_NOT_FOUND"


class ConflictError(ApiError):
    """Something else is in the way."""

    default_code, default_status = "CONFLICT", 409


class PortAlreadyMappedError(ConflictError):
    """The internal port already has a mapping."""

    default_code = "PORT_ALREADY_MAPPED"


class ExternalPortInUseError(ConflictError):
    """The external port, or the whole range, is taken."""

    default_code = "EXTERNAL_PORT_IN_USE"


class PayloadTooLargeError(ApiError):
    """The request's body is over the limit."""

    default_code, default_status = "PAYLOAD_TOO_LARGE", 413


class InvalidRequestError(ApiError):
    """One or more fields of the request are wrong; `details["fields"]` names each."""

    default_code, default_status = "VALIDATION_ERROR", 422


class RateLimitedError(ApiError):
    """Too many requests; `retry_after` says how long to wait."""

    default_code, default_status = "RATE_LIMIT_EXCEEDED", 429


class DataPlaneRejectedError(ApiError):
    """Envoy refused the configuration; nothing was changed."""

    default_code, default_status = "DATA_PLANE_REJECTED", 502


class DataPlaneUnavailableError(ApiError):
    """Envoy is not running or does not answer; nothing was changed."""

    default_code, default_status = "DATA_PLANE_UNAVAILABLE", 503


class StorageFullError(ApiError):
    """The state directory's disk is full or read-only; nothing was changed."""

    default_code, default_status = "STORAGE_FULL", 507


def _leaves(cls: type[ApiError]) -> list[type[ApiError]]:
    return [cls, *(leaf for child in cls.__subclasses__() for leaf in _leaves(child))]


API_ERRORS: dict[str, type[ApiError]] = {c.default_code: c for c in _leaves(ApiError)}
"""Error code → class: the one table that the gateway writes by and the client reads by."""

_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidJsonError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: PayloadTooLargeError,
    422: InvalidRequestError,
    429: RateLimitedError,
    502: DataPlaneRejectedError,
    503: DataPlaneUnavailableError,
    507: StorageFullError,
}


def api_error_class(code: str, status: int) -> type[ApiError]:
    """Return the class for an error code, or for the status if the code is not ours.

    Args:
        code: The server's error code, e.g. ``PORT_ALREADY_MAPPED``.
        status: The HTTP status, 400–599.

    Example:
        >>> api_error_class("PORT_ALREADY_MAPPED", 409).__name__
        'PortAlreadyMappedError'
        >>> api_error_class("SOMETHING_NEW", 404).__name__
        'NotFoundError'
    """
    return API_ERRORS.get(code) or _BY_STATUS.get(status, ApiError)
