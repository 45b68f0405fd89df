"""What each verb sends, and what it returns."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.commands.results import OpenResult
from jupyter_tensorone_proxy.errors import (
    InvalidRequestError,
    NotSupportedError,
    PortNotFoundError,
    UsageError,
)
from tests.fixtures.fake_api import KEY, LINK_TOKEN, FakeApi
from tests.fixtures.lines import NOBODY, run


def test_expose_is_for_me_alone(client: ProxyClient, fake_api: FakeApi) -> None:
    """Without a word about people, a new mapping asks for sign-in and admits only me."""
    result = run(client, "expose 6006 --name TensorBoard")
    assert fake_api.changes == [
        (
            "POST",
            {
                "internal_port": 6006,
                "description": "TensorBoard",
                "access_control": {
                    "authentication_required": True,
                    "public_access": False,
                    "allowed_users": ["ana"],
                },
            },
        )
    ]
    assert (result.what, result.row.who_can_open) == ("exposed", "Only me")
    assert (result.url, result.id) == ("https://localhost:32001", "port_1")


def test_expose_leaves_the_default_where_nobody_said_who_i_am(
    client: ProxyClient, fake_api: FakeApi
) -> None:
    """Without TENSORONE_USER the cluster's default stands, and is what is shown."""
    fake_api.default_authentication = True
    assert run(client, "expose 6006", NOBODY).row.who_can_open == "Anyone who signs in"
    assert fake_api.changes == [("POST", {"internal_port": 6006, "description": "port 6006"})]


def test_a_cluster_without_sign_in_is_shown_as_public(
    client: ProxyClient, fake_api: FakeApi
) -> None:
    """What is open to everybody says so, also if only the cluster's default makes it so."""
    fake_api.default_authentication = False
    assert run(client, "expose 6006", NOBODY).row.who_can_open == "Public"


@pytest.mark.parametrize(
    ("option", "expected", "words"),
    [
        ("--public", (False, True, []), "Public"),
        ("--anyone-signed-in", (True, False, []), "Anyone who signs in"),
        ("--users ana,ben", (True, False, ["ana", "ben"]), "2 people"),
        ("--users ben", (True, False, ["ben"]), "1 person"),
        ("--only-me", (True, False, ["ana"]), "Only me"),
    ],
)
def test_who_can_open_it_is_said_in_full(
    client: ProxyClient, fake_api: FakeApi, option: str, expected: Any, words: str
) -> None:
    """Each choice sends all three fields, so that no earlier choice shines through."""
    fake_api.add(80, access_control={"public_access": True, "allowed_users": ["eve"]})
    names = ("authentication_required", "public_access", "allowed_users")
    for line in (f"expose 70 {option}", f"update 80 {option}"):
        result = run(client, line)
        sent = fake_api.changes[-1][1]["access_control"]
        assert tuple(sent[name] for name in names) == expected
        assert result.row.who_can_open == words


def test_every_option_becomes_its_field(client: ProxyClient, fake_api: FakeApi) -> None:
    """The options are the contract's fields under short names."""
    run(
        client,
        "expose 8000 --name API --external-port 32100 --domain api.example.com --public "
        "--health-path /up --health-interval 15 --rate-limit 500 --allow-ip 203.0.113.0/24 "
        "--allow-ip ::1 --block-ip 203.0.113.9 --app-protocol h2c --protocol tcp --force",
    )
    assert fake_api.changes[0][1] == {
        "internal_port": 8000,
        "external_port": 32100,
        "description": "API",
        "custom_domain": "api.example.com",
        "protocol": "tcp",
        "app_protocol": "h2c",
        "health_check": {"enabled": True, "path": "/up", "interval_seconds": 15},
        "access_control": {
            "authentication_required": False,
            "public_access": True,
            "allowed_users": [],
            "ip_whitelist": ["203.0.113.0/24", "::1"],
            "blocked_ips": ["203.0.113.9"],
            "rate_limit": {"requests_per_minute": 500},
        },
        "force": True,
    }


def test_a_rate_limit_alone_stays_private(client: ProxyClient, fake_api: FakeApi) -> None:
    """Access options that say nothing of people do not lose the private default."""
    assert run(client, "expose 80 --rate-limit 5").row.who_can_open == "Only me"


