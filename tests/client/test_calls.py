"""What each call sends, what it refuses to send, and what its method looks like."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from jupyter_tensorone_proxy import AsyncProxyClient, ProxyClient
from jupyter_tensorone_proxy.client import _operations as ops
from jupyter_tensorone_proxy.client import _people as people
from jupyter_tensorone_proxy.errors import ConfigurationError, InvalidRequestError
from jupyter_tensorone_proxy.models import AccessControl, HealthCheck, NetworkConfiguration
from tests.fixtures.tensorone import (
    API_URL,
    KEY,
    SETTINGS,
    AsyncRim,
    Driver,
    SyncRim,
    settings_for,
    success,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type

    from jupyter_tensorone_proxy.models import Cluster, PortMapping, ProxyConfig
    from jupyter_tensorone_proxy.people import Link

    async def _types(client: ProxyClient, aclient: AsyncProxyClient) -> None:
        """Checked by mypy only: both rims' calls have the operation's arguments and result."""
        assert_type(client.list_ports(), list[PortMapping])
        assert_type(await aclient.list_ports(), list[PortMapping])
        assert_type(client.get_proxy(include_health=True), ProxyConfig)
        assert_type(await aclient.get_proxy(include_health=True), ProxyConfig)
        assert_type(client.list_clusters(), list[Cluster])
        assert_type(await asyncio.create_task(aclient.create_link("p", user="ana")), Link)
        client.get_proxy(include_healt=True)  # type: ignore[call-arg] # a wrong name is found
        client.delete_port(5)  # type: ignore[arg-type] # and a wrong type


CALLS = {
    name: value
    for module in (ops, people)
    for name, value in vars(module).items()
    if inspect.isfunction(value) and "Operation[" in str(inspect.signature(value))
    if not name.startswith("_")
}


def sent(operation: ops.Operation[Any]) -> httpx.Request:
    """Return the request of an operation."""
    driver = Driver([success({"id": "x", "cluster_id": "c"})])
    driver.run(operation)
    return driver.requests[0]


@pytest.mark.parametrize("client", [ProxyClient, AsyncProxyClient])
def test_both_clients_have_every_call_with_its_signature_and_words(client: Any) -> None:
    """A method's help is that of the operation, and it says what the method returns."""
    assert {"create_port", "create_link"} <= set(CALLS)
    bound = client(settings=SETTINGS)
    for name, described in CALLS.items():
        method = getattr(bound, name)
        assert (method.__name__, method.__doc__) == (name, described.__doc__)
        assert getattr(client, name).__doc__ == described.__doc__
        parameters = inspect.signature(method).parameters
        assert list(parameters) == list(inspect.signature(described).parameters)
    assert str(inspect.signature(bound.list_ports)) == "() -> 'list[PortMapping]'"


def test_the_async_calls_are_coroutine_functions() -> None:
    """Only the asyncio client's calls are awaited, and tools can see it."""
    assert inspect.iscoroutinefunction(AsyncProxyClient(settings=SETTINGS).list_ports)
    assert not inspect.iscoroutinefunction(ProxyClient(settings=SETTINGS).list_ports)


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("../access", "..%2Faccess"),
        ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ("%2e%2e", "%252e%252e"),
        ("näm e", "n%C3%A4m%20e"),
        ("...", "..."),
    ],
)
def test_r23_an_id_never_leaves_its_place_in_the_path(name: str, encoded: str) -> None:
    """Whatever an id holds stays one segment, byte for byte."""
    path = sent(ops.delete_port(name)).url.raw_path.decode()
    assert path == f"/v1/clusters/cluster_abc123/proxy/ports/{encoded}"
    driver = Driver([success({})], settings=settings_for(API_URL, cluster_id=name))
    driver.run(ops.delete_port("port_1"))
    raw = driver.requests[0].url.raw_path.decode()
    assert raw == f"/v1/clusters/{encoded}/proxy/ports/port_1"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_r23_an_id_that_would_climb_is_refused(name: str) -> None:
    """Dots cannot be encoded so that every server leaves them alone: nothing is sent."""
    driver = Driver([])
    with pytest.raises(InvalidRequestError, match="port_id"):
        driver.run(ops.delete_port(name))
    nowhere = Driver([], settings=settings_for(API_URL, cluster_id=name))
    with pytest.raises(ConfigurationError, match="TENSORONE_CLUSTER_ID"):
        nowhere.run(ops.delete_port("port_1"))
    assert driver.requests == nowhere.requests == []


def test_clusters_can_be_listed_before_one_is_chosen(rim: SyncRim | AsyncRim) -> None:
    """To find out the cluster's id no cluster's id is needed."""
    unchosen = settings_for(API_URL, cluster_id="")
    handler = lambda _: success([{"id": "c1"}])  # noqa: E731 - said in one line
    assert rim.call("list_clusters", handler=handler, settings=unchosen)[0].id == "c1"
    with pytest.raises(ConfigurationError, match="list_clusters"):
        rim.call("list_ports", handler=handler, settings=unchosen)


