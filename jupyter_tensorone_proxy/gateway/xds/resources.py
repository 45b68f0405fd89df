"""One function for each Envoy resource towards the visitors: listener, routes, certificate.

What leads to the service is in `upstream`.

Written as protobuf's JSON form, so that they read like Envoy's documentation; `snapshot` turns them
into typed messages, which checks every field name and type. No function here does I/O.
"""

from __future__ import annotations

import html
from typing import Any

from ..desired import (
    Certificate,
    DesiredCluster,
    DesiredMapping,
    Edge,
    bracketed,
    is_raw,
    secrets_of,
    visitor_hosts,
)
from . import balancing, filters, raw, redirects, replies
from .access_logging import STREAM_LOG_INTERVAL, access_log, refused_connections
from .odd_cookies import NAMESPACE
from .typed import Config, typed
from .upstream import ADS, BUFFER_BYTES, socket_address

VISITOR_CLUSTER = "visitor_pages"
"""Static cluster of the bootstrap: the gateway's own pages."""


def listener_name(external_port: int, *, udp: bool = False) -> str:
    """Return the name of the listener on an external port."""
    return raw.listener_name(external_port) if udp else f"port_{external_port}"


def make_listener(group: tuple[DesiredMapping, ...], cluster: DesiredCluster, edge: Edge) -> Config:
    """Return the listener of one external port: HTTPS, and a redirect for plain HTTP.

    Args:
        group: The mappings on that port; several only if each has a `custom_domain` of its own.
        cluster: What holds for all mappings; only raw services take it into their listener.
        edge: What all listeners share.
    """
    port = group[0].external_port
    if group[0].request.protocol == "udp":
        return raw.udp_listener(group[0], cluster, _listening(edge, port))
    chains = [_tls_chain(mapping, cluster, edge) for mapping in group]
    if any(redirects_to_https(mapping) for mapping in group):
        chains.append(redirects.filter_chain())
    return {
        "name": listener_name(port),
        "address": _listening(edge, port),
        # With it Envoy would silently share a port that another process of this user holds.
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "listener_filters_timeout": "5s",
        "listener_filters": [
            {
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": typed(
                    "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", {}
                ),
            }
        ],
        "filter_chains": chains,
        **_refused_connections_log(group),
    }


def _refused_connections_log(group: tuple[DesiredMapping, ...]) -> Config:
    """Return the log of connections that none of the chains is for, where there can be some."""
    if not any(is_raw(m) or m.request.custom_domain for m in group):
        return {}
    return {"access_log": refused_connections(group[0].id if len(group) == 1 else "")}


def make_routes(
    mapping: DesiredMapping,
    cluster: DesiredCluster,
    edge: Edge,
    revoked: tuple[str, ...],
    *,
    closed: bool = False,
) -> Config:
    """Return the routes: the gateway's own pages, everything else to the service.

    Args:
        mapping: The mapping.
        cluster: What holds for all mappings.
        edge: What all listeners share.
        revoked: Ids of sessions and tokens that are signed, and yet no longer good.
        closed: Whether another user listens where the service should; then nothing goes there.
    """
    service = _service_route(mapping, cluster, edge, revoked)
    if closed:
        del service["route"]
        service["direct_response"] = {"status": replies.NOT_YOURS}
    names = [bracketed(name) for name in visitor_hosts(mapping, edge)]
    return {
        "name": mapping.id,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [
            {
                "name": "service",
                "domains": names,
                "routes": [
                    _visitor_route(mapping, cluster),
                    service,
                ],
            },
            {
                "name": "elsewhere",
                "domains": ["*"],
                "routes": [
                    {
                        "match": {"prefix": "/"},
                        "metadata": _told(mapping, edge),
                        "direct_response": {"status": 421},
                        "typed_per_filter_config": filters.visitor_overrides(mapping, cluster),
                    }
                ],
            },
        ],
    }


def _listening(edge: Edge, port: int) -> Config:
    address = socket_address(edge.listen, port)
    if edge.listen == "::":  # every address there is, so IPv4 too
        address["socket_address"]["ipv4_compat"] = True
    return address


def make_secret(name: str, certificate: Certificate) -> Config:
    """Return a certificate with its key, as listeners refer to it."""
    return {
        "name": name,
        "tls_certificate": {
            "certificate_chain": {"inline_string": certificate.chain_pem},
            "private_key": {"inline_string": certificate.private_key_pem},
        },
    }


