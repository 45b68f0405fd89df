"""The words of the verbs about people: durations, statuses, actions; and what is never repeated."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tensorone_proxy.commands.grammar import completions, parse
from jupyter_tensorone_proxy.commands.people_options import question
from jupyter_tensorone_proxy.errors import UsageError

SHARE = ["share", "6006", "--user", "ben"]


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("90s", 90), ("30m", 1800), ("8h", 28_800), ("1d", 86_400), ("2w", 1_209_600)],
)
def test_a_length_of_time_is_a_number_and_a_unit(word: str, seconds: int) -> None:
    """Seconds, minutes, hours, days, weeks."""
    assert parse([*SHARE, "--for", word], rim="magic").life_seconds == seconds


@pytest.mark.parametrize("word", ["8", "h", "0h", "-1h", "8 h", "1.5h", "8H", "٨h", "8hh", ""])
def test_other_lengths_of_time_are_refused(word: str) -> None:
    """The message says how one is written."""
    with pytest.raises(UsageError, match="such as 30m, 8h, 1d or 2w"):
        parse([*SHARE, f"--for={word}"], rim="cli")


@pytest.mark.parametrize("word", ["31d", "5w", "999999h"])
def test_a_link_lives_for_thirty_days_at_most(word: str) -> None:
    """What the API would refuse is refused before it is asked."""
    with pytest.raises(UsageError, match="30 days at most"):
        parse([*SHARE, "--for", word], rim="cli")


def test_a_share_is_for_somebody() -> None:
    """There is no link for nobody in particular."""
    with pytest.raises(UsageError, match="--user"):
        parse(["share", "6006"], rim="cli")


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201, "a\x1b[31m"])
def test_a_name_is_one_readable_line(name: str) -> None:
    """Nobody is called by control characters."""
    with pytest.raises(UsageError, match="1–200 characters"):
        parse(["share", "6006", f"--user={name}"], rim="cli")


@pytest.mark.parametrize(("word", "status"), [("404", 404), ("5", 5), ("5xx", 5), ("4XX", 4)])
def test_a_status_may_be_a_class(word: str, status: int) -> None:
    """Written as people write it."""
    assert parse(["logs", "--status", word], rim="cli").status == status


@pytest.mark.parametrize("word", ["6", "99", "600", "4x", "ok"])
def test_other_statuses_are_refused(word: str) -> None:
    """There is no such status."""
    with pytest.raises(UsageError, match="such as 404, or 5xx"):
        parse(["logs", "--status", word], rim="cli")


@pytest.mark.parametrize(
    "words",
    [
        ["users", "sk-12345"],
        ["users", "sk-12345", "ben"],
        ["revoke", "sk-12345"],
        [*SHARE, "--for", "sk-12345"],
        ["logs", "--status", "sk-12345"],
        ["access", "--global-limit", "sk-12345"],
        ["rotate-keys", "sk-12345"],
        ["expose", "6006", "--app-protocol", "sk-12345"],
        ["update", "6006", "--protocol", "sk-12345"],
    ],
)
def test_r49_a_word_out_of_place_is_not_repeated(words: list[str]) -> None:
    """It may be somebody's key."""
    with pytest.raises(UsageError) as caught:
        parse(words, rim="magic")
    assert "12345" not in str(caught.value)


def test_r49_a_token_on_the_line_is_refused() -> None:
    """A user's token belongs on no line either, whatever the option is called."""
    for words in (["users", "add", "ben", "--token", "x12345"], ["users", "eyJhbGci.x12345"]):
        with pytest.raises(UsageError, match="getpass") as caught:
            parse(words, rim="cli")
        assert "12345" not in str(caught.value)


def test_what_never_ends_and_what_programs_read_is_for_the_command_line() -> None:
    """A cell has neither `--follow` nor JSON nor questions; the rest is the same."""
    for words in (["events", "--follow"], ["events", "--json-lines"], ["users", "--yes"]):
        parse(words, rim="cli")
        with pytest.raises(UsageError):
            parse(words, rim="magic")


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        (["rotate-keys"], True),
        (["rotate-keys", "--overlap"], False),
        (["users", "remove", "ben"], True),
        (["users", "add", "ben"], False),
        (["users"], False),
        (["revoke", "--user", "ben"], False),
        (["unexpose", "80"], False),
    ],
)
def test_only_what_cannot_be_undone_asks(words: list[str], asks: Any) -> None:
    """A question at every step would be answered without reading it."""
    assert bool(question(parse(words, rim="cli"))) == asks


def test_verbs_and_options_are_completed() -> None:
    """TAB knows the new verbs, too."""
    assert {"share", "sessions", "revoke", "users"} <= set(completions([], ""))
    assert {"--user", "--for", "--once", "--allow"} <= set(completions(["share", "6006"], ""))
