"""What a visitor sees when Envoy answers instead of the service: a page, or JSON for programs.

Nothing of the request is in these answers except the path in a redirect's Location header, and
nothing of the service but its port and its name, which is escaped.
"""

from __future__ import annotations

from typing import Any

from ..pages import HEADERS, page
from .access import revoked_matcher
from .filters import VISITOR_PREFIX
from .odd_cookies import NAMESPACE
from .typed import Config, typed

_CEL_FILTER = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_PORT = f"%METADATA(ROUTE:{NAMESPACE}:internal_port)%"
_OWNER = f"%METADATA(ROUTE:{NAMESPACE}:owner_html)%"
_NAME = f"%METADATA(ROUTE:{NAMESPACE}:name_html)%"


NOT_YOURS = 598
"""Status, within Envoy only, of a service whose port another user holds."""


def local_replies() -> Config:
    """Return the mappers, most particular first: the first that matches wins."""
    nothing_listens = _and(_flag("UF", "UC", "LR"), _status(503))
    # Envoy says 403 to a token that is good for something else: a session of another mapping.
    misplaced_token = _and(_status(403), _details('.startsWith("jwt_authn")'))
    signed_out = _or(_status(401), misplaced_token)
    return {
        "mappers": [
            _redirect_to_sign_in(signed_out),
            _redirect_to_sign_in(_revoked()),
            *_pair(
                _revoked(),
                new_status=401,
                code="UNAUTHORIZED",
                message="This session has ended: sign in again.",
                title="Signed out",
                text="This session has ended. Open this service again from your notebook, "
                f"or ask {_OWNER} for a link.",
            ),
            *_pair(
                signed_out,
                new_status=401,
                code="UNAUTHORIZED",
                message="Sign in to use this port: send a session cookie or a Bearer token.",
                title="Sign in",
                text=f"Open this service from your notebook, or ask {_OWNER} for a link.",
            ),
            *_pair(
                _status(403),
                code="FORBIDDEN",
                message="This request may not use this port: the user, the client address or the "
                "Origin is not admitted.",
                title=f"{_NAME} is not shared with you",
                text="It is shared with other people, with other addresses, or the request came "
                f"from another site. Ask {_OWNER} to add you. "
                f'<a href="{VISITOR_PREFIX}sign-in?next=/">Who am I here?</a>',
            ),
            *_pair(
                _status(429),
                code="RATE_LIMIT_EXCEEDED",
                message="Too many requests for this port's limit; see Retry-After.",
                title="Too many requests",
                text="This service has a limit on requests. Wait a moment and reload the page.",
            ),
            *_pair(
                nothing_listens,
                new_status=502,
                code="SERVICE_UNREACHABLE",
                message=f"Nothing answers on port {_PORT}.",
                title=f"{_NAME} does not answer",
                text=f"Nothing answers on port {_PORT}. Start the service; "
                "this page tries again by itself.",
                refresh=True,
            ),
            *_pair(
                _and(_flag("UH"), _status(503)),
                code="SERVICE_UNHEALTHY",
                message=f"No healthy replica behind port {_PORT}.",
                title=f"{_NAME} is not well",
                text="None of its replicas passes the health check. "
                "This page tries again by itself.",
                refresh=True,
            ),
            *_pair(
                _and(_flag("UT"), _status(504)),
                code="SERVICE_TIMEOUT",
                message=f"The service on port {_PORT} did not answer within timeout_seconds.",
                title=f"{_NAME} is too slow",
                text=f"The service on port {_PORT} did not answer in the time it is given. "
                "Reload the page, or ask its owner for a longer timeout.",
            ),
            *_pair(
                _and(_flag("UO"), _status(503)),
                code="SERVICE_BUSY",
                message=f"Port {_PORT} has as many connections as it may have.",
                title=f"{_NAME} is busy",
                text="It has as many connections as it may have. This page tries again by itself.",
                refresh=True,
            ),
            # Only Envoy's own 502 comes by here, not one of the service.
            *_pair(
                _status(502),
                code="SERVICE_BROKEN",
                message=f"What the service on port {_PORT} answered is not valid HTTP.",
                title=f"{_NAME} does not answer properly",
                text=f"What the service on port {_PORT} answered is not valid HTTP. If it speaks "
                "another protocol, its owner can say so with app_protocol.",
            ),
            *_pair(
                _status(NOT_YOURS),
                new_status=503,
                code="SERVICE_NOT_YOURS",
                message=f"Another user of the machine listens on port {_PORT}.",
                title=f"{_NAME} is closed",
                text=f"Another user of the machine listens on port {_PORT}. Stop that program, "
                "or start the service on another port; this page tries again by itself.",
                refresh=True,
            ),
            *_pair(
                _and(_or(_status(503), _status(504)), _details('.startsWith("ext_proc")')),
                new_status=503,
                code="GATEWAY_RESTARTING",
                message="The gateway is just restarting: try again in a few seconds.",
                title="One moment",
                text="The gateway is just restarting. This page tries again by itself.",
                refresh=True,
            ),
            *_pair(
                _status(421),
                code="MISDIRECTED_REQUEST",
                message="This port does not serve that host name.",
                title="Another address is needed",
                text="This port does not serve that host name. Copy the link again.",
            ),
        ],
    }


