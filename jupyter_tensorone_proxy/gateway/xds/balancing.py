"""How requests are spread over a mapping's targets (contract: `load_balancer`)."""

from __future__ import annotations

from ...models import LoadBalancer
from ..desired import DesiredCluster, DesiredMapping
from .typed import Config, typed

_POLICIES = {
    "round_robin": "ROUND_ROBIN",
    "least_connections": "LEAST_REQUEST",
    "random": "RANDOM",
    "ip_hash": "RING_HASH",
}
_IDEMPOTENT = {"safe_regex": {"regex": "(GET|HEAD|OPTIONS|TRACE|PUT|DELETE)"}}


def load_balancer(mapping: DesiredMapping, cluster: DesiredCluster) -> LoadBalancer:
    """Return the settings in force: the mapping's own, else the cluster's, else the defaults."""
    return mapping.request.load_balancer or cluster.network.load_balancer or LoadBalancer()


def is_alone(mapping: DesiredMapping) -> bool:
    """Say whether a mapping has one target and will have no other.

    One that is scaled is balanced from the start: with its second target Envoy would make its
    cluster anew, and for a moment know of no target that is well.
    """
    return not mapping.request.replicas and mapping.request.scaling is None


def cluster_options(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    """Return the part of the cluster that chooses a target."""
    balancer = load_balancer(mapping, cluster)
    policy = "RING_HASH" if balancer.session_affinity else _POLICIES[balancer.algorithm]
    alone = is_alone(mapping)
    options: Config = {
        "lb_policy": policy if balancer.enabled else "ROUND_ROBIN",
        # A service alone is always tried, so that it serves again the moment it is back.
        "common_lb_config": {
            "healthy_panic_threshold": {"value": 100 if alone else 0},
            # By default Envoy keeps changes of health to itself for a second.
            "update_merge_window": "0s",
        },
    }
    if options["lb_policy"] == "RING_HASH":
        options["ring_hash_lb_config"] = {"minimum_ring_size": 128}
    if options["lb_policy"] == "LEAST_REQUEST":
        # Envoy compares a few random targets, by default two, which may be the same one.
        options["least_request_lb_config"] = {"choice_count": 32}
    return options


def route_options(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    """Return the part of the route that says how long and how often targets are tried."""
    balancer = load_balancer(mapping, cluster)
    options: Config = {"timeout": f"{balancer.timeout_seconds or 0}s"}
    tries = balancer.retries or (1 if mapping.request.replicas else 0)
    if tries:
        options["retry_policy"] = {
            "retry_on": "connect-failure,refused-stream,reset,gateway-error",
            "num_retries": tries,
            "retriable_request_headers": [{"name": ":method", "string_match": _IDEMPOTENT}],
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": typed(_PREVIOUS_HOSTS, {}),
                }
            ],
            "host_selection_retry_max_attempts": 3,
        }
    if balancer.session_affinity:
        # By person where people sign in, else by address; no cookie that a service could see.
        user = {"header": {"header_name": "x-forwarded-user"}, "terminal": True}
        options["hash_policy"] = [user, _BY_ADDRESS]
    elif balancer.algorithm == "ip_hash":
        options["hash_policy"] = [_BY_ADDRESS]
    return options


_BY_ADDRESS: Config = {"connection_properties": {"source_ip": True}}
_PREVIOUS_HOSTS = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
