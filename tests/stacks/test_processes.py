"""Processes of services: started, watched, started again, stopped, and never left behind."""

from __future__ import annotations

import asyncio
import doctest
import importlib
import os
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from jupyter_tensorone_proxy import ProcessError
from jupyter_tensorone_proxy.errors import NotFoundError
from jupyter_tensorone_proxy.stacks.processes.local import LocalRunner
from tests.fixtures.gateway import free_port, is_alive, wait_until
from tests.fixtures.processes import all_ended
from tests.fixtures.runner import (
    PYTHON,
    WEB,
    answers,
    group_of,
    printed,
    script,
    service,
    soon,
)

pytestmark = pytest.mark.anyio


async def test_a_service_is_ready_when_start_returns(runner: LocalRunner) -> None:
    """It has a free port, its path answers, and its output is kept."""
    group = await runner.start(service(WEB, ready_path="/"))
    assert (group.state, len(group.ports)) == ("running", 1)
    assert answers(group.port)
    assert any("Serving HTTP" in line for line in await printed(runner))


async def test_starting_it_again_changes_nothing(runner: LocalRunner) -> None:
    """The same declaration leaves the process alone; another command starts it anew."""
    first = await runner.start(service(WEB))
    again = await runner.start(service(WEB))
    assert [r.pid for r in again.replicas] == [r.pid for r in first.replicas]
    other = await runner.start(service([*WEB, "--directory", "/"]))
    assert other.ports == first.ports
    assert [r.pid for r in other.replicas] != [r.pid for r in first.replicas]


async def test_a_killed_process_is_started_again(runner: LocalRunner) -> None:
    """After SIGKILL it serves on the same port again, and that is counted."""
    before = await runner.start(service(WEB, ready_path="/"))
    os.kill(before.replicas[0].pid or 0, signal.SIGKILL)

    async def is_back() -> bool:
        (replica,) = (await group_of(runner)).replicas
        return replica.state == "running" and replica.restarts == 1

    assert await soon(is_back)
    assert answers(before.port)


async def test_one_that_ends_again_and_again_is_waited_for_longer_each_time(
    runner: LocalRunner,
) -> None:
    """Pauses between starts grow, so that a crash loop costs little; stopping ends it."""
    told = script("print(time.monotonic(), flush=True); server.handle_request(); sys.exit(3)")
    await runner.start(service(told, ready_path="/"))

    async def starts() -> list[float]:
        return [float(line) for line in await printed(runner) if line.replace(".", "").isdigit()]

    async def five_starts() -> bool:
        return len(await starts()) > 4

    assert await soon(five_starts)
    times = await starts()
    assert times[4] - times[3] > times[1] - times[0]
    group = await group_of(runner)
    assert "with exit code 3" in group.replicas[0].reason
    assert (await runner.act(group.id, "stop")).state == "stopped"
    count = len(await printed(runner))
    await asyncio.sleep(1)
    assert len(await printed(runner)) == count


@pytest.mark.parametrize(
    ("restart", "code", "after"),
    [("on-failure", 0, "stopped"), ("never", 0, "stopped"), ("never", 3, "failed")],
)
async def test_what_is_not_to_be_restarted_is_not(
    runner: LocalRunner, restart: str, code: int, after: str
) -> None:
    """The policy decides, and the state says how it ended."""
    ends = script(f"server.handle_request(); sys.exit({code})")
    group = await runner.start(service(ends, ready_path="/", restart=restart))

    async def is_over() -> bool:
        return (await group_of(runner)).state == after

    assert await soon(is_over)
    assert f"exit code {code}" in (await group_of(runner)).replicas[0].reason
    assert group.replicas[0].restarts == 0


async def test_always_restarts_after_success_too(runner: LocalRunner) -> None:
    """A service that ends well is started again where the policy says always."""
    ends = script("server.handle_request()")
    await runner.start(service(ends, ready_path="/", restart="always"))

    async def was_restarted() -> bool:
        return (await group_of(runner)).replicas[0].restarts > 0

    assert await soon(was_restarted)


async def test_one_that_exits_at_once_says_why(runner: LocalRunner) -> None:
    """The error has the exit code and the last lines; it is not tried again by itself."""
    fails = [PYTHON, "-c", "print('reading'); print('no such model: iris'); raise SystemExit(7)"]
    with pytest.raises(ProcessError, match=r"exit code 7.*reading · no such model: iris"):
        await runner.start(service(fails))
    assert (await group_of(runner)).state == "failed"
    with pytest.raises(ProcessError, match="by signal 9"):
        await runner.start(
            service([PYTHON, "-c", "import os; os.kill(os.getpid(), 9)"], name="killed")
        )


async def test_one_that_is_never_ready_is_stopped(runner: LocalRunner) -> None:
    """The error says what was waited for, for how long, and what it printed."""
    idles = [PYTHON, "-u", "-c", "print('still loading'); import time; time.sleep(600)"]
    with pytest.raises(ProcessError, match=r"not ready within 1 s.*still loading"):
        await runner.start(service(idles, ready_timeout_seconds=1))
    assert (await group_of(runner)).replicas[0].pid is None


async def test_a_program_that_is_not_installed_is_told_with_what_to_do(
    runner: LocalRunner,
) -> None:
    """A known service says how to install it, an unknown one what to correct."""
    for word, said in (
        ("code-server", "coder.com/docs/code-server/install"),
        ("grafana", "grafana.com/docs"),
        ("no-such-program", "correct the first word of `command`"),
    ):
        with pytest.raises(ProcessError, match="is not installed here") as caught:
            await runner.start(service([word], name=word, env={"PATH": "/nonexistent"}))
        assert said in str(caught.value)


