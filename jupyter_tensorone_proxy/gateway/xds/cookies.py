"""Which cookies a service never gets to see.

Browsers send a host name's cookies to all of its ports, so requests for a service carry our
sessions of its neighbours, and the cookie of the Jupyter server that shares the host name: whoever
has that one can run code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..desired import bracketed
from .sign_in import COOKIE_PREFIX

_VALUE = "[^;,]*"


def hidden_cookies(host_names: Iterable[str], internal_port: int) -> str:
    r"""Return a regular expression (RE2) that matches what is taken out of a Cookie header.

    A Jupyter server names its cookie after the host and port that it is asked for. One behind this
    mapping is asked for by the local address, so its own cookie has a name of its own, and passes.
    `_xsrf` passes too: that name is every Jupyter's, and without the other cookie it opens nothing.

    Args:
        host_names: Names under which browsers reach the mapping.
        internal_port: The service's port.

    Example:
        >>> pattern = hidden_cookies(["localhost", "127.0.0.1"], 8889)
        >>> def seen(header: str) -> str:
        ...     return re.sub(pattern, "", header)
        >>> seen("a=1; __Host-t1-port_1=s; username-localhost-8888=j; b=2")
        'a=1; b=2'
        >>> seen('username-127-0-0-1-8888="x"; username-127-0-0-1-8889="own"')
        'username-127-0-0-1-8889="own"'
        >>> seen("jupyterhub-session-id=s; my-username-localhost-8888=mine")
        'my-username-localhost-8888=mine'
    """
    jupyters = "|".join(_jupyter(name, internal_port) for name in host_names)
    hidden = f"(?:{COOKIE_PREFIX}f?-{_VALUE}|jupyterhub-{_VALUE}|(?:{jupyters})={_VALUE})"
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
