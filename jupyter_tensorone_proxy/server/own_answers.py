"""The answers that the Jupyter server's REST door has beyond the API's, as models.

The front end's types are generated from these, as from all other models.
"""

from __future__ import annotations

from pydantic import Field

from ..models import Model
from ..services import Service


class Me(Model):
    """Who asks, as exposed services know them (`api/me`)."""

    name: str = Field(description="In whose name ports are opened; what `allowed_users` has.")


class ServiceEntry(Model):
    """A kind of service that is recognised (`api/services`)."""

    id: str
    name: str = Field(description="What people call it.")
    default_port: int | None = Field(description="Where it usually listens.")
    health_path: str | None = Field(description="A path that answers 200 while it is well.")
    open_path: str = Field(description="Where people begin.")
    app_protocol: str = Field(description="What it speaks.")
    note: str = Field(description="What is peculiar about it behind a proxy; empty if nothing.")

    @classmethod
    def of(cls, service: Service) -> ServiceEntry:
        """Return what is told of a service."""
        return cls(
            id=service.id,
            name=service.name,
            default_port=service.default_port,
            health_path=service.health_path,
            open_path=service.open_path,
            app_protocol=service.app_protocol,
            note=service.note,
        )
