"""The REST API: TensorOne's contract for one cluster, and our extensions, on loopback.

Handlers only translate; `Controller` decides. Every error becomes an answer in one place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Scope

from ..errors import (
    ApiError,
    ClusterNotFoundError,
    ConflictError,
    InvalidRequestError,
    api_error_class,
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
from . import views
from .certificates import Leaf
from .control import Controller, merge_patch
from .desired import DesiredCluster, public_url
from .guard import Guard
from .health import HealthLog
from .identity import Signer, new_id
from .store import Store, now
from .xds.filters import VISITOR_PREFIX

_log = logging.getLogger(__name__)
_USER_TOKEN_SECONDS = 365 * 86_400
_PROXY = "/v1/clusters/{cluster_id}/proxy"


@dataclass
class Context:
    """What the handlers work with."""

    controller: Controller
    store: Store
    signer: Signer
    health: HealthLog
    leaf: Callable[[], Leaf]
    version: str


def create_api(context: Context, api_key: str) -> ASGIApp:
    """Return the REST API as an ASGI application.

    Args:
        context: What it works with.
        api_key: The key every request must have.
    """
    app = FastAPI(title="Cluster Proxy API", version=context.version, docs_url="/docs")
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_query)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_bug)
    _add_proxy(app, context)
    _add_ports(app, context)
    _add_extensions(app, context)
    return Guard(app, api_key, _error_answer)


def _add_proxy(app: FastAPI, context: Context) -> None:
    controller = context.controller

    @app.get("/healthz")
    async def healthz() -> Response:
        connected = controller.discovery.connected
        return JSONResponse({"envoy": "connected" if connected else "away"})

    @app.get("/v1/clusters")
    async def list_clusters() -> Response:
        own_id = controller.desired.cluster.id
        proxy_url = views.proxy_url(controller)
        return _success([{"id": own_id, "name": "local gateway", "proxy_url": proxy_url}])

    @app.get(_PROXY)
    async def get_proxy(
        cluster_id: str,
        include_health: bool = False,  # noqa: FBT001, FBT002 - a query parameter
        include_access_logs: bool = False,  # noqa: FBT001, FBT002, ARG001 - likewise; no log yet
        include_ssl_info: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    ) -> Response:
        _require_cluster(context, cluster_id)
        context.health.read()
        config = views.proxy_config(
            controller,
            health=context.health if include_health else None,
            certificate=context.leaf() if include_ssl_info else None,
            version=context.version,
        )
        data = config.to_wire()
        return _success(data, meta=data.pop("meta"))

    @app.put(_PROXY)
    async def update_proxy(cluster_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        patch = await _patch(request, ProxySettings)
        cluster = await controller.update_cluster(lambda c: _with_settings(c, patch))
        return _success(
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
        return _success(cluster.access.to_wire())


def _add_ports(app: FastAPI, context: Context) -> None:
    controller = context.controller

    @app.post(f"{_PROXY}/ports", status_code=201)
    async def create_port(cluster_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        mapping = await controller.create_port(parse_request(PortRequest, await request.body()))
        shown = views.port_mapping(mapping, controller, context.health)
        return _success(shown.to_wire(), status=201)

    @app.put(f"{_PROXY}/ports/{{port_id}}")
    async def update_port(cluster_id: str, port_id: str, request: Request) -> Response:
        _require_cluster(context, cluster_id)
        patch = await _patch(request, PortSettings)
        mapping = await controller.update_port(port_id, patch)
        if "internal_port" in patch or "health_check" in patch:
            context.health.forget(port_id)
        return _success(views.port_mapping(mapping, controller, context.health).to_wire())

    @app.delete(f"{_PROXY}/ports/{{port_id}}")
    async def delete_port(cluster_id: str, port_id: str) -> Response:
        _require_cluster(context, cluster_id)
        await controller.delete_port(port_id)
        context.health.forget(port_id)
        return _success({"id": port_id, "deleted": True})


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
        return _success(link.to_wire(), status=201)

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
        return _success(user.to_wire(), status=201)


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


# --- answers -------------------------------------------------------------------------------


def _success(data: Any, *, meta: Any = None, status: int = 200) -> JSONResponse:
    body = {"success": True, "data": data} | ({"meta": meta} if meta else {})
    return JSONResponse(body, status)


def _error_answer(error: ApiError, scope: Scope) -> JSONResponse:  # noqa: ARG001 - Guard's signature
    request_id = new_id("req")
    body = {
        "success": False,
        "error": {"code": error.code, "message": error.message, "details": error.details},
        "request_id": request_id,
    }
    headers = {"x-request-id": request_id}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return JSONResponse(body, error.status, headers=headers)


async def _on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - Starlette's handlers take any exception
    return _error_answer(error, request.scope)


async def _on_invalid_query(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    fields = [
        {"field": ".".join(str(part) for part in e["loc"][1:]), "message": e["msg"]}
        for e in error.errors()
    ]
    refusal = InvalidRequestError("The request's query is wrong.", details={"fields": fields})
    return _error_answer(refusal, request.scope)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "ERROR")
    kind = api_error_class(code, error.status_code)
    refusal = kind(f"{request.method} {request.url.path}: {error.detail}", code=code)
    refusal.status = error.status_code
    return _error_answer(refusal, request.scope)


async def _on_bug(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    bug = ApiError("The gateway failed; its log says why", code="INTERNAL_ERROR", status=500)
    return _error_answer(bug, request.scope)