def test_only_me_needs_to_know_who_i_am(client: ProxyClient, fake_api: FakeApi) -> None:
    """A guess would lock somebody out or in."""
    with pytest.raises(UsageError, match="--users NAME, or set TENSORONE_USER"):
        run(client, "expose 80 --only-me", NOBODY)
    assert not fake_api.changes


def test_exposing_again_updates_what_is_given(client: ProxyClient, fake_api: FakeApi) -> None:
    """A cell that is run again changes what it names and keeps the rest, people included."""
    run(client, "expose 6006 --users ana,ben")
    again = run(client, "expose 6006 --name TensorBoard")
    assert fake_api.changes[-1] == ("PUT", {"description": "TensorBoard"})
    assert (again.what, again.row.name, again.row.who_can_open) == (
        "updated",
        "TensorBoard",
        "2 people",
    )
    assert len(fake_api.mappings) == 1


def test_exposing_again_without_options_changes_nothing(
    client: ProxyClient, fake_api: FakeApi
) -> None:
    """The default name and the default privacy are for new mappings only."""
    fake_api.add(6006, description="TensorBoard", access_control={"public_access": True})
    result = run(client, "expose 6006")
    assert (result.what, result.row.name) == ("already exposed", "TensorBoard")
    assert [method for method, _ in fake_api.changes] == ["POST"]


def test_update_of_nothing_shows_what_is(client: ProxyClient, fake_api: FakeApi) -> None:
    """`update PORT` alone sends no change."""
    fake_api.add(6006)
    assert run(client, "update 6006").what == "already exposed"
    assert not fake_api.changes


@pytest.mark.parametrize("verb", ["show", "update", "unexpose", "open", "health"])
def test_a_port_that_is_not_exposed_is_an_error_that_names_those_that_are(
    client: ProxyClient, fake_api: FakeApi, verb: str
) -> None:
    """People see what they could have meant."""
    fake_api.add(6006)
    with pytest.raises(PortNotFoundError, match=r"Port 9 is not exposed\. Exposed are: 6006\."):
        run(client, f"{verb} 9")


def test_wrong_values_are_refused_before_anything_is_sent(
    client: ProxyClient, fake_api: FakeApi
) -> None:
    """The models judge, and their message names the field."""
    with pytest.raises(InvalidRequestError, match=r"ip_whitelist.*'nonsense'"):
        run(client, "expose 80 --allow-ip nonsense")
    assert not fake_api.changes


def test_unexpose_deletes_and_says_so(client: ProxyClient, fake_api: FakeApi) -> None:
    """After `unexpose` the mapping is gone."""
    fake_api.add(6006, description="TensorBoard")
    assert run(client, "unexpose 6006").text() == "TensorBoard (port 6006) is no longer exposed."
    assert not fake_api.mappings


def test_list_is_a_table_by_port(client: ProxyClient, fake_api: FakeApi) -> None:
    """One line a mapping, with who, health, requests and address."""
    private = {"authentication_required": True, "allowed_users": ["ana"]}
    fake_api.add(6006, description="TensorBoard", health_status="healthy", access_control=private)
    fake_api.add(5000, description="MLflow", health_status="unhealthy")
    assert run(client, "list").text().splitlines() == [
        " PORT  NAME         WHO                  HEALTH       REQUESTS  URL",
        " 5000  MLflow       Anyone who signs in  ▲ unhealthy       214  https://localhost:32002",
        " 6006  TensorBoard  Only me              ● healthy         214  https://localhost:32001",
    ]


def test_an_empty_list_says_what_to_do(client: ProxyClient) -> None:
    """Nothing exposed is not an empty table."""
    result = run(client, "list")
    assert "`expose PORT`" in result.text()
    assert "`expose PORT`" in result.html()
    assert list(result) == []


def test_colors_do_not_move_the_columns(client: ProxyClient, fake_api: FakeApi) -> None:
    """With its escape codes taken out, the coloured table is the plain one."""
    fake_api.add(6006, health_status="healthy")
    fake_api.add(5000, health_status="unhealthy")
    colored = run(client, "list").text(color=True)
    assert "\x1b[32m● healthy\x1b[0m" in colored
    for code in ("\x1b[32m", "\x1b[31m", "\x1b[0m"):
        colored = colored.replace(code, "")
    assert colored == run(client, "list").text()


