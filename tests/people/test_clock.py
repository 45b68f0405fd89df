"""Clocks that differ: what counts is when a token ends, by the gateway's own clock, to the second.

A token says too when it was made. That is not judged: the same machine makes and checks it, and a
clock that was set back must lock nobody out.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.gateway.xds.sign_in import session_cookie
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.traffic import Expose, Exposed, SignIn, Visit
from tests.people.conftest import HTML

MINUTES_5 = 300
Shift = Callable[[str], str]


@pytest.fixture
def shifted(gateway: RunningGateway, request: pytest.FixtureRequest) -> Shift:
    """Return a function that signs a good token again, with the test's times."""
    key: ECKey = ECKey.import_key((gateway.state_dir / "signing.key").read_text(), {"use": "sig"})
    key.ensure_kid()

    def shifted(good: str) -> str:
        claims = jwt.decode(good, key, algorithms=["ES256"]).claims
        moments = {name: int(time.time()) + by for name, by in request.param.items()}
        return jwt.encode({"alg": "ES256", "kid": key.kid}, claims | moments, key)

    return shifted


def _by_link(exposed: Exposed, client: ProxyClient, visit: Visit, shifted: Shift) -> bool:
    """Say whether a link with shifted times signs somebody in."""
    url = client.create_link(exposed.mapping.id, user="ana").url
    token = httpx.URL(url).params["token"]
    return visit().get(url.replace(token, shifted(token)), headers=HTML).status_code == 302


def _by_session(exposed: Exposed, sign_in: SignIn, visit: Visit, shifted: Shift) -> bool:
    name = session_cookie(exposed.mapping.id)
    cookie = f"{name}={shifted(str(sign_in(exposed).cookies[name]))}"
    return visit(headers={"cookie": cookie}).get(exposed.url).status_code == 200


ACCEPTED = [{"iat": MINUTES_5}, {"iat": -MINUTES_5}, {"nbf": -MINUTES_5}, {"exp": MINUTES_5}]
REFUSED = [{"exp": -MINUTES_5}, {"nbf": MINUTES_5}, {"iat": -2 * MINUTES_5, "exp": -MINUTES_5}]


@pytest.mark.parametrize("shifted", ACCEPTED, ids=str, indirect=True)
def test_p21_a_clock_that_was_set_back_or_forth_locks_nobody_out(
    private: Expose, client: ProxyClient, visit: Visit, sign_in: SignIn, shifted: Shift
) -> None:
    """Made 5 minutes ahead or ago, and not yet over: session, link and user's token are good."""
    exposed = private()
    assert _by_session(exposed, sign_in, visit, shifted)
    assert _by_link(exposed, client, visit, shifted)
    token = shifted(str(client.create_user(f"clock {time.monotonic_ns()}").token))
    assert visit(token=token).get(exposed.url).status_code == 200


@pytest.mark.parametrize("shifted", REFUSED, ids=str, indirect=True)
def test_p21_what_is_over_or_not_yet_is_refused(
    private: Expose, client: ProxyClient, visit: Visit, sign_in: SignIn, shifted: Shift
) -> None:
    """Over for 5 minutes, or good in 5 minutes only: nothing of it lets anybody in."""
    exposed = private()
    assert not _by_session(exposed, sign_in, visit, shifted)
    assert not _by_link(exposed, client, visit, shifted)
    token = shifted(str(client.create_user(f"clock {time.monotonic_ns()}").token))
    assert visit(token=token).get(exposed.url).status_code == 401
