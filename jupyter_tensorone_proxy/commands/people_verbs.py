"""The verbs that let people in and see them out: share, links, sessions, revoke.

As in `verbs`: plain functions from a client and arguments to a result.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
from collections.abc import Mapping

from ..client import ProxyClient
from ..errors import ConflictError, NotFoundError, ProxyError, UsageError
from ..models import AccessControl, PortMapping
from ..people import Session, User
from .credential_results import ShareResult
from .people_results import DoneResult, TableResult
from .people_tables import links_table, sessions_table
from .rows import Row, Viewer, readable
from .verbs import Run, require, row_of


def share(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> ShareResult:
    """Make a link that lets one person in to one exposed port, until the link ends.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks, and from where.

    Raises:
        PortNotFoundError: The port is not exposed.
        ConflictError: The port is shared with others only, and ``--allow`` was not given.
        ProxyError: The port needs no link, or has no page.
    """
    config = client.get_proxy()
    mapping = require(config, args.port)
    row = row_of(config, mapping, viewer)
    _require_use_for_a_link(row)
    try:
        link = client.create_link(
            mapping.id,
            user=args.user,
            expires_in_seconds=args.life_seconds,
            one_time=args.once,
            path=args.path,
            allow=args.allow,
            ends_sessions=True,
        )
    except ConflictError as error:
        raise _with_offer(error, row, args) from None
    return ShareResult(row, link, added=args.allow and not _may_open(mapping, args.user))


def links(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> TableResult:
    """List the links that can still be used.

    Args:
        client: Where.
        args: Arguments of the verb.

    Raises:
        PortNotFoundError: The one port asked for is not exposed.
    """
    ports, port_id = ports_and_id(client, args.port)
    return links_table(client.list_links(port_id), ports)


def sessions(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> TableResult:
    """List who is signed in.

    Args:
        client: Where.
        args: Arguments of the verb.

    Raises:
        PortNotFoundError: The one port asked for is not exposed.
    """
    ports, port_id = ports_and_id(client, args.port)
    return sessions_table(client.list_sessions(port_id=port_id, user=args.user), ports)


def revoke(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> DoneResult:
    """End a session, a link with what it began, or all of a person or a port.

    Who is thrown out by name or port loses their links too: else they would be back at once.

    Args:
        client: Where.
        args: Arguments of the verb.

    Raises:
        UsageError: Nothing was said, or too much.
        NotFoundError: There is no such session or link.
        PortNotFoundError: The port is not exposed.
    """
    given = [name for name in ("session", "link", "user", "port") if getattr(args, name)]
    if not given or (len(given) > 1 and given != ["user", "port"]):
        raise UsageError(
            "revoke: say what to end, one thing at a time.",
            suggestion="--session ID, --link ID, --user NAME, --port PORT, or the last two "
            "together; `sessions` and `links` list what there is.",
        )
    if args.session:
        return _revoke_session(client, args.session)
    if args.link:
        return _revoke_link(client, args.link)
    return _revoke_all(client, args)


def ports_and_id(
    client: ProxyClient, port: int | None
) -> tuple[Mapping[str, PortMapping], str | None]:
    """Return all mappings by id, and the id of one port's.

    Args:
        client: Where.
        port: The one port asked for; None for all.

    Raises:
        PortNotFoundError: It is not exposed.
    """
    config = client.get_proxy()
    ports = {mapping.id: mapping for mapping in config.port_mappings}
    return ports, None if port is None else require(config, port).id


RUN: dict[str, Run] = {
    "share": share,
    "links": links,
    "sessions": sessions,
    "revoke": revoke,
}
"""Verb → function; `runs` has all of them."""


# --- share ---------------------------------------------------------------------------------


def _require_use_for_a_link(row: Row) -> None:
    port = row.mapping.internal_port
    if row.open_url is None:
        raise ProxyError(
            f"{row.name} (port {port}) has no page that a link could open.",
            suggestion=f"`update {port} --allow-ip CIDR` says from where it can be reached.",
        )
    if row.is_public:
        raise ProxyError(
            f"{row.name} (port {port}) is public: whoever has {row.address} can open it.",
            suggestion=f"`update {port} --only-me` makes it private, then a link has a use.",
        )


def _may_open(mapping: PortMapping, user: str) -> bool:
    access = mapping.access_control
    allowed = access.allowed_users if isinstance(access, AccessControl) else None
    return not allowed or user in allowed


def _with_offer(error: ConflictError, row: Row, args: argparse.Namespace) -> ConflictError:
    """Return the refusal in the words of this verb, with what lets the person in."""
    if "allowed_users" not in error.details:
        return error
    port, user = row.mapping.internal_port, shlex.quote(args.user)
    return ConflictError(
        f"{row.name} (port {port}) is not shared with {readable(args.user)}.",
        code=error.code,
        status=error.status,
        details={
            **error.details,
            "suggestion": f"`share {port} --user {user} --allow` shares it with them too.",
        },
    )


# --- revoke --------------------------------------------------------------------------------


def _revoke_session(client: ProxyClient, session_id: str) -> DoneResult:
    known = {session.id: session for session in client.list_sessions()}
    client.revoke_session(session_id)
    session = known.get(session_id)
    who = readable(session.user) if session else "Somebody"
    return DoneResult(
        f"{who} is signed out; what they have open closes within seconds.",
        _way_back(client, session) if session else "",
        {"sessions": 1, "links": 0},
    )


def _way_back(client: ProxyClient, session: Session) -> str:
    """Say by which link somebody can come back, if by any."""
    usable = {link.id for link in client.list_links(session.port_id)}
    if session.link_id not in usable:
        return ""
    return f"Their link still works: `revoke --link {readable(session.link_id)}` ends it too."


def _revoke_link(client: ProxyClient, link_id: str) -> DoneResult:
    client.delete_link(link_id)
    begun = [session for session in client.list_sessions() if session.link_id == link_id]
    for session in begun:
        with contextlib.suppress(NotFoundError):  # it ended by itself a moment ago
            client.revoke_session(session.id)
    count = {"sessions": len(begun), "links": 1}
    return DoneResult(f"Ended: {_counted(count)}.", data=count)


def _revoke_all(client: ProxyClient, args: argparse.Namespace) -> DoneResult:
    _, port_id = ports_and_id(client, args.port)
    theirs = [x for x in client.list_links(port_id) if args.user in {None, x.user}]
    for link in theirs:
        with contextlib.suppress(NotFoundError):  # used up or ended a moment ago
            client.delete_link(link.id)
    ended = client.revoke_sessions(port_id=port_id, user=args.user).revoked
    count = {"sessions": ended, "links": len(theirs)}
    whose = f" of {readable(args.user)}" if args.user else ""
    where = f" on port {args.port}" if args.port else ""
    if not any(count.values()):
        return DoneResult(f"There was no session and no link{whose}{where}.", data=count)
    hint = ""
    if args.user and _has_token(client.list_users(), args.user):
        hint = f"Their token still works: `users disable {shlex.quote(args.user)}` keeps them out."
    return DoneResult(f"Ended: {_counted(count)}{whose}{where}.", hint, count)


def _has_token(known: list[User], name: str) -> bool:
    return any(user.name == name and user.has_token and not user.disabled for user in known)


def _counted(count: Mapping[str, int]) -> str:
    """Return such as ``1 session and 2 links``, without what there is none of."""
    words = [f"{n} {kind if n > 1 else kind[:-1]}" for kind, n in count.items() if n]
    return " and ".join(words)
