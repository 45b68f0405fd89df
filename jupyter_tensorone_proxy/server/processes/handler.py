"""What the handlers about processes share."""

from __future__ import annotations

from ..connection import Connection
from ..rest import RestHandler
from .services import Services


class ServicesHandler(RestHandler):
    """Base of these handlers; every verb must be `@web.authenticated` and `@authorized`."""

    def initialize(self, connection: Connection, services: Services | None = None) -> None:
        """Take what every request needs."""
        super().initialize(connection)
        if services is None:
            raise TypeError("these handlers are about services")
        self.runner = services.runner
