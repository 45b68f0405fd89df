"""`Runner`: who runs the processes of services."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from .spec import ProcessSpec
from .states import GroupState, LogPart

Action = Literal["start", "stop", "restart", "remove"]
ACTIONS: tuple[Action, ...] = ("start", "stop", "restart", "remove")


class Runner(ABC):
    """Runs the processes of services; each of its calls is awaited."""

    ends_here: ClassVar[bool] = False
    """Whether its processes end with this very process."""

    @abstractmethod
    async def place(self, spec: ProcessSpec) -> list[int]:
        """Return where the replicas of a service listen, or will; its own port first.

        Args:
            spec: The service.

        Raises:
            ProcessError: There is no free port.
        """

    @abstractmethod
    async def start(self, spec: ProcessSpec) -> GroupState:
        """Start what is not running of a service; return when all of it is ready.

        What is started otherwise than it runs is started anew, one replica after the other.

        Args:
            spec: The service.

        Raises:
            ProcessError: A replica cannot start, ended at once, or was not ready in time.
        """

    @abstractmethod
    async def settle(self, spec: ProcessSpec) -> None:
        """Stop replicas that are too many, when nothing is led to them any more.

        Args:
            spec: The service.
        """

    @abstractmethod
    async def act(self, service_id: str, action: Action) -> GroupState:
        """Start, stop or restart a service that is known, or stop and forget it.

        Args:
            service_id: Which.
            action: What to do.

        Raises:
            NotFoundError: No such service is known.
            ProcessError: It cannot start.
        """

    @abstractmethod
    async def list_groups(self, stack: str | None = None) -> list[GroupState]:
        """Return the services that are known.

        Args:
            stack: Only of this stack.
        """

    @abstractmethod
    async def log(self, service_id: str, *, lines: int, replica: int, after: str = "") -> LogPart:
        """Return what a service printed.

        Args:
            service_id: Which.
            lines: At most how many, the last ones.
            replica: Of which of its processes, from 0.
            after: Only what came after this cursor.

        Raises:
            NotFoundError: No such service, or replica, is known.
        """
