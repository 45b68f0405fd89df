"""What `share` and `users add` return: credentials that are shown once.

Showing it is what the verb was asked for, so a credential is part of every form; `Secret` says
how a pipe gets it alone. A link ends soon enough to be in a saved cell; a token does not, and the
verbs do not make this result of one there.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..people import Link, User
from . import card
from .moments import now, span, stamp
from .results import Result
from .rows import Row, readable


class Secret(Result):
    """A credential that is shown once."""

    @property
    @abstractmethod
    def secret(self) -> str:
        """The credential; empty if it is not to be shown."""

    @abstractmethod
    def says(self) -> str:
        """Return what the credential is for, in a sentence."""

    @abstractmethod
    def hints(self) -> list[str]:
        """Return what to know about it; commands stand between backquotes."""

    def saved(self) -> str:
        """Return what it means that a cell with it is saved; empty if no cell shows it."""
        return ""

    def about(self) -> str:
        """Return all but the credential, for people whose pipe has that."""
        return "\n".join([self.says(), *self.hints()])

    def text(self, *, color: bool = False) -> str:  # noqa: ARG002 - nothing here has a colour
        """Return it on a line of its own, to be copied whole."""
        shown = ["", f"  {self.secret}", ""] if self.secret else []
        return "\n".join([self.says(), *shown, *self.hints()])

    def html(self) -> str:
        """Return a card; a click selects all of the credential."""
        hints = [card.marked(hint) for hint in self.hints()]
        shown = ""
        if self.secret:
            shown = card.to_copy(self.secret)
            hints[0] = f"Click it to select it whole, then copy it. {hints[0]}"
            hints.append(card.marked(self.saved()))
        return card.frame(
            f"<div>{card.isolated(self.says())}</div>{shown}{card.muted('<br>'.join(hints))}"
        )


@dataclass(frozen=True)
class ShareResult(Secret):
    """A link that lets one person in.

    Args:
        row: The mapping.
        link: The link, with its URL: a credential.
        added: Whether the person was added to those who can open the mapping.
    """

    row: Row
    link: Link
    added: bool = False

    @property
    def url(self) -> str:
        """The link itself. It is a credential: hand it to its person alone."""
        return self.link.url

    @property
    def secret(self) -> str:
        """The link itself."""
        return self.link.url

    def says(self) -> str:
        """Return whom it lets in where, and until when."""
        user, port = readable(self.link.user), self.row.mapping.internal_port
        where = f"{self.row.name} (port {port})"
        how = ", once," if self.link.one_time else ""
        return f"{user} can open {where} by this link{how} until {_until(self.link)}."

    def hints(self) -> list[str]:
        """Return how to treat it, and how to end it."""
        user, port = readable(self.link.user), self.row.mapping.internal_port
        once = "" if self.link.one_time else " With `--once` a link works a single time."
        kept = f"{user} is now among the people who can open it, and stays when the link is dead."
        return [
            f"Whoever has it is signed in as {user}: send it to them alone.{once}",
            *([kept] if self.added else []),
            f"`sessions {port}` shows who is in; `revoke --link {readable(self.link.id)}` ends it.",
        ]

    def saved(self) -> str:
        """Return what a saved cell is worth to whoever finds it."""
        return "It is saved with this notebook, and opens nothing once it has ended."

    def json(self) -> dict[str, Any]:
        """Return the link, with its URL."""
        return {**self.link.to_wire(), "internal_port": self.row.mapping.internal_port}


@dataclass(frozen=True)
class TokenResult(Secret):
    """A user's new token.

    Args:
        user: The user; with the token, unless it was saved.
        saved_to: The file that has it.
        replaced: Whether there was a token before.
    """

    user: User
    saved_to: str = ""
    replaced: bool = False

    @property
    def secret(self) -> str:
        """The token."""
        return self.user.token or ""

    def says(self) -> str:
        """Return whose it is, and where."""
        name = readable(self.user.name)
        if self.saved_to:
            return f"The token of {name} is in {readable(self.saved_to, limit=200)}, for you alone."
        return f"{name} signs in with this token; it is shown only now."

    def hints(self) -> list[str]:
        """Return how to use it."""
        before = ["The token before it is refused from now on."] if self.replaced else []
        return [
            "Programs send `Authorization: Bearer TOKEN`; people enter it on the sign-in page.",
            *before,
            "It opens what is shared with them by name or with anyone who signs in, for a year.",
        ]

    def json(self) -> dict[str, Any]:
        """Return the user, with the token unless it was saved."""
        return {**self.user.to_wire(), **({"saved_to": self.saved_to} if self.saved_to else {})}


def _until(link: Link) -> str:
    end: Any = link.expires_at
    if not isinstance(end, datetime):  # of a server that has its own idea of time
        return readable(end)
    return f"{stamp(end)} ({span((end - now()).total_seconds() + 0.5)} from now)"
