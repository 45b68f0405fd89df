"""What a visitor sees when Envoy answers instead of the service: a page, or JSON for programs.

Nothing of the request is in these answers except the path in a redirect's Location header, and
nothing of the service but its port and its name, which is escaped.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ..pages import HEADERS, page
from .access import revoked_matcher
from .filters import VISITOR_PREFIX
from .odd_cookies import NAMESPACE, NOBODY_ANSWERS
from .typed import Config, Constant, typed

_CEL_FILTER = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_PORT = f"%METADATA(ROUTE:{NAMESPACE}:internal_port)%"
_OWNER = f"%METADATA(ROUTE:{NAMESPACE}:owner_html)%"
_NAME = f"%METADATA(ROUTE:{NAMESPACE}:name_html)%"
_JSON_HEADERS = {k: HEADERS[k] for k in ("cache-control", "x-content-type-options")} | {
    "content-security-policy": "default-src 'none'"
}
_CHALLENGE = {"www-authenticate": "Bearer"}
"""Instead of Envoy's own, which repeats the address that was asked for, with its query."""

_PAGE = page(_NAME, "%LOCAL_REPLY_BODY%", f"<p>Its owner is {_OWNER}, and its port is {_PORT}.</p>")

NOT_YOURS = 598
"""Status, within Envoy only, of a service whose port another user holds."""


@lru_cache(maxsize=1)
def local_replies() -> Constant:
    """Return what Envoy says where it answers itself.

    The page around a text is there once, for all cases, because each listener has a copy of this:
    so the texts are plain, and the page has the service's name, port and owner.
    """
    return Constant(
        {
            "mappers": [
                _redirect_to_sign_in(_or(_signed_out(), _revoked())),
                *_about_people(),
                *_about_the_service(),
                *_about_the_gateway(),
                _anything_else(),
            ],
            "body_format": {
                "text_format_source": {"inline_string": _PAGE},
                "content_type": "text/html; charset=utf-8",
            },
        }
    )


def _about_people() -> list[Config]:
    """Return the cases that whoever visits can do something about; the first that fits counts."""
    return [
        _json(_revoked(), "UNAUTHORIZED", "This session has ended: sign in again.", 401),
        _json(
            _signed_out(),
            "UNAUTHORIZED",
            "Sign in to use this port: send a session cookie or a Bearer token.",
            401,
        ),
        *_pair(
            _status(403),
            code="FORBIDDEN",
            message="This request may not use this port: the user, the client address or the "
            "Origin is not admitted.",
            text="It is not shared with you: it is for other people, for other addresses, or the "
            "request came from another site. Ask its owner to add you. "
            f'<a href="{VISITOR_PREFIX}sign-in?next=/">Who am I here?</a>',
        ),
        *_pair(
            _status(429),
            code="RATE_LIMIT_EXCEEDED",
            message="Too many requests for this port's limit; see Retry-After.",
            text="Too many requests: this service has a limit. Wait a moment and reload the page.",
        ),
    ]


def _about_the_service() -> list[Config]:
    """Return the cases in which the service does not answer as it should."""
    nothing_listens = _and(_flag("UF", "UC", "LR"), _status(503))
    return [
        *_restarting(_and(nothing_listens, _header(":path", {"prefix": VISITOR_PREFIX}))),
        *_pair(
            nothing_listens,
            new_status=502,
            code="SERVICE_UNREACHABLE",
            message=f"Nothing answers on port {_PORT}.",
            text="It does not answer: nothing listens on its port. Start the service; "
            "this page tries again by itself.",
            refresh=True,
        ),
        *_pair(
            _and(_flag("UH"), _status(503)),
            code="SERVICE_UNHEALTHY",
            message=f"No healthy replica behind port {_PORT}.",
            text="It is not well: none of its replicas passes the health check. "
            "This page tries again by itself.",
            refresh=True,
        ),
        *_pair(
            _and(_flag("UT"), _status(504)),
            code="SERVICE_TIMEOUT",
            message=f"The service on port {_PORT} did not answer within timeout_seconds.",
            text="It is too slow: it did not answer in the time it is given. "
            "Reload the page, or ask its owner for a longer timeout.",
        ),
        *_pair(
            _and(_flag("UO"), _status(503)),
            code="SERVICE_BUSY",
            message=f"Port {_PORT} has as many connections as it may have.",
            text="It is busy: it has as many connections as it may have. "
            "This page tries again by itself.",
            refresh=True,
        ),
        # Only Envoy's own 502 comes by here, not one of the service.
        *_pair(
            _status(502),
            code="SERVICE_BROKEN",
            message=f"What the service on port {_PORT} answered is not valid HTTP.",
            text="It does not answer properly: what it says is not valid HTTP. If it speaks "
            "another protocol, its owner can say so with app_protocol.",
        ),
        *_pair(
            _status(NOT_YOURS),
            new_status=503,
            code="SERVICE_NOT_YOURS",
            message=f"Another user of the machine listens on port {_PORT}.",
            text="It is closed: another user of the machine listens on its port. Stop that "
            "program, or start the service on another port; this page tries again by itself.",
            refresh=True,
        ),
    ]