def _redirect_to_sign_in(condition: Config) -> Config:
    """Send people to the sign-in page. `next` comes last and is not encoded: it is the rest."""
    location = f"{VISITOR_PREFIX}sign-in?next=%REQ(:path)%"
    return {
        "filter": _and(condition, _header(":method", {"exact": "GET"}), _wants_html()),
        "status_code": 302,
        "body": {"inline_string": ""},
        "headers_to_add": _headers({"location": location, **HEADERS}),
    }


def _pair(  # noqa: PLR0913 - keyword-only, all plain texts
    condition: Config,
    *,
    code: str,
    message: str,
    title: str,
    text: str,
    new_status: int | None = None,
    refresh: bool = False,
) -> list[Config]:
    """Return the page for people and the JSON for programs."""
    status = {"status_code": new_status} if new_status else {}
    retry = {"refresh": "3"} if refresh else {}
    error = {"code": code, "message": message, "details": {}}
    html_format = {
        "text_format_source": {"inline_string": page(title, text)},
        "content_type": "text/html; charset=utf-8",
    }
    return [
        {
            "filter": _and(condition, _wants_html()),
            **status,
            "body_format_override": html_format,
            "headers_to_add": _headers({**HEADERS, **retry}),
        },
        {
            "filter": condition,
            **status,
            "body_format_override": {"json_format": {"success": False, "error": error}},
            "headers_to_add": _headers(HEADERS),
        },
    ]


def _headers(values: dict[str, str]) -> list[Config]:
    return [
        {"header": {"key": k, "value": v}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for k, v in values.items()
    ]


def _and(*conditions: Config) -> Config:
    return {"and_filter": {"filters": list(conditions)}}


def _or(*conditions: Config) -> Config:
    return {"or_filter": {"filters": list(conditions)}}


def _status(code: int) -> Config:
    value = {"default_value": code, "runtime_key": "unused"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _flag(*flags: str) -> Config:
    return {"response_flag_filter": {"flags": list(flags)}}


def _details(test: str) -> Config:
    """Return the condition on Envoy's own word for why it answered."""
    filter_ = typed(_CEL_FILTER, {"expression": f"response.code_details{test}"})
    return {"extension_filter": {"name": "why", "typed_config": filter_}}


def _revoked() -> Config:
    # Unless it says otherwise, the filter matches where there is no such key.
    return {"metadata_filter": {"matcher": revoked_matcher(), "match_if_key_not_found": False}}


def _header(name: str, match: dict[str, Any]) -> Config:
    return {"header_filter": {"header": {"name": name, "string_match": match}}}


def _wants_html() -> Config:
    return _header("accept", {"contains": "text/html"})
