"""`Service`: what is known of one kind of application."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import ConfigurationError


@dataclass(frozen=True)
class Service:
    """One kind of application.

    Args:
        id: Its name for rules and programs: lower case, digits and dashes.
        name: Its name for people.
        default_port: Where it usually listens; None if anywhere.
        health_path: A path that answers 200 while it is well; None to only connect.
        open_path: Where people begin.
        command: A regular expression, searched in the command line that started it.
        title: A regular expression, searched in the title of its page.
        headers: Header name (lower case) → a regular expression, searched in its value.
        app_protocol: What it speaks, as in `PortSettings`.
        note: What is peculiar about it behind a proxy, for people; empty if nothing.
        start: Words that start it, with ``{port}``; empty if it is not started from here. What
            people add is put behind them.
        start_env: Variables that it is started with; ``{port}`` is filled in.
        start_words: What is added where people add nothing; in brackets, such as ``<APP>``, it
            only says what they have to add.
        install: What to do where its program is not installed: a command, or a sentence.
        internal: It is a part of something else, and never offered by itself.
    """

    id: str
    name: str
    default_port: int | None = None
    health_path: str | None = None
    open_path: str = "/"
    command: str = ""
    title: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    app_protocol: str = "http"
    note: str = ""
    start: tuple[str, ...] = ()
    start_env: Mapping[str, str] = field(default_factory=dict)
    start_words: tuple[str, ...] = ()
    install: str = ""
    internal: bool = False

    @property
    def how_to_install(self) -> str:
        """What to do where its program is not installed, in one sentence; empty if unknown."""
        if self.install.startswith(("pip ", "apt-get ")):
            return f"Run `{self.install}` in the environment of this notebook or terminal."
        return self.install

    def __post_init__(self) -> None:
        """Judge the patterns, so that a wrong one is told when it is written.

        Raises:
            ConfigurationError: The id or a pattern is wrong.
        """
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id):
            raise ConfigurationError(
                f"{self.id!r} is not a service's id.", suggestion="Use lower case and dashes."
            )
        try:
            for pattern in (self.command, self.title, *self.headers.values()):
                re.compile(pattern)
        except re.error as error:
            raise ConfigurationError(f"A pattern of {self.id} is wrong: {error}.") from None
