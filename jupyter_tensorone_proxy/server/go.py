"""`go/{internal_port}/…`: a signed-in Jupyter user is sent to the exposed service, signed in there.

A GET opens at once only if Jupyter's own page or a program asked for it; anything else (a foreign
page's link, a prefetch, an address typed in) gets a page that asks, on Jupyter's origin, where
the answer is protected by Jupyter's XSRF token. The only address ever redirected to is the API's.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.httputil import HTTPHeaders, url_concat

from ..errors import ForbiddenError
from .connection import Connection
from .handler import ProxyHandler
from .identity import user_name
from .opening import Opener, landing_path, origin_of_link, parse_port
from .page import Question, error_page, frame_page, headers, question_page

GO_PATH = "tensorone-proxy/go/"
"""Where `go/…` lives, below Jupyter's base URL."""


class GoHandler(ProxyHandler):
    """Opens a service for the person in front of the browser."""

    def initialize(self, connection: Connection, opener: Opener) -> None:
        """Take what every request needs."""
        self.connection = connection
        self._opener = opener

    def get_login_url(self) -> str:
        """Refuse instead of redirecting: the page then says where to sign in."""
        raise web.HTTPError(403)

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Open the service, or ask whether to."""
        by_program = self.token_authenticated and "Authorization" in self.request.headers
        if by_program or is_own_navigation(self.request.headers):
            await self._open(302)
        else:
            await self._ask()

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Open the service: the answer to our question."""
        await self._open(303)

    async def _open(self, status: int) -> None:
        port, landing = self._asked_for()
        client = await self.api()
        around = self._origin() if self._is_framed() else None
        location = await self._opener.open(
            client, port, user_name(self), landing, frame_origin=around
        )
        if around and (origin := origin_of_link(location)):
            page = frame_page(location, origin, self._address(port, landing))
            self._finish_page(page, headers("self", asks=origin))
            return
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.redirect(location, status=status)

    async def _ask(self) -> None:
        port, landing = self._asked_for()
        mapping = await self._opener.find(await self.api(), port)
        question = Question(
            service=(mapping.description if mapping else None) or f"port {port}",
            port=port,
            user=user_name(self),
            action=self._address(port, landing),
            xsrf_field=self.xsrf_form_html(),
            will_expose=mapping is None,
        )
        self._finish_page(question_page(question), headers("none"))

    def _is_framed(self) -> bool:
        return bool(self.request.headers.get("Sec-Fetch-Dest") == "iframe")

    def _origin(self) -> str:
        """Return Jupyter's own origin as the browser has it.

        The page around says so itself, where it does; behind a proxy that ends TLS this server
        knows its public address no better than the proxy's headers do.
        """
        referrer = urlsplit(self.request.headers.get("Referer", ""))
        if referrer.scheme in {"http", "https"} and referrer.netloc:
            return f"{referrer.scheme}://{referrer.netloc}"
        return f"{self.request.protocol}://{self.request.host}"

    def _asked_for(self) -> tuple[int, str]:
        after = self.request.path.partition(f"/{GO_PATH}")[2]
        port, _, path = after.partition("/")
        drop_token = self.token_authenticated
        return parse_port(port), landing_path(path, self.request.query, drop_token=drop_token)

    def _address(self, port: int, landing: str) -> str:
        return f"{self.base_url}{GO_PATH}{port}{landing}"

    def _finish_page(self, html: str, with_headers: dict[str, str]) -> None:
        for name, value in with_headers.items():
            self.set_header(name, value)
        self.finish(html)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Show what went wrong, and the way out."""
        error = self.failure(status_code, kwargs)
        title, link = "This cannot be opened", (self.base_url, "Back to Jupyter")
        if getattr(self, "_jupyter_current_user", None) is None:
            error = ForbiddenError("You are not signed in to Jupyter.")
            login = url_concat(super().get_login_url(), {"next": self.request.uri or "/"})
            title, link = "Sign in to Jupyter first", (login, "Sign in")
        page = error_page(title, str(error), None if self._is_framed() else link)
        self._finish_page(page, headers("self"))


def is_own_navigation(headers: HTTPHeaders) -> bool:
    """Say whether a page of Jupyter itself asked the browser to go here.

    Example:
        >>> is_own_navigation(HTTPHeaders({"Sec-Fetch-Site": "cross-site"}))
        False
    """
    return (
        headers.get("Sec-Fetch-Site") == "same-origin"
        and headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") in {"document", "iframe"}
        and "Sec-Purpose" not in headers
    )
