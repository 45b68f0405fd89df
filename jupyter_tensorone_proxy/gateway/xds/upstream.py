"""Envoy's resources towards the service: its cluster, its addresses, its health check.

Written as `resources` are; no function here does I/O.
"""

from __future__ import annotations

from ...models import HealthCheck
from ..desired import Address, DesiredCluster, DesiredMapping, Edge, hosts_of
from . import balancing, filters
from .typed import Config, typed

HEALTH_LOG = "health.log"
BUFFER_BYTES = 32_768

ADS: Config = {"ads": {}, "resource_api_version": "V3"}
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_UNLIMITED = 1_000_000


def make_cluster(mapping: DesiredMapping, cluster: DesiredCluster, edge: Edge) -> Config:
    """Return the cluster: how the service is reached and checked.

    Its connections are bounded, because running out of file descriptors would abort Envoy.
    """
    most = edge.connections_per_service
    made: Config = {
        "name": mapping.id,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": ADS},
        "connect_timeout": "2s",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "ignore_health_on_host_removal": True,
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": most,
                    "max_pending_requests": most,
                    "max_requests": _UNLIMITED,
                    # By default 3 at once: a replica that ends would cost all requests beyond that.
                    "max_retries": _UNLIMITED,
                }
            ]
        },
        **balancing.cluster_options(mapping, cluster),
        "typed_extension_protocol_options": {_HTTP_OPTIONS: typed(_HTTP_OPTIONS, _http(mapping))},
    }
    if mapping.request.app_protocol == "https":
        # The certificate of a loopback service proves nothing; it is not checked.
        made["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": typed(
                "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", {}
            ),
        }
    if is_checked(mapping, cluster):
        made["health_checks"] = [_make_health_check(mapping, health_check(mapping, cluster))]
    return made


def make_endpoints(
    mapping: DesiredMapping,
    barred: frozenset[Address] = frozenset(),
    *,
    check_health: bool = True,
) -> Config:
    """Return the service's addresses.

    Args:
        mapping: The mapping.
        barred: Addresses of it where another user listens.
        check_health: False while the cluster is new: a first check of a service that does not
            answer would hold up every other change for the check's timeout.
    """
    addresses = open_targets(mapping, barred)
    endpoints = [_endpoint(port, hosts, check_health) for port, hosts in addresses.items()]
    return {"cluster_name": mapping.id, "endpoints": [{"lb_endpoints": endpoints}]}


def open_targets(mapping: DesiredMapping, barred: frozenset[Address]) -> dict[int, list[str]]:
    """Return port → addresses of a mapping's targets, without those of another user."""
    ports = [mapping.request.internal_port, *(mapping.request.replicas or [])]
    closed = {(address.host, address.port) for address in barred}
    wanted = hosts_of(mapping.request)
    hosts = {port: [host for host in wanted if (host, port) not in closed] for port in ports}
    return {port: left for port, left in hosts.items() if left}


def is_checked(mapping: DesiredMapping, cluster: DesiredCluster) -> bool:
    """Say whether Envoy checks the service's health."""
    return health_check(mapping, cluster).enabled


def health_check(mapping: DesiredMapping, cluster: DesiredCluster) -> HealthCheck:
    """Return the health check in force; by default a TCP connection every 30 s, and none of UDP."""
    check = mapping.request.health_check or HealthCheck()
    balancer = balancing.load_balancer(mapping, cluster)
    if mapping.request.protocol == "udp" or not balancer.health_check_enabled:
        return check.model_copy(update={"enabled": False})
    if check.path is None and balancer.health_check_path:
        return check.model_copy(update={"path": balancer.health_check_path})
    return check


def _endpoint(port: int, hosts: list[str], check_health: bool) -> Config:  # noqa: FBT001 - private
    endpoint: Config = {"address": socket_address(hosts[0], port)}
    if hosts[1:]:
        endpoint["additional_addresses"] = [{"address": socket_address(h, port)} for h in hosts[1:]]
    if not check_health:
        endpoint["health_check_config"] = {"disable_active_health_check": True}
    return {"endpoint": endpoint}


def socket_address(address: str, port: int) -> Config:
    """Return an address as Envoy has it."""
    return {"socket_address": {"address": address, "port_value": port}}


def _http(mapping: DesiredMapping) -> Config:
    h2 = mapping.request.app_protocol in {"h2c", "grpc"}
    protocol: Config = {"http2_protocol_options": {}} if h2 else {"http_protocol_options": {}}
    return {
        "explicit_http_config": protocol,
        # Shorter than any server's keep-alive, so that no request meets a closing connection. An
        # idle_timeout would do that too, and end every health check that takes longer.
        "common_http_protocol_options": {"max_connection_duration": "1s"},
    }


def _make_health_check(mapping: DesiredMapping, check: HealthCheck) -> Config:
    interval = f"{check.interval_seconds}s"
    made: Config = {
        "timeout": f"{check.effective_timeout_seconds}s",
        "interval": interval,
        "no_traffic_interval": interval,
        "no_traffic_healthy_interval": interval,
        "unhealthy_interval": interval,
        "unhealthy_threshold": check.retries,
        "healthy_threshold": 1,
        "reuse_connection": False,
        "always_log_health_check_failures": True,
        "always_log_health_check_success": True,
        "event_logger": [
            {
                "name": "envoy.health_check.event_sinks.file",
                "typed_config": typed(
                    "envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
                    {"event_log_path": HEALTH_LOG},
                ),
            }
        ],
    }
    if check.path is None:
        return {**made, "tcp_health_check": {}}
    status = check.expected_status
    expected = {"start": status, "end": status + 1} if status else {"start": 200, "end": 400}
    made["http_health_check"] = {
        "host": filters.local_host(mapping),
        "path": check.path,
        "expected_statuses": [expected],
        # Without this one unexpected status at once counts as unhealthy, whatever `retries` says.
        "retriable_statuses": [{"start": 100, "end": 600}],
        "codec_client_type": "HTTP2" if "http2_protocol_options" in _http(mapping) else "HTTP1",
    }
    return made
