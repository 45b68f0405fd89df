"""Sign-in as Envoy checks it: which signed tokens count, and where in a request they are.

The tokens are made in `identity.py` of the gateway. Envoy verifies them itself, so that a request
never waits for Python.
"""

from __future__ import annotations

from ..desired import DesiredMapping, Edge
from .typed import Config, typed

COOKIE_PREFIX = "__Host-t1"
"""Every cookie of ours starts with it, and no cookie that does ever reaches a service."""

USER_AUDIENCE = "users"
JWT_FILTER = "envoy.filters.http.jwt_authn"


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


def filter_config(mapping: DesiredMapping, edge: Edge) -> Config:
    """Return the filter; a route that names no requirement lets nobody in."""
    common: Config = {
        "issuer": edge.issuer,
        "local_jwks": {"inline_string": edge.jwks},
        "require_expiration": True,
        "clock_skew_seconds": 1,
        "payload_in_metadata": "identity",
        "jwt_cache_config": {"jwt_cache_size": 100},
    }
    session = {**common, "audiences": [mapping.id]}
    providers = [{"provider_name": name} for name in ("user", "session", "framed")]
    return typed(
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        {
            "providers": {
                "user": {
                    **common,
                    "audiences": [USER_AUDIENCE],
                    "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
                },
                "session": {**session, "from_cookies": [session_cookie(mapping.id)]},
                "framed": {**session, "from_cookies": [session_cookie(mapping.id, framed=True)]},
            },
            "rules": [{"match": {"prefix": "/"}, "requires": _NOBODY}],
            "requirement_map": {
                # First success wins, so that there is one identity; the user's token comes
                # first, because only a provider that verified it removes it from the request.
                # Each cookie has a provider, because one bad token spoils all of a provider's.
                "signed-in": _any_of(*providers),
                "anyone": _any_of(*providers, {"allow_missing_or_failed": {}}),
            },
        },
    )


def requirement(name: str) -> Config:
    """Return what a route asks for: `signed-in` or `anyone`."""
    return typed(
        "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", {"requirement_name": name}
    )


_NOBODY: Config = {"provider_and_audiences": {"provider_name": "user", "audiences": ["nobody"]}}
"""What a route without an override asks for: nothing is ever signed for this audience."""


def _any_of(*requirements: Config) -> Config:
    return {"requires_any": {"requirements": list(requirements)}}
