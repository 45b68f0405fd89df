"""What the REST handlers share: the contract's envelope, and reading queries strictly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from jupyter_server.base.handlers import APIHandler

from ..errors import InvalidRequestError
from .answers import error_body, require_small
from .connection import Connection
from .handler import ProxyHandler

API_PATH = "tensorone-proxy/api"
"""Where the REST door is, below Jupyter's base URL."""

Route = tuple[str, type[ProxyHandler], dict[str, Any]]
T = TypeVar("T")
_JUPYTERS_OWN = {"token"}


class RestHandler(ProxyHandler, APIHandler):
    """Base of the REST handlers."""

    def initialize(self, connection: Connection) -> None:
        """Take what every request needs."""
        self.connection = connection

    def answer(self, data: Any, status: int = 200) -> None:
        """Answer in the contract's envelope.

        Args:
            data: JSON.
            status: The HTTP status.
        """
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish({"success": True, "data": data})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer in the contract's form of an error."""
        self.finish(error_body(self.failure(status_code, kwargs)))

    def body(self) -> bytes:
        """Return the request's body.

        Raises:
            PayloadTooLargeError: It is over the limit.
        """
        return require_small(self.request.body)

    def flag(self, name: str) -> bool:
        """Return a parameter of the query that is true or false; false if it is missing.

        Raises:
            InvalidRequestError: It is neither.
        """
        text = self.get_query_argument(name, "false").lower()
        if text not in {"true", "false", "1", "0"}:
            _refuse(name, "must be true or false")
        return text in {"true", "1"}

    def query(self, **readers: Callable[[str], T]) -> dict[str, T]:
        """Return the parameters of the query that are given, read.

        A filter that is mistyped must not widen what is shown, or ended. What Jupyter's own front
        end adds (a number against caches) and its token are left out.

        Args:
            readers: What reads each parameter, or raises a `ValueError` that says what it must be.

        Raises:
            InvalidRequestError: One is unknown or wrong.
        """
        given = {}
        for name in self.request.query_arguments:
            if name.isdigit() or name in _JUPYTERS_OWN:
                continue
            if name not in readers:
                _refuse(name, f"is unknown; there are {', '.join(readers) or 'none'}")
            try:
                given[name] = readers[name](self.get_query_argument(name))
            except ValueError as error:
                _refuse(name, str(error))
        return given


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers.

    Example:
        >>> whole_number(1, 599)("404")
        404
    """

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
            raise ValueError(f"must be a number from {least} to {most}")
        if not least <= int(text) <= most:
            raise ValueError(f"must be a number from {least} to {most}")
        return int(text)

    return read


def moment(text: str) -> datetime:
    """Read a moment (ISO 8601, with a zone).

    Raises:
        ValueError: It is none.
    """
    try:
        read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise ValueError("must be a moment such as 2026-01-15T14:30:00Z")
    return read


def _refuse(name: str, message: str) -> NoReturn:
    field = {"field": name[:100], "message": message}
    raise InvalidRequestError("The query is wrong.", details={"fields": [field]})
