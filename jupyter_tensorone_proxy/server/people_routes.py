"""The REST door for people: links, sessions, users, the rules of all ports, and the log.

As in `routes`, every handler judges the request and makes one call of the client.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..client import AsyncProxyClient
from ..errors import InvalidRequestError
from ..models import ClusterAccess
from ..people import LinkRequest, UserRequest, UserSettings
from ..validation import parse_request
from .identity import user_name
from .own_answers import Me
from .rest import API_PATH, RestHandler, Route, moment, whole_number

_LAST_ROW = 2**63 - 1


class LinksRoute(RestHandler):
    """`api/links`: links that let one person in to one mapping."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the links that can still be used, without their URLs; `port_id` filters."""
        links = await (await self.api()).list_links(**self.query(port_id=str))
        self.answer([link.to_wire() for link in links])

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Make a link; the answer holds its URL, a credential."""
        wanted = parse_request(LinkRequest, self.body()).to_wire()
        link = await (await self.api()).create_link(wanted.pop("port_id"), **wanted)
        self.answer(link.to_wire(), status=201)


class LinkRoute(RestHandler):
    """`api/links/{id}`: one link."""

    @web.authenticated
    @authorized
    async def delete(self, link_id: str) -> None:
        """Revoke it; sessions that it began go on."""
        await (await self.api()).delete_link(link_id)
        self.answer(None)


class SessionsRoute(RestHandler):
    """`api/sessions`: who is signed in."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the live sessions; `port_id` and `user` filter."""
        sessions = await (await self.api()).list_sessions(**self.query(port_id=str, user=str))
        self.answer([session.to_wire() for session in sessions])

    @web.authenticated
    @authorized
    async def delete(self) -> None:
        """Sign out everybody who matches `port_id` and `user`, of which one must be given."""
        filters = self.query(port_id=str, user=str)
        if not any(filters.values()):
            missing = {"field": "port_id", "message": "give port_id, user, or both"}
            raise InvalidRequestError("Nobody is named.", details={"fields": [missing]})
        revoked = await (await self.api()).revoke_sessions(**filters)
        self.answer(revoked.to_wire())


class SessionRoute(RestHandler):
    """`api/sessions/{id}`: one session."""

    @web.authenticated
    @authorized
    async def delete(self, session_id: str) -> None:
        """Sign its visitor out."""
        await (await self.api()).revoke_session(session_id)
        self.answer(None)


class MeRoute(RestHandler):
    """`api/me`: who asks."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the name that exposed services know them by; "only me" in a front end means it."""
        self.answer(Me(name=user_name(self)).to_wire())


class AccessRoute(RestHandler):
    """`api/access`: the rules that hold for all ports."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer all rules."""
        await self._answer_rules(await self.api())

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Change the given rules; answer all of them."""
        wanted = parse_request(ClusterAccess, self.body()).to_wire()
        api = await self.api()
        await api.update_access(**wanted)
        await self._answer_rules(api)

    async def _answer_rules(self, api: AsyncProxyClient) -> None:
        access = (await api.get_proxy()).access_control
        self.answer((access if isinstance(access, ClusterAccess) else ClusterAccess()).to_wire())


class LogsRoute(RestHandler):
    """`api/logs`: requests to exposed services."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer the newest first; filters and pages as `ProxyClient.access_logs` has them."""
        filters: dict[str, Any] = self.query(
            port_id=str,
            since=moment,
            until=moment,
            status=whole_number(1, 599),
            before=whole_number(1, _LAST_ROW),
            limit=whole_number(1, 1000),
        )
        entries = await (await self.api()).access_logs(**filters)
        self.answer([entry.to_wire() for entry in entries])


class UsersRoute(RestHandler):
    """`api/users`: who is known by name."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer all of them."""
        self.answer([user.to_wire() for user in await (await self.api()).list_users()])

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Add one; the answer holds their token, which is shown only now."""
        wanted = parse_request(UserRequest, self.body())
        self.answer((await (await self.api()).create_user(wanted.name)).to_wire(), status=201)


class UserRoute(RestHandler):
    """`api/users/{name}`: one user; the name is percent-encoded."""

    @web.authenticated
    @authorized
    async def put(self, name: str) -> None:
        """Keep them out, or let them in again: `{"disabled": true}`."""
        wanted = parse_request(UserSettings, self.body())
        if wanted.disabled is None:
            missing = {"field": "disabled", "message": "must be true or false"}
            raise InvalidRequestError("Nothing is to be changed.", details={"fields": [missing]})
        user = await (await self.api()).update_user(name, disabled=wanted.disabled)
        self.answer(user.to_wire())

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """Remove them; their token, links and sessions end."""
        await (await self.api()).delete_user(name)
        self.answer(None)


class UserTokenRoute(RestHandler):
    """`api/users/{name}/token`: what a user signs in with."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Replace it; the answer holds the new one, which is shown only now."""
        user = await (await self.api()).rotate_user_token(name)
        self.answer(user.to_wire(), status=201)


def people_handlers(api: dict[str, Any]) -> list[Route]:
    """Return the addresses of these routes.

    Args:
        api: The arguments of every REST handler.
    """
    one_id = "([A-Za-z0-9._~-]+)"
    return [
        (rf"{API_PATH}/links", LinksRoute, api),
        (rf"{API_PATH}/links/{one_id}", LinkRoute, api),
        (rf"{API_PATH}/sessions", SessionsRoute, api),
        (rf"{API_PATH}/sessions/{one_id}", SessionRoute, api),
        (rf"{API_PATH}/me", MeRoute, api),
        (rf"{API_PATH}/access", AccessRoute, api),
        (rf"{API_PATH}/logs", LogsRoute, api),
        (rf"{API_PATH}/users", UsersRoute, api),
        (rf"{API_PATH}/users/([^/]+)", UserRoute, api),
        (rf"{API_PATH}/users/([^/]+)/token", UserTokenRoute, api),
    ]
