"""`access`, `logs` and `events`: what holds for all ports, and what happened."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.cli import main
from jupyter_tensorone_proxy.models import ClusterAccess
from tests.fixtures.ana import ExposeMine, Mine, browsing
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.terminal import COMMAND, run_json


@pytest.fixture
def rules(client: ProxyClient) -> Iterator[ProxyClient]:
    """Return the client; what holds for all ports is as at first afterwards."""
    yield client
    client.update_access(**ClusterAccess().model_dump())


def test_access_says_what_holds_for_all_ports(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every rule in words, also those that rule nothing."""
    assert main(["access"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Sign-in             asked for, where a port does not say otherwise",
        "A session lives     8 h",
        "Sessions at once    100",
        "Let in              every address",
        "Kept out            no address",
        "All ports together  no limit",
        "Each person         no limit",
    ]


def test_access_changes_what_is_given_and_nothing_else(
    gateway: RunningGateway, rules: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each option is a rule; what is not on the line stays."""
    first = ["--session-timeout", "4h", "--max-sessions", "5", "--no-default-sign-in"]
    lists = ["--allow-ip", "127.0.0.0/8", "--allow-ip", "::1", "--block-ip", "127.0.0.9"]
    limits = ["--global-limit", "600", "--user-limit", "60"]
    headers = ["--hsts", "--frame-options", "DENY", "--content-security-policy", "default-src *"]
    for words in (first, lists, limits, headers):
        run_json(capsys, "access", *words)
    access = rules.get_proxy().access_control
    assert access is not None
    assert access.to_wire() == {
        "default_authentication": False,
        "session_timeout_minutes": 240,
        "max_concurrent_sessions": 5,
        "ip_whitelist": ["127.0.0.0/8", "::1"],
        "blocked_ips": ["127.0.0.9"],
        "rate_limiting": {
            "global_limit": {"requests_per_minute": 600},
            "per_user_limit": {"requests_per_minute": 60},
        },
        "security_headers": {
            "hsts_enabled": True,
            "x_frame_options": "DENY",
            "content_security_policy": "default-src *",
        },
    }


def test_access_takes_limits_and_addresses_away(
    gateway: RunningGateway, rules: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """`none` lifts a limit and empties a list; the other limit stays."""
    run_json(capsys, "access", "--global-limit", "600", "--user-limit", "60")
    run_json(capsys, "access", "--allow-ip", "127.0.0.0/8", "--block-ip", "10.0.0.1")
    changed = run_json(
        capsys, "access", "--global-limit", "none", "--allow-ip", "none", "--block-ip", "none"
    )
    assert changed["rate_limiting"] == {"per_user_limit": {"requests_per_minute": 60}}
    assert (changed["ip_whitelist"], changed["blocked_ips"]) == ([], [])


def test_no_sign_in_by_default_is_said_loudly(
    gateway: RunningGateway, rules: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """R31: whoever opens everything reads that it is open."""
    assert main(["access", "--no-default-sign-in"]) == 0
    assert "NOT asked for" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--allow-ip", "10.0.0.0/99"], ["--block-ip", "here"]])
def test_a_wrong_address_is_named(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Nothing is changed by a line with a mistake."""
    assert main(["access", *words]) == 1
    assert words[1] in capsys.readouterr().err


def _visit(gateway: RunningGateway, client: ProxyClient, mine: Mine, *paths: str) -> None:
    link = client.create_link(mine.id, user="ana")
    with browsing(gateway) as browser:
        browser.get(link.url)
        for path in paths:
            browser.get(f"{mine.url}{path}")


def test_logs_show_requests_the_newest_last(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """When, which port, how it was answered, what was asked for, by whom; without queries."""
    _visit(gateway, client, mine, "/status/404", "/status/500", "/last?secret=1")
    found = wait_until(lambda: len(run_json(capsys, "logs", mine.port)) >= 5)
    assert found
    assert main(["logs", mine.port]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["TIME", "PORT", "STATUS", "METHOD", "PATH", "MS", "USER", "FROM"]
    words = lines[-1].split()
    datetime.strptime(f"{words[0]} {words[1]}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - local
    assert words[2:6] == [mine.port, "200", "GET", "/last"]
    assert words[7:] == ["ana", "127.0.0.1"]
    assert "secret" not in "".join(lines)


def test_logs_are_narrowed(
    gateway: RunningGateway,
    expose_mine: ExposeMine,
    client: ProxyClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By port, by status or class of them, by age, by number."""
    board, other = expose_mine("board"), expose_mine("other")
    _visit(gateway, client, board, "/status/404", "/status/500", "/fine")
    _visit(gateway, client, other, "/elsewhere")

    def paths(*words: str) -> list[str]:
        return [entry["path"] for entry in run_json(capsys, "logs", *words)]

    assert wait_until(lambda: "/elsewhere" in paths(other.port))
    assert paths(board.port, "--status", "404") == ["/status/404"]
    assert paths(board.port, "--status", "5xx") == ["/status/500"]
    assert paths(board.port, "-n", "1") == ["/fine"]
    assert "/elsewhere" not in paths(board.port, "--since", "1h")
    assert set(paths(board.port, "--since", "1d")) >= {"/fine", "/status/404"}


def test_events_say_what_happened_and_who_did_it(
    gateway: RunningGateway, mine: Mine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest last, with person and path; `-n`, a port and a kind narrow them."""
    run_json(capsys, "share", mine.port, "--user", "ben", "--allow")
    assert main(["events", mine.port]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    lines = [line for line in lines if "health.changed" not in line]  # whenever that happens
    assert head.split() == ["TIME", "WHAT", "PORT", "WHO", "DETAILS"]
    assert [line.split()[2] for line in lines] == ["port.created", "port.updated", "link.created"]
    assert f"{mine.port}  ana (cli)" in lines[-1]
    assert "user=ben" in lines[-1]
    for words, actions in (
        (["--action", "port.", "-n", "1"], ["port.updated"]),
        (["--action", "port.", "-n", "2"], ["port.created", "port.updated"]),
        (["--action", "port.updated"], ["port.updated"]),
    ):
        found = run_json(capsys, "events", mine.port, *words)
        assert [event["action"] for event in found] == actions


def test_events_of_a_port_that_is_gone_tell_its_number(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was deleted has no mapping to look at; the event has it."""
    other = client.create_port(internal_port=4321, description="short-lived")
    client.delete_port(other.id)
    assert main(["events", "--action", "port.deleted", "-n", "1"]) == 0
    assert " 4321  " in capsys.readouterr().out


def test_events_are_exported_as_json_lines(
    gateway: RunningGateway, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them, one object a line, in order; `-n` only the last."""
    for number in range(60):
        client.create_user(f"exported-{number}")
    assert main(["events", "--json-lines"]) == 0
    exported: list[dict[str, Any]] = [
        json.loads(line) for line in capsys.readouterr().out.splitlines()
    ]
    assert [event["id"] for event in exported] == sorted(event["id"] for event in exported)
    assert exported == [event.to_wire() for event in client.list_events(limit=1000)]
    assert len(exported) > 60
    assert main(["events", "--json-lines", "-n", "1"]) == 0
    assert json.loads(capsys.readouterr().out) == exported[-1]


@pytest.mark.parametrize("form", [[], ["--json-lines"]])
def test_events_are_followed_as_they_happen(
    gateway: RunningGateway, client: ProxyClient, form: list[str]
) -> None:
    """A change by somebody else appears by itself; Ctrl-C ends it."""
    name = f"followed-{len(form)}"
    with subprocess.Popen(
        [*COMMAND, "events", "--follow", "-n", "1", *form], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(1 if form else 2):
            process.stdout.readline()
        client.create_user(name)
        line = process.stdout.readline()
        process.send_signal(2)
        assert process.wait(60) == 130
    assert name in line
    assert form == [] or json.loads(line)["action"] == "user.added"


def test_an_endless_json_value_is_refused(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--follow --json` would never be complete; the form that can is named."""
    assert main(["events", "--follow", "--json"]) == 2
    assert "--json-lines" in capsys.readouterr().err