def test_a_base_url_may_have_a_path_and_a_slash_at_its_end() -> None:
    """An API behind a prefix is reached."""
    driver = Driver([success([])], settings=settings_for("https://example.com/tensorone/"))
    driver.run(ops.list_clusters())
    assert str(driver.requests[0].url) == "https://example.com/tensorone/v1/clusters"


def test_only_wanted_parts_are_asked_for() -> None:
    """A flag that is false is left out of the query."""
    url = sent(ops.get_proxy(include_ssl_info=True, include_health=False)).url
    assert url.query == b"include_ssl_info=true"
    assert sent(ops.get_proxy()).url.query == b""


@pytest.mark.parametrize(
    ("given", "path", "body"),
    [
        ({"enabled": False}, "/v2/", {"enabled": False}),
        ({"allowed_ips": []}, "/v2/", {"allowedIps": []}),
        ({"allowed_ips": ["10.0.0.1"], "api_version": "v1"}, "/v1/", {"allowed_ips": ["10.0.0.1"]}),
        (
            {"network_configuration": {"websocket_support": False}},
            "/v1/",
            {"network_configuration": {"websocket_support": False}},
        ),
        (
            {"network_configuration": NetworkConfiguration(websocket_support=True)},
            "/v1/",
            {"network_configuration": {"websocket_support": True}},
        ),
        ({}, "/v2/", {}),
    ],
)
def test_the_proxy_is_updated_in_the_version_that_fits(
    given: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    """v2 by default, v1 where only it has the field; the key is sent as each version wants it."""
    request = sent(ops.update_proxy(**given))
    assert request.url.path.startswith(path)
    assert json.loads(request.content) == body
    expected = KEY if path == "/v2/" else f"Bearer {KEY}"
    assert request.headers["authorization"] == expected


@pytest.mark.parametrize(
    "given", [{"api_version": "v3"}, {"api_version": "v2", "network_configuration": {}}]
)
def test_a_version_that_does_not_fit_is_refused(given: dict[str, Any]) -> None:
    """Nothing is dropped in silence: what a version does not have is an error."""
    with pytest.raises(InvalidRequestError, match=r"api_version|network_configuration"):
        ops.update_proxy(**given)


def test_models_can_be_given_for_objects() -> None:
    """`access_control=AccessControl(…)` sends what was set in it, and nothing else."""
    operation = ops.create_port(
        internal_port=1,
        description="x",
        access_control=AccessControl(allowed_users=["ana"]),
        health_check=HealthCheck(path="/"),
    )
    assert operation.body == {
        "internal_port": 1,
        "description": "x",
        "access_control": {"allowed_users": ["ana"]},
        "health_check": {"path": "/"},
    }


def test_an_update_sends_what_is_given_and_nothing_else() -> None:
    """PUT merges: given fields and the Nones that reset, at any depth."""
    operation = ops.update_port(
        "port_1",
        custom_domain=None,
        protocol=None,
        health_check={"timeout_seconds": 60, "path": None},
        access_control=AccessControl(rate_limit=None),
    )
    assert operation.body == {
        "custom_domain": None,
        "protocol": None,
        "health_check": {"timeout_seconds": 60, "path": None},
        "access_control": {"rate_limit": None},
    }


@pytest.mark.parametrize(
    "describe",
    [
        lambda: ops.create_port(internal_port=0, description="x"),
        lambda: ops.create_port(internal_port="80 ", description="x"),
        lambda: ops.create_port(internal_port=True, description="x"),
        lambda: ops.create_port(internal_port=65536, description="x"),
        lambda: ops.create_port(description="x"),
        lambda: ops.create_port(
            internal_port=1, description="x", health_check=HealthCheck(pth="/")
        ),
        lambda: ops.update_port("port_1", colour=None),
        lambda: ops.update_port(
            "port_1", health_check={"timeout_seconds": 9, "interval_seconds": 5}
        ),
        lambda: ops.update_access(ip_whitelist=["300.1.2.3"]),
        lambda: people.create_link("port_1", user="", expires_in_seconds=0),
        lambda: people.create_link("port_1", user="a", path="//evil.example.com"),
        lambda: people.create_user("two\nlines"),
    ],
)
def test_a_wrong_request_is_not_sent(describe: Any) -> None:
    """Bad values and unknown fields are refused here, each by name."""
    with pytest.raises(InvalidRequestError) as caught:
        describe()
    assert caught.value.details["fields"]


def test_a_wrong_request_is_refused_when_it_is_awaited() -> None:
    """The asyncio client raises from the await, like every other failure."""

    async def main() -> None:
        async with AsyncProxyClient(settings=SETTINGS) as client:
            call = client.create_port(internal_port=0, description="x")
            with pytest.raises(InvalidRequestError):
                await call

    asyncio.run(main())
