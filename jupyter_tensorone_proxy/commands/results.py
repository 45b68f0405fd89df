"""What a verb did, as small frozen values that can show themselves.

Each result has three forms: `text` for a terminal, `html` for a cell, `json` for programs.
IPython shows a result that is a cell's last expression.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..models import PortMapping, ProxyConfig
from ..people import Link
from . import card, text
from .rows import Row

What = Literal["exposed", "updated", "already exposed", "shown", "unexposed"]


class Result(ABC):
    """Base of what verbs return."""

    @abstractmethod
    def text(self, *, color: bool = False) -> str:
        """Return the form for a terminal.

        Args:
            color: Whether the terminal shows colours.
        """

    @abstractmethod
    def html(self) -> str:
        """Return the form for a cell."""

    @abstractmethod
    def json(self) -> Any:
        """Return the form for programs: the contract's names and values."""

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is done; the exit code tells."""
        return True

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


@dataclass(frozen=True)
class MappingResult(Result):
    """One mapping, and what happened to it.

    Args:
        what: What happened.
        row: The mapping; as it was before, if it is gone.
    """

    what: What
    row: Row

    @property
    def mapping(self) -> PortMapping:
        """The mapping itself."""
        return self.row.mapping

    @property
    def id(self) -> str:
        """The mapping's id."""
        return self.row.mapping.id

    @property
    def url(self) -> str | None:
        """Where visitors reach it."""
        return self.row.mapping.url

    def text(self, *, color: bool = False) -> str:
        """Return one line."""
        if self.what == "unexposed":
            port = self.mapping.internal_port
            return f"{self.row.name} (port {port}) is no longer exposed."
        return text.row_line(self.row, color=color)

    def html(self) -> str:
        """Return the card."""
        gone = self.what == "unexposed"
        return card.gone_card(self.row) if gone else card.mapping_card(self.row)

    def json(self) -> dict[str, Any]:
        """Return the mapping, with who can open it in words."""
        return row_json(self.row)


@dataclass(frozen=True)
class ListResult(Result):
    """All mappings.

    Args:
        rows: The mappings, by port.
    """

    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[PortMapping]:
        return (row.mapping for row in self.rows)

    def text(self, *, color: bool = False) -> str:
        """Return a table."""
        return text.row_table(self.rows, color=color)

    def html(self) -> str:
        """Return a table."""
        return card.mapping_table(self.rows)

    def json(self) -> list[dict[str, Any]]:
        """Return the mappings."""
        return [row_json(row) for row in self.rows]


class HealthResult(ListResult):
    """How services do."""

    def text(self, *, color: bool = False) -> str:
        """Return a table."""
        return text.health_table(self.rows, color=color)

    def html(self) -> str:
        """Return a table."""
        return card.health_table(self.rows)

    def json(self) -> list[dict[str, Any]]:
        """Return what is known of each service's health."""
        known = ("id", "internal_port", "description", "health_status", "health_check")
        return [{k: v for k, v in row_json(row).items() if k in known} for row in self.rows]


@dataclass(frozen=True)
class OpenResult(Result):
    """A mapping that is to be opened; the rim opens it.

    Args:
        row: The mapping.
        link: The one-time link; None if the server has no links.
    """

    row: Row
    link: Link | None

    @property
    def url(self) -> str | None:
        """What to open. May hold a credential: hand it on, do not log it."""
        return self.link.url if self.link else self.row.mapping.url

    def text(self, *, color: bool = False) -> str:
        """Return one line, without the link."""
        return text.row_line(self.row, color=color)

    def html(self) -> str:
        """Return the card, without the link."""
        return card.mapping_card(self.row)

    def json(self) -> dict[str, Any]:
        """Return the mapping, without the link."""
        return row_json(self.row)

    def printed(self) -> dict[str, Any]:
        """Return what ``--print --json`` was asked for: the link. It is a credential."""
        return self.link.to_wire() if self.link else {"url": self.url}


@dataclass(frozen=True)
class StatusResult(Result):
    """Where the proxy is and how it does.

    Args:
        config: The proxy as the server sees it.
        api_url: Where the API is.
        source: Where `api_url` came from.
    """

    config: ProxyConfig
    api_url: str
    source: str

    def text(self, *, color: bool = False) -> str:  # noqa: ARG002 - nothing here has a colour
        """Return one fact a line."""
        return text.facts_text(text.status_facts(self.config, self.api_url, self.source))

    def html(self) -> str:
        """Return the facts as a card."""
        return card.facts_card(text.status_facts(self.config, self.api_url, self.source))

    def json(self) -> dict[str, Any]:
        """Return the proxy, with where its API is."""
        return {**self.config.to_wire(), "api_url": self.api_url, "source": self.source}


def row_json(row: Row) -> dict[str, Any]:
    """Return a mapping in the contract's form, with who can open it in words.

    Args:
        row: The mapping.
    """
    return {**row.mapping.to_wire(), "who_can_open": row.who_can_open}