async def test_a_taken_port_is_told_with_who_has_it(runner: LocalRunner) -> None:
    """Nothing is started on a port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ProcessError, match=f"port {port} is taken by .*{os.getpid()}"):
            await runner.start(service(WEB, port=port))
    assert (await runner.start(service(WEB, port=port))).ports == [port]


async def test_stopping_leaves_nothing_behind(runner: LocalRunner, tmp_path: Path) -> None:
    """Children, daemons that left the group, and those deaf to SIGTERM all end with it."""
    pids = tmp_path / "pids"
    starts_others = script(
        """
        import signal
        def note():
            with open(sys.argv[2], "a") as file: file.write(f"{os.getpid()}\\n")
        note()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN); note(); time.sleep(600)
        if os.fork() == 0:
            os.setsid()
            if os.fork(): os._exit(0)
            signal.signal(signal.SIGTERM, signal.SIG_IGN); note(); time.sleep(600)
        server.serve_forever()
        """,
        str(pids),
    )
    group = await runner.start(service(starts_others, stop_grace_seconds=1))
    assert wait_until(lambda: pids.read_text().count("\n") == 3)
    started = [int(pid) for pid in pids.read_text().split()]
    await runner.act(group.id, "stop")
    assert not any(is_alive(pid) for pid in started)


async def test_it_is_asked_before_it_is_made_to_stop(runner: LocalRunner) -> None:
    """SIGTERM comes first, and what it does then is waited for within its grace."""
    polite = script(
        """
        import signal
        def leave(*_): print("saved", flush=True); os._exit(0)
        signal.signal(signal.SIGTERM, leave)
        server.serve_forever()
        """
    )
    group = await runner.start(service(polite, ready_path="/"))
    await runner.act(group.id, "stop")
    assert (await printed(runner))[-1] == "saved"


def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    """SIGKILL of whoever runs the processes ends them with their children."""
    owner = subprocess.Popen(
        [PYTHON, "-c", _OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    started = [int(pid) for pid in owner.stdout.readline().split()]
    assert len(started) == 2
    assert all(map(is_alive, started))
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert all_ended(started)


_OWNER = """
import asyncio, pathlib, sys
from jupyter_tensorone_proxy.stacks.processes.local import LocalRunner
from jupyter_tensorone_proxy.stacks.processes.spec import ProcessSpec
code = ("import os, sys, time, http.server\\nif os.fork() == 0: time.sleep(600)\\n"
        "http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]))")
async def main():
    runner = LocalRunner(pathlib.Path(sys.argv[1]) / "output", None)
    spec = ProcessSpec(stack="s", name="n", command=[sys.executable, "-c", code, "{port}"])
    pid = (await runner.start(spec)).replicas[0].pid
    child = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    print(pid, child, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_a_killed_guardian_takes_the_service_along(runner: LocalRunner) -> None:
    """Nobody then watches over the service, so it ends, and both are started again."""
    before = (await runner.start(service(WEB, ready_path="/"))).replicas[0]
    assert before.pid is not None
    os.kill(psutil.Process(before.pid).ppid(), signal.SIGKILL)

    async def is_back() -> bool:
        (replica,) = (await group_of(runner)).replicas
        return replica.state == "running" and replica.pid != before.pid

    assert await soon(is_back)
    assert not is_alive(before.pid)


async def test_what_is_just_starting_can_be_stopped(runner: LocalRunner) -> None:
    """Nobody has to wait until a start gives up."""
    idles = [PYTHON, "-c", "import time; time.sleep(600)"]
    starting = asyncio.create_task(runner.start(service(idles, ready_timeout_seconds=600)))

    async def begun() -> bool:
        groups = await runner.list_groups()
        return any(replica.pid for group in groups for replica in group.replicas)

    assert await soon(begun)
    await runner.act((await group_of(runner)).id, "stop")
    with pytest.raises(ProcessError):
        await starting
    assert (await group_of(runner)).replicas[0].pid is None


async def test_a_service_that_is_not_known_is_told(runner: LocalRunner) -> None:
    """Neither its log nor a change of it is made up."""
    with pytest.raises(NotFoundError):
        await runner.act("svc_0", "stop")
    with pytest.raises(NotFoundError):
        await runner.log("svc_0", lines=1, replica=0)
    group = await runner.start(service(WEB))
    with pytest.raises(NotFoundError, match="no replica 5"):
        await runner.log(group.id, lines=1, replica=5)


async def test_a_named_port_that_changes_moves_the_service(runner: LocalRunner) -> None:
    """The process ends on the old port when it runs on the new one."""
    first = await runner.start(service(WEB, port=free_port()))
    spec = service(WEB, port=free_port())
    await runner.start(spec)
    await runner.settle(spec)
    assert (await group_of(runner)).ports == [spec.port]
    assert not answers(first.port)


@pytest.mark.parametrize(
    "name",
    ["environment", "placeholders", "replica", "run", "scaling", "spec", "states"],
)
def test_the_examples_are_true(name: str) -> None:
    """Examples in the documentation of these modules give what they say."""
    module = importlib.import_module(f"jupyter_tensorone_proxy.stacks.processes.{name}")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert (result.attempted > 0, result.failed) == (True, 0)
