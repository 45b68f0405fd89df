"""Who gets a session, and how one ends: the decisions behind the pages of `visitor`.

A session is a row in the store and a signed cookie. The row says that it exists and how it began;
Envoy lets in whoever has the cookie, without asking here, until it expires or is revoked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from ..people import Session
from .audit import Note
from .control import Controller
from .desired import DesiredMapping
from .identity import Signer, claimed_user, new_id
from .store import Store, Transaction
from .tables import now
from .throttle import Throttle

_LONGEST_NAME = 200

Reason = Literal[
    "expired link", "wrong token", "too many tries", "disabled", "not invited", "too many sessions"
]


class RefusedError(Exception):
    """Somebody does not get in.

    Args:
        reason: Why.
        user: Who, if that is certain.
        retry_after_seconds: How long to wait, if waiting helps.
    """

    def __init__(
        self, reason: Reason, user: str | None = None, *, retry_after_seconds: int = 0
    ) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.user = user
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Visitor:
    """What is certain about a request, because Envoy says so.

    Args:
        client_ip: The address it comes from.
        session_id: The valid session it came with.
        user: Whose session that is.
    """

    client_ip: str
    session_id: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class Admission:
    """A session that begins: what goes into the visitor's cookie."""

    session: Session
    token: str
    lifetime_seconds: int


