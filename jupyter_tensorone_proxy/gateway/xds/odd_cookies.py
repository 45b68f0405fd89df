"""Cookies in odd shapes: what Envoy asks the control plane about.

Usual ones it treats by itself, with one regular expression (`cookies.taken_out`): a script would
cost 170 KB of memory a mapping. Odd requests and answers, which an expression cannot treat exactly,
are asked about over a unix socket (`cookie_service.py` of the gateway): several Cookie lines, more
than 8 KB of cookies, one session twice; a Set-Cookie of a name that is not the service's, or with
a Domain. If nobody answers there, these fail; nothing else does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..desired import DesiredMapping, Edge
from .cookies import XSRF, exact_names, hidden_cookie, xsrf_marker
from .matching import all_of, any_of, header_is, negation, noted, where
from .sign_in import COOKIE_PREFIX, session_cookie
from .typed import Config, typed

NAMESPACE = "tensorone"
"""Where filters leave their notes for other filters and routes."""

REQUESTS, ANSWERS = "odd_cookies", "odd_set_cookies"
CLUSTER = "cookies"
"""Static cluster of the bootstrap: who is asked."""

MAPPING_ID = "x-tensorone-port"

NOBODY_ANSWERS = 508
"""Status (LoopDetected), within Envoy only, of a request that nobody could be asked about."""

_EXT_PROC = "envoy.extensions.filters.http.ext_proc.v3"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a cookie's name (RFC 6265, section 4.1.1)


def requests(mapping: DesiredMapping, edge: Edge) -> Config:
    """Return the filter that asks about requests whose cookies are in an odd shape."""
    line = header_is("Request", "cookie", rf"(?s).*(?:{'|'.join(_odd_shapes(mapping, edge))}).*")
    hidden = rf"(?s)(?:{hidden_cookie(exact_names(mapping, edge))}(?:[;,][ \t]*|$))*"
    lost = all_of(
        negation(noted(NAMESPACE, "cookie")),
        header_is("Request", "cookie", "(?s).+"),
        negation(header_is("Request", "cookie", hidden)),
    )
    asked = _ask(mapping, "cookie", request_header_mode="SEND", response_header_mode="SKIP")
    asked["metadata_options"] = {"receiving_namespaces": {"untyped": [NAMESPACE]}}
    return where(any_of(line, lost), asked)


def answers(mapping: DesiredMapping, edge: Edge) -> Config:
    """Return the filter that asks about answers that set what is not the service's to set."""
    names = rf"(?:{COOKIE_PREFIX}|jupyterhub-|(?:{exact_names(mapping, edge)})[ \t]*=)"
    not_its_own = rf"(?:.*,)?[ \t]*=?[ \t]*{names}.*"
    pattern = rf"(?is)(?:{not_its_own}|.*;[ \t]*domain[ \t]*=.*)"
    asked = _ask(mapping, "set-cookie", request_header_mode="SKIP", response_header_mode="SEND")
    return where(header_is("Response", "set-cookie", pattern), asked)


def off() -> Config:
    """Return what switches `answers` off on a route: for our own pages."""
    return typed(f"{_EXT_PROC}.ExtProcPerRoute", {"disabled": True})


def _odd_shapes(mapping: DesiredMapping, edge: Edge) -> Iterable[str]:
    yield rf",{_TOKEN}="  # Envoy joins several lines by a comma
    for framed in (False, True):
        name = re.escape(session_cookie(mapping.id, framed=framed))
        yield rf"{name}=.*{name}="
    if XSRF in edge.hidden_cookies:
        yield re.escape(xsrf_marker(mapping.id)) + "="


def _ask(mapping: DesiredMapping, header: str, **modes: str) -> Config:
    service = {
        "envoy_grpc": {"cluster_name": CLUSTER},
        "timeout": "2s",
        "initial_metadata": [{"key": MAPPING_ID, "value": mapping.id}],
    }
    return typed(
        f"{_EXT_PROC}.ExternalProcessor",
        {
            "grpc_service": service,
            "processing_mode": {
                **modes,
                "request_trailer_mode": "SKIP",
                "response_trailer_mode": "SKIP",
            },
            "forward_rules": {"allowed_headers": {"patterns": [{"exact": header}]}},
            "message_timeout": "2s",
            "status_on_error": {"code": "LoopDetected"},
        },
    )
