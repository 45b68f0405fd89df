"""`usage_statistics` are exact: each request is counted once, whatever happens to the gateway."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from tests.fixtures.gateway import RunningGateway, free_port, run_gateway, wait_until
from tests.fixtures.load import load
from tests.fixtures.services.fixed import fixed_service
from tests.fixtures.traffic import Expose, Visit

REQUESTS = 100_000
KEPT = 700
ADDRESSES = tuple(f"127.0.0.{n}" for n in range(1, 5))


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[RunningGateway]:
    """Run a gateway whose log is started anew every 5 MB and keeps few entries."""
    options = ("--access-log-file-mb", "5", "--access-log-entries", str(KEPT))
    with run_gateway(tmp_path / "state", *options) as running:
        yield running


def public(client: ProxyClient, port: int) -> PortMapping:
    """Expose a port to everybody."""
    access = {"public_access": True}
    return client.create_port(internal_port=port, description="counted", access_control=access)


def total(client: ProxyClient, mapping_id: str) -> int:
    """Return how many requests were counted."""
    mapping = next(m for m in client.list_ports() if m.id == mapping_id)
    assert mapping.usage_statistics
    return mapping.usage_statistics.total_requests


def test_100_000_requests_are_counted_as_100_000(counted: RunningGateway, tmp_path: Path) -> None:
    """Not one is lost or counted twice, while the control plane is killed and the log rotated."""
    log = tmp_path / "state" / "run" / "access.log"
    statuses: Counter[int] = Counter()
    with fixed_service(tmp_path / "service") as port, counted.client() as client:
        mapping = public(client, port)
        options = {"cafile": counted.runtime["ca_file"], "addresses": ADDRESSES}
        loading = threading.Thread(
            target=lambda: statuses.update(load(str(mapping.url), REQUESTS, **options))
        )
        loading.start()
        first_log, kills, logs = log.stat().st_ino, 0, set()
        while loading.is_alive():
            logs.add(log.stat().st_ino if log.exists() else first_log)
            if total(client, mapping.id) > (kills + 1) * REQUESTS // 4:
                os.kill(counted.children()["control"], signal.SIGKILL)
                kills += 1
        loading.join()
        assert statuses == {200: REQUESTS}
        assert wait_until(lambda: total(client, mapping.id) >= REQUESTS, seconds=60)
        assert (kills >= 2, len(logs) >= 3) == (True, True), (kills, logs)
        (shown,) = client.list_ports()
        assert shown.usage_statistics
        assert shown.usage_statistics.total_requests == REQUESTS
        assert shown.usage_statistics.unique_visitors == len(ADDRESSES)
        metrics = httpx.get(
            f"{counted.api_url}/metrics", headers={"authorization": f"Bearer {counted.api_key}"}
        ).text
        labels = f'{{name="counted",port_id="{mapping.id}"'
        assert f'tensorone_requests_total{labels},status="2xx"}} {float(REQUESTS)}' in metrics
        assert f"tensorone_response_seconds_count{labels}}} {float(REQUESTS)}" in metrics
        assert len(pages(counted, limit=500)) == KEPT
        assert wait_until(lambda: log.stat().st_size < 6_000_000)
        assert wait_until(lambda: not log.with_suffix(".old").exists())


def pages(gateway: RunningGateway, **query: str | int) -> list[dict[str, object]]:
    """Return every entry of the log that there is, page by page."""
    url = f"{gateway.api_url}/v1/clusters/local/proxy/access-logs"
    headers = {"authorization": f"Bearer {gateway.api_key}"}
    entries: list[dict[str, object]] = []
    before: dict[str, int] = {}
    while True:
        answer = httpx.get(url, params={**query, **before}, headers=headers).json()
        entries += answer["data"]
        if answer["meta"]["next_before"] is None:
            return entries
        before = {"before": answer["meta"]["next_before"]}


def test_statistics_outlive_a_restart_of_everything(tmp_path: Path) -> None:
    """The same state directory has the same counts, in the API and for Prometheus."""
    state = tmp_path / "state"
    with fixed_service(tmp_path / "service") as port:
        for expected in (200, 400):
            with run_gateway(state) as running, running.client() as client:
                mapping = (client.list_ports() or [public(client, port)])[0]
                cafile = running.runtime["ca_file"]
                assert load(str(mapping.url), 200, cafile=cafile) == {200: 200}
                assert wait_until(lambda: total(client, mapping.id) == expected)  # noqa: B023 - called at once
    with run_gateway(state) as running, running.client() as client:
        (mapping,) = client.list_ports()
        assert total(client, mapping.id) == 400


def test_a_rotation_that_a_crash_interrupts_loses_nothing(
    counted: RunningGateway, tmp_path: Path
) -> None:
    """The log was renamed, and Envoy not told of it: it writes on to the old file, which counts."""
    run = tmp_path / "state" / "run"
    with fixed_service(tmp_path / "service") as port, counted.client() as client:
        mapping = public(client, port)
        load(str(mapping.url), 100, cafile=counted.runtime["ca_file"])
        assert wait_until(lambda: total(client, mapping.id) == 100)
        os.kill(counted.process.pid, signal.SIGSTOP)
        os.kill(counted.children()["control"], signal.SIGKILL)
        (run / "access.log").rename(run / "access.old")
        load(str(mapping.url), 100, cafile=counted.runtime["ca_file"])
        os.kill(counted.process.pid, signal.SIGCONT)
        assert wait_until(lambda: total(client, mapping.id) == 200)
        load(str(mapping.url), 100, cafile=counted.runtime["ca_file"])
        assert wait_until(lambda: not (run / "access.old").exists())
        load(str(mapping.url), 100, cafile=counted.runtime["ca_file"])
        assert wait_until(lambda: total(client, mapping.id) == 400)


def test_half_a_line_hides_no_other(
    gateway: RunningGateway, client: ProxyClient, expose: Expose, visit: Visit
) -> None:
    """What an Envoy that was killed left behind does not cost the next one's first request."""
    exposed = expose()
    with (gateway.state_dir / "run" / "access.log").open("a") as log:
        log.write('{"m":"port_x","t":"17')
    for _ in range(2):
        visit().get(exposed.url)
    assert wait_until(lambda: total(client, exposed.mapping.id) == 2)


def test_the_gateways_own_pages_are_no_visits(
    gateway: RunningGateway, client: ProxyClient, expose: Expose, visit: Visit
) -> None:
    """They are in the log, but count neither as requests nor as visitors."""
    exposed = expose(access={"authentication_required": True})
    own, service = visit("127.0.0.5"), visit("127.0.0.6")
    assert own.get(f"{exposed.url}/.tensorone/sign-in").status_code == 401
    assert service.get(exposed.url).status_code == 401
    assert wait_until(lambda: len(pages(gateway, port_id=exposed.mapping.id)) == 2)
    shown = next(m for m in client.list_ports() if m.id == exposed.mapping.id)
    assert shown.usage_statistics
    assert shown.usage_statistics.total_requests == 1
    assert shown.usage_statistics.unique_visitors == 1


def test_what_is_unexposed_is_not_counted_on(
    gateway: RunningGateway, client: ProxyClient, visit: Visit
) -> None:
    """A mapping's counts end with it; another one of the same port starts at nothing."""
    port = free_port()
    first = public(client, port)
    visit().get(str(first.url))
    client.delete_port(first.id)
    second = public(client, port)
    assert wait_until(lambda: len(pages(gateway, port_id=first.id)) == 1)
    assert total(client, second.id) == 0
    client.delete_port(second.id)
