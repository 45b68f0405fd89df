"""What applying a stack says: for a terminal, a cell and programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from ..commands import card, text
from ..commands.results import Result
from ..commands.rows import Health, Viewer, make_row, readable
from ..models import AccessControl, PortMapping
from .applying import Outcome
from .planning import Action
from .plans import leftover_lines
from .processes.states import GroupState, told

_DONE: dict[Action, tuple[str, Health]] = {
    "create": ("+", Health("created", "✓", "good")),
    "update": ("~", Health("updated", "↻", "good")),
    "leave": ("=", Health("unchanged", "✓", "good")),
    "remove": ("-", Health("removed", "○", "neutral")),
}
_FAILED = ("!", Health("failed", "✕", "bad"))


@dataclass(frozen=True)
class ServiceInfo:
    """A service that is exposed (contract: an entry of `services_created`).

    Args:
        name: As declared.
        category: As declared.
        url: Where visitors reach it.
        port: Its port on the proxy.
        priority: As declared.
        auth_required: Whether visitors must sign in.
    """

    name: str
    category: str
    url: str | None
    port: int | None
    priority: str
    auth_required: bool


@dataclass(frozen=True)
class FailedService:
    """A service that could not be made so (contract: an entry of `services_failed`).

    Args:
        name: As declared; of a mapping that could not be removed, its description.
        error: Why, and what to do next.
    """

    name: str
    error: str


@dataclass(frozen=True)
class AccessSummary:
    """Who gets in where (contract: `access_summary`).

    Args:
        total_services: How many are exposed.
        authenticated_services: How many of them ask for sign-in.
        public_services: How many do not.
        team_access_urls: Name → address.
    """

    total_services: int
    authenticated_services: int
    public_services: int
    team_access_urls: dict[str, str | None]


@dataclass(frozen=True)
class StackResult(Result):
    """What applying a stack did.

    Args:
        stack: The stack's name.
        cluster_id: Where.
        team: Who it is for; None if it does not say.
        outcomes: What became of each service, then of each removal.
        leftovers: What the stack made, no longer names, and left.
        viewer: Who applied it.
        processes: What runs for it.
        ends_here: Whether that ends with this very process.
    """

    stack: str
    cluster_id: str
    team: str | None
    outcomes: tuple[Outcome, ...]
    leftovers: tuple[str, ...] = ()
    viewer: Viewer = field(default_factory=Viewer)
    processes: tuple[GroupState, ...] = ()
    ends_here: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything is as the stack says."""
        return not self.services_failed

    @property
    def services_created(self) -> tuple[ServiceInfo, ...]:
        """What was exposed now."""
        return tuple(self._infos("create"))

    @property
    def services_updated(self) -> tuple[ServiceInfo, ...]:
        """What was changed."""
        return tuple(self._infos("update"))

    @property
    def services_unchanged(self) -> tuple[ServiceInfo, ...]:
        """What was as it should be."""
        return tuple(self._infos("leave"))

    @property
    def services_removed(self) -> tuple[str, ...]:
        """What the stack no longer names, and is gone."""
        gone = [o for o in self.outcomes if o.change.action == "remove" and o.error is None]
        return tuple(outcome.change.name for outcome in gone)

    @property
    def services_failed(self) -> tuple[FailedService, ...]:
        """What could not be done, and why."""
        return tuple(FailedService(o.change.name, str(o.error)) for o in self.outcomes if o.error)

    @property
    def access_summary(self) -> AccessSummary:
        """Who gets in where, of all that is as declared."""
        infos = list(self._infos("create", "update", "leave"))
        authenticated = sum(info.auth_required for info in infos)
        return AccessSummary(
            total_services=len(infos),
            authenticated_services=authenticated,
            public_services=len(infos) - authenticated,
            team_access_urls={info.name: info.url for info in infos},
        )

    def mapping(self, name: str) -> PortMapping:
        """Return the mapping of a service.

        Args:
            name: The service's name.

        Raises:
            KeyError: There is none.
        """
        for outcome in self.outcomes:
            if outcome.change.name == name and outcome.mapping is not None:
                return outcome.mapping
        raise KeyError(name)

    def text(self, *, color: bool = False) -> str:
        """Return a table, what failed, and the totals."""
        head = ("", "SERVICE", "CATEGORY", "PORT", "WHO", "", "URL")
        body = [
            (sign, readable(o.change.name), _category(o), _port(o), who, word, where)
            for o in self.outcomes
            for sign, who, word, where in [self._cells(o)]
        ]
        lines = text.aligned(head, body, right=(3,)) if body else ["Nothing is declared."]
        if color:
            for index, outcome in enumerate(self.outcomes, start=1):
                failed = outcome.error is not None
                lines[index] = text.toned(lines[index], "bad" if failed else None)
        lines += [
            f"{readable(failed.name)}: {readable(failed.error, limit=500)}"
            for failed in self.services_failed
        ]
        return "\n".join([*lines, self._totals(), *leftover_lines(self.leftovers)])

    def html(self) -> str:
        """Return a table with icons, what failed, and the totals."""
        head = ("", "Service", "Category", "Port", "Who can open it", "Address", "")
        body = [self._html_line(outcome) for outcome in self.outcomes]
        note = "\n".join([self._totals(), *leftover_lines(self.leftovers)])
        return card.table(head, body, "Nothing is declared.", note)

    def json(self) -> dict[str, Any]:
        """Return the contract's form, with what was updated, left and removed."""
        return {
            "cluster_id": self.cluster_id,
            "stack": self.stack,
            "team": self.team,
            "services_created": [asdict(info) for info in self.services_created],
            "services_updated": [asdict(info) for info in self.services_updated],
            "services_unchanged": [asdict(info) for info in self.services_unchanged],
            "services_removed": list(self.services_removed),
            "services_failed": [asdict(failed) for failed in self.services_failed],
            "services_leftover": list(self.leftovers),
            "access_summary": asdict(self.access_summary),
            "processes": [told(group) for group in self.processes],
        }

    def _infos(self, *actions: Action) -> Iterable[ServiceInfo]:
        for outcome in self.outcomes:
            service, mapping = outcome.change.service, outcome.mapping
            if outcome.error or outcome.change.action not in actions or not (service and mapping):
                continue
            yield ServiceInfo(
                name=service.name,
                category=service.category,
                url=mapping.url,
                port=mapping.external_port,
                priority=service.priority,
                auth_required=_requires_sign_in(mapping),
            )

    def _totals(self) -> str:
        summary = self.access_summary
        whose = f" for {readable(self.team)}" if self.team else ""
        failed = f", {len(self.services_failed)} failed" if self.services_failed else ""
        return (
            f"{readable(self.stack)}{whose}: {summary.total_services} exposed, "
            f"{summary.authenticated_services} with sign-in, {summary.public_services} public"
            f"{failed}."
        )

    def _cells(self, outcome: Outcome) -> tuple[str, str, str, str]:
        """Return sign, who can open it, what happened, and where it is."""
        sign, done = _done(outcome)
        if outcome.mapping is None or outcome.error:
            return sign, "-", done.word, "-"
        row = make_row(outcome.mapping, self.viewer, default_authentication=True)
        return sign, row.who_can_open, done.word, row.address

    def _html_line(self, outcome: Outcome) -> tuple[str, ...]:
        who = shown = link = ""
        if outcome.error:
            shown = card.wrapped(card.isolated(readable(str(outcome.error), limit=500)))
        elif outcome.mapping is not None:
            row = make_row(outcome.mapping, self.viewer, default_authentication=True)
            who, shown = card.who(row), card.code(row.address)
            link = card.link(row) if row.open_url else ""
        return (
            card.state(_done(outcome)[1]),
            card.isolated(readable(outcome.change.name)),
            card.isolated(_category(outcome)),
            escape(_port(outcome)),
            who,
            shown,
            link,
        )


def _done(outcome: Outcome) -> tuple[str, Health]:
    return _FAILED if outcome.error else _DONE[outcome.change.action]


def _requires_sign_in(mapping: PortMapping) -> bool:
    access = mapping.access_control
    access = access if isinstance(access, AccessControl) else AccessControl()
    return access.requires_sign_in(default=True)


def _port(outcome: Outcome) -> str:
    """Return a service's port, and over how many processes its requests are spread."""
    replicas = outcome.mapping.replicas if outcome.mapping and not outcome.error else None
    port = "-" if outcome.change.port is None else str(outcome.change.port)
    return f"{port} ×{1 + len(replicas)}" if replicas else port


def _category(outcome: Outcome) -> str:
    return readable(outcome.change.service.category) if outcome.change.service else "-"
