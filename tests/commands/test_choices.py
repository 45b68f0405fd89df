"""What forms ask for: who can open a port, and what a changed form changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jupyter_tensorone_proxy.commands.choices import (
    ANYONE,
    CHOSEN,
    ONLY_ME,
    SIGNED_IN,
    Wish,
    access_of,
    changes_of,
    choices,
    fields_of,
    means,
    wish_of,
)
from jupyter_tensorone_proxy.commands.rows import Row, Viewer, make_row
from jupyter_tensorone_proxy.errors import UsageError
from jupyter_tensorone_proxy.models import PortMapping


def row(**fields: Any) -> Row:
    """Return a mapping as ana sees it."""
    mapping = PortMapping.from_server({"id": "port_1", "internal_port": 6006, **fields})
    return make_row(mapping, Viewer("ana"), default_authentication=True)


@pytest.mark.parametrize("choice", choices("ana"))
def test_what_is_chosen_is_what_is_read_back(choice: str) -> None:
    """A form that opens on a port says what the form before it chose."""
    wish = Wish("Runs", choice, "ben, eve" if choice == CHOSEN else "")
    access = fields_of(wish, "ana")["access_control"]
    seen = wish_of(row(description="Runs", access_control=access, health_status="healthy"))
    assert (seen.choice, seen.people) == (choice, wish.people)


def test_only_me_is_offered_to_those_who_have_a_name() -> None:
    """Without a name on the proxy nobody could be let in by it."""
    assert choices(None) == (CHOSEN, SIGNED_IN, ANYONE)
    assert choices("ana")[0] == ONLY_ME
    with pytest.raises(UsageError, match="who can open it"):
        access_of(ONLY_ME, "", None)


@pytest.mark.parametrize("people", ["", " ", ",", " , ,"])
def test_nobody_chosen_is_a_mistake_and_not_everybody(people: str) -> None:
    """An empty list of users would let in anyone who signs in."""
    with pytest.raises(UsageError, match="at least one person"):
        access_of(CHOSEN, people, "ana")


def test_r31_every_choice_says_whether_sign_in_is_asked_for() -> None:
    """Only one of them is public, whatever the cluster's default is."""
    asks = {
        choice: access_of(choice, "ben", "ana")["authentication_required"]
        for choice in choices("ana")
    }
    assert asks == {ONLY_ME: True, CHOSEN: True, SIGNED_IN: True, ANYONE: False}
    assert "without signing in" in means(ANYONE, "", "ana")


def test_an_unchanged_form_changes_nothing() -> None:
    """Saving a form that was only looked at is no change."""
    wish = wish_of(row(access_control={"allowed_users": ["ana"], "rate_limit": {}}))
    assert changes_of(wish, wish, "ana") == {}


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"name": " Runs "}, {"description": "Runs"}),
        ({"name": " "}, {}),
        ({"health_path": "/up"}, {"health_check": {"enabled": True, "path": "/up"}}),
        ({"interval_seconds": 5}, {"health_check": {"enabled": True, "interval_seconds": 5}}),
        ({"checked": False, "health_path": "/up"}, {"health_check": {"enabled": False}}),
        (
            {"requests_per_minute": 60},
            {"access_control": {"rate_limit": {"requests_per_minute": 60}}},
        ),
    ],
)
def test_only_what_was_changed_is_asked_for(
    changed: dict[str, Any], fields: dict[str, Any]
) -> None:
    """What somebody else changed meanwhile stays as they left it."""
    before = Wish("board")
    assert changes_of(before, replace(before, **changed), "ana") == fields


def test_a_limit_and_a_path_can_be_taken_away() -> None:
    """None resets a field (RFC 7396)."""
    before = Wish("board", health_path="/up", requests_per_minute=60)
    after = replace(before, health_path="", requests_per_minute=0)
    assert changes_of(before, after, "ana") == {
        "access_control": {"rate_limit": None},
        "health_check": {"enabled": True, "path": None},
    }


def test_a_check_that_was_off_is_switched_on() -> None:
    """Ticking the box is enough."""
    before = wish_of(row(health_status="disabled"))
    assert not before.checked
    assert changes_of(before, replace(before, checked=True), "ana") == {
        "health_check": {"enabled": True}
    }


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ("ben", "Only ben can open it."),
        ("ben, ana", "Only you and ben can open it."),
        ("eve,ben,ana", "Only you, eve and ben can open it."),
        ("", "Say who: names, separated by commas."),
        ("ev\u202ee", "Only eve can open it."),
    ],
)
def test_a_choice_is_said_in_a_sentence(people: str, said: str) -> None:
    """Before anything happens it is said what it will mean."""
    assert means(CHOSEN, people, "ana") == said


def test_a_servers_odd_values_do_not_break_the_form() -> None:
    """What a newer server says of access, health and limits is left alone."""
    odd = row(access_control="open", health_check="often", health_status="dreaming", description=7)
    assert wish_of(odd).interval_seconds == 30
    assert wish_of(row(access_control={"rate_limit": "some"})).requests_per_minute == 0
