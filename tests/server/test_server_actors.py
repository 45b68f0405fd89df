"""In whose name the API is asked: that of the signed-in Jupyter user, for the audit."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User

from jupyter_tensorone_proxy.settings import owner_name


class Accounts(IdentityProvider):
    """Accounts as JupyterHub has them: whoever sends a request is its user."""

    def get_user(self, handler: Any) -> Any:
        """Return who the request says it is from."""

        async def user() -> User:
            return User(handler.request.headers["X-Account"])

        return user()

    def is_token_authenticated(self, _handler: Any) -> bool:
        """Ask for no XSRF token."""
        return True


async def test_each_account_asks_in_its_own_name(fetch: Any, api: Any, jp_serverapp: Any) -> None:
    """Two people of one server are told apart, one request after the other."""
    jp_serverapp.web_app.settings["identity_provider"] = Accounts(parent=jp_serverapp)
    for name in ("alice", "bob", "alice"):
        answer = await fetch("GET", "api/ports", {"X-Account": name})
        assert answer.code == 200
    assert api.users == ["alice", "bob", "alice"]


async def test_without_accounts_it_is_whoever_runs_the_server(fetch: Any, api: Any) -> None:
    """Jupyter's own sign-in gives browsers random names: none of them is a person."""
    assert (await fetch("GET", "api/ports")).code == 200
    assert api.users == [owner_name()]
