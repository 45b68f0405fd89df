"""People with odd names, and people who are kept out: no path is confused by either."""

from __future__ import annotations

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import ConflictError, InvalidRequestError
from tests.fixtures.gateway import free_port
from tests.fixtures.traffic import Expose, SignIn, Visit
from tests.people.conftest import HTML

ODD = ["a?b=1", "a#b", "100%", "a%2Fb", "a\\b", 'a"b', "a b", "token", "a/token", "日本", "ß&ss"]


@pytest.mark.parametrize("name", ODD)
def test_a_users_whole_life_under_an_odd_name(
    private: Expose, client: ProxyClient, visit: Visit, name: str
) -> None:
    """Added, let in, disabled, enabled, given a new token, and removed: always the same person."""
    exposed = private("named", [name])
    first = client.create_user(name).token
    assert visit(token=first).get(exposed.url).status_code == 200
    seen = exposed.service.seen[-1].values("x-forwarded-user")
    assert [value.encode("latin-1").decode() for value in seen] == [name]
    assert client.update_user(name, disabled=True).name == name
    assert visit(token=first).get(exposed.url).status_code == 401
    assert client.update_user(name, disabled=False).name == name
    second = client.rotate_user_token(name)
    assert second.name == name
    assert visit(token=second.token).get(exposed.url).status_code == 200
    client.delete_user(name)
    assert visit(token=second.token).get(exposed.url).status_code == 401
    assert name not in {user.name for user in client.list_users()}


@pytest.mark.parametrize("name", ["Ünal Ö", "日本", 'a"b'])
def test_our_own_page_knows_an_odd_name(
    private: Expose, sign_in: SignIn, client: ProxyClient, name: str
) -> None:
    """Who is signed in is named as they are called, is on the list, and renews their session."""
    exposed = private("named", [name])
    browser = sign_in(exposed, name)
    page = browser.get(f"{exposed.url}/.tensorone/sign-in?next=/", headers=HTML)
    assert page.status_code == 200
    assert f"signed in as {name}".replace('"', "&quot;") in page.text
    (first,) = client.list_sessions(port_id=exposed.mapping.id)
    assert browser.get(client.create_link(exposed.mapping.id, user=name).url).status_code == 302
    (again,) = client.list_sessions(port_id=exposed.mapping.id)
    assert (again.id, again.user) == (first.id, name)


@pytest.mark.parametrize("name", [".", "..", "", "a\nb", "x" * 201])
def test_what_cannot_be_a_name_is_refused(
    client: ProxyClient, api: httpx.Client, name: str
) -> None:
    """What no address could name afterwards is not made."""
    with pytest.raises(InvalidRequestError):
        client.create_user(name)
    answer = api.post("/proxy/users", json={"name": name})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
    assert name not in {user.name for user in client.list_users()}


def test_who_is_disabled_gets_no_token(
    private: Expose, client: ProxyClient, visit: Visit, api: httpx.Client
) -> None:
    """Neither a rotation nor being added again lets in by the back door who is kept out."""
    exposed = private()
    client.create_user("out")
    client.update_user("out", disabled=True)
    with pytest.raises(ConflictError, match="Enable them first"):
        client.rotate_user_token("out")
    answer = api.post("/proxy/users", json={"name": "out"})
    assert answer.status_code == 409
    assert "token" not in answer.text.replace("gets no token", "")
    (user,) = [u for u in client.list_users() if u.name == "out"]
    assert (user.disabled, user.has_token) == (True, False)
    client.update_user("out", disabled=False)
    token = client.rotate_user_token("out").token
    assert visit(token=token).get(exposed.url).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"protocol": "udp", "access_control": {"authentication_required": False}},
        {
            "app_protocol": "tcp",
            "access_control": {"authentication_required": False, "ip_whitelist": ["127.0.0.1"]},
        },
    ],
    ids=["udp", "raw tcp"],
)
def test_no_link_is_made_where_nobody_can_sign_in(
    client: ProxyClient, fields: dict[str, object]
) -> None:
    """A link to what is no web page could not be opened: it is refused, and says what to do."""
    mapping = client.create_port(internal_port=free_port(), description="raw", **fields)
    try:
        with pytest.raises(ConflictError, match="ip_whitelist"):
            client.create_link(mapping.id, user="ana")
        assert client.list_links(mapping.id) == []
    finally:
        client.delete_port(mapping.id)
