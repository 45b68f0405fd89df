"""Who may come in, as the store keeps it: users, links and sessions of one transaction.

Nothing here decides: `doorkeeper` does. Secrets are not kept: of a token there is its id and a hash
of it, of a link only its id.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..people import Link, Session, User
from .tables import aware, links, naive, now, revoked_tokens, sessions, users

_REVOKED_FOR = timedelta(minutes=10)
"""How much longer than it could be used something revoked is kept: Envoy allows a second more, and
a clock may be set back."""


@dataclass(frozen=True)
class Users:
    """The people and programs that are known by name."""

    connection: sa.Connection

    def all(self) -> list[User]:
        """Return every user, by name."""
        rows = self.connection.execute(sa.select(users).order_by(users.c.name))
        return [_read_user(row) for row in rows]

    def find(self, name: str) -> User | None:
        """Return a user; None if nobody has that name."""
        row = self.connection.execute(sa.select(users).where(users.c.name == name)).first()
        return _read_user(row) if row else None

    def add(self, name: str) -> None:
        """Add a user without a token, unless there is one of that name."""
        if self.find(name) is None:
            values = {"name": name, "disabled": False, "created_at": naive(now())}
            self.connection.execute(sa.insert(users).values(values))

    def set_disabled(self, name: str, *, disabled: bool) -> None:
        """Say whether a user is kept out."""
        self._update(name, disabled=disabled)

    def set_token(self, name: str, token_id: str, token: str) -> None:
        """Put a token in force instead of the one before it."""
        self._update(name, token_id=token_id, token_hash=hash_of(token))

    def token_id(self, name: str) -> str | None:
        """Return the id of the token in force."""
        query = sa.select(users.c.token_id).where(users.c.name == name)
        return self.connection.execute(query).scalar()

    def has_token(self, name: str, token: str) -> bool:
        """Say whether this very token is the user's that is in force."""
        query = sa.select(users.c.token_hash).where(users.c.name == name)
        return self.connection.execute(query).scalar() == hash_of(token)

    def remove(self, name: str) -> None:
        """Forget a user, and the links made for them."""
        self.connection.execute(sa.delete(links).where(links.c.user == name))
        self.connection.execute(sa.delete(users).where(users.c.name == name))

    def revoke_token(self, name: str, expires_at: datetime) -> None:
        """Refuse the token in force until it expires by itself."""
        token_id = self.token_id(name)
        self._update(name, token_id=None, token_hash=None)
        if token_id:
            values = {"id": token_id, "expires_at": naive(expires_at)}
            self.connection.execute(sa.insert(revoked_tokens).values(values))

    def revoked_tokens(self) -> tuple[str, ...]:
        """Return the ids of tokens that Envoy must refuse although they are signed."""
        query = sa.select(revoked_tokens.c.id).where(sa.not_(_is_over(revoked_tokens)))
        return tuple(self.connection.execute(query.order_by(revoked_tokens.c.id)).scalars())

    def forget_ended_tokens(self) -> None:
        """Forget revoked tokens that could not be used any more anyway."""
        self.connection.execute(sa.delete(revoked_tokens).where(_is_over(revoked_tokens)))

    def _update(self, name: str, **values: Any) -> None:
        self.connection.execute(sa.update(users).where(users.c.name == name).values(values))


@dataclass(frozen=True)
class StoredLink:
    """What redeeming a link brings."""

    user: str
    via: str
    ends_at: datetime | None
    """When the sessions it begins end at the latest."""


@dataclass(frozen=True)
class Links:
    """Signed URLs that are out."""

    connection: sa.Connection

    def add(self, link: Link, *, via: str, ends_sessions: bool) -> None:
        """Remember a link."""
        self.connection.execute(
            sa.insert(links).values(
                id=link.id,
                port_id=link.port_id,
                user=link.user,
                via=via,
                one_time=link.one_time,
                ends_sessions=ends_sessions,
                created_at=naive(now()),
                expires_at=naive(link.expires_at),
            )
        )

    def all(self, port_id: str | None = None) -> list[Link]:
        """Return the links that can still be used, the oldest first."""
        query = sa.select(links).where(links.c.expires_at >= naive(now()), _usable())
        if port_id is not None:
            query = query.where(links.c.port_id == port_id)
        rows = self.connection.execute(query.order_by(links.c.created_at, links.c.id))
        return [_read_link(row) for row in rows]

    def forget_ended(self) -> None:
        """Forget links that ended."""
        self.connection.execute(sa.delete(links).where(_is_over(links)))

    def remove(self, link_id: str) -> bool:
        """Revoke a link; False if it is unknown."""
        result = self.connection.execute(sa.delete(links).where(links.c.id == link_id))
        return result.rowcount == 1

    def look(self, link_id: str, port_id: str) -> StoredLink | None:
        """Return a link that can be used, without using it."""
        query = sa.select(links).where(links.c.id == link_id, links.c.port_id == port_id)
        row = self.connection.execute(query.where(_usable())).first()
        if row is None:
            return None
        return StoredLink(row.user, row.via, aware(row.expires_at) if row.ends_sessions else None)

    def use(self, link_id: str) -> bool:
        """Use a link; False if somebody else just did."""
        result = self.connection.execute(
            sa.update(links).where(links.c.id == link_id, _usable()).values(used_at=naive(now()))
        )
        return result.rowcount == 1


