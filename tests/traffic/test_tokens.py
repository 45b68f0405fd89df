"""Which tokens open a private mapping: the table of forged ones, and whose token opens what."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.gateway.xds.sign_in import session_cookie
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.traffic import Expose, Exposed, SignIn, Visit

PRIVATE = {"authentication_required": True}
Claims = dict[str, Any]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _part(value: Claims) -> str:
    return _encode(json.dumps(value).encode())


def _claims(token: str) -> Claims:
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


class Forger:
    """Makes tokens out of a good one.

    Args:
        good: A token that opens the mapping.
        key: The installation's signing key, which only the last two rows of the table use.
    """

    def __init__(self, good: str, key: ECKey) -> None:
        self.good = good
        self.key = key

    def signed(self, **changes: Any) -> str:
        """Return the good token with other claims, signed with the right key; None drops one."""
        claims = {k: v for k, v in (_claims(self.good) | changes).items() if v is not None}
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)

    def signed_by(self, key: ECKey | RSAKey, algorithm: str = "ES256", **header: Any) -> str:
        """Return the good claims under another key or algorithm."""
        headers = {"alg": algorithm, "kid": self.key.kid, **header}
        return jwt.encode(headers, _claims(self.good), key, algorithms=[algorithm])

    def public_key_as_secret(self) -> str:
        """Return a token signed by HMAC with the public key, which everybody may know."""
        signed = f"{_part({'alg': 'HS256', 'kid': self.key.kid})}.{_part(_claims(self.good))}"
        secret = self.key.as_pem(private=False)
        return f"{signed}.{_encode(hmac.digest(secret, signed.encode(), 'sha256'))}"

    def with_own_key(self) -> str:
        """Return a token of another key, which it brings along in its header."""
        key = _ec()
        return self.signed_by(key, jwk=key.as_dict(private=False))

    def unsigned(self, name: str = "none") -> str:
        """Return the good claims with `alg: none`."""
        return f"{_part({'alg': name, 'typ': 'JWT'})}.{_part(_claims(self.good))}."

    def tampered(self) -> str:
        """Return other claims under the good signature."""
        head, _, signature = self.good.split(".")
        return f"{head}.{_part(_claims(self.good) | {'sub': 'root'})}.{signature}"

    def damaged(self) -> str:
        """Return the good token with a signature of which one bit differs."""
        head, payload, signature = self.good.split(".")
        raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
        raw[7] ^= 1
        return f"{head}.{payload}.{_encode(bytes(raw))}"


def _ec() -> ECKey:
    made: ECKey = ECKey.generate_key("P-256")
    return made


BAD: dict[str, Callable[[Forger], str]] = {
    "alg none": Forger.unsigned,
    "alg None": lambda f: f.unsigned("None"),
    "public key as HMAC secret": Forger.public_key_as_secret,
    "another key": lambda f: f.signed_by(_ec()),
    "another key, other kid": lambda f: f.signed_by(_ec(), kid="other"),
    "another key that brings itself": lambda f: f.with_own_key(),
    "RSA": lambda f: f.signed_by(RSAKey.generate_key(2048), "RS256"),
    "wrong issuer": lambda f: f.signed(iss="somebody"),
    "no issuer": lambda f: f.signed(iss=None),
    "wrong audience": lambda f: f.signed(aud="port_another"),
    "no audience": lambda f: f.signed(aud=None),
    "the audience of nobody": lambda f: f.signed(aud="nobody"),
    "a link's audience": lambda f: f.signed(aud=f"link:{_claims(f.good)['aud']}"),
    "expired": lambda f: f.signed(exp=int(time.time()) - 5),
    "no expiry": lambda f: f.signed(exp=None),
    "not yet": lambda f: f.signed(nbf=int(time.time()) + 3600),
    "tampered": Forger.tampered,
    "damaged": Forger.damaged,
    "no signature": lambda f: f.good.rpartition(".")[0] + ".",
    "nothing between dots": lambda _: "..",
}


@pytest.fixture(scope="module")
def signing_key(gateway: RunningGateway) -> ECKey:
    """Return the installation's own key, which no attacker has."""
    key: ECKey = ECKey.import_key((gateway.state_dir / "signing.key").read_text(), {"use": "sig"})
    key.ensure_kid()
    return key


@pytest.fixture
def private(expose: Expose) -> Exposed:
    """Expose a service to whoever signs in."""
    return expose(access=PRIVATE)


def _status(visit: Visit, exposed: Exposed, kind: str, token: str) -> int:
    bearer = {"authorization": f"Bearer {token}"}
    cookie = {"cookie": f"{session_cookie(exposed.mapping.id)}={token}"}
    headers = bearer if kind == "bearer" else cookie
    return int(visit(headers=headers).get(exposed.url).status_code)


@pytest.fixture
def good(private: Exposed, sign_in: SignIn, client: ProxyClient) -> Callable[[str], str]:
    """Return a function that gets a good token: a session's, or a user's."""

    def get(kind: str) -> str:
        if kind == "bearer":
            return str(client.create_user(f"program {time.monotonic_ns()}").token)
        return str(sign_in(private).cookies[session_cookie(private.mapping.id)])

    return get