def _about_the_gateway() -> list[Config]:
    """Return the cases that have nothing to do with the service."""
    return [
        *_restarting(_or(_status(NOBODY_ANSWERS), _status(504))),
        *_pair(
            _status(421),
            code="MISDIRECTED_REQUEST",
            message="This port does not serve that host name.",
            text="Another address is needed: this port does not serve that host name. "
            "Copy the link again.",
        ),
    ]


def _restarting(condition: Config) -> list[Config]:
    return _pair(
        condition,
        new_status=503,
        code="GATEWAY_RESTARTING",
        message="The gateway is just restarting: try again in a few seconds.",
        text="One moment: the gateway is just restarting. This page tries again by itself.",
        refresh=True,
    )


def _anything_else() -> Config:
    """Answer what no case is for in Envoy's own words, such as a request it cannot read."""
    error = {"code": "REQUEST_REFUSED", "message": "%LOCAL_REPLY_BODY%", "details": {}}
    return {
        "filter": _status(400, "GE"),
        "body_format_override": {"json_format": {"success": False, "error": error}},
        "headers_to_add": _headers(_JSON_HEADERS),
    }


def _redirect_to_sign_in(condition: Config) -> Config:
    """Send people to the sign-in page. `next` comes last and is not encoded: it is the rest."""
    location = f"{VISITOR_PREFIX}sign-in?next=%REQ(:path)%"
    return {
        "filter": _and(condition, _header(":method", {"exact": "GET"}), _wants_html()),
        "status_code": 302,
        "body_format_override": {"text_format_source": {"inline_string": "Sign in first."}},
        "headers_to_add": _headers({"location": location, **_CHALLENGE, **HEADERS}),
    }


def _pair(  # noqa: PLR0913 - keyword-only, all plain texts
    condition: Config,
    *,
    code: str,
    message: str,
    text: str,
    new_status: int | None = None,
    refresh: bool = False,
) -> list[Config]:
    """Return what the page says to people, and the JSON for programs."""
    retry = {"refresh": "3"} if refresh else {}
    page_for_people = {
        "filter": _and(condition, _wants_html()),
        **_changed(new_status),
        "body": {"inline_string": text},
        "headers_to_add": _headers({**HEADERS, **retry}),
    }
    return [page_for_people, _json(condition, code, message, new_status)]


def _json(condition: Config, code: str, message: str, new_status: int | None) -> Config:
    error = json.dumps({"code": code, "message": message, "details": {}})
    challenge = _CHALLENGE if code == "UNAUTHORIZED" else {}
    return {
        "filter": condition,
        **_changed(new_status),
        "body_format_override": {
            "text_format_source": {"inline_string": f'{{"success": false, "error": {error}}}'},
            "content_type": "application/json",
        },
        "headers_to_add": _headers(_JSON_HEADERS | challenge),
    }


def _changed(status: int | None) -> Config:
    return {"status_code": status} if status else {}


def _signed_out() -> Config:
    # Envoy says 403 to a token that is good for something else: a session of another mapping.
    misplaced_token = _and(_status(403), _details('.startsWith("jwt_authn")'))
    return _or(_status(401), misplaced_token)


def _headers(values: dict[str, str]) -> list[Config]:
    return [
        {"header": {"key": k, "value": v}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for k, v in values.items()
    ]


def _and(*conditions: Config) -> Config:
    return {"and_filter": {"filters": list(conditions)}}


def _or(*conditions: Config) -> Config:
    return {"or_filter": {"filters": list(conditions)}}


def _status(code: int, operator: str = "EQ") -> Config:
    value = {"default_value": code, "runtime_key": "unused"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}


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
