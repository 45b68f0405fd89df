"""The answers that the Jupyter server's REST door has beyond the API's, as models.

The front end's types are generated from these, as from all other models.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from ..commands.usage import Minute, Span
from ..models import Cluster, Model
from ..services import Service


class Me(Model):
    """Who asks, as exposed services know them (`api/me`)."""

    name: str = Field(description="In whose name ports are opened; what `allowed_users` has.")


class ApiConnection(Model):
    """Which API this Jupyter server speaks to (`api/connection`)."""

    kind: Literal["gateway", "api"] = Field(description="A gateway on this machine, or another.")
    api_url: str
    cluster_id: str = Field(description="Empty if none is chosen.")
    clusters: list[Cluster] | None = Field(
        None, description="The account's clusters, if they were asked for."
    )


class ClusterChoice(Model):
    """Which cluster is meant from now on (PUT `api/connection`)."""

    cluster_id: str


class HistoryMinute(Model):
    """One minute of a port's life."""

    start: datetime
    requests: int
    failed: int = Field(description="Answered with a status of 500 or more.")
    median_ms: float | None = Field(description="Half of them were answered within this time.")


class HistorySpan(Model):
    """A time in which a service did one way."""

    start: datetime
    end: datetime
    word: str = Field(description="How it did, such as healthy.")
    tone: Literal["good", "bad", "neutral"]


class PortHistory(Model):
    """How a port was used lately, the oldest first (`api/ports/{id}/history`)."""

    minutes: list[HistoryMinute]
    health: list[HistorySpan]
    cut: bool = Field(description="There were more requests than were counted.")

    @classmethod
    def of(cls, minutes: Sequence[Minute], spans: Sequence[Span], *, cut: bool) -> PortHistory:
        """Return what is told of a port's last minutes."""
        counted = [
            HistoryMinute(
                start=minute.start,
                requests=minute.requests,
                failed=minute.failed,
                median_ms=minute.median_ms,
            )
            for minute in minutes
        ]
        health = [
            HistorySpan(
                start=span.start, end=span.end, word=span.health.word, tone=span.health.tone
            )
            for span in spans
        ]
        return cls(minutes=counted, health=health, cut=cut)


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
