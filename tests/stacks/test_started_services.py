"""Stacks whose services are started: exposed when they are ready, stopped with the stack."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import (
    InvalidStackError,
    ProxyClient,
    Stack,
    StackResult,
)
from tests.fixtures.gateway import RunningGateway, is_alive, wait_until
from tests.fixtures.runner import WEB
from tests.fixtures.services.processes import need, program
from tests.fixtures.steady_load import steady_load
from tests.stacks.conftest import UVICORN_MODEL, by_name, here_only, stack_of

PUBLIC = {"auth_required": False}
FAILS = [sys.executable, "-c", "raise SystemExit('no model: {port}')"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run processes in this very process, and leave none behind."""
    with here_only(tmp_path, monkeypatch):
        yield


def web(name: str, **fields: Any) -> dict[str, Any]:
    """Return the declaration of a small web service that is started."""
    return {"name": name, "command": WEB, "path": "/", "stop_grace_seconds": 1, **PUBLIC, **fields}


def pids(result: StackResult) -> dict[str, list[int]]:
    """Return the processes of each service."""
    return {
        group.name: [replica.pid for replica in group.replicas if replica.pid is not None]
        for group in result.processes
    }


def page(gateway: RunningGateway, result: StackResult, name: str, path: str = "/") -> str:
    """Return what a service answers through its address."""
    with gateway.visitor() as visitor:
        return str(visitor.get(f"{result.mapping(name).url}{path}").raise_for_status().text)


@pytest.mark.services
def test_an_environment_is_started_and_exposed(gateway: RunningGateway, proxy: ProxyClient) -> None:
    """TensorBoard, MLflow, Prometheus and a FastAPI app answer through their addresses at once."""
    need("mlflow")
    Path("prometheus.yml").write_text("scrape_configs: []\n")
    listen = "--web.listen-address=127.0.0.1:{port}"
    environment = stack_of(
        {
            "name": "TensorBoard",
            "command": ["tensorboard", "--logdir", ".", "--port", "{port}"],
            "path": "/data/environment",
            "ready_timeout_seconds": 120,
            "priority": "high",
            **PUBLIC,
        },
        {
            "name": "MLflow",
            "command": ["mlflow", "server", "--port", "{port}", "--workers", "1"],
            "env": {"MLFLOW_DISABLE_TELEMETRY": "true"},
            "path": "/health",
            "ready_timeout_seconds": 200,
            **PUBLIC,
        },
        {
            "name": "Prometheus",
            "command": [program("prometheus"), listen],
            "path": "/-/healthy",
            "ready_log": "Server is ready to receive web requests",
            **PUBLIC,
        },
        {"name": "Model", **UVICORN_MODEL, "path": "/health", **PUBLIC},
    )
    result = environment.apply(proxy)
    assert result.complete, result.text()
    assert page(gateway, result, "TensorBoard", "/data/environment").startswith("{")
    assert "MLflow" in page(gateway, result, "MLflow")
    assert "Healthy" in page(gateway, result, "Prometheus", "/-/healthy")
    assert page(gateway, result, "Model", "/health") == '{"status":"ok"}'
    again = environment.apply(proxy)
    assert len(again.services_unchanged) == 4
    assert pids(again) == pids(result)
    going = [pid for found in pids(result).values() for pid in found]
    Stack(name="lab", services=[]).apply(proxy, prune=True)
    assert not any(map(is_alive, going))
    assert proxy.list_ports() == []


def test_one_that_fails_stops_no_other_and_is_repaired(
    gateway: RunningGateway, proxy: ProxyClient
) -> None:
    """Its last words are its error, it is not exposed; the next `apply` leaves the others alone."""
    broken = {**web("bad"), "command": FAILS}
    result = stack_of(web("first", priority="high"), broken, web("last", priority="low")).apply(
        proxy
    )
    (failed,) = result.services_failed
    assert failed.name == "bad"
    assert "ended at once, with exit code 1" in failed.error
    assert "no model: 2" in failed.error
    assert by_name(proxy).keys() == {"first", "last"}
    repaired = stack_of(web("first", priority="high"), web("bad"), web("last", priority="low"))
    second = repaired.apply(proxy)
    assert second.complete
    assert "Directory listing" in page(gateway, second, "bad")
    assert pids(second)["first"] == pids(result)["first"]


