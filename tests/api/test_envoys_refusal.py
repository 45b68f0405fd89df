"""What the API says when the real Envoy refuses a configuration.

Nothing that can be asked for is known to be refused. So here the control plane runs inside the
test, and the translation of one mapping is given a fault: a timeout that is negative.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.gateway import envoy
from jupyter_tensorone_proxy.gateway.app import ControlPlane
from jupyter_tensorone_proxy.gateway.config import GatewayConfig
from jupyter_tensorone_proxy.gateway.files import private_directory
from jupyter_tensorone_proxy.gateway.xds import upstream
from tests.api.test_error_answers import require_error
from tests.fixtures.gateway import free_port, free_range

FAULTS = {
    "a negative time": ({"connect_timeout": "-1s"}, "Expected positive duration"),
    "no time": ({"connect_timeout": "0s"}, "ConnectTimeout: value must be greater than 0s"),
    "no such policy": (
        {"lb_policy": "CLUSTER_PROVIDED"},
        "cluster provided LB specified but cluster",
    ),
}


@pytest.fixture
def plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """Return a control plane with a fault in it, and run an Envoy beside it."""
    right = upstream.make_cluster

    def make_cluster(mapping: Any, cluster: Any, *more: Any, **options: Any) -> Any:
        made = right(mapping, cluster, *more, **options)
        fault, _ = FAULTS.get(mapping.request.description, ({}, ""))
        return made | fault

    monkeypatch.setattr(upstream, "make_cluster", make_cluster)
    first, _, last = free_range(10).partition("-")
    config = GatewayConfig(
        state_dir=str(tmp_path),
        first_external_port=int(first),
        last_external_port=int(last),
    )
    run = private_directory(config.run_path)
    monkeypatch.chdir(run)
    envoy.write_bootstrap(run)
    process = subprocess.Popen(envoy.command(envoy.find_envoy()), cwd=run)
    yield ControlPlane(config, api_port=free_port())
    process.terminate()
    process.wait(20)


@asynccontextmanager
async def serving(plane: ControlPlane) -> AsyncIterator[httpx.AsyncClient]:
    """Bring both together and return plain HTTP to the API."""
    await plane.controller.discovery.start(envoy.XDS_SOCKET)
    await plane.controller.bring_up()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(plane.api()),
        base_url="http://127.0.0.1/v1/clusters/local",
        headers={"authorization": f"Bearer {plane.api_key}"},
    ) as api:
        yield api
    await plane.controller.discovery.stop()
    plane.usage.close()
    plane.store.close()


@pytest.mark.anyio
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_refusal_by_envoy_says_why_and_changes_nothing(
    plane: ControlPlane, fault: str
) -> None:
    """502 with Envoy's reason, cut to what helps; the rest goes on, and so does the mapping."""
    port = free_port()
    async with serving(plane) as api:
        good = await api.post("/proxy/ports", json={"internal_port": port, "description": "good"})
        assert good.status_code == 201
        before = (await api.get("/proxy")).json()["data"]
        body = {"internal_port": free_port(), "description": fault}
        refused = await api.post("/proxy/ports", json=body)
        require_error(refused, 502, "DATA_PLANE_REJECTED")
        message = refused.json()["error"]["message"]
        assert FAULTS[fault][1] in message
        assert len(message) < 500
        assert "goo.gle" not in message
        assert "eds_cluster_config" not in message
        path = f"/proxy/ports/{good.json()['data']['id']}"
        require_error(await api.put(path, json={"description": fault}), 502, "DATA_PLANE_REJECTED")
        assert (await api.get("/proxy")).json()["data"] == before
        later = await api.post("/proxy/ports", json={**body, "description": "right"})
        assert later.status_code == 201