class Doorkeeper:
    """Begins and ends sessions.

    Args:
        controller: Says what is exposed, and carries out revocations.
        store: Keeps users, links and sessions.
        signer: Signs and checks tokens.
    """

    def __init__(self, controller: Controller, store: Store, signer: Signer) -> None:
        self._controller = controller
        self._store = store
        self._signer = signer
        self._throttle = Throttle()

    async def by_link(self, mapping: DesiredMapping, token: str, visitor: Visitor) -> Admission:
        """Begin the session that a link is for; a one-time link is used up only if it begins.

        Raises:
            RefusedError: The link is no longer good, or its person may not come in.
            PortNotFoundError: The mapping has just gone.
        """
        async with self._noting_refusals(mapping) as told:
            claims = self._signer.read_link(token, mapping.id)
            if claims is None:
                raise RefusedError("expired link")
            told["link_id"] = claims.token_id
            async with self._store.transaction() as transaction:
                mapping = self._controller.mapping(mapping.id)  # as it is by now
                link = transaction.links.look(claims.token_id, mapping.id)
                if link is None:
                    raise RefusedError("expired link", claims.user)
                self._require_welcome(transaction, mapping, claims.user, visitor)
                if not transaction.links.use(claims.token_id):
                    raise RefusedError("expired link", claims.user)
                planned = self._plan(mapping, claims.user, visitor, link.via, link.ends_at)
                session = planned.model_copy(update={"link_id": claims.token_id})
                session = self._begin(transaction, session, visitor)
        return await self._admitted(mapping, session, visitor, frame_origin=claims.frame_origin)

    async def by_token(self, mapping: DesiredMapping, token: str, visitor: Visitor) -> Admission:
        """Begin the session of whoever has this user token.

        Raises:
            RefusedError: The token is wrong, or its owner may not come in.
            PortNotFoundError: The mapping has just gone.
        """
        async with self._noting_refusals(mapping):
            self._require_patience(visitor.client_ip)
            claims = self._signer.read_user_token(token)
            async with self._store.transaction() as transaction:
                mapping = self._controller.mapping(mapping.id)
                if claims is None or not transaction.users.has_token(claims.user, token):
                    raise self._wrong_token(token, visitor)
                self._require_welcome(transaction, mapping, claims.user, visitor)
                planned = self._plan(mapping, claims.user, visitor, "token", None)
                session = self._begin(transaction, planned, visitor)
        self._throttle.succeeded(visitor.client_ip)
        return await self._admitted(mapping, session, visitor)

    async def sign_out(self, visitor: Visitor) -> None:
        """End the session that a request came with."""
        if visitor.session_id is not None:
            await self._end(visitor.session_id)

    def _require_patience(self, who: str) -> None:
        if wait := self._throttle.wait_seconds(who):
            raise RefusedError("too many tries", retry_after_seconds=wait)

    def _wrong_token(self, token: str, visitor: Visitor) -> RefusedError:
        """Count the failure; many of them are refused by the name they claim, too.

        A right token is not: nobody can lock a user out by trying in their name.
        """
        claimed = f"user {claimed_user(token)[:_LONGEST_NAME]}"
        self._throttle.failed(visitor.client_ip)
        wait = self._throttle.wait_seconds(claimed)
        self._throttle.failed(claimed)
        if wait:
            return RefusedError("too many tries", retry_after_seconds=wait)
        return RefusedError("wrong token")

    def _require_welcome(
        self, transaction: Transaction, mapping: DesiredMapping, user: str, visitor: Visitor
    ) -> None:
        known = transaction.users.find(user)
        if known is not None and known.disabled:
            raise RefusedError("disabled", user)
        if not mapping.is_for(user):
            raise RefusedError("not invited", user)
        most = self._controller.desired.cluster.access.max_concurrent_sessions
        renewed = transaction.sessions.live(session_id=visitor.session_id or "")
        if not renewed and transaction.sessions.count() >= most:
            raise RefusedError("too many sessions", user)

    def _plan(
        self,
        mapping: DesiredMapping,
        user: str,
        visitor: Visitor,
        via: str,
        ends_at: datetime | None,
    ) -> Session:
        """Describe a session that would begin now."""
        cluster = self._controller.desired.cluster.access
        minutes = mapping.access.session_timeout_minutes or cluster.session_timeout_minutes
        moment = now()
        expires_at = moment + timedelta(minutes=minutes)
        return Session(
            id=new_id("ses"),
            port_id=mapping.id,
            user=user,
            client_ip=visitor.client_ip,
            via=via,
            created_at=moment,
            expires_at=min(expires_at, ends_at) if ends_at else expires_at,
        )

    def _begin(self, transaction: Transaction, planned: Session, visitor: Visitor) -> Session:
        """Store a session; one that the visitor still has is renewed, not added to.

        One that was revoked since Envoy let the visitor through is not: it stays revoked.
        """
        had = transaction.sessions.live(session_id=visitor.session_id or "", user=planned.user)
        session = planned.model_copy(update={"id": had[0].id}) if had else planned
        transaction.sessions.forget(session.id)
        transaction.sessions.add(session)
        told = {"session_id": session.id, "user": session.user, "link_id": session.link_id}
        transaction.events.add(Note("session.started", session.port_id, told))
        return session

    async def _admitted(
        self,
        mapping: DesiredMapping,
        session: Session,
        visitor: Visitor,
        *,
        frame_origin: str | None = None,
    ) -> Admission:
        if visitor.session_id is not None and visitor.session_id != session.id:
            await self._end(visitor.session_id)  # somebody else's, whose cookie is now replaced
        ends_at = session.expires_at or now()
        seconds = max(1, int((ends_at - now()).total_seconds()))
        token = self._signer.session(
            mapping.id,
            session.user,
            session.id,
            lifetime_seconds=seconds,
            with_assertion=bool(mapping.access.identity_assertion),
            frame_origin=frame_origin,
        )
        return Admission(session, token, seconds)

    async def _end(self, session_id: str) -> None:
        await self._controller.change_people(
            lambda tx: tx.revoke(tx.sessions.live(session_id=session_id))
        )

    @asynccontextmanager
    async def _noting_refusals(self, mapping: DesiredMapping) -> AsyncIterator[dict[str, Any]]:
        """Write a refusal down, after the transaction that found it out was undone.

        Yields a dictionary for what else the event should tell.
        """
        told: dict[str, Any] = {}
        try:
            yield told
        except RefusedError as refusal:
            told |= {"reason": refusal.reason, "user": refusal.user}
            async with self._store.transaction() as transaction:
                transaction.events.add(Note("session.refused", mapping.id, told))
            raise