def test_pruning_stops_what_is_no_longer_named(proxy: ProxyClient) -> None:
    """Without `prune` both mapping and process stay and are told; with it both are gone."""
    before = stack_of(web("stays"), web("goes")).apply(proxy)
    less = stack_of(web("stays"))
    kept = less.apply(proxy)
    assert kept.leftovers == ("goes",)
    (going,) = pids(before)["goes"]
    assert is_alive(going)
    pruned = less.apply(proxy, prune=True)
    assert pruned.services_removed == ("goes",)
    assert not is_alive(going)
    assert pids(pruned) == {"stays": pids(before)["stays"]}


def test_a_plan_says_what_would_be_started(proxy: ProxyClient) -> None:
    """The command is part of the diff; what runs already is not; nothing is started."""
    stack = stack_of(web("site"))
    planned = stack.plan(proxy)
    assert f"+ command: '{sys.executable} -m http.server 2" in planned.text()
    assert proxy.list_ports() == []
    result = stack.apply(proxy)
    assert stack.plan(proxy).is_done
    (pid,) = pids(result)["site"]
    Stack(name="lab", services=[]).apply(proxy, prune=True)
    assert not is_alive(pid)
    result = stack.apply(proxy)
    changed = stack_of({**web("site"), "command": [*WEB, "--directory", "/"]}).plan(proxy)
    assert not changed.is_done
    assert "site" in changed.text()
    assert "stays as it is, and is started" in changed.text()


def test_replicas_are_started_and_follow_the_declaration(proxy: ProxyClient) -> None:
    """Each has a port of its own, behind one address; fewer later end what is too many."""
    three = stack_of(web("site", replicas=3)).apply(proxy)
    (group,) = three.processes
    mapping = three.mapping("site")
    assert [mapping.internal_port, *(mapping.replicas or [])] == group.ports
    assert len(set(group.ports)) == 3
    two = stack_of(web("site", replicas=2)).apply(proxy)
    assert two.processes[0].ports == group.ports[:2]
    assert two.mapping("site").replicas == group.ports[1:2]
    assert pids(two)["site"] == pids(three)["site"][:2]
    assert not is_alive(pids(three)["site"][2])


@pytest.mark.parametrize("replica", [0, 2])
def test_a_killed_replica_costs_no_request(
    gateway: RunningGateway, proxy: ProxyClient, replica: int
) -> None:
    """SIGKILL of one of three under 200 requests/s: every one is answered, and it comes back."""
    need("uvicorn")
    model = {"name": "model", **UVICORN_MODEL, "path": "/health", **PUBLIC}
    result = stack_of({**model, "replicas": 3, "load_balancer": {"retries": 3}}).apply(proxy)
    assert result.complete, result.text()
    before = pids(result)["model"]
    url = str(result.mapping("model").url)
    with steady_load(url, "/who", gateway, per_second=200) as answers:
        assert wait_until(lambda: set(answers.pids) == set(before))
        os.kill(before[replica], signal.SIGKILL)
        assert wait_until(lambda: bool(set(answers.pids) - set(before)), seconds=60)
        enough = answers.count + 200
        assert wait_until(lambda: answers.count > enough, seconds=60)
    assert answers.failures == []


def test_many_requests_that_a_killed_replica_has_are_answered_by_others(
    gateway: RunningGateway, proxy: ProxyClient
) -> None:
    """However many were under way at the moment it was killed, all are tried again elsewhere."""
    need("uvicorn")
    model = {"name": "model", **UVICORN_MODEL, "path": "/health", **PUBLIC}
    result = stack_of({**model, "replicas": 3, "load_balancer": {"retries": 3}}).apply(proxy)
    assert result.complete, result.text()
    killed = pids(result)["model"][1]
    url = str(result.mapping("model").url)
    with steady_load(url, "/slow/800", gateway, per_second=1000, visitors=24) as answers:
        assert wait_until(lambda: answers.pids[killed] > 8)
        os.kill(killed, signal.SIGKILL)
        enough = answers.count + 100
        assert wait_until(lambda: answers.count > enough, seconds=60)
    assert answers.failures == []


