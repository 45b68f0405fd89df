"""The REST API: TensorOne's contract for one cluster, and our extensions, on loopback.

Handlers only translate; `Controller` decides. Every error becomes an answer in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp

from ..errors import (
    ConflictError,
    ExternalPortInUseError,
    InvalidRequestError,
    PortAlreadyMappedError,
    PortNotFoundError,
    ProtectedPortError,
)
from ..models import (
    Cluster,
    ClusterAccess,
    Model,
    NetworkConfiguration,
    PortMapping,
    PortRequest,
    PortSettings,
    ProxyConfig,
    ProxySettings,
    ProxySettingsV2,
    ProxyState,
)
from ..validation import parse_patch, parse_request
from . import answers, extensions, openapi, probes, views
from .audit import RecordOrigin
from .context import PROXY, Context
from .desired import DesiredCluster, DesiredMapping
from .guard import Guard
from .merge import merge_patch
from .openapi import Deleted, Success, documented
from .xds.balancing import is_alone
from .xds.upstream import is_checked

_REQUESTS: list[type[Model]] = [
    ClusterAccess,
    PortRequest,
    PortSettings,
    ProxySettings,
    ProxySettingsV2,
    *extensions.REQUESTS,
]

_FIRST_CHECK_SECONDS = 2.0


def create_api(context: Context, api_key: str) -> ASGIApp:
    """Return the REST API as an ASGI application.

    Args:
        context: What it works with.
        api_key: The key every request must have.
    """
    app = FastAPI(
        title="Cluster Proxy API",
        version=context.version,
        docs_url=None,  # ours loads nothing from elsewhere: `docs_page`
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        dependencies=[Depends(answers.require_known_query)],
    )
    answers.install(app)
    openapi.install(app, _REQUESTS)
    _add_proxy(app, context)
    _add_access(app, context)
    _add_ports(app, context)
    extensions.add_routes(app, context)
    probes.add_routes(app, context)
    return Guard(RecordOrigin(app), api_key, answers.error_answer)


def _add_proxy(app: FastAPI, context: Context) -> None:
    controller = context.controller

    @app.get(
        "/v1/clusters",
        **documented(
            Success[list[Cluster]],
            InvalidRequestError,
            cluster=False,
            summary="The clusters that this key can reach",
        ),
    )
    async def list_clusters() -> Response:
        own_id = controller.desired.cluster.id
        proxy_url = views.proxy_url(controller)
        return answers.success([{"id": own_id, "name": "local gateway", "proxy_url": proxy_url}])

    @app.get(
        PROXY,
        **documented(
            Success[ProxyConfig],
            summary="The whole proxy: mappings, access rules, network",
        ),
    )
    async def get_proxy(
        cluster_id: str,
        include_health: Annotated[bool, Query(description="With health of every mapping")] = False,  # noqa: FBT002 - a query parameter
        include_access_logs: Annotated[bool, Query(description="With the last requests")] = False,  # noqa: FBT002 - as above
        include_ssl_info: Annotated[bool, Query(description="With the certificate")] = False,  # noqa: FBT002 - as above
    ) -> Response:
        context.require_cluster(cluster_id)
        await context.observer.catch_up()
        config = views.proxy_config(
            controller,
            context.observer,
            health=include_health,
            access_logs=include_access_logs,
            certificate=context.certificate() if include_ssl_info else None,
            version=context.version,
        )
        data = config.to_wire()
        return answers.success(data, meta=data.pop("meta"))

    @app.put(
        PROXY,
        **documented(
            Success[ProxySettings],
            request=ProxySettings,
            example={"enabled": True, "allowed_ips": ["203.0.113.0/24"]},
            summary="Change the proxy: open or closed, addresses, network",
            changes=True,
        ),
    )
    async def update_proxy(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        patch = await _patch(request, ProxySettings)
        cluster = await controller.update_cluster(
            "proxy.updated", patch, lambda c: _with_settings(c, patch)
        )
        return answers.success(
            {"proxy_url": views.proxy_url(controller), "enabled": cluster.enabled}
            | {"allowed_ips": list(cluster.allowed_ips)}
            | {"network_configuration": views.network(cluster).to_wire()}
        )

    @app.put(
        "/v2/clusters/{cluster_id}/proxy",
        **documented(
            ProxyState,
            request=ProxySettingsV2,
            example={"enabled": True, "allowedIps": ["203.0.113.0/24"]},
            summary="The same in the second version's spelling",
            changes=True,
        ),
    )
    async def update_proxy_v2(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        settings = parse_request(ProxySettingsV2, await request.body())
        patch = settings.model_dump(exclude_unset=True)
        cluster = await controller.update_cluster(
            "proxy.updated", patch, lambda c: _with_settings(c, patch)
        )
        return JSONResponse({"proxyUrl": views.proxy_url(controller), "enabled": cluster.enabled})


def _add_access(app: FastAPI, context: Context) -> None:
    controller = context.controller

    @app.put(
        f"{PROXY}/access",
        **documented(
            Success[ClusterAccess],
            request=ClusterAccess,
            example={"default_authentication": True, "session_timeout_minutes": 240},
            summary="Change the access rules of the whole cluster",
            changes=True,
        ),
    )
    async def update_access(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        patch = await _patch(request, ClusterAccess)
        cluster = await controller.update_cluster(
            "access.updated", patch, lambda c: _with_access(c, patch)
        )
        return answers.success(cluster.access.to_wire())


def _add_ports(app: FastAPI, context: Context) -> None:
    controller = context.controller

    @app.post(
        f"{PROXY}/ports",
        **documented(
            Success[PortMapping],
            ProtectedPortError,
            ConflictError,
            PortAlreadyMappedError,
            ExternalPortInUseError,
            status=201,
            request=PortRequest,
            example={"internal_port": 6006, "description": "TensorBoard"},
            summary="Expose a port",
            changes=True,
        ),
    )
    async def create_port(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        mapping = await controller.create_port(parse_request(PortRequest, await request.body()))
        if not is_alone(mapping):
            await _replicas_checked(context, mapping)
        shown = views.port_mapping(mapping, controller, context.observer)
        return answers.success(shown.to_wire(), status=201)

    @app.put(
        f"{PROXY}/ports/{{port_id}}",
        **documented(
            Success[PortMapping],
            ProtectedPortError,
            PortNotFoundError,
            PortAlreadyMappedError,
            ExternalPortInUseError,
            request=PortSettings,
            example={"access_control": {"allowed_users": ["ml_engineer"]}},
            summary="Change a mapping: only what is given; null resets a field",
            changes=True,
        ),
    )
    async def update_port(cluster_id: str, port_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        patch = await _patch(request, PortSettings)
        mapping = await controller.update_port(port_id, patch)
        if "internal_port" in patch or "health_check" in patch:
            context.observer.health.forget(port_id)
        if "replicas" in patch:
            await _replicas_checked(context, mapping)
        return answers.success(views.port_mapping(mapping, controller, context.observer).to_wire())

    @app.delete(
        f"{PROXY}/ports/{{port_id}}",
        **documented(
            Success[Deleted],
            PortNotFoundError,
            summary="Stop exposing a port",
            changes=True,
        ),
    )
    async def delete_port(cluster_id: str, port_id: str) -> Response:
        context.require_cluster(cluster_id)
        await controller.delete_port(port_id)
        context.observer.health.forget(port_id)
        context.observer.usage.forget(port_id)
        return answers.success({"id": port_id, "deleted": True})


async def _replicas_checked(context: Context, mapping: DesiredMapping) -> None:
    """Wait for new replicas: one gets no requests before it is known to be well."""
    request, observer = mapping.request, context.observer
    ports = {port for port in (request.internal_port, *(request.replicas or [])) if port}
    observer.health.keep(mapping.id, ports)
    if is_checked(mapping, context.controller.desired.cluster):
        await observer.first_checks(mapping.id, ports, within_seconds=_FIRST_CHECK_SECONDS)


# --- requests ------------------------------------------------------------------------------


async def _patch(request: Request, model: type[Model]) -> dict[str, Any]:
    """Return the fields that are given, each one valid by itself; null resets one."""
    return parse_patch(model, await request.body())


def _with_settings(cluster: DesiredCluster, patch: Mapping[str, Any]) -> DesiredCluster:
    changed = dict(patch)
    if changed.get("enabled") is not None:
        cluster = replace(cluster, enabled=changed["enabled"])
    if "allowed_ips" in changed:
        cluster = replace(cluster, allowed_ips=tuple(changed["allowed_ips"] or ()))
    if "network_configuration" in changed:
        patched = changed["network_configuration"]
        merged = {} if patched is None else merge_patch(cluster.network.to_wire(), patched)
        cluster = replace(cluster, network=parse_request(NetworkConfiguration, merged))
    return cluster


def _with_access(cluster: DesiredCluster, patch: Mapping[str, Any]) -> DesiredCluster:
    merged = merge_patch(cluster.access.to_wire(), patch)
    return replace(cluster, access=parse_request(ClusterAccess, merged))
