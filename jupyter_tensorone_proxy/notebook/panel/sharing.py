"""Sharing a port in the panel: a link for one person, shown once."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

from ...commands.choices import CHOSEN, ONLY_ME, wish_of
from ...commands.credential_results import ShareResult
from ...commands.people_options import DEFAULT_SHARE_SECONDS
from ...commands.rows import Row
from ...errors import UsageError
from .kit import Kit

SHOWN_SECONDS = 120.0
"""How long a link stays on the screen."""

_LIVES = {
    "30 minutes": 1800,
    "8 hours": DEFAULT_SHARE_SECONDS,
    "1 day": 86_400,
    "7 days": 7 * 86_400,
}

Share = Callable[[argparse.Namespace], None]


@dataclass(frozen=True)
class ShownLink(ShareResult):
    """The same link, where nothing is saved."""

    def saved(self) -> str:
        """Return what becomes of it."""
        minutes = int(SHOWN_SECONDS // 60)
        return f"It is shown once, for {minutes} minutes, and not saved with the notebook."


class ShareForm:
    """Whom to let in, for how long; and the link, until it has been taken.

    Args:
        whole: The kit of what it is a part of.
        row: The mapping.
        share: Told the arguments of the verb ``share``.
    """

    def __init__(self, whole: Kit, row: Row, share: Share) -> None:
        kit = self.kit = whole.part()
        self._row, self._share = row, share
        self._hides_at: float | None = None
        self._person = kit.text("Person", like="any name you like")
        self._life = kit.choice("Works for", tuple(_LIVES), "8 hours")
        self._once = kit.check("It works once", value=True)
        # Where anyone who signs in may come, a list of one would keep the others out.
        named = wish_of(row).choice in {ONLY_ME, CHOSEN}
        self._allow = kit.check("Also add them to the people who can open it", value=named)
        make = kit.button(
            "Make the link",
            f"Make a link to {row.name} (port {row.mapping.internal_port})",
            self.submit,
            kind="primary",
        )
        self._link = kit.once()
        self._done = kit.line(kit.button("I have it", "Take the link off the screen", self.hide))
        adding = (self._allow,) if named else ()
        self._form = (self._person, self._life, self._once, *adding, kit.line(make))
        self.box = kit.column(*self._form, inset=True)

    def submit(self) -> None:
        """Hand over what the form says.

        Raises:
            UsageError: It does not say for whom.
        """
        self.hide()
        person = self._person.value.strip()
        if not person:
            raise UsageError("It is not said whom the link is for.", suggestion="Name the person.")
        self._share(
            argparse.Namespace(
                port=self._row.mapping.internal_port,
                user=person,
                life_seconds=_LIVES[self._life.value],
                once=self._once.value,
                path="/",
                allow=self._allow.value,
            )
        )

    def show(self, result: ShareResult) -> None:
        """Show the link.

        Args:
            result: What the verb returned.
        """
        self._link.value = ShownLink(result.row, result.link, result.added).html()
        self._hides_at = time.monotonic() + SHOWN_SECONDS
        self.box.children = (*self._form, self._link, self._done)

    def hide(self) -> None:
        """Take the link away, here and in every page."""
        if self._hides_at is None:
            return
        self._link.value, self._hides_at = "", None
        self.box.children = self._form

    def hide_if_late(self) -> None:
        """Take the link away if it was shown long enough."""
        if self._hides_at is not None and time.monotonic() >= self._hides_at:
            self.hide()
