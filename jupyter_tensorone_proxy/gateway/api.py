"""The REST API: TensorOne's contract for one cluster, and our extensions, on loopback.

Handlers only translate; `Controller` decides. Every error becomes an answer in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp

from ..errors import (
    ClusterNotFoundError,
    ConflictError,
    InvalidRequestError,
)
from ..models import (
    ClusterAccess,
    Link,
    LinkRequest,
    Model,
    NetworkConfiguration,
    PortRequest,
    PortSettings,
    ProxySettings,
    ProxySettingsV2,
    User,
    UserRequest,
)
from ..validation import parse_request
from . import answers, views
from .certificates import Leaf
from .control import Controller, merge_patch
from .desired import DesiredCluster, public_url
from .guard import Guard
from .identity import Signer, new_id
from .observer import Observer
from .store import Store, now
from .xds.filters import VISITOR_PREFIX

_LAST_ROW = 2**63 - 1
_USER_TOKEN_SECONDS = 365 * 86_400
_PROXY = "/v1/clusters/{cluster_id}/proxy"


@dataclass
class Context:
    """What the handlers work with."""

    controller: Controller
    store: Store
    signer: Signer
    observer: Observer
    leaf: Callable[[], Leaf]
    version: str


def create_api(context: Context, api_key: str) -> ASGIApp:
    """Return the REST API as an ASGI application.

    Args:
        context: What it works with.
        api_key: The key every request must have.
    """
    app = FastAPI(title="Cluster Proxy API", version=context.version, docs_url="/docs")
    answers.install(app)
    _add_proxy(app, context)
    _add_ports(app, context)
    _add_access_logs(app, context)
    _add_extensions(app, context)
    return Guard(app, api_key, answers.error_answer)


def _add_proxy(app: FastAPI, context: Context) -> None:
    controller = context.controller

    @app.get("/healthz")
    async def healthz() -> Response:
        connected = controller.discovery.connected
        return JSONResponse({"envoy": "connected" if connected else "away"})

    @app.get("/metrics")
    async def metrics() -> Response:
        from .metrics import render  # only for those who watch

        observer = context.observer
        observer.read()
        text = await render(controller, observer.usage, observer.health, observer.admin)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/v1/clusters")
    async def list_clusters() -> Response:
        own_id = controller.desired.cluster.id
        proxy_url = views.proxy_url(controller)
        return answers.success([{"id": own_id, "name": "local gateway", "proxy_url": proxy_url}])

    @app.get(_PROXY)
    async def get_proxy(
        cluster_id: str,
        include_health: bool = False,  # noqa: FBT001, FBT002 - a query parameter
        include_access_logs: bool = False,  # noqa: FBT001, FBT002 - a query parameter
        include_ssl_info: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    ) -> Response:
        _require_cluster(context, cluster_id)
        context.observer.read()
        config = views.proxy_config(
            controller,
            context.observer,
            health=include_health,
            access_logs=include_access_logs,
            certificate=context.leaf() if include_ssl_info else None,
            version=context.version,
        )
        data = config.to_wire()
        return answers.success(data, meta=data.pop("meta"))

    @app.put(_PROXY)
    async def update_proxy(cluster_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        patch = await _patch(request, ProxySettings)
        cluster = await controller.update_cluster(lambda c: _with_settings(c, patch))
        return answers.success(
            {"proxy_url": views.proxy_url(controller), "enabled": cluster.enabled}
            | {"allowed_ips": list(cluster.allowed_ips)}
            | {"network_configuration": cluster.network.to_wire()}
        )

    @app.put("/v2/clusters/{cluster_id}/proxy")
    async def update_proxy_v2(cluster_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        settings = parse_request(ProxySettingsV2, await request.body())
        patch = settings.model_dump(exclude_unset=True)
        cluster = await controller.update_cluster(lambda c: _with_settings(c, patch))
        return JSONResponse({"proxyUrl": views.proxy_url(controller), "enabled": cluster.enabled})

    @app.put(f"{_PROXY}/access")
    async def update_access(cluster_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        patch = await _patch(request, ClusterAccess)
        cluster = await controller.update_cluster(lambda c: _with_access(c, patch))
        return answers.success(cluster.access.to_wire())


def _add_ports(app: FastAPI, context: Context) -> None:
    controller = context.controller

    @app.post(f"{_PROXY}/ports", status_code=201)
    async def create_port(cluster_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        mapping = await controller.create_port(parse_request(PortRequest, await request.body()))
        shown = views.port_mapping(mapping, controller, context.observer)
        return answers.success(shown.to_wire(), status=201)

    @app.put(f"{_PROXY}/ports/{{port_id}}")
    async def update_port(cluster_id: str, port_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        patch = await _patch(request, PortSettings)
        mapping = await controller.update_port(port_id, patch)
        if "internal_port" in patch or "health_check" in patch:
            context.observer.health.forget(port_id)
        return answers.success(views.port_mapping(mapping, controller, context.observer).to_wire())

    @app.delete(f"{_PROXY}/ports/{{port_id}}")
    async def delete_port(cluster_id: str, port_id: str) -> Response:
        _require_cluster(context, cluster_id)
        await controller.delete_port(port_id)
        context.observer.health.forget(port_id)
        context.observer.usage.forget(port_id)
        return answers.success({"id": port_id, "deleted": True})


def _add_access_logs(app: FastAPI, context: Context) -> None:
    @app.get(f"{_PROXY}/access-logs")
    async def access_logs(  # noqa: PLR0913, PLR0917 - query parameters
        cluster_id: str,
        port_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        status: Annotated[int | None, Query(ge=1, le=599)] = None,
        before: Annotated[int | None, Query(ge=1, le=_LAST_ROW)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> Response:
        _require_cluster(context, cluster_id)
        context.observer.read()
        entries = context.observer.usage.entries(
            port_id=port_id, since=since, until=until, status=status, before=before, limit=limit
        )
        following = entries[-1].id if len(entries) == limit else None
        return answers.success([e.to_wire() for e in entries], meta={"next_before": following})


def _add_extensions(app: FastAPI, context: Context) -> None:
    controller, signer = context.controller, context.signer

    @app.post(f"{_PROXY}/links", status_code=201)
    async def create_link(cluster_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        asked = parse_request(LinkRequest, await request.body())
        if asked.one_time and asked.expires_in_seconds > 60:  # noqa: PLR2004 - R25: a minute
            raise InvalidRequestError(
                "A one-time link lasts a minute at most.",
                details={"fields": [{"field": "expires_in_seconds", "message": "at most 60"}]},
            )
        mapping = controller.mapping(asked.port_id)
        seconds, link_id = asked.expires_in_seconds, new_id("link")
        token = signer.link(mapping.id, asked.user, link_id, lifetime_seconds=seconds)
        path = quote(asked.path, safe="/?&=%+,;:@!$'()*~-._[]#")
        url = public_url(mapping, controller.desired.edge)
        link = Link(
            id=link_id,
            port_id=mapping.id,
            user=asked.user,
            url=f"{url}{VISITOR_PREFIX}link?token={token}&next={path}",
            one_time=asked.one_time,
            expires_at=now() + timedelta(seconds=seconds),
        )
        with context.store.transaction() as transaction:
            transaction.add_link(link)
        return answers.success(link.to_wire(), status=201)

    @app.post(f"{_PROXY}/users", status_code=201)
    async def create_user(cluster_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        asked = parse_request(UserRequest, await request.body())
        token_id = new_id("tok")
        token = signer.user_token(asked.name, token_id, lifetime_seconds=_USER_TOKEN_SECONDS)
        user = User(name=asked.name, created_at=now(), token=token)
        with context.store.transaction() as transaction:
            if not transaction.add_user(user, token_id):
                raise ConflictError(
                    f"There is already a user {asked.name!r}",
                    details={"suggestion": "Choose another name"},
                )
        return answers.success(user.to_wire(), status=201)


# --- requests ------------------------------------------------------------------------------


def _require_cluster(context: Context, cluster_id: str) -> None:
    own = context.controller.desired.cluster.id
    if cluster_id != own:
        raise ClusterNotFoundError(
            f"There is no cluster {cluster_id!r}",
            details={"cluster_id": cluster_id, "suggestion": f"This gateway's cluster is {own!r}"},
        )


async def _patch(request: Request, model: type[Model]) -> dict[str, Any]:
    """Return the fields that are given, each one valid by itself."""
    return parse_request(model, await request.body()).to_wire()


def _with_settings(cluster: DesiredCluster, patch: Mapping[str, Any]) -> DesiredCluster:
    changed = dict(patch)
    if changed.get("enabled") is not None:
        cluster = replace(cluster, enabled=changed["enabled"])
    if "allowed_ips" in changed:
        cluster = replace(cluster, allowed_ips=tuple(changed["allowed_ips"] or ()))
    if "network_configuration" in changed:
        merged = merge_patch(cluster.network.to_wire(), changed["network_configuration"] or {})
        cluster = replace(cluster, network=parse_request(NetworkConfiguration, merged))
    return cluster


def _with_access(cluster: DesiredCluster, patch: Mapping[str, Any]) -> DesiredCluster:
    merged = merge_patch(cluster.access.to_wire(), patch)
    return replace(cluster, access=parse_request(ClusterAccess, merged))
