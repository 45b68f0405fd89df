"""`run`, `stop`, `processes` and `logs --output`: one line starts and exposes a service."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_tensorone_proxy import ProcessError, ProxyClient
from jupyter_tensorone_proxy.commands.grammar import parse
from jupyter_tensorone_proxy.errors import NotFoundError, UsageError
from jupyter_tensorone_proxy.stacks.processes.folder import sockets
from tests.fixtures.gateway import RunningGateway, is_alive, wait_until
from tests.fixtures.processes import all_ended
from tests.fixtures.services.processes import need, program
from tests.fixtures.terminal import COMMAND
from tests.stacks.conftest import APPS, here_only

SITE = f"run {sys.executable} --name Site -- -m http.server {{port}} --bind 127.0.0.1"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run processes in this very process, and leave none behind."""
    with here_only(tmp_path, monkeypatch):
        yield


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Return a real IPython shell with the extension loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shell: Any = InteractiveShell()
    shell.extension_manager.load_extension("jupyter_tensorone_proxy")
    yield lambda line: shell.run_line_magic("tensorone", line)
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)  # it would run a second time, and fail


def pid_of(result: Any) -> int:
    """Return the process of what was run."""
    (replica,) = result.group.replicas
    assert replica.pid is not None
    return int(replica.pid)


def fetch(gateway: RunningGateway, proxy: ProxyClient, result: Any, path: str = "/") -> str:
    """Open what was run by a one-time link, and return the page."""
    with gateway.visitor(follow_redirects=True) as visitor:
        visitor.get(proxy.create_link(result.id, user="ana").url)
        return visitor.get(f"{result.url}{path}").raise_for_status().text


@pytest.mark.services
@pytest.mark.parametrize(
    ("line", "path", "said"),
    [
        ("run tensorboard --logdir runs", "/data/environment", "data_location"),
        ("run mlflow --workers 1 --ready 200", "/", "MLflow"),
        ("run prometheus --config.file=prometheus.yml", "/-/healthy", "Healthy"),
        (f"run fastapi --name Model -- model:app --app-dir {APPS}", "/health", "ok"),
    ],
)
def test_a_known_service_is_started_and_exposed_in_one_line(  # noqa: PLR0913, PLR0917 - fixtures
    gateway: RunningGateway, proxy: ProxyClient, shell: Any, line: str, path: str, said: str
) -> None:
    """It is for me alone, its page is its own, and `stop` ends both it and its address."""
    need("mlflow")
    program("prometheus")
    Path("prometheus.yml").write_text("scrape_configs: []\n")
    result = shell(line)
    assert (result.what, result.row.who_can_open) == ("exposed", "Only me")
    assert said in fetch(gateway, proxy, result, path)
    again = shell(line)
    assert (again.url, pid_of(again)) == (result.url, pid_of(result))
    shell(f"stop {result.mapping.internal_port}")
    assert not is_alive(pid_of(result))
    assert proxy.list_ports() == []


def test_the_card_is_that_of_expose_and_says_how_to_stop(proxy: ProxyClient, shell: Any) -> None:
    """Name, port, address, who can open it; and as JSON the processes too."""
    result = shell(SITE)
    port = result.mapping.internal_port
    assert f"%tensorone stop {port}" in result.html()
    assert result.text().startswith(f"Site  port {port} → https://localhost:")
    assert result.json()["processes"]["replicas"][0]["port"] == port
    (mapping,) = proxy.list_ports()
    assert mapping.stack == "run Site"
    assert shell(f"unexpose {port}").what == "unexposed"
    assert shell(SITE).what == "exposed"


def test_who_can_open_it_is_said_as_for_expose(proxy: ProxyClient, shell: Any) -> None:
    """What the line does not mention stays as it is."""
    shell(SITE.replace(" -- ", " --users ana,ben -- "))
    (mapping,) = proxy.list_ports()
    assert mapping.access_control is not None
    assert mapping.access_control.allowed_users == ["ana", "ben"]
    assert shell(SITE).row.who_can_open == "2 people"
    assert shell(SITE.replace(" -- ", " --public -- ")).row.who_can_open == "Public"


def test_what_runs_is_listed_shown_and_stopped(proxy: ProxyClient, shell: Any) -> None:
    """By its port or by its name; what is unknown is told with what there is."""
    assert "Nothing was started" in shell("processes").text()
    with pytest.raises(NotFoundError, match="Nothing runs"):
        shell("stop 7000")
    result = shell(SITE)
    listed = shell("processes")
    assert [r.pid for r in listed] == [pid_of(result)]
    assert "running" in listed.text()
    output = shell(f"logs {result.mapping.internal_port} --output -n 1")
    assert "127.0.0.1" in output.text()
    with pytest.raises(NotFoundError, match=r"There are Site \(2"):
        shell("stop other")
    assert "is stopped, and no longer exposed" in shell("stop site").text()
    assert proxy.list_ports() == []
    assert len(shell("processes")) == 0


