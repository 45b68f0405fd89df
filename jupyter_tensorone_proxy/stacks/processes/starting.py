"""What is looked at before a service is started: its program, its folder, its port."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import psutil

from ...errors import ProcessError
from ...services import Catalogue
from .environment import own_environment, service_environment
from .free_ports import is_free
from .placeholders import filled
from .spec import ProcessSpec


def environment_of(spec: ProcessSpec, port: int, replica: int) -> dict[str, str]:
    """Return all of the environment of one replica.

    Args:
        spec: Its service.
        port: Where it listens.
        replica: Its number.
    """
    base = service_environment(spec.inherited) if spec.inherited else own_environment()
    return {**base, **spec.variables(port, replica)}


def folder_of(spec: ProcessSpec, port: int, replica: int) -> str:
    """Return the folder of one replica.

    Args:
        spec: Its service.
        port: Where it listens.
        replica: Its number.

    Raises:
        ProcessError: There is no such folder.
    """
    written = filled(spec.cwd or ".", spec.values(port, replica))
    folder = Path(written).expanduser().absolute()
    if not folder.is_dir():
        raise ProcessError(
            f"{spec.name} cannot be started: there is no folder {folder}.",
            suggestion="Make it, or correct `cwd`.",
        )
    return str(folder)


def command_of(
    spec: ProcessSpec, port: int, replica: int, env: Mapping[str, str], cwd: str
) -> list[str]:
    """Return the command of one replica, with its program's place.

    Args:
        spec: Its service.
        port: Where it listens.
        replica: Its number.
        env: Its environment, whose PATH is searched.
        cwd: Its folder; a program that is named with a slash is found from there.

    Raises:
        ProcessError: The program is not installed; the error says how to.
    """
    program, *words = spec.words(port, replica)
    path = env.get("PATH", os.defpath)
    place = shutil.which(str(Path(cwd, program)) if "/" in program else program, path=path)
    if place is None:
        raise ProcessError(
            f"{spec.name} cannot be started: the program {program!r} is not installed here.",
            suggestion=spec.install or _how_to_install(spec.command),
        )
    return [place, *words]


def require_free(spec: ProcessSpec, port: int) -> None:
    """Raise if somebody else has the port.

    Args:
        spec: Its service.
        port: Where it is to listen.

    Raises:
        ProcessError: It is taken; the error says by what, where that is known.
    """
    if not spec.listens or is_free(port):
        return
    raise ProcessError(
        f"{spec.name} cannot be started: port {port} is taken{_holder(port)}.",
        suggestion="Stop what is there, or give this service another port, or none: then a free "
        "one is taken.",
    )


def _holder(port: int) -> str:
    """Return who listens on a port, in words; empty if that is not told."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):
        pass  # another user's, or a system that does not tell
    return ""


def _how_to_install(command: list[str]) -> str:
    known = Catalogue.load().by_command(command)
    if known is not None and known.how_to_install:
        return known.how_to_install
    return "Install it, or correct the first word of `command`."
