"""What the verbs that run services say: the card, the list, and what a service printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..commands import card
from ..commands.people_results import Column, TableResult, Tone
from ..commands.results import MappingResult, Result
from ..commands.rows import readable
from .processes.states import GroupState, LogPart, ReplicaState, State, told

_TONES: dict[State, Tone | None] = {"failed": "bad", "restarting": "bad", "running": None}
_PRE = "margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; background: none; color: inherit"


@dataclass(frozen=True)
class RunResult(MappingResult):
    """A service that was started, and how it is exposed: the same card as `expose` gives.

    Args:
        group: Its processes.
        ends_here: Whether it ends with this very process.
    """

    group: GroupState
    ends_here: bool

    def html(self) -> str:
        """Return the card."""
        return card.mapping_card(self.row, stop="stop")

    def json(self) -> dict[str, Any]:
        """Return the mapping, and its processes."""
        return {**super().json(), "processes": told(self.group)}


@dataclass(frozen=True)
class OutputResult(Result):
    """What a service printed.

    Args:
        group: The service.
        replica: Which of its processes.
        part: The lines.
    """

    group: GroupState
    replica: int
    part: LogPart

    def text(self, *, color: bool = False) -> str:  # noqa: ARG002 - it has its own colours, or none
        """Return the lines as they are."""
        return "\n".join(self.part.lines) or f"{readable(self.group.name)} has printed nothing."

    def lines(self, *, color: bool = False) -> str:  # noqa: ARG002 - as above
        """Return the lines that came since; nothing if none did."""
        return "\n".join(self.part.lines)

    def html(self) -> str:
        """Return the lines in a frame."""
        return card.frame(f'<pre style="{_PRE}">{escape(self.text())}</pre>', wide=True)

    def json(self) -> dict[str, Any]:
        """Return the lines, and which process printed them."""
        return {
            "id": self.group.id,
            "name": self.group.name,
            "replica": self.replica,
            "lines": self.part.lines,
        }

    def json_lines(self) -> str:
        """Return each line as one JSON object a line."""
        said = ({"name": self.group.name, "line": line} for line in self.part.lines)
        return "\n".join(json.dumps(line) for line in said)


def process_table(groups: Sequence[GroupState]) -> TableResult:
    """Return what runs: one line for each process.

    Args:
        groups: The services.
    """
    lines = [(group, replica) for group in groups for replica in group.replicas]
    columns = (
        *(Column("Port", number=True), Column("Name"), Column("Stack"), Column("State")),
        *(Column("Since"), Column("Restarts", number=True), Column("Process", number=True)),
        Column("Why", wraps=True),
    )
    body = tuple(
        (
            *(str(replica.port), readable(group.name), readable(group.stack), replica.state),
            *(replica.since, str(replica.restarts), str(replica.pid or "-")),
            readable(replica.reason, limit=200),
        )
        for group, replica in lines
    )
    return TableResult(
        items=tuple(replica for _, replica in lines),
        columns=columns,
        body=body,
        nothing="Nothing was started from here. `run SERVICE` starts and exposes one.",
        details=tuple(_of_service(group, replica) for group, replica in lines),
        tones=tuple(_TONES.get(replica.state, "neutral") for _, replica in lines),
    )


def _of_service(group: GroupState, replica: ReplicaState) -> dict[str, Any]:
    described = replica.model_dump(mode="json")
    return {"id": group.id, "name": group.name, "stack": group.stack, **described}
