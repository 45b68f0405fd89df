"""`ModelServer.setup_monitoring`: a model in production is watched until it is cleaned up."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from jupyter_tensorone_proxy import AlertEvent, ModelServer, Monitor, ProxyClient
from jupyter_tensorone_proxy.errors import InvalidAlertError, ProxyError
from tests.fixtures.gateway import wait_until
from tests.fixtures.services.web import WebService, web_service
from tests.monitoring.conftest import QUICK_SECONDS, MetricsService, shows

pytestmark = pytest.mark.usefixtures("expose")


def test_a_model_is_watched_until_it_is_cleaned_up(
    client: ProxyClient, board: WebService, metrics: MetricsService
) -> None:
    """Its API and its metrics, which are for others; the contract's thresholds are in force."""
    told: list[AlertEvent] = []
    model = ModelServer("Iris", api_port=board.port, metrics_port=metrics.port)
    model.deploy()
    monitor = model.setup_monitoring(interval_seconds=QUICK_SECONDS, on_alert=told.append)
    assert shows(monitor, lambda result: result.looks >= 2 and result.well)
    result = monitor.result()
    assert {view.name for view in result.services} == {"Iris Model API", "Iris Model Metrics"}
    metrics.serve(1000)
    assert shows(monitor, lambda r: (r["Iris Model Metrics"].seen.rates.p50 or 0) > 0)
    assert wait_until(lambda: [event.measure for event in told] == ["request_rate"] * 2)
    board.healthy = False
    assert wait_until(lambda: told[-1].measure == "health")
    model.cleanup()
    assert not monitor.running
    assert client.list_ports() == []
    assert client.list_sessions() == []
    with pytest.raises(ProxyError, match="not deployed"):
        model.get_deployment_summary()


def test_one_of_the_people_who_may_look_is_signed_in(
    client: ProxyClient, metrics: MetricsService, board: WebService
) -> None:
    """The metrics are asked in the name of somebody who may read them, the API in mine."""
    with ModelServer("Iris", api_port=board.port, metrics_port=metrics.port) as model:
        monitor = model.setup_monitoring(interval_seconds=QUICK_SECONDS)
        assert shows(monitor, lambda result: result.looks >= 2 and result.well)
        assert {session.user for session in client.list_sessions()} == {"ana", "ops_team"}


def test_replicas_behind_one_address_are_one_service(board: WebService) -> None:
    """Two processes are watched as their visitors see them, and the proxy counts for both."""
    with (
        web_service("replica") as replica,
        ModelServer("Iris", api_port=board.port, metrics_port=None, require_auth=False) as model,
    ):
        summary = model.setup_load_balancing([replica.port])
        assert summary.configuration.replicas == 2
        monitor = model.setup_monitoring(interval_seconds=QUICK_SECONDS)
        url = f"{summary.services['api']['url']}/status/200"
        for _ in range(10):
            assert httpx.get(url, verify=False).status_code == httpx.codes.OK  # noqa: S501 - trust is not the question
        assert shows(monitor, lambda result: result.looks >= 2 and result.well)
        assert shows(monitor, lambda r: r["Iris Model API"].seen.rates.request_rate is not None)


def test_setting_it_up_again_replaces_the_first(board: WebService) -> None:
    """Never do two watch; and a wrong alert leaves the one that is there."""
    with ModelServer("Iris", api_port=board.port, metrics_port=None) as model:
        first = model.setup_monitoring()
        second = model.setup_monitoring(alerts=["response_time > 500 ms for 1 min"])
        assert (first.running, second.running) == (False, True)
        with pytest.raises(InvalidAlertError, match="has no unit"):
            model.setup_monitoring(alerts=["response_time > 500"])
        assert second.running
    assert not second.running


def test_what_is_not_deployed_is_not_watched() -> None:
    """There is nothing to look at yet, and the error says what to do."""
    with pytest.raises(ProxyError, match=r"not deployed.* deploy\(\)"):
        ModelServer("Iris").setup_monitoring()


def test_an_event_loop_cleans_up_too(board: WebService) -> None:
    """Asynchronously, the watch ends with the block."""

    async def main() -> Monitor:
        async with ModelServer("Iris", api_port=board.port, metrics_port=None) as model:
            monitor = model.setup_monitoring(interval_seconds=QUICK_SECONDS)
            while not monitor.result().looks:  # noqa: ASYNC110 - the test waits for a thread
                await asyncio.sleep(0.05)
            return monitor

    monitor = asyncio.run(asyncio.wait_for(main(), 60))
    assert monitor.result().well
    assert not monitor.running
