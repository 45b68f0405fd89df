"""The calls about people, described as data: links, users, sessions, keys, the audit and the log.

All are extensions of the contract: a server without them makes `NotSupportedError`.
"""

from __future__ import annotations

from datetime import datetime, timezone

from ..models import AccessLogEntry
from ..people import (
    Event,
    KeyRotation,
    Link,
    LinkRequest,
    Revoked,
    Session,
    User,
    UserRequest,
    UserSettings,
)
from ..validation import parse_request
from ._operations import PROXY, Operation
from ._reading import read_data, read_list


def create_link(  # noqa: PLR0913 - keyword-only, each with a default
    port_id: str,
    /,
    *,
    user: str,
    expires_in_seconds: int = 60,
    one_time: bool = True,
    path: str = "/",
    allow: bool = False,
    ends_sessions: bool = False,
    frame_origin: str | None = None,
) -> Operation[Link]:
    """Return a URL that signs one person in to one mapping (extension of the contract).

    Args:
        port_id: The mapping's id.
        user: Who is signed in by it.
        expires_in_seconds: Until when it can be used, 1 s to 30 days.
        one_time: It can be used once.
        path: Where the visitor lands.
        allow: Add the person to the mapping's `allowed_users` if that lacks them.
        ends_sessions: Sessions that it begins end when the link does, if not before.
        frame_origin: Origin of the page that will show the service in a frame.

    Raises:
        NotSupportedError: The server has no links.
        PortNotFoundError: There is no such mapping.
        ConflictError: The mapping is shared with others only, and `allow` is not set.
    """
    fields = {
        "port_id": port_id,
        "user": user,
        "expires_in_seconds": expires_in_seconds,
        "one_time": one_time,
        "path": path,
        **({"allow": True} if allow else {}),
        **({"ends_sessions": True} if ends_sessions else {}),
        **_given(frame_origin=frame_origin),
    }
    body = parse_request(LinkRequest, fields).to_wire()
    return Operation("POST", f"{PROXY}/links", read_data(Link), body=body, extension="links")


def list_links(port_id: str | None = None) -> Operation[list[Link]]:
    """Return the links that can still be used, without their URLs.

    Args:
        port_id: Only to this mapping.
    """
    query = _given(port_id=port_id)
    return Operation("GET", f"{PROXY}/links", read_list(Link), query=query, extension="links")


def delete_link(link_id: str, /) -> Operation[None]:
    """Revoke a link; sessions that it began go on.

    Args:
        link_id: Its id.

    Raises:
        NotFoundError: There is no such link.
    """
    return _delete("links", link_id=link_id)


def list_users() -> Operation[list[User]]:
    """Return everybody who is known by name."""
    return Operation("GET", f"{PROXY}/users", read_list(User), extension="users")


def create_user(name: str, /) -> Operation[User]:
    """Add a person or program that may sign in by a token.

    Args:
        name: 1–200 characters, one line.

    Returns:
        The user; its `token` is shown only now.

    Raises:
        NotSupportedError: The server has no users.
        ConflictError: The name is taken.
    """
    body = parse_request(UserRequest, {"name": name}).to_wire()
    return Operation("POST", f"{PROXY}/users", read_data(User), body=body, extension="users")


def update_user(name: str, /, *, disabled: bool) -> Operation[User]:
    """Keep a user out, or let them in again.

    Args:
        name: Who.
        disabled: True ends their sessions, and refuses their token and their links.

    Raises:
        NotFoundError: There is no such user.
    """
    body = parse_request(UserSettings, {"disabled": disabled}).to_wire()
    return Operation(
        "PUT",
        f"{PROXY}/users/{{name}}",
        read_data(User),
        path_values={"name": name},
        body=body,
        extension="users",
    )


def rotate_user_token(name: str, /) -> Operation[User]:
    """Give a user a new token; the one before it is refused from now on.

    Args:
        name: Who.

    Returns:
        The user; its `token` is shown only now.

    Raises:
        NotFoundError: There is no such user.
    """
    return Operation(
        "POST",
        f"{PROXY}/users/{{name}}/token",
        read_data(User),
        path_values={"name": name},
        extension="users",
    )


