"""Who may use a mapping, as Envoy rules: addresses, people, origins.

The rules are per-route overrides, so that changing them touches no open connection.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable

from ..desired import DesiredCluster, DesiredMapping, Edge, https_origin, visitor_hosts
from .sign_in import JWT_FILTER, USER_AUDIENCE, session_cookie
from .typed import Config, typed

RBAC_FILTER = "envoy.filters.http.rbac"

_FOREIGN = ("same-site", "cross-site")
_FRAMES = ("iframe", "frame", "fencedframe", "embed", "object")
_SAFE = ("GET", "HEAD", "OPTIONS")
_MAPPED_PREFIX = 96
_RBAC_PER_ROUTE = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute"
REVOKED_POLICY = "revoked"

ANY: Config = {"any": True}


def address_override(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    """Admit only the addresses that the mapping's and the cluster's lists admit."""
    return _per_route([address_rule(mapping, cluster)], [ANY])


def people_override(
    mapping: DesiredMapping, cluster: DesiredCluster, edge: Edge, revoked: tuple[str, ...]
) -> Config:
    """Admit only the allowed users, and only requests from the mapping's own pages."""
    private = is_private(mapping, cluster)
    people = _users_rule(mapping.access.allowed_users if private else None)
    if private:
        # Connections that are draining still have the old keys; this they see at once.
        keys = {"or_ids": {"ids": [identity("key", key_id) for key_id in edge.key_ids]}}
        people = {"and_ids": {"ids": [keys, people]}}
    if revoked:
        people = {"and_ids": {"ids": [{"not_id": marked_as_revoked()}, people]}}
    return _per_route([people], [_origin_rule(mapping, edge)])


def everybody_override() -> Config:
    """Admit everybody: for the gateway's own pages."""
    return _per_route([ANY], [ANY])


def revoked_override(revoked: tuple[str, ...]) -> Config:
    """Mark requests with tokens that are signed and not expired, and yet no longer good.

    Shadow rules only mark; `people_override` refuses what is marked. What a filter itself refuses
    is noted too late for `replies` to tell.

    Args:
        revoked: Ids of the tokens (`jti`).
    """
    if not revoked:
        return typed(_RBAC_PER_ROUTE, {})
    policy = {"principals": [_any_token(revoked)], "permissions": [ANY]}
    rules = {"action": "DENY", "policies": {REVOKED_POLICY: policy}}
    return typed(_RBAC_PER_ROUTE, {"rbac": {"shadow_rules": rules}})


def is_private(mapping: DesiredMapping, cluster: DesiredCluster) -> bool:
    """Say whether visitors must sign in."""
    return mapping.access.requires_sign_in(default=cluster.access.default_authentication)


def address_rule(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    """Return the rule for the TCP peer: on every allow list there is, and on no block list."""
    access = mapping.access
    allow_lists = [access.ip_whitelist, cluster.access.ip_whitelist, list(cluster.allowed_ips)]
    blocked = [*(access.blocked_ips or []), *cluster.access.blocked_ips]
    rules = [_any_address(listed) for listed in allow_lists if listed]
    if blocked:
        rules.append({"not_id": _any_address(blocked)})
    return {"and_ids": {"ids": rules}} if rules else ANY


def cidr(text: str) -> Config:
    """Return an address or CIDR range as Envoy's CidrRange.

    A range of IPv4-mapped IPv6 addresses is the range of their IPv4 addresses (RFC 4291, 2.5.5.2).

    Example:
        >>> cidr("::ffff:192.0.2.7")
        {'address_prefix': '192.0.2.7', 'prefix_len': 32}
    """
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= _MAPPED_PREFIX:
            return cidr(f"{mapped}/{network.prefixlen - _MAPPED_PREFIX}")
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}


def revoked_matcher() -> Config:
    """Return the matcher for the mark of `revoked_override`."""
    path = [{"key": "shadow_effective_policy_id"}]
    value = {"string_match": {"exact": REVOKED_POLICY}}
    return {"filter": RBAC_FILTER, "path": path, "value": value}


def marked_as_revoked() -> Config:
    """Return the principal that `revoked_override` marked."""
    matcher = revoked_matcher()
    return {"sourced_metadata": {"metadata_matcher": matcher, "metadata_source": "DYNAMIC"}}


def identity(claim: str, value: str) -> Config:
    """Return a principal or permission: the verified token's claim has this value."""
    return _claim(claim, {"exact": value})


def _claim(claim: str, match: Config) -> Config:
    path = [{"key": "identity"}, {"key": claim}]
    matcher = {"filter": JWT_FILTER, "path": path, "value": {"string_match": match}}
    return {"sourced_metadata": {"metadata_matcher": matcher, "metadata_source": "DYNAMIC"}}


