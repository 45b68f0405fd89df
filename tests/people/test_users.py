"""Users: their tokens, and how they are kept out."""

from __future__ import annotations

import getpass
import sqlite3
import subprocess
import sys

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import ConflictError, UserNotFoundError
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.traffic import Expose, SignIn, Visit


def test_a_program_comes_in_by_its_users_token(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """The token of one user is that user on every mapping that admits them; nobody else's is."""
    open_to_all, for_ana = private("all"), private("ana's", ["ana-1"])
    ana, ben = (client.create_user(name).token for name in ("ana-1", "ben-1"))
    for token, statuses in ((ana, [200, 200]), (ben, [200, 403])):
        program = visit(token=token)
        assert [program.get(e.url).status_code for e in (open_to_all, for_ana)] == statuses
    assert for_ana.service.seen[-1].values("x-forwarded-user") == ["ana-1"]
    assert for_ana.service.seen[-1].values("authorization") == []


def test_users_are_listed_without_their_tokens(client: ProxyClient) -> None:
    """The list says who there is, and whether they have a token; not the token."""
    client.create_user("listed")
    (user,) = [u for u in client.list_users() if u.name == "listed"]
    assert (user.has_token, user.disabled, user.token) == (True, False, None)


def test_the_owner_exists_by_itself(client: ProxyClient) -> None:
    """Whoever runs the gateway need not be added; somebody invited is known from then on."""
    names = {user.name: user for user in client.list_users()}
    assert names[getpass.getuser()].has_token is False


def test_a_token_is_kept_as_a_hash_only(client: ProxyClient, gateway: RunningGateway) -> None:
    """Whoever reads the state directory finds no token in it."""
    token = client.create_user("hashed").token
    assert token
    signature = token.rpartition(".")[2].encode()
    with sqlite3.connect(f"file:{gateway.state_dir}/state.db?mode=ro", uri=True) as database:
        kept = database.execute("select token_hash from users where name='hashed'").fetchone()[0]
    assert len(kept) == 64
    for file in gateway.state_dir.rglob("*"):
        if file.is_file():
            assert signature not in file.read_bytes(), file


def test_a_new_token_ends_the_one_before_it(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """After a rotation the old token is refused, the new one works; sessions go on."""
    exposed = private()
    old = client.create_user("rotated").token
    assert visit(token=old).get(exposed.url).status_code == 200
    new = client.rotate_user_token("rotated").token
    assert new != old
    assert visit(token=old).get(exposed.url).status_code == 401
    assert visit(token=new).get(exposed.url).status_code == 200


def test_a_disabled_user_is_out_and_may_come_back(
    private: Expose, client: ProxyClient, visit: Visit, sign_in: SignIn
) -> None:
    """Disabling ends sessions and the token, and refuses links; enabling allows new ones."""
    exposed = private()
    token = client.create_user("disabled").token
    browser = sign_in(exposed, "disabled")
    link = client.create_link(exposed.mapping.id, user="disabled").url
    assert client.update_user("disabled", disabled=True).disabled
    assert visit(token=token).get(exposed.url).status_code == 401
    assert browser.get(exposed.url).status_code == 401
    refused = visit().get(link)
    assert refused.status_code == 403
    assert "may not sign in" in refused.text
    client.update_user("disabled", disabled=False)
    assert visit().get(link).status_code == 302
    fresh = client.rotate_user_token("disabled").token
    assert visit(token=fresh).get(exposed.url).status_code == 200


def test_a_removed_user_is_gone_with_everything(
    private: Expose, client: ProxyClient, visit: Visit, sign_in: SignIn
) -> None:
    """Token, sessions and links of a removed user are worth nothing."""
    exposed = private()
    token = client.create_user("removed").token
    browser = sign_in(exposed, "removed")
    link = client.create_link(exposed.mapping.id, user="removed").url
    client.delete_user("removed")
    assert visit(token=token).get(exposed.url).status_code == 401
    assert browser.get(exposed.url).status_code == 401
    assert visit().get(link).status_code == 403
    assert "removed" not in {user.name for user in client.list_users()}


def test_a_name_is_taken_once(client: ProxyClient) -> None:
    """Adding somebody twice is an error that says what to do, and changes no token."""
    client.create_user("once")
    with pytest.raises(ConflictError, match="rotate"):
        client.create_user("once")


@pytest.mark.parametrize("name", ["Ünal Ö", "a/b", "..a", "<b>x</b>", "a,b;c", "x" * 200])
def test_names_of_any_script_work_everywhere(
    private: Expose, client: ProxyClient, visit: Visit, name: str
) -> None:
    """A name is what people are called: in lists, in links, in the header for the service."""
    exposed = private("names", [name])
    token = client.create_user(name).token
    assert visit(token=token).get(exposed.url).status_code == 200
    assert client.update_user(name, disabled=False).name == name
    client.delete_user(name)
    with pytest.raises(UserNotFoundError):
        client.delete_user(name)


def test_r31_an_empty_list_of_users_means_anyone_who_signs_in(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """`allowed_users: []` lets signed-in people in, and nobody without signing in."""
    exposed = private("empty", [])
    token = client.create_user("anybody").token
    assert visit(token=token).get(exposed.url).status_code == 200
    assert visit().get(exposed.url).status_code == 401


def test_two_identities_at_once_are_one(
    private: Expose, client: ProxyClient, visit: Visit, sign_in: SignIn
) -> None:
    """A cookie of one user and a token of another: the token counts, and the service sees one."""
    exposed = private()
    token = client.create_user("program").token
    browser = sign_in(exposed, "ana")
    browser.get(exposed.url, headers={"authorization": f"Bearer {token}"})
    assert exposed.service.seen[-1].values("x-forwarded-user") == ["program"]
    assert exposed.service.seen[-1].values("authorization") == []
    assert exposed.service.seen[-1].values("cookie") == []


def test_r14_the_command_line_meets_the_same_gateway(gateway: RunningGateway) -> None:
    """What is created by one path is seen by another."""
    environment = {"TENSORONE_STATE_DIR": str(gateway.state_dir), "PATH": ""}
    command = [sys.executable, "-m", "jupyter_tensorone_proxy.cli", "status", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert gateway.api_url in done.stdout
    assert httpx.get(f"{gateway.api_url}/healthz").status_code == 200
