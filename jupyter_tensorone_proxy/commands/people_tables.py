"""The tables of links, sessions, users, requests and events: what is said of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..models import AccessLogEntry, PortMapping
from ..people import Event, Link, Session, User
from .people_results import Cell, Column, TableResult, Tone
from .rows import readable

Ports = Mapping[str, PortMapping]
"""Mappings by id, to say a port's number and name."""

_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_TEN = 10.0
_HOW = {"open": "by themselves", "token": "by their token"}
_PORT, _NAME, _USER = Column("Port", number=True), Column("Name"), Column("User")
_DETAILS = Column("Details", wraps=True)
_BAD_ENDING = ".refused"


def links_table(links: Iterable[Link], ports: Ports) -> TableResult:
    """Return the links that can still be used, without their URLs.

    Args:
        links: The links.
        ports: The mappings that they lead to.
    """
    kept = tuple(links)
    columns = (_PORT, _NAME, _USER, Column("Ends"), Column("Works"), Column("Last used"), _ID)
    body = tuple(
        (
            *_port_and_name(link.port_id, ports),
            link.user,
            link.expires_at,
            "once" if link.one_time else "until it ends",
            link.used_at or "not yet",
            link.id,
        )
        for link in kept
    )
    nothing = "No link is out. `share PORT --user NAME` makes one."
    return TableResult(kept, columns, body, nothing, _details(kept, ports))


def sessions_table(sessions: Iterable[Session], ports: Ports) -> TableResult:
    """Return who is signed in.

    Args:
        sessions: The sessions.
        ports: The mappings that they are at.
    """
    kept = tuple(sessions)
    columns = (
        *(_PORT, _NAME, _USER, Column("From")),
        *(Column("Since"), Column("Last seen"), Column("Came"), _ID),
    )
    body = tuple(
        (
            *_port_and_name(session.port_id, ports),
            *(session.user, session.client_ip),
            *(session.created_at, session.last_seen),
            how_they_came(session),
            session.id,
        )
        for session in kept
    )
    return TableResult(kept, columns, body, "Nobody is signed in.", _details(kept, ports))


def how_they_came(session: Session) -> str:
    """Say how somebody signed in.

    Args:
        session: Theirs.

    Example:
        >>> how_they_came(Session(id="s", port_id="p", user="ben", via="link", link_id="link_1"))
        'by link_1'
    """
    return _HOW.get(session.via or "") or f"by {session.link_id or session.via or 'a link'}"


def users_table(users: Iterable[User]) -> TableResult:
    """Return who is known by name.

    Args:
        users: The users.
    """
    kept = tuple(users)
    columns = (Column("Name"), Column("Token"), Column("May sign in"), Column("Known since"))
    body = tuple(
        (
            user.name,
            "yes" if user.has_token else "no",
            "no: disabled" if user.disabled else "yes",
            user.created_at,
        )
        for user in kept
    )
    return TableResult(kept, columns, body, "Nobody is known by name. `users add NAME` adds one.")


def log_table(entries: Iterable[AccessLogEntry], ports: Ports) -> TableResult:
    """Return requests, the newest last, as a terminal shows a log.

    Args:
        entries: The newest first, as the API answers.
        ports: The mappings that they went to.
    """
    kept = tuple(entries)[::-1]
    columns = (
        *(Column("Time", exact=True), _PORT, Column("Status", number=True), Column("Method")),
        *(Column("Path", code=True, wraps=True), Column("ms", number=True), _USER, Column("From")),
    )
    body = tuple(
        (
            *(entry.timestamp, _port_and_name(entry.port_id, ports)[0], _number(entry.status_code)),
            *(entry.method, entry.path, _number(entry.response_time_ms)),
            *(entry.user, entry.client_ip),
        )
        for entry in kept
    )
    tones = tuple(_tone_of_status(entry.status_code) for entry in kept)
    nothing = "No request is in the log."
    return TableResult(kept, columns, body, nothing, _details(kept, ports), tones)


def events_table(events: Iterable[Event], ports: Ports) -> EventsResult:
    """Return what happened, the newest last.

    Args:
        events: The oldest first.
        ports: The mappings that they are about.
    """
    kept = tuple(events)
    columns = (
        *(Column("Time", exact=True), Column("What", least=18)),
        *(Column("Port", number=True, least=5), Column("Who", least=16), _DETAILS),
    )
    body = tuple(
        (
            *(event.timestamp, event.action, _port_of(event, ports)),
            *(who_text(event), details_text(event.details)),
        )
        for event in kept
    )
    tones: tuple[Tone | None, ...] = tuple(
        "bad" if str(event.action).endswith(_BAD_ENDING) else None for event in kept
    )
    return EventsResult(kept, columns, body, "Nothing has happened yet.", (), tones)


@dataclass(frozen=True)
class EventsResult(TableResult):
    """What happened."""

    @property
    def last_id(self) -> int:
        """The last event's id; 0 if there is none."""
        return max((item.id for item in self.items if isinstance(item, Event)), default=0)

    def lines(self, *, color: bool) -> str:
        """Return the table without its head, to go on below an earlier one.

        Args:
            color: Whether the terminal shows colours.
        """
        return self.text(color=color).partition("\n")[2]


def who_text(event: Event) -> str:
    """Return who did it, through what, and from where if that is known.

    Args:
        event: Of the audit.
    """
    if event.via == "gateway" and not event.actor:
        return "the gateway"
    where = f" from {event.client_ip}" if event.client_ip else ""
    who = event.actor or (_detail(event, "user") if event.via == "visit" else None)
    return f"{who or 'somebody'} ({event.via or 'unknown'}{where})"


def details_text(details: Any) -> str:
    """Return an event's details in one line; of changed fields, which.

    Args:
        details: As the audit has them.

    Example:
        >>> details_text({"user": "ben", "link_id": None, "fields": {"description": "x"}})
        'user=ben fields=description'
    """
    if not isinstance(details, Mapping):
        return readable(details)
    words = [
        f"fields={','.join(sorted(value))}"
        if name == "fields" and isinstance(value, Mapping)
        else f"{name}={value}"
        for name, value in details.items()
        if value is not None
    ]
    return readable(" ".join(words), limit=120)


_ID = Column("Id", code=True)


def _port_and_name(port_id: str | None, ports: Ports) -> tuple[Cell, Cell]:
    mapping = ports.get(port_id or "")
    if mapping is None:
        return None, "no longer exposed" if port_id else None
    port: Any = mapping.internal_port
    return None if port is None else str(port), mapping.description


def _port_of(event: Event, ports: Ports) -> Cell:
    """Return the port that an event is about; one that is gone by now told its number then."""
    then = _detail(event, "internal_port")
    return _port_and_name(event.port_id, ports)[0] or (None if then is None else str(then))


def _detail(event: Event, name: str) -> Any:
    details: Any = event.details  # from a server that may have another idea of them
    return details.get(name) if isinstance(details, Mapping) else None


def _details(
    items: Sequence[Link | Session | AccessLogEntry], ports: Ports
) -> tuple[dict[str, Any], ...]:
    found = [ports.get(item.port_id or "") for item in items]
    return tuple({"internal_port": m.internal_port} if m else {} for m in found)


def _number(value: Any) -> str | None:
    """Return a number as short as it is still useful."""
    if isinstance(value, float):
        return f"{value:.1f}" if value < _TEN else f"{value:.0f}"
    return None if value is None else str(value)


def _tone_of_status(status: Any) -> Tone | None:
    if not isinstance(status, int) or status < _CLIENT_ERROR:
        return None
    return "bad" if status >= _SERVER_ERROR else "neutral"
