"""What is not for visitors is behind private sockets, and what comes from outside is no path."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.sockets import listening_sockets
from tests.fixtures.gateway import RunningGateway, free_port, run_gateway, wait_until
from tests.fixtures.services.web import WebService
from tests.gateway.conftest import ExposePort

PORTS = "/v1/clusters/local/proxy/ports"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run one gateway for all tests of this file."""
    with run_gateway(tmp_path_factory.mktemp("state") / "state") as running:
        yield running


def _sockets_of(pids: list[int]) -> set[int]:
    """Return the inodes of the sockets that processes have open."""
    links = []
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                links.append(entry.readlink().name)
            except FileNotFoundError:  # noqa: PERF203 - closed in between
                continue
    return {int(link[8:-1]) for link in links if link.startswith("socket:[")}


def test_p33_r35_nothing_listens_but_the_api_and_the_exposed_ports(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """Envoy's admin and the configuration's source have no TCP port that a browser could reach."""
    expose(service.port)
    external = {m.external_port for m in client.list_ports()}
    api = httpx.URL(gateway.api_url).port
    inodes = _sockets_of([gateway.process.pid, *gateway.children().values()])
    found = {(s.protocol, s.host, s.port) for s in listening_sockets() if s.inode in inodes}
    assert found == {("tcp", "127.0.0.1", port) for port in {api, *external}}


def test_r35_p33_admin_and_xds_are_sockets_of_their_owner_alone(gateway: RunningGateway) -> None:
    """Each is a socket file that nobody else may open, in a directory nobody else may enter."""
    run = gateway.state_dir / "run"
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    for name in ("admin.sock", "xds.sock", "visitors.sock"):
        mode = (run / name).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) & 0o077 == 0


def test_r35_another_user_reaches_neither(gateway: RunningGateway) -> None:
    """Connecting as another user of the machine is refused by the kernel."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    pid = os.fork()
    if pid == 0:  # the other user
        os.setuid(65_534)
        os.chdir("/")
        refused = 0
        for name in ("admin.sock", "xds.sock"):
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    client.connect(f"/proc/{gateway.children()['envoy']}/cwd/{name}")
                except OSError:
                    refused += 1
        os._exit(refused)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:80"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic wrong"}, 401),
    ],
)
def test_r35_the_api_refuses_browsers_foreign_hosts_and_strangers(
    gateway: RunningGateway, headers: dict[str, str], status: int
) -> None:
    """On loopback too: a web page can send requests there, and can rebind a name to it."""
    good = {"authorization": f"Bearer {gateway.api_key}"}
    with httpx.Client(base_url=gateway.api_url) as http:
        for method in ("GET", "POST"):
            answer = http.request(method, PORTS, headers=good | headers, json={"internal_port": 1})
            assert answer.status_code == status
        assert http.get("/v1/clusters/local/proxy", headers=good).status_code == 200


def test_r23_names_from_outside_never_become_paths(
    gateway: RunningGateway, service: WebService, expose: ExposePort
) -> None:
    """Whatever a mapping, a user or a link is called, no file appears that it named."""
    hostile = ["../../evil", "/tmp/evil", "..%2f..%2fevil", "evil\0", "~/evil", "$(touch evil)"]  # noqa: S108 - what an attacker would send
    expose(free_port())  # the first mapping has Envoy make its logs
    assert wait_until((gateway.state_dir / "run" / "health.log").exists)
    before = _files(gateway.state_dir)
    headers = {"authorization": f"Bearer {gateway.api_key}"}
    with httpx.Client(base_url=gateway.api_url, headers=headers, timeout=30) as http:
        for name in hostile:
            for path, body in [
                (PORTS, {"internal_port": service.port, "description": name}),
                (PORTS, {"internal_port": service.port, "custom_domain": name}),
                ("/v1/clusters/local/proxy/users", {"name": name}),
                ("/v1/clusters/local/proxy/links", {"port_id": name, "user": name}),
            ]:
                answer = http.post(path, json=body)
                assert answer.status_code < 500, answer.text
            assert http.delete(f"{PORTS}/{httpx.QueryParams({'': name})}").status_code == 404
    assert _files(gateway.state_dir) == before
    assert not [p for d in (gateway.state_dir.parent, Path("/tmp")) for p in d.glob("evil*")]  # noqa: S108 - as above


def _files(directory: Path) -> set[str]:
    return {str(p.relative_to(directory)) for p in directory.rglob("*")}
