"""Where a redirect may lead, and that the key does not go along. Over real HTTP on two ports."""

from __future__ import annotations

import httpx
import pytest

from jupyter_tensorone_proxy.client import _operations as ops
from jupyter_tensorone_proxy.client import _people as people
from jupyter_tensorone_proxy.errors import InsecureUrlError, UnexpectedAnswerError
from tests.fixtures.tensorone import (
    KEY,
    AsyncRim,
    Driver,
    SyncRim,
    failure,
    serving,
    settings_for,
    success,
)


def redirect(status: int, location: str) -> httpx.Response:
    """Return a redirect."""
    return httpx.Response(status, headers={"location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_get_is_followed_with_the_key_on_the_same_origin(
    status: int, rim: SyncRim | AsyncRim
) -> None:
    """A moved path of the same server is found, and signed in to."""

    def api(request: httpx.Request) -> httpx.Response:
        return success([]) if request.url.path == "/moved" else redirect(status, "/moved")

    with serving(api) as server:
        assert rim.call("list_clusters", settings=settings_for(server.url)) == []
    assert [r.headers["authorization"] for r in server.requests] == [f"Bearer {KEY}"] * 2


def test_the_key_is_not_carried_to_another_port(rim: SyncRim | AsyncRim) -> None:
    """Another port is another server: it gets the request without the key."""
    with (
        serving(lambda _: success([])) as other,
        serving(lambda _: redirect(307, f"{other.url}/v1/clusters")) as home,
    ):
        assert rim.call("list_clusters", settings=settings_for(home.url)) == []
    assert "authorization" in home.requests[0].headers
    assert "authorization" not in other.requests[0].headers
    assert KEY not in str(other.requests[0].headers.raw)


def test_the_key_stays_away_after_a_detour(rim: SyncRim | AsyncRim) -> None:
    """A request that was once in other hands does not get the key back at home."""

    def api(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/back":
            return success([])
        return redirect(302, f"{other.url}/away")

    with serving(api) as home, serving(lambda _: redirect(302, f"{home.url}/back")) as other:
        rim.call("list_clusters", settings=settings_for(home.url))
    assert ["authorization" in r.headers for r in home.requests] == [True, False]


def test_a_stranger_that_wants_the_key_is_explained(rim: SyncRim | AsyncRim) -> None:
    """If the new place refuses for want of a key, the error says which URL to set."""
    with (
        serving(lambda _: failure(401, "UNAUTHORIZED")) as other,
        serving(lambda _: redirect(308, other.url)) as home,
        pytest.raises(UnexpectedAnswerError, match="TENSORONE_API_URL") as caught,
    ):
        rim.call("list_clusters", settings=settings_for(home.url))
    assert home.url in str(caught.value)
    assert other.url in str(caught.value)


@pytest.mark.parametrize("status", [307, 308])
def test_a_write_keeps_method_and_body(status: int, rim: SyncRim | AsyncRim) -> None:
    """307 and 308 promise that the request stays what it is."""

    def api(request: httpx.Request) -> httpx.Response:
        return success({"id": "p"}) if request.url.path == "/new" else redirect(status, "/new")

    with serving(api) as server:
        to = settings_for(server.url)
        rim.call("create_port", internal_port=1, description="x", settings=to)
    first, second = server.requests
    assert (second.method, second.content) == ("POST", first.content)
    assert second.headers["content-type"] == "application/json"
    assert second.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize(
    "operation",
    [people.create_user("a"), ops.delete_port("p"), ops.update_port("p", description="x")],
)
def test_a_write_that_would_become_a_get_is_not_followed(
    status: int, operation: ops.Operation[object]
) -> None:
    """Such a redirect would lose the request: the base URL is wrong, and the error says so."""
    driver = Driver([redirect(status, "https://api.tensorone.ai/x")])
    with pytest.raises(UnexpectedAnswerError, match="base URL is wrong"):
        driver.run(operation)
    assert len(driver.requests) == 1


@pytest.mark.parametrize(
    "target", ["http://api.tensorone.ai/v1", "http://example.com/?token=secret"]
)
def test_a_redirect_to_plain_http_is_refused(target: str) -> None:
    """Nothing goes unencrypted to another machine, not even without the key."""
    driver = Driver([redirect(302, target)])
    with pytest.raises(InsecureUrlError) as caught:
        driver.run(ops.list_clusters())
    assert len(driver.requests) == 1
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "location", ["https://ana:secret@example.com/", "ftp://example.com/", "https://[::1", "\x01"]
)
def test_a_redirect_to_nowhere_is_refused(location: str) -> None:
    """A target that is no plain https URL is not followed, nor are words in it shown."""
    driver = Driver([redirect(302, location)])
    with pytest.raises(UnexpectedAnswerError) as caught:
        driver.run(ops.list_clusters())
    assert len(driver.requests) == 1
    assert "secret" not in str(caught.value)


def test_a_redirect_without_a_target_is_refused() -> None:
    """A redirect that does not say where to is not an answer."""
    with pytest.raises(UnexpectedAnswerError, match="302"):
        Driver([httpx.Response(302)]).run(ops.list_clusters())


def test_a_circle_ends() -> None:
    """A server that redirects to itself is left after a few rounds."""
    driver = Driver([redirect(302, "/v1/clusters")] * 20)
    with pytest.raises(UnexpectedAnswerError, match="circles"):
        driver.run(ops.list_clusters())
    assert len(driver.requests) == 6
