"""Why Envoy refused a request or a connection, from its line in the access log.

The line has only what it would have anyway and Envoy's word for who answered; the rest follows from
what is wanted, in the order in which Envoy judges. So a log line costs a busy service no more.
"""

from __future__ import annotations

import ipaddress

from .access_log import Request
from .desired import Desired, DesiredMapping
from .xds.access import is_private
from .xds.access_logging import REFUSED_CONNECTION
from .xds.raw import admitted_ranges

_BY_SERVICE = "via_upstream"
_SIGN_IN_PAGE, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _WRONG_HOST, _CLOSED = (
    *(302, 401, 403),
    *(429, 421, 503),
)
_STATUSES = frozenset({_SIGN_IN_PAGE, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _WRONG_HOST, _CLOSED})
_NO_TOKEN, _OLD_TOKEN, _BAD_TOKEN = "Jwt_is_missing", "Jwt_is_expired", "jwt_authn_access_denied"
_RULES, _OWN_ANSWER = "rbac_access_denied", "direct_response"


def may_be_refusal(request: Request) -> bool:
    """Say whether a request needs a closer look; few do, and this is quick."""
    return request.status in _STATUSES or request.details == REFUSED_CONNECTION


def reason_of(request: Request, desired: Desired) -> str | None:
    """Return why Envoy refused a request; None if it did not, or only asked to sign in.

    A service may have refusals of its own, and so have the pages under `/.tensorone/`. Nor is it a
    refusal that somebody who comes for the first time, or whose session is over, is shown where to
    sign in.

    Args:
        request: As the access log has it.
        desired: What is wanted now.
    """
    details, mapping = request.details or _BY_SERVICE, desired.mappings.get(request.mapping_id)
    if details == REFUSED_CONNECTION:
        return _why_not_connected(request, desired, mapping)
    if mapping is None or details.startswith(_BY_SERVICE):
        return None
    if details.startswith(_BAD_TOKEN):
        return _what_is_wrong_with_token(details, request.status)
    if details.startswith(_RULES):
        return _which_rule(request, desired, mapping)
    if details == _OWN_ANSWER:
        return {_WRONG_HOST: "wrong host", _CLOSED: "another user's port"}.get(request.status)
    return "rate limit" if request.status == _TOO_MANY else None


def _what_is_wrong_with_token(details: str, status: int) -> str | None:
    if _NO_TOKEN in details:
        return None if status == _SIGN_IN_PAGE else "signed out"
    if _OLD_TOKEN in details:
        return None if status == _SIGN_IN_PAGE else "expired"
    return "invalid"


def _which_rule(request: Request, desired: Desired, mapping: DesiredMapping) -> str:
    if not _is_admitted(request.client_ip, desired, mapping):
        return "address"
    if request.token_id in desired.revocations.of(mapping.id):
        return "ended"
    if is_private(mapping, desired.cluster) and not mapping.is_for(request.user or ""):
        return "not invited"
    return "origin"


def _why_not_connected(
    request: Request, desired: Desired, mapping: DesiredMapping | None
) -> str | None:
    """Return why no filter chain was for a connection; its path is the name it asked for."""
    if mapping is not None and not _is_admitted(request.client_ip, desired, mapping):
        return "address"
    return "wrong host" if request.path and desired.domains else None


def _is_admitted(client_ip: str, desired: Desired, mapping: DesiredMapping) -> bool:
    """Say whether all lists together admit an address, as Envoy judges it."""
    ranges = admitted_ranges(mapping, desired.cluster)
    if ranges is None:
        return True
    address = ipaddress.ip_address(client_ip)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in admitted for admitted in ranges)
