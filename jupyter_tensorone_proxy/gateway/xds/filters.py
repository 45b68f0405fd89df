"""The HTTP filters of an exposed port, and what each route sets on them.

The filters themselves are the same for every mapping and live in its listener. Whatever people
edit (who may come in, from where, how often) is a per-route override and lives in the route
configuration, because a change of the listener would close its open WebSockets and streams.

Everything fails closed: a route that forgets its override lets nobody in.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from ...models import IpRange
from ..desired import DesiredCluster, DesiredMapping, Edge, https_origin

Config = dict[str, Any]

COOKIE_PREFIX = "__Host-t1"
"""Every cookie of ours starts with it, and no cookie that does ever reaches a service."""

USER_AUDIENCE = "users"
NAMESPACE = "tensorone"
VISITOR_PREFIX = "/.tensorone/"

IP, CORS, SIGN_IN, ACCESS = "ip", "envoy.filters.http.cors", "sign_in", "access"
COOKIES = "cookies"

_JWT = "envoy.filters.http.jwt_authn"
_FOREIGN = "(same-site|cross-site)"


def typed(name: str, config: Config) -> Config:
    """Return a config as protobuf's JSON form of an Any."""
    return {"@type": f"type.googleapis.com/{name}", **config}


def session_cookie(mapping_id: str, *, framed: bool = False) -> str:
    """Return the name of a mapping's session cookie.

    Args:
        mapping_id: The mapping's id.
        framed: The one for pages inside a frame of another site (SameSite=None; Partitioned).

    Example:
        >>> session_cookie("port_1"), session_cookie("port_1", framed=True)
        ('__Host-t1-port_1', '__Host-t1f-port_1')
    """
    return f"{COOKIE_PREFIX}{'f' if framed else ''}-{mapping_id}"


def http_filters(mapping: DesiredMapping, edge: Edge) -> list[Config]:
    """Return the filter chain of one mapping, in the order requests pass it."""
    rbac = "envoy.extensions.filters.http.rbac.v3.RBAC"
    nobody = {"rules": {"action": "ALLOW"}}
    return [
        {"name": IP, "typed_config": typed(rbac, nobody)},
        {"name": SIGN_IN, "typed_config": _jwt_authn(mapping, edge)},
        {"name": ACCESS, "typed_config": typed(rbac, nobody)},
        {"name": COOKIES, "typed_config": _strip_cookies()},
        {
            "name": "envoy.filters.http.router",
            "typed_config": typed(
                "envoy.extensions.filters.http.router.v3.Router",
                {"suppress_envoy_headers": True},
            ),
        },
    ]


def service_overrides(mapping: DesiredMapping, cluster: DesiredCluster, edge: Edge) -> Config:
    """Return the per-route settings for requests that go to the service."""
    access = mapping.access
    private = access.requires_sign_in(default=cluster.access.default_authentication)
    users = access.allowed_users if private else None
    return {
        IP: _rbac([_address_rule(mapping, cluster)], [{"any": True}]),
        SIGN_IN: _requirement("signed-in" if private else "anyone"),
        ACCESS: _rbac([_users_rule(users)], [_origin_rule(mapping, edge)]),
    }