def _visitor_route(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    return {
        "match": {"prefix": filters.VISITOR_PREFIX},
        "route": {"cluster": VISITOR_CLUSTER, "timeout": "15s"},
        "request_headers_to_remove": filters.REMOVED,
        "request_headers_to_add": filters.visitor_headers(mapping),
        "typed_per_filter_config": filters.visitor_overrides(mapping, cluster),
    }


def _told(mapping: DesiredMapping, edge: Edge) -> Config:
    """Return what `replies` says of a service."""
    told = {
        "internal_port": str(mapping.request.internal_port),
        "name_html": html.escape(mapping.request.description),
        "owner_html": html.escape(edge.owner),
    }
    return {"filter_metadata": {NAMESPACE: told}}


def _service_route(
    mapping: DesiredMapping, cluster: DesiredCluster, edge: Edge, revoked: tuple[str, ...]
) -> Config:
    websockets = cluster.network.websocket_support
    return {
        "match": {"prefix": "/"},
        "metadata": _told(mapping, edge),
        "route": {
            "cluster": mapping.id,
            "host_rewrite_literal": filters.local_host(mapping),
            "upgrade_configs": [{"upgrade_type": "websocket", "enabled": websockets}],
            **balancing.route_options(mapping, cluster),
        },
        "request_headers_to_remove": filters.REMOVED,
        "request_headers_to_add": filters.request_headers(mapping),
        "response_headers_to_add": filters.response_headers(mapping, cluster),
        "typed_per_filter_config": filters.service_overrides(mapping, cluster, edge, revoked),
    }


def redirects_to_https(mapping: DesiredMapping) -> bool:
    """Say whether plain HTTP on the mapping's port is answered, with a redirect."""
    request = mapping.request
    return request.ssl_redirect and request.protocol == "tcp" and request.app_protocol != "tcp"


def _tls_chain(mapping: DesiredMapping, cluster: DesiredCluster, edge: Edge) -> Config:
    domain = mapping.request.custom_domain
    is_raw = mapping.request.app_protocol == "tcp"
    return {
        # Envoy closes the connections of a chain that is replaced, and only these.
        "name": f"{mapping.id}.{mapping.generation}",
        "filter_chain_match": {
            "transport_protocol": "tls",
            **({"server_names": [domain]} if domain else {}),
            **(raw.admitted_sources(mapping, cluster) if is_raw else {}),
        },
        "transport_socket": _downstream_tls(
            raw.ALPN if is_raw else ["h2", "http/1.1"], secrets_of(mapping, edge)
        ),
        "transport_socket_connect_timeout": "10s",
        "filters": raw.tcp_filters(mapping) if is_raw else [_http_manager(mapping, edge)],
    }


def _downstream_tls(alpn: list[str], secrets: tuple[str, ...]) -> Config:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            {
                "common_tls_context": {
                    "tls_params": {
                        "tls_minimum_protocol_version": "TLSv1_2",
                        "cipher_suites": [
                            "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
                            "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
                            "ECDHE-ECDSA-AES256-GCM-SHA384",
                            "ECDHE-RSA-AES256-GCM-SHA384",
                        ],
                    },
                    "alpn_protocols": alpn,
                    "tls_certificate_sds_secret_configs": [
                        {"name": secret, "sds_config": ADS} for secret in secrets
                    ],
                }
            },
        ),
    }


def _http_manager(mapping: DesiredMapping, edge: Edge) -> Config:
    return _manager(
        stat_prefix=mapping.id,
        routes=mapping.id,
        http_filters=filters.http_filters(mapping, edge),
        upgrade_configs=[{"upgrade_type": "websocket"}],
        # Jupyter, MLflow and TensorBoard put %2F in paths that mean something.
        path_with_escaped_slashes_action="KEEP_UNCHANGED",
        # Metadata of gRPC often has underscores; elsewhere WSGI takes `a_b` for `a-b`, and so for
        # a header of ours.
        underscores="ALLOW" if mapping.request.app_protocol == "grpc" else "REJECT_REQUEST",
        local_reply_config=replies.local_replies(),
        access_log=access_log(mapping.id),
        access_log_options={"access_log_flush_interval": STREAM_LOG_INTERVAL},
    )


def _manager(
    *,
    stat_prefix: str,
    routes: str,
    http_filters: list[Config],
    underscores: str = "REJECT_REQUEST",
    **more: Any,
) -> Config:
    config: Config = {
        "stat_prefix": stat_prefix,
        "rds": {"route_config_name": routes, "config_source": ADS},
        "http_filters": http_filters,
        "use_remote_address": True,
        "xff_num_trusted_hops": 0,
        "early_header_mutation_extensions": filters.early_header_removal(),
        "server_header_transformation": "PASS_THROUGH",
        "normalize_path": True,
        "merge_slashes": True,
        "strip_trailing_host_dot": True,
        "max_request_headers_kb": 60,
        "request_headers_timeout": "5s",
        "stream_idle_timeout": "0s",
        # One second here would be a second's wait at every WebSocket's close.
        "delayed_close_timeout": "0s",
        "common_http_protocol_options": {
            "idle_timeout": "3600s",
            "headers_with_underscores_action": underscores,
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
        **more,
    }
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": typed(
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            config,
        ),
    }
