"""Monitors of real services behind a real gateway: what they see, and what they tell."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import httpx
import pytest

from jupyter_tensorone_proxy import Alert, AlertEvent, Monitor, PortMapping, ProxyClient
from jupyter_tensorone_proxy.monitoring.services import WatchedService
from jupyter_tensorone_proxy.monitoring.visiting import USER_AGENT
from tests.fixtures.ana import ExposeMine, expose_mine  # noqa: F401 - a fixture
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.services.processes import answers, run_service
from tests.fixtures.services.web import WebService, web_service
from tests.monitoring.conftest import HEALTH, QUICK_SECONDS, Expose, MetricsService, quick, shows

FASTAPI = Path(__file__).parents[1] / "services" / "apps" / "fastapi_app.py"


def test_a_service_that_falls_ill_is_told_once_and_so_is_its_recovery(
    expose: Expose, board: WebService, caplog: pytest.LogCaptureFixture
) -> None:
    """Health goes to a function of mine and to the log, in words with the reason."""
    expose(board.port, health_check=HEALTH)
    told: list[AlertEvent] = []
    with caplog.at_level(logging.INFO, "jupyter_tensorone_proxy"), quick(on_alert=told.append) as m:
        assert shows(
            m, lambda result: result.looks >= 2 and result[board.port].seen.healthy is True
        )
        assert told == []
        board.healthy = False
        assert wait_until(lambda: len(told) == 1)
        assert shows(m, lambda result: not result.well and result["board"].firing == ("health",))
        board.healthy = True
        assert wait_until(lambda: len(told) == 2)
        assert shows(m, lambda result: result.well)
    assert [event.state for event in told] == ["firing", "recovered"]
    assert told[0].reason == "/health answers 503"
    assert (told[0].name, told[0].port) == ("board", board.port)
    lines = [r for r in caplog.records if r.name == "jupyter_tensorone_proxy.monitoring"]
    assert [line.levelname for line in lines] == ["WARNING", "INFO"]
    assert "alert: health; it is not well (/health answers 503)." in lines[0].getMessage()


def test_services_that_come_and_go_are_followed(
    expose: Expose, client: ProxyClient, board: WebService
) -> None:
    """What is exposed later is watched too; what is gone takes its alerts along."""
    told: list[AlertEvent] = []
    with quick(alerts=["response_time > 0 s"], on_alert=told.append) as monitor:
        assert shows(monitor, lambda result: result.looks >= 1)
        assert len(monitor.result()) == 0
        assert "Nothing is watched" in monitor.result().text()
        mapping = expose(board.port)
        assert wait_until(lambda: len(told) == 1)
        client.delete_port(mapping.id)
        assert wait_until(lambda: len(told) == 2)
        assert shows(monitor, lambda result: len(result) == 0)
    assert (told[1].state, told[1].reason) == ("recovered", "it is no longer exposed")


def test_only_what_was_asked_for_is_watched(expose: Expose, board: WebService) -> None:
    """By port or by name; an alert may concern some of them."""
    with web_service("other") as other:
        expose(board.port)
        expose(other.port, "other")
        assert {view.name for view in Monitor("other").check().services} == {"other"}
        assert {view.port for view in Monitor(board.port).check().services} == {board.port}
        alerts = [Alert("response_time", above="0 s", services=["other"])]
        with quick(alerts=alerts) as monitor:
            assert shows(monitor, lambda result: result.looks >= 2)
            result = monitor.result()
        assert result["other"].firing == ("response_time above 0 ms",)
        assert result["board"].firing == ()


def test_requests_are_counted_without_the_monitors_own(expose: Expose, board: WebService) -> None:
    """The proxy's count is of others; errors are a share of them, and alerts see both."""
    mapping = expose(board.port)
    told: list[AlertEvent] = []
    alerts = ["request_rate > 60/min", "error_rate > 20 %"]
    with quick(alerts=alerts, on_alert=told.append) as monitor:
        assert shows(monitor, lambda result: result.looks >= 3)
        assert monitor.result()[board.port].seen.rates.request_rate == 0
        for number in range(40):
            status = 500 if number % 2 else 200
            reply = httpx.get(f"{mapping.url}/status/{status}", verify=False)  # noqa: S501 - trust is not the question
            assert reply.status_code == status
        assert wait_until(
            lambda: {event.measure for event in told} == {"request_rate", "error_rate"}
        )
        assert wait_until(lambda: len(told) == 4), "both recover once it is quiet"
    assert all(
        USER_AGENT in seen.values("user-agent")
        for seen in board.seen
        if not seen.path.startswith("/status")
    )


def test_how_long_requests_took_is_known_without_metrics(expose: Expose, board: WebService) -> None:
    """The proxy's log says it for every service; the monitor's own requests are left out."""
    mapping = expose(board.port)
    told: list[AlertEvent] = []
    with quick(alerts=["p95 > 100 ms"], on_alert=told.append) as monitor:
        assert shows(monitor, lambda result: result.looks >= 3)
        assert monitor.result()["board"].seen.rates.p95 is None
        for _ in range(3):
            httpx.get(f"{mapping.url}/slow/150", verify=False)  # noqa: S501 - trust is not the question
        assert wait_until(lambda: len(told) >= 1)
    assert told[0].measure == "p95"
    assert float(told[0].value.removesuffix(" ms")) >= 140


