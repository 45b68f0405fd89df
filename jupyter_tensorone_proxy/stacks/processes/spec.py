"""What has to run for a service, as a runner is told. Pure; it travels as JSON."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict

from ...models import Flag, Model, Port, Scaling, UserName, checked_path
from .placeholders import filled, problem

Restart = Literal["always", "on-failure", "never"]
MOST_REPLICAS = 64
RUN_PREFIX = "run "
"""How the stacks of what the verb `run` starts begin; each is one service."""

_MOST_WORDS = 1000
_LONGEST_WORD = 100_000


def _placeholders(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    if wrong := problem(text):
        raise ValueError(wrong)
    return text


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text


Text = Annotated[str, Strict(), Field(max_length=_LONGEST_WORD), AfterValidator(_placeholders)]
"""A text in which placeholders are replaced."""

Variable = Annotated[str, Strict(), Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
Timeout = Annotated[int, Strict(), Field(ge=1, le=3600)]
Grace = Annotated[int, Strict(), Field(ge=0, le=600)]
Command = Annotated[list[Text], Field(min_length=1, max_length=_MOST_WORDS)]
ReadyPath = Annotated[str, Field(max_length=2000), AfterValidator(checked_path)]
Pattern = Annotated[
    str, Strict(), Field(min_length=1, max_length=1000), AfterValidator(_regular_expression)
]
Count = Annotated[int, Strict(), Field(ge=1, le=MOST_REPLICAS)]


class ProcessSpec(Model):
    """A service's processes.

    Example:
        >>> spec = ProcessSpec(stack="lab", name="MLflow", command=["mlflow", "--port={port}"])
        >>> spec.words(5000, 0)
        ['mlflow', '--port=5000']
    """

    stack: Annotated[str, Strict(), Field(min_length=1, max_length=200)]
    name: UserName
    command: Command
    env: dict[Variable, Text] = Field(default_factory=dict)
    cwd: Text | None = None
    inherited: dict[str, str] = Field(default_factory=dict)
    """The environment of whoever asked, where that is another process than the runner's."""

    port: Port | None = None
    ports: list[Port] = Field(default_factory=list)
    """Where the further replicas listen, if somebody says; else free ones are taken."""

    replicas: Count = 1
    restart: Restart = "on-failure"
    ready_path: ReadyPath | None = None
    ready_log: Pattern | None = None
    ready_timeout_seconds: Timeout = 60
    stop_grace_seconds: Grace = 5
    scaling: Scaling | None = None
    listens: Flag = True
    """Whether it is asked for connections: not where it speaks UDP."""

    install: Annotated[str, Strict(), Field(max_length=300)] = ""
    """What to do where the program is not installed."""

    @property
    def id(self) -> str:
        """A name for addresses and files: the same for the same stack and service."""
        return service_id(self.stack, self.name)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it another process when it changes; who asked for it does not."""
        loose = {"inherited", "replicas", "ports", "scaling", "port", "install"}
        return {k: v for k, v in self.to_wire().items() if k not in loose}

    @property
    def bounds(self) -> tuple[int, int]:
        """The fewest and the most replicas."""
        scaling = self.scaling or Scaling()
        least = scaling.min_replicas or min(self.replicas, scaling.max_replicas or self.replicas)
        most = max(least, scaling.max_replicas or self.replicas)
        return least, min(most, MOST_REPLICAS)

    def values(self, port: int, replica: int) -> dict[str, object]:
        """Return what the placeholders of one replica become.

        Args:
            port: Where it listens.
            replica: Its number, from 0.
        """
        return {"port": port, "replica": replica, "name": self.name}

    def words(self, port: int, replica: int) -> list[str]:
        """Return the command of one replica.

        Args:
            port: Where it listens.
            replica: Its number, from 0.
        """
        values = self.values(port, replica)
        return [filled(word, values) for word in self.command]

    def variables(self, port: int, replica: int) -> Mapping[str, str]:
        """Return the declared environment of one replica.

        Args:
            port: Where it listens.
            replica: Its number, from 0.
        """
        values = self.values(port, replica)
        return {name: filled(text, values) for name, text in self.env.items()}


def is_run(stack: str) -> bool:
    """Say whether a stack is one service that was started by the verb `run`."""
    return stack.startswith(RUN_PREFIX)


def service_id(stack: str, name: str) -> str:
    """Return the id of a stack's service.

    Example:
        >>> service_id("lab", "MLflow")
        'svc_a51176f0f0f7'
    """
    both = f"{stack}\0{name}".encode()
    return f"svc_{hashlib.sha256(both).hexdigest()[:12]}"