def delete_user(name: str, /) -> Operation[None]:
    """Remove a user: their token, links and sessions end.

    Args:
        name: Who.

    Raises:
        NotFoundError: There is no such user.
    """
    return _delete("users", name=name)


def list_sessions(
    *, port_id: str | None = None, user: str | None = None
) -> Operation[list[Session]]:
    """Return who is signed in.

    Args:
        port_id: Only to this mapping.
        user: Only this person.
    """
    query = _given(port_id=port_id, user=user)
    path = f"{PROXY}/sessions"
    return Operation("GET", path, read_list(Session), query=query, extension="sessions")


def revoke_session(session_id: str, /) -> Operation[None]:
    """Sign one visitor out; their open streams are closed within seconds.

    Args:
        session_id: Its id.

    Raises:
        NotFoundError: There is no such live session.
    """
    return _delete("sessions", session_id=session_id)


def revoke_sessions(*, port_id: str | None = None, user: str | None = None) -> Operation[Revoked]:
    """Sign out everybody who matches; without a condition, everybody.

    Args:
        port_id: Only from this mapping.
        user: Only this person.
    """
    query = _given(port_id=port_id, user=user)
    path = f"{PROXY}/sessions"
    return Operation("DELETE", path, read_data(Revoked), query=query, extension="sessions")


def rotate_keys(*, overlap: bool = False) -> Operation[KeyRotation]:
    """Sign with a new key from now on.

    Args:
        overlap: Go on accepting what the old key signed until the next rotation. Without it every
            session, link and token ends at once.
    """
    body = parse_request(KeyRotation, {"overlap": overlap}).to_wire()
    return Operation("POST", f"{PROXY}/keys", read_data(KeyRotation), body=body, extension="keys")


def list_events(  # noqa: PLR0913 - keyword-only, each with a default
    *,
    after: int = 0,
    action: str | None = None,
    port_id: str | None = None,
    limit: int = 100,
    wait_seconds: int = 0,
    latest: bool = False,
) -> Operation[list[Event]]:
    """Return what happened, the oldest first.

    Args:
        after: Only events after the one of this id.
        action: Only this action, such as ``port.created``, or with a dot at its end a whole kind.
        port_id: Only about this mapping.
        limit: How many at most, 1–1000.
        wait_seconds: If there is none, wait so long for one, 0–30.
        latest: If there are more than `limit`, return the last of them instead of the first.
    """
    numbers = {"after": after, "limit": limit, "wait_seconds": wait_seconds}
    query = _given(action=action, port_id=port_id) | {k: str(v) for k, v in numbers.items() if v}
    query |= {"latest": "true"} if latest else {}
    return Operation("GET", f"{PROXY}/events", read_list(Event), query=query, extension="events")


def access_logs(  # noqa: PLR0913 - keyword-only, each a filter
    *,
    port_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    status: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Operation[list[AccessLogEntry]]:
    """Return requests to exposed services, the newest first.

    Args:
        port_id: Only to this mapping.
        since: Only at or after this moment.
        until: Only before this moment.
        status: Only this status, or with 1–5 this class of statuses.
        before: Only those older than the entry of this id: the next page.
        limit: How many at most, 1–1000.
    """
    moments = {"since": since, "until": until}
    query = _given(
        port_id=port_id,
        **{name: _iso(moment) for name, moment in moments.items() if moment},
        status=None if status is None else str(status),
        before=None if before is None else str(before),
    )
    return Operation(
        "GET",
        f"{PROXY}/access-logs",
        read_list(AccessLogEntry),
        query=query | {"limit": str(limit)},
        extension="access-logs",
    )


def _delete(kind: str, **path_values: str) -> Operation[None]:
    (name,) = path_values
    return Operation(
        "DELETE",
        f"{PROXY}/{kind}/{{{name}}}",
        lambda _: None,
        path_values=path_values,
        extension=kind,
        missing_is_done=True,
    )


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _iso(moment: datetime) -> str:
    """Return a moment as the wire has it; one without a zone is local time, as Python says."""
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
