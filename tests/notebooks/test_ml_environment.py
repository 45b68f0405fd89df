"""`ml_environment.ipynb`: a team's services are started, exposed, watched, and taken down."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.fixtures.jupyter import JupyterServer
from tests.notebooks.conftest import Outputs, executed, html, secrets_in, text

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
"""Where the server's kernels look for programs."""

ALWAYS = ("TensorBoard", "Handbook")
IF_INSTALLED = {
    "VSCode Server": "code-server",
    "MLflow": "mlflow",
    "Prometheus": "prometheus",
    "Grafana": "grafana-server",
}


@pytest.fixture(scope="module")
def outputs(server: JupyterServer) -> Outputs:
    """Execute the notebook."""
    return executed(server, "ml_environment.ipynb")


def test_the_plan_is_a_diff(outputs: Outputs) -> None:
    """Every service is planned, and nothing was done yet."""
    plan = text(outputs["show-plan"])
    for name in (*ALWAYS, *IF_INSTALLED):
        assert re.search(rf"^\+ {name} ", plan, flags=re.MULTILINE), plan


def test_what_is_installed_is_exposed_and_the_rest_is_told(outputs: Outputs) -> None:
    """Each service is created, or it is said which program is not installed."""
    shown, failures = text(outputs["apply-stack"]), text(outputs["show-summary"])
    for name in ALWAYS:
        assert re.search(rf"^ *\+ +{name} .*https://localhost:\d+", shown, flags=re.MULTILINE), (
            shown
        )
    for name, program in IF_INSTALLED.items():
        if shutil.which(program, path=PATH) is None:
            assert re.search(rf"{name}: .*{program}.* is not installed here", failures), failures
        else:
            assert re.search(rf"^ *\+ +{name} ", shown, flags=re.MULTILINE), shown
    assert "2 people" in shown


def test_tensorboard_shows_the_runs_to_the_team_alone(outputs: Outputs) -> None:
    """Strangers get 401; a member sees what was written."""
    said = text(outputs["visit-tensorboard"])
    assert "not signed in 401" in said
    assert re.search(r"signed in +200, runs \[.*'lr=0.01'.*\]", said)


def test_all_of_it_is_watched(outputs: Outputs) -> None:
    """A table with plots, in which what runs does well."""
    shown = text(outputs["show-monitor"])
    for name in ALWAYS:
        assert re.search(rf"{name} .*● healthy", shown), shown
    assert "<svg" in html(outputs["show-monitor"])


def test_again_changes_nothing_and_pruned_nothing_stays(
    outputs: Outputs, server: JupyterServer
) -> None:
    """Applying is idempotent, and taking down is one line."""
    assert re.search(r"[2-6] unchanged, 0 created", text(outputs["apply-again"]))
    assert "removed" in text(outputs["prune-stack"])
    assert "Nothing is exposed" in text(outputs["clean-up"])
    assert server.request("GET", "api/ports").json()["data"] == []


def test_r16_no_output_holds_a_credential(outputs: Outputs, server: JupyterServer) -> None:
    """A saved notebook can be given away."""
    assert secrets_in(outputs, server) == []
