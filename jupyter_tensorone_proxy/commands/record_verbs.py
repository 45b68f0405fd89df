"""The verbs about what holds for all ports, and about what happened: access, logs, events, keys.

As in `verbs`: plain functions from a client and arguments to a result.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ..client import ProxyClient
from ..errors import NotSupportedError, UsageError
from ..models import AccessLogEntry, ClusterAccess
from ..people import Event
from .moments import now
from .people_results import AccessResult, DoneResult, TableResult
from .people_tables import EventsResult, events_table, log_table
from .people_verbs import ports_and_id
from .rows import Viewer
from .verbs import Run

_PAGE = 1000
_SHOWN_EVENTS = 50
_WAIT_SECONDS = 20
"""How long one request waits for the next event; less than any proxy's patience."""


def access(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> AccessResult:
    """Change the rules that hold for all ports, if any is given; show them.

    Args:
        client: Where.
        args: Arguments of the verb.

    Raises:
        InvalidRequestError: A value is wrong.
    """
    if fields := access_fields(args):
        client.update_access(**fields)
    shown = client.get_proxy().access_control
    return AccessResult(shown if isinstance(shown, ClusterAccess) else ClusterAccess())


def access_fields(args: argparse.Namespace) -> dict[str, Any]:
    """Return the contract's fields for what was given on the line, and for nothing else.

    Args:
        args: Arguments of ``access``.

    Example:
        >>> from .grammar import parse
        >>> access_fields(parse("access --session-timeout 4h --allow-ip none".split(), rim="cli"))
        {'session_timeout_minutes': 240, 'ip_whitelist': []}
    """
    limits = {
        name: None if value is None else {"requests_per_minute": value}
        for name, option in (("global_limit", "global_limit"), ("per_user_limit", "user_limit"))
        if (value := getattr(args, option, 0)) != 0
    }
    headers = _given(
        hsts_enabled=args.hsts,
        x_frame_options=args.frame_options,
        content_security_policy=args.content_security_policy,
    )
    return _given(
        default_authentication=args.default_sign_in,
        session_timeout_minutes=args.session_timeout,
        max_concurrent_sessions=args.max_sessions,
        ip_whitelist=_addresses(args.allow_ip),
        blocked_ips=_addresses(args.block_ip),
        rate_limiting=limits or None,
        security_headers=headers or None,
    )


def logs(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> TableResult:
    """Show requests to exposed services, the newest last.

    Args:
        client: Where.
        args: Arguments of the verb.

    Raises:
        PortNotFoundError: The one port asked for is not exposed.
        NotSupportedError: The server tells recent requests only, and not to which port.
    """
    ports, port_id = ports_and_id(client, args.port)
    since = None if args.since is None else now() - timedelta(seconds=args.since)
    try:
        entries = client.access_logs(
            port_id=port_id, since=since, status=args.status, limit=args.lines
        )
    except NotSupportedError:  # the contract itself has the recent ones, of all ports together
        if port_id is not None:
            raise
        recent = client.get_proxy(include_access_logs=True).access_logs or []
        entries = [e for e in recent if _fits(e, since, args.status)][: args.lines]
    return log_table(entries, ports)


def events(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> EventsResult:
    """Show what happened, the newest last.

    Args:
        client: Where.
        args: Arguments of the verb.

    Raises:
        PortNotFoundError: The one port asked for is not exposed.
        UsageError: ``--follow --json``: one JSON value never ends.
    """
    json_lines = getattr(args, "json_lines", False)
    if getattr(args, "follow", False) and getattr(args, "json", False):
        raise UsageError("events: --follow has no end.", suggestion="Use it with --json-lines.")
    ports, port_id = ports_and_id(client, args.port)
    if json_lines and args.lines is None:
        return events_table(_all_events(client, args.action, port_id), ports)
    found = client.list_events(
        action=args.action, port_id=port_id, limit=args.lines or _SHOWN_EVENTS, latest=True
    )
    return events_table(found, ports)


def follow_events(
    client: ProxyClient, args: argparse.Namespace, shown: EventsResult
) -> Iterator[EventsResult]:
    """Go on with what happens after what was shown, until somebody interrupts.

    Args:
        client: Where.
        args: Arguments of ``events``.
        shown: What `events` returned.

    Yields:
        What happened since.
    """
    after = shown.last_id
    _, port_id = ports_and_id(client, args.port)
    while True:
        found = client.list_events(
            after=after, action=args.action, port_id=port_id, wait_seconds=_WAIT_SECONDS
        )
        if found:
            after = found[-1].id
            ports, _ = ports_and_id(client, None)  # it may be about one that is new
            yield events_table(found, ports)


def rotate_keys(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> DoneResult:
    """Sign with a new key from now on.

    Args:
        client: Where.
        args: Arguments of the verb.
    """
    rotated = client.rotate_keys(overlap=args.overlap)
    if rotated.overlap:
        hint = "What the one before it signed stays good until the next `rotate-keys`."
    else:
        hint = "Every session, link and token has ended; `share` and `users rotate` make new ones."
    return DoneResult("A new key signs from now on.", hint, rotated.to_wire())


RUN: dict[str, Run] = {
    "access": access,
    "logs": logs,
    "events": events,
    "rotate-keys": rotate_keys,
}
"""Verb → function; `runs` has all of them."""


def _all_events(client: ProxyClient, action: str | None, port_id: str | None) -> Iterator[Event]:
    after = 0
    while page := client.list_events(after=after, action=action, port_id=port_id, limit=_PAGE):
        yield from page
        after = page[-1].id


def _fits(entry: AccessLogEntry, since: datetime | None, status: int | None) -> bool:
    """Say whether a request is one of those asked for, as the gateway would."""
    known: Any = entry.status_code
    classed = known // 100 if isinstance(known, int) else None
    late = since is None or (isinstance(entry.timestamp, datetime) and entry.timestamp >= since)
    return late and status in {None, known, classed}


def _addresses(given: list[str | None] | None) -> list[str] | None:
    return None if given is None else [address for address in given if address is not None]


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
