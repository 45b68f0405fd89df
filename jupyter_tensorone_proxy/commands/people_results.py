"""What the verbs about people return: tables, sentences, and the rules of all ports.

Like `results`, each shows itself in three forms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any, Literal

from ..models import ClusterAccess, Model
from . import card, text
from .access_facts import access_facts
from .moments import ago, now, stamp, zone
from .results import Result
from .rows import readable

Cell = str | datetime | None
Tone = Literal["good", "bad", "neutral"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        title: Its heading, such as ``Last seen``.
        number: Whether it holds numbers.
        exact: Whether a moment is shown as it is, to the second, rather than how long ago.
        code: Whether it holds what may be typed, such as an id.
        least: How wide it is at least, in a terminal.
        wraps: Whether it may take several lines, in a cell.
    """

    title: str
    number: bool = False
    exact: bool = False
    code: bool = False
    least: int = 0
    wraps: bool = False


@dataclass(frozen=True)
class TableResult(Result):
    """Several things of one kind.

    Args:
        items: The things.
        columns: What is said of them.
        body: One line of cells for each thing.
        nothing: What to say if there is none.
        details: What programs get of each thing, beside its own fields.
        tones: The colour of each line; None for none.
    """

    items: tuple[Model, ...]
    columns: tuple[Column, ...]
    body: tuple[tuple[Cell, ...], ...]
    nothing: str
    details: tuple[dict[str, Any], ...] = ()
    tones: tuple[Tone | None, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.items)

    def text(self, *, color: bool = False) -> str:
        """Return a table."""
        if not self.items:
            return self.nothing
        present = now()
        head = [column.title.upper() for column in self.columns]
        right = [i for i, column in enumerate(self.columns) if column.number]
        body = [
            [_plain(cell, c, present) for cell, c in zip(line, self.columns, strict=True)]
            for line in self.body
        ]
        least = [column.least for column in self.columns]
        lines = text.aligned(head, body, right=right, least=least)
        if color:
            for index, tone in enumerate(self.tones, start=1):
                lines[index] = text.toned(lines[index], tone)
        return "\n".join(lines)

    def html(self) -> str:
        """Return a table; moments are said as they are, because a cell is read later, too."""
        body = [
            [_safe(cell, c) for cell, c in zip(line, self.columns, strict=True)]
            for line in self.body
        ]
        timed = any(isinstance(cell, datetime) for line in self.body for cell in line)
        note = f"Times are {zone()}." if timed else ""
        titles = [column.title for column in self.columns]
        return card.table(titles, body, self.nothing, note)

    def json(self) -> list[dict[str, Any]]:
        """Return the things."""
        details: Sequence[dict[str, Any]] = self.details or [{}] * len(self.items)
        return [{**item.to_wire(), **more} for item, more in zip(self.items, details, strict=True)]

    def json_lines(self) -> str:
        """Return the things as one JSON object a line."""
        return "\n".join(json.dumps(item, default=str) for item in self.json())


@dataclass(frozen=True)
class DoneResult(Result):
    """Something was done, and a sentence says it all.

    Args:
        sentence: What was done.
        hint: What to know or do next.
        data: What programs get.
    """

    sentence: str
    hint: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def text(self, *, color: bool = False) -> str:  # noqa: ARG002 - nothing here has a colour
        """Return the sentence and the hint."""
        return f"{self.sentence}\n{self.hint}".rstrip()

    def html(self) -> str:
        """Return them as a card."""
        hint = card.muted(card.marked(self.hint)) if self.hint else ""
        return card.frame(f"<div>{card.isolated(self.sentence)}</div>{hint}")

    def json(self) -> dict[str, Any]:
        """Return what was done."""
        return self.data


@dataclass(frozen=True)
class AccessResult(Result):
    """The rules that hold for all ports.

    Args:
        access: The rules.
    """

    access: ClusterAccess

    def text(self, *, color: bool = False) -> str:  # noqa: ARG002 - nothing here has a colour
        """Return one rule a line."""
        return text.facts_text(access_facts(self.access))

    def html(self) -> str:
        """Return the rules as a card."""
        return card.facts_card(access_facts(self.access))

    def json(self) -> dict[str, Any]:
        """Return the rules."""
        return self.access.to_wire()


def _plain(cell: Cell, column: Column, present: datetime) -> str:
    if isinstance(cell, datetime):
        return stamp(cell, seconds=True, with_zone=False) if column.exact else ago(cell, present)
    return "-" if cell is None else readable(cell, limit=120)


def _safe(cell: Cell, column: Column) -> str:
    if isinstance(cell, datetime):
        moment = escape(stamp(cell, seconds=column.exact, with_zone=False))
        return f'<time datetime="{escape(cell.isoformat())}">{moment}</time>'
    shown = _plain(cell, column, now())
    safe = card.code(shown) if column.code and cell else card.isolated(shown)
    return card.wrapped(safe) if column.wraps else safe
