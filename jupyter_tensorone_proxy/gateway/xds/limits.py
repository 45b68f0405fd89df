"""Rate limits as Envoy's token buckets (contract: `rate_limit`, `rate_limiting.per_user_limit`)."""

from __future__ import annotations

import math

from ...models import RateLimit
from ..desired import DesiredCluster, DesiredMapping
from .access import JWT_FILTER, is_private
from .typed import Config, typed

_TYPE = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
_SHORTEST_FILL_SECONDS = 0.05
_UNLIMITED = 4_000_000_000
_KNOWN_VISITORS = 10_000


def filter_config() -> Config:
    """Return the filter as it stands in the chain: it limits nothing until a route says so."""
    return typed(_TYPE, {"stat_prefix": "rate_limit"})


def rate_limit_override(mapping: DesiredMapping, cluster: DesiredCluster) -> Config | None:
    """Return a mapping's limits: all its requests together, and each visitor's; None without."""
    limiting = cluster.access.rate_limiting
    per_user = limiting.per_user_limit if limiting else None
    limit = mapping.access.rate_limit
    if limit is None and per_user is None:
        return None
    config: Config = {
        "stat_prefix": "rate_limit",
        "token_bucket": token_bucket(limit) if limit else _unlimited(),
        "filter_enabled": _always(),
        "filter_enforced": _always(),
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "response_headers_to_add": [_retry_after(limit or per_user)],
    }
    if per_user:
        config |= _per_visitor(mapping, cluster, per_user)
    return typed(_TYPE, config)


def token_bucket(limit: RateLimit) -> Config:
    """Return a bucket with exactly this refill; Envoy fills no faster than every 50 ms.

    Example:
        >>> token_bucket(RateLimit(requests_per_minute=60, burst_size=5))
        {'max_tokens': 5, 'tokens_per_fill': 1, 'fill_interval': '1.000000000s'}
        >>> token_bucket(RateLimit(requests_per_minute=6000))["tokens_per_fill"]
        5
    """
    per_minute = limit.requests_per_minute
    tokens = max(1, math.ceil(per_minute * _SHORTEST_FILL_SECONDS / 60))
    return {
        "max_tokens": limit.burst_size or per_minute,
        "tokens_per_fill": tokens,
        "fill_interval": f"{tokens * 60 / per_minute:.9f}s",
    }


def _per_visitor(mapping: DesiredMapping, cluster: DesiredCluster, limit: RateLimit) -> Config:
    """Return a bucket for each signed-in user, or each address where nobody signs in."""
    if is_private(mapping, cluster):
        key = {"key": JWT_FILTER, "path": [{"key": "identity"}, {"key": "sub"}]}
        action = {"metadata": {"descriptor_key": "user", "metadata_key": key}}
        entry = {"key": "user"}
    else:
        action, entry = {"remote_address": {}}, {"key": "remote_address"}
    return {
        "rate_limits": [{"actions": [action]}],
        "descriptors": [{"entries": [entry], "token_bucket": token_bucket(limit)}],
        "max_dynamic_descriptors": _KNOWN_VISITORS,
    }


def _unlimited() -> Config:
    return {"max_tokens": _UNLIMITED, "tokens_per_fill": _UNLIMITED, "fill_interval": "1s"}


def _always() -> Config:
    return {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def _retry_after(limit: RateLimit | None) -> Config:
    """Return Retry-After: the time until the next token (RFC 9110, section 10.2.3)."""
    seconds = math.ceil(60 / limit.requests_per_minute) if limit else 1
    return {
        "header": {"key": "retry-after", "value": str(seconds)},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
