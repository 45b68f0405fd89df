"""Limits over all mappings together (contract: `rate_limiting.global_limit`, `per_user_limit`).

A token bucket of Envoy's belongs to one listener. So every listener asks one more, which is inside
the same Envoy process, has no socket, and holds the buckets: a request there is refused, or
answered with an empty 200 (`ext_authz`). The count is exact, and nothing leaves the process; it
costs only where such a limit is set.
"""

from __future__ import annotations

import math

from ...models import RateLimit, RateLimiting
from ..desired import DesiredCluster
from . import limits
from .sign_in import JWT_FILTER
from .typed import Config, typed

NAME = "shared_limits"
"""Name of the filter, and of the listener, cluster and routes it asks."""

_EXT_AUTHZ = "envoy.extensions.filters.http.ext_authz.v3"
_USER, _ADDRESS = "x-tensorone-user", "x-tensorone-address"
_KNOWN_VISITORS = 10_000
_LONGEST_HEADERS_KB = 96


def filter_config() -> Config:
    """Return the filter that asks; it is switched off on routes that are not limited."""
    visitor = {
        _USER: f"%DYNAMIC_METADATA({JWT_FILTER}:identity:sub)%",
        _ADDRESS: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
    }
    return typed(
        f"{_EXT_AUTHZ}.ExtAuthz",
        {
            "transport_api_version": "V3",
            "status_on_error": {"code": "ServiceUnavailable"},
            "http_service": {
                "server_uri": {"uri": f"http://{NAME}", "cluster": NAME, "timeout": "5s"},
                "authorization_request": {
                    "headers_to_add": [{"key": k, "value": v} for k, v in visitor.items()]
                },
                "authorization_response": {
                    "allowed_client_headers": {
                        "patterns": [{"exact": "retry-after"}, {"prefix": "x-ratelimit-"}]
                    }
                },
            },
        },
    )


def override(cluster: DesiredCluster) -> Config | None:
    """Return what switches the filter off where no such limit is set; None leaves it on."""
    return None if _limits(cluster.access.rate_limiting) else off()


def off() -> Config:
    """Return what switches the filter off on a route."""
    return typed(f"{_EXT_AUTHZ}.ExtAuthzPerRoute", {"disabled": True})


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


def make_listener(ads: Config) -> Config:
    """Return the listener that holds the buckets; it is never changed, its routes are."""
    router = typed("envoy.extensions.filters.http.router.v3.Router", {})
    manager = {
        "stat_prefix": NAME,
        "rds": {"route_config_name": NAME, "config_source": ads},
        "max_request_headers_kb": _LONGEST_HEADERS_KB,
        "generate_request_id": False,
        "http_filters": [
            {"name": limits.FILTER, "typed_config": limits.filter_config()},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    }
    kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    name = "envoy.filters.network.http_connection_manager"
    return {
        "name": NAME,
        "internal_listener": {},
        "filter_chains": [{"filters": [{"name": name, "typed_config": typed(kind, manager)}]}],
    }


def make_routes(cluster: DesiredCluster) -> Config:
    """Return its one route, with the buckets. Only a change of the limits refills them."""
    answer: Config = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    limiting = cluster.access.rate_limiting
    if _limits(limiting):
        answer["typed_per_filter_config"] = {limits.FILTER: _buckets(limiting or RateLimiting())}
    return {
        "name": NAME,
        "virtual_hosts": [{"name": NAME, "domains": ["*"], "routes": [answer]}],
    }


def _limits(limiting: RateLimiting | None) -> list[RateLimit]:
    asked = (limiting.global_limit, limiting.per_user_limit) if limiting else ()
    return [limit for limit in asked if limit]


def _buckets(limiting: RateLimiting) -> Config:
    wait = max(math.ceil(60 / limit.requests_per_minute) for limit in _limits(limiting))
    config = limits.enforced(limiting.global_limit, retry_after_seconds=wait)
    if limiting.per_user_limit:
        config |= _per_visitor(limiting.per_user_limit)
    return typed(limits.TYPE, config)


def _per_visitor(limit: RateLimit) -> Config:
    """Return a bucket for each signed-in user, and each address that nobody signed in from."""
    nobody = {"descriptor_key": "nobody", "descriptor_value": "signed-in", "expect_match": False}
    nobody["headers"] = [{"name": _USER, "present_match": True}]
    bucket = limits.token_bucket(limit)
    user = {"request_headers": {"header_name": _USER, "descriptor_key": "user"}}
    address = {"request_headers": {"header_name": _ADDRESS, "descriptor_key": "address"}}
    nobody_entry = {"key": "nobody", "value": "signed-in"}
    return {
        "rate_limits": [
            {"actions": [user]},
            {"actions": [{"header_value_match": nobody}, address]},
        ],
        "descriptors": [
            {"entries": [{"key": "user"}], "token_bucket": bucket},
            {"entries": [nobody_entry, {"key": "address"}], "token_bucket": bucket},
        ],
        "max_dynamic_descriptors": _KNOWN_VISITORS,
    }
