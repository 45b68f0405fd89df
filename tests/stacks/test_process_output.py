"""What a service is started with, and what becomes of what it prints."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from jupyter_tensorone_proxy import ProcessError
from jupyter_tensorone_proxy.stacks.processes.folder import short_path
from jupyter_tensorone_proxy.stacks.processes.local import LocalRunner
from jupyter_tensorone_proxy.stacks.processes.output import LIMIT_BYTES, OutputLog
from tests.fixtures.runner import (
    WEB,
    printed,
    script,
    service,
    soon,
)

pytestmark = pytest.mark.anyio


def test_a_socket_may_be_deep_in_the_tree(tmp_path: Path) -> None:
    """A path that is too long for a unix socket is lent in a short form, to both ends."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    with short_path(folder / "s") as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with short_path(folder / "s") as again, socket.socket(socket.AF_UNIX) as client:
            client.connect(again)
    assert (folder / "s").is_socket()


def names_below(directory: Path) -> list[str]:
    """Return the name of everything in a directory."""
    return sorted(path.name for path in directory.rglob("*"))


async def test_r23_names_never_become_paths(runner: LocalRunner, tmp_path: Path) -> None:
    """Whatever a service and its stack are called, output stays in its folder."""
    await runner.start(service(WEB, name="../../outside", stack="/etc/x"))
    assert [name[:4] for name in names_below(tmp_path)] == ["outp", "svc_"]


async def test_placeholders_are_filled_in(runner: LocalRunner, tmp_path: Path) -> None:
    """Port, replica and name in the command, the environment and the folder; no shell sees it."""
    for replica in range(2):
        (tmp_path / f"web-{replica}").mkdir()
    tells = script(
        "print(sys.argv[2], os.environ['WHO'], os.getcwd(), flush=True); server.serve_forever()",
        "{replica}:{port} $HOME; echo `id` {{port}}",
    )
    group = await runner.start(
        service(tells, replicas=2, env={"WHO": "{name}"}, cwd=str(tmp_path / "{name}-{replica}"))
    )
    for number, port in enumerate(group.ports):
        (line, *_) = await printed(runner, replica=number)
        folder = tmp_path / f"web-{number}"
        assert line == f"{number}:{port} $HOME; echo `id` {{port}} web {folder}"


async def test_a_missing_folder_is_told(runner: LocalRunner, tmp_path: Path) -> None:
    """A folder that is not there is named, and nothing is started."""
    with pytest.raises(ProcessError, match=r"there is no folder .*nowhere"):
        await runner.start(service(WEB, cwd=str(tmp_path / "nowhere")))


async def test_r16_the_process_knows_no_key_and_no_token(
    runner: LocalRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the API key nor Jupyter's token is in its environment or its command."""
    for name in ("TENSORONE_API_KEY", "JUPYTER_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN"):
        monkeypatch.setenv(name, "t0ps3cret")
    monkeypatch.setenv("HARMLESS", "kept")
    group = await runner.start(service(WEB))
    process = Path(f"/proc/{group.replicas[0].pid}")
    seen = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    assert b"t0ps3cret" not in seen
    assert b"HARMLESS=kept" in seen


async def test_a_line_of_the_log_can_say_that_it_is_ready(runner: LocalRunner) -> None:
    """A regular expression is searched in what it prints from now on, not in older output."""
    says = script("print('model', sys.argv[2], 'loaded', flush=True); server.serve_forever()", "7")
    await runner.start(service(says, ready_log="model [0-9]+ loaded"))
    with pytest.raises(ProcessError, match="its log to match 'model 7'"):
        await runner.start(service([*says[:-1], "8"], ready_log="model 7", ready_timeout_seconds=1))


async def test_the_log_is_private_and_bounded(runner: LocalRunner, tmp_path: Path) -> None:
    """A service that prints without end fills two parts, which only this user can read."""
    floods = script(
        "print('x' * 99999, flush=True)\nfor i in range(60): print(i, 'y' * 60000, flush=True)\n"
        "print('done', flush=True); server.serve_forever()"
    )
    await runner.start(service(floods, ready_log="^done"))
    files = sorted((tmp_path / "output").iterdir())
    assert len(files) == 2
    for file in files:
        assert file.stat().st_size <= LIMIT_BYTES
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await printed(runner, lines=1)) == ["done"]


async def test_a_reader_can_go_on_where_it_stopped(runner: LocalRunner, tmp_path: Path) -> None:
    """Each line is read once, also over the change to a new part."""
    counts = script(
        """
        import threading
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for i in range(3000): print(i, "z" * 600, flush=True)
        print("done", flush=True); time.sleep(600)
        """
    )
    group = await runner.start(service(counts))
    seen: list[str] = []
    cursor = ""

    async def is_done() -> bool:
        nonlocal cursor
        part = await runner.log(group.id, lines=100_000, replica=0, after=cursor)
        cursor = part.cursor
        seen.extend(line.partition(" ")[0] for line in part.lines)
        return "done" in seen

    assert await soon(is_done)
    assert [line for line in seen if line.isdigit()] == [str(i) for i in range(3000)]


def test_a_log_shows_no_control_characters(tmp_path: Path) -> None:
    """Colours, cursor movements and progress bars become plain lines."""
    path = tmp_path / "log"
    path.write_bytes(b"\x1b[31mred\x1b[0m\n10%\r50%\r100%\nnul\x00\xff\nunfinished")
    assert OutputLog(path).tail(10).lines == ["red", "100%", "nul\ufffd"]
