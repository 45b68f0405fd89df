"""The gateway's own pages on every exposed origin, under `/.tensorone/`.

Envoy sends them here over a unix socket, says which mapping (`x-tensorone-port`), who is signed in
(`x-forwarded-user`, `x-tensorone-session`), from where (`x-tensorone-address`), and lets no client
set any of these. Who gets in is for `doorkeeper` to say; no service ever sees these requests.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ..errors import ApiError, PortNotFoundError
from .audit import Origin, current_origin
from .control import Controller
from .desired import DesiredMapping
from .doorkeeper import Admission, Doorkeeper, RefusedError, Visitor
from .identity import Signer
from .pages import FORM_HEADERS, HEADERS, page, sign_in_form, sign_out_form
from .xds.access import is_private
from .xds.filters import VISITOR_PREFIX
from .xds.sign_in import session_cookie

Handler = Callable[[Request, DesiredMapping, Visitor], Awaitable[Response]]

_log = logging.getLogger(__name__)
_LONGEST_FORM_BYTES = 16_000
_SIGN_IN, _SIGN_OUT = f"{VISITOR_PREFIX}sign-in", f"{VISITOR_PREFIX}sign-out"


def visitor_app(
    controller: Controller, doorkeeper: Doorkeeper, signer: Signer, *, owner: str
) -> Starlette:
    """Return the application that serves `/.tensorone/` for all mappings.

    Args:
        controller: Says which mappings there are.
        doorkeeper: Says who gets in.
        signer: Has the public keys that services may check assertions with.
        owner: Whose services these are, for people.
    """
    pages = _Pages(controller, doorkeeper, escape(owner))

    async def jwks(_: Request) -> Response:
        return Response(signer.jwks, media_type="application/jwk-set+json")

    routes = [
        Route(f"{VISITOR_PREFIX}link", pages.on(pages.redeem), methods=["GET"]),
        Route(_SIGN_IN, pages.on(pages.ask), methods=["GET"]),
        Route(_SIGN_IN, pages.on(pages.sign_in), methods=["POST"]),
        Route(_SIGN_OUT, pages.on(pages.sign_out), methods=["POST"]),
        Route(f"{VISITOR_PREFIX}jwks.json", jwks, methods=["GET"]),
    ]
    return Starlette(routes=routes)


class _Pages:
    def __init__(self, controller: Controller, doorkeeper: Doorkeeper, owner: str) -> None:
        self._controller = controller
        self._doorkeeper = doorkeeper
        self._owner = owner

    def on(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Hand a page the mapping and the visitor that Envoy says the request is of."""

        async def endpoint(request: Request) -> Response:
            mapping_id = request.headers.get("x-tensorone-port", "")
            mapping = self._controller.desired.mappings.get(mapping_id)
            if mapping is None:
                return _gone()
            visitor = self._visitor(request, mapping)
            current_origin.set(Origin(visitor.user, "visit", visitor.client_ip))
            try:
                return await handler(request, mapping, visitor)
            except RefusedError as refusal:
                return self._refusal(refusal, request, mapping)
            except PortNotFoundError:
                return _gone()
            except ApiError as error:
                _log.warning("Nobody can sign in or out: %s", error)
                text = f"Nobody can sign in or out just now. Try again soon, or tell {self._owner}."
                return _page("Not now", text, 503)

        return endpoint

    def _visitor(self, request: Request, mapping: DesiredMapping) -> Visitor:
        """Return what Envoy says of a request; who is signed out, or has no session, is nobody."""
        client_ip = request.headers.get("x-tensorone-address", "")
        token_id = request.headers.get("x-tensorone-session", "")
        if not token_id or token_id in self._controller.desired.revocations.of(mapping.id):
            return Visitor(client_ip)
        session_id = token_id if token_id.startswith("ses_") else None  # not a program's token
        user = request.headers.get("x-forwarded-user", "").encode("latin-1")  # as ASGI has it
        return Visitor(client_ip, session_id, user.decode("utf-8", "replace") or None)

    async def redeem(self, request: Request, mapping: DesiredMapping, visitor: Visitor) -> Response:
        """Exchange a link for a session, and go where the link leads.

        A prefetch, a prerender, an image or a script must not use up a one-time link: only a
        navigation does (W3C Fetch metadata). A program sends no such headers and may.
        """
        mode = request.headers.get("sec-fetch-mode", "navigate")
        if "sec-purpose" in request.headers or mode != "navigate":
            return PlainTextResponse("Open the link itself.", 403, headers=HEADERS)
        admission = await self._doorkeeper.by_link(mapping, _token(request), visitor)
        response = RedirectResponse(_local_path(request), 302, headers=HEADERS)
        return _with_session(response, request, mapping, admission)

    async def ask(self, request: Request, mapping: DesiredMapping, visitor: Visitor) -> Response:
        """Say what this is and whose, and ask for a token."""
        name = escape(mapping.request.description)
        if visitor.user is None and not is_private(mapping, self._controller.desired.cluster):
            response = RedirectResponse(_local_path(request), 302, headers=HEADERS)
            return _without_session(response, mapping)
        if visitor.user is None:
            return _without_session(self._ask_again(request, mapping, 401), mapping)
        user = escape(visitor.user)
        if not mapping.is_for(visitor.user):
            raise RefusedError("not invited", visitor.user)
        link = f'<a href="{escape(_local_path(request))}">Continue to {name}</a>'
        text = f"You are signed in as {user}. {link}."
        return _page(name, text, 200, sign_out_form(_SIGN_OUT))

    async def sign_in(
        self, request: Request, mapping: DesiredMapping, visitor: Visitor
    ) -> Response:
        """Sign in whoever has a token; only the mapping's own page may ask for it."""
        if not _is_own_page(request):
            return PlainTextResponse("Sign in from the page itself.", 403, headers=HEADERS)
        token = await _posted_token(request)
        admission = await self._doorkeeper.by_token(mapping, token, visitor)
        response = RedirectResponse(_local_path(request), 303, headers=HEADERS)
        return _with_session(response, request, mapping, admission)

    async def sign_out(
        self, request: Request, mapping: DesiredMapping, visitor: Visitor
    ) -> Response:
        """End the session and drop its cookies; only the mapping's own page may ask for it."""
        if not _is_own_page(request):
            return PlainTextResponse("Sign out from the page itself.", 403, headers=HEADERS)
        await self._doorkeeper.sign_out(visitor)
        name = escape(mapping.request.description)
        text = f'You are signed out of {name}. <a href="{_SIGN_IN}?next=/">Sign in again</a>.'
        return _without_session(_page("Signed out", text, 200), mapping)

    def _ask_again(
        self, request: Request, mapping: DesiredMapping, status: int, problem: str = ""
    ) -> Response:
        name = escape(mapping.request.description)
        text = f"{name} is private. It belongs to {self._owner}: ask them for a link or a token."
        form = sign_in_form(_action(request), problem=problem)
        return _page(f"Sign in to {name}", text, status, form)

    def _refusal(
        self, refusal: RefusedError, request: Request, mapping: DesiredMapping
    ) -> Response:
        name, owner = escape(mapping.request.description), self._owner
        user = escape(refusal.user or "")
        wait = refusal.retry_after_seconds
        if refusal.reason == "wrong token":
            problem = "This token is not right. Copy it again, or ask for a new one."
            return self._ask_again(request, mapping, 401, problem)
        if refusal.reason == "too many tries":
            problem = f"Too many wrong tokens. Wait {wait} s, then try again."
            response = self._ask_again(request, mapping, 429, problem)
            response.headers["retry-after"] = str(wait)
            return response
        signed_in = self._visitor(request, mapping).user is not None
        out = sign_out_form(_SIGN_OUT) if signed_in else sign_in_form(_action(request))
        if refusal.reason == "expired link":
            text = (
                f"This link to {name} has expired or was already used. Ask {owner} for a new one."
            )
            return _page("This link is no longer good", text, 403)
        if refusal.reason == "disabled":
            text = f"{user} may not sign in to {name} any more. Ask {owner}."
            return _page("You may not sign in", text, 403, out)
        if refusal.reason == "not invited":
            text = (
                f"You are signed in as {user}, but {name} is shared with others only. "
                f"Ask {owner} to add you."
            )
            return _page(f"{name} is not shared with you", text, 403, out)
        text = (
            f"As many people are signed in here as {owner} allows. Those who are in go on; "
            "try again when one of them has left."
        )
        return _page(f"{name} is full", text, 403)