def test_a_server_that_is_gone_hinders_only_what_is_to_be_started(
    proxy: ProxyClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services that run already are exposed, and pruned; one to be started says what is wrong."""
    monkeypatch.setenv("TENSORONE_SERVER_SOCKET", str(tmp_path / "gone" / "server.sock"))
    there = {"name": "there", "port": 7000}
    assert stack_of(there).apply(proxy).complete
    both = stack_of(there, web("site"))
    assert "! site: The Jupyter server" in both.plan(proxy).text()
    result = both.apply(proxy)
    (failed,) = result.services_failed
    assert failed.name == "site"
    assert "The Jupyter server that runs processes does not answer" in failed.error
    assert len(result.services_unchanged) == 1
    assert Stack(name="lab", services=[]).apply(proxy, prune=True).services_removed == ("there",)


def test_health_and_processes_agree(proxy: ProxyClient) -> None:
    """A process that ends for good is failed in the one list and unhealthy in the other."""
    check = {"interval_seconds": 1, "retries": 1}
    result = stack_of(web("site", restart="never", health=check)).apply(proxy)
    assert wait_until(lambda: proxy.list_ports()[0].health_status == "healthy")
    (pid,) = pids(result)["site"]
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: proxy.list_ports()[0].health_status == "unhealthy")
    planned = stack_of(web("site", restart="never", health=check)).plan(proxy)
    assert "stays as it is, and is started" in planned.text()
    again = stack_of(web("site", restart="never", health=check)).apply(proxy)
    assert [group.state for group in again.processes] == ["running"]
    assert wait_until(lambda: proxy.list_ports()[0].health_status == "healthy")


def test_restarting_replicas_costs_no_request(gateway: RunningGateway, proxy: ProxyClient) -> None:
    """Another command is taken up one replica after the other, each without its requests."""
    need("uvicorn")
    model = {"name": "model", **UVICORN_MODEL, "path": "/health", **PUBLIC}
    result = stack_of({**model, "replicas": 2}).apply(proxy)
    assert result.complete, result.text()
    url = str(result.mapping("model").url)
    with steady_load(url, "/slow/50", gateway, per_second=60, visitors=6) as answers:
        assert wait_until(lambda: len(answers.pids) == 2)
        renewed = stack_of({**model, "replicas": 2, "env": {"VERSION": "2"}}).apply(proxy)
        assert renewed.complete, renewed.text()
        new = set(pids(renewed)["model"])
        assert not new & set(pids(result)["model"])
        assert wait_until(lambda: new <= set(answers.pids))
    assert answers.failures == []
    assert renewed.mapping("model").url == url


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"command": ["serve", "--port={prot}"]}, "command[1]: there is no placeholder {prot}"),
        ({"command": ["serve"]}, "command: has no {port}"),
        ({"command": ["serve"], "port": 80, "replicas": 2}, "each of several replicas needs"),
        ({"command": []}, "command: List should have at least 1 item"),
        ({"command": "serve {port}"}, "command: should be a list"),
        ({"command": ["{port}"], "env": {"A": "{x}"}}, "env.A: there is no placeholder {x}"),
        ({"command": ["{port}"], "ready_log": "("}, "ready_log: is not a regular expression"),
        ({"command": ["{port}"], "restart": "often"}, "restart: should be 'always'"),
        ({"command": ["{port}"], "replicas": 0}, "replicas: should be greater than or equal to 1"),
        (
            {"command": ["{port}"], "scaling": {"min_replicas": 3, "max_replicas": 2}},
            "scaling: min_replicas 3 is more than max_replicas 2",
        ),
        ({"port": 80, "restart": "always"}, "restart: needs a `command`"),
        ({"port": 80, "replicas": 2}, "replicas: needs a `command`"),
        ({}, "port: is missing"),
    ],
)
def test_a_wrong_declaration_is_told_with_its_place(fields: dict[str, Any], said: str) -> None:
    """Before anything is started or sent."""
    with pytest.raises(InvalidStackError) as caught:
        stack_of({"name": "x", **fields})
    assert f"services[0] (x), {said}" in str(caught.value) or said in str(caught.value)
