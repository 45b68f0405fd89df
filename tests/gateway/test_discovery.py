"""The discovery server with a real Envoy: what is refused, by name and without its contents."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jupyter_tensorone_proxy.gateway.xds.discovery import (
    DiscoveryServer,
    NotConnectedError,
    RejectedError,
)
from jupyter_tensorone_proxy.gateway.xds.messages import CLUSTER, ENDPOINTS, LISTENER, make_resource
from jupyter_tensorone_proxy.gateway.xds.snapshot import EMPTY, Snapshot
from tests.fixtures.bare_envoy import Scenario, scenarios
from tests.fixtures.gateway import free_port

SECRET_TEXT = "do-not-tell-0123456789"


@pytest.fixture
def run() -> Iterator[Callable[[Scenario], None]]:
    """Return a function that runs a scenario with a server and a way to start Envoy."""
    with scenarios() as run_scenario:
        yield run_scenario


def cluster(name: str, **fields: Any) -> dict[str, Any]:
    """Return a cluster whose endpoints come by the same way."""
    source = {"ads": {}, "resource_api_version": "V3"}
    config = {"eds_config": source}
    return {"name": name, "type": "EDS", "eds_cluster_config": config, **fields}


def endpoints(name: str, port: int = 1) -> dict[str, Any]:
    """Return one endpoint of a cluster."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    one = {"endpoint": {"address": address}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [one]}]}


def listener(port: int) -> dict[str, Any]:
    """Return a listener that hands every byte to a cluster."""
    proxy = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "x",
        "cluster": "good",
    }
    chain = {"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {
        "name": f"port_{port}",
        "address": address,
        "filter_chains": [chain],
        "enable_reuse_port": False,
    }


def snapshot(*configs: tuple[str, dict[str, Any]]) -> Snapshot:
    """Return a snapshot of some resources."""
    made = [make_resource(type_url, config) for type_url, config in configs]
    types = {resource.type_url for resource in made}
    return Snapshot({t: {r.name: r for r in made if r.type_url == t} for t in types})


GOOD = [(CLUSTER, cluster("good")), (ENDPOINTS, endpoints("good"))]


@contextmanager
def refused() -> Iterator[list[tuple[str, str]]]:
    """Collect what Envoy refused, and why."""
    reasons: list[tuple[str, str]] = []
    with pytest.raises(RejectedError) as found:
        yield reasons
    reasons += found.value.reasons


def test_of_a_batch_only_the_refused_resource_is_named(run: Callable[[Scenario], None]) -> None:
    """One of five clusters is wrong: four are in force, and the reason is the one's alone."""

    async def scenario(server: DiscoveryServer, start_envoy: Callable[[], None]) -> None:
        start_envoy()
        names = ["a", "b", "c", "d"]
        many = [part for n in names for part in ((CLUSTER, cluster(n)), (ENDPOINTS, endpoints(n)))]
        bad = (CLUSTER, cluster("bad", connect_timeout="0s"))
        with refused() as reasons:
            await server.apply(snapshot(*many, bad), timeout_seconds=30)
        assert [name for name, _ in reasons] == ["bad"]
        assert "value must be greater than" in reasons[0][1]
        assert [name for _, name in server.refusals] == ["bad"]
        await server.apply(snapshot(*many), timeout_seconds=30)
        assert server.refusals == {}

    run(scenario)


def test_a_reason_never_holds_the_resource(run: Callable[[Scenario], None]) -> None:
    """Envoy prints the whole resource with its reason; what is in it is nobody's business."""

    async def scenario(server: DiscoveryServer, start_envoy: Callable[[], None]) -> None:
        start_envoy()
        metadata = {"filter_metadata": {"x": {"key": SECRET_TEXT}}}
        for wrong in (
            {"connect_timeout": "0s"},
            {"common_lb_config": {"healthy_panic_threshold": {"value": 200}}},
            {"lb_policy": "CLUSTER_PROVIDED"},
        ):
            config = cluster("bad", metadata=metadata) | wrong
            with refused() as reasons:
                await server.apply(snapshot((CLUSTER, config)), timeout_seconds=30)
            ((name, reason),) = reasons
            assert name == "bad"
            assert SECRET_TEXT not in reason
            assert 0 < len(reason) <= 300
            await server.apply(EMPTY, timeout_seconds=30)

    run(scenario)


def test_a_refusal_ends_the_wait_for_what_hangs_on_it(run: Callable[[Scenario], None]) -> None:
    """The endpoints of a refused cluster are never asked for, and yet nobody waits for them."""

    async def scenario(server: DiscoveryServer, start_envoy: Callable[[], None]) -> None:
        start_envoy()
        await server.apply(snapshot(*GOOD), timeout_seconds=30)
        bad = (CLUSTER, cluster("bad", connect_timeout="0s")), (ENDPOINTS, endpoints("bad"))
        with refused():
            await asyncio.wait_for(server.apply(snapshot(*GOOD, *bad), timeout_seconds=60), 30)

    run(scenario)


def test_what_was_refused_is_taken_when_the_reason_is_gone(run: Callable[[Scenario], None]) -> None:
    """A port that is taken, and then is not: `retry` is all it needs."""

    async def scenario(server: DiscoveryServer, start_envoy: Callable[[], None]) -> None:
        start_envoy()
        port = free_port()
        wanted = snapshot(*GOOD, (LISTENER, listener(port)))
        with socket.create_server(("127.0.0.1", port)):
            with refused() as reasons:
                await server.apply(wanted, timeout_seconds=30)
            assert "cannot bind" in reasons[0][1]
            with refused():
                await server.retry(timeout_seconds=30)
        await server.retry(timeout_seconds=30)
        assert server.refusals == {}
        assert server.statistics.reconciles == 2
        (await asyncio.open_connection("127.0.0.1", port))[1].close()

    run(scenario)


def test_without_envoy_it_says_so_and_envoy_gets_it_later(run: Callable[[Scenario], None]) -> None:
    """Nobody connected in time; who connects afterwards gets the last configuration."""

    async def scenario(server: DiscoveryServer, start_envoy: Callable[[], None]) -> None:
        port = free_port()
        with pytest.raises(NotConnectedError, match="Envoy is not connected"):
            await server.apply(snapshot(*GOOD, (LISTENER, listener(port))), timeout_seconds=0.1)
        start_envoy()
        await server.synchronize(timeout_seconds=30)
        (await asyncio.open_connection("127.0.0.1", port))[1].close()

    run(scenario)


def test_an_endpoint_is_introduced_before_it_is_checked(run: Callable[[Scenario], None]) -> None:
    """With an introduction it is sent twice to an Envoy that does not know it, else once."""

    async def scenario(server: DiscoveryServer, start_envoy: Callable[[], None]) -> None:
        start_envoy()

        def wanted(port: int) -> Snapshot:
            resource = make_resource(
                ENDPOINTS, endpoints("good", port), introduction=endpoints("good", 2)
            )
            base = snapshot((CLUSTER, cluster("good")))
            return Snapshot({**base.resources, ENDPOINTS: {"good": resource}})

        await server.apply(wanted(3), timeout_seconds=30)
        await asyncio.sleep(0.5)
        assert server.statistics.resources == 3  # the cluster, the introduction, the endpoints
        await server.apply(wanted(4), timeout_seconds=30)
        assert server.statistics.resources == 4

    run(scenario)