def test_a_services_own_metrics_are_found_and_read(expose: Expose, metrics: MetricsService) -> None:
    """Rates, quantiles and a counter of its own, from Prometheus' client; after a restart too."""
    expose(metrics.port, "shop")
    told: list[AlertEvent] = []
    alerts = ["p95 > 400 ms", "metric:shop_orders_total > 1"]
    with quick(alerts=alerts, on_alert=told.append) as monitor:
        assert shows(monitor, lambda result: result.looks >= 2)
        metrics.serve(50, seconds=0.15)
        assert shows(monitor, lambda result: (result["shop"].seen.rates.p50 or 0) > 0)
        assert 0.1 <= (monitor.result()["shop"].seen.rates.p95 or 0) <= 0.2
        metrics.serve(50, status=503, seconds=0.45)
        metrics.orders.inc(5)
        assert wait_until(
            lambda: {event.measure for event in told} >= {"p95", alerts[1].split()[0]}
        )
        metrics.stop()
        assert shows(monitor, lambda result: result["shop"].seen.healthy is False)
        metrics.start()
        assert shows(monitor, lambda result: result["shop"].seen.healthy is True)
        metrics.serve(5)
        assert shows(monitor, lambda result: (result["shop"].seen.rates.p50 or 0) > 0)
        rate = monitor.result()["shop"].seen.rates.request_rate
        assert rate is not None
        assert rate >= 0


def test_replicas_are_counted_by_the_proxy(expose: Expose, metrics: MetricsService) -> None:
    """Each replica has counters of its own, and who answers is chance: their page is not read."""
    with web_service() as other:
        expose(metrics.port, "shop", replicas=[other.port])
        with quick() as monitor:
            assert shows(monitor, lambda result: result.looks >= 3)
            assert monitor.result()["shop"].seen.rates.request_rate is not None
        assert "/metrics" not in [seen.path for seen in other.seen]


def test_fastapi_is_watched(expose: Expose, tmp_path: Path) -> None:
    """A FastAPI application with metrics of its own, at a path that was named."""
    command = [sys.executable, str(FASTAPI), "{port}"]
    with run_service("FastAPI", command, tmp_path, ready=answers("/openapi.json")) as service:
        mapping = expose(service.port, "FastAPI", health_check={"path": "/openapi.json"})
        measure = "metric:test_orders_total"
        told: list[AlertEvent] = []
        with quick(
            metrics={service.port: "/metrics/"}, alerts=[f"{measure} > 0"], on_alert=told.append
        ) as monitor:
            assert shows(monitor, lambda result: result.looks >= 2 and result.well)
            httpx.post(f"{mapping.url}/orders/?item=tea", verify=False).raise_for_status()  # noqa: S501 - trust is not the question
            assert wait_until(lambda: [event.measure for event in told][:1] == [measure])


def test_tensorboard_is_watched(expose: Expose, tmp_path: Path) -> None:
    """TensorBoard answers as it should, and that it has no metrics is nothing to complain of."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", ".", "--port", "{port}"]
    with run_service("TensorBoard", command, tmp_path, ready=answers("/")) as service:
        expose(service.port, "TensorBoard", health_check={"path": "/data/environment"})
        result = Monitor("TensorBoard").check()
        seen = result["TensorBoard"].seen
        assert (seen.healthy, seen.metrics_problem) == (True, "")
        assert "TensorBoard  ● healthy" in result.text()


def test_what_is_not_http_is_watched_by_the_proxys_word(expose: Expose, board: WebService) -> None:
    """Raw bytes cannot be asked; the proxy's own check says how they do."""
    access = {"authentication_required": False, "ip_whitelist": ["127.0.0.0/8"]}
    expose(
        board.port,
        app_protocol="tcp",
        access_control=access,
        force=True,
        health_check={"interval_seconds": 1},
    )
    with quick() as monitor:
        assert shows(monitor, lambda result: result["board"].seen.healthy is True)
        assert monitor.result()["board"].seen.response_time is None


def test_a_service_that_hangs_is_told_and_holds_nobody_up(
    expose: Expose, board: WebService
) -> None:
    """One that takes for ever is reported in time; the others are looked at meanwhile."""
    with web_service("slow") as slow:
        expose(slow.port, "slow", health_check={"path": "/slow/60000", "timeout_seconds": 1})
        expose(board.port, health_check=HEALTH)
        with Monitor(interval_seconds=QUICK_SECONDS, timeout_seconds=0.5) as monitor:
            assert shows(monitor, lambda result: result.looks >= 3)
            result = monitor.result()
        assert result["slow"].seen.reason == "no answer within 0.5 s"
        assert result["board"].seen.healthy is True


def test_a_process_that_is_gone_is_told(expose: Expose) -> None:
    """Nothing listens any more: the proxy's answer is the reason."""
    expose(free_port(), "gone")
    seen = Monitor("gone").check()["gone"].seen
    assert seen.healthy is False
    assert seen.reason in {"/ answers 502", "/ answers 503"}


def test_own_requests_that_are_counted_late_are_nobody_elses() -> None:
    """The proxy's count comes a moment later; what never reached it is not taken off for ever."""
    service = WatchedService(PortMapping(id="port_1", internal_port=8000), [], None, 10)
    seen = [service.others(counted, ours) for counted, ours in ((0, 2), (4, 2), (2, 2), (7, 2))]
    assert seen == [0, 0, 0, 5]
    lost = [service.others(counted, ours) for counted, ours in ((0, 2), (0, 2), (0, 2), (9, 2))]
    assert lost == [0, 0, 0, 5]
