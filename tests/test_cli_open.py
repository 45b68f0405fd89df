"""`jupyter tensorone open`: the link reaches the browser, and nobody else."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from jupyter_tensorone_proxy.cli import main
from tests.fixtures.fake_api import LINK_TOKEN, FakeApi
from tests.fixtures.terminal import COMMAND, run_json, run_process


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make the default browser a program that notes its command line in the returned file."""
    notes = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {notes}\n')
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    return notes


def test_open_hands_the_link_to_the_browser_unseen(served_api: FakeApi, opened: Path) -> None:
    """The one-time link is neither printed nor in the browser's arguments, and its file is mine."""
    served_api.add(6006)
    done = run_process(*COMMAND, "open", "6006")
    assert (done.returncode, done.stderr) == (0, "")
    arguments = opened.read_text()
    assert LINK_TOKEN not in done.stdout + arguments
    page = Path(unquote(urlsplit(arguments.strip()).path))
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert f"url=https://localhost:32001/.tensorone/link?token={LINK_TOKEN}" in page.read_text()


def test_open_without_links_opens_the_address(served_api: FakeApi, opened: Path) -> None:
    """Against a server without links the mapping's own address is opened."""
    served_api.extensions = ()
    served_api.add(6006)
    assert run_process(*COMMAND, "open", "6006").returncode == 0
    assert opened.read_text() == "https://localhost:32001\n"


def test_open_print_prints_the_link_alone(
    served_api: FakeApi, opened: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that asks for the link gets it, and no browser opens."""
    served_api.add(6006)
    link = f"https://localhost:32001/.tensorone/link?token={LINK_TOKEN}"
    assert main(["open", "6006", "--print"]) == 0
    assert capsys.readouterr().out == f"{link}\n"
    printed = run_json(capsys, "open", "6006", "--print")
    assert (printed["url"], printed["one_time"]) == (link, True)
    assert not opened.exists()


def test_open_of_what_no_browser_can_open_is_refused(served_api: FakeApi, opened: Path) -> None:
    """A raw port has an address but no page."""
    served_api.add(5432, app_protocol="tcp", url="tls://localhost:32001")
    done = run_process(*COMMAND, "open", "5432")
    assert done.returncode == 1
    assert "Its address is tls://localhost:32001." in done.stderr
    assert not opened.exists()


def test_open_without_a_browser_says_so(served_api: FakeApi, tmp_path: Path) -> None:
    """On a machine without a browser the way out is named."""
    served_api.add(6006, access_control={"public_access": True})
    browserless = {"BROWSER": "", "DISPLAY": "", "WAYLAND_DISPLAY": "", "PATH": str(tmp_path)}
    done = run_process(*COMMAND, "open", "6006", **browserless)
    assert done.returncode == 1
    assert "--print" in done.stderr
