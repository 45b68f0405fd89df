"""The vocabulary: what a port mapping is made of, on the wire and in Python.

The client, the gateway and every user interface use these classes; field names are those of
TensorOne's Cluster Proxy API. What people ask for (`PortSettings`, `PortRequest`, `AccessControl`,
…) and what is observed (`PortMapping.health_status`, `UsageStatistics`, …) are separate types.

Requests are judged strictly. Answers are not: a field we do not know is kept, and a known field
with a value we would not accept in a request is kept as it came (`from_server`), because a server
may be newer than we are. This module does no I/O and knows neither HTTP nor Envoy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

_FROM_SERVER = {"from_server": True}
PATCH = {"patch": True}
"""Validation context of a partial update: rules that span fields judge only what is there."""

_HOSTNAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.IGNORECASE)
_LONGEST_NAME = 253  # RFC 1035, section 2.3.4, as text
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9.\[\]:_-]{1,300}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ADDRESSES = ["203.0.113.0/24"]
"""An example (RFC 5737)."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

M = TypeVar("M", bound="Model")


def _ip_range(value: str) -> str:
    if not _is_ip_range(value):
        raise ValueError(f"{value!r} is not an IP address or CIDR range, such as 203.0.113.0/24")
    return value


def _is_ip_range(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "%" not in value  # a zone means something on one machine only (RFC 4007, section 6)


def checked_path(value: str) -> str:
    """Return a path; raise unless it starts with a single slash and has no control characters."""
    if not value.startswith("/") or value.startswith("//") or _CONTROL.search(value):
        raise ValueError("must start with a single '/' and hold no control characters")
    return value


def _domain(value: str) -> str:
    if (
        len(value) > _LONGEST_NAME
        or not _HOSTNAME.fullmatch(value)
        or value.replace(".", "").isdigit()
    ):
        raise ValueError(f"{value!r} is not a host name, such as api.example.com")
    return value.lower()


def _token(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise ValueError(f"{value!r} is not a method or header name (RFC 9110, section 5.6.2)")
    return value


def _origin(value: str) -> str:
    if value not in {"*", "null"} and not _ORIGIN.fullmatch(value):
        raise ValueError(f"{value!r} is not an origin, such as https://app.example.com, or '*'")
    return value


def checked_origin(value: str) -> str:
    """Return the exact origin of a web page (RFC 6454); raise for anything else."""
    if not _ORIGIN.fullmatch(value) or not value.startswith(("http://", "https://")):
        raise ValueError(f"{value!r} is not an origin, such as https://hub.example.com")
    return value


def _one_line(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("must be one line without control characters")
    return value


def _name(value: str) -> str:
    if value in {".", ".."}:
        raise ValueError("must not be dots alone: no address could name it")
    return _one_line(value)


def _loopback(value: str) -> str:
    try:
        given = ipaddress.ip_address(value)
    except ValueError:
        given = ipaddress.IPv4Address(0)
    address = getattr(given, "ipv4_mapped", None) or given
    if not address.is_loopback or "%" in value:
        raise ValueError(f"{value!r} is not an address of this machine alone, such as 127.0.0.2")
    return str(address)


def _written_out(value: Any) -> Any:
    """Refuse bare numbers, which would be read as seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise ValueError("should be a moment such as 2026-01-15T14:30:00Z")


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("should be a moment within the years 1 to 9999, in UTC") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_utc)]
"""A moment with its time zone (ISO 8601); kept in UTC."""

Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
IpRange = Annotated[str, Strict(), AfterValidator(_ip_range)]
UserName = Annotated[str, Strict(), Field(min_length=1, max_length=200), AfterValidator(_name)]
StackName = Annotated[str, Strict(), Field(min_length=1, max_length=100), AfterValidator(_one_line)]
_Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000_000)]
_Seconds = Annotated[int, Strict(), Field(ge=1, le=86_400)]
Flag = Annotated[bool, Strict()]
_Token = Annotated[str, Strict(), AfterValidator(_token)]
_HeaderValue = Annotated[str, Field(max_length=8000), AfterValidator(_one_line)]


class Model(BaseModel):
    """Base of the vocabulary: immutable, and keeping what it does not know."""

    # Built when first used: most processes use few of them.
    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True, defer_build=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_what_a_server_says(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        try:
            return handler(value)
        except ValidationError:
            if _is_from_server(info):
                return value
            raise

    @classmethod
    def from_server(cls: type[M], data: Mapping[str, Any]) -> M:  # noqa: PYI019 - Self needs 3.11
        """Read an answer: known values become typed, the rest is kept as it came.

        Example:
            >>> PortMapping.from_server({"id": "port_1", "health_status": "dreaming"}).health_status
            'dreaming'
        """
        return cls.model_validate(data, context=_FROM_SERVER)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON form of what was set, and of nothing else.

        Example:
            >>> RateLimit(requests_per_minute=60).to_wire()
            {'requests_per_minute': 60}
        """
        return self.model_dump(mode="json", exclude_unset=True, by_alias=True, warnings=False)


def _is_from_server(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("from_server"))


def _is_patch(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("patch"))


# --- what people ask for -------------------------------------------------------------------


class RateLimit(Model):
    """A token bucket: a steady refill and room for a burst (contract: `rate_limit`)."""

    requests_per_minute: _Count = Field(
        60,
        title="Requests a minute",
        description="The bucket's refill: more than that, on average, get a 429.",
    )
    burst_size: _Count | None = Field(
        None,
        title="Requests at once",
        description="Capacity of the bucket; requests_per_minute by default.",
    )


class Cors(Model):
    """Which other web origins may read answers (contract: `cors`; Fetch standard, CORS)."""

    enabled: Flag = True
    allowed_origins: list[Annotated[str, Strict(), AfterValidator(_origin)]] = Field(
        default_factory=lambda: ["*"], description="Exact origins, or '*' for any."
    )
    allowed_methods: list[_Token] = Field(default_factory=lambda: ["GET", "POST"])
    allowed_headers: list[_Token] = Field(default_factory=list)


class AccessControl(Model):
    """Who may use one mapping (contract: `access_control` of a port mapping)."""

    authentication_required: Flag | None = Field(
        None, description="Sign-in required; the cluster's default_authentication if missing."
    )
    public_access: Flag | None = Field(
        None, description="Anyone with the address may use it; the opposite of sign-in."
    )
    allowed_users: list[UserName] | None = Field(
        None,
        title="People",
        description="Only these people; empty or missing: anyone who signs in.",
        examples=[["ana", "ben"]],
    )
    ip_whitelist: list[IpRange] | None = Field(
        None,
        title="Only from these addresses",
        description="Addresses or CIDR ranges of visitors; empty or missing: all.",
        examples=[_ADDRESSES],
    )
    blocked_ips: list[IpRange] | None = Field(
        None,
        title="Never from these addresses",
        description="Addresses or CIDR ranges kept out, whatever else is said.",
        examples=[_ADDRESSES],
    )
    rate_limit: RateLimit | None = None
    session_timeout_minutes: _Count | None = Field(
        None,
        title="Life of a session",
        description="Then visitors sign in again; overrides the cluster's.",
    )
    cors: Cors | None = None
    identity_assertion: Flag | None = Field(
        None, description="Tell the service who it is by a signed token too (extension)."
    )

    @model_validator(mode="after")
    def _sign_in_or_public(self, info: ValidationInfo) -> AccessControl:
        if self.authentication_required and self.public_access and not _is_from_server(info):
            raise ValueError(
                "authentication_required and public_access contradict each other: set one of them"
            )
        return self

    def requires_sign_in(self, *, default: bool) -> bool:
        """Say whether visitors must sign in.

        Args:
            default: The cluster's `default_authentication`, used where the mapping is silent.

        Example:
            >>> AccessControl().requires_sign_in(default=True)
            True
            >>> AccessControl(public_access=True).requires_sign_in(default=True)
            False
        """
        if self.authentication_required is not None:
            return self.authentication_required
        if self.public_access is not None:
            return not self.public_access
        return default


class HealthCheck(Model):
    """An active check of the service behind a mapping (contract: `health_check`)."""

    enabled: Flag = True
    path: Annotated[str, Field(max_length=2000), AfterValidator(checked_path)] | None = Field(
        None,
        title="Path to check",
        description="Path to GET; missing: it is only tried to connect.",
        examples=["/health"],
    )
    interval_seconds: _Seconds = Field(
        30, title="Time between two checks", description="Time between two checks."
    )
    timeout_seconds: _Seconds | None = Field(
        None, description="Time a check may take; missing: 10, or the interval if that is less."
    )
    expected_status: Annotated[int, Strict(), Field(ge=100, le=599)] | None = Field(
        None, description="The status that means healthy; missing: 200–399."
    )
    retries: Annotated[int, Strict(), Field(ge=1, le=100)] = Field(
        3, description="Failures in a row before the service counts as unhealthy."
    )

    @model_validator(mode="after")
    def _timeout_within_interval(self, info: ValidationInfo) -> HealthCheck:
        if _is_from_server(info) or self.timeout_seconds is None:
            return self
        if _is_patch(info) and "interval_seconds" not in self.model_fields_set:
            return self  # the interval in force is the server's to compare with
        if self.timeout_seconds > self.interval_seconds:
            raise ValueError(
                f"timeout_seconds ({self.timeout_seconds}) must not be longer than "
                f"interval_seconds ({self.interval_seconds})"
            )
        return self

    @property
    def effective_timeout_seconds(self) -> int:
        """The timeout in force, in seconds."""
        return self.timeout_seconds or min(10, self.interval_seconds)


class LoadBalancer(Model):
    """How requests are spread over a mapping's replicas (contract: `load_balancer`)."""

    enabled: Flag = True
    algorithm: Literal["round_robin", "least_connections", "random", "ip_hash"] = "round_robin"
    health_check_enabled: Flag = True
    health_check_path: Annotated[str, AfterValidator(checked_path)] | None = None
    session_affinity: Flag = False
    timeout_seconds: _Seconds | None = Field(
        None, description="Time until the service has answered; missing: no limit."
    )
    retries: Annotated[int, Strict(), Field(ge=0, le=10)] = Field(
        0, description="Further tries of an idempotent request that got no answer."
    )


class Scaling(Model):
    """Bounds for the number of replicas (contract: `scaling`)."""

    min_replicas: _Count | None = None
    max_replicas: _Count | None = None
    target_cpu_utilization: Annotated[int, Strict(), Field(ge=1, le=100)] | None = None
    target_memory_utilization: Annotated[int, Strict(), Field(ge=1, le=100)] | None = None


class PortSettings(Model):
    """What an update of a port mapping may change (contract: PUT …/proxy/ports/{port_id})."""

    internal_port: Port | None = Field(
        None, title="Port", description="The service's port on this cluster."
    )
    internal_host: Annotated[str, Strict(), AfterValidator(_loopback)] | None = Field(
        None,
        title="Address",
        description="The loopback address that the service listens on, such as 127.0.0.2 "
        "(extension); missing: where something listens, 127.0.0.1 before ::1.",
    )
    external_port: Port | None = Field(
        None,
        title="Port on the proxy",
        description="The port on the proxy; missing: the lowest free one.",
    )
    protocol: Literal["tcp", "udp"] = Field(
        "tcp", title="Protocol", description="How packets reach the service."
    )
    app_protocol: Literal["http", "h2c", "grpc", "https", "tcp"] = Field(
        "http",
        title="What the service speaks",
        description="What the service speaks (extension of the contract).",
    )
    description: (
        Annotated[str, Strict(), Field(min_length=1, max_length=500), AfterValidator(_one_line)]
        | None
    ) = Field(None, title="Name", description="Human-readable name of the service.")
    health_check: HealthCheck | None = None
    access_control: AccessControl | None = None
    custom_domain: Annotated[str, Strict(), Field(min_length=1), AfterValidator(_domain)] | None = (
        Field(
            None,
            title="Domain",
            description="Host name of its own for the service.",
            examples=["api.example.com"],
        )
    )
    ssl_redirect: Flag = Field(True, description="Answer plain HTTP with a redirect to https.")
    load_balancer: LoadBalancer | None = None
    scaling: Scaling | None = None
    replicas: Annotated[list[Port], Field(max_length=100)] | None = Field(
        None, description="Further internal ports of the same service (extension)."
    )
    force: Flag = Field(
        False,
        title="Expose a protected port all the same",
        description="Expose a protected port all the same (extension).",
    )
    kernel_id: Annotated[str, Strict(), Field(max_length=200), AfterValidator(_one_line)] | None = (
        Field(None, description="The Jupyter kernel that the mapping goes with (extension).")
    )
    stack: StackName | None = Field(
        None, description="The stack that made the mapping (extension)."
    )
    expires_at: Moment | None = Field(
        None,
        title="Until",
        description="When it stops being exposed by itself (extension); missing: never.",
    )


class PortRequest(PortSettings):
    """What it takes to create a port mapping (contract: POST …/proxy/ports).

    Example:
        >>> PortRequest(internal_port=6006, description="TensorBoard").to_wire()
        {'internal_port': 6006, 'description': 'TensorBoard'}
    """

    internal_port: Port = Field(
        title="Port", description="The service's port on this cluster, 1–65535."
    )
    description: Annotated[
        str, Strict(), Field(min_length=1, max_length=500), AfterValidator(_one_line)
    ] = Field(title="Name", description="Human-readable name of the service.")

    @model_validator(mode="after")
    def _sign_in_needs_http(self, info: ValidationInfo) -> PortRequest:
        raw = "udp" if self.protocol == "udp" else "tcp" if self.app_protocol == "tcp" else None
        if raw is None or _is_from_server(info):
            return self
        access = self.access_control or AccessControl()
        if access.authentication_required or access.allowed_users:
            raise ValueError(f"sign-in cannot apply to raw {raw}: it has no HTTP to sign in with")
        if access.requires_sign_in(default=True):
            raise ValueError(
                f"raw {raw} cannot ask for sign-in: set access_control.authentication_required "
                "to false and access_control.ip_whitelist to the addresses that may connect"
            )
        return self


class RateLimiting(Model):
    """Limits that span mappings (contract: `rate_limiting` of the cluster)."""

    global_limit: RateLimit | None = Field(
        None, title="All ports together", description="Over all mappings together."
    )
    per_user_limit: RateLimit | None = Field(
        None, title="Each person", description="For each signed-in person."
    )


class SecurityHeaders(Model):
    """Response headers added to every mapping's answers (contract: `security_headers`)."""

    hsts_enabled: Flag | None = Field(
        None, title="HSTS", description="Browsers come back by https only."
    )
    content_security_policy: _HeaderValue | None = Field(
        None, title="Content-Security-Policy", description="This header of every answer."
    )
    x_frame_options: _HeaderValue | None = Field(
        None, title="X-Frame-Options", description="This header of every answer."
    )


class ClusterAccess(Model):
    """Access rules of the whole cluster (contract: PUT …/proxy/access)."""

    default_authentication: Flag = Field(
        True,
        title="Ask for sign-in",
        description="Visitors must sign in, where a port does not say otherwise.",
    )
    session_timeout_minutes: _Count = Field(
        480, title="Life of a session", description="Then visitors have to sign in again."
    )
    max_concurrent_sessions: _Count = Field(
        100, title="Sessions at once", description="Over it a new sign-in is refused."
    )
    ip_whitelist: list[IpRange] = Field(
        default_factory=list,
        title="Only from these addresses",
        description="Client addresses let in on all ports; empty: all.",
        examples=[_ADDRESSES],
    )
    blocked_ips: list[IpRange] = Field(
        default_factory=list,
        title="Never from these addresses",
        description="Client addresses kept out of all ports; wins over those let in.",
        examples=[_ADDRESSES],
    )
    rate_limiting: RateLimiting | None = None
    security_headers: SecurityHeaders | None = None


class Compression(Model):
    """Compression of answers (contract: `compression`)."""

    enabled: Flag = True
    algorithms: list[Literal["gzip", "br"]] = ["gzip", "br"]


class NetworkConfiguration(Model):
    """How the proxy treats traffic (contract: `network_configuration`)."""

    load_balancer: LoadBalancer | None = None
    ssl_termination: Literal["proxy"] = "proxy"
    websocket_support: Flag = True
    compression: Compression | None = None


class ProxySettings(Model):
    """What an update of the proxy may change (contract: PUT …/proxy)."""

    enabled: Flag | None = Field(None, description="False closes every listener.")
    allowed_ips: list[IpRange] | None = Field(None, description="Addresses let in; empty: all.")
    network_configuration: NetworkConfiguration | None = None


class ProxySettingsV2(Model):
    """The same, in the second version's spelling (contract: PUT /v2/clusters/{id}/proxy)."""

    enabled: Flag | None = None
    allowed_ips: list[IpRange] | None = Field(None, alias="allowedIps")


# --- what is observed ----------------------------------------------------------------------


class ObservedHealthCheck(HealthCheck):
    """A mapping's health check with what it found."""

    last_check: datetime | None = None
    consecutive_failures: int = 0


class UsageStatistics(Model):
    """How much a mapping was used (contract: `usage_statistics`)."""

    total_requests: int = Field(
        0, description="Every request but those for the gateway's own pages (/.tensorone/)."
    )
    unique_visitors: int = Field(0, description="Signed-in users, and addresses of all others.")
    last_accessed: datetime | None = None
    avg_response_time_ms: float | None = Field(
        None, description="Until the first byte of an answer, on average."
    )


class PortMapping(PortSettings):
    """One exposed service, as the server sees it (contract: `port_mappings[]`)."""

    id: str
    url: str | None = Field(None, description="Where visitors reach it.")
    status: str | None = Field(None, description="active, or disabled with the proxy.")
    health_status: str | None = Field(None, description="healthy, unhealthy, unknown or disabled.")
    health_check: ObservedHealthCheck | None = None
    usage_statistics: UsageStatistics | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class SslCertificate(Model):
    """The certificate visitors see (contract: `ssl_certificate`)."""

    issuer: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    status: str | None = None


class AccessLogEntry(Model):
    """One request to one mapping (contract: `access_logs[]`)."""

    id: int | None = Field(None, description="For the next page of the log (extension).")
    port_id: str | None = Field(None, description="The mapping (extension).")
    timestamp: datetime | None = None
    client_ip: str | None = None
    user: str | None = None
    method: str | None = None
    path: str | None = None
    status_code: int | None = None
    response_time_ms: float | None = None
    user_agent: str | None = None


class Meta(Model):
    """Facts about an answer (contract: `meta`)."""

    last_updated: datetime | None = None
    total_port_mappings: int | None = None
    active_port_mappings: int | None = None
    proxy_version: str | None = None
    extensions: list[str] = Field(
        default_factory=list, description="Which extensions of the contract the server has."
    )


class ProxyConfig(Model):
    """The whole proxy of a cluster (contract: GET …/proxy)."""

    cluster_id: str
    proxy_url: str | None = None
    proxy_status: str | None = Field(
        None, description="active or disabled; restarting while Envoy is away (extension)."
    )
    ssl_certificate: SslCertificate | None = None
    port_mappings: list[PortMapping] = Field(default_factory=list)
    access_control: ClusterAccess | None = None
    network_configuration: NetworkConfiguration | None = None
    access_logs: list[AccessLogEntry] | None = None
    meta: Meta = Field(default_factory=Meta)


class ProxyState(Model):
    """The short answer to an update of the proxy (contract: PUT /v2/clusters/{id}/proxy)."""

    proxy_url: str | None = Field(None, alias="proxyUrl")
    enabled: bool | None = None


class Cluster(Model):
    """A cluster that the API key can reach (GET /v1/clusters)."""

    id: str
    name: str | None = None
    proxy_url: str | None = None
