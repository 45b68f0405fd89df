"""Services that are not HTTP: raw bytes over TLS, and datagrams (`app_protocol: tcp`, `udp`).

Nobody can sign in here, so only address lists guard them; both kinds close what they do not admit.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ..desired import DesiredCluster, DesiredMapping
from .access import cidr
from .typed import Config, typed

ALPN = ["postgresql"]
"""PostgreSQL's clients insist on it (`sslnegotiation=direct`); others may offer any, or none."""

_NOBODY = cidr("0.0.0.0/32")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def tcp_filters(mapping: DesiredMapping) -> list[Config]:
    """Return the network filters of a raw TCP service behind TLS."""
    return [
        {
            "name": "envoy.filters.network.tcp_proxy",
            "typed_config": typed(
                "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                {"stat_prefix": mapping.id, "cluster": mapping.id, "idle_timeout": "0s"},
            ),
        },
    ]


def admitted_sources(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    """Return the part of a chain's match that admits only the listed addresses.

    A filter would come too late: the service is connected, and its greeting passed on, before a
    filter has judged anything. Who matches no chain is closed before that.
    """
    ranges = admitted_ranges(mapping, cluster)
    if ranges is None:
        return {}
    return {"source_prefix_ranges": [cidr(str(r)) for r in ranges] or [_NOBODY]}


def listener_name(external_port: int) -> str:
    """Return the name of the listener of datagrams on an external port."""
    return f"udp_{external_port}"


def udp_listener(mapping: DesiredMapping, cluster: DesiredCluster, address: Config) -> Config:
    """Return the listener of a datagram service."""
    address["socket_address"]["protocol"] = "UDP"
    return {
        "name": listener_name(mapping.external_port),
        "address": address,
        "enable_reuse_port": True,  # Envoy needs it to give each worker a socket
        "udp_listener_config": {},
        "listener_filters": [
            {
                "name": "envoy.filters.udp_listener.udp_proxy",
                "typed_config": typed(
                    "envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig",
                    {
                        "stat_prefix": mapping.id,
                        "matcher": _udp_matcher(mapping, cluster),
                        "idle_timeout": "60s",
                    },
                ),
            }
        ],
    }


def _udp_matcher(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    route = {
        "action": {
            "name": "route",
            "typed_config": typed(
                "envoy.extensions.filters.udp.udp_proxy.v3.Route", {"cluster": mapping.id}
            ),
        }
    }
    ranges = admitted_ranges(mapping, cluster)
    if ranges is None:
        return {"on_no_match": route}
    matcher = typed(
        "xds.type.matcher.v3.IPMatcher",
        {"range_matchers": [{"ranges": [cidr(str(r)) for r in ranges], "on_match": route}]},
    )
    source = typed("envoy.extensions.matching.common_inputs.network.v3.SourceIPInput", {})
    tree = {
        "input": {"name": "source_ip", "typed_config": source},
        "custom_match": {"name": "ip_ranges", "typed_config": matcher},
    }
    return {"matcher_tree": tree}


def admitted_ranges(mapping: DesiredMapping, cluster: DesiredCluster) -> list[_Network] | None:
    """Return the address ranges that all lists together admit; None if they admit everybody.

    The matcher knows no exceptions, so block lists are cut out of the ranges.
    """
    access = mapping.access
    allow_lists = [access.ip_whitelist, cluster.access.ip_whitelist, list(cluster.allowed_ips)]
    blocked = [*(access.blocked_ips or []), *cluster.access.blocked_ips]
    if not blocked and not any(allow_lists):
        return None
    admitted = _networks(["0.0.0.0/0", "::/0"])
    for listed in allow_lists:
        if listed:
            wanted = _networks(listed)
            admitted = [n for a in admitted for w in wanted if (n := _common(a, w))]
    for block in _networks(blocked):
        admitted = [rest for a in admitted for rest in _without(a, block)]
    return admitted


def _networks(ranges: list[str]) -> list[_Network]:
    made = (cidr(r) for r in ranges)
    return [ipaddress.ip_network(f"{m['address_prefix']}/{m['prefix_len']}") for m in made]


def _common(one: _Network, other: _Network) -> _Network | None:
    if _within(one, other):
        return one
    return other if _within(other, one) else None


def _without(network: _Network, block: _Network) -> list[_Network]:
    if _within(network, block):
        return []
    if not _within(block, network):
        return [network]
    exclude: Any = network.address_exclude  # typed for one version at a time
    return list(exclude(block))


def _within(inner: _Network, outer: _Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False
