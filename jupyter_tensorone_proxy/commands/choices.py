"""What a form asks for: who can open a port as one choice of four, its health check, its limit.

Front ends with forms share this: which choices there are, what a choice means in the contract's
fields and in words, and what a changed form changes. Pure.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..models import AccessControl, HealthCheck, RateLimit
from .fields import ANYONE_SIGNED_IN, PUBLIC, only
from .rows import Row, readable
from .words import names

ONLY_ME = "Only me"
CHOSEN = "People I choose"
SIGNED_IN = "Anyone who signs in"
ANYONE = "Anyone with the link"
INTERVAL_SECONDS = 30
"""How long from one health check to the next, unless somebody says otherwise (contract)."""

_WARNING = "Anyone who has this address can use it, without signing in."


@dataclass(frozen=True)
class Wish:
    """What a form says about one port.

    Args:
        name: What people see.
        choice: Who can open it: one of `choices`.
        people: Names, separated by commas; counts with `CHOSEN` only.
        checked: Whether its health is checked.
        health_path: The path that is asked; empty: a connection is tried.
        interval_seconds: From one check to the next.
        requests_per_minute: The most that are answered; 0 for no limit.
    """

    name: str = ""
    choice: str = ONLY_ME
    people: str = ""
    checked: bool = True
    health_path: str = ""
    interval_seconds: int = INTERVAL_SECONDS
    requests_per_minute: int = 0


def choices(me: str | None) -> tuple[str, ...]:
    """Return who can be chosen to open a port, the most private first.

    Args:
        me: My name on the proxy; if nobody said, "only me" cannot be meant.

    Example:
        >>> choices(None)[0]
        'People I choose'
    """
    return (*((ONLY_ME,) if me else ()), CHOSEN, SIGNED_IN, ANYONE)


def wish_of(row: Row) -> Wish:
    """Return what a form says at first about a port that is exposed.

    Args:
        row: The mapping.

    Example:
        >>> from ..models import PortMapping
        >>> from .rows import Viewer, make_row
        >>> access = AccessControl(allowed_users=["ana", "ben"])
        >>> mapping = PortMapping(id="port_1", description="Runs", access_control=access)
        >>> wish = wish_of(make_row(mapping, Viewer("ana"), default_authentication=True))
        >>> wish.choice, wish.people
        ('People I choose', 'ana, ben')
    """
    mapping = row.mapping
    access = mapping.access_control
    access = access if isinstance(access, AccessControl) else AccessControl()
    observed: Any = mapping.health_check  # of a server that may have another idea of it
    check = observed if isinstance(observed, HealthCheck) else HealthCheck()
    limit = access.rate_limit
    choice = row.who_can_open if row.who_can_open in {ONLY_ME, SIGNED_IN} else CHOSEN
    return Wish(
        name=mapping.description or "",
        choice=ANYONE if row.is_public else choice,
        people=", ".join(map(str, access.allowed_users or [])) if choice == CHOSEN else "",
        checked=mapping.health_status != "disabled" and check.enabled,
        health_path=check.path or "",
        interval_seconds=check.interval_seconds,
        requests_per_minute=limit.requests_per_minute if isinstance(limit, RateLimit) else 0,
    )


def fields_of(wish: Wish, me: str | None) -> dict[str, Any]:
    """Return the contract's fields for a port that is exposed for the first time.

    Args:
        wish: What the form says.
        me: My name on the proxy.

    Raises:
        UsageError: The form does not say for whom.

    Example:
        >>> fields_of(Wish("Runs", health_path="/up"), "ana")["health_check"]
        {'enabled': True, 'path': '/up'}
    """
    return changes_of(Wish(choice=""), wish, me)


def changes_of(before: Wish, after: Wish, me: str | None) -> dict[str, Any]:
    """Return the contract's fields that a form has changed, and no others.

    What somebody else changed meanwhile stays as they left it.

    Args:
        before: What the form said at first.
        after: What it says now.
        me: My name on the proxy.

    Raises:
        UsageError: The form does not say for whom.

    Example:
        >>> wish = Wish("Runs", checked=False)
        >>> changes_of(wish, Wish("My runs", checked=False), "ana")
        {'description': 'My runs'}
    """
    fields: dict[str, Any] = {}
    if after.name.strip() and after.name != before.name:
        fields["description"] = after.name.strip()
    access: dict[str, Any] = {}
    if (after.choice, after.people) != (before.choice, before.people):
        access |= access_of(after.choice, after.people, me)
    if after.requests_per_minute != before.requests_per_minute:
        limit = after.requests_per_minute
        access["rate_limit"] = {"requests_per_minute": limit} if limit else None
    health = _health_changes(before, after)
    return fields | ({"access_control": access} if access else {}) | health


def _health_changes(before: Wish, after: Wish) -> dict[str, Any]:
    if not after.checked:
        return {"health_check": {"enabled": False}} if before.checked else {}
    changed: dict[str, Any] = {}
    if after.health_path.strip() != before.health_path:
        changed["path"] = after.health_path.strip() or None
    if after.interval_seconds != before.interval_seconds:
        changed["interval_seconds"] = after.interval_seconds
    if changed or not before.checked:
        return {"health_check": {"enabled": True, **changed}}
    return {}


def access_of(choice: str, people: str, me: str | None) -> dict[str, Any]:
    """Return the access fields of a choice.

    Args:
        choice: One of `choices`.
        people: Names, separated by commas; for `CHOSEN`.
        me: My name on the proxy.

    Raises:
        UsageError: Nobody is named, or "only me" cannot be meant.

    Example:
        >>> access_of(CHOSEN, "ana, ben", "ana")["allowed_users"]
        ['ana', 'ben']
    """
    if choice == ANYONE:
        return dict(PUBLIC)
    if choice == SIGNED_IN:
        return dict(ANYONE_SIGNED_IN)
    if choice == ONLY_ME and me:
        return only(me)
    try:
        return only(*names(people))
    except argparse.ArgumentTypeError as error:
        raise UsageError(
            f"It is not said who can open it: {error}.",
            suggestion=f"Name them, or choose {SIGNED_IN!r}.",
        ) from None


def means(choice: str, people: str, me: str | None) -> str:
    """Say in a sentence what a choice means.

    Args:
        choice: One of `choices`.
        people: Names, separated by commas; for `CHOSEN`.
        me: My name on the proxy.

    Example:
        >>> means(ONLY_ME, "", "ana")
        'Only you can open it.'
        >>> means(CHOSEN, "ana,ben, eve", "ana")
        'Only you, ben and eve can open it.'
    """
    if choice == ANYONE:
        return _WARNING
    if choice == SIGNED_IN:
        return "Anyone who signs in can open it."
    if choice == ONLY_ME:
        return "Only you can open it."
    listed = [name.strip() for name in people.split(",") if name.strip()]
    if not listed:
        return "Say who: names, separated by commas."
    told = ["you" if name == me else readable(name) for name in listed]
    told.sort(key=lambda name: name != "you")
    *others, last = told
    return (
        f"Only {', '.join(others)} and {last} can open it."
        if others
        else f"Only {last} can open it."
    )
