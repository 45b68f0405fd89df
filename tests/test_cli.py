"""`jupyter tensorone …`: output, errors and exit codes, and that nothing secret is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_tensorone_proxy.cli import main
from tests.fixtures.fake_api import KEY, FakeApi
from tests.fixtures.terminal import COMMAND, PROJECT, run_json, run_process


def test_a_life_of_an_exposed_port(
    served_api: FakeApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expose, list, show, update, health and unexpose, for people."""
    monkeypatch.setenv("TENSORONE_USER", "ana")
    steps = {
        "expose 6006 --name TensorBoard": (
            "TensorBoard  port 6006 → https://localhost:32001  Only me  ○ checking"
        ),
        "list": "6006  TensorBoard  Only me  ○ checking       214  https://localhost:32001",
        "update 6006 --public": "Public",
        "show 6006": "TensorBoard  port 6006",
        "health": "6006  TensorBoard  ○ checking",
        "unexpose 6006": "TensorBoard (port 6006) is no longer exposed.",
    }
    for line, expected in steps.items():
        assert main(line.split()) == 0
        captured = capsys.readouterr()
        assert expected in captured.out
        assert captured.err == ""
        assert "\x1b" not in captured.out
    assert not served_api.mappings


def test_json_is_the_contracts_form(
    served_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs read a mapping as the contract has it, with who can open it in words."""
    made = run_json(capsys, "expose", "6006", "--users", "ana,ben")
    assert made["url"] == "https://localhost:32001"
    assert made["who_can_open"] == "2 people"
    assert run_json(capsys, "list") == [run_json(capsys, "show", "6006")]
    assert run_json(capsys, "health", "6006")[0]["health_status"] == "unknown"
    status = run_json(capsys, "status")
    assert (status["source"], status["cluster_id"]) == ("environment", "cluster_abc123")
    assert KEY not in json.dumps(status)
    assert run_json(capsys, "update", "6006", "--public")["who_can_open"] == "Public"
    assert run_json(capsys, "unexpose", "6006")["id"] == made["id"]
    assert run_json(capsys, "list") == []


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (["show", "9"], 1, "PORT_NOT_FOUND"),
        (["expose", "80", "--allow-ip", "nonsense"], 1, "VALIDATION_ERROR"),
        (["expose", "80 "], 2, "USAGE"),
        (["nonsense"], 2, "USAGE"),
    ],
)
def test_errors_have_their_exit_code_and_their_json(
    served_api: FakeApi,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    name: str,
) -> None:
    """People get one line on stderr, programs one object on stderr; stdout stays empty."""
    assert main(words) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1
    assert main([*words, "--json"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    error = json.loads(captured.err)
    assert error["code"] == name
    assert {"message", "details"} <= set(error)


def test_a_refused_key_is_exit_1(
    served_api: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong key is the API's refusal, and the key is not shown."""
    monkeypatch.setenv("TENSORONE_API_KEY", "wrong-key-of-mine")
    assert main(["list"]) == 1
    captured = capsys.readouterr()
    assert "wrong-key-of-mine" not in captured.out + captured.err


def test_no_answer_is_exit_4(
    served_api: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An API that cannot be reached is told from one that refuses."""
    monkeypatch.setenv("TENSORONE_API_URL", "http://127.0.0.1:9")
    assert main(["list", "--json"]) == 4
    assert json.loads(capsys.readouterr().err)["code"] == "API_UNREACHABLE"


def test_no_configuration_is_exit_4(
    served_api: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a key and without a gateway the message says what to start or set."""
    for name in ("TENSORONE_API_KEY", "TENSORONE_API_URL", "TENSORONE_CLUSTER_ID"):
        monkeypatch.delenv(name)
    assert main(["list"]) == 4
    assert "jupyter tensorone gateway" in capsys.readouterr().err


def test_r49_a_key_on_the_command_line_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """The refusal goes to stderr without the key."""
    assert main(["list", "--api-key", "sk-12345"]) == 2
    captured = capsys.readouterr()
    assert "getpass" in captured.err
    assert "12345" not in captured.out + captured.err


def test_help_goes_to_stdout_and_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    """`-h`, and no words at all, explain."""
    assert main(["-h"]) == 0
    help_text = capsys.readouterr().out
    assert "exit codes:" in help_text
    assert main([]) == 0
    assert capsys.readouterr().out == help_text
    assert main(["expose", "-h"]) == 0
    assert "--health-path" in capsys.readouterr().out


def test_jupyter_finds_the_command(served_api: FakeApi) -> None:
    """`jupyter tensorone` is this command line; its exit code is ours."""
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    jupyter = (str(scripts / "jupyter"), "tensorone")
    made = run_process(*jupyter, "expose", "6006", "--json", PATH=path)
    assert (made.returncode, made.stderr) == (0, "")
    assert json.loads(made.stdout)["internal_port"] == 6006
    assert run_process(*jupyter, "show", "9", PATH=path).returncode == 1


def test_a_reader_that_leaves_is_no_error(served_api: FakeApi) -> None:
    """`jupyter tensorone list | head` ends quietly."""
    served_api.add(6006)
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*COMMAND, "list"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_unicode_shows_the_rest(served_api: FakeApi) -> None:
    """What the terminal's encoding lacks becomes a question mark, never an exception."""
    served_api.add(6006, description="Té")
    assert "T?" in run_process(*COMMAND, "list", PYTHONIOENCODING="ascii").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_has_colours_and_news_while_it_waits(served_api: FakeApi) -> None:
    """On a terminal, and only there, a slow call is announced and states are coloured."""
    import pty

    served_api.add(6006, health_status="healthy")
    served_api.go_on.clear()
    controller, terminal = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
    with subprocess.Popen(
        [*COMMAND, "list"], env=environ, stdout=terminal, stderr=terminal, stdin=terminal
    ) as process:
        os.close(terminal)
        screen = b""
        while "Asking what is exposed …".encode() not in screen:
            screen += os.read(controller, 4096)
        served_api.go_on.set()
        try:
            while chunk := os.read(controller, 4096):
                screen += chunk
        except OSError:  # Linux's way to say that the other side is closed
            assert process.wait(60) == 0
    os.close(controller)
    assert "\x1b[32m● healthy\x1b[0m" in screen.decode()


def test_the_gateway_verb_hands_over() -> None:
    """`jupyter tensorone gateway` reads its own words; its help names its own options."""
    done = run_process(*COMMAND, "gateway", "-h")
    assert done.returncode == 0
    assert "--state-dir" in done.stdout


def test_a_missing_gateway_extra_says_what_to_install(tmp_path: Path) -> None:
    """Without the extra's packages the message is the command that installs them."""
    words = ["gateway", "--state-dir", str(tmp_path / "state")]
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
        f"from jupyter_tensorone_proxy.cli import main; sys.exit(main({words}))"
    )
    # -S: nothing but the standard library is installed.
    done = run_process(sys.executable, "-S", "-c", code)
    assert done.returncode == 4
    assert 'pip install "jupyter-tensorone-proxy[gateway]"' in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_needs_no_http_client() -> None:
    """Help and mistakes answer at once: neither httpx nor pydantic is imported for them."""
    code = (
        "import sys; from jupyter_tensorone_proxy.cli import main; main(['expose', '-h']); "
        "print(sorted({'httpx', 'pydantic', 'tornado'} & set(sys.modules)))"
    )
    assert run_process(sys.executable, "-c", code).stdout.splitlines()[-1] == "[]"