def visitor_overrides(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    """Return the per-route settings for the gateway's own pages under `/.tensorone/`."""
    return {
        IP: _rbac([_address_rule(mapping, cluster)], [{"any": True}]),
        SIGN_IN: _requirement("anyone"),
        ACCESS: _rbac([{"any": True}], [{"any": True}]),
    }


def request_headers(mapping: DesiredMapping) -> list[Config]:
    """Return what is added to requests for the service.

    The identity is ours alone (whatever a client sent was removed early); Host and Origin are the
    local address, which is what services such as MLflow, Jupyter and Streamlit insist on.
    """
    return [
        _header("x-forwarded-user", f"%DYNAMIC_METADATA({_JWT}:identity:sub)%"),
        _header("x-forwarded-host", "%REQ(:authority)%"),
        _header("origin", local_origin(mapping), action="OVERWRITE_IF_EXISTS"),
        _header("cookie", f"%DYNAMIC_METADATA({NAMESPACE}:cookie)%"),
    ]


def visitor_headers() -> list[Config]:
    """Return what is added to requests for the gateway's own pages: who is signed in."""
    return [_header("x-forwarded-user", f"%DYNAMIC_METADATA({_JWT}:identity:sub)%")]


def local_origin(mapping: DesiredMapping) -> str:
    """Return the origin that the service believes it has."""
    scheme = "https" if mapping.request.app_protocol == "https" else "http"
    return f"{scheme}://{local_host(mapping)}"


def local_host(mapping: DesiredMapping) -> str:
    """Return the Host that the service sees."""
    return f"127.0.0.1:{mapping.request.internal_port}"


def own_origins(mapping: DesiredMapping, edge: Edge) -> list[str]:
    """Return every origin a browser may show this mapping under."""
    domain = mapping.request.custom_domain
    names = [domain] if domain else edge.host_names
    return [https_origin(name, mapping.external_port) for name in names]


def early_header_removal() -> list[Config]:
    """Return the removal of headers that only we may set, before anything reads them.

    Envoy believes `x-envoy-*` from loopback clients, and appends to a client's X-Forwarded-For.
    """
    names = (
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-user",
        "x-forwarded-email",
        "x-forwarded-groups",
        "x-forwarded-preferred-username",
        "x-forwarded-client-cert",
        "x-real-ip",
        "x-remote-user",
        "x-auth-request-user",
        "remote-user",
        "forwarded",
        "x-tensorone-port",
    )
    mutations: list[Config] = [{"remove": name} for name in names]
    mutations.append({"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}})
    return [
        {
            "name": "remove_forged_headers",
            "typed_config": typed(
                "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                {"mutations": mutations},
            ),
        }
    ]


def _header(name: str, value: str, *, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> Config:
    return {"header": {"key": name, "value": value}, "append_action": action}


def _jwt_authn(mapping: DesiredMapping, edge: Edge) -> Config:
    common: Config = {
        "issuer": edge.issuer,
        "local_jwks": {"inline_string": edge.jwks},
        "require_expiration": True,
        "clock_skew_seconds": 1,
        "payload_in_metadata": "identity",
        "jwt_cache_config": {"jwt_cache_size": 100},
    }
    return typed(
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        {
            "providers": {
                "user": {
                    **common,
                    "audiences": [USER_AUDIENCE],
                    "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
                },
                "session": {
                    **common,
                    "audiences": [mapping.id],
                    "from_cookies": [
                        session_cookie(mapping.id),
                        session_cookie(mapping.id, framed=True),
                    ],
                },
                # Nothing is ever signed for this audience: the answer for a route without
                # an override is no.
                "nobody": {**common, "audiences": ["nobody"]},
            },
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "nobody"}}],
            "requirement_map": {
                # First success wins, so that there is one identity; the user's token comes
                # first, because only a provider that verified it removes it from the request.
                "signed-in": _any_of({"provider_name": "user"}, {"provider_name": "session"}),
                "anyone": _any_of(
                    {"provider_name": "user"},
                    {"provider_name": "session"},
                    {"allow_missing_or_failed": {}},
                ),
            },
        },
    )


def _any_of(*requirements: Config) -> Config:
    return {"requires_any": {"requirements": list(requirements)}}


def _requirement(name: str) -> Config:
    return typed(
        "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", {"requirement_name": name}
    )


def _strip_cookies() -> Config:
    """Take our cookies out of the Cookie header, byte for byte leaving the others.

    The rest goes to metadata, and a route that forwards puts it back (`request_headers`).
    A script would do the same for twice the time and 170 KB of memory a mapping.
    """
    ours = f"{COOKIE_PREFIX}f?-[^;,]*"
    pattern = rf"^(?:{ours}(?:[;,][ \t]*|$))+|(?:[;,][ \t]*{ours})+"
    rewrite = {"pattern": {"regex": pattern}, "substitution": ""}
    return typed(
        "envoy.extensions.filters.http.header_to_metadata.v3.Config",
        {
            "request_rules": [
                {
                    "header": "cookie",
                    "on_header_present": {
                        "metadata_namespace": NAMESPACE,
                        "key": "cookie",
                        "regex_value_rewrite": rewrite,
                    },
                    "remove": True,
                }
            ]
        },
    )


def _rbac(principals: list[Config], permissions: list[Config]) -> Config:
    policy = {"principals": principals, "permissions": permissions}
    return typed(
        "envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
        {"rbac": {"rules": {"action": "ALLOW", "policies": {"admit": policy}}}},
    )


def _users_rule(users: list[str] | None) -> Config:
    if not users:
        return {"any": True}
    return {"or_ids": {"ids": [_identity("sub", {"exact": u}) for u in users]}}


def _identity(claim: str, match: Config) -> Config:
    path = [{"key": "identity"}, {"key": claim}]
    matcher = {"filter": _JWT, "path": path, "value": {"string_match": match}}
    return {"sourced_metadata": {"metadata_matcher": matcher, "metadata_source": "DYNAMIC"}}


def _address_rule(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    """Admit the peer's address: on every allow list there is, and on no block list."""
    access = mapping.access
    allow_lists = [access.ip_whitelist, cluster.access.ip_whitelist, list(cluster.allowed_ips)]
    blocked = [*(access.blocked_ips or []), *cluster.access.blocked_ips]
    rules = [_any_address(listed) for listed in allow_lists if listed]
    if blocked:
        rules.append({"not_id": _any_address(blocked)})
    return {"and_ids": {"ids": rules}} if rules else {"any": True}


def _any_address(ranges: Iterable[IpRange]) -> Config:
    return {"or_ids": {"ids": [{"direct_remote_ip": cidr(r)} for r in ranges]}}


def cidr(text: str) -> Config:
    """Return an address or CIDR as Envoy's CidrRange; a mapped IPv6 address is its IPv4 one."""
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= 96:  # noqa: PLR2004 - ::ffff:0:0/96
            network = ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}", strict=False)
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}


