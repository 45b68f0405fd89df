"""What a stack is made of, as people write it down, and what that asks of the API. Pure.

Settings are merged from the general to the particular: the stack's defaults, the defaults of the
service's priority, the service. A service that names nobody is for the team, or for me alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Strict, Tag

from ..models import (
    Cors,
    Flag,
    HealthCheck,
    IpRange,
    LoadBalancer,
    Model,
    Port,
    PortRequest,
    RateLimit,
    Scaling,
    UserName,
    checked_path,
)
from ..validation import parse_request
from .processes.spec import (
    Command,
    Count,
    Grace,
    Pattern,
    ReadyPath,
    Restart,
    Text,
    Timeout,
    Variable,
)

Priority = Literal["high", "medium", "low"]
PRIORITIES: tuple[Priority, ...] = ("high", "medium", "low")
"""In this order are services exposed."""

PORTS, COUNT = "ports", "count"
"""The two forms of `replicas`, as they are told apart."""


def _form(value: object) -> str:
    return PORTS if isinstance(value, list | tuple) else COUNT


_Replicas = Annotated[
    Annotated[list[Port], Tag(PORTS)] | Annotated[Count, Tag(COUNT)], Discriminator(_form)
]
_LINE = Annotated[UserName, Field(max_length=200)]


class Shared(Model):
    """Settings that a service has for itself, or from the defaults."""

    auth_required: Flag | None = Field(None, description="Visitors must sign in; true at first.")
    users: list[UserName] | None = Field(
        None, description="Only these people; empty: anyone who signs in; missing: the team."
    )
    health: HealthCheck | None = Field(None, description="How it is checked, beside its path.")
    limits: RateLimit | None = Field(None, description="How much of it may be used.")
    session_timeout_minutes: Annotated[int, Strict(), Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="Life of a session, in minutes."
    )
    ip_whitelist: list[IpRange] | None = Field(None, description="Addresses let in; empty: all.")
    blocked_ips: list[IpRange] | None = Field(None, description="Addresses kept out.")
    cors: Cors | None = Field(None, description="Which web origins may read answers.")


class StackDefaults(Shared):
    """Settings of all services of a stack, and of those of one priority."""

    high: Shared | None = Field(None, description="Of services with priority high.")
    medium: Shared | None = Field(None, description="Of services with priority medium.")
    low: Shared | None = Field(None, description="Of services with priority low.")


class StackService(Shared):
    """One service of a stack; with a `command` it is started too.

    Example:
        >>> StackService(name="TensorBoard", port=6006, path="/", priority="high").category
        'services'
    """

    name: _LINE = Field(description="What people call it; there is one of that name in a stack.")
    port: Port | None = Field(
        None, description="The port it listens on, 1–65535; with a command at first a free one."
    )
    path: Annotated[str, Field(max_length=2000), AfterValidator(checked_path)] | None = Field(
        None, description="The path that tells whether it is well; missing: it only has to listen."
    )
    priority: Priority = Field("medium", description="high is exposed first, then medium and low.")
    category: _LINE = Field("services", description="Services of one category belong together.")
    description: Annotated[str, Strict(), Field(min_length=1, max_length=500)] | None = Field(
        None, description="What the mapping is called; at first the name, and the team it is for."
    )
    external_port: Port | None = Field(None, description="The port on the proxy.")
    protocol: Literal["tcp", "udp"] | None = None
    app_protocol: Literal["http", "h2c", "grpc", "https", "tcp"] | None = Field(
        None, description="What the service speaks; http at first."
    )
    custom_domain: str | None = Field(None, description="A host name of its own.")
    ssl_redirect: Flag | None = Field(None, description="Answer plain HTTP by leading to https.")
    load_balancer: LoadBalancer | None = None
    scaling: Scaling | None = None
    replicas: _Replicas | None = Field(
        None,
        description="Further ports of the same service; with a command also how many of it run.",
    )
    command: Command | None = Field(
        None,
        description="The program and its words; {port}, {replica} and {name} are filled in. No "
        "shell reads them.",
    )
    env: dict[Variable, Text] | None = Field(
        None, description="Variables of its environment, filled in likewise."
    )
    cwd: Text | None = Field(None, description="Where it works; at first where you are.")
    restart: Restart | None = Field(
        None, description="Whether it is started again when it ends; on-failure at first."
    )
    ready_path: ReadyPath | None = Field(
        None, description="The path that answers once it is ready; at first `path`."
    )
    ready_log: Pattern | None = Field(
        None, description="A regular expression that a line of its output fits once it is ready."
    )
    ready_timeout_seconds: Timeout | None = Field(
        None, description="How long it may take to be ready, 1–3600; 60 at first."
    )
    stop_grace_seconds: Grace | None = Field(
        None, description="Between asking it to stop and making it, 0–600; 5 at first."
    )
    force: Flag | None = Field(None, description="Expose a protected port all the same.")


class Team(Model):
    """Who a stack is for.

    Example:
        >>> Team(name="ML Research", members=["ana", "ben"]).members
        ['ana', 'ben']
    """

    name: _LINE = Field(description="What the team is called; mappings are named after it.")
    members: list[UserName] | None = Field(
        None, description="Who can open the services; empty: anyone who signs in."
    )


_AS_IT_IS = (
    "external_port",
    "protocol",
    "app_protocol",
    "custom_domain",
    "ssl_redirect",
    "load_balancer",
    "scaling",
    "force",
)
_ACCESS = ("session_timeout_minutes", "ip_whitelist", "blocked_ips", "cors")


def request_of(
    service: StackService, defaults: StackDefaults, team: Team | None, me: str | None = None
) -> dict[str, Any]:
    """Return the body that creates a service's mapping (contract: POST …/proxy/ports).

    Args:
        service: The service.
        defaults: Settings where the service is silent.
        team: Who it is for where neither names people.
        me: Who it is for where there is no team either; None leaves it to the server.

    Raises:
        InvalidRequestError: The fields do not go together.

    Example:
        >>> request_of(StackService(name="MLflow", port=5000), StackDefaults(), None, "ana")
        {'internal_port': 5000, 'description': 'MLflow', 'access_control': {...}}
    """
    own = service.to_wire()
    shared = _shared(own, defaults, service.priority)
    body: dict[str, Any] = {
        "internal_port": service.port,
        "description": service.description
        or (f"{service.name} for {team.name} team" if team else service.name),
        **{name: own[name] for name in _AS_IT_IS if own.get(name) is not None},
        **({"replicas": own["replicas"]} if isinstance(own.get("replicas"), list) else {}),
        "access_control": _access(shared, team, me, raw=_is_raw(service)),
    }
    started = service.command is not None and service.protocol != "udp"
    if service.path or started or "health" in shared:
        path = {"path": service.path} if service.path else {}
        body["health_check"] = {"enabled": True, **path, **shared.get("health", {})}
    return parse_request(PortRequest, body).to_wire()


def _shared(own: dict[str, Any], defaults: StackDefaults, priority: Priority) -> dict[str, Any]:
    general = defaults.to_wire()
    layers = (general, general.get(priority) or {}, own)
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge(merged, {k: v for k, v in layer.items() if k in Shared.model_fields})
    return merged


def _merge(target: dict[str, Any], layer: dict[str, Any]) -> None:
    for name, value in layer.items():
        if isinstance(value, dict):
            _merge(target.setdefault(name, {}), value)
        elif value is not None:
            target[name] = value


def _access(
    shared: dict[str, Any], team: Team | None, me: str | None, *, raw: bool
) -> dict[str, Any]:
    required = shared.get("auth_required", True)
    access: dict[str, Any] = {"authentication_required": required}
    users = shared.get("users")
    if users is None and team is not None:
        users = team.members
    if users is None and required and me is not None:
        users = [me]
    if users is not None and not (raw and not required):  # raw bytes have no sign-in to judge by
        access["allowed_users"] = users
    access |= {name: shared[name] for name in _ACCESS if name in shared}
    if "limits" in shared:
        access["rate_limit"] = shared["limits"]
    return access


def _is_raw(service: StackService) -> bool:
    return service.protocol == "udp" or service.app_protocol == "tcp"