def _is_own_page(request: Request) -> bool:
    """Say whether one of this origin's pages sends a form, or a program does (no Origin)."""
    origin = request.headers.get("origin")
    own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    return own and request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}


async def _posted_token(request: Request) -> str:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST_FORM_BYTES:
            raise RefusedError("wrong token")
    fields = parse_qs(body.decode("utf-8", "replace"))
    return fields.get("token", [""])[0].strip()


def _with_session(
    response: Response, request: Request, mapping: DesiredMapping, admission: Admission
) -> Response:
    """Give a visitor the session's cookie: the one that works where the page is shown."""
    destination = request.headers.get("sec-fetch-dest")
    token, seconds = admission.token, admission.lifetime_seconds
    if destination != "iframe":
        response.headers.append("set-cookie", _cookie(mapping, token, seconds, framed=False))
    if destination in {"iframe", None}:
        response.headers.append("set-cookie", _cookie(mapping, token, seconds, framed=True))
    return response


def _without_session(response: Response, mapping: DesiredMapping) -> Response:
    """Take back the cookies of a session that is over."""
    for framed in (False, True):
        response.headers.append("set-cookie", _cookie(mapping, "", 0, framed=framed))
    return response


def _cookie(mapping: DesiredMapping, value: str, seconds: int, *, framed: bool) -> str:
    """Return a session cookie; inside a frame of another site only a partitioned one works."""
    name = session_cookie(mapping.id, framed=framed)
    same_site = "None; Partitioned" if framed else "Lax"
    return f"{name}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite={same_site}"


def _token(request: Request) -> str:
    """Return the link's token. It comes first; `next` may hold another `token=` of the service."""
    first, _, _ = request.url.query.partition("&")
    return first.removeprefix("token=")


def _action(request: Request) -> str:
    return escape(f"{_SIGN_IN}?next={_local_path(request)}")


def _local_path(request: Request) -> str:
    """Return `next`, the rest of the query, if it is a path of this origin; else the root.

    It comes last and is not decoded, so that any path with any query fits in without quoting.
    """
    _, found, path = request.url.query.partition("next=")
    local = found and path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if local and path.isascii() and path.isprintable() else "/"


def _gone() -> HTMLResponse:
    return _page("No longer exposed", "This port is no longer exposed.", 404)


def _page(title: str, text: str, status: int, more: str = "") -> HTMLResponse:
    headers = FORM_HEADERS if more else HEADERS
    return HTMLResponse(page(title, text, more), status, headers=headers)
