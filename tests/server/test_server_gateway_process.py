"""The gateway as a child process: started once, restarted, adopted, and never left behind.

The child here is a small script with the gateway's manners, so that each way to fail can be had.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from jupyter_tensorone_proxy.errors import GatewayError
from jupyter_tensorone_proxy.server.gateway_process import GatewayProcess
from jupyter_tensorone_proxy.settings import running_gateway
from tests.fixtures.gateway import is_alive

GOOD = """
import json, os, pathlib, signal, sys
state = pathlib.Path(sys.argv[sys.argv.index("--state-dir") + 1])
state.mkdir(exist_ok=True)
runtime = state / "runtime.json"
if runtime.exists() and "--second" not in sys.argv:
    pid = json.loads(runtime.read_text())["pid"]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        pass
    else:
        print("another gateway owns it", file=sys.stderr)
        sys.exit(3)
with (state / "starts").open("a") as starts:
    starts.write("x")
said = {"api_url": "http://127.0.0.1:1", "api_key_file": "k", "cluster_id": "local"}
said |= {"ca_file": "ca.pem", "pid": os.getpid()}
runtime.write_text(json.dumps(said))
print(json.dumps(said), flush=True)
print("WARNING low on \\x1b[31mred", file=sys.stderr, flush=True)
print("serving", file=sys.stderr, flush=True)
sys.stdin.read()
"""
STUBBORN = (
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    + GOOD
    + "\nimport time\ntime.sleep(600)"
)
BROKEN = (
    "import sys\nprint('No Envoy for this platform. Install one.', file=sys.stderr)\nsys.exit(1)"
)
MUTE = "print('hello')"

LOG = logging.getLogger("test.gateway")


@asynccontextmanager
async def running(script: str, state_dir: Path) -> AsyncIterator[GatewayProcess]:
    """Hold a gateway process of a script, and stop it at the end."""
    gateway = GatewayProcess([sys.executable, "-c", script], [], state_dir, LOG)
    try:
        yield gateway
    finally:
        await gateway.stop()


def starts(state_dir: Path) -> int:
    """Count how often the script got as far as serving."""
    return len((state_dir / "starts").read_text())


async def until(condition: Callable[[], bool]) -> None:
    """Wait, within bounds, for something to become true."""
    deadline = monotonic() + 20
    while not condition():
        assert monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.01)


async def test_many_needs_are_one_start(tmp_path: Path) -> None:
    """Concurrent requests share one gateway, and later ones find it."""
    async with running(GOOD, tmp_path) as gateway:
        await asyncio.gather(*(gateway.ensure() for _ in range(5)))
        await gateway.ensure()
        assert starts(tmp_path) == 1


async def test_stop_ends_the_process(tmp_path: Path) -> None:
    """After stop there is no process, and none is started again."""
    async with running(GOOD, tmp_path) as gateway:
        await gateway.ensure()
        pid = gateway.pid
    assert pid is not None
    assert not is_alive(pid)
    with pytest.raises(GatewayError, match="stopping"):
        await gateway.ensure()


async def test_stop_kills_what_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that ignores SIGTERM is killed after a bounded wait."""
    monkeypatch.setattr("jupyter_tensorone_proxy.server.gateway_process._STOP_SECONDS", 0.2)
    async with running(STUBBORN, tmp_path) as gateway:
        await gateway.ensure()
        pid = gateway.pid
    assert pid is not None
    assert not is_alive(pid)


async def test_stop_during_a_start_leaves_nothing(tmp_path: Path) -> None:
    """A server that stops at once takes the gateway with it that was just starting."""
    gateway = GatewayProcess(
        [sys.executable, "-c", "import time; time.sleep(600)"], [], tmp_path, LOG
    )
    waiting = asyncio.create_task(gateway.ensure())
    await until(lambda: gateway.pid is not None)
    pid = gateway.pid
    await gateway.stop()
    with pytest.raises(GatewayError):
        await waiting
    assert pid is not None
    assert not is_alive(pid)