def _origin_rule(mapping: DesiredMapping, edge: Edge) -> Config:
    """Let through only what the mapping's own page, a navigation or a program sends.

    Sibling services on one host name carry each other's cookies, and Host and Origin are rewritten
    for the service, so this is the only defence against cross-site requests (Fetch metadata, W3C).
    """
    own = _or(*[_header_is("origin", o) for o in own_origins(mapping, edge)])
    has_origin = {"header": {"name": "origin", "present_match": True}}
    foreign = _header_matches("sec-fetch-site", _FOREIGN)
    upgrade = {"header": {"name": "upgrade", "present_match": True}}
    get = _header_is(":method", "GET")
    safe = _header_matches(":method", "(GET|HEAD|OPTIONS)")
    navigation = _and(get, _header_is("sec-fetch-mode", "navigate"))
    with_token = _identity("aud", {"exact": USER_AUDIENCE})
    return _or(
        _and(own, _not(foreign)),
        _and(safe, _not(upgrade), _or(_not(foreign), navigation)),
        _and(_not(has_origin), _not(foreign), _or(_not(upgrade), with_token)),
    )


def _header_is(name: str, value: str) -> Config:
    return {"header": {"name": name, "string_match": {"exact": value}}}


def _header_matches(name: str, regex: str) -> Config:
    return {"header": {"name": name, "string_match": {"safe_regex": {"regex": regex}}}}


def _and(*rules: Config) -> Config:
    return {"and_rules": {"rules": list(rules)}}


def _or(*rules: Config) -> Config:
    return rules[0] if len(rules) == 1 else {"or_rules": {"rules": list(rules)}}


def _not(rule: Config) -> Config:
    return {"not_rule": rule}
