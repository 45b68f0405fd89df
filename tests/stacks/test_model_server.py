"""`ModelServer`: the contract's requests, and a real model behind a real gateway."""

from __future__ import annotations

import asyncio
import doctest
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import AsyncProxyClient, InvalidStackError, ModelServer, ProxyClient
from jupyter_tensorone_proxy.errors import ConflictError, ProxyError
from jupyter_tensorone_proxy.stacks import model_server
from tests.fixtures.fake_api import FakeApi
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.services.web import WebService, web_service
from tests.stacks.conftest import by_name, stack_of

DATA = Path(__file__).parents[1] / "contract" / "data"
CONFIGURED: dict[str, Any] = {
    "rate_limit": 500,
    "burst_size": 100,
    "dashboard_port": 8080,
    "custom_domain": "api.gpt-model.company.com",
    "allowed_ips": ["203.0.113.0/24"],
    "cors_origins": ["https://app.company.com"],
    "monitoring_ips": ["198.51.100.0/24"],
}
"""The contract's `modelConfig`; what is not there is the default."""


def documented(name: str) -> dict[str, Any]:
    """Return a documented request."""
    request: dict[str, Any] = json.loads((DATA / f"request_model_{name}.json").read_text())
    return request


@pytest.fixture
def production(served_api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """Return a served API of the contract's cluster, where ana works."""
    monkeypatch.setenv("TENSORONE_CLUSTER_ID", "cluster_prod_001")
    monkeypatch.setenv("TENSORONE_USER", "ana")
    return served_api


@pytest.fixture
def replicas() -> Iterator[list[WebService]]:
    """Run three replicas of a model's API."""
    with ExitStack() as running:
        yield [running.enter_context(web_service(f"replica {i}")) for i in range(3)]


def test_deploying_sends_the_documented_requests(production: FakeApi) -> None:
    """API, metrics and dashboard are what the documentation has, field by field."""
    ModelServer("GPT-3.5 Fine-tuned", **CONFIGURED).deploy()
    sent = {body["internal_port"]: (m, path, body) for m, path, body in production.calls if body}
    for name in ("api", "metrics", "dashboard"):
        wanted = documented(name)
        port = wanted["body"]["internal_port"]
        assert sent.pop(port) == (wanted["method"], wanted["path"], wanted["body"])
    assert sent == {}


def test_balancing_sends_the_documented_request(production: FakeApi) -> None:
    """One update of the API's mapping, with the documented fields and our replicas' ports."""
    server = ModelServer("GPT-3.5 Fine-tuned", **CONFIGURED)
    server.deploy()
    production.calls.clear()
    summary = server.setup_load_balancing([8001, 8002])
    ((method, path, body),) = [call for call in production.calls if call[0] != "GET"]
    wanted = documented("load_balancing")
    assert (method, path) == (wanted["method"], wanted["path"])
    assert body == {**wanted["body"], "replicas": [8001, 8002]}
    assert summary.configuration.replicas == 3


def test_the_summary_is_the_contracts(production: FakeApi) -> None:
    """Services by their kind, endpoints by name, and the configuration."""
    server = ModelServer("Iris", dashboard_port=8080, rate_limit=7)
    with pytest.raises(ProxyError, match="not deployed"):
        server.get_deployment_summary()
    assert server.deploy() is server.get_deployment_summary()
    answer = server.get_deployment_summary().json()
    urls = {m["internal_port"]: m["url"] for m in production.mappings.values()}
    assert {key: (s["name"], s["type"], s["url"]) for key, s in answer["services"].items()} == {
        "api": ("Model API", "api", urls[8000]),
        "metrics": ("Model Metrics", "monitoring", urls[9090]),
        "dashboard": ("Admin Dashboard", "admin", urls[8080]),
    }
    assert answer["endpoints"]["Model API"] == urls[8000]
    assert answer["configuration"] == {
        "authentication": True,
        "rate_limit": 7,
        "custom_domain": None,
        "replicas": 1,
    }
    assert (answer["model_name"], answer["services_failed"]) == ("Iris", [])


def test_metrics_that_fail_leave_the_api_up(proxy: ProxyClient, ports: list[int]) -> None:
    """The summary says what failed; the API is exposed."""
    stack_of({"name": "theirs", "port": ports[1]}, name="theirs").apply(proxy)
    server = ModelServer("Iris", api_port=ports[0], metrics_port=ports[1], client=proxy)
    summary = server.deploy()
    assert list(summary.services) == ["api"]
    assert [failed.name for failed in summary.result.services_failed] == ["Model Metrics"]
    assert not summary.complete
    server.cleanup()
    assert by_name(proxy).keys() == {"theirs"}


def test_an_api_that_fails_is_an_error(proxy: ProxyClient, ports: list[int]) -> None:
    """There is no deployment without its API; what was exposed before stays as it was."""
    stack_of({"name": "theirs", "port": ports[0]}, name="theirs").apply(proxy)
    server = ModelServer("Iris", api_port=ports[0], metrics_port=None, client=proxy)
    with pytest.raises(ConflictError, match="belongs to the stack 'theirs'"):
        server.deploy()
    with pytest.raises(ProxyError, match="not deployed"):
        server.get_deployment_summary()
    assert by_name(proxy).keys() == {"theirs"}


def test_replicas_share_the_requests(
    gateway: RunningGateway, proxy: ProxyClient, replicas: list[WebService]
) -> None:
    """Requests to the one address reach all replicas, in turn; fewer replicas later, too."""
    first, *others = (replica.port for replica in replicas)
    server = ModelServer(
        "Iris",
        api_port=first,
        metrics_port=None,
        require_auth=False,
        rate_limit=1_000_000,
        burst_size=100_000,
        replica_ports=others,
        client=proxy,
    )
    with server, gateway.visitor() as visitor:
        url = str(server.get_deployment_summary().endpoints["Model API"])

        def answers() -> Counter[str]:
            return Counter(visitor.get(url).text for _ in range(30))

        assert wait_until(lambda: set(answers()) == {f"replica {i}" for i in range(3)})
        assert max(answers().values()) < 20
        server.setup_load_balancing([])
        assert wait_until(lambda: set(answers()) == {"replica 0"})
        assert server.get_deployment_summary().configuration.replicas == 1
    assert proxy.list_ports() == []


def test_deploying_again_changes_nothing(proxy: ProxyClient, ports: list[int]) -> None:
    """Also from another process, with the replicas that were set up."""
    options: dict[str, Any] = {"api_port": ports[0], "metrics_port": ports[1], "client": proxy}
    ModelServer("Iris", **options).setup_load_balancing([ports[2]])
    before = proxy.list_ports()
    again = ModelServer("Iris", replica_ports=[ports[2]], **options).deploy()
    assert len(again.result.services_unchanged) == 2
    assert [m.updated_at for m in proxy.list_ports()] == [m.updated_at for m in before]


def test_cleaning_up_leaves_what_was_there_before(proxy: ProxyClient, ports: list[int]) -> None:
    """A port that somebody exposed by hand is brought into line, and stays exposed."""
    proxy.create_port(internal_port=ports[1], description="by hand")
    with ModelServer("Iris", api_port=ports[0], metrics_port=ports[1], client=proxy):
        assert by_name(proxy).keys() == {"Iris Model API", "Iris Model Metrics"}
    assert [mapping.internal_port for mapping in proxy.list_ports()] == [ports[1]]


def test_cleaning_up_twice_or_after_somebody_else_is_no_harm(
    proxy: ProxyClient, ports: list[int]
) -> None:
    """What is gone is gone, whoever removed it."""
    server = ModelServer("Iris", api_port=ports[0], metrics_port=None, client=proxy)
    server.cleanup()
    server.deploy()
    (mapping,) = proxy.list_ports()
    proxy.delete_port(mapping.id)
    server.cleanup()
    server.cleanup()


def test_the_same_is_there_for_event_loops(proxy: ProxyClient, ports: list[int]) -> None:
    """An asynchronous block deploys, balances and cleans up."""

    async def main() -> int | None:
        async with AsyncProxyClient(settings=proxy.settings) as client:
            server = ModelServer("Iris", api_port=ports[0], metrics_port=None, client=client)
            async with server:
                await server.setup_load_balancing_async([ports[1]])
                (mapping,) = await client.list_ports()
            assert await client.list_ports() == []
            return mapping.scaling.max_replicas if mapping.scaling else None

    assert asyncio.run(main()) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api_port": 0}, "services[0] (Model API), port"),
        ({"api_port": 9090}, "port 9090 is there 2 times"),
        ({"rate_limit": 0}, "limits.requests_per_minute"),
        ({"cors_origins": ["app"]}, "cors.allowed_origins[0]: 'app' is not an origin"),
        ({"allowed_ips": ["1.2"]}, "ip_whitelist[0]: '1.2' is not an IP"),
        ({"custom_domain": "_"}, "custom_domain: '_' is not a host name"),
        ({"replica_ports": ["8001"]}, "replicas[0]"),
    ],
)
def test_a_wrong_configuration_is_told_at_once(options: dict[str, Any], said: str) -> None:
    """Before anything is sent, with the place."""
    with pytest.raises(InvalidStackError) as caught:
        ModelServer("Iris", **options)
    assert said in str(caught.value)


def test_wrong_replicas_leave_what_is_deployed(proxy: ProxyClient, ports: list[int]) -> None:
    """A mistake in the replicas' ports changes neither the gateway nor the object."""
    server = ModelServer("Iris", api_port=ports[0], metrics_port=None, client=proxy)
    before = server.deploy()
    with pytest.raises(InvalidStackError, match="replicas"):
        server.setup_load_balancing([0])
    assert server.get_deployment_summary() is before
    assert server.configuration.replicas == 1
    assert len(server.deploy().result.services_unchanged) == 1


def test_the_examples_are_true() -> None:
    """The class's example gives what it says."""
    result = doctest.testmod(model_server, optionflags=doctest.ELLIPSIS)
    assert (result.attempted > 0, result.failed) == (True, 0)
