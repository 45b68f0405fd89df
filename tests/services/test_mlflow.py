"""MLflow's tracking server behind a private mapping, with MLflow's own client.

Both run in the gateway's own environment, as they do for most people.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.fixtures.services.exposed import ExposedService, Start
from tests.fixtures.services.processes import answers, need

pytestmark = pytest.mark.services

ARTIFACT_BYTES = 20_000_000
DOMAIN = "mlflow.example"
CLIENT = Path(__file__).with_name("clients") / "mlflow_client.py"


@pytest.fixture(scope="module")
def mlflow(start: Start) -> ExposedService:
    """Start the server; it makes its database first, which takes a while."""
    need("mlflow")
    command = [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--host=127.0.0.1", "--port={port}", "--workers=1"),
        *("--backend-store-uri=sqlite:///m.db", "--artifacts-destination=./artifacts"),
    ]
    return start("MLflow", command, ready=answers("/health"))


def _run_client(
    mlflow: ExposedService, folder: Path, *, signed_in: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the client as its user would set it up: by environment variables."""
    model = folder / "model.bin"
    model.write_bytes(os.urandom(ARTIFACT_BYTES))
    got = folder / "got"
    got.mkdir()
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_TRACKING_URI": mlflow.url,
        "MLFLOW_TRACKING_SERVER_CERT_PATH": mlflow.ca_file,
    }
    if signed_in:
        environment["MLFLOW_TRACKING_TOKEN"] = mlflow.token
    return subprocess.run(
        [sys.executable, CLIENT, model, got],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_p2_mlflow_client_logs_a_run_and_gets_its_20_mb_artifact_back(
    mlflow: ExposedService, tmp_path: Path
) -> None:
    """A run logged through the exposed URL is read back; the artifact has the same SHA-256."""
    done = _run_client(mlflow, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "params": {"learning_rate": "0.1"},
        "losses": [2.0**-step for step in range(5)],
        "sha256": hashlib.sha256((tmp_path / "model.bin").read_bytes()).hexdigest(),
    }


def test_p2_mlflow_client_without_a_token_is_told_to_sign_in(
    mlflow: ExposedService, tmp_path: Path
) -> None:
    """Without its token the client fails with our words, not with a puzzle."""
    done = _run_client(mlflow, tmp_path, signed_in=False)
    assert done.returncode != 0
    assert "'UNAUTHORIZED'" in done.stderr
    assert "Sign in to use this port" in done.stderr


def test_p2_mlflow_page_is_served_under_a_public_host(mlflow: ExposedService) -> None:
    """MLflow refuses a public Host with 403 when asked directly; through the proxy `/` is 200."""
    refused = httpx.get(mlflow.service.url, headers={"host": DOMAIN}, timeout=20)
    assert refused.status_code == httpx.codes.FORBIDDEN
    mlflow.client.update_port(mlflow.mapping.id, custom_domain=DOMAIN)
    try:
        with mlflow.program() as visitor:
            page = visitor.get(
                f"https://127.0.0.1:{mlflow.port}/",
                headers={"host": f"{DOMAIN}:{mlflow.port}"},
                extensions={"sni_hostname": DOMAIN},  # as if DNS led there
            )
    finally:
        mlflow.client.update_port(mlflow.mapping.id, custom_domain=None)
    assert page.status_code == httpx.codes.OK
    assert "<title>MLflow</title>" in page.text
