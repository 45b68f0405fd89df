"""How the CA and the stores read, in a terminal and for programs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from pathlib import Path
from typing import Any, Literal

from ..results import Result
from ..text import toned
from .authority import Authority
from .stores import Command, State

Wish = Literal["install", "remove", "show"]
_MARKS: dict[State, tuple[str, str]] = {
    "trusted": ("●", "good"),
    "older": ("◐", "neutral"),
    "not trusted": ("○", "bad"),
    "unknown": ("?", "neutral"),
}
_SOON = timedelta(days=365)
_STATE_WIDTH = len("not trusted")


@dataclass(frozen=True)
class StoreRow:
    """One store, after whatever was done.

    Args:
        name: What people call it.
        location: Where it is.
        state: Whether the CA is trusted there.
        problem: Why it is not as wished; empty if it is, or if nothing was tried.
        steps: What to run for it to become so.
    """

    name: str
    location: Path
    state: State
    problem: str
    steps: tuple[Command, ...]

    def json(self) -> dict[str, Any]:
        """Return the form for programs."""
        return {
            "name": self.name,
            "location": str(self.location),
            "state": self.state,
            "problem": self.problem,
            "steps": [shlex.join(step) for step in self.steps],
        }


@dataclass(frozen=True)
class TrustResult(Result):
    """The CA, and each store.

    Args:
        authority: The CA.
        rows: The stores.
        wish: What was asked for.
    """

    authority: Authority
    rows: tuple[StoreRow, ...]
    wish: Wish

    @property
    def complete(self) -> bool:
        """Whether everything is as wished."""
        if self.wish == "show":
            return True
        return not any(row.steps for row in self.rows) and (
            bool(self.rows) or self.wish == "remove"
        )

    def text(self, *, color: bool = False) -> str:
        """Return the form for a terminal."""
        parts = [self._about(), self._stores(color=color), self._steps(), self._next()]
        return "\n\n".join(part for part in parts if part)

    def html(self) -> str:
        """Return the form for a cell."""
        return f"<pre>{escape(self.text())}</pre>"

    def json(self) -> dict[str, Any]:
        """Return the form for programs."""
        return {
            "subject": self.authority.subject,
            "sha256": self.authority.sha256,
            "valid_from": self.authority.valid_from.isoformat(),
            "valid_until": self.authority.valid_until.isoformat(),
            "vouches_for": list(self.authority.names or []) or None,
            "file": str(self.authority.file),
            "stores": [row.json() for row in self.rows],
        }

    def _about(self) -> str:
        about = self.authority
        lines = [
            about.subject,
            f"  SHA-256      {about.sha256}",
            f"  vouches for  {vouches_for(about)}",
            f"  valid        {about.valid_from:%Y-%m-%d} to {about.valid_until:%Y-%m-%d}",
            f"  file         {about.file}",
        ]
        left = about.valid_until - datetime.now(timezone.utc)
        if left < timedelta(0):
            lines.append(
                "  It has expired: start its gateway, which renews it, and run this again."
            )
        elif left < _SOON:
            lines.append("  It ends soon: start its gateway, which renews it, and run this again.")
        return "\n".join(lines)

    def _stores(self, *, color: bool) -> str:
        if not self.rows:
            return "No trust store was found on this machine."
        width = max(len(row.name) for row in self.rows)
        lines = []
        for row in self.rows:
            mark, tone = _MARKS[row.state]
            state = toned(f"{mark} {row.state:<{_STATE_WIDTH}}", tone if color else None)
            lines.append(f"  {state}  {row.name:<{width}}  {row.location}")
        return "\n".join(lines)

    def _steps(self) -> str:
        lines = []
        for row in self.rows:
            if row.steps:
                why = f": {row.problem}" if row.problem else ""
                lines += [f"{row.name}{why}", *(f"    {shlex.join(step)}" for step in row.steps)]
        heading = (
            "Not trusted yet; `jupyter tensorone trust` runs:"
            if self.wish == "show"
            else "By hand:"
        )
        return "\n".join([heading, *lines]) if lines else ""

    def _next(self) -> str:
        if self.wish == "show" or not self.rows:
            return (
                "For another machine copy the file there, compare the SHA-256, and run\n"
                "    jupyter tensorone trust --ca-file FILE"
            )
        return "Browsers that are open see it after a restart."


def vouches_for(authority: Authority) -> str:
    """Return whom a CA can vouch for, in words.

    Args:
        authority: The CA.
    """
    return ", ".join(authority.names) if authority.names else "EVERY name on the internet"
