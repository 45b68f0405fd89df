"""How processes do, as people and programs are told. Pure; it travels as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ...models import Model

State = Literal["starting", "running", "restarting", "stopping", "stopped", "failed"]
_WORST_FIRST: tuple[State, ...] = (
    "failed",
    "restarting",
    "starting",
    "stopping",
    "stopped",
    "running",
)


class ReplicaState(Model):
    """One process of a service."""

    replica: int = Field(description="Its number, from 0.")
    port: int = Field(description="Where it listens.")
    state: State = Field(description="How it does.")
    pid: int | None = Field(None, description="Its process, while there is one.")
    restarts: int = Field(0, description="How often it was started again.")
    since: datetime = Field(description="Since when it is in this state.")
    reason: str = Field("", description="Why it is not running.")


class GroupState(Model):
    """The processes of one service.

    Example:
        >>> GroupState(id="svc_1", stack="lab", name="MLflow", command=["mlflow"]).state
        'stopped'
    """

    id: str = Field(description="Its name in addresses.")
    stack: str = Field(description="Which stack it belongs to.")
    name: str = Field(description="What the service is called there.")
    command: list[str] = Field(description="What starts it, before placeholders are replaced.")
    replicas: list[ReplicaState] = Field(default_factory=list, description="Its processes.")

    @property
    def state(self) -> State:
        """How the worst of its processes does."""
        return worst([replica.state for replica in self.replicas])

    @property
    def ports(self) -> list[int]:
        """Where it listens, its own port first."""
        return [replica.port for replica in self.replicas]

    @property
    def port(self) -> int | None:
        """Its own port."""
        return next(iter(self.ports), None)


class LogPart(Model):
    """A part of what a service printed."""

    lines: list[str] = Field(default_factory=list, description="The lines.")
    cursor: str = Field("", description="Ask for what comes after this.")


def told(group: GroupState) -> dict[str, Any]:
    """Return a service's processes in the form for programs, its state included.

    Args:
        group: The service.
    """
    return {**group.model_dump(mode="json"), "state": group.state}


def worst(states: Sequence[State]) -> State:
    """Return the state that people should know of.

    Example:
        >>> worst(["running", "restarting"]), worst([])
        ('restarting', 'stopped')
    """
    return next((state for state in _WORST_FIRST if state in states), "stopped")
