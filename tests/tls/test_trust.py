"""`jupyter tensorone trust`: into browsers' stores and out again, by the real certutil."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from jupyter_tensorone_proxy.cli import main
from jupyter_tensorone_proxy.gateway.authority import LocalAuthority
from tests.fixtures.pseudo_terminal import on_terminal
from tests.fixtures.terminal import COMMAND, run_json, run_process
from tests.fixtures.trust_stores import BROWSERS, Home
from tests.tls.conftest import ca_of


def files_below(directory: Path) -> dict[Path, bytes]:
    """Return every file with its contents."""
    return {file: file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def test_show_tells_what_the_ca_is_and_changes_nothing(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Name, fingerprint, validity, whom it can vouch for, and each store with its steps."""
    before = files_below(home.path)
    shown = run_json(capsys, *BROWSERS, "--show")
    ca = ca_of(home)
    assert shown["sha256"] == ca.fingerprint(hashes.SHA256()).hex(":").upper()
    assert f"CN={shown['subject']}" == ca.subject.rfc4514_string()
    assert shown["valid_until"] == ca.not_valid_after_utc.isoformat()
    assert shown["vouches_for"] == ["localhost", "127.0.0.0/8", "::1/128"]
    assert shown["file"] == str(home.state / "ca.pem")
    assert [(s["location"], s["state"]) for s in shown["stores"]] == [
        (str(home.chromium), "not trusted")
    ]
    assert main([*BROWSERS, "--show"]) == 0
    text = capsys.readouterr().out
    assert shown["sha256"] in text
    assert all(step in text for step in shown["stores"][0]["steps"])
    assert files_below(home.path) == before


def test_trust_goes_into_every_browser_and_out_again(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Chromium's store is made, each Firefox profile is found; twice is as good as once."""
    firefox = home.add_firefox()
    for _ in range(2):
        told = run_json(capsys, *BROWSERS, "--yes")
        assert {store["state"] for store in told["stores"]} == {"trusted"}
        assert {store["location"] for store in told["stores"]} == {
            str(home.chromium),
            str(firefox),
        }
        assert home.trusted(home.chromium) == home.trusted(firefox) == [ca_of(home)]
    told = run_json(capsys, *BROWSERS, "--remove", "--yes")
    assert {store["state"] for store in told["stores"]} == {"not trusted"}
    assert home.trusted(home.chromium) == home.trusted(firefox) == []


def test_a_ca_that_was_made_anew_replaces_the_one_before(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """With another name to vouch for it is shown as older, and one certificate is left."""
    run_json(capsys, *BROWSERS, "--yes")
    LocalAuthority(home.state, ["nb.lab.example"])
    shown = run_json(capsys, *BROWSERS, "--show")
    assert [store["state"] for store in shown["stores"]] == ["older"]
    run_json(capsys, *BROWSERS, "--yes")
    assert home.trusted(home.chromium) == [ca_of(home)]
    LocalAuthority(home.state, ["other.lab.example"])
    run_json(capsys, *BROWSERS, "--remove", "--yes")
    assert home.trusted(home.chromium) == []


def test_two_gateways_are_trusted_side_by_side(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A colleague's CA comes from a file; removing one leaves the other."""
    (tmp_path / "colleague").mkdir()
    LocalAuthority(tmp_path / "colleague", ["localhost"])
    file = str(tmp_path / "colleague" / "ca.pem")
    run_json(capsys, *BROWSERS, "--yes")
    told = run_json(capsys, *BROWSERS, "--ca-file", file, "--yes")
    assert told["file"] == file
    assert len(home.trusted(home.chromium)) == 2
    run_json(capsys, *BROWSERS, "--ca-file", file, "--yes", "--remove")
    assert home.trusted(home.chromium) == [ca_of(home)]


@pytest.mark.parametrize(("answer", "code", "count"), [("y", 0, 1), ("n", 1, 0), ("", 1, 0)])
def test_on_a_terminal_it_asks_first(home: Home, answer: str, code: int, count: int) -> None:
    """The question says whom, for which names, and where; only yes is yes."""
    screen = on_terminal(*BROWSERS, answer=answer)
    assert screen.code == code
    assert "which can vouch for localhost, 127.0.0.0/8, ::1/128, in: Chromium" in screen.text
    found = home.trusted(home.chromium) if count else []
    assert len(found) == count
    assert (home.chromium / "cert9.db").exists() is bool(count)


def test_what_is_as_wished_is_not_asked_about(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """No question where nothing would change."""
    run_json(capsys, *BROWSERS, "--yes")
    assert on_terminal(*BROWSERS).code == 0
    assert "trusted" in on_terminal(*BROWSERS).text


def test_without_a_terminal_nothing_is_changed_unless_told(home: Home) -> None:
    """A script must say --yes; else the exit code is that of a wrong command line."""
    done = run_process(*COMMAND, *BROWSERS)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert not (home.chromium / "cert9.db").exists()