async def test_stop_without_a_start_does_nothing(tmp_path: Path) -> None:
    """A server that never started its extension can stop it."""
    async with running(GOOD, tmp_path):
        pass
    assert not (tmp_path / "starts").exists()


async def test_killed_gateway_comes_back_at_the_next_need(tmp_path: Path) -> None:
    """SIGKILL costs one restart, without waiting."""
    async with running(GOOD, tmp_path) as gateway:
        await gateway.ensure()
        first = gateway.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: gateway.pid is None)
        await gateway.ensure()
        assert gateway.pid not in {None, first}
        assert starts(tmp_path) == 2


async def test_failing_start_says_why_and_backs_off(tmp_path: Path) -> None:
    """The gateway's own words are the error; after two failures the next start waits."""
    script = f"open({str(tmp_path / 'tries')!r}, 'a').write('x')\n{BROKEN}"
    async with running(script, tmp_path) as gateway:
        for _ in range(5):
            with pytest.raises(GatewayError, match=r"No Envoy for this platform\. Install one\."):
                await gateway.ensure()
    assert len((tmp_path / "tries").read_text()) == 2


async def test_gateway_that_says_nothing_useful_is_an_error(tmp_path: Path) -> None:
    """Output that is not the promised line is not taken for a gateway."""
    async with running(MUTE, tmp_path) as gateway:
        with pytest.raises(GatewayError, match="exit code 0"):
            await gateway.ensure()


async def test_missing_extra_says_what_to_install(tmp_path: Path) -> None:
    """Without the gateway's packages the message is the command that installs them."""
    script = "import sys, subprocess; subprocess.run([sys.executable, '-c', 'import no_such_one'])"
    async with running(f"{script}; sys.exit('The reason is above.')", tmp_path) as gateway:
        with pytest.raises(GatewayError, match=r"'no_such_one'.*proxy\[gateway\]"):
            await gateway.ensure()


async def test_missing_program_is_named(tmp_path: Path) -> None:
    """A gateway_command that does not exist is named with the setting to correct."""
    gateway = GatewayProcess(["/no/such/program"], [], tmp_path, LOG)
    with pytest.raises(GatewayError, match=r"/no/such/program.*gateway_command"):
        await gateway.ensure()
    await gateway.stop()


async def test_gateway_of_somebody_else_is_used_and_left_running(tmp_path: Path) -> None:
    """Exit code 3 means: take the other one; when it is gone, start our own."""
    async with running(GOOD, tmp_path) as theirs, running(GOOD, tmp_path) as ours:
        await theirs.ensure()
        await ours.ensure()
        adopted = ours.pid
        assert adopted is None
        assert (running_gateway(tmp_path) or {})["pid"] == theirs.pid
        await theirs.stop()
        await ours.ensure()
        assert ours.pid is not None
        assert starts(tmp_path) == 2


async def test_messages_go_to_the_log_cleaned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each line of the gateway is one line of Jupyter's log, without control characters."""
    caplog.set_level(logging.INFO, logger="test.gateway")
    async with running(GOOD, tmp_path) as gateway:
        await gateway.ensure()
        await until(lambda: "serving" in caplog.text)
    lines = {(r.levelname, r.getMessage()) for r in caplog.records}
    assert ("WARNING", "gateway: WARNING low on  [31mred") in lines
    assert ("INFO", "gateway: serving") in lines


def test_sigkill_of_the_owner_ends_the_gateway(tmp_path: Path) -> None:
    """The gateway sees the end of its input when its owner is gone, however it went."""
    owner = f"""
import asyncio, logging, os, pathlib, signal, sys
from jupyter_tensorone_proxy.server.gateway_process import GatewayProcess
async def main():
    command, state = [sys.executable, "-c", {GOOD!r}], pathlib.Path({str(tmp_path)!r})
    await GatewayProcess(command, [], state, logging.getLogger()).ensure()
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", owner], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    pid = json.loads((tmp_path / "runtime.json").read_text())["pid"]
    deadline = monotonic() + 20
    while is_alive(pid):
        assert monotonic() < deadline, "the gateway stayed behind"
