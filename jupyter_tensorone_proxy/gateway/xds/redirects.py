"""Plain HTTP on an exposed port is answered by 308 to https on the same port.

All ports share one connection manager for it, behind a listener inside the process: one for each
port would cost 25 KB of memory a mapping, and redirects are rare.
"""

from __future__ import annotations

from .typed import Config, typed

NAME = "redirect_to_https"
"""Name of the cluster, and of the listener within the process that it leads to."""


def make_cluster() -> Config:
    """Return the cluster whose only address is the listener inside the process."""
    address = {"envoy_internal_address": {"server_listener_name": NAME}}
    return {
        "name": NAME,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": NAME,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


def make_listener() -> Config:
    """Return the listener inside the process: whatever is asked for, it is at https."""
    redirect = {"https_redirect": True, "response_code": "PERMANENT_REDIRECT"}
    router = typed("envoy.extensions.filters.http.router.v3.Router", {})
    manager = {
        "stat_prefix": NAME,
        "route_config": {
            "name": NAME,
            "virtual_hosts": [
                {
                    "name": NAME,
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "redirect": redirect}],
                }
            ],
        },
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        "server_header_transformation": "PASS_THROUGH",
        "normalize_path": True,
        "merge_slashes": True,
        "strip_trailing_host_dot": True,
        "max_request_headers_kb": 60,
        "request_headers_timeout": "5s",
        "generate_request_id": False,
        "common_http_protocol_options": {
            "idle_timeout": "60s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
    }
    kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    name = "envoy.filters.network.http_connection_manager"
    return {
        "name": NAME,
        "internal_listener": {},
        "filter_chains": [{"filters": [{"name": name, "typed_config": typed(kind, manager)}]}],
    }


def filter_chain() -> Config:
    """Return the chain of a port's listener that takes plain connections there."""
    raw_buffer = typed("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer", {})
    proxy = typed(
        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        {"stat_prefix": NAME, "cluster": NAME, "idle_timeout": "60s"},
    )
    return {
        "name": "plain_http",
        "filter_chain_match": {"transport_protocol": "raw_buffer"},
        "transport_socket": {
            "name": "envoy.transport_sockets.raw_buffer",
            "typed_config": raw_buffer,
        },
        "filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}],
    }