def test_one_that_fails_is_told_and_nothing_is_exposed(proxy: ProxyClient, shell: Any) -> None:
    """Its last words are the error; `logs PORT --output` has all of them."""
    with pytest.raises(ProcessError, match=r"exit code 1.*no config for 2") as caught:
        shell(f"run {sys.executable} -- -c 'exit(\"no config for {{port}}\")'")
    assert proxy.list_ports() == []
    port = str(caught.value).partition("`logs ")[2].split()[0]
    assert "no config for" in shell(f"logs {port} --output").text()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("run tensorbord", "Did you mean `run tensorboard`?"),
        ("run nosuch", "Known: tensorboard, mlflow"),
        ("run dask-worker", "no such service"),
        ("run fastapi", "such as `run fastapi main:app`"),
        ("run streamlit", "such as `run streamlit app.py`"),
        ("run mlflow --port {prot}", "a port is a number"),
        ("run tensorboard --logdir {logs}", "there is no placeholder {logs}"),
        ("run tensorboard --users", "expected one argument"),
        ("logs --output", "which service?"),
    ],
)
def test_a_wrong_line_is_told(proxy: ProxyClient, shell: Any, line: str, said: str) -> None:
    """What is wrong and what to type instead; nothing is started or exposed."""
    with pytest.raises(UsageError) as caught:
        shell(line)
    assert said in str(caught.value)
    assert proxy.list_ports() == []


def test_r49_a_key_on_the_line_is_refused(shell: Any) -> None:
    """It would be saved with the notebook, and shown to whoever lists processes."""
    for line in (
        "run jupyter --IdentityProvider.token=t0ps3cret",
        "run mlflow --api-key t0ps3cret",
    ):
        with pytest.raises(UsageError, match="does not belong on a command's line") as caught:
            shell(line)
        assert "t0ps3cret" not in str(caught.value)


def test_what_is_not_installed_is_told_with_how_to_install_it(
    proxy: ProxyClient, shell: Any
) -> None:
    """VS Code Server and Grafana are used where they are, and else reported."""
    for service, said in (("vscode", "coder.com/docs/code-server"), ("grafana", "grafana.com")):
        with pytest.raises(ProcessError, match="is not installed here") as caught:
            shell(f"run {service}")
        assert said in str(caught.value)
    assert proxy.list_ports() == []


def test_words_of_the_service_are_its_own() -> None:
    """Ours are taken wherever they stand; the rest keeps its order, and -- hides all behind it."""
    line = "run mlflow --workers 4 --name M -x y --flag -- --name theirs"
    args = parse(line.split(), rim="cli")
    assert args.name == "M"
    assert args.words == ["--workers", "4", "-x", "y", "--flag", "--name", "theirs"]


# --- in a terminal --------------------------------------------------------------------------


@contextmanager
def foreground(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Type a command that stays; it is gone afterwards."""
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run_in_terminal(process: subprocess.Popen[str], proxy: ProxyClient) -> tuple[str, int]:
    """Wait until what a command runs is exposed; return its address and its process."""
    assert process.stdout is not None
    shown = json.loads(_read_json(process))
    assert wait_until(lambda: len(proxy.list_ports()) == 1)
    (replica,) = shown["processes"]["replicas"]
    return shown["url"], replica["pid"]


def _read_json(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = ""
    while not lines.endswith("\n}\n"):
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        lines += line
    return lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_runs_it_until_it_is_interrupted(
    gateway: RunningGateway, proxy: ProxyClient, number: signal.Signals
) -> None:
    """Its output is shown as it comes; then it is stopped, and no longer exposed."""
    words = [sys.executable, "--public", "--name", "Site", "--json"]
    with foreground("run", *words, "--", "-m", "http.server", "{port}") as process:
        url, pid = run_in_terminal(process, proxy)
        with gateway.visitor() as visitor:
            assert "Directory listing" in visitor.get(f"{url}/?from=test").text
        assert process.stderr is not None
        assert process.stderr.readline() == "Running until Ctrl-C.\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
        assert "GET /?from=test" in errors
    assert not is_alive(pid)
    assert proxy.list_ports() == []


@pytest.mark.usefixtures("gateway")
def test_a_killed_terminal_leaves_no_process(proxy: ProxyClient) -> None:
    """SIGKILL of the command ends what it ran."""
    words = [sys.executable, "--name", "Site", "--json", "--", "-m", "http.server", "{port}"]
    with foreground("run", *words) as process:
        _, pid = run_in_terminal(process, proxy)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert all_ended([pid])
    assert sockets() == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{proxy.list_ports()[0].internal_port}/")
    for folder in (Path("runtime")).iterdir():  # what the killed one could not remove
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


@pytest.mark.usefixtures("gateway")
def test_a_terminal_applies_a_stack_and_stays_with_it(proxy: ProxyClient, tmp_path: Path) -> None:
    """Processes of a stack run as long as the command; its mappings stay."""
    command = json.dumps([sys.executable, "-m", "http.server", "{port}"])
    (tmp_path / "tensorone.toml").write_text(
        f'name = "lab"\n[[services]]\nname = "Site"\ncommand = {command}\n'
    )
    with foreground("apply", "--json") as process:
        shown = json.loads(_read_json(process))
        (group,) = shown["processes"]
        assert group["state"] == "running"
        pid = group["replicas"][0]["pid"]
        assert process.stderr is not None
        assert process.stderr.readline() == "Running until Ctrl-C.\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert not is_alive(pid)
    assert [mapping.stack for mapping in proxy.list_ports()] == ["lab"]
