"""`go/…` through a Jupyter server: who is let through at once, who is asked, and to where."""

from __future__ import annotations

import asyncio
import getpass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from jupyter_server.auth.identity import IdentityProvider, User

from tests.fixtures.fake_api import LINK_TOKEN
from tests.fixtures.fetch_metadata import OWN_CLICK

LINK = f"https://localhost:32001/.tensorone/link?token={LINK_TOKEN}"
FOREIGN = {**OWN_CLICK, "Sec-Fetch-Site": "cross-site"}


def _form(browser: Any) -> dict[str, Any]:
    return {
        "headers": {
            "Cookie": browser.cookies,
            "Content-Type": "application/x-www-form-urlencoded",
        },
        "body": urlencode({"_xsrf": browser.xsrf}).encode(),
        "signed_in": False,
    }


async def test_a_click_in_jupyter_opens_at_once(
    fetch: Any, api: Any, tensorboard: Any, browser: Any
) -> None:
    """Jupyter's own page is sent on by a one-time link for this user, which no cache keeps."""
    headers = {**OWN_CLICK, "Cookie": browser.cookies}
    answer = await fetch("GET", "go/6006/data/runs?a=%2F&b", headers, signed_in=False)
    assert answer.code == 302
    assert answer.headers["Location"] == LINK
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    wanted = {"port_id": tensorboard["id"], "user": getpass.getuser(), "path": "/data/runs?a=%2F&b"}
    assert wanted.items() <= api.links[0].items()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        FOREIGN,
        {**OWN_CLICK, "Sec-Fetch-Site": "same-site"},
        {**OWN_CLICK, "Sec-Fetch-Site": "none"},
        {**OWN_CLICK, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {**OWN_CLICK, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {**OWN_CLICK, "Sec-Purpose": "prefetch;prerender"},
    ],
)
async def test_r15_anything_else_is_asked_and_changes_nothing(
    fetch: Any, api: Any, browser: Any, tensorboard: Any, headers: dict[str, str]
) -> None:
    """No image, fetch, prefetch, foreign page or typed address makes a link: a page asks."""
    cookies = {"Cookie": browser.cookies}
    answer = await fetch("GET", "go/6006/", {**headers, **cookies}, signed_in=False)
    page = answer.body.decode()
    assert answer.code == 200
    assert "Open TensorBoard &lt;3?" in page
    assert 'action="/a%40b/tensorone-proxy/go/6006/"' in page
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert api.changes == []


async def test_the_answer_to_the_question_opens(
    fetch: Any, api: Any, browser: Any, tensorboard: Any
) -> None:
    """The page's button, with Jupyter's XSRF token, is sent on by a link."""
    answer = await fetch("POST", "go/6006/x?y=1", **_form(browser))
    assert answer.code == 303
    assert answer.headers["Location"] == LINK
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert [link["path"] for link in api.links] == ["/x?y=1"]


async def test_r02_an_answer_that_is_not_from_our_page_opens_nothing(
    fetch: Any, api: Any, browser: Any, tensorboard: Any
) -> None:
    """A foreign page's form has the cookies, and neither the XSRF token nor our origin."""
    without = _form(browser) | {"body": b""}
    assert (await fetch("POST", "go/6006/", **without)).code == 403
    foreign = _form(browser)
    foreign["headers"]["Origin"] = "https://evil.example"
    assert (await fetch("POST", "go/6006/", **foreign)).code in {403, 404}
    assert api.links == []


async def test_programs_with_the_token_are_not_asked(
    fetch: Any, api: Any, tensorboard: Any
) -> None:
    """A request with Jupyter's token in its header comes from a program, not from a page."""
    answer = await fetch("GET", "go/6006")
    assert answer.code == 302
    assert api.links[0]["path"] == "/"


async def test_r13_a_token_in_the_address_is_asked_and_goes_no_further(
    fetch: Any, api: Any, tensorboard: Any, jp_serverapp: Any
) -> None:
    """An address with Jupyter's token may come from anywhere; the token is not in the page."""
    token = jp_serverapp.identity_provider.token
    answer = await fetch(
        "GET",
        f"go/6006/?a=1&token={token}",
        OWN_CLICK | {"Sec-Fetch-Site": "none"},
        signed_in=False,
    )
    assert answer.code == 200
    assert token not in answer.body.decode()
    assert "/go/6006/?a=1&quot;" not in answer.body.decode()
    opened = await fetch("GET", f"go/6006/?a=1&token={token}", OWN_CLICK, signed_in=False)
    assert opened.headers["Location"] == LINK
    assert api.links[0]["path"] == "/?a=1"


@pytest.mark.parametrize(
    "path", ["//evil.example", "/%2F/evil.example", "/\\evil.example", "/https://evil.example"]
)
async def test_r24_the_way_on_is_only_ever_the_apis_address(
    fetch: Any, api: Any, tensorboard: Any, path: str
) -> None:
    """No path makes the redirect go elsewhere."""
    answer = await fetch("GET", f"go/6006{path}", OWN_CLICK)
    assert answer.headers["Location"] == LINK
    assert not api.links[0]["path"].startswith(("//", "/\\"))


async def test_an_unexposed_port_is_exposed_privately(
    fetch: Any, api: Any, listening_port: int
) -> None:
    """Opening a port that something listens on exposes it to its user alone, signed in."""
    answer = await fetch("GET", f"go/{listening_port}/", OWN_CLICK)
    assert answer.code == 302
    (mapping,) = api.mappings.values()
    assert mapping["internal_port"] == listening_port
    assert mapping["access_control"] == {
        "authentication_required": True,
        "allowed_users": [getpass.getuser()],
    }


