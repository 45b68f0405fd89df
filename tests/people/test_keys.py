"""Signing keys: rotation with and without overlap, damage, and what services may check."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import (
    RunningGateway,
    free_range,
    run_gateway,
    start_gateway,
    stop,
    wait_until,
)
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import Expose, OpenWebSocket, SignIn, Visit, cookie_header


def test_r22_rotating_the_key_ends_everything_at_once(
    private: Expose, sign_in: SignIn, client: ProxyClient, visit: Visit
) -> None:
    """Sessions, links and tokens that the old key signed are worth nothing."""
    exposed = private()
    token = client.create_user("before").token
    browser = sign_in(exposed)
    link = client.create_link(exposed.mapping.id, user="ana")
    client.rotate_keys()
    assert browser.get(exposed.url).status_code in {401, 403}  # the connection is draining
    assert visit(token=token).get(exposed.url).status_code == 401
    assert visit().get(link.url).status_code == 403
    assert client.list_sessions() == []
    assert client.list_links() == []
    assert not any(user.has_token for user in client.list_users())
    assert sign_in(exposed).get(exposed.url).status_code == 200
    fresh = client.rotate_user_token("before").token
    assert visit(token=fresh).get(exposed.url).status_code == 200


def test_r22_open_websockets_end_with_the_key(
    private: Expose, sign_in: SignIn, client: ProxyClient, websocket: OpenWebSocket
) -> None:
    """What is open was let in by the old key."""
    exposed = private()
    browser = sign_in(exposed)
    socket = websocket(exposed, additional_headers={"cookie": cookie_header(browser)})
    client.rotate_keys()
    assert wait_until(lambda: socket.close_code is not None, seconds=10)


def test_a_rotation_with_overlap_keeps_what_is_signed(
    private: Expose, sign_in: SignIn, client: ProxyClient, visit: Visit
) -> None:
    """After it the old key's sessions, tokens and links go on; after the next they do not."""
    exposed = private()
    token = client.create_user("overlapping").token
    browser = sign_in(exposed)
    link = client.create_link(exposed.mapping.id, user="ana")
    client.rotate_keys(overlap=True)
    assert browser.get(exposed.url).status_code == 200
    assert visit(token=token).get(exposed.url).status_code == 200
    assert visit().get(link.url).status_code == 302
    newer = sign_in(exposed, "ben")
    client.rotate_keys(overlap=True)
    assert browser.get(exposed.url).status_code == 401
    assert newer.get(exposed.url).status_code == 200


def test_keys_and_sessions_survive_restarts(tmp_path: Path) -> None:
    """Users, links and sessions are there after the gateway was stopped and started again."""
    ports = free_range(20)
    with web_service() as service:
        with run_gateway(tmp_path, "--external-ports", ports) as gateway, gateway.client() as api:
            mapping = api.create_port(internal_port=service.port, description="kept")
            token = api.create_user("kept").token
            link = api.create_link(mapping.id, user="ana", one_time=False, expires_in_seconds=900)
            revoked, browser = gateway.visitor(), gateway.visitor()
            for one in (revoked, browser):
                assert one.get(link.url).status_code == 302
            first, _ = api.list_sessions()
            api.revoke_session(first.id)
        with run_gateway(tmp_path, "--external-ports", ports) as gateway, gateway.client() as api:
            url = str(mapping.url)
            assert browser.get(url).status_code == 200
            assert revoked.get(url).status_code == 401
            bearer = {"authorization": f"Bearer {token}"}
            with gateway.visitor(headers=bearer) as program:
                assert program.get(url).status_code == 200
            assert [s.user for s in api.list_sessions()] == ["ana"]
            assert {u.name for u in api.list_users()} >= {"kept", "ana"}
            assert revoked.get(link.url).status_code == 302
        revoked.close()
        browser.close()


def test_r36_a_damaged_key_lets_nobody_in_and_is_named(tmp_path: Path) -> None:
    """The gateway does not start, says which file, and replaces nothing."""
    for damage in (
        "",
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ):
        state = tmp_path / f"state-{len(damage)}"
        state.mkdir(mode=0o700)
        key = state / "signing.key"
        key.write_text(damage)
        process = start_gateway(state, "--external-ports", free_range(10))
        assert process.stderr is not None
        assert process.wait(30) == 1
        assert str(key) in process.stderr.read()
        assert key.read_text() == damage
        stop(process)


def test_r50_the_keys_are_their_owners_alone(gateway: RunningGateway, client: ProxyClient) -> None:
    """No key can be read by anybody else, nor after a rotation."""
    client.rotate_keys(overlap=True)
    for name in ("signing.key", "signing.previous.key", "api_key", "ca.key"):
        assert stat.S_IMODE((gateway.state_dir / name).stat().st_mode) == 0o600, name


def test_a_service_can_check_who_it_is(private: Expose, sign_in: SignIn, visit: Visit) -> None:
    """With `identity_assertion` the service gets a signed token for it alone, not the session."""
    exposed, plain = private("signed", identity_assertion=True), private("plain")
    browser = sign_in(exposed, "ana")
    browser.get(exposed.url)
    (assertion,) = exposed.service.seen[-1].values("x-tensorone-assertion")
    keys = KeySet.import_key_set(
        json.loads(browser.get(f"{exposed.url}/.tensorone/jwks.json").text)
    )
    claims = jwt.decode(assertion, keys, algorithms=["ES256"]).claims
    assert claims["sub"] == "ana"
    assert claims["aud"] == f"assertion:{exposed.mapping.id}"
    assert claims["iss"] == "jupyter-tensorone-proxy"
    assert assertion not in cookie_header(browser)
    stolen = {"cookie": f"__Host-t1-{exposed.mapping.id}={assertion}"}
    assert visit().get(exposed.url, headers=stolen).status_code in {401, 403}
    other = sign_in(plain, "ana")
    other.get(plain.url, headers={"x-tensorone-assertion": assertion})
    assert plain.service.seen[-1].values("x-tensorone-assertion") == []


def test_the_public_keys_hold_nothing_private(private: Expose, visit: Visit) -> None:
    """The key set is for checking only (RFC 7517), and open to everybody."""
    answer = visit().get(f"{private().url}/.tensorone/jwks.json")
    assert answer.status_code == 200
    for key in answer.json()["keys"]:
        assert "d" not in key
        assert {"kty", "crv", "x", "y", "kid"} <= set(key)
    assert isinstance(answer, httpx.Response)
