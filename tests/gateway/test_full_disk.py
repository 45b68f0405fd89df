"""P47, R58: the disk is full. Traffic goes on, the API says so, and what was there is not lost."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import StorageFullError
from tests.fixtures.gateway import RunningGateway, start_gateway, stop, wait_until
from tests.fixtures.mounts import mounted
from tests.fixtures.processes import agree, kill, serves
from tests.fixtures.services.web import WebService
from tests.gateway.conftest import ExposePort, RunGateway


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a directory that is a disk of its own, of 1 MB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", at=directory):
        yield directory


@pytest.fixture
def gateway(start: RunGateway, disk: Path) -> RunningGateway:
    """Run a gateway whose state is on that disk."""
    return start(state=disk)


@pytest.fixture
def fill(disk: Path) -> Callable[[], Path]:
    """Return a function that fills the disk to the last byte, with a file that it returns."""

    def fill() -> Path:
        filler = disk / "filler"
        descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY)
        with contextlib.suppress(OSError):
            while os.write(descriptor, b"x" * 512):
                pass
        os.close(descriptor)
        return filler

    return fill


def _refusals(gateway: RunningGateway, mapping_id: str) -> list[tuple[int, Any]]:
    """Try every kind of change; return each answer's status and code."""
    at = f"{gateway.api_url}/v1/clusters/local/proxy"
    with httpx.Client(headers={"authorization": f"Bearer {gateway.api_key}"}, timeout=60) as http:
        answers = [
            http.post(f"{at}/ports", json={"internal_port": 49_000, "description": "new"}),
            http.put(f"{at}/ports/{mapping_id}", json={"description": "renamed"}),
            http.delete(f"{at}/ports/{mapping_id}"),
            http.put(f"{at}/access", json={"session_timeout_minutes": 7}),
            http.put(at, json={"enabled": False}),
            http.post(f"{at}/links", json={"port_id": mapping_id, "user": "ana"}),
        ]
    return [(a.status_code, a.json()["error"]["code"]) for a in answers]


def test_p47_r58_a_full_disk_stops_changes_and_nothing_else(
    gateway: RunningGateway,
    client: ProxyClient,
    service: WebService,
    expose: ExposePort,
    fill: Callable[[], Path],
) -> None:
    """Visitors are served, reads answer, changes are 507; with space again all is as before."""
    mapping = expose(service.port, health_check={"interval_seconds": 1})
    pids = gateway.children()
    filler = fill()
    with gateway.visitor() as visitor:
        assert {visitor.get(mapping.url or "").status_code for _ in range(500)} == {200}
    full = (StorageFullError.default_status, StorageFullError.default_code)
    assert set(_refusals(gateway, mapping.id)) == {full}
    (shown,) = client.get_proxy(include_health=True, include_access_logs=True).port_mappings
    assert (shown.id, shown.description, shown.status) == (mapping.id, "web", "active")
    assert agree(gateway)
    assert gateway.children() == pids
    filler.unlink()
    assert wait_until(lambda: _can_change(client, mapping.id))
    assert expose(49_000).status == "active"
    assert agree(gateway)


def _can_change(client: ProxyClient, mapping_id: str) -> bool:
    try:
        return client.update_port(mapping_id, description="again").description == "again"
    except StorageFullError:
        return False


def test_r58_restarts_on_a_full_disk_lose_nothing(
    gateway: RunningGateway,
    client: ProxyClient,
    service: WebService,
    expose: ExposePort,
    fill: Callable[[], Path],
) -> None:
    """Either process may be killed meanwhile: the mappings come back from what was stored."""
    mapping = expose(service.port)
    fill()
    kill(gateway, "control")
    assert [m.id for m in client.list_ports()] == [mapping.id]
    kill(gateway, "envoy")
    assert wait_until(lambda: serves(gateway, mapping.url, service.name))
    assert agree(gateway)


def test_r58_a_start_on_a_full_disk_leaves_the_state_whole(
    gateway: RunningGateway,
    service: WebService,
    expose: ExposePort,
    fill: Callable[[], Path],
    start: RunGateway,
) -> None:
    """It is refused in plain words; with space again everything is there."""
    mapping = expose(service.port)
    stop(gateway.process)
    filler = fill()
    process = start_gateway(gateway.state_dir)
    try:
        _, error = process.communicate(timeout=60)
    finally:
        stop(process)
    assert process.returncode == 1
    assert "No space left on device" in error
    assert "Traceback" not in error
    filler.unlink()
    again = start(state=gateway.state_dir)
    with again.client() as api:
        assert [m.id for m in api.list_ports()] == [mapping.id]
    assert wait_until(lambda: serves(again, mapping.url, service.name))