@pytest.mark.parametrize("kind", ["cookie", "bearer"])
def test_p21_the_good_token_opens_and_its_forgeries_do_not(
    private: Exposed,
    visit: Visit,
    good: Callable[[str], str],
    signing_key: ECKey,
    kind: str,
) -> None:
    """Every row of the table is refused; the good one, and a re-signed copy of it, are not."""
    forger = Forger(good(kind), signing_key)
    assert _status(visit, private, kind, forger.good) == 200
    assert _status(visit, private, kind, forger.signed()) == 200, "the forger knows how to sign"
    before = len(private.service.seen)
    found = {name: _status(visit, private, kind, forge(forger)) for name, forge in BAD.items()}
    assert found == dict.fromkeys(BAD, 401)
    assert len(private.service.seen) == before


@pytest.mark.parametrize("skew", [-30, -2, 30])
def test_p21_there_is_no_minute_of_grace(
    private: Exposed, visit: Visit, good: Callable[[str], str], signing_key: ECKey, skew: int
) -> None:
    """A token counts until it expires, not a minute longer (Envoy's own default is 60 s)."""
    token = Forger(good("cookie"), signing_key).signed(exp=int(time.time()) + skew)
    assert _status(visit, private, "cookie", token) == (200 if skew > 0 else 401)


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
def test_r45_p22_a_session_of_one_mapping_opens_no_other(
    expose: Expose, visit: Visit, sign_in: SignIn, *, http2: bool
) -> None:
    """Neither under its own cookie name, nor under the other mapping's, nor as Bearer."""
    one, other = expose("one", access=PRIVATE), expose("other", access=PRIVATE)
    session = sign_in(one).cookies[session_cookie(one.mapping.id)]
    names = [session_cookie(m.mapping.id, framed=f) for m in (one, other) for f in (False, True)]
    attempts = [{"cookie": f"{name}={session}"} for name in names]
    attempts.append({"authorization": f"Bearer {session}"})
    for headers in attempts:
        assert visit(http2=http2, headers=headers).get(other.url).status_code == 401, headers
    assert other.service.seen == []
    assert visit(headers=attempts[0]).get(one.url).status_code == 200


def test_r45_a_users_token_is_no_cookie_and_a_link_no_session(
    private: Exposed, visit: Visit, client: ProxyClient
) -> None:
    """Each kind of token counts only where it belongs."""
    token = str(client.create_user("misplaced").token)
    link = client.create_link(private.mapping.id, user="ana").url
    secret = httpx.URL(link).params["token"]
    assert _status(visit, private, "cookie", token) == 401
    assert _status(visit, private, "cookie", secret) == 401
    assert _status(visit, private, "bearer", secret) == 401
    assert visit().get(f"{private.url}/.tensorone/link?token={token}").status_code == 403
    assert visit().get(f"{private.url}/?token={token}&access_token={token}").status_code == 401
    assert private.service.seen == []


def test_p23_only_allowed_users_come_in(
    expose: Expose, visit: Visit, sign_in: SignIn, client: ProxyClient
) -> None:
    """`allowed_users`: the others are told 403; an edit counts at once."""
    exposed = expose(access={**PRIVATE, "allowed_users": ["ana", "ben"]})
    assert sign_in(exposed, "ana").get(exposed.url).status_code == 200
    eve = visit(token=client.create_user("eve").token)
    refusal = eve.get(exposed.url)
    assert refusal.status_code == 403
    assert refusal.json()["error"]["code"] == "FORBIDDEN"
    client.update_port(exposed.mapping.id, access_control={"allowed_users": ["eve"]})
    assert eve.get(exposed.url).status_code == 200
    client.update_port(exposed.mapping.id, access_control={"allowed_users": ["ana"]})
    assert eve.get(exposed.url).status_code == 403
    assert len(exposed.service.seen) == 2


@pytest.mark.parametrize("name", ["ana", "Ana", "ana ", "an", "ana,eve", '"ana"', "ana%", "änä"])
def test_p23_a_users_name_is_compared_exactly(
    expose: Expose, visit: Visit, client: ProxyClient, name: str
) -> None:
    """Neither case, nor a part, nor a list in a name makes somebody else of a person."""
    exposed = expose(access={**PRIVATE, "allowed_users": ["ana,eve,", "ana\u200b", "an[a]", name]})
    token = client.create_user(f"eve of {name}").token
    assert visit(token=token).get(exposed.url).status_code == 403


def test_trap_1_a_forbidden_user_stays_out_on_every_route(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """The rule for people holds whatever route is chosen after the token was read."""
    exposed = expose(access={**PRIVATE, "allowed_users": ["ana"]})
    eve = visit(token=client.create_user("eve of trap one").token)
    paths = [
        "/",
        "/.tensorone",
        "/.tensorone/../x",
        "//.tensorone/x",
        "/.Tensorone/x",
        "/x/.tensorone/",
    ]
    found = {path: eve.get(f"{exposed.url}{path}").status_code for path in paths}
    assert set(found.values()) <= {403, 404}, found  # 404 is a page of ours that does not exist
    assert exposed.service.seen == []
