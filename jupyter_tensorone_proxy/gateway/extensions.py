"""The routes that this gateway's API has beyond the contract; `meta.extensions` names them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import Response

from ..models import AccessLogEntry, Model
from ..people import Event
from . import answers, people_api
from .context import PROXY, Context
from .openapi import Success, documented

REQUESTS: list[type[Model]] = people_api.REQUESTS
"""Bodies of these routes, for the API's description."""

_LAST_ROW = 2**63 - 1


def add_routes(app: FastAPI, context: Context) -> None:
    """Add the extensions to the API."""
    _add_access_logs(app, context)
    _add_events(app, context)
    people_api.add_routes(app, context)


def _add_access_logs(app: FastAPI, context: Context) -> None:
    @app.get(f"{PROXY}/access-logs", **documented(Success[list[AccessLogEntry]]))
    async def access_logs(  # noqa: PLR0913, PLR0917 - query parameters
        cluster_id: str,
        port_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        status: Annotated[int | None, Query(ge=1, le=599)] = None,
        before: Annotated[int | None, Query(ge=1, le=_LAST_ROW)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> Response:
        context.require_cluster(cluster_id)
        await context.observer.catch_up()
        entries = context.observer.usage.entries(
            port_id=port_id, since=since, until=until, status=status, before=before, limit=limit
        )
        following = entries[-1].id if len(entries) == limit else None
        return answers.success([e.to_wire() for e in entries], meta={"next_before": following})


def _add_events(app: FastAPI, context: Context) -> None:
    @app.get(f"{PROXY}/events", **documented(Success[list[Event]]))
    async def events(  # noqa: PLR0913, PLR0917 - query parameters
        cluster_id: str,
        after: Annotated[int, Query(ge=0, le=_LAST_ROW)] = 0,
        action: Annotated[str | None, Query(max_length=100)] = None,
        port_id: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        wait_seconds: Annotated[int, Query(ge=0, le=30)] = 0,
        latest: Annotated[bool, Query(description="If there are more: the last of them")] = False,  # noqa: FBT002 - a query parameter
    ) -> Response:
        context.require_cluster(cluster_id)

        async def read() -> list[Event]:
            async with context.store.transaction() as transaction:
                return transaction.events.after(
                    after, limit=limit, action=action, port_id=port_id, latest=latest
                )

        found = await read()
        if not found and wait_seconds and await context.store.changed(wait_seconds):
            found = await read()
        following = found[-1].id if found else after
        return answers.success([e.to_wire() for e in found], meta={"next_after": following})