@dataclass(frozen=True)
class Sessions:
    """Visitors that are, or were, signed in."""

    connection: sa.Connection

    def add(self, session: Session) -> None:
        """Remember a new session."""
        self.connection.execute(sa.insert(sessions).values(_session_values(session)))

    def live(
        self,
        *,
        session_id: str | None = None,
        port_id: str | None = None,
        user: str | None = None,
    ) -> list[Session]:
        """Return live sessions, the oldest first.

        Args:
            session_id: Only this one.
            port_id: Only of this mapping.
            user: Only of this person.
        """
        query = sa.select(sessions).where(_is_live(), *_matching(session_id, port_id, user))
        rows = self.connection.execute(query.order_by(sessions.c.created_at, sessions.c.id))
        return [_read_session(row) for row in rows]

    def count(self) -> int:
        """Return how many sessions are live."""
        query = sa.select(sa.func.count()).select_from(sessions).where(_is_live())
        return self.connection.execute(query).scalar() or 0

    def count_by_mapping(self) -> dict[str, int]:
        """Return how many sessions of each mapping are live; mappings without any are left out."""
        query = sa.select(sessions.c.port_id, sa.func.count()).where(_is_live())
        rows = self.connection.execute(query.group_by(sessions.c.port_id))
        return {row[0]: row[1] for row in rows}

    def revoke(self, session_ids: list[str]) -> None:
        """End sessions."""
        self.connection.execute(
            sa.update(sessions)
            .where(sessions.c.id.in_(session_ids))
            .values(revoked_at=naive(now()))
        )

    def forget(self, session_id: str) -> None:
        """Drop a session that was never handed out, or that another one replaced unrevoked."""
        self.connection.execute(sa.delete(sessions).where(sessions.c.id == session_id))

    def forget_ended(self) -> None:
        """Forget sessions that ended by themselves, or would have."""
        self.connection.execute(sa.delete(sessions).where(_is_over(sessions)))

    def revoked(self) -> Mapping[str, tuple[str, ...]]:
        """Return by mapping the sessions that Envoy must refuse although they are signed."""
        by_port: dict[str, list[str]] = defaultdict(list)
        rows = self.connection.execute(
            sa.select(sessions.c.port_id, sessions.c.id)
            .where(sessions.c.revoked_at.is_not(None), sa.not_(_is_over(sessions)))
            .order_by(sessions.c.id)
        )
        for row in rows:
            by_port[row.port_id].append(row.id)
        return {port_id: tuple(ids) for port_id, ids in by_port.items()}


def hash_of(token: str) -> str:
    """Return what is kept of a token; enough, as tokens are random and long (no salt needed)."""
    return hashlib.sha256(token.encode()).hexdigest()


def _is_over(table: sa.Table) -> sa.ColumnElement[bool]:
    return table.c.expires_at < naive(now() - _REVOKED_FOR)


def _usable() -> sa.ColumnElement[bool]:
    return sa.or_(links.c.used_at.is_(None), sa.not_(links.c.one_time))


def _is_live() -> sa.ColumnElement[bool]:
    return sa.and_(sessions.c.revoked_at.is_(None), sessions.c.expires_at > naive(now()))


def _matching(
    session_id: str | None, port_id: str | None, user: str | None
) -> list[sa.ColumnElement[bool]]:
    wanted = ((sessions.c.id, session_id), (sessions.c.port_id, port_id), (sessions.c.user, user))
    return [column == value for column, value in wanted if value is not None]


def _session_values(session: Session) -> dict[str, Any]:
    moments = {"created_at": session.created_at, "expires_at": session.expires_at}
    values = session.model_dump(exclude={"last_seen", *moments})
    return values | {name: naive(moment) for name, moment in moments.items() if moment}


def _read_user(row: Any) -> User:
    return User(
        name=row.name,
        disabled=row.disabled,
        has_token=row.token_hash is not None,
        created_at=aware(row.created_at),
    )


def _read_link(row: Any) -> Link:
    return Link(
        id=row.id,
        port_id=row.port_id,
        user=row.user,
        one_time=row.one_time,
        created_at=aware(row.created_at) if row.created_at else None,
        expires_at=aware(row.expires_at),
        used_at=aware(row.used_at) if row.used_at else None,
    )


def _read_session(row: Any) -> Session:
    return Session(
        id=row.id,
        port_id=row.port_id,
        user=row.user,
        client_ip=row.client_ip,
        via=row.via,
        link_id=row.link_id,
        created_at=aware(row.created_at),
        expires_at=aware(row.expires_at),
    )
