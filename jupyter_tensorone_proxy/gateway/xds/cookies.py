"""Which cookies are not a service's: it neither gets to see them nor may it set them.

Browsers send a host name's cookies to all of its ports, so requests for a service carry our
sessions of its neighbours, and the cookie of the Jupyter server that shares the host name: whoever
has that one can run code.
"""

from __future__ import annotations

import re

from ..desired import DesiredMapping, Edge, bracketed, visitor_hosts
from .sign_in import COOKIE_PREFIX

XSRF = "_xsrf"
"""Tornado's cookie, which every Jupyter server on a host sets and reads under the same name."""

_PREFIXES = rf"{COOKIE_PREFIX}[fx]?-|jupyterhub-"
_VALUE = "[^;,]*"


def xsrf_marker(mapping_id: str) -> str:
    """Return the name of the cookie that says: this `_xsrf` is the mapping's own service's."""
    return f"{COOKIE_PREFIX}x-{mapping_id}"


def exact_names(mapping: DesiredMapping, edge: Edge) -> str:
    """Return a regular expression for the names that are not a mapping's service's.

    A Jupyter server names its cookie after the host and port that it is asked for. One behind this
    mapping is asked for by the local address, so its own cookie has a name of its own, and passes.
    """
    port = mapping.request.internal_port
    jupyters = [_jupyter(name, port) for name in visitor_hosts(mapping, edge)]
    return "|".join([*jupyters, *map(re.escape, edge.hidden_cookies)])


def hidden_names(exact: str) -> str:
    """Return a regular expression for every name that is not a service's.

    Args:
        exact: The expression for names in full, besides the prefixes of ours and JupyterHub's.
    """
    return rf"(?:(?:{_PREFIXES}).*|{exact})"


def hidden_cookie(exact: str) -> str:
    """Return a regular expression for one cookie of such a name."""
    return rf"(?:{_PREFIXES}|(?:{exact})=){_VALUE}"


def taken_out(exact: str) -> str:
    r"""Return a regular expression (RE2) that matches what is taken out of a Cookie header.

    Example:
        >>> exact = "|".join(_jupyter(name, 8889) for name in ("localhost", "127.0.0.1"))
        >>> def seen(header: str) -> str:
        ...     return re.sub(taken_out(exact), "", header)
        >>> seen("a=1; __Host-t1-port_1=s; username-localhost-8888=j; b=2")
        'a=1; b=2'
        >>> seen('username-127-0-0-1-8888="x"; username-127-0-0-1-8889="own"')
        'username-127-0-0-1-8889="own"'
        >>> seen("jupyterhub-session-id=s; my-username-localhost-8888=mine")
        'my-username-localhost-8888=mine'
    """
    hidden = hidden_cookie(exact)
    return rf"^(?:{hidden}(?:[;,][ \t]*|$))+|(?:[;,][ \t]*{hidden})+"


def _jupyter(host_name: str, own_port: int) -> str:
    """Match the cookie of a Jupyter server on any port of a host, but not of our own service."""
    name = "username-" + re.sub("[^A-Za-z0-9]", "-", bracketed(host_name))
    ports = _numbers_but(own_port) if host_name == "127.0.0.1" else "[0-9]+"
    return f"{name}(?:-(?:{ports}))?"


def _numbers_but(number: int) -> str:
    """Match every number but one: RE2 has no lookahead."""
    digits = str(number)
    shorter_or_longer = [f"[0-9]{{1,{len(digits) - 1}}}"] if len(digits) > 1 else []
    shorter_or_longer.append(f"[0-9]{{{len(digits) + 1},}}")
    differs = [
        f"{digits[:i]}[^{digit}\\D][0-9]{{{len(digits) - i - 1}}}" for i, digit in enumerate(digits)
    ]
    return "|".join([*shorter_or_longer, *differs])
