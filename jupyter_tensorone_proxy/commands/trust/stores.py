"""A place where trust is kept, and the commands that change it.

What is run and what is printed for people to run themselves are the same commands, so the two
cannot differ.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ...errors import ProxyError
from .authority import Authority

State = Literal["trusted", "older", "not trusted", "unknown"]
"""`older`: an earlier certificate of the same CA is trusted."""

Command = tuple[str, ...]
_SECONDS = 120


class StoreError(ProxyError):
    """A store could not be changed; the message says which and why."""


class Store(ABC):
    """One place where trust is kept.

    Args:
        name: What people call it.
        location: Where it is.
    """

    def __init__(self, name: str, location: Path) -> None:
        self.name = name
        self.location = location

    needs_root = False
    """Whether it belongs to the whole machine."""

    @abstractmethod
    def state(self, authority: Authority) -> State:
        """Return whether a CA is trusted here.

        Args:
            authority: The CA.
        """

    @abstractmethod
    def installing(self, authority: Authority) -> list[Command]:
        """Return the commands that have it trusted, and no other certificate of the same CA.

        Args:
            authority: The CA.
        """

    @abstractmethod
    def removing(self, authority: Authority) -> list[Command]:
        """Return the commands that end the trust in every certificate of the CA.

        Args:
            authority: The CA.
        """

    @abstractmethod
    def missing(self) -> str:
        """Return what must be installed before the commands can run; empty if nothing."""

    def run(self, commands: Sequence[Command]) -> None:
        """Run commands one after the other.

        Args:
            commands: What to run.

        Raises:
            StoreError: One of them failed; those after it were not run.
        """
        for command in commands:
            done = output_of(command)
            if done.returncode != 0:
                said = (done.stderr or done.stdout).strip().splitlines() or ["it did not say why"]
                raise StoreError(f"`{shlex.join(command)}` failed: {said[-1].rstrip('.')}.")


def output_of(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in English, with nothing to read.

    Args:
        command: Program and arguments.

    Returns:
        What it said; status 127 if there is no such program, 124 if it did not end.
    """
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", error.strerror or "cannot be run")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no end after {_SECONDS} s")