async def test_r15_the_question_exposes_nothing(
    fetch: Any, api: Any, browser: Any, listening_port: int
) -> None:
    """A foreign page's click on an unexposed port leads to a page that says what would happen."""
    answer = await fetch(
        "GET", f"go/{listening_port}/", FOREIGN | {"Cookie": browser.cookies}, signed_in=False
    )
    assert "will be exposed first; only you can open it" in answer.body.decode()
    assert api.changes == []


async def test_concurrent_openings_share_one_mapping(
    fetch: Any, api: Any, listening_port: int
) -> None:
    """Two tabs at once: one exposes, and both are let in."""
    answers = await asyncio.gather(
        *(fetch("GET", f"go/{listening_port}/", OWN_CLICK) for _ in range(2))
    )
    assert [a.code for a in answers] == [302, 302]
    assert len(api.mappings) == 1


async def test_a_port_that_nothing_listens_on_is_not_exposed(
    fetch: Any, api: Any, unused_port: int
) -> None:
    """The page says what to do, and nothing is made."""
    answer = await fetch("GET", f"go/{unused_port}/", OWN_CLICK)
    assert answer.code == 404
    assert "Nothing listens on it" in answer.body.decode()
    assert api.changes == []


class TestAutoExposeOff:
    """What changes when the administrator turns auto_expose_on_go off."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        """Turn it off."""
        jp_server_config["TensorOneProxy"]["auto_expose_on_go"] = False
        return jp_server_config

    async def test_an_unexposed_port_stays_unexposed(
        self, fetch: Any, api: Any, listening_port: int
    ) -> None:
        """The page says how to expose it."""
        answer = await fetch("GET", f"go/{listening_port}/", OWN_CLICK)
        assert answer.code == 404
        assert f"%tensorone expose {listening_port}" in answer.body.decode()
        assert api.changes == []


async def test_r47_jupyters_own_port_is_never_exposed_by_opening_it(
    fetch: Any, api: Any, jp_serverapp: Any
) -> None:
    """The Jupyter server is a shell for whoever gets in; opening is not reason enough."""
    answer = await fetch("GET", f"go/{jp_serverapp.port}/", OWN_CLICK)
    assert answer.code == 403
    assert "this Jupyter server" in answer.body.decode()
    assert api.changes == []


async def test_without_links_the_way_on_is_the_mappings_url(
    fetch: Any, api: Any, tensorboard: Any
) -> None:
    """A server without the extension still is opened, at the same path."""
    api.extensions = ()
    answer = await fetch("GET", "go/6006/data?x=1", OWN_CLICK)
    assert (answer.code, answer.headers["Location"]) == (
        302,
        "https://localhost:32001/data?x=1",
    )


async def test_what_is_no_web_page_is_said_so(fetch: Any, api: Any) -> None:
    """Raw TCP has an address, but not for a browser."""
    api.extensions = ()
    api.add(5432, description="PG", url="tls://localhost:32001")
    answer = await fetch("GET", "go/5432/", OWN_CLICK)
    assert answer.code == 409
    assert "tls://localhost:32001" in answer.body.decode()


async def test_r03_refusals_are_a_page_that_escapes_them(fetch: Any, api: Any) -> None:
    """The API's sentence is shown; nothing of it is markup."""
    details = {"suggestion": "Use <b>another</b>."}
    error = {
        "code": "PROTECTED_PORT",
        "message": "Port 22 is <i>protected</i>.",
        "details": details,
    }
    api.refusal = httpx.Response(403, json={"success": False, "error": error})
    answer = await fetch("GET", "go/22/", OWN_CLICK)
    assert answer.code == 403
    assert "Port 22 is &lt;i&gt;protected&lt;/i&gt;." in answer.body.decode()
    assert "Use &lt;b&gt;another&lt;/b&gt;." in answer.body.decode()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("port", ["0", "65536", "+80", "80%20", "%36006", "abc", "", "6006;x"])
async def test_r08_what_is_no_port_is_404(fetch: Any, api: Any, port: str) -> None:
    """Only a plain number is looked up."""
    answer = await fetch("GET", f"go/{port}/", OWN_CLICK)
    assert answer.code == 404
    assert "is not a port" in answer.body.decode()
    assert api.calls == []


async def test_who_is_not_signed_in_is_told_where(fetch: Any, api: Any) -> None:
    """403, as everywhere; the page leads to Jupyter's sign-in and back."""
    answer = await fetch("GET", "go/6006/x", OWN_CLICK, signed_in=False)
    assert answer.code == 403
    assert "login?next=%2Fa%2540b%2Ftensorone-proxy%2Fgo%2F6006%2Fx" in answer.body.decode()
    assert api.calls == []


async def test_accounts_are_signed_in_under_their_own_name(
    fetch: Any, api: Any, tensorboard: Any, jp_serverapp: Any
) -> None:
    """With accounts, such as JupyterHub's, the link is for the account."""

    class Accounts(IdentityProvider):
        async def _get_user(self, _handler: Any) -> User:
            return User("alice")

        def get_user(self, handler: Any) -> Any:
            return self._get_user(handler)

        def is_token_authenticated(self, _handler: Any) -> bool:
            return True

    jp_serverapp.web_app.settings["identity_provider"] = Accounts(parent=jp_serverapp)
    assert (await fetch("GET", "go/6006/", OWN_CLICK)).code == 302
    assert api.links[0]["user"] == "alice"