def test_health_tells_failures_and_the_last_check(client: ProxyClient, fake_api: FakeApi) -> None:
    """What the checks found is shown, for one port or for all."""
    check = {"enabled": True, "last_check": "2024-01-15T16:45:00Z", "consecutive_failures": 4}
    fake_api.add(6006, description="TB", health_status="unhealthy", health_check=check)
    fake_api.add(7000)
    lines = run(client, "health 6006").text().splitlines()
    assert lines[1:] == [" 6006  TB    ▲ unhealthy         4  2024-01-15 16:45:00 UTC"]
    assert [entry["internal_port"] for entry in run(client, "health").json()] == [6006, 7000]


def test_status_tells_where_everything_is_and_no_key(client: ProxyClient) -> None:
    """The address of the API and where it came from are shown, the key is not."""
    result = run(client, "status")
    assert "API      https://api.example.com (from: arguments)" in result.text()
    assert KEY not in result.text() + result.html() + str(result.json()) + repr(result)


def test_open_makes_a_one_time_link_for_me(client: ProxyClient, fake_api: FakeApi) -> None:
    """The link signs me in; neither of the result's forms shows its token."""
    fake_api.add(6006)
    result = run(client, "open 6006")
    assert isinstance(result, OpenResult)
    assert fake_api.changes[0][1]["user"] == "ana"
    assert LINK_TOKEN in str(result.url)
    shown = result.text() + result.html() + str(result.json()) + repr(result)
    assert LINK_TOKEN not in shown


def test_open_falls_back_to_the_address(client: ProxyClient, fake_api: FakeApi) -> None:
    """Against a server without links the mapping's own address is opened."""
    fake_api.extensions = ()
    fake_api.add(6006)
    assert run(client, "open 6006").url == "https://localhost:32001"


def test_open_of_a_public_mapping_needs_no_link(client: ProxyClient, fake_api: FakeApi) -> None:
    """Where nobody signs in, no credential is made."""
    fake_api.add(6006, access_control={"public_access": True})
    assert run(client, "open 6006").link is None
    assert not fake_api.changes


@pytest.mark.parametrize("line", ["expose 80 --for 8h", "update 70 --for 8h"])
def test_for_says_when_it_ends(client: ProxyClient, fake_api: FakeApi, line: str) -> None:
    """A length of time becomes the moment when it is over, and is shown."""
    fake_api.extensions = ("expiry",)
    fake_api.add(70)
    before = datetime.now(timezone.utc).replace(microsecond=0)
    result = run(client, line)
    sent = datetime.fromisoformat(fake_api.changes[-1][1]["expires_at"].replace("Z", "+00:00"))
    assert timedelta(hours=8) <= sent - before < timedelta(hours=8, minutes=5)
    until = sent.astimezone().strftime("until %Y-%m-%d %H:%M")
    assert until in result.text()
    assert until in result.html()


def test_for_ever_lifts_an_end(client: ProxyClient, fake_api: FakeApi) -> None:
    """Null is sent, which resets the field; nothing is said of an end any more."""
    fake_api.add(70, expires_at="2036-01-15T14:30:00Z")
    assert "until" in run(client, "show 70").text()
    assert "until" not in run(client, "update 70 --for ever").text()
    assert fake_api.changes[-1][1] == {"expires_at": None}


@pytest.mark.parametrize("line", ["expose 80 --for 8h", "update 70 --for 8h"])
def test_a_server_that_ends_nothing_is_not_asked_to(
    client: ProxyClient, fake_api: FakeApi, line: str
) -> None:
    """Nothing is exposed for longer than was asked for: it is refused before."""
    fake_api.add(70)
    with pytest.raises(NotSupportedError, match="does not stop exposing anything by itself"):
        run(client, line)
    assert not fake_api.changes


@pytest.mark.parametrize("word", ["8", "never", "3651d", "0h", "-1h"])
def test_for_takes_a_length_of_time(client: ProxyClient, fake_api: FakeApi, word: str) -> None:
    """What is none, or is over ten years, is refused."""
    with pytest.raises(UsageError):
        run(client, f"expose 80 --for {word}")
    assert not fake_api.changes
