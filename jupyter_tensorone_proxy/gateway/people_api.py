"""The routes for people: links, sessions, and the keys that sign for them (extensions)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from ..errors import (
    ConflictError,
    LinkNotFoundError,
    PortNotFoundError,
    SessionNotFoundError,
)
from ..models import Model
from ..people import (
    KeyRotation,
    Link,
    LinkRequest,
    Revoked,
    Session,
    UserRequest,
    UserSettings,
)
from ..validation import parse_request
from . import answers, users_api
from .audit import Note, current_origin
from .context import PROXY, Context
from .desired import DesiredMapping, is_raw, public_url
from .identity import new_id
from .openapi import Deleted, Success, documented
from .tables import now
from .xds.filters import VISITOR_PREFIX

REQUESTS: list[type[Model]] = [KeyRotation, LinkRequest, UserRequest, UserSettings]
"""Bodies of these routes, for the API's description."""

Name = Annotated[str | None, Query(max_length=200)]


def add_routes(app: FastAPI, context: Context) -> None:
    """Add the routes for people to the API."""
    _add_links(app, context)
    users_api.add_routes(app, context)
    _add_sessions(app, context)
    _add_keys(app, context)


# --- links ---------------------------------------------------------------------------------


def _add_links(app: FastAPI, context: Context) -> None:
    @app.post(
        f"{PROXY}/links",
        **documented(
            Success[Link],
            PortNotFoundError,
            ConflictError,
            status=201,
            request=LinkRequest,
            example={"port_id": "port_123", "user": "ml_engineer"},
            changes=True,
        ),
    )
    async def create_link(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        asked = parse_request(LinkRequest, await request.body())
        mapping = await _mapping_for(context, asked)
        link = _make_link(context, asked, mapping)
        for_oneself = asked.one_time and current_origin.get().actor == asked.user
        via = "open" if for_oneself else "link"
        async with context.store.transaction() as transaction:
            context.controller.mapping(mapping.id)  # it may have gone meanwhile
            transaction.users.add(asked.user)
            transaction.links.add(link, via=via, ends_sessions=asked.ends_sessions)
            told = {"link_id": link.id, "user": link.user, "one_time": link.one_time}
            transaction.events.add(Note("link.created", mapping.id, told))
        return answers.success(link.to_wire(), status=201)

    @app.get(f"{PROXY}/links", **documented(Success[list[Link]]))
    async def list_links(cluster_id: str, port_id: Name = None) -> Response:
        context.require_cluster(cluster_id)
        async with context.store.transaction() as transaction:
            links = transaction.links.all(port_id)
        return answers.success([link.to_wire() for link in links])

    @app.delete(
        f"{PROXY}/links/{{link_id}}",
        **documented(Success[Deleted], LinkNotFoundError, changes=True),
    )
    async def delete_link(cluster_id: str, link_id: str) -> Response:
        context.require_cluster(cluster_id)
        async with context.store.transaction() as transaction:
            if not transaction.links.remove(link_id):
                raise LinkNotFoundError(f"There is no link {link_id!r}")
            transaction.events.add(Note("link.revoked", details={"link_id": link_id}))
        return answers.success({"id": link_id, "deleted": True})


async def _mapping_for(context: Context, asked: LinkRequest) -> DesiredMapping:
    """Return the mapping a link is for, opened to its person if that was asked for."""
    mapping = context.controller.mapping(asked.port_id)
    if is_raw(mapping):
        raise ConflictError(
            f"{mapping.request.description} is no web page, so nobody can sign in to it",
            details={"suggestion": "Use ip_whitelist to say who may connect"},
        )
    if mapping.is_for(asked.user):
        return mapping
    if not asked.allow:
        raise ConflictError(
            f"{mapping.request.description} is not shared with {asked.user}",
            details={
                "user": asked.user,
                "allowed_users": mapping.access.allowed_users,
                "suggestion": "Set allow to true (--allow) to add them, or change allowed_users.",
            },
        )
    return await context.controller.invite(mapping.id, asked.user)


def _make_link(context: Context, asked: LinkRequest, mapping: DesiredMapping) -> Link:
    seconds, link_id = asked.expires_in_seconds, new_id("link")
    token = context.signer.link(
        mapping.id,
        asked.user,
        link_id,
        lifetime_seconds=seconds,
        frame_origin=asked.frame_origin,
    )
    path = quote(asked.path, safe="/?&=%+,;:@!$'()*~-._[]#")
    url = public_url(mapping, context.controller.desired.edge)
    moment = now()
    return Link(
        id=link_id,
        port_id=mapping.id,
        user=asked.user,
        url=f"{url}{VISITOR_PREFIX}link?token={token}&next={path}",
        one_time=asked.one_time,
        created_at=moment,
        expires_at=moment + timedelta(seconds=seconds),
    )


# --- sessions and keys ---------------------------------------------------------------------


def _add_sessions(app: FastAPI, context: Context) -> None:
    @app.get(f"{PROXY}/sessions", **documented(Success[list[Session]]))
    async def list_sessions(cluster_id: str, port_id: Name = None, user: Name = None) -> Response:
        context.require_cluster(cluster_id)
        await context.observer.catch_up()
        async with context.store.transaction() as transaction:
            sessions = transaction.sessions.live(port_id=port_id, user=user)
        seen = context.observer.usage.last_seen([session.id for session in sessions])
        shown = [s.model_copy(update={"last_seen": seen.get(s.id, s.created_at)}) for s in sessions]
        return answers.success([session.to_wire() for session in shown])

    @app.delete(f"{PROXY}/sessions", **documented(Success[Revoked], changes=True))
    async def revoke_sessions(cluster_id: str, port_id: Name = None, user: Name = None) -> Response:
        context.require_cluster(cluster_id)
        revoked = await context.controller.change_people(
            lambda tx: tx.revoke(tx.sessions.live(port_id=port_id, user=user))
        )
        return answers.success({"revoked": len(revoked)})

    @app.delete(
        f"{PROXY}/sessions/{{session_id}}",
        **documented(Success[Deleted], SessionNotFoundError, changes=True),
    )
    async def revoke_session(cluster_id: str, session_id: str) -> Response:
        context.require_cluster(cluster_id)
        revoked = await context.controller.change_people(
            lambda tx: tx.revoke(tx.sessions.live(session_id=session_id))
        )
        if not revoked:
            raise SessionNotFoundError(
                f"There is no live session {session_id!r}",
                details={"suggestion": "List the sessions; it may have ended by itself"},
            )
        return answers.success({"id": session_id, "deleted": True})


def _add_keys(app: FastAPI, context: Context) -> None:
    @app.post(
        f"{PROXY}/keys",
        **documented(
            Success[KeyRotation], request=KeyRotation, example={"overlap": True}, changes=True
        ),
    )
    async def rotate_keys(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        wanted = parse_request(KeyRotation, await request.body() or b"{}")
        await context.rotate_keys(wanted.overlap)
        return answers.success({"overlap": wanted.overlap})
