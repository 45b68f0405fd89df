"""What applying a stack would do, as a diff."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from ..commands import card, text
from ..commands.results import Result
from ..commands.rows import readable
from .planning import Action, Change, Difference

_SIGNS: dict[Action, str] = {
    "create": "+",
    "update": "~",
    "leave": "=",
    "remove": "-",
    "refuse": "!",
}
_WILL = {
    "create": "will be created",
    "update": "will be updated",
    "leave": "stays as it is",
    "remove": "will be removed",
    "refuse": "cannot be done",
}
_PRE = "margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; background: none; color: inherit"


@dataclass(frozen=True)
class StackPlan(Result):
    """What applying a stack would do.

    Args:
        stack: The stack's name.
        changes: One for each service, then the removals.
        leftovers: What the stack made and no longer names, and would leave.
    """

    stack: str
    changes: tuple[Change, ...]
    leftovers: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        return all(c.action == "leave" and not c.starts for c in self.changes)

    def text(self, *, color: bool = False) -> str:
        """Return the plan as a diff."""
        lines = []
        for change in self.changes:
            sign = _SIGNS[change.action]
            line = f"{sign} {_title(change)}: {change.reason or _will(change)}"
            lines.append(_toned(line, change.action, color))
            for difference in change.differences:
                if difference.before is not None:
                    lines.append(_toned(f"    - {_value(difference, old=True)}", "remove", color))
                if difference.after is not None:
                    lines.append(_toned(f"    + {_value(difference, old=False)}", "create", color))
        return "\n".join([*lines, *leftover_lines(self.leftovers)]) or "Nothing is declared."

    def html(self) -> str:
        """Return the diff in a frame."""
        return card.frame(f'<pre style="{_PRE}">{escape(self.text())}</pre>', wide=True)

    def json(self) -> dict[str, Any]:
        """Return what would be done, and what would be sent."""
        changes = [
            {
                "name": change.name,
                "port": change.port,
                "action": change.action,
                "body": dict(change.body),
                **({"reason": change.reason} if change.reason else {}),
                **({"command": change.process.command} if change.process else {}),
            }
            for change in self.changes
        ]
        return {"stack": self.stack, "changes": changes, "leftovers": list(self.leftovers)}


def leftover_lines(leftovers: tuple[str, ...]) -> list[str]:
    """Return what to say of mappings that a stack made, no longer names, and left.

    Args:
        leftovers: What they are called.
    """
    if not leftovers:
        return []
    names = ", ".join(map(readable, leftovers))
    return [f"No longer declared, and still exposed: {names}. `apply --prune` removes them."]


def _will(change: Change) -> str:
    if change.action == "leave" and change.starts:
        return "stays as it is, and is started"
    return _WILL[change.action]


def _title(change: Change) -> str:
    where = f" (port {change.port})" if change.port is not None else ""
    return f"{readable(change.name)}{where}"


def _value(difference: Difference, *, old: bool) -> str:
    value = difference.before if old else difference.after
    return f"{difference.field}: {readable(repr(value), limit=200)}"


def _toned(line: str, action: Action, color: bool) -> str:  # noqa: FBT001 - private
    tones = {"create": "good", "update": "neutral", "remove": "bad", "refuse": "bad"}
    return text.toned(line, tones.get(action) if color else None)
