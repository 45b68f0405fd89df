"""The limit of one mapping as a token bucket of Envoy's (contract: `rate_limit`).

Limits over all mappings are in `shared_limits`.
"""

from __future__ import annotations

import math

from ...models import RateLimit
from ..desired import DesiredMapping
from .typed import Config, typed

FILTER = "envoy.filters.http.local_ratelimit"
TYPE = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
_SHORTEST_FILL_SECONDS = 0.05
_UNLIMITED = 4_000_000_000


def filter_config() -> Config:
    """Return the filter as it stands in the chain: it limits nothing until a route says so."""
    return typed(TYPE, {"stat_prefix": "rate_limit"})


def override(mapping: DesiredMapping) -> Config | None:
    """Return a mapping's own limit; None without."""
    limit = mapping.access.rate_limit
    if limit is None:
        return None
    wait = math.ceil(60 / limit.requests_per_minute)
    return typed(TYPE, enforced(limit, retry_after_seconds=wait))


def enforced(limit: RateLimit | None, *, retry_after_seconds: int) -> Config:
    """Return a limit in force.

    Args:
        limit: The limit of all requests together; None leaves them to the descriptors.
        retry_after_seconds: What a refusal says: the time until the next token (RFC 9110, 10.2.3).
    """
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return {
        "stat_prefix": "rate_limit",
        "token_bucket": token_bucket(limit) if limit else _unlimited(),
        "filter_enabled": always,
        "filter_enforced": always,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "response_headers_to_add": [
            {
                "header": {"key": "retry-after", "value": str(retry_after_seconds)},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }


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


def _unlimited() -> Config:
    return {"max_tokens": _UNLIMITED, "tokens_per_fill": _UNLIMITED, "fill_interval": "1s"}
