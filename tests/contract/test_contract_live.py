"""The documented requests against the real gateway: by both clients, and as plain curl.

`data/curl_lines.sh` are the documentation's own lines; only host, key, cluster, the mapping's id
and a privileged external port are put in their places.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from jupyter_tensorone_proxy.errors import PortAlreadyMappedError
from jupyter_tensorone_proxy.models import ClusterAccess, PortMapping, ProxyConfig
from tests.fixtures.gateway import RunningGateway, free_port, run_gateway
from tests.fixtures.services.processes import program
from tests.fixtures.tensorone import AsyncRim, SyncRim, settings_for

DATA = Path(__file__).parent / "data"
RIMS = [pytest.param(SyncRim(), id="sync"), pytest.param(AsyncRim(), id="async")]
CREATIONS = [
    path.stem
    for path in sorted(DATA.glob("request_*.json"))
    if json.loads(path.read_text())["call"] == "create_port"
]
_OBSERVED = {"id", "created_at", "updated_at", "health_status", "usage_statistics", "url"}
_OBSERVED |= {"external_port"}


def body_of(name: str) -> dict[str, Any]:
    """Return a documented body, with an external port that needs no privilege."""
    body = dict(json.loads((DATA / f"{name}.json").read_text())["body"])
    return body | ({"external_port": free_port()} if "external_port" in body else {})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run a gateway for the module."""
    with run_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(autouse=True)
def empty(gateway: RunningGateway) -> Iterator[None]:
    """Leave no mapping and no setting behind."""
    yield
    with gateway.client() as client:
        for mapping in client.list_ports():
            client.delete_port(mapping.id)
        client.update_access(**ClusterAccess().model_dump())
        client.update_proxy(enabled=True, allowed_ips=[])