def _per_route(principals: list[Config], permissions: list[Config]) -> Config:
    policy = {"principals": principals, "permissions": permissions}
    rules = {"action": "ALLOW", "policies": {"admit": policy}}
    return typed(_RBAC_PER_ROUTE, {"rbac": {"rules": rules}})


def _any_token(ids: tuple[str, ...]) -> Config:
    """Return the rule for tokens of these ids: a tree, because a list of a thousand is slow.

    Ids end in random letters, so the last ones spread them evenly.
    """
    by_end: dict[str, list[Config]] = defaultdict(list)
    for token_id in ids:
        by_end[token_id[-1:]].append(identity("jti", token_id))
    branches = [
        {"and_ids": {"ids": [_claim("jti", {"suffix": end}), {"or_ids": {"ids": equal}}]}}
        for end, equal in by_end.items()
    ]
    return {"or_ids": {"ids": branches}}


def _users_rule(users: list[str] | None) -> Config:
    if not users:
        return ANY
    return {"or_ids": {"ids": [identity("sub", user) for user in users]}}


def _any_address(ranges: Iterable[str]) -> Config:
    return {"or_ids": {"ids": [{"direct_remote_ip": cidr(r)} for r in ranges]}}


def own_origins(mapping: DesiredMapping, edge: Edge) -> list[str]:
    """Return every origin a browser may show this mapping under."""
    return [https_origin(n, mapping.external_port) for n in visitor_hosts(mapping, edge)]


def _origin_rule(mapping: DesiredMapping, edge: Edge) -> Config:
    """Let through only what the mapping's own page, a navigation or a program sends.

    Sibling services on one host name carry each other's cookies, and Host and Origin are rewritten
    for the service, so this is the only defence against cross-site requests (Fetch metadata, W3C).
    """
    own = _header_is("origin", *own_origins(mapping, edge))
    has_origin = _has_header("origin")
    foreign = _header_is("sec-fetch-site", *_FOREIGN)
    upgrade = _has_header("upgrade")
    safe = _header_is(":method", *_SAFE)
    with_token = identity("aud", USER_AUDIENCE)
    shared = _shared_origins(mapping)
    rule = _or(
        _and(own, _not(foreign)),
        _and(safe, _not(upgrade), _or(_not(foreign), _navigation(mapping))),
        _and(_not(has_origin), _not(foreign), _or(_not(upgrade), with_token)),
        *shared,
    )
    if not shared:
        return rule
    # Where CORS is ours, a preflight from elsewhere is not for the service to answer.
    preflight = _and(_header_is(":method", "OPTIONS"), _has_header("access-control-request-method"))
    return _and(rule, _or(_not(preflight), own, *shared))


def _navigation(mapping: DesiredMapping) -> Config:
    """Return the rule for following a link; into a frame only with the frame's own session.

    Browsers send that one only where the link that made it was opened, so no other site can show
    a signed-in page inside its own.
    """
    navigation = _and(_header_is(":method", "GET"), _header_is("sec-fetch-mode", "navigate"))
    frame = _header_is("sec-fetch-dest", *_FRAMES)
    own_frame = _header("cookie", {"contains": f"{session_cookie(mapping.id, framed=True)}="})
    return _and(navigation, _or(_not(frame), own_frame, _not(identity("aud", mapping.id))))


def _shared_origins(mapping: DesiredMapping) -> list[Config]:
    """Return rules for the origins that the owner opened by CORS.

    '*' opens the service to every page, but never with a visitor's cookie: that would let every
    page act as the visitor (Fetch standard, "CORS protocol and credentials").
    """
    cors = mapping.access.cors
    if cors is None or not cors.enabled:
        return []
    named = [_header_is("origin", o) for o in cors.allowed_origins if o != "*"]
    rules = [_or(*named)] if named else []
    if "*" in cors.allowed_origins:
        rules.append(_and(_has_header("origin"), _not(identity("aud", mapping.id))))
    return rules


def _has_header(name: str) -> Config:
    return {"header": {"name": name, "present_match": True}}


def _header_is(name: str, *values: str) -> Config:
    # One comparison after the other takes less time and memory than a regular expression.
    return _or(*[_header(name, {"exact": value}) for value in values])


def _header(name: str, match: Config) -> Config:
    return {"header": {"name": name, "string_match": match}}


def _and(*rules: Config) -> Config:
    return {"and_rules": {"rules": list(rules)}}


def _or(*rules: Config) -> Config:
    return rules[0] if len(rules) == 1 else {"or_rules": {"rules": list(rules)}}


def _not(rule: Config) -> Config:
    return {"not_rule": rule}
