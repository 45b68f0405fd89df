"""`jupyter tensorone trust` where something is missing or wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy.cli import main
from jupyter_tensorone_proxy.commands.grammar import parse
from jupyter_tensorone_proxy.errors import UsageError
from tests.fixtures.certificates import CompanyAuthority
from tests.fixtures.services.processes import program
from tests.fixtures.terminal import COMMAND, run_json, run_process
from tests.fixtures.trust_stores import BROWSERS, Home
from tests.tls.conftest import ca_of


def without_certutil(directory: Path, *programs: str) -> str:
    """Return a PATH that has only these programs."""
    directory.mkdir()
    for name in programs:
        (directory / name).symlink_to(program(name))
    return str(directory)


def test_without_certutil_the_steps_are_told_and_they_work(home: Home, tmp_path: Path) -> None:
    """The exit code says that something is left to do; running the steps does it."""
    home.add_firefox()
    nowhere = without_certutil(tmp_path / "bin")
    done = run_process(*COMMAND, *BROWSERS, "--yes", "--json", PATH=nowhere)
    assert done.returncode == 1
    stores = json.loads(done.stdout)["stores"]
    assert [store["state"] for store in stores] == ["not trusted", "unknown"]
    assert all("libnss3-tools" in store["problem"] for store in stores)
    for step in [step for store in stores for step in store["steps"]]:
        subprocess.run(["/bin/sh", "-ec", step], check=True)
    shown = json.loads(run_process(*COMMAND, *BROWSERS, "--show", "--json").stdout)
    assert [store["state"] for store in shown["stores"]] == ["trusted", "trusted"]


def test_a_store_that_fails_does_not_keep_the_others_from_working(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """What certutil said is told with the steps; the other browser trusts the CA."""
    firefox = home.add_firefox()
    (firefox / "cert9.db").write_bytes(b"no database")
    assert main([*BROWSERS, "--yes"]) == 1
    text = capsys.readouterr().out
    assert "By hand:" in text
    assert "failed: certutil:" in text
    assert home.trusted(home.chromium) == [ca_of(home)]


def test_a_browser_that_was_never_started_gets_its_store(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chrome is on the PATH, and there is no ~/.pki yet: the store is made, and is private."""
    for directory in (home.chromium, home.chromium.parent):
        directory.rmdir()
    path = without_certutil(tmp_path / "bin", "certutil", "mkdir")
    monkeypatch.setenv("PATH", path)
    assert run_json(capsys, *BROWSERS, "--remove", "--yes")["stores"] == []
    chrome = Path(path) / "google-chrome"
    chrome.touch(mode=0o755)
    run_json(capsys, *BROWSERS, "--yes")
    assert home.trusted(home.chromium) == [ca_of(home)]
    assert home.chromium.stat().st_mode & 0o777 == 0o700


def test_without_any_store_it_says_what_to_do_elsewhere(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a server without browsers: exit code 1, and how to trust it where the browser is."""
    for directory in (home.chromium, home.chromium.parent):
        directory.rmdir()
    monkeypatch.setenv("PATH", without_certutil(tmp_path / "bin"))
    assert main([*BROWSERS, "--yes"]) == 1
    text = capsys.readouterr().out
    assert "No trust store was found" in text
    assert "jupyter tensorone trust --ca-file FILE" in text


def _no_file(home: Home) -> None:
    (home.state / "ca.pem").unlink()


def _with_key(home: Home) -> None:
    both = (home.state / "ca.pem").read_bytes() + (home.state / "ca.key").read_bytes()
    (home.state / "ca.pem").write_bytes(both)


def _a_servers(home: Home) -> None:
    chain = CompanyAuthority(home.path / "company").issue("localhost").chain
    own = chain[: chain.index("-----BEGIN", 1)]
    (home.state / "ca.pem").write_text(own)


def _two(home: Home) -> None:
    (home.state / "ca.pem").write_bytes((home.state / "ca.pem").read_bytes() * 2)


def _rubbish(home: Home) -> None:
    (home.state / "ca.pem").write_bytes(b"\x30\x82")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_no_file, "Start the gateway once"),
        (_with_key, "holds a private key"),
        (_a_servers, "is not a CA's"),
        (_two, "holds 2 certificates"),
        (_rubbish, "holds no certificates"),
    ],
)
def test_what_is_no_ca_is_refused(
    home: Home, capsys: pytest.CaptureFixture[str], spoil: Any, reason: str
) -> None:
    """Exit code 4, the file's name and the way out; no store is touched."""
    spoil(home)
    assert main([*BROWSERS, "--yes"]) == 4
    said = capsys.readouterr().err
    assert str(home.state / "ca.pem") in said
    assert reason in said
    assert not (home.chromium / "cert9.db").exists()


SPY = """
import sys
from jupyter_tensorone_proxy.cli import main
def spy(event, arguments):
    if event in {"open", "subprocess.Popen"}:
        print(event, arguments[:2], file=sys.stderr)
sys.addaudithook(spy)
sys.exit(main(sys.argv[1:]))
"""


def test_r48_private_keys_are_never_touched(home: Home) -> None:
    """Nothing opens the CA's key nor hands its name to a program, and it is not needed."""
    done = run_process(sys.executable, "-c", SPY, *BROWSERS, "--yes")
    assert done.returncode == 0
    assert "ca.pem" in done.stderr
    assert "ca.key" not in done.stderr
    assert "PRIVATE" not in done.stdout + done.stderr
    (home.state / "ca.key").unlink()
    assert run_process(*COMMAND, *BROWSERS, "--remove", "--yes").returncode == 0


@pytest.mark.parametrize("words", [["trust"], ["trust", "--show"]])
def test_a_notebook_has_no_such_verb(words: Sequence[str]) -> None:
    """What a machine trusts is not changed from a cell."""
    with pytest.raises(UsageError, match="no such verb"):
        parse(words, rim="magic")


def test_show_and_remove_exclude_each_other() -> None:
    """One of the two may be said."""
    with pytest.raises(UsageError, match="not allowed with"):
        parse(["trust", "--show", "--remove"], rim="cli")
