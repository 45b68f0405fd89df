"""Letting one page show a service in a frame, whatever the service says about frames.

A link for a frame names the origin of the page around it, and the session it begins carries that
origin, signed. On answers to such a session the service's ban gives way to `frame-ancestors` with
exactly that origin (CSP 3, section 6.4.2); the service's other policies stay. Answers to everybody
else pass unchanged: sessions without the claim have no such filter.
"""

from __future__ import annotations

from .matching import noted, where
from .sign_in import JWT_FILTER
from .typed import Config, typed

FRAME_CLAIM = "frame_origin"
FILTER = "framing"

POLICY = "content-security-policy"
BAN, NO_BAN = "(?i)frame-ancestors[^;,]*", "frame-ancestors *"
"""What is rewritten in a service's policy, and to what: the directive beside it then decides."""


def framing_filter(namespace: str) -> Config:
    """Return the filter.

    Args:
        namespace: Of the metadata in which the service's rewritten policy is found.
    """
    with_claim = noted(JWT_FILTER, "identity", FRAME_CLAIM)
    return {"name": FILTER, "typed_config": where(with_claim, _mutations(namespace))}


def _mutations(namespace: str) -> Config:
    ours = f"frame-ancestors %DYNAMIC_METADATA({JWT_FILTER}:identity:{FRAME_CLAIM})%"
    mutations = [
        {"remove": "x-frame-options"},
        _policy(f"%DYNAMIC_METADATA({namespace}:{POLICY})%", "OVERWRITE_IF_EXISTS"),
        _policy(ours, "APPEND_IF_EXISTS_OR_ADD"),
    ]
    return typed(
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        {"mutations": {"response_mutations": mutations}},
    )


def _policy(value: str, action: str) -> Config:
    return {"append": {"header": {"key": POLICY, "value": value}, "append_action": action}}
