"""TensorBoard behind a private mapping, with real event files."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest

from tests.fixtures.services.browser import Chromium
from tests.fixtures.services.exposed import ExposedService, Start
from tests.fixtures.services.processes import ServiceProcess, need

pytestmark = pytest.mark.services

RUNS = ["first", "second"]


@pytest.fixture(scope="module")
def tensorboard(start: Start, tmp_path_factory: pytest.TempPathFactory) -> ExposedService:
    """Start TensorBoard on two runs of five steps."""
    need("tensorboardX")
    folder = tmp_path_factory.mktemp("tensorboard")
    for run in RUNS:
        _write_run(folder / "logs" / run)
    command = [sys.executable, "-m", "tensorboard.main", "--logdir=logs", "--port={port}"]
    return start("TensorBoard", command, folder=folder, ready=_has_read_the_runs)


def _write_run(folder: Path) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step in range(5):
            writer.add_scalar("training/loss", 1 / (step + 1), step)


def _has_read_the_runs(service: ServiceProcess) -> bool:
    try:
        answer = httpx.get(f"{service.url}/data/runs", timeout=5)
    except httpx.TransportError:
        return False
    return answer.is_success and sorted(answer.json()) == RUNS


@pytest.mark.parametrize(
    "path",
    [
        "/data/runs",
        "/data/plugin/scalars/tags",
        "/data/plugin/scalars/scalars?run=first&tag=training%2Floss",
        "/",
    ],
)
def test_p1_tensorboard_answers_through_the_url_as_it_does_directly(
    tensorboard: ExposedService, path: str
) -> None:
    """What TensorBoard says is the same through the proxy, byte for byte."""
    direct = httpx.get(tensorboard.service.url + path, timeout=20)
    with tensorboard.program() as program:
        proxied = program.get(path)
    assert proxied.status_code == direct.status_code == httpx.codes.OK
    assert proxied.headers["content-type"] == direct.headers["content-type"]
    assert proxied.content == direct.content


def test_p1_tensorboard_renders_in_a_browser(
    tensorboard: ExposedService, chromium: Chromium
) -> None:
    """A visitor who opened a link sees the runs and their chart, without one failed request."""
    with chromium.visit(tensorboard) as visit:
        for run in RUNS:
            visit.see(run)
        visit.see("training")
        visit.page.locator("scalar-card").first.wait_for()
        assert visit.errors == []
