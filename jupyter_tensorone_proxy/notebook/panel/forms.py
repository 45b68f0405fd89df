"""The panel's forms: who can open a port, exposing one, changing one."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ...commands import words
from ...commands.choices import ANYONE, CHOSEN, Wish, changes_of, choices, fields_of, means, wish_of
from ...commands.moments import now
from ...commands.rows import Row, Viewer
from ...errors import UsageError
from . import html
from .kit import Act, Kit

_MOST = 1_000_000
_LONGEST_INTERVAL = 86_400
UNTIL_KERNEL, UNTIL_STOPPED = "This kernel stops", "I stop it"
_LIVES = {"In 1 hour": 3600, "In 8 hours": 8 * 3600, "In 1 day": 86_400}

ExposePort = Callable[[int, dict[str, Any], bool], None]
"""Told the port, the contract's fields, and whether it stays when the kernel goes."""


class WhoFields:
    """Who can open a port; a public one has to be confirmed.

    Args:
        kit: Makes the controls.
        me: My name on the proxy.
        wish: What is chosen at first.
        warn: Whether making it public has to be confirmed: it is not public already.
    """

    def __init__(self, kit: Kit, me: str | None, wish: Wish, *, warn: bool = True) -> None:
        self._me, self._warn = me, warn
        offered = choices(me)
        first = wish.choice if wish.choice in offered else offered[1 if me else 0]
        self._choice = kit.choice("Who can open it", offered, first, lambda _: self._tell())
        self._people = kit.text("People", wish.people, like="ana, ben", act=lambda _: self._tell())
        self._sure = kit.check("Yes, make it public", value=False)
        self._means = kit.html()
        self.box = kit.column()
        self._tell()

    @property
    def choice(self) -> str:
        """Who: one of `choices`."""
        return str(self._choice.value)

    @property
    def people(self) -> str:
        """Names, separated by commas."""
        return str(self._people.value) if self.choice == CHOSEN else ""

    def require_consent(self) -> None:
        """Raise if it would become public without having been confirmed.

        Raises:
            UsageError: Says what to tick.
        """
        if self._warn and self.choice == ANYONE and not self._sure.value:
            raise UsageError(
                f"{means(ANYONE, '', self._me)} Nothing was changed.",
                suggestion="If that is meant, tick the box below the choice.",
            )

    def _tell(self) -> None:
        self._means.value = html.hint(means(self.choice, self.people, self._me))
        more = {CHOSEN: (self._people,), ANYONE: (self._sure,) if self._warn else ()}
        self.box.children = (self._choice, *more.get(self.choice, ()), self._means)


class ExposeForm:
    """A port to expose, by its number.

    Args:
        whole: The panel's kit.
        viewer: Who asks.
        expose: Told what was asked for.
    """

    def __init__(self, whole: Kit, viewer: Viewer, expose: ExposePort) -> None:
        kit = self.kit = whole.part()
        self._viewer, self._expose = viewer, expose
        self._port = kit.text("Port", like="6006")
        self._name = kit.text("Name", like="what people see")
        self._who = WhoFields(kit, viewer.me, Wish())
        offered = (*((UNTIL_KERNEL,) if viewer.kernel_id else ()), UNTIL_STOPPED, *_LIVES)
        self._until = kit.choice("Ends", offered, offered[0])
        self._health = kit.text("Health path", like="/health, if it has one")
        go = kit.button("Expose", "Expose this port", self.submit, kind="primary")
        self.box = kit.column(
            *(self._port, self._name, self._who.box, self._until, self._health, kit.line(go)),
            inset=True,
        )

    def submit(self) -> None:
        """Hand over what the form says.

        Raises:
            UsageError: Something is missing or wrong; says what.
        """
        port = _port(self._port.value)
        self._who.require_consent()
        wish = Wish(
            name=self._name.value,
            choice=self._who.choice,
            people=self._who.people,
            health_path=self._health.value,
        )
        fields = fields_of(wish, self._viewer.me)
        until = self._until.value
        if until in _LIVES:
            moment = now().replace(microsecond=0)
            fields["expires_at"] = moment + timedelta(seconds=_LIVES[until])
        self._expose(port, fields, until != UNTIL_KERNEL)


class EditForm:
    """What can be changed of a port.

    Args:
        whole: The kit of what it is a part of.
        row: The mapping as it is when the form opens.
        viewer: Who asks.
        save: Told the contract's fields that were changed.
        cancel: Told that nothing was.
    """

    def __init__(
        self,
        whole: Kit,
        row: Row,
        viewer: Viewer,
        save: Callable[[dict[str, Any]], None],
        cancel: Act,
    ) -> None:
        kit = self.kit = whole.part()
        self._before, self._me, self._save = wish_of(row), viewer.me, save
        before = self._before
        self._name = kit.text("Name", before.name)
        self._who = WhoFields(kit, viewer.me, before, warn=before.choice != ANYONE)
        self._checked = kit.check("Check its health", value=before.checked)
        self._path = kit.text("Health path", before.health_path, like="empty: only connect")
        self._every = kit.number(
            "Every … seconds", before.interval_seconds, least=1, most=_LONGEST_INTERVAL
        )
        self._limit = kit.number(
            "Requests a minute", before.requests_per_minute, least=0, most=_MOST
        )
        fields = (
            *(self._name, self._who.box, self._checked, self._path, self._every, self._limit),
            kit.html(html.hint("Requests a minute: 0 is no limit. What you leave stays as it is.")),
        )
        about = f"changes of {row.name} (port {row.mapping.internal_port})"
        buttons = kit.line(
            kit.button("Save", f"Save the {about}", self.submit, kind="primary"),
            kit.button("Cancel", f"Drop the {about}", cancel),
        )
        # A choice that cannot be offered again (mine, without my name) must not count as changed.
        self._first = (self._who.choice, self._who.people)
        self.box = kit.column(*fields, buttons, inset=True)

    def submit(self) -> None:
        """Hand over what was changed.

        Raises:
            UsageError: Something is missing or wrong; says what.
        """
        before, who = self._before, (self._who.choice, self._who.people)
        choice, people = (before.choice, before.people) if who == self._first else who
        if choice != before.choice:
            self._who.require_consent()
        after = Wish(
            name=self._name.value,
            choice=choice,
            people=people,
            checked=self._checked.value,
            health_path=self._path.value,
            interval_seconds=self._every.value,
            requests_per_minute=self._limit.value,
        )
        self._save(changes_of(before, after, self._me))


def _port(word: str) -> int:
    try:
        return words.port(word.strip())
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"The port is missing or wrong: {error}.") from None