@dataclass
class Caller:
    """Calls one of the clients with the gateway's settings."""

    rim: SyncRim | AsyncRim
    gateway: RunningGateway

    def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return the result of one call."""
        settings = settings_for(
            self.gateway.api_url, api_key=SecretStr(self.gateway.api_key), cluster_id="local"
        )
        return self.rim.call(method, *args, settings=settings, **kwargs)


def scenario(call: Caller) -> Iterator[tuple[str, Any]]:
    """Do what the documentation does, one call after the other; yield each result."""
    jupyter: PortMapping = call("create_port", **body_of("request_create_jupyter_lab"))
    yield "created", jupyter
    with pytest.raises(PortAlreadyMappedError) as caught:
        call("create_port", **body_of("request_environment_jupyter_lab"))
    assert caught.value.details["existing_mapping_id"] == jupyter.id
    yield "refused", caught.value.details.keys()
    yield "with domain", call("create_port", **body_of("request_create_custom_domain"))
    yield "updated", call("update_port", jupyter.id, **body_of("request_update_port"))
    yield "access", call("update_access", **body_of("request_update_access"))
    yield "v2", call("update_proxy", enabled=True, allowed_ips=["203.0.113.0/24"])
    yield "v1", call("update_proxy", enabled=True, allowed_ips=[], api_version="v1")
    config: ProxyConfig = call(
        "get_proxy", include_health=True, include_access_logs=True, include_ssl_info=True
    )
    yield "access in force", config.access_control
    yield "network", config.network_configuration
    yield "listed", [m.internal_port for m in call("list_ports")]
    yield "deleted", call("delete_port", jupyter.id)
    yield "left", [m.internal_port for m in call("list_ports")]


def told(result: Any) -> Any:
    """Return what of a result does not differ from run to run."""
    if isinstance(result, PortMapping):
        wire = result.to_wire()
        wire.get("health_check", {}).pop("last_check", None)
        wire.get("health_check", {}).pop("consecutive_failures", None)
        return {k: v for k, v in wire.items() if k not in _OBSERVED}
    return result.to_wire() if hasattr(result, "to_wire") else result


def test_both_clients_get_the_same_from_the_gateway(gateway: RunningGateway) -> None:
    """The whole scenario, call by call, has the same results by either client."""
    by_sync = [(n, told(r)) for n, r in scenario(Caller(SyncRim(), gateway))]
    with gateway.client() as client:
        for mapping in client.list_ports():
            client.delete_port(mapping.id)
    by_async = [(n, told(r)) for n, r in scenario(Caller(AsyncRim(), gateway))]
    assert by_sync == by_async
    results = dict(by_sync)
    assert results["listed"] == [8888, 8000]
    assert results["left"] == [8000]
    assert results["updated"]["description"] == "Updated Jupyter Lab Environment"
    access = body_of("request_update_access")
    assert results["access in force"] == {**results["access in force"], **access}


@pytest.mark.parametrize("rim", RIMS)
@pytest.mark.parametrize("name", CREATIONS)
def test_a_documented_mapping_is_made_as_documented(
    gateway: RunningGateway, name: str, rim: SyncRim | AsyncRim
) -> None:
    """What was asked for is what the answer and the list have, and the URL is given."""
    asked = body_of(name)
    made = Caller(rim, gateway)("create_port", **asked)
    assert made.url.startswith("https://")
    assert str(made.external_port) in made.url
    (listed,) = Caller(rim, gateway)("list_ports")
    for shown in (made.to_wire(), listed.to_wire()):
        assert missing(asked, shown) == []


def missing(asked: Any, shown: Any, path: str = "") -> list[str]:
    """Return what was asked for and is shown otherwise."""
    if isinstance(asked, dict):
        return [
            line
            for name, inner in asked.items()
            for line in missing(inner, shown.get(name) if shown else None, f"{path}.{name}")
        ]
    return [] if asked == shown else [f"{path}: {shown!r} instead of {asked!r}"]


@dataclass
class Shell:
    """Runs the documentation's curl lines against the gateway."""

    gateway: RunningGateway
    port_id: str = "port_none"
    domain_port: int = field(default_factory=free_port)

    def run(self, line: str) -> Any:
        """Return the JSON of one line's answer; it must be a success."""
        for documented, ours in {
            "https://api.tensorone.ai": self.gateway.api_url,
            "YOUR_API_KEY": self.gateway.api_key,
            "<api-key>": self.gateway.api_key,
            "{cluster_id}": "local",
            "cluster_abc123": "local",
            "port_123": self.port_id,
            "<string>": "127.0.0.0/8",
            '"external_port": 443': f'"external_port": {self.domain_port}',
        }.items():
            line = line.replace(documented, ours)
        done = subprocess.run(
            ["/bin/bash", "-c", f"{line} --silent --show-error --fail-with-body"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def documented_lines() -> dict[str, str]:
    """Return the curl lines by the comment above each."""
    blocks = (DATA / "curl_lines.sh").read_text().strip().split("\n\n")
    pairs = (block.split("\n", 1) for block in blocks)
    return {comment.removeprefix("# "): line for comment, line in pairs}


def test_every_curl_line_of_the_documentation_works(gateway: RunningGateway) -> None:
    """Each line as it is printed, in the order of the documentation, by the real curl."""
    program("curl")
    lines, shell = documented_lines(), Shell(gateway)
    assert len(lines) == 7
    made = shell.run(lines["Create Jupyter Lab port mapping"])["data"]
    assert (made["internal_port"], made["status"]) == (8888, "active")
    shell.port_id = made["id"]
    domain = shell.run(lines["Create API endpoint with custom domain"])["data"]
    assert domain["url"] == f"https://api.ml-project.com:{shell.domain_port}"
    updated = shell.run(lines["Update port mapping configuration"])["data"]
    assert updated["health_check"]["path"] == "/lab/tree"
    assert updated["access_control"]["allowed_users"][-1] == "researcher"
    access = shell.run(lines["Configure cluster-wide access control"])["data"]
    assert access["security_headers"]["x_frame_options"] == "SAMEORIGIN"
    second = shell.run(lines["Update the proxy (second version)"])
    assert second == {"proxyUrl": gateway.runtime["proxy_url"], "enabled": True}
    config = shell.run(lines["Get complete proxy configuration"])
    ports = {m["internal_port"]: m for m in config["data"]["port_mappings"]}
    assert ports.keys() == {8888, 8000}
    assert all("health_status" in m for m in ports.values())
    logs = shell.run(lines["Get proxy config with access logs"])
    assert isinstance(logs["data"]["access_logs"], list)
    assert logs["meta"]["total_port_mappings"] == 2
