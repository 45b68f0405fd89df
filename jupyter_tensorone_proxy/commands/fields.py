"""From a command's arguments to the contract's fields; judges nothing the models judge.

Pure, but for the clock that says when a length of time is over.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..errors import UsageError
from ..models import Model
from .moments import now

ANYONE_SIGNED_IN: dict[str, Any] = {
    "authentication_required": True,
    "public_access": False,
    "allowed_users": [],
}
PUBLIC: dict[str, Any] = {
    "authentication_required": False,
    "public_access": True,
    "allowed_users": [],
}


def only(*users: str) -> dict[str, Any]:
    """Return the access fields that let these people in and nobody else.

    Sign-in is asked for by name: a cluster whose default is no sign-in must not make it public.

    Example:
        >>> only("ana")["authentication_required"], only("ana")["allowed_users"]
        (True, ['ana'])
    """
    return {**ANYONE_SIGNED_IN, "allowed_users": list(users)}


def private_by_default(fields: Mapping[str, Any], me: str | None) -> dict[str, Any]:
    """Return the fields of a new mapping, for me alone if they do not say who can open it.

    Args:
        fields: What was asked for.
        me: My name on the proxy; if nobody said, the server's default stands.

    Example:
        >>> private_by_default({"internal_port": 6006}, "ana")["access_control"]["allowed_users"]
        ['ana']
    """
    access = fields.get("access_control") or {}
    access = access.to_wire() if isinstance(access, Model) else access
    raw = fields.get("protocol") == "udp" or fields.get("app_protocol") == "tcp"
    if me is None or raw or not isinstance(access, Mapping) or set(ANYONE_SIGNED_IN) & set(access):
        return dict(fields)
    return {**fields, "access_control": {**only(me), **access}}


def settings_of(args: argparse.Namespace, me: str | None) -> dict[str, Any]:
    """Return the contract's fields for what was given on the line, and for nothing else.

    Args:
        args: Arguments of ``expose`` or ``update``.
        me: My name on the proxy, for ``--only-me``.

    Raises:
        UsageError: ``--only-me``, and nobody said who that is.

    Example:
        >>> from .grammar import parse
        >>> settings_of(parse(["update", "80", "--health-path", "/up"], rim="cli"), None)
        {'health_check': {'enabled': True, 'path': '/up'}}
    """
    health = _given(path=args.health_path, interval_seconds=args.health_interval)
    access = who_fields(args, me) | _given(
        ip_whitelist=args.allow_ip,
        blocked_ips=args.block_ip,
        rate_limit=_given(requests_per_minute=args.rate_limit) or None,
    )
    return _until(args) | _given(
        description=args.name,
        external_port=args.external_port,
        custom_domain=args.domain,
        protocol=args.protocol,
        app_protocol=args.app_protocol,
        health_check={"enabled": True, **health} if health else None,
        access_control=access or None,
        force=args.force or None,
    )


def who_fields(args: argparse.Namespace, me: str | None) -> dict[str, Any]:
    """Return the access fields for who was named on the line; none if nobody was.

    Args:
        args: Arguments of a verb that has ``--only-me`` and the like.
        me: My name on the proxy, for ``--only-me``.

    Raises:
        UsageError: ``--only-me``, and nobody said who that is.
    """
    if args.only_me and me is None:
        raise UsageError(
            "--only-me: nobody said who you are.",
            suggestion="Use --users NAME, or set TENSORONE_USER.",
        )
    if args.only_me and me:
        return only(me)
    if args.users:
        return only(*args.users)
    if args.public:
        return dict(PUBLIC)
    return dict(ANYONE_SIGNED_IN) if args.anyone_signed_in else {}


def _until(args: argparse.Namespace) -> dict[str, Any]:
    """Return when it ends, on whole seconds; None for never, where that was said."""
    if not hasattr(args, "life_seconds"):
        return {}
    if args.life_seconds is None:
        return {"expires_at": None}
    return {"expires_at": now().replace(microsecond=0) + timedelta(seconds=args.life_seconds)}


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
