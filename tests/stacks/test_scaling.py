"""Replicas that come and go with the load, and `ModelServer` with replicas that it starts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import AsyncProxyClient, ModelServer, ProcessError, ProxyClient
from jupyter_tensorone_proxy.errors import UsageError
from jupyter_tensorone_proxy.stacks.processes.host import host
from jupyter_tensorone_proxy.stacks.processes.local import LocalRunner
from jupyter_tensorone_proxy.stacks.processes.scaling import Pace
from tests.fixtures.gateway import RunningGateway, is_alive, wait_until
from tests.fixtures.services.processes import need
from tests.fixtures.steady_load import steady_load
from tests.stacks.conftest import UVICORN_MODEL, by_name, here_only, stack_of

MODEL: dict[str, Any] = {"name": "model", "path": "/health", "auth_required": False}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run processes in this very process, and leave none behind."""
    need("uvicorn")
    with here_only(tmp_path, monkeypatch):
        yield


def model(proxy: ProxyClient, **settings: Any) -> ModelServer:
    """Return a public model that is started, without limits."""
    fields: dict[str, Any] = {
        **UVICORN_MODEL,
        "api_port": None,
        "metrics_port": None,
        "require_auth": False,
        "rate_limit": 1_000_000,
        "burst_size": 100_000,
        "client": proxy,
    }
    return ModelServer("Iris", **fields, **settings)


def running() -> list[int]:
    """Return the processes that run here."""
    assert host.runner is not None
    groups = asyncio.run(host.runner.list_groups())
    return [r.pid for group in groups for r in group.replicas if r.pid is not None]


async def until(condition: Callable[[], bool], seconds: float = 90) -> bool:
    """Wait for a condition without keeping the event loop from its work."""
    return await asyncio.to_thread(wait_until, condition, seconds=seconds)


def test_replicas_follow_the_load_without_a_failed_request(
    gateway: RunningGateway, proxy: ProxyClient, tmp_path: Path
) -> None:
    """Work adds replicas, rest drains them; long requests that are under way are finished."""
    scaling = {"min_replicas": 1, "max_replicas": 3, "target_cpu_utilization": 15}

    @contextlib.asynccontextmanager
    async def lend() -> AsyncIterator[AsyncProxyClient]:
        async with AsyncProxyClient(settings=proxy.settings) as client:
            yield client

    async def main() -> None:
        pace = Pace(look_seconds=0.5, calm_seconds=3, drain_seconds=20)
        runner = LocalRunner(tmp_path / "output", lend, pace)
        try:
            await follow(runner)
        finally:
            await runner.close()

    async def follow(runner: LocalRunner) -> None:
        async with AsyncProxyClient(settings=proxy.settings) as client:
            stack = stack_of({**MODEL, **UVICORN_MODEL, "scaling": scaling})
            result = await stack.apply_async(client, runner=runner)
            assert result.complete, result.text()
            url = str(result.mapping("model").url)
            with steady_load(url, "/slow/400", gateway, per_second=10) as rest:
                with steady_load(url, "/work/8", gateway, per_second=80) as work:
                    assert await until(lambda: len(ports()) > 1)
                    assert await until(lambda: len(set(work.pids)) > 1)
                again = await stack.apply_async(client, runner=runner)
                assert again.services_unchanged, again.text()
                assert await until(lambda: len(ports()) == 1)
                enough = rest.count + 20
                assert await until(lambda: rest.count > enough)
            assert (work.failures, rest.failures) == ([], [])
            (group,) = await runner.list_groups()
            assert group.ports == ports()

    def ports() -> list[int | None]:
        (mapping,) = proxy.list_ports()
        return [mapping.internal_port, *(mapping.replicas or [])]

    asyncio.run(main())


def test_a_model_is_started_balanced_and_cleaned_up(
    gateway: RunningGateway, proxy: ProxyClient
) -> None:
    """`deploy`, `setup_load_balancing(3)` and `cleanup`; every replica answers at one address."""
    server = model(proxy)
    url = str(server.deploy().endpoints["Model API"])
    (first,) = running()
    summary = server.setup_load_balancing(3)
    assert summary.configuration.replicas == 3
    assert summary.endpoints["Model API"] == url
    pids = running()
    assert pids[0] == first
    with steady_load(url, "/who", gateway, per_second=100) as answers:
        assert wait_until(lambda: set(answers.pids) == set(pids)), (answers, pids)
        server.setup_load_balancing(1)
        enough = answers.count + 50
        assert wait_until(lambda: answers.count > enough)
    assert answers.failures == []
    assert running() == [first]
    server.cleanup()
    assert not any(map(is_alive, pids))
    assert proxy.list_ports() == []


def test_a_block_starts_and_ends_a_model(proxy: ProxyClient) -> None:
    """As a context manager, also an asynchronous one, nothing stays after the block."""
    with model(proxy, replicas=2):
        pids = running()
        assert len(pids) == 2

    async def block() -> list[int]:
        async with model(proxy) as server:
            assert server.get_deployment_summary().complete
            return await asyncio.to_thread(running)

    pids += asyncio.run(block())
    assert len(pids) == 3
    assert not any(map(is_alive, pids))
    assert proxy.list_ports() == []


def test_scaling_without_targets_is_the_contracts(proxy: ProxyClient) -> None:
    """Bounds are what is asked for; without bounds the number stays as it is."""
    with model(proxy, scaling={"min_replicas": 1, "max_replicas": 4}):
        scaling = by_name(proxy)["Iris Model API"].scaling
        assert scaling is not None
        assert scaling.to_wire() == {
            "min_replicas": 1,
            "max_replicas": 4,
            "target_cpu_utilization": 70,
            "target_memory_utilization": 80,
        }
    with model(proxy, replicas=2):
        scaling = by_name(proxy)["Iris Model API"].scaling
        assert scaling is not None
        assert (scaling.min_replicas, scaling.max_replicas) == (2, 2)


def test_a_model_that_does_not_start_is_not_exposed(proxy: ProxyClient) -> None:
    """The error has its last words, and nothing is left."""
    server = ModelServer(
        "Iris", command=["python", "-m", "nosuchmodel", "{port}"], metrics_port=None, client=proxy
    )
    with pytest.raises(ProcessError, match="No module named nosuchmodel"):
        server.deploy()
    assert proxy.list_ports() == []
    server.cleanup()


def test_ports_and_numbers_of_replicas_are_told_apart(proxy: ProxyClient) -> None:
    """A number where nothing is started, or ports where something is, are refused with why."""
    with pytest.raises(UsageError, match="is not started from here"):
        ModelServer("Iris", client=proxy).setup_load_balancing(3)
    with pytest.raises(UsageError, match="is started from here"):
        model(proxy).setup_load_balancing([8001])
