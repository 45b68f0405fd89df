"""Who runs processes: the Jupyter server whose kernel this is, else this very process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ...settings import Settings
from .folder import sockets
from .host import host
from .remote import RemoteRunner
from .runner import Runner

SOCKET_VARIABLE = "TENSORONE_SERVER_SOCKET"
"""Where the Jupyter server answers that runs processes; it sets it in kernels."""


def runner_for(settings: Settings, environ: Mapping[str, str] | None = None) -> Runner:
    """Return who runs processes for whoever asks.

    Args:
        settings: Where the services are exposed.
        environ: Environment to read; this process's by default.
    """
    return _of_the_server(environ) or host.make(settings)


def known_runners(environ: Mapping[str, str] | None = None) -> list[Runner]:
    """Return everybody who may run processes of this user already; nobody is started.

    Args:
        environ: Environment to read; this process's by default.
    """
    server = _of_the_server(environ)
    own: list[Runner] = [host.runner] if host.runner is not None else []
    if server is not None:
        return [server, *own]
    return [*own, *(RemoteRunner(path) for path in sockets())]


def _of_the_server(environ: Mapping[str, str] | None) -> RemoteRunner | None:
    environ = os.environ if environ is None else environ
    socket = environ.get(SOCKET_VARIABLE)
    return RemoteRunner(Path(socket)) if socket else None
