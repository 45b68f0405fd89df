"""The HTTP filters of an exposed port, and what each route sets on them.

The filters themselves are the same for every mapping and live in its listener. Whatever people
edit (who may come in, from where, how often) is a per-route override and lives in the route
configuration, because a change of the listener would close its open WebSockets and streams.

Everything fails closed: a route that forgets its override lets nobody in.
"""

from __future__ import annotations

import re

from ...models import Compression
from ..desired import DesiredCluster, DesiredMapping, Edge, bracketed
from . import access, cookies, framing, limits, odd_cookies, shared_limits, sign_in
from .odd_cookies import NAMESPACE
from .sign_in import JWT_FILTER
from .typed import Config, typed

PEER = "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"

REMOVED = ["cookie", "x-envoy-external-address"]
"""What every forwarding route removes: all cookies, and what Envoy adds by itself."""

VISITOR_PREFIX = "/.tensorone/"

IP, SIGN_IN, REVOKED, ACCESS = "ip", "sign_in", "revoked", "access"
CORS = "envoy.filters.http.cors"
GZIP, BROTLI = "gzip", "br"

_NOTES = "envoy.extensions.filters.http.header_to_metadata.v3.Config"


def http_filters(mapping: DesiredMapping, edge: Edge) -> list[Config]:
    """Return the filter chain of one mapping, in the order requests pass it."""
    rbac = typed("envoy.extensions.filters.http.rbac.v3.RBAC", {"rules": {"action": "ALLOW"}})
    return [
        {"name": IP, "typed_config": rbac},
        {"name": CORS, "typed_config": typed("envoy.extensions.filters.http.cors.v3.Cors", {})},
        {"name": "cookies", "typed_config": _service_cookies(mapping, edge)},
        {"name": odd_cookies.REQUESTS, "typed_config": odd_cookies.requests(mapping, edge)},
        {"name": SIGN_IN, "typed_config": sign_in.filter_config(mapping, edge)},
        {"name": REVOKED, "typed_config": rbac},
        {"name": ACCESS, "typed_config": rbac},
        {"name": limits.FILTER, "typed_config": limits.filter_config()},
        {"name": shared_limits.NAME, "typed_config": shared_limits.filter_config()},
        # Answers pass the filters backwards: these two put in what `_rewrites` found out.
        framing.framing_filter(NAMESPACE),
        {"name": "location", "typed_config": _public_location()},
        {"name": "rewrites", "typed_config": _rewrites(mapping)},
        {"name": odd_cookies.ANSWERS, "typed_config": odd_cookies.answers(mapping, edge)},
        {"name": GZIP, "typed_config": _compressor("gzip", "gzip", "Gzip")},
        {"name": BROTLI, "typed_config": _compressor("brotli", "brotli", "Brotli")},
        {
            "name": "envoy.filters.http.router",
            "typed_config": typed(
                "envoy.extensions.filters.http.router.v3.Router",
                {"suppress_envoy_headers": True},
            ),
        },
    ]


def service_overrides(
    mapping: DesiredMapping, cluster: DesiredCluster, edge: Edge, revoked: tuple[str, ...]
) -> Config:
    """Return the per-route settings for requests that go to the service."""
    private = access.is_private(mapping, cluster)
    overrides: Config = {
        IP: access.address_override(mapping, cluster),
        SIGN_IN: sign_in.requirement("signed-in" if private else "anyone"),
        REVOKED: access.revoked_override(revoked),
        ACCESS: access.people_override(mapping, cluster, edge, revoked),
        **_compression(cluster),
    }
    optional = {
        limits.FILTER: limits.override(mapping),
        shared_limits.NAME: shared_limits.override(cluster),
        CORS: _cors(mapping),
    }
    return overrides | {name: config for name, config in optional.items() if config}


def visitor_overrides(mapping: DesiredMapping, cluster: DesiredCluster) -> Config:
    """Return the per-route settings for the gateway's own pages under `/.tensorone/`."""
    return {
        IP: access.address_override(mapping, cluster),
        SIGN_IN: sign_in.requirement("anyone"),
        REVOKED: access.everybody_override(),
        ACCESS: access.everybody_override(),
        shared_limits.NAME: shared_limits.off(),
        odd_cookies.ANSWERS: odd_cookies.off(),
    }


def request_headers(mapping: DesiredMapping) -> list[Config]:
    """Return what is added to requests for the service.

    The identity is ours alone (whatever a client sent was removed early); Host and Origin are the
    local address, which is what services such as MLflow, Jupyter and Streamlit insist on.
    """
    return [
        *_identity_headers(),
        *_assertion_header(mapping),
        # Envoy's own idea of it is this machine's address where the visitor is on this machine.
        header("x-forwarded-for", PEER),
        header("x-forwarded-host", "%REQ(:authority)%"),
        header("origin", local_origin(mapping), action="OVERWRITE_IF_EXISTS"),
        header("cookie", f"%DYNAMIC_METADATA({NAMESPACE}:cookie)%"),
    ]


def visitor_headers(mapping: DesiredMapping) -> list[Config]:
    """Return what tells a page of ours which mapping it is of, and who is signed in how."""
    return [
        header("x-tensorone-port", mapping.id),
        header("x-tensorone-address", PEER),
        header("x-tensorone-session", f"%DYNAMIC_METADATA({JWT_FILTER}:identity:jti)%"),
        *_identity_headers(),
    ]


def _identity_headers() -> list[Config]:
    return [header("x-forwarded-user", f"%DYNAMIC_METADATA({JWT_FILTER}:identity:sub)%")]


