"""A gateway starts, says so, stops, and leaves nothing behind, however its owner goes."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.fixtures.gateway import (
    RunningGateway,
    free_range,
    read_announcement,
    run_gateway,
    start_gateway,
    stop,
    wait_until,
)
from tests.fixtures.processes import all_ended
from tests.fixtures.services.web import WebService
from tests.gateway.conftest import ExposePort, RunGateway


def test_the_announcement_is_one_line_and_true(gateway: RunningGateway) -> None:
    """What is printed leads to an API that answers with the key it names, and is kept in a file."""
    told = gateway.runtime
    assert set(told) == {"api_url", "api_key_file", "cluster_id", "proxy_url", "ca_file", "pid"}
    assert told["pid"] == gateway.process.pid
    assert Path(told["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    answer = httpx.get(f"{told['api_url']}/healthz")
    assert answer.json()["envoy"] == "connected"
    with gateway.client() as api:
        assert [cluster.id for cluster in api.list_clusters()] == [told["cluster_id"]]
    assert json.loads((gateway.state_dir / "runtime.json").read_text()) == told


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_both_processes(tmp_path: Path, how: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end the gateway with status 0; its runtime file goes, its state stays."""
    state = tmp_path / "state"
    process = start_gateway(state, "--external-ports", free_range(5))
    gateway = RunningGateway(process, read_announcement(process), state)
    pids = list(gateway.children().values())
    assert len(pids) == 2
    process.send_signal(how)
    try:
        assert process.wait(15) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    finally:
        stop(process)
    assert all_ended(pids)
    assert not (state / "runtime.json").exists()
    assert (state / "state.db").exists()


def test_a_stop_during_the_start_leaves_nothing(tmp_path: Path) -> None:
    """A gateway that is asked to stop before it serves stops, and says nothing."""
    process = start_gateway(tmp_path / "state", "--external-ports", free_range(5))
    gateway = RunningGateway(process, {}, tmp_path / "state")
    try:
        assert wait_until(lambda: len(gateway.children()) == 2)
        pids = list(gateway.children().values())
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
    finally:
        stop(process)
    assert all_ended(pids)


def test_nothing_outlives_a_killed_supervisor(
    gateway: RunningGateway, start: RunGateway, service: WebService, expose: ExposePort
) -> None:
    """SIGKILL of the owner ends both; the next gateway on the same state serves the same ports."""
    url = expose(service.port).url or ""
    pids = list(gateway.children().values())
    gateway.process.kill()
    gateway.process.wait()
    assert all_ended(pids)
    again = start(state=gateway.state_dir)
    with again.visitor() as visitor:
        assert wait_until(lambda: visitor.get(url).text == service.name)


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    """With `--exit-with-parent` the gateway goes with whoever started it, even by SIGKILL."""
    state = tmp_path / "state"
    owner = f"""
import os, subprocess, sys, time
gateway = subprocess.Popen(
    [sys.executable, "-m", "jupyter_tensorone_proxy.gateway", "--state-dir", {str(state)!r},
     "--external-ports", {free_range(5)!r}, "--exit-with-parent"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
gateway.stdout.readline()
print(gateway.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert len(children) == 2
    finally:
        parent.kill()
        parent.wait()
        assert parent.stdout is not None
        parent.stdout.close()
    assert all_ended([pid, *map(int, children)])


def test_restart_keeps_everything(tmp_path: Path, service: WebService) -> None:
    """Stop and start: the same mapping, URL, API key and certificate authority."""
    kept = []
    for turn in range(2):
        with run_gateway(tmp_path / "state") as gateway, gateway.client() as api:
            if turn == 0:
                api.create_port(
                    internal_port=service.port,
                    description="kept",
                    access_control={"public_access": True},
                )
            (mapping,) = api.list_ports()
            with gateway.visitor() as visitor:
                assert visitor.get(mapping.url or "").text == service.name
            ca = Path(gateway.runtime["ca_file"]).read_text()
            kept.append((mapping.id, mapping.url, mapping.created_at, gateway.api_key, ca))
    assert kept[0] == kept[1]


def test_r29_keys_are_random_for_each_installation(tmp_path: Path) -> None:
    """Two installations share no key, no certificate authority and no signing key."""
    names = ["api_key", "ca.key", "ca.pem", "signing.key", "leaf.key"]
    with run_gateway(tmp_path / "one"), run_gateway(tmp_path / "two"):
        for name in names:
            one, two = (tmp_path / d / name for d in ("one", "two"))
            assert one.read_bytes() != two.read_bytes()
        assert len((tmp_path / "one" / "api_key").read_text()) >= 43  # 256 bits


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_r50_files_are_private_whatever_the_umask(
    start: RunGateway, tmp_path: Path, umask: int
) -> None:
    """Directories are 0700; files and sockets give nothing to the group and to others."""
    gateway = start(preexec=lambda: os.umask(umask))
    modes = {".": gateway.state_dir.stat().st_mode}
    for path in gateway.state_dir.rglob("*"):
        modes[str(path.relative_to(gateway.state_dir))] = path.lstat().st_mode
    assert {"run", "api_key", "ca.key", "signing.key", "state.db", "run/xds.sock"} <= set(modes)
    for name, mode in modes.items():
        assert stat.S_IMODE(mode) & 0o077 == 0, name
        if stat.S_ISDIR(mode):
            assert stat.S_IMODE(mode) == 0o700, name


def test_r50_a_directory_that_was_open_is_closed(start: RunGateway, tmp_path: Path) -> None:
    """A state directory made beforehand with the usual mode becomes private."""
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    start(state=state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
