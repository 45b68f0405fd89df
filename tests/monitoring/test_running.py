"""The life of a monitor: started, stopped, in a thread or a loop, and nothing raised meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from jupyter_tensorone_proxy import AlertEvent, Monitor
from jupyter_tensorone_proxy.errors import ConfigurationError
from tests.fixtures.ana import ExposeMine, expose_mine  # noqa: F401 - a fixture
from tests.fixtures.gateway import RunningGateway, free_port, run_gateway, wait_until
from tests.fixtures.services.web import WebService
from tests.monitoring.conftest import HEALTH, Expose, quick, shows


def test_a_gateway_that_is_gone_is_told_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: WebService
) -> None:
    """The monitor goes on, says why it sees nothing, and sees again when the gateway is back."""
    monkeypatch.setenv("TENSORONE_USER", "ana")
    monkeypatch.setenv("TENSORONE_STATE_DIR", str(tmp_path))
    api_port = str(free_port())
    external = f"{free_port()}"
    options = ("--api-port", api_port, "--external-ports", f"{external}-{external}")
    with run_gateway(tmp_path, *options) as gateway:
        with gateway.client() as api:
            api.create_port(
                internal_port=board.port,
                description="board",
                access_control={"authentication_required": False},
            )
        monitor = quick().start()
        assert shows(monitor, lambda result: result.looks >= 2 and result.well)
    assert shows(monitor, lambda result: "cannot be reached" in result.problem)
    assert "The proxy cannot be asked" in monitor.result().text()
    assert monitor.result()["board"].seen.rates.request_rate is None, "nobody knows it any more"
    with run_gateway(tmp_path, *options):
        assert shows(monitor, lambda result: result.well)
    monitor.stop()
    assert not monitor.running


def test_nothing_is_raised_where_nothing_listens_to_it(board: WebService, expose: Expose) -> None:
    """A function of mine that fails is a log line; watching and telling go on."""
    expose(board.port, health_check=HEALTH)
    calls: list[AlertEvent] = []

    async def fails(event: AlertEvent) -> None:
        await asyncio.sleep(0)
        calls.append(event)
        raise ZeroDivisionError

    with quick(on_alert=fails) as monitor:
        for healthy in (False, True, False):
            before = len(calls)
            board.healthy = healthy
            assert wait_until(lambda before=before: len(calls) > before)  # type: ignore[misc]
        assert monitor.running


def test_the_history_is_bounded(expose: Expose, board: WebService) -> None:
    """As many values as were asked for are kept, the newest."""
    expose(board.port)
    with Monitor(interval_seconds=0.2, history=5) as monitor:
        assert shows(monitor, lambda result: result.looks >= 8)
        points = monitor.result()["board"].history["response_time"]
    assert len(points) == 5
    assert [point.time for point in points] == sorted(point.time for point in points)
    assert time.time() - points[0].time < 20


def test_a_monitor_is_started_and_stopped_as_often_as_one_likes(
    expose: Expose, board: WebService
) -> None:
    """Twice is as once, no thread stays, and it can be started again."""
    expose(board.port)
    before = threading.active_count()
    monitor = quick()
    monitor.stop()
    for _ in range(2):
        assert monitor.start() is monitor.start()
        assert shows(monitor, lambda result: result.well)
        assert monitor.check().well
        monitor.stop()
        monitor.stop()
        assert not monitor.running
    assert wait_until(lambda: threading.active_count() <= before)


def test_an_event_loop_can_watch(expose: Expose, board: WebService) -> None:
    """`async with`, and a coroutine that is cancelled; both say what they see."""
    expose(board.port)

    async def main() -> None:
        async with quick() as monitor:
            while not monitor.result().looks:  # noqa: ASYNC110 - the test waits for the other task
                await asyncio.sleep(0.05)
            assert monitor.running, monitor.result().well
        assert "stopped" in repr(monitor)
        task = asyncio.create_task(monitor.run_async())
        looks = monitor.result().looks
        while monitor.result().looks == looks:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 60))


def test_without_an_api_it_says_so_when_it_is_started(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What can be known at once is an error at once."""
    monkeypatch.setenv("TENSORONE_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("jupyter_tensorone_proxy.client._calls._GATEWAY_START_SECONDS", 0.1)
    with pytest.raises(ConfigurationError):
        Monitor().start()