def _assertion_header(mapping: DesiredMapping) -> list[Config]:
    """Return the signed form of the identity, which a session holds for services that want it."""
    if not mapping.access.identity_assertion:
        return []
    claim = f"%DYNAMIC_METADATA({JWT_FILTER}:identity:assertion)%"
    return [header("x-tensorone-assertion", claim)]


def response_headers(mapping: DesiredMapping, cluster: DesiredCluster) -> list[Config]:
    """Return what is added to the service's answers (contract: `security_headers`)."""
    added = []
    if _cors(mapping):  # no cache may give one origin the answer for another
        added.append(header("vary", "origin", action="APPEND_IF_EXISTS_OR_ADD"))
    wanted = cluster.access.security_headers
    if wanted is None:
        return added
    if wanted.hsts_enabled:
        hsts = header("strict-transport-security", "max-age=31536000", action="ADD_IF_ABSENT")
        added.append(hsts)
    if wanted.content_security_policy:
        added.append(header("content-security-policy", _literal(wanted.content_security_policy)))
    if wanted.x_frame_options:
        added.append(header("x-frame-options", _literal(wanted.x_frame_options)))
    return added


def local_origin(mapping: DesiredMapping) -> str:
    """Return the origin that the service believes it has."""
    scheme = "https" if mapping.request.app_protocol == "https" else "http"
    return f"{scheme}://{local_host(mapping)}"


def local_host(mapping: DesiredMapping) -> str:
    """Return the Host that the service sees."""
    host = bracketed(mapping.request.internal_host or "127.0.0.1")
    return f"{host}:{mapping.request.internal_port}"


def header(name: str, value: str, *, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> Config:
    """Return Envoy's option that sets a header."""
    return {"header": {"key": name, "value": value}, "append_action": action}


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
    )
    mutations: list[Config] = [{"remove": name} for name in names]
    mutations += [
        {"remove_on_match": {"key_matcher": {"prefix": prefix}}}
        for prefix in ("x-envoy-", "x-tensorone-")
    ]
    return [
        {
            "name": "remove_forged_headers",
            "typed_config": typed(
                "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                {"mutations": mutations},
            ),
        }
    ]


def _literal(value: str) -> str:
    """Return text that Envoy's header formatter leaves as it is."""
    return value.replace("%", "%%")


def _service_cookies(mapping: DesiredMapping, edge: Edge) -> Config:
    """Note the cookies that are the service's to see.

    A route that forwards removes the header (`REMOVED`) and puts these in (`request_headers`), byte
    for byte. A script would do the same for twice the time and 170 KB of memory a mapping.
    """
    taken_out = cookies.taken_out(cookies.exact_names(mapping, edge))
    return typed(_NOTES, {"request_rules": [_rewrite("cookie", taken_out, "")]})


def _rewrites(mapping: DesiredMapping) -> Config:
    """Note the path of a redirect to the local address, and the service's policy for frames."""
    own = [mapping.request.internal_host] if mapping.request.internal_host else []
    names = {"127.0.0.1", "localhost", "[::1]", *map(bracketed, own)}
    hosts = "|".join(map(re.escape, sorted(names)))
    origin = rf"(?:https?:)?//(?:{hosts}):{mapping.request.internal_port}"
    local = rf"^{origin}(?:/(.*)|([?#].*)?)$"
    rules = [
        _rewrite("location", local, r"/\1\2"),
        _rewrite(framing.POLICY, framing.BAN, framing.NO_BAN),
    ]
    return typed(_NOTES, {"response_rules": rules})


def _rewrite(name: str, pattern: str, substitution: str) -> Config:
    rewrite = {"pattern": {"regex": pattern}, "substitution": substitution}
    pair = {"metadata_namespace": NAMESPACE, "key": name, "regex_value_rewrite": rewrite}
    return {"header": name, "on_header_present": pair}


def _public_location() -> Config:
    """Send a redirect to the local address to the same path of the public one."""
    value = f"%DYNAMIC_METADATA({NAMESPACE}:location)%"
    append = header("location", value, action="OVERWRITE_IF_EXISTS")
    return typed(
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        {"mutations": {"response_mutations": [{"append": append}]}},
    )


def _compressor(name: str, package: str, message: str) -> Config:
    library = typed(f"envoy.extensions.compression.{package}.compressor.v3.{message}", {})
    return typed(
        "envoy.extensions.filters.http.compressor.v3.Compressor",
        {
            "compressor_library": {"name": name, "typed_config": library},
            "response_direction_config": {"common_config": {"min_content_length": 1024}},
        },
    )


def _compression(cluster: DesiredCluster) -> Config:
    """Return the switching-off of the compressors that the cluster does not want."""
    wanted = cluster.network.compression or Compression()
    algorithms = set(wanted.algorithms) if wanted.enabled else set()
    off = typed(
        "envoy.extensions.filters.http.compressor.v3.CompressorPerRoute", {"disabled": True}
    )
    return {name: off for name in (GZIP, BROTLI) if name not in algorithms}


def _cors(mapping: DesiredMapping) -> Config | None:
    cors = mapping.access.cors
    if cors is None or not cors.enabled:
        return None
    anyone = "*" in cors.allowed_origins
    exact = [{"exact": o} for o in cors.allowed_origins if o != "*"]
    return typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        {
            "allow_origin_string_match": [{"safe_regex": {"regex": ".+"}}] if anyone else exact,
            "allow_methods": ",".join(cors.allowed_methods),
            "allow_headers": ",".join(cors.allowed_headers),
            # With credentials every page could read as the visitor; only named origins may.
            "allow_credentials": not anyone,
            # Envoy's own answer to them would name methods and headers; `access` refuses them.
            "forward_not_matching_preflights": True,
            "max_age": "600",
        },
    )
