"""The gateway's own pages on every exposed origin, under `/.tensorone/`.

Envoy sends them here over a unix socket, says which mapping (`x-tensorone-port`) and who is signed
in (`x-forwarded-user`), and lets no client set either. Redeeming a link is the only thing here that
changes anything; no service ever sees these requests.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from .control import Controller
from .desired import DesiredMapping
from .identity import Signer
from .pages import HEADERS, page
from .store import Store
from .xds.filters import VISITOR_PREFIX, session_cookie

Handler = Callable[[Request, DesiredMapping], Awaitable[Response]]


def visitor_app(controller: Controller, store: Store, signer: Signer) -> Starlette:
    """Return the application that serves `/.tensorone/` for all mappings.

    Args:
        controller: Says which mappings there are.
        store: Says which links may still be used.
        signer: Checks links and signs sessions.
    """
    pages = _Pages(controller, store, signer)
    routes = [
        Route(f"{VISITOR_PREFIX}link", pages.on(pages.redeem), methods=["GET"]),
        Route(f"{VISITOR_PREFIX}sign-in", pages.on(pages.sign_in), methods=["GET"]),
        Route(f"{VISITOR_PREFIX}sign-out", pages.on(pages.sign_out), methods=["POST"]),
    ]
    return Starlette(routes=routes)


class _Pages:
    def __init__(self, controller: Controller, store: Store, signer: Signer) -> None:
        self._controller = controller
        self._store = store
        self._signer = signer

    def on(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Hand a page the mapping that Envoy says the request is for."""

        async def endpoint(request: Request) -> Response:
            mapping_id = request.headers.get("x-tensorone-port", "")
            mapping = self._controller.desired.mappings.get(mapping_id)
            if mapping is None:
                return _page("No longer exposed", "This port is no longer exposed.", 404)
            return await handler(request, mapping)

        return endpoint

    async def redeem(self, request: Request, mapping: DesiredMapping) -> Response:
        """Exchange a link for a session, and go where the link leads.

        A prefetch, a prerender, an image or a script must not use up a one-time link: only a
        navigation does (W3C Fetch metadata). A program sends no such headers and may.
        """
        destination = request.headers.get("sec-fetch-dest")
        mode = request.headers.get("sec-fetch-mode", "navigate")
        if "sec-purpose" in request.headers or mode != "navigate":
            return PlainTextResponse("Open the link itself.", 403, headers=HEADERS)
        claims = self._signer.read_link(_token(request), mapping.id)
        if claims is None or not self._redeem(claims.link_id, mapping):
            name = html.escape(mapping.request.description)
            text = f"This link to {name} has expired or was already used. Ask for a new one."
            return _page("This link is no longer good", text, 403)
        response = RedirectResponse(_local_path(request), 302, headers=HEADERS)
        seconds = 60 * self._session_minutes(mapping)
        token = self._signer.session(mapping.id, claims.user, lifetime_seconds=seconds)
        if destination != "iframe":
            name = session_cookie(mapping.id)
            response.set_cookie(
                name, token, max_age=seconds, secure=True, httponly=True, samesite="lax"
            )
        if destination in {"iframe", None}:
            # Inside a frame of another site only a partitioned cookie works (CHIPS).
            name = session_cookie(mapping.id, framed=True)
            response.headers.append(
                "set-cookie",
                f"{name}={token}; Max-Age={seconds}; Path=/; Secure; HttpOnly; "
                "SameSite=None; Partitioned",
            )
        return response

    def _redeem(self, link_id: str, mapping: DesiredMapping) -> bool:
        with self._store.transaction() as transaction:
            return transaction.redeem_link(link_id, mapping.id)

    def _session_minutes(self, mapping: DesiredMapping) -> int:
        cluster = self._controller.desired.cluster.access
        return mapping.access.session_timeout_minutes or cluster.session_timeout_minutes

    async def sign_in(self, request: Request, mapping: DesiredMapping) -> Response:
        """Say what this is and how to get in."""
        name = html.escape(mapping.request.description)
        user = request.headers.get("x-forwarded-user")
        if user:
            text = (
                f"You are signed in as {html.escape(user)}. "
                f"<a href='{html.escape(_local_path(request))}'>Continue to {name}</a>."
            )
            return _page(name, text, 200)
        text = (
            f"{name} is private. If it is yours, open it from your notebook; "
            "otherwise ask its owner for a link."
        )
        return _page(f"Sign in to {name}", text, 401)

    async def sign_out(self, request: Request, mapping: DesiredMapping) -> Response:
        """Drop the session's cookies; only the mapping's own pages may ask for it."""
        origin = request.headers.get("origin")
        if origin and urlsplit(origin).netloc != request.headers.get("host"):
            return PlainTextResponse("Sign out from the page itself.", 403, headers=HEADERS)
        response = _page("Signed out", "You are signed out.", 200)
        for framed in (False, True):
            same_site = "None; Partitioned" if framed else "Lax"
            name = session_cookie(mapping.id, framed=framed)
            response.headers.append(
                "set-cookie",
                f"{name}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite={same_site}",
            )
        return response


def _token(request: Request) -> str:
    """Return the link's token. It comes first; `next` may hold another `token=` of the service."""
    first, _, _ = request.url.query.partition("&")
    return first.removeprefix("token=")


def _local_path(request: Request) -> str:
    """Return `next`, the rest of the query, if it is a path of this origin; else the root.

    It comes last and is not decoded, so that any path with any query fits in without quoting.
    """
    _, found, path = request.url.query.partition("next=")
    local = found and path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if local and path.isascii() and path.isprintable() else "/"


def _page(title: str, text: str, status: int) -> HTMLResponse:
    return HTMLResponse(page(title, text), status, headers=HEADERS)
