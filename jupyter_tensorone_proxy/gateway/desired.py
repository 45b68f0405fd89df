"""Desired state: the small frozen values that the store holds and the data plane is made from.

Two values are the same only if they are the same object. Nothing here is ever changed in place, so
identity says whether something was edited, and what was built from it can be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..models import AccessControl, ClusterAccess, NetworkConfiguration, PortRequest


@dataclass(frozen=True, eq=False)
class DesiredMapping:
    """One exposed port: what was asked for, and the external port it was given."""

    id: str
    request: PortRequest
    external_port: int
    created_at: datetime
    updated_at: datetime

    @property
    def access(self) -> AccessControl:
        """Who may use it; the defaults if nothing was asked for."""
        return self.request.access_control or AccessControl()


@dataclass(frozen=True, eq=False)
class DesiredCluster:
    """What holds for every mapping of the cluster."""

    id: str
    enabled: bool = True
    allowed_ips: tuple[str, ...] = ()
    access: ClusterAccess = field(default_factory=ClusterAccess)
    network: NetworkConfiguration = field(default_factory=NetworkConfiguration)
    updated_at: datetime | None = None


@dataclass(frozen=True, eq=False)
class Edge:
    """What every listener is made of and no request changes.

    Args:
        listen: Address the listeners bind.
        public_host: Host name in the URLs that are given out.
        host_names: All names the gateway answers to; the certificate covers each.
        certificate_pem: The leaf certificate with its chain.
        private_key_pem: Its key.
        jwks: Public keys of sessions and user tokens (RFC 7517), as JSON.
        issuer: `iss` of everything those keys sign.
    """

    listen: str
    public_host: str
    host_names: tuple[str, ...]
    certificate_pem: str = field(repr=False)
    private_key_pem: str = field(repr=False)
    jwks: str
    issuer: str


@dataclass(frozen=True)
class Desired:
    """Everything the data plane should do."""

    cluster: DesiredCluster
    mappings: Mapping[str, DesiredMapping]
    edge: Edge

    @property
    def active(self) -> list[DesiredMapping]:
        """The mappings that have a listener now, in the order they were created."""
        return list(self.mappings.values()) if self.cluster.enabled else []


def public_url(mapping: DesiredMapping, edge: Edge) -> str:
    """Return the URL that visitors use.

    The port is left out where it is https's own (443). Raw services have `tls://` or `udp://`.
    """
    request = mapping.request
    host = request.custom_domain or edge.public_host
    host = f"[{host}]" if ":" in host else host
    if request.protocol == "udp":
        return f"udp://{host}:{mapping.external_port}"
    if request.app_protocol == "tcp":
        return f"tls://{host}:{mapping.external_port}"
    return f"https://{host}" + ("" if mapping.external_port == 443 else f":{mapping.external_port}")
