"""The routes that this gateway's API has beyond the contract; `meta.extensions` names them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from ..errors import ConflictError, InvalidRequestError, PortNotFoundError
from ..models import AccessLogEntry, Link, LinkRequest, Model, User, UserRequest
from ..validation import parse_request
from . import answers
from .context import PROXY, Context
from .desired import public_url
from .identity import new_id
from .openapi import Success, documented
from .store import now
from .xds.filters import VISITOR_PREFIX

REQUESTS: list[type[Model]] = [LinkRequest, UserRequest]
"""Bodies of these routes, for the API's description."""

_LAST_ROW = 2**63 - 1
_USER_TOKEN_SECONDS = 365 * 86_400


def add_routes(app: FastAPI, context: Context) -> None:
    """Add the extensions to the API."""
    _add_access_logs(app, context)
    _add_sign_in(app, context)


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
        context.observer.read()
        entries = context.observer.usage.entries(
            port_id=port_id, since=since, until=until, status=status, before=before, limit=limit
        )
        following = entries[-1].id if len(entries) == limit else None
        return answers.success([e.to_wire() for e in entries], meta={"next_before": following})


def _add_sign_in(app: FastAPI, context: Context) -> None:
    controller, signer = context.controller, context.signer

    @app.post(
        f"{PROXY}/links",
        **documented(
            Success[Link],
            PortNotFoundError,
            status=201,
            request=LinkRequest,
            example={"port_id": "port_123", "user": "ml_engineer"},
            changes=True,
        ),
    )
    async def create_link(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
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

    @app.post(
        f"{PROXY}/users",
        **documented(
            Success[User],
            ConflictError,
            status=201,
            request=UserRequest,
            example={"name": "ml_engineer"},
            changes=True,
        ),
    )
    async def create_user(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
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
