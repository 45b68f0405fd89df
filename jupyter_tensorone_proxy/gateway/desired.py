"""Desired state: the small frozen values that the store holds and the data plane is made from.

Two values are the same only if they are the same object. Nothing here is ever changed in place, so
identity says whether something was edited, and what was built from it can be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from ..models import AccessControl, ClusterAccess, Compression, NetworkConfiguration, PortRequest
from ..sockets import Protocol

_HTTPS_PORT = 443


class Address(NamedTuple):
    """Where a service may listen on this machine."""

    protocol: Protocol
    host: str
    port: int


LOOPBACK = ("127.0.0.1", "::1")
"""Where services are reached, the first that answers: one may listen on IPv6 only (RFC 8305)."""


@dataclass(frozen=True, eq=False)
class DesiredMapping:
    """One exposed port: what was asked for, and the external port it was given.

    A new generation closes its open connections, and changes nothing else.
    """

    id: str
    request: PortRequest
    external_port: int
    created_at: datetime
    updated_at: datetime
    generation: int = 0

    @property
    def access(self) -> AccessControl:
        """Who may use it; the defaults if nothing was asked for."""
        return self.request.access_control or AccessControl()

    def has_ended(self, moment: datetime) -> bool:
        """Say whether it was to be exposed until then, or until earlier."""
        return self.request.expires_at is not None and self.request.expires_at <= moment

    def is_for(self, user: str) -> bool:
        """Say whether a signed-in person may use it."""
        return not self.access.allowed_users or user in self.access.allowed_users


@dataclass(frozen=True, eq=False)
class DesiredCluster:
    """What holds for every mapping of the cluster."""

    id: str
    enabled: bool = True
    allowed_ips: tuple[str, ...] = ()
    access: ClusterAccess = field(default_factory=ClusterAccess)
    network: NetworkConfiguration = field(
        default_factory=lambda: NetworkConfiguration(compression=Compression())
    )
    updated_at: datetime | None = None


@dataclass(frozen=True, eq=False)
class Certificate:
    """What visitors are shown: a certificate with its chain and key, in PEM.

    Args:
        chain_pem: The certificate, and those between it and the root.
        private_key_pem: Its key.
        issuer: Who issued it.
        names: Host names and IP addresses it is for.
        valid_from: Start of its life.
        valid_until: Its end.
    """

    chain_pem: str
    private_key_pem: str = field(repr=False)
    issuer: str
    names: frozenset[str]
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, eq=False)
class Edge:
    """What every listener is made of and no request changes.

    Args:
        listen: Address the listeners bind.
        public_host: Host name in the URLs that are given out.
        host_names: All names the gateway answers to; the certificate covers each.
        host_secrets: Names of the certificates that the host's listeners have.
        jwks: Public keys of sessions and user tokens (RFC 7517), as JSON.
        key_ids: Ids of those keys, as tokens name them.
        issuer: `iss` of everything those keys sign.
        owner: Whose services these are, for people.
        hidden_cookies: Names of further cookies that are not the services': Jupyter's own.
        connections_per_service: How many Envoy opens to one service at most.
    """

    listen: str
    public_host: str
    host_names: tuple[str, ...]
    host_secrets: tuple[str, ...]
    jwks: str
    issuer: str
    key_ids: tuple[str, ...]
    owner: str
    hidden_cookies: tuple[str, ...] = ()
    connections_per_service: int = 1024


@dataclass(frozen=True)
class Revocations:
    """What is refused although it is signed and not expired.

    Args:
        sessions: Mapping id → ids of its sessions.
        tokens: Ids of users' tokens, for every mapping.
    """

    sessions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tokens: tuple[str, ...] = ()

    def of(self, mapping_id: str) -> tuple[str, ...]:
        """Return the ids that one mapping refuses."""
        return self.sessions.get(mapping_id, ()) + self.tokens


@dataclass(frozen=True)
class Desired:
    """Everything the data plane should do."""

    cluster: DesiredCluster
    mappings: Mapping[str, DesiredMapping]
    edge: Edge
    revocations: Revocations = field(default_factory=Revocations)
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    """By the name of their secret."""

    @cached_property
    def targets(self) -> frozenset[Address]:
        """The addresses that visitors are sent to now."""
        return frozenset().union(*(targets(mapping) for mapping in self.active))

    @property
    def active(self) -> list[DesiredMapping]:
        """The mappings that have a listener now, in the order they were created."""
        return list(self.mappings.values()) if self.cluster.enabled else []

    @property
    def domains(self) -> set[str]:
        """The custom domains of all mappings."""
        return {m.request.custom_domain for m in self.mappings.values() if m.request.custom_domain}


def targets(mapping: DesiredMapping) -> frozenset[Address]:
    """Return the addresses a mapping sends its visitors to."""
    return targets_of(mapping.request)


def targets_of(request: PortRequest) -> frozenset[Address]:
    """Return the addresses a mapping would send its visitors to."""
    ports = [request.internal_port, *(request.replicas or [])]
    hosts = hosts_of(request)
    return frozenset(Address(request.protocol, host, port) for port in ports for host in hosts)


def hosts_of(request: PortRequest) -> tuple[str, ...]:
    """Return the loopback addresses where a service is looked for, in this order."""
    return (request.internal_host,) if request.internal_host else LOOPBACK


def is_raw(mapping: DesiredMapping) -> bool:
    """Say whether the service is not HTTP, so that nobody can sign in to it."""
    return mapping.request.protocol == "udp" or mapping.request.app_protocol == "tcp"


def domain_secret(domain: str) -> str:
    """Return the name of the certificate of a custom domain."""
    return f"domain/{domain}"


def secrets_of(mapping: DesiredMapping, edge: Edge) -> tuple[str, ...]:
    """Return the names of the certificates that a mapping's visitors may be shown."""
    domain = mapping.request.custom_domain
    return (domain_secret(domain),) if domain else edge.host_secrets


def public_url(mapping: DesiredMapping, edge: Edge) -> str:
    """Return the URL that visitors use.

    Raw services have `tls://` or `udp://`, and always a port.
    """
    request = mapping.request
    host = request.custom_domain or edge.public_host
    if request.protocol == "udp":
        return f"udp://{bracketed(host)}:{mapping.external_port}"
    if request.app_protocol == "tcp":
        return f"tls://{bracketed(host)}:{mapping.external_port}"
    return https_origin(host, mapping.external_port)


def visitor_hosts(mapping: DesiredMapping, edge: Edge) -> tuple[str, ...]:
    """Return the names under which browsers reach a mapping."""
    domain = mapping.request.custom_domain
    return (domain,) if domain else edge.host_names


def https_origin(host: str, port: int) -> str:
    """Return an origin as browsers write it: without https's own port (RFC 6454, section 6.2).

    Example:
        >>> https_origin("::1", 32001), https_origin("api.example.com", 443)
        ('https://[::1]:32001', 'https://api.example.com')
    """
    return f"https://{bracketed(host)}" + ("" if port == _HTTPS_PORT else f":{port}")


def bracketed(host: str) -> str:
    """Return a host as it stands in a URL (RFC 3986, section 3.2.2)."""
    return f"[{host}]" if ":" in host else host
