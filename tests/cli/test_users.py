"""`users`: people and programs that sign in by a token of their own."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.cli import main
from tests.fixtures.ana import ExposeMine
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.pseudo_terminal import on_terminal
from tests.fixtures.terminal import COMMAND, run_json, run_process


def _status(gateway: RunningGateway, url: str, token: str) -> int:
    with gateway.visitor(headers={"authorization": f"Bearer {token}"}) as program:
        answer: httpx.Response = program.get(url)
        return answer.status_code


def test_a_program_signs_in_with_the_token_it_was_given(
    gateway: RunningGateway, expose_mine: ExposeMine, capsys: pytest.CaptureFixture[str]
) -> None:
    """`users add` answers a token that opens what is shared with that name."""
    shared = expose_mine("shared", ("ana", "bot"))
    user = run_json(capsys, "users", "add", "bot")
    assert _status(gateway, shared.url, user["token"]) == 200
    assert shared.service.seen[-1].values("x-forwarded-user") == ["bot"]


def test_a_token_is_shown_once(gateway: RunningGateway, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal on a line of its own; the list only says that there is one."""
    screen = on_terminal("users", "add", "shown")
    lines = screen.text.split("\n")
    assert lines[0] == "shown signs in with this token; it is shown only now."
    token = lines[2].strip()
    assert token.startswith("eyJ")
    assert main(["users"]) == 0
    listed = capsys.readouterr().out
    assert "shown  yes    yes" in listed
    assert token not in listed + str(run_json(capsys, "users"))


def test_a_pipe_gets_the_token_alone(gateway: RunningGateway) -> None:
    """`users add bot | kubectl create secret …` hands over nothing but the token."""
    done = run_process(*COMMAND, "users", "add", "piped", **os.environ)
    (token,) = done.stdout.splitlines()
    assert token.startswith("eyJ")
    assert "piped signs in with this token" in done.stderr
    assert token not in done.stderr


def test_a_token_can_be_saved_unseen(
    gateway: RunningGateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--save FILE`: for this user alone, whatever the umask, and not on the screen."""
    file = tmp_path / "token"
    file.write_text("an old one, for all to read")
    file.chmod(0o644)
    before = os.umask(0)
    try:
        assert main(["users", "add", "saved", "--save", str(file)]) == 0
    finally:
        os.umask(before)
    captured = capsys.readouterr()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("eyJ")
    assert "eyJ" not in captured.out + captured.err
    assert list(tmp_path.iterdir()) == [file]
    saved = run_json(capsys, "users", "rotate", "saved", "--save", str(file))
    assert (saved["saved_to"], "token" in saved) == (str(file), False)


@pytest.mark.parametrize("where", ["no/such/folder/token", "."])
def test_a_token_that_cannot_be_saved_is_not_made(
    gateway: RunningGateway,
    client: ProxyClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    where: str,
) -> None:
    """The file is tried before the token is made: none is lost."""
    assert main(["users", "add", "unsaved", "--save", str(tmp_path / where)]) == 1
    assert "Choose another --save." in capsys.readouterr().err
    assert "unsaved" not in [user.name for user in client.list_users()]


@pytest.mark.parametrize("variable", ["JPY_PARENT_PID", "TENSORONE_KERNEL_ID"])
def test_r13_a_cell_that_runs_the_command_shows_no_token(
    gateway: RunningGateway,
    client: ProxyClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
) -> None:
    """`!jupyter tensorone users add` in a notebook is refused before a token is made."""
    monkeypatch.setenv(variable, "1")
    for action in ("add", "rotate"):
        assert main(["users", action, "celled"]) == 2
        error = capsys.readouterr().err
        assert "would be saved with this notebook" in error
        assert f"`users {action} celled --save FILE`" in error
    assert "celled" not in [user.name for user in client.list_users()]


def test_a_rotated_token_replaces_the_one_before(
    gateway: RunningGateway, expose_mine: ExposeMine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new one is good at once, the old one no more."""
    shared = expose_mine("shared", ("rotated",))
    old = run_json(capsys, "users", "add", "rotated")["token"]
    new = run_json(capsys, "users", "rotate", "rotated")["token"]
    assert _status(gateway, shared.url, new) == 200
    assert wait_until(lambda: _status(gateway, shared.url, old) == 401, seconds=5)


def test_a_disabled_user_is_kept_out_until_enabled(
    gateway: RunningGateway, expose_mine: ExposeMine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their token is refused meanwhile; enabling lets them get a new one."""
    shared = expose_mine("shared", ("naughty",))
    token = run_json(capsys, "users", "add", "naughty")["token"]
    assert main(["users", "disable", "naughty"]) == 0
    assert "`users enable naughty` lets them in again." in capsys.readouterr().out
    assert wait_until(lambda: _status(gateway, shared.url, token) == 401, seconds=5)
    assert main(["users"]) == 0
    assert "no: disabled" in capsys.readouterr().out
    assert main(["users", "enable", "naughty"]) == 0
    assert capsys.readouterr().out == "naughty may sign in again.\n"
    again = run_json(capsys, "users", "rotate", "naughty")["token"]
    assert _status(gateway, shared.url, again) == 200


@pytest.mark.parametrize(("answer", "gone"), [("yes", True), ("n", False)])
def test_on_a_terminal_removing_asks_first(
    gateway: RunningGateway, client: ProxyClient, answer: str, *, gone: bool
) -> None:
    """It cannot be undone: yes removes, no leaves all as it was."""
    name = f"asked-{answer}"
    client.create_user(name)
    screen = on_terminal("users", "remove", name, answer=answer)
    assert f"The token, the links and the sessions of {name} end. Go on? [y/N]" in screen.text
    assert screen.code == (0 if gone else 1)
    assert (name not in [user.name for user in client.list_users()]) == gone


def test_yes_is_said_beforehand(gateway: RunningGateway, client: ProxyClient) -> None:
    """With `--yes`, and where no terminal could answer, nothing is asked."""
    for name in ("asked-not", "piped-not"):
        client.create_user(name)
    assert on_terminal("users", "remove", "asked-not", "--yes").code == 0
    done = subprocess.run(
        [*COMMAND, "users", "remove", "piped-not"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert not {"asked-not", "piped-not"} & {user.name for user in client.list_users()}


@pytest.mark.parametrize("action", ["rotate", "disable", "enable", "remove"])
def test_somebody_unknown_is_an_error(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    """A typing error changes nobody, and says where the names are."""
    assert main(["users", action, "nobody-here"]) == 1
    assert "nobody-here" in capsys.readouterr().err


def test_adding_somebody_twice_is_an_error(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their token stays good; rotating is another verb."""
    run_json(capsys, "users", "add", "twice")
    assert main(["users", "add", "twice"]) == 1
    assert "rotate" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["add"], ["remove"], ["ad", "ben"], ["add", ""]])
def test_words_that_are_no_action_or_nobody_are_refused(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """What cannot be understood is not guessed at."""
    assert main(["users", *words]) == 2
    assert "users" in capsys.readouterr().err
