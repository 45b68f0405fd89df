"""What every handler of this extension shares: who may ask, and how failures are logged."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError

from ..client import AsyncProxyClient
from ..errors import ApiError, ProxyError
from .answers import as_api_error
from .connection import Connection
from .identity import user_name

AUTH_RESOURCE = "tensorone_proxy"
"""The resource that Jupyter authorizers are asked about."""


class ProxyHandler(JupyterHandler):
    """Base of the handlers; every verb must be `@web.authenticated` and `@authorized`."""

    auth_resource = AUTH_RESOURCE
    connection: Connection

    async def api(self) -> AsyncProxyClient:
        """Return the API's client in the name of whoever asks, for the audit.

        Raises:
            ProxyError: As for `Connection.client`.
        """
        return (await self.connection.client()).on_behalf_of(user_name(self))

    def failure(self, status: int, arguments: dict[str, Any]) -> ApiError:
        """Return what went wrong, from the arguments of tornado's `write_error`."""
        error = as_api_error(arguments.get("exc_info", (None, None))[1], status)
        self.set_status(error.status)
        if error.retry_after is not None:
            self.set_header("Retry-After", str(round(error.retry_after)))
        return error

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log a failure without the query, which may hold a token; expected ones in one line."""
        what = f"{self.request.method} {self.request.path}"
        if isinstance(value, (ProxyError, HTTPError)):
            self.log.warning("%s: %s", what, value)
        else:
            exc_info = (typ, value, tb) if typ and value else None
            self.log.error("%s failed", what, exc_info=exc_info)
