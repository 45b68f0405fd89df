"""The API does what its own description says, whatever it is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.gateway import RunningGateway, free_range, run_gateway

EXAMPLES = int(os.environ.get("API_EXAMPLES", "200"))
"""Requests for each operation; a shorter run: ``API_EXAMPLES=20 pytest tests/test_openapi.py``."""

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
_CONFIGURATION = """
[headers]
Authorization = "Bearer {key}"

[parameters]
cluster_id = "local"
wait_seconds = 0
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run a gateway for the module."""
    state_dir = tmp_path_factory.mktemp("gateway")
    with run_gateway(state_dir, "--external-ports", free_range(200)) as running:
        yield running


def test_p15_whatever_is_sent_the_answer_is_documented(
    gateway: RunningGateway, tmp_path: Path
) -> None:
    """No generated request makes the gateway fail, or answer something undocumented."""
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(_CONFIGURATION.format(key=gateway.api_key))
    tool = Path(sys.executable).with_name("schemathesis")
    command = [str(tool), "--config-file", str(configuration), "run"]
    command += [f"{gateway.api_url}/openapi.json", "--checks", ",".join(_CHECKS)]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)]
    command += ["--generation-deterministic", "--continue-on-failure", "--no-color"]
    command += ["--suppress-health-check", "all", "--request-timeout", "60"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_description_has_an_example_for_every_body(gateway: RunningGateway) -> None:
    """Whoever reads /openapi.json sees what to send."""
    description = httpx.get(f"{gateway.api_url}/openapi.json").json()
    bodies = [
        (path, method, operation["requestBody"])
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
    ]
    assert len(bodies) >= 7
    for path, method, body in bodies:
        content = body["content"]["application/json"]
        assert content["example"], f"{method} {path}"
        name = content["schema"]["$ref"].rpartition("/")[2]
        assert name in description["components"]["schemas"]


def test_nothing_is_half_made_afterwards(gateway: RunningGateway) -> None:
    """After all those requests every mapping that is listed is whole, and new ones still work."""
    with gateway.client() as client:
        client.update_proxy(enabled=True)
        for mapping in client.list_ports():
            assert mapping.status == "active", mapping
            client.delete_port(mapping.id)
        assert client.list_ports() == []
