"""How desired and observed state together read on the wire (contract: GET …/proxy)."""

from __future__ import annotations

from typing import TypeVar

from ..models import (
    Compression,
    LoadBalancer,
    Meta,
    Model,
    NetworkConfiguration,
    ObservedHealthCheck,
    PortMapping,
    ProxyConfig,
    SslCertificate,
)
from .control import Controller
from .desired import (
    Certificate,
    Desired,
    DesiredCluster,
    DesiredMapping,
    bracketed,
    is_raw,
    public_url,
)
from .observer import Observer
from .tables import now
from .xds.upstream import health_check

M = TypeVar("M", bound=Model)
_RECENT_REQUESTS = 50

EXTENSIONS = ["access-logs", "events", "expiry", "keys", "links", "sessions", "stacks", "users"]
"""What this gateway's API has beyond the contract."""


def port_mapping(
    mapping: DesiredMapping, controller: Controller, observer: Observer, *, health: bool = True
) -> PortMapping:
    """Return a mapping as the API shows it, with or without its health."""
    desired = controller.desired
    asked = mapping.request.to_wire() | {
        "external_port": mapping.external_port,
        "protocol": mapping.request.protocol,
        "access_control": _access(mapping, desired),
    }
    observed = {
        "id": mapping.id,
        "url": public_url(mapping, desired.edge),
        "status": _status(mapping, controller),
        "created_at": mapping.created_at,
        "updated_at": mapping.updated_at,
        "usage_statistics": observer.usage.of(mapping.id),
    }
    if health:
        check = health_check(mapping, desired.cluster)
        found = observer.health.of(mapping.id)
        observed["health_status"] = found.status if check.enabled else "disabled"
        observed["health_check"] = ObservedHealthCheck(
            **check.model_dump(exclude_none=True)
            | {"timeout_seconds": check.effective_timeout_seconds},
            last_check=found.last_check,
            consecutive_failures=found.consecutive_failures,
        )
    return PortMapping.model_validate(asked | observed)


def _access(mapping: DesiredMapping, desired: Desired) -> dict[str, object]:
    """Say outright whether sign-in is required, even where the mapping left it to the cluster."""
    default = desired.cluster.access.default_authentication
    required = not is_raw(mapping) and mapping.access.requires_sign_in(default=default)
    return mapping.access.to_wire() | {"authentication_required": required}


def _status(mapping: DesiredMapping, controller: Controller) -> str:
    if not controller.desired.cluster.enabled:
        return "disabled"
    return "error" if controller.trouble(mapping) else "active"


def _proxy_status(controller: Controller) -> str:
    if not controller.desired.cluster.enabled:
        return "disabled"
    return "active" if controller.discovery.connected else "restarting"


def proxy_url(controller: Controller) -> str:
    """Return the base of the exposed URLs."""
    return f"https://{bracketed(controller.desired.edge.public_host)}"


def proxy_config(  # noqa: PLR0913 - keyword-only: the parts one may ask for
    controller: Controller,
    observer: Observer,
    *,
    health: bool,
    access_logs: bool,
    certificate: Certificate | None,
    version: str,
) -> ProxyConfig:
    """Return the whole proxy; the optional parts only where they are asked for."""
    desired = controller.desired
    mappings = [
        port_mapping(m, controller, observer, health=health) for m in desired.mappings.values()
    ]
    moments = [m.updated_at for m in desired.mappings.values()]
    if desired.cluster.updated_at:
        moments.append(desired.cluster.updated_at)
    config = ProxyConfig(
        cluster_id=desired.cluster.id,
        proxy_url=proxy_url(controller),
        proxy_status=_proxy_status(controller),
        port_mappings=mappings,
        access_control=_with_defaults(desired.cluster.access),
        network_configuration=network(desired.cluster),
        meta=Meta(
            last_updated=max(moments, default=now()),
            total_port_mappings=len(mappings),
            active_port_mappings=sum(m.status == "active" for m in mappings),
            proxy_version=version,
            extensions=EXTENSIONS,
        ),
    )
    optional: dict[str, object] = {}
    if certificate is not None:
        optional["ssl_certificate"] = _ssl(certificate)
    if access_logs:
        optional["access_logs"] = observer.usage.entries(limit=_RECENT_REQUESTS)
    return config.model_copy(update=optional)


def _with_defaults(model: M) -> M:
    """Return the model with its defaults set, so that they are shown."""
    return type(model).model_validate(model.model_dump(exclude_none=True))


def network(cluster: DesiredCluster) -> NetworkConfiguration:
    """Return what is in force, also where nobody asked for anything."""
    asked = cluster.network
    in_force = {
        "load_balancer": asked.load_balancer or LoadBalancer(),
        "compression": asked.compression or Compression(),
    }
    return _with_defaults(asked.model_copy(update=in_force))


def _ssl(certificate: Certificate) -> SslCertificate:
    valid = certificate.valid_from <= now() < certificate.valid_until
    return SslCertificate(
        issuer=certificate.issuer,
        valid_from=certificate.valid_from,
        valid_until=certificate.valid_until,
        status="valid" if valid else "expired",
    )
