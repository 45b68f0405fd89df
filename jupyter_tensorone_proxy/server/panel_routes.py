"""The REST door for what a panel shows and the contract has no call for.

`api/connection` says which API this server speaks to, and changes the cluster; a port's `history`
is how it was used lately, counted here as it is for every other view.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..client import AsyncProxyClient
from ..commands.usage import HEALTH_CHANGED, MINUTES, minutes_of, spans_of
from ..errors import InvalidRequestError, NotSupportedError, PortNotFoundError
from ..models import AccessLogEntry, PortMapping
from ..people import Event
from ..validation import parse_request
from .own_answers import ApiConnection, ClusterChoice, PortHistory
from .rest import API_PATH, RestHandler, Route

_PAGE = 1000
_MOST_PAGES = 5


class ConnectionRoute(RestHandler):
    """`api/connection`: which API this server speaks to."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer where it is, without asking it; `clusters=true` asks it which clusters it has."""
        await self._answer(with_clusters=self.flag("clusters"))

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Speak for another cluster until this server ends; kernels started later do so too."""
        wanted = parse_request(ClusterChoice, self.body()).cluster_id
        known = [cluster.id for cluster in await (await self.api()).list_clusters()]
        if wanted not in known:
            unknown = {"field": "cluster_id", "message": "is none of the account's clusters"}
            raise InvalidRequestError("There is no such cluster.", details={"fields": [unknown]})
        self.connection.choose_cluster(wanted)
        await self._answer(with_clusters=False)

    async def _answer(self, *, with_clusters: bool) -> None:
        client = await self.api()
        found = client.settings
        told = ApiConnection(
            kind="gateway" if found.source == "running gateway" else "api",
            api_url=found.api_url,
            cluster_id=found.cluster_id,
        )
        if with_clusters:
            told = told.model_copy(update={"clusters": await client.list_clusters()})
        self.answer(told.to_wire())


class HistoryRoute(RestHandler):
    """`api/ports/{id}/history`: the last half hour of a mapping."""

    @web.authenticated
    @authorized
    async def get(self, port_id: str) -> None:
        """Answer requests by the minute, and how the service did."""
        client = await self.api()
        now = datetime.now(timezone.utc)
        mapping = await _mapping(client, port_id)
        requests, cut = await _requests(client, port_id, now - timedelta(minutes=MINUTES))
        events = await _changes_of_health(client, port_id)
        spans = spans_of(events, mapping.health_status, now)
        self.answer(PortHistory.of(minutes_of(requests, now), spans, cut=cut).to_wire())


async def _mapping(client: AsyncProxyClient, port_id: str) -> PortMapping:
    for mapping in await client.list_ports():
        if mapping.id == port_id:
            return mapping
    raise PortNotFoundError(f"{port_id} is not exposed any more.")


async def _requests(
    client: AsyncProxyClient, port_id: str, since: datetime
) -> tuple[list[AccessLogEntry], bool]:
    """Return the requests since a moment, and whether there were too many to look at all."""
    found: list[AccessLogEntry] = []
    before: int | None = None
    for _ in range(_MOST_PAGES):
        page = await client.access_logs(port_id=port_id, since=since, before=before, limit=_PAGE)
        found += page
        if len(page) < _PAGE or (before := page[-1].id) is None:
            return found, False
    return found, True


async def _changes_of_health(client: AsyncProxyClient, port_id: str) -> list[Event]:
    try:
        return await client.list_events(
            action=HEALTH_CHANGED, port_id=port_id, limit=_PAGE, latest=True
        )
    except NotSupportedError:  # then only how it does now is known
        return []


def panel_handlers(api: dict[str, Any]) -> list[Route]:
    """Return the addresses of these routes.

    Args:
        api: The arguments of every REST handler.
    """
    return [
        (rf"{API_PATH}/connection", ConnectionRoute, api),
        (rf"{API_PATH}/ports/([A-Za-z0-9._~-]+)/history", HistoryRoute, api),
    ]
