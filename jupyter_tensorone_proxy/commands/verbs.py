"""The verbs: plain functions from a client and arguments to a result.

Everything that changes a mapping goes through the client. Nothing here prints or renders.
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable, Mapping
from typing import Any

from ..client import ProxyClient
from ..errors import (
    ConfigurationError,
    NotSupportedError,
    PortAlreadyMappedError,
    PortNotFoundError,
)
from ..models import ClusterAccess, PortMapping, ProxyConfig
from .binding import moved_here, require_expiry
from .fields import private_by_default, settings_of
from .results import HealthResult, ListResult, MappingResult, OpenResult, Result, StatusResult, What
from .rows import Row, Viewer, make_row, says_who

Run = Callable[[ProxyClient, argparse.Namespace, Viewer], Result]


def expose(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> MappingResult:
    """Expose a port, for me alone unless told otherwise; or change how it is exposed.

    Running the same line again is safe: settings on the line are applied to the mapping that is
    there, and whatever the line does not mention stays as it is, who can open it included.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks, and from where.
    """
    fields = settings_of(args, viewer.me)
    what, mapping = create_or_update(client, args.port, fields, viewer, persistent=args.persistent)
    return MappingResult(what, see(client, mapping, viewer))


def create_or_update(
    client: ProxyClient,
    port: int,
    fields: Mapping[str, Any],
    viewer: Viewer,
    *,
    persistent: bool = False,
) -> tuple[What, PortMapping]:
    """Create the mapping of a port, or change the one that is there.

    A new one goes with the kernel that asks for it. One whose service came up on another port is
    pointed there and keeps its URL, if it keeps its name.

    Args:
        client: Where.
        port: The service's port, 1–65535.
        fields: What was asked for.
        viewer: Who asks, whom a new mapping is for; and from which kernel.
        persistent: It stays when the kernel goes.

    Returns:
        What happened (``exposed``, ``updated`` or ``already exposed``), and the mapping.
    """
    require_expiry(client, fields)
    bound = {"kernel_id": viewer.kernel_id} if viewer.kernel_id and not persistent else {}
    if (moved := moved_here(client, port, fields)) is not None:
        return "updated", client.update_port(moved.id, internal_port=port, **fields)
    asked = {"internal_port": port, "description": f"port {port}", **bound, **fields}
    try:
        return "exposed", client.create_port(**private_by_default(asked, viewer.me))
    except PortAlreadyMappedError:
        existing = _find(client.get_proxy(include_health=True), port)
        if existing is None:
            raise
    changes = {**fields, **_rebound(existing, bound, persistent=persistent)}
    if changes:
        return "updated", client.update_port(existing.id, **changes)
    return "already exposed", existing


def _rebound(
    existing: PortMapping, bound: Mapping[str, Any], *, persistent: bool
) -> Mapping[str, Any]:
    """Return what changes of whom a mapping goes with: never does a persistent one become bound."""
    if not existing.kernel_id or existing.kernel_id == bound.get("kernel_id"):
        return {}
    return {"kernel_id": None} if persistent else bound


def update(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> MappingResult:
    """Change how an exposed port is exposed; only what is given changes.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks, and from where.

    Raises:
        PortNotFoundError: The port is not exposed.
    """
    fields = settings_of(args, viewer.me)
    require_expiry(client, fields)
    mapping = require(client.get_proxy(), args.port)
    if not fields:
        return MappingResult("already exposed", see(client, mapping, viewer))
    return MappingResult("updated", see(client, client.update_port(mapping.id, **fields), viewer))


def unexpose(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> MappingResult:
    """Stop exposing a port.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks, and from where.

    Raises:
        PortNotFoundError: The port is not exposed.
    """
    config = client.get_proxy()
    mapping = require(config, args.port)
    client.delete_port(mapping.id)
    return MappingResult("unexposed", row_of(config, mapping, viewer))


def show(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> MappingResult:
    """Show one exposed port.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks, and from where.

    Raises:
        PortNotFoundError: The port is not exposed.
    """
    config = client.get_proxy(include_health=True)
    return MappingResult("shown", row_of(config, require(config, args.port), viewer))


def list_all(client: ProxyClient, _args: argparse.Namespace, viewer: Viewer) -> ListResult:
    """List what is exposed.

    Args:
        client: Where.
        viewer: Who asks, and from where.
    """
    return ListResult(_rows(client.get_proxy(include_health=True), viewer))


def health(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> HealthResult:
    """Say whether exposed services answer.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks, and from where.

    Raises:
        PortNotFoundError: The one port asked for is not exposed.
    """
    config = client.get_proxy(include_health=True)
    if args.port is None:
        return HealthResult(_rows(config, viewer))
    return HealthResult((row_of(config, require(config, args.port), viewer),))


def open_link(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> OpenResult:
    """Make a one-time link that signs me in to an exposed port.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks; the system's user name if nobody said.

    Returns:
        The mapping and the link; no link against a server without links.

    Raises:
        PortNotFoundError: The port is not exposed.
    """
    config = client.get_proxy(include_health=True)
    mapping = require(config, args.port)
    row = row_of(config, mapping, viewer)
    if row.is_public or row.open_url is None:  # nobody to sign in, or nothing to sign in with
        return OpenResult(row, None)
    try:
        link = client.create_link(mapping.id, user=viewer.me or _system_user())
    except NotSupportedError:  # the server signs people in by itself
        return OpenResult(row, None)
    return OpenResult(row, link)


def status(client: ProxyClient, _args: argparse.Namespace, _viewer: Viewer) -> StatusResult:
    """Say where the proxy is and how it does.

    Args:
        client: Where.
    """
    config = client.get_proxy(include_ssl_info=True)
    return StatusResult(config, client.settings.api_url, client.settings.source)


RUN: dict[str, Run] = {
    "expose": expose,
    "list": list_all,
    "show": show,
    "update": update,
    "unexpose": unexpose,
    "open": open_link,
    "health": health,
    "status": status,
}
"""Verb → function, for the rims."""


def see(client: ProxyClient, mapping: PortMapping, viewer: Viewer) -> Row:
    """See a mapping with the viewer's eyes; asks for the cluster's default only if it matters.

    Args:
        client: Where.
        mapping: As the server sees it.
        viewer: Who looks, and from where.
    """
    default = True if says_who(mapping) else _default_authentication(client.get_proxy())
    return make_row(mapping, viewer, default_authentication=default)


def require(config: ProxyConfig, port: int) -> PortMapping:
    """Return the mapping of a port.

    Args:
        config: The proxy as the server sees it.
        port: The service's port, 1–65535.

    Raises:
        PortNotFoundError: The port is not exposed.
    """
    mapping = _find(config, port)
    if mapping is None:
        exposed = sorted(m.internal_port for m in config.port_mappings if m.internal_port)
        known = f"Exposed are: {', '.join(map(str, exposed[:10]))}." if exposed else ""
        raise PortNotFoundError(
            f"Port {port} is not exposed.",
            details={
                "internal_port": port,
                "suggestion": known or f"Nothing is; `expose {port}` exposes it.",
            },
        )
    return mapping


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # an id without an entry in the user database
        raise ConfigurationError(
            "Nobody said who you are, and this system does not know.",
            suggestion="Set TENSORONE_USER to your name.",
        ) from None


def _find(config: ProxyConfig, port: int) -> PortMapping | None:
    return next((m for m in config.port_mappings if m.internal_port == port), None)


def _rows(config: ProxyConfig, viewer: Viewer) -> tuple[Row, ...]:
    by_port = sorted(config.port_mappings, key=lambda mapping: mapping.internal_port or 0)
    return tuple(row_of(config, mapping, viewer) for mapping in by_port)


def row_of(config: ProxyConfig, mapping: PortMapping, viewer: Viewer) -> Row:
    """See a mapping with the viewer's eyes.

    Args:
        config: The proxy as the server sees it.
        mapping: One of its mappings.
        viewer: Who looks, and from where.
    """
    return make_row(mapping, viewer, default_authentication=_default_authentication(config))


def _default_authentication(config: ProxyConfig) -> bool:
    access = config.access_control
    return access.default_authentication if isinstance(access, ClusterAccess) else True
